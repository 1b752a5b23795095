"""What is tried with strange bytes: `python -m config.gates.reading NAME FOLDER`, under atheris; also read by a test.

Each reader may refuse in its own way; any other error is a find.
"""

import base64
import hashlib
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

OWN_ID: Final = bytes(range(16))
KEY: Final = bytes(range(32))
# A public key of a log in its form: name, the hash that notes name it by, key.
_MARKED: Final = b"\x01" + KEY
LOG_KEY: Final = (
    f"vankho+{hashlib.sha256(b'vankho' + bytes([10]) + _MARKED).hexdigest()[:8]}+{base64.b64encode(_MARKED).decode()}"
)


def sniff(data: bytes) -> None:
    """The look at the first and last bytes of an uploaded file."""
    from ingest import sniff as tried

    list(tried.job(io.BytesIO(data), {}))


def fields(data: bytes) -> None:
    """The fields proposed from the words of a page."""
    from ingest import fields as tried

    tried.propose([_page(data)])


def level(data: bytes) -> None:
    """The level and urgency suggested from the words of a page: never below the declared one."""
    from archive.rules.levels import Level
    from ingest import classify as tried

    declared = Level(data[0] % 3) if data else Level.THUONG
    suggested = tried.suggest([_page(data[1:])], stamps=[], declared=declared)
    if suggested.level < declared:
        raise AssertionError("a machine lowered a level")


def query(data: bytes) -> None:
    """The query language of searching; what is understood is shown in pieces."""
    from search import chips
    from search import query as tried

    chips.describe(tried.parse(_text(data)))


def legacy(data: bytes) -> None:
    """The decoder of TCVN3, VNI and VIQR."""
    from ingest import legacy as tried

    text = data[1:].decode("latin-1") if data[:1] < b"\x80" else _text(data[1:])
    tried.to_unicode(text, font=[None, ".VnTime", "VNI-Times", "x"][data[0] % 4] if data else None)
    for scheme in ("tcvn3", "vni", "viqr"):
        tried.decode(text, scheme)


def sealed(data: bytes) -> None:
    """The header and chunks of a sealed object: half of the tries begin like a real one."""
    from archive import sealing as tried

    made = io.BytesIO()
    tried.seal(io.BytesIO(b"x" * 20_000), made.write, object_id=OWN_ID, key=KEY, salt=bytes(24))
    whole = bytearray(made.getvalue())
    if data[:1] < b"\x80":
        whole = bytearray(data)
    for place, byte in zip(data[1::3], data[2::3], strict=False):
        whole[place % len(whole) if whole else 0 : (place % len(whole) if whole else 0) + 1] = bytes([byte])
    with suppress(tried.Broken), tried.Unsealed(io.BytesIO(bytes(whole)), object_id=OWN_ID, key=KEY) as opened:
        read = opened.read()
        if read != b"x" * 20_000:
            raise AssertionError("bytes that were never sealed")


def archive(data: bytes) -> None:
    """The checker of an exported log: the note of a head, tiles, bundles, details."""
    from archive.verifier import verify as tried

    class Memory(tried.Export):
        def read(self, path: str) -> bytes | None:
            return None if path.endswith("7") else data

    with suppress(tried.Tampered, ValueError):
        tried.open_note(data, LOG_KEY)
    with suppress(tried.Tampered, ValueError):
        tried.open_proof(data, LOG_KEY)
    export = Memory("/nowhere")
    with suppress(tried.Tampered):
        export.tile(0, len(data), min(256, len(data)))
    for entry in export.bundle(0, 256):
        with suppress(tried.Tampered, ValueError):
            tried._parsed(entry)  # noqa: SLF001 - what an entry's bytes say


def planted(data: bytes) -> None:
    """A reader that falls over four bytes, on purpose."""
    if data[:4] == b"VKSO":
        raise RuntimeError("planted")


READERS: Final[dict[str, Callable[[bytes], None]]] = {
    "sniff": sniff, "fields": fields, "level": level, "query": query, "legacy": legacy, "sealed": sealed, "archive": archive,
}  # fmt: skip
SEEDS: Final = {
    "sniff": (b"%PDF-1.4\n", b"II*\0", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"x" * 30 + b"PK\x05\x06" + bytes(18)),
    "fields": ("BỘ TƯ LỆNH\nSố: 123/KH-BCH\nHà Nội, ngày 2 tháng 11 năm 2026\nKẾ HOẠCH\nVề việc huấn luyện\nKính gửi:".encode(),),
    "level": ("0TỐI MẬT\nHỏa tốc\nđộ mật: mật".encode(),),
    "query": ('muc:mat "kế hoạch" -so:12 OR (ngay:2026..2027) NEAR/3 AND'.encode(),),
    "legacy": (b"0B\xe9 Qu\xe8c ph\xdfng", b"1Ba\xf9 Qu\xf6c", b"2Bo^. Quo^'c pho`ng"),
    "sealed": (b"\x80aaa", b"VKSO\x01\0\0\0"),
    "archive": (b"vankho\n12\nAAAA\n\n\xe2\x80\x94 vankho AAAA\n", b"\0\x05hello"),
    "planted": (b"VKS",),
}  # fmt: skip


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _page(data: bytes) -> Any:
    """Return a page whose words stand in lines as they are written."""
    from archive.rules.page import PageText, Word

    text, words, start = _text(data), [], 0
    for row, line in enumerate(text.split("\n")):
        for column, part in enumerate(line.split()):
            at = text.index(part, start)
            top, left = (300 + 250 * row) % 9000, (500 + 700 * column) % 9000
            words.append(Word(part, at, (left, top, min(10_000, left + 90 * len(part)), top + 200), 95))
            start = at + len(part)
    return PageText(1, text, tuple(words), "ocr", 95)


def main() -> None:
    """Try one reader until it falls or its time is over."""
    sys.path.append(
        os.environ["VANKHO_GATE_ATHERIS"]
    )  # after our own: nothing of the product is another than in production
    import atheris

    name, folder = sys.argv[1], Path(sys.argv[2])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    with atheris.instrument_imports(include=["ingest", "search", "archive"]):
        django.setup()
        tried = planted if name == "planted" else READERS[name]
        for number, seed in enumerate(SEEDS[name]):
            (folder / str(number)).write_bytes(seed)
            if name != "planted":
                tried(seed)  # loads what it needs under the eye of atheris
    if name == "planted":
        tried = atheris.instrument_func(planted)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], tried)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
