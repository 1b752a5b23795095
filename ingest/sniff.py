"""What a file really is: by its bytes, in the cell, never by its name.

PDF, TIFF, JPEG and PNG are taken in. libmagic, the first bytes and the library that will
open the file must agree; bytes that also make another format (a web page before a PDF,
an archive behind a picture) are two-faced and refused. The name is only compared
afterwards, to tell the clerk when it lies. `sniff` runs in the worker and opens nothing.
"""

import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from ingest import sandbox
from ingest.sandbox import CellFailed, Limits
from ingest.sheets import raise_if_of_the_machine

PDF, TIFF, JPEG, PNG = "application/pdf", "image/tiff", "image/jpeg", "image/png"
ACCEPTED: Final = frozenset({PDF, TIFF, JPEG, PNG})

# The codes of ingest.outcomes; that module has rows and may not come into the cell. A test compares them.
EMPTY, NOT_ACCEPTED, BROKEN, TWO_FACED = "ING-001", "ING-002", "ING-006", "ING-009"

HEAD_BYTES: Final = 1024 * 1024  # what libmagic is shown
TAIL_BYTES: Final = 66_000  # an archive's directory ends within this of the end
PDF_WITHIN: Final = 1024  # readers look for the mark of a PDF this far
STARTS: Final = {
    PDF: (b"%PDF-",),
    TIFF: (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    JPEG: (b"\xff\xd8\xff",),
    PNG: (b"\x89PNG\r\n\x1a\n",),
}
# Other formats that may stand before the mark of a PDF, which need not be at the start.
FOREIGN: Final = re.compile(
    rb"\A\s*(?:MZ|\x7fELF|PK|GIF8|\x89PNG|\xff\xd8\xff|II\*\0|MM\0\*|Rar!|7z\xbc\xaf|#!|%!PS|RIFF|\xd0\xcf\x11\xe0|ID3|BZh|\x1f\x8b)"
    rb"|<\s*(?:!doctype|html|head|body|script|svg|iframe|\?php|\?xml)",
    re.IGNORECASE,
)
# Blanks, a byte order mark, a printer's job line, comments of the PDF itself; or a few stray bytes.
HARMLESS_LEAD: Final = re.compile(
    rb"\A(?:(?:[\s\0]|\xef\xbb\xbf|\x1b%-12345X|@PJL[^\n]*\n|%[^\r\n]*[\r\n])*|.{1,16})\Z", re.DOTALL
)
NAMES: Final = {
    PDF: (".pdf",),
    TIFF: (".tif", ".tiff"),
    JPEG: (".jpg", ".jpeg", ".jpe", ".jfif"),
    PNG: (".png",),
}
UNSURE: Final = frozenset({"application/octet-stream", "text/plain"})  # libmagic wants more of a mark than readers do
LIMITS: Final = Limits(memory_mib=1024, cpu_seconds=5, wall_seconds=20, output_mib=1, file_mib=0)
MIME: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a file is: its media type, marks for a person, or the code under which it is refused."""

    type: str
    marks: tuple[str, ...] = ()
    refusal: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def accept(media_type: str) -> bool:
    """Say whether files of this type are taken in."""
    return media_type in ACCEPTED


def name_fits(name: str, media_type: str) -> bool:
    """Say whether a file name ends as its type is usually written; a name without an ending fits."""
    last = name.rsplit("/", 1)[-1]
    return "." not in last.lstrip(".") or last.lower().endswith(NAMES.get(media_type, ()))


def sniff(source: int) -> Sniffed:
    """Tell the type of the file behind a descriptor, in a cell.

    Raises:
        CellFailed: the look came to no end, for whatever reason: to be tried again, for the fault may be
            ours, and a refused file's bytes are dropped.
    """
    with sandbox.run("ingest.sniff:job", source=source, args={}, limits=LIMITS) as cell:
        heads = [frame.head for frame in cell]
    found = _checked(heads[0] if heads else {})
    if found.refusal == EMPTY and os.fstat(source).st_size:
        raise CellFailed("output", "nothing seen of a file that is not empty")
    return found


def _checked(head: dict[str, Any]) -> Sniffed:
    """Force the cell's untrusted answer into its types."""
    media_type = str(head.get("type", ""))
    if not MIME.fullmatch(media_type):
        media_type = "application/octet-stream"
    told = head.get("marks")
    marks = ("leading_bytes",) if isinstance(told, list) and "leading_bytes" in told else ()
    refusal = str(head.get("refusal", ""))
    if refusal not in {"", EMPTY, NOT_ACCEPTED, BROKEN, TWO_FACED} or (not refusal and not accept(media_type)):
        refusal = NOT_ACCEPTED
    return Sniffed(media_type, marks, refusal, {"type": media_type} if refusal == NOT_ACCEPTED else {})


# --- inside the cell ----------------------------------------------------------------------------------


def warm() -> None:
    """Load what the job needs, before any file is there."""
    from PIL import Image

    Image.preinit()
    Image.init()
    _magic()


def job(source: BinaryIO | None, args: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Answer with one frame: {"type", "marks", "refusal"}."""
    del args
    if source is None:
        raise ValueError("sniff needs a file")
    head = source.read(HEAD_BYTES)
    size = source.seek(0, io.SEEK_END)
    source.seek(max(0, size - TAIL_BYTES))
    tail = source.read(TAIL_BYTES)
    media_type, marks, refusal = look(head, tail)
    if not refusal and media_type != PDF and not _opens(source, media_type):
        refusal = BROKEN
    yield {"type": media_type, "marks": marks, "refusal": refusal}, b""


def look(head: bytes, tail: bytes) -> tuple[str, list[str], str]:
    """Return type, marks and refusal from the first and last bytes of a file."""
    if not head:
        return "application/x-empty", [], EMPTY
    seen = _magic_type(head)
    own = next((kind for kind, starts in STARTS.items() if head.startswith(starts)), "")
    pdf_at = head.find(b"%PDF-", 0, PDF_WITHIN)
    if not own and pdf_at > 0:
        return _shifted_pdf(head[:pdf_at], tail)
    if not own or (own != PDF and pdf_at >= 0):
        return (own or seen), [], (TWO_FACED if own else NOT_ACCEPTED)
    if seen != own and seen not in UNSURE:
        return own, [], TWO_FACED
    if _ends_as_archive(tail):
        return own, [], TWO_FACED
    return own, [], ""


def _shifted_pdf(lead: bytes, tail: bytes) -> tuple[str, list[str], str]:
    """Judge a PDF whose mark is not at the start."""
    if FOREIGN.search(lead) or _ends_as_archive(tail) or not HARMLESS_LEAD.match(lead):
        return PDF, [], TWO_FACED
    return PDF, ["leading_bytes"], ""


def _ends_as_archive(tail: bytes) -> bool:
    """Say whether a ZIP directory ends just where the file ends (its comment reaches the end)."""
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:  # noqa: PLR2004 - the length of a directory's end
        return False
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    return abs(len(tail) - (at + 22 + comment)) <= 2  # noqa: PLR2004 - a line end may follow


def _magic() -> Any:
    """Return libmagic with its table loaded; once per fork server."""
    if not _loaded:
        import magic

        _loaded.append(magic.Magic(mime=True))
    return _loaded[0]


_loaded: list[Any] = []


def _magic_type(head: bytes) -> str:
    seen = str(_magic().from_buffer(head)).lower()
    return {"image/x-png": PNG, "image/pjpeg": JPEG}.get(seen, seen)


def _opens(source: BinaryIO, media_type: str) -> bool:
    """Say whether Pillow, which will draw it, takes the file for the same type."""
    from PIL import Image

    source.seek(0)
    # A phone's JPEG may hold a second picture: Pillow then calls it MPO.
    formats = {TIFF: ["TIFF"], JPEG: ["JPEG", "MPO"], PNG: ["PNG"]}[media_type]
    Image.MAX_IMAGE_PIXELS = None  # only the header is read here; pages.py bounds what is decoded
    try:
        with Image.open(source, formats=formats) as picture:
            return min(picture.size) > 0
    except (
        OSError,
        ValueError,
        SyntaxError,
        TypeError,
        IndexError,
        KeyError,
        ZeroDivisionError,
        OverflowError,
    ) as fault:
        raise_if_of_the_machine(fault)
        return False
