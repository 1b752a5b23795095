"""One page of a PDF: what lies on it, drawn, with its text judged. Runs in the cell.

A scan that is nothing but one picture is taken from the file as it is; everything else
is drawn. The text layer is believed only where the drawing shows it: words without ink
under them are hidden, words over a picture of a page are a stamp or somebody's reading.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from archive.rules.sizes import MAX_PAGE_PIXELS
from ingest import text_layer
from ingest.sheets import DRAW_DPI, READ_DPI, Pixels, Sheet, TooLarge, bounded_dpi

MOST_OBJECTS: Final = 20_000
DEPTH: Final = 4
GRID: Final = 40  # the page as 40 x 40 fields, to see how much of it pictures cover
POINTS: Final = 72.0
LEAST_POINTS: Final = 3.0  # a page smaller than a millimetre has nothing on it
MOST_PICTURES: Final = 400
SCAN: Final = 0.5  # share of the page under pictures from which it is a scan
WHOLE: Final = 0.93
MOST_PICTURE_PIXELS: Final = 4 * MAX_PAGE_PIXELS  # all pictures of a page, bit-mapped ones counted by an eighth

Matrix = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture on the page: the object, its box as shown (ten-thousandths), its depth and cost."""

    item: Any
    box: tuple[float, float, float, float]
    bits: int
    pixels: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a page is made of."""

    pictures: tuple[Placed, ...]
    others: int  # objects that are neither text nor picture
    text: int
    covered: float  # share of the page under pictures

    @property
    def bits(self) -> int:
        """Bits per pixel of the scan that covers the page; 24 where there is none."""
        large = [picture for picture in self.pictures if _area(picture.box) >= 0.1]  # noqa: PLR2004
        return max((picture.bits for picture in large), default=24) if self.covered >= SCAN else 24


def warm_page() -> None:
    """Load what is imported late."""
    cv2.imdecode(np.frombuffer(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1], np.uint8), cv2.IMREAD_COLOR)
    text_layer.warm()


def draw_page(page: Any, number: int) -> Sheet:
    """Draw one page and judge its text.

    Raises:
        ValueError: the page has no size. TooLarge: its pictures have too many pixels.
    """
    width, height = page.get_size()
    if not (width >= LEAST_POINTS and height >= LEAST_POINTS and np.isfinite(width * height)):
        raise ValueError("page size")
    shown = text_layer.Shown(page, width, height)
    content = _content(page, shown)
    if sum(picture.pixels for picture in content.pictures) > MOST_PICTURE_PIXELS:
        raise TooLarge
    layer = text_layer.read(page, shown)
    is_scan = content.covered >= SCAN
    wanted = READ_DPI if is_scan or not layer.is_readable else DRAW_DPI
    pixels, dpi = _alone(page, content, wanted) or _drawn(page, content, wanted)
    verdict = text_layer.judge(layer, pixels, is_scan=is_scan)
    if verdict.must_read and dpi < min(READ_DPI, bounded_dpi(width / POINTS, height / POINTS, READ_DPI)):
        pixels, dpi = _drawn(page, content, READ_DPI)
    return Sheet(
        number,
        pixels,
        dpi,
        content.bits,
        must_read=verdict.must_read,
        has_pictures=bool(content.pictures),
        layer=verdict.text(number),
        fonts=layer.fonts,
        flags=verdict.flags,
    )


def _drawn(page: Any, content: Content, wanted: float) -> tuple[Pixels, float]:
    width, height = page.get_size()
    dpi = bounded_dpi(width / POINTS, height / POINTS, wanted)
    # A bare bit-mapped scan has no colour to keep: a third of the memory, half the time.
    gray = content.bits == 1 and not (content.text or content.others or pdfium.FPDFPage_GetAnnotCount(page))
    bitmap = page.render(scale=dpi / POINTS, rev_byteorder=True, may_draw_forms=False, grayscale=gray)
    try:
        drawn = bitmap.to_numpy()
        return np.array(drawn.reshape(drawn.shape[:2]) if gray else drawn[:, :, :3], copy=True), dpi
    finally:
        bitmap.close()


def _content(page: Any, shown: text_layer.Shown) -> Content:
    pictures: list[Placed] = []
    text = others = 0
    for item, kind, matrix in _objects(page):
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE and len(pictures) < MOST_PICTURES:
            pictures.append(_placed(item, shown.box(*_bounds(item, matrix)), page))
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT:
            text += 1
        else:
            others += 1
    return Content(tuple(pictures), others, text, _covered(pictures))


def _objects(page: Any) -> Iterator[tuple[Any, int, Matrix]]:
    """Yield the objects of a page with their kinds and the matrix of the form they lie in."""
    top = [pdfium.FPDFPage_GetObject(page, n) for n in range(min(MOST_OBJECTS, pdfium.FPDFPage_CountObjects(page)))]
    waiting = [(item, np.eye(3), 0) for item in reversed(top)]
    seen = 0
    while waiting and seen < MOST_OBJECTS:
        item, matrix, depth = waiting.pop()
        seen += 1
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind != pdfium.FPDF_PAGEOBJ_FORM:
            yield item, kind, matrix
        elif depth < DEPTH:
            inner = _matrix(item) @ matrix
            count = min(MOST_OBJECTS, max(0, pdfium.FPDFFormObj_CountObjects(item)))
            waiting += [(pdfium.FPDFFormObj_GetObject(item, n), inner, depth + 1) for n in range(count)]


def _matrix(item: Any) -> Matrix:
    """Return an object's matrix, for row vectors."""
    made = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, made):
        return np.eye(3)
    return np.array([[made.a, made.b, 0.0], [made.c, made.d, 0.0], [made.e, made.f, 1.0]])


def _bounds(item: Any, matrix: Matrix) -> tuple[float, float, float, float]:
    """Return left, bottom, right, top of an object in the page's own coordinates."""
    edges = [ctypes.c_float() for _ in range(4)]
    pdfium.FPDFPageObj_GetBounds(item, *edges)
    left, bottom, right, top = (edge.value for edge in edges)
    corners = np.array([[left, bottom, 1.0], [right, top, 1.0], [left, top, 1.0], [right, bottom, 1.0]]) @ matrix
    low, high = corners.min(axis=0), corners.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _placed(item: Any, box: tuple[float, float, float, float], page: Any) -> Placed:
    facts = pdfium.FPDF_IMAGEOBJ_METADATA()
    if not pdfium.FPDFImageObj_GetImageMetadata(item, page, facts):
        return Placed(item, box, 24, 0)
    pixels, depth = facts.width * facts.height, facts.bits_per_pixel
    bits = 1 if depth == 1 else 8 if depth <= 8 else 24  # noqa: PLR2004
    return Placed(item, box, bits, pixels // (8 if bits == 1 else 1))


def _area(box: tuple[float, float, float, float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) / 1e8


def _covered(pictures: list[Placed]) -> float:
    """Return the share of the page under pictures; strips and tiles count together."""
    fields = np.zeros((GRID, GRID), bool)
    for picture in pictures:
        left, top, right, bottom = (round(min(10_000, max(0, edge)) * GRID / 10_000) for edge in picture.box)
        fields[top:bottom, left:right] = True
    return float(fields.mean())


def _alone(page: Any, content: Content, wanted: float) -> tuple[Pixels, float] | None:
    """Return the picture of a page that is nothing else, decoded from the file; None when it must be drawn."""
    if content.others or content.text or len(content.pictures) != 1 or wanted != READ_DPI:
        return None
    picture = content.pictures[0]
    fills = _area(picture.box) >= WHOLE and _is_upright(picture.item) and not page.get_rotation()
    if not fills or pdfium.FPDFPage_GetAnnotCount(page) or not _is_plain(picture.item, page):
        return None
    if not _is_jpeg(picture.item) or picture.pixels > MAX_PAGE_PIXELS:
        return None
    way = cv2.IMREAD_GRAYSCALE if picture.bits == 8 else cv2.IMREAD_COLOR_RGB  # noqa: PLR2004
    decoded = cv2.imdecode(_stored(picture.item), way | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        return None
    return _bounded(decoded, decoded.shape[1] * POINTS / page.get_size()[0])


def _bounded(pixels: Pixels, dpi: float) -> tuple[Pixels, float] | None:
    """Shrink to what is read; a coarse picture is better drawn, enlarged, by pdfium."""
    if dpi < READ_DPI * 0.9:
        return None
    if dpi <= READ_DPI * 1.02:
        return pixels, dpi
    size = (round(pixels.shape[1] * READ_DPI / dpi), round(pixels.shape[0] * READ_DPI / dpi))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), READ_DPI


def _is_upright(item: Any) -> bool:
    matrix = _matrix(item)
    turned = abs(matrix[0, 1]) + abs(matrix[1, 0])
    return bool(matrix[0, 0] > 0 and matrix[1, 1] > 0 and turned < 1e-3 * (matrix[0, 0] + matrix[1, 1]))


def _is_plain(item: Any, page: Any) -> bool:
    """Say whether a picture is shown as stored: four inks, palettes and masks are for pdfium to draw."""
    facts = pdfium.FPDF_IMAGEOBJ_METADATA()
    known = pdfium.FPDFImageObj_GetImageMetadata(item, page, facts)
    spaces = {
        pdfium.FPDF_COLORSPACE_DEVICEGRAY,
        pdfium.FPDF_COLORSPACE_DEVICERGB,
        pdfium.FPDF_COLORSPACE_CALRGB,
        pdfium.FPDF_COLORSPACE_CALGRAY,
        pdfium.FPDF_COLORSPACE_ICCBASED,
    }
    plain = facts.colorspace in spaces and facts.bits_per_pixel in {8, 24}
    return bool(known and plain and not pdfium.FPDFPageObj_HasTransparency(item))


def _is_jpeg(item: Any) -> bool:
    name = ctypes.create_string_buffer(32)
    pdfium.FPDFImageObj_GetImageFilter(item, 0, name, 32)
    return bool(pdfium.FPDFImageObj_GetImageFilterCount(item) == 1 and name.value == b"DCTDecode")


def _stored(item: Any) -> Pixels:
    size = int(pdfium.FPDFImageObj_GetImageDataRaw(item, None, 0))
    held = (ctypes.c_ubyte * size)()
    pdfium.FPDFImageObj_GetImageDataRaw(item, held, size)
    return np.ctypeslib.as_array(held)
