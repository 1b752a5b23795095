"""PDF as pages, and what a PDF carries besides paper. Runs in the cell.

pdfium draws; pikepdf looks for scripts, programs, files and links inside. Whatever is
found is named for a person and never run, opened or followed. A file with a password
stays unread. The page count is what the page tree really holds, and is judged before
any page is loaded.
"""

import io
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from ingest.pdf_page import draw_page, warm_page
from ingest.sheets import BROKEN, Closed, Facts, Sheet, raise_if_of_the_machine

MOST_OBJECTS: Final = 60_000  # looked at one by one; a 2,000-page file of scans has 10,000
MOST_SIGNATURES: Final = 200
MOST_ANNOTATIONS: Final = 500
SIGNED: Final = re.compile(rb"/ByteRange\s*\[\s*\d{1,12}\s+\d{1,12}\s+(\d{1,12})\s+(\d{1,12})\s*\]")
LINE_END: Final = 2
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
    "/NeedsRendering": "xfa",
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
        self.is_repaired = False
        try:
            self.document = pypdfium2.PdfDocument(self.content)
            pages = len(self.document)
        except pypdfium2.PdfiumError:
            pages = self._open_repaired()
        if pages < 1:
            raise Closed(BROKEN, Facts(0), why="no page")
        self.signed_to = signed_ranges(self.content)
        self.facts = Facts(pages, frozenset(self._flags()), len(self.signed_to))

    def _open_repaired(self) -> int:
        """Open what pdfium refuses as qpdf understands it, and return its pages; the kept file stays as it is.

        Raises:
            Closed: neither can; or it has a password.
        """
        if pdfium.FPDF_GetLastError() == PASSWORD:
            raise Closed("", Facts(0, frozenset({"encrypted"})))
        try:
            self.document = pypdfium2.PdfDocument(_rewritten(self.content))
        except pikepdf.PasswordError as fault:
            raise Closed("", Facts(0, frozenset({"encrypted"}))) from fault
        except Exception as fault:
            raise_if_of_the_machine(fault)
            raise Closed(BROKEN, Facts(0), why=type(fault).__name__) from fault
        self.is_repaired = True
        return len(self.document)

    def sheet(self, number: int) -> Sheet:
        """Draw one page, 1-based."""
        page = self._page_with_its_marks(number)
        try:
            return draw_page(page, number)
        finally:
            page.close()

    def _page_with_its_marks(self, number: int) -> Any:
        """Return a page whose visible annotations have become part of it.

        Signing programs set number and date of a dispatch as the face of a signature field: on the page for every
        eye, in no text layer. Only this copy in memory changes.
        """
        page = self.document[number - 1]
        if 0 < pdfium.FPDFPage_GetAnnotCount(page) <= MOST_ANNOTATIONS:
            changed = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_SUCCESS
            if changed:
                page.close()
                page = self.document[number - 1]
        return page

    def _flags(self) -> set[str]:
        found = set(_written(self.content)) | set(_in_structure(self.content))
        if pdfium.FPDF_GetFormType(self.document) in {pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND}:
            found.add("xfa")
        if found - {"link"}:  # a link that is only there does nothing by itself
            found.add("active")
        if self.is_repaired:
            found.add("repaired")
        if self.signed_to:
            found.add("signed")
            if abs(max(self.signed_to) - len(self.content)) > LINE_END:
                found.add("changed_after_signing")
        return found


def open_pdf(source: BinaryIO) -> Pdf:
    """Open a PDF.

    Raises:
        Closed: no page of it can be drawn.
    """
    return Pdf(source)


def _rewritten(content: bytes) -> bytes:
    """Return the file as qpdf repairs it."""
    whole = io.BytesIO()
    with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
        document.save(whole)
    return whole.getvalue()


def signed_ranges(content: bytes) -> list[int]:
    """Return where the signed range of each signature ends. Nothing is verified: that needs certificates."""
    found = SIGNED.findall(content)[:MOST_SIGNATURES]
    return [int(start) + int(length) for start, length in found]


def _written(content: bytes) -> Iterator[str]:
    """Name what the bytes say outright, names written with escapes included."""
    plain = ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), content) if b"#" in content else content
    for flag, pattern in WRITTEN.items():
        if pattern.search(plain):
            yield flag


def _in_structure(content: bytes) -> Iterator[str]:
    """Name what stands in the objects, compressed ones included."""
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
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
