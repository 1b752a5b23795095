"""A paper, a picture or a file in words, for a judge that compares answers: sqlmap reads this file (`--postprocess`).

Two prints of one dispatch are never the same bytes: number, time and mark are drawn into the picture; nor are two signed
parts of a log that grows. sqlmap looks for what differs by comparing both letter by letter, which comes to no end with
half a million of them. What a statement could change is kept: whether a file comes at all and how large it is, roughly;
of a paper how many pages it has, how large they are and how many pieces of text stand on them. What is drawn in a picture
is not seen, nor one row more of many in a file. This is run by the judge's own Python and knows nothing of the product.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

PAGE: Final = re.compile(rb"/Type\s*/Page\b(?!s)")
ROOM: Final = re.compile(rb"/MediaBox\s*\[\s*([\d. ]+)\]")
STREAM: Final = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
TEXT: Final = re.compile(rb"\bT[jJ]\b")


def postprocess(page: Any, headers: Any = None, code: Any = None) -> tuple[Any, Any, Any]:
    """Return an answer as it is compared; sqlmap calls this with every one."""
    told = headers or {}
    kind = str(told.get("Content-Type") or "").partition(";")[0]
    if not isinstance(page, bytes) or not page:
        return page, headers, code
    if kind == "application/pdf":
        page = b"\n".join([kind.encode(), *_of_paper(page)])
    elif kind.startswith("image/") or "attachment" in str(told.get("Content-Disposition") or ""):
        page = b"\n".join([kind.encode(), *[b"twice as large"] * (len(page).bit_length() - 1)])
    return page, headers, code


def _of_paper(page: bytes) -> Iterator[bytes]:
    """Yield a line for each page and each piece of text: one more or less is a difference that counts."""
    rooms = ROOM.findall(page)
    for number in range(len(PAGE.findall(page))):
        yield b"a page of this paper, " + (rooms[number].strip() if number < len(rooms) else b"as large")
    for packed in STREAM.findall(page):
        for _piece in TEXT.findall(_unpacked(packed)):
            yield b"some text"


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed)
    except zlib.error:
        return b""  # a picture
