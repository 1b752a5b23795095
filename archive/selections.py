"""A part of the log as one signed file, checked at home with `verify.py` and the log's public key alone.

A zip: the rows to read (CSV, JSON, or a PDF with the same rows as JSON), and for each its
leaf's bytes, its place and the way to one signed head (RFC 9162); a manifest that names what
was asked and the digest of every file, and the signature over it. Written row by row: what
is held in memory is the readable file, packed. Proves that what it shows stands in the log;
that nothing was left out is told by the office's signature alone, and the file says so.
"""

import base64
import csv
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final, Self

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive import logkey, publishing
from archive.log_lines import COLUMNS, Line, words_of_rows
from archive.rules.errors import Refusal
from archive.tiles import Tiles
from archive.verifier import verify

MOST: Final = {"csv": 200_000, "json": 200_000, "pdf": 2_000}  # rows; a PDF is laid out whole in memory
README: Final = "README.txt"
CELL_STARTS: Final = verify.CELL_STARTS  # a spreadsheet would run these
_ROWS: Final = 100  # sent at once
_TILES: Final = 256  # kept at hand: 8 KiB each
_SPANS: Final = 8_192


class TooMany(Refusal):
    """LOG-004: more entries than one signed file takes."""

    code = "LOG-004"
    message = gettext_lazy(
        "More than %(most)s entries fit this filter, and one %(form)s file takes no more. Narrow the days, the person or "
        "the act, or take the whole log with manage.py export_log."
    )


@dataclass(frozen=True, slots=True)
class About:
    """What the manifest says of a selection beside its rows."""

    form: str
    page: str  # which page of the auditor
    asked: list[str]  # the filter in words
    by: str
    made: datetime
    language: str
    act: int  # the place of the entry that tells of this export
    left_out: str = ""  # what is not in it though it was asked for, in a sentence


class _Tiles(Tiles):
    """Tiles that remember what neighbours in the log share: two rows side by side have most of their way in common."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read = lru_cache(_TILES)(super().read)  # type: ignore[method-assign]
        self._span = lru_cache(_SPANS)(super()._span)  # type: ignore[method-assign]


Paper = Callable[[list[dict[str, Any]], dict[str, Any], int], bytes]


def written(lines: Iterable[Line], about: About, head: verify.Head, paper: Paper | None = None) -> Iterator[bytes]:
    """Yield the zip piece by piece.

    Args:
        lines: every one has a place below the head's size.
        about: what was asked, by whom, in which form.
        head: signed; every proof leads to it.
        paper: draws the PDF from rows, manifest and the highest level of the words in it.
    """
    with translation.override(about.language):
        pipe = _Pipe()
        # nosemgrep: files - written to a pipe, no path
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as box:
            yield from _filled(_Box(box, about.made), pipe, lines, about, head, paper)
        yield pipe.taken()


def _filled(  # noqa: PLR0913, PLR0917 - the parts of one file
    box: "_Box", pipe: "_Pipe", lines: Iterable[Line], about: About, head: verify.Head, paper: Paper | None
) -> Iterator[bytes]:
    readable = _Readable("csv" if about.form == "csv" else "json")
    rows: list[dict[str, Any]] = []
    count = withheld = level = 0
    with box.member(verify.ENTRIES) as member:
        for count, line in enumerate(_proven(lines, head), start=1):
            shown, proof = line
            member.write(proof)
            readable.add(shown.row)
            withheld += "withheld" in shown.row["details"]
            level = max(level, shown.level)
            if paper:
                rows.append(shown.row)
            if count % _ROWS == 0:
                yield pipe.taken()
    with box.member(readable.name) as member:
        for piece in readable.pieces():
            member.write(piece)
            yield pipe.taken()
    box.add(verify.HEAD, logkey.signer().note(head.size, head.root))
    manifest = _manifest(about, head) | {"rows": count, "withheld": withheld, "words_level": level}
    if paper:
        box.add("log.pdf", paper(rows, manifest, level))
    # nosemgrep: files - our own checker
    box.add("verify.py", Path(verify.__file__).read_bytes())
    box.add(README, _readme(manifest).encode())
    text = json.dumps(manifest | {"files": box.digests}, ensure_ascii=False, indent=1).encode()
    box.add(verify.MANIFEST, text)
    signed = f"{verify.SELECTION}\nsha256 {hashlib.sha256(text).hexdigest()}\n"
    box.add(verify.NOTE, logkey.signer().signed(signed))


def _manifest(about: About, head: verify.Head) -> dict[str, Any]:
    return {
        "kind": verify.SELECTION,
        "origin": head.origin,
        "form": about.form,
        "page": about.page,
        "asked": about.asked,
        "left_out": about.left_out,
        "by": about.by,
        "made": about.made.astimezone(UTC).isoformat(timespec="seconds"),
        "act": about.act,
        "head": {"size": head.size, "root": base64.b64encode(head.root).decode()},
        "columns": list(COLUMNS),
        "heads": [str(word) for word in COLUMNS.values()],
        "words": words_of_rows(),
        "proves": proves(),
        "does_not_prove": does_not_prove(),
    }


def proves() -> str:
    """Return what such a file proves, in a sentence."""
    return _(
        "Each row stands at its place in the signed log and says what was written there; nobody changed, added or "
        "dated it otherwise since the head was signed."
    )


def does_not_prove() -> str:
    """Return what such a file leaves open, in the reader's language."""
    return _(
        "It does not prove that nothing was left out: that every entry which fits the filter is here is told by the "
        "office's signature alone. Whoever must be sure of that asks for the whole log (manage.py export_log). Details in "
        "words, why something stands out, and rows with withheld words are told by the signature alone, too. Compare the "
        "head with one that was kept elsewhere: only that shows that history was not rewritten."
    )


def _readme(manifest: dict[str, Any]) -> str:
    asked = "; ".join(manifest["asked"]) or _("everything")
    lines = [
        _("Part of the log of %(origin)s: %(n)s rows.") % {"origin": manifest["origin"], "n": manifest["rows"]},
        _("Asked: %(asked)s") % {"asked": asked},
        *filter(None, [manifest["left_out"]]),
        _("Taken out by %(who)s on %(at)s (UTC); this act is entry %(act)s of the log.")
        % {"who": manifest["by"], "at": manifest["made"], "act": manifest["act"]},
        "",
        manifest["proves"],
        manifest["does_not_prove"],
        "",
        _("To check it, with Python 3.9 or newer and the log's public key as it was handed over on another way:"),
        '  python3 verify.py FILE.zip --key "NAME+HASH+KEY"',
        _("Take verify.py from a place you trust: the copy in this file is for convenience."),
    ]
    return "\n".join(lines) + "\n"


def _proven(lines: Iterable[Line], head: verify.Head) -> Iterator[tuple[Line, bytes]]:
    """Yield each line with what proves it, as one line of JSON; steps at the end that the one before had, too, are counted."""
    tiles = _Tiles(publishing.folder())
    before: list[bytes] = []
    for line in lines:
        index = line.row["index"]
        steps = tiles.proof(index, head.size)
        same = _same_end(before, steps)
        kept: dict[str, Any] = {"index": index}
        kept |= {"leaf": line.leaf.hex()} if line.body is None else {"body": line.body.decode()}
        if line.detail is not None:
            kept["details"] = {"salt": bytes(line.detail.salt).hex(), "payload": line.detail.payload}
        kept |= {"proof": [base64.b64encode(step).decode() for step in steps[: len(steps) - same]], "same": same}
        before = steps
        yield line, json.dumps(kept, ensure_ascii=False).encode() + b"\n"


def _same_end(one: list[bytes], other: list[bytes]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count


class _Readable:
    """The file that people read, packed as it grows: what lies in memory of the most rows is some thirty megabytes."""

    def __init__(self, form: str) -> None:
        self.name = f"log.{form}"
        self._form, self._packer, self._packed, self._rows = form, zlib.compressobj(6), bytearray(), 0
        if form == "csv":
            self._put("\ufeff" + _csv_line([str(word) for word in COLUMNS.values()]))
        else:
            self._put("[")

    def add(self, row: dict[str, Any]) -> None:
        """Add a row."""
        if self._form == "csv":
            self._put(_csv_line([verify.cell(row[name]) for name in COLUMNS]))
        else:
            self._put(("," if self._rows else "") + "\n" + json.dumps(row, ensure_ascii=False))
        self._rows += 1

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole file."""
        if self._form == "json":
            self._put("\n]\n")
        self._packed += self._packer.flush()
        unpacker, data = zlib.decompressobj(), bytes(self._packed)
        while data:
            yield unpacker.decompress(data, 1 << 20)
            data = unpacker.unconsumed_tail
        yield unpacker.flush()

    def _put(self, text: str) -> None:
        self._packed += self._packer.compress(text.encode())


def _csv_line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


class _Pipe:
    """What the zip writes into, taken away piece by piece."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        """Keep the next bytes."""
        self._data += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is held open."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        data = bytes(self._data)
        self._data.clear()
        return data


class _Hashed:
    """A member of the zip while it is written, and its digest."""

    def __init__(self, box: "_Box", name: str) -> None:
        self._box, self._name = box, name
        self._file: IO[bytes] = box.opened(name)
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._file.close()
        self._box.digests[self._name] = {"sha256": self._digest.hexdigest(), "bytes": self._size}


class _Box:
    """The zip and the digests of what lies in it."""

    def __init__(self, box: zipfile.ZipFile, made: datetime) -> None:
        self._box, self._made = box, made
        self.digests: dict[str, dict[str, Any]] = {}

    def opened(self, name: str) -> IO[bytes]:
        """Return a new member to write into."""
        member = zipfile.ZipInfo(name, self._made.timetuple()[:6])
        member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        return self._box.open(member, "w")

    def member(self, name: str) -> _Hashed:
        """Return a new member whose digest is kept."""
        return _Hashed(self, name)

    def add(self, name: str, data: bytes) -> None:
        """Write a member whole."""
        with self.member(name) as member:
            member.write(data)
