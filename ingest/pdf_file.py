"""PDF as pages, and what a PDF carries besides paper. Runs in the cell.

pdfium draws; pikepdf looks for scripts, programs, files and links inside. Whatever is
found is named for a person and never run, opened or followed. A file with a password
stays unread. The page count is what the page tree really holds, and is judged before
any page is loaded.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from ingest.pdf_page import draw_page, warm_page
from ingest.sheets import BROKEN, Closed, Facts, Sheet

MOST_OBJECTS: Final = 60_000  # looked at one by one; a 2,000-page file of scans has 10,000
MOST_SIGNATURES: Final = 200
ACTIONS: Final = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/SubmitForm": "submit",
    "/ImportData": "submit",
    "/GoToR": "link",
    "/GoToE": "embedded",
    "/Rendition": "embedded",
    "/RichMediaExecute": "embedded",
}
KEYS: Final = {
    "/JS": "javascript",
    "/EF": "embedded",
    "/EmbeddedFiles": "embedded",
    "/XFA": "xfa",
    "/RichMediaContent": "embedded",
}
# In the bytes themselves too: a reader that repairs differently may find what ours did not.
WRITTEN: Final = {
    "javascript": re.compile(rb"/JavaScript\b"),
    "launch": re.compile(rb"/S\s*/Launch\b"),
    "submit": re.compile(rb"/S\s*/SubmitForm\b"),
    "embedded": re.compile(rb"/EmbeddedFiles?\b"),
    "xfa": re.compile(rb"/XFA\s*[\[\d<(]"),
}
# A web address is ordinary; a file, a share, a program's own scheme is not.
ODD_LINK: Final = re.compile(
    r"^\s*(?:file:|\\\\|//|smb:|ftp:|[a-z][a-z0-9+.-]*:(?<!http:)(?<!https:)(?<!mailto:)(?<!tel:))", re.IGNORECASE
)
ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
PASSWORD: Final = 4  # FPDF_ERR_PASSWORD


def warm() -> None:
    """Load and try the libraries before any file is there."""
    warm_page()
    empty = pypdfium2.PdfDocument.new()
    empty.new_page(100, 100).render()
    empty.close()
    pikepdf.new().close()


class Pdf:
    """An opened PDF."""

    def __init__(self, source: BinaryIO) -> None:
        """Open it, count its pages, look for what else is in it.

        Raises:
            Closed: damaged, or has a password.
        """
        self.content = source.read()
        try:
            self.document = pypdfium2.PdfDocument(self.content)
            pages = len(self.document)
        except pypdfium2.PdfiumError as fault:
            raise self._closed() from fault
        if pages < 1:
            raise self._closed()
        self.facts = Facts(pages, frozenset(self._flags()), min(MOST_SIGNATURES, self._signatures()))

    def _closed(self) -> Closed:
        """Say why it cannot be opened."""
        if pdfium.FPDF_GetLastError() == PASSWORD or _wants_password(self.content):
            return Closed("", Facts(0, frozenset({"encrypted"})))
        return Closed(BROKEN, Facts(0))

    def sheet(self, number: int) -> Sheet:
        """Draw one page, 1-based."""
        page = self.document[number - 1]
        try:
            return draw_page(page, number)
        finally:
            page.close()

    def _signatures(self) -> int:
        return max(0, int(pdfium.FPDF_GetSignatureCount(self.document)))

    def _flags(self) -> set[str]:
        found = set(_written(self.content)) | set(_in_structure(self.content))
        if pdfium.FPDF_GetFormType(self.document) in {pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND}:
            found.add("xfa")
        if found - {"link"}:
            found.add("active")
        if self._signatures():
            found.add("signed")
            if changed_after_signing(self.document, len(self.content)):
                found.add("changed_after_signing")
        return found


def open_pdf(source: BinaryIO) -> Pdf:
    """Open a PDF.

    Raises:
        Closed: no page of it can be drawn.
    """
    return Pdf(source)


def _wants_password(content: bytes) -> bool:
    try:
        pikepdf.open(_stream(content)).close()
    except pikepdf.PasswordError:
        return True
    except Exception:  # noqa: BLE001 - damaged in some other way
        return False
    return False


def _stream(content: bytes) -> BinaryIO:
    import io

    return io.BytesIO(content)


def changed_after_signing(document: Any, size: int) -> bool:
    """Say whether bytes follow the last signed range: something was added after signing."""
    ends = []
    for index in range(min(MOST_SIGNATURES, int(pdfium.FPDF_GetSignatureCount(document)))):
        signature = pdfium.FPDF_GetSignatureObject(document, index)
        ranges = (pdfium.c_int * 4)()
        if pdfium.FPDFSignatureObj_GetByteRange(signature, ranges, 4) == 4:  # noqa: PLR2004 - two pairs
            ends.append(ranges[2] + ranges[3])
    return bool(ends) and max(ends) < size - 2  # a line end may follow


def _written(content: bytes) -> Iterator[str]:
    """Name what the bytes say outright, names written with escapes included."""
    plain = ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), content) if b"#" in content else content
    for flag, pattern in WRITTEN.items():
        if pattern.search(plain):
            yield flag


def _in_structure(content: bytes) -> Iterator[str]:
    """Name what stands in the objects, compressed ones included."""
    try:
        with pikepdf.open(_stream(content), suppress_warnings=True) as document:
            for count, item in enumerate(document.objects):
                if count > MOST_OBJECTS:
                    return
                yield from _in_object(item, depth=0)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a damaged structure; the bytes were searched anyway
        return


def _in_object(item: Any, *, depth: int) -> Iterator[str]:
    if isinstance(item, pikepdf.Array):
        children: list[Any] = list(item) if depth and len(item) < 200 else []  # noqa: PLR2004 - actions are short
        for child in children:
            yield from _in_object(child, depth=depth + 1)
        return
    if depth > 3 or not isinstance(item, pikepdf.Dictionary | pikepdf.Stream):  # noqa: PLR2004
        return
    for key, value in (item.stream_dict if isinstance(item, pikepdf.Stream) else item).items():
        if key in KEYS:
            yield KEYS[key]
        if key == "/S" and isinstance(value, pikepdf.Name):
            yield from filter(None, [ACTIONS.get(str(value))])
        if key == "/URI" and isinstance(value, pikepdf.String) and ODD_LINK.match(str(value)):
            yield "link"
        if key == "/Subtype" and str(value) == "/FileAttachment":
            yield "embedded"
        if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
            yield from _in_object(value, depth=depth + 1)
