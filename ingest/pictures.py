"""TIFF, JPEG and PNG as pages. Runs in the cell.

Sizes are read from headers and judged before a pixel is decoded. A resolution that is
missing or absurd is guessed from the size, as if the page were A4. Turned pictures are
shown upright, CMYK, 16-bit, palette and transparent ones as the eye would see them on
white paper. The chain of a TIFF's pages is walked here first: one that bites its tail
or is endless never reaches the library.
"""

import struct
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from PIL import Image, ImageFile, ImageOps

from archive.rules.sizes import MAX_PAGE_PIXELS, MAX_PAGES
from ingest.sheets import (
    A4_WIDTH_INCHES,
    BROKEN,
    READ_DPI,
    TOO_MANY_PIXELS,
    Closed,
    Facts,
    Pixels,
    Sheet,
    TooLarge,
    raise_if_of_the_machine,
)

FORMATS: Final = {"image/tiff": ["TIFF"], "image/jpeg": ["JPEG", "MPO"], "image/png": ["PNG"]}
LEAST_DPI, MOST_DPI = 70.0, 1300.0
WIDEST_INCHES: Final = 24.0  # A2: a "page" wider than this has a screen's resolution in its header
MOST_ENLARGED: Final = 2.0
FAULTS: Final = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, struct.error)
BITS: Final = {"1": 1, "L": 8, "LA": 8, "I": 8, "I;16": 8, "I;16B": 8, "F": 8}


def warm() -> None:
    """Load the drivers of the formats before any file is there."""
    Image.preinit()
    Image.init()
    Image.MAX_IMAGE_PIXELS = None  # judged here, per page, with a reason


class Picture:
    """An opened picture file."""

    def __init__(self, source: BinaryIO, media_type: str) -> None:
        """Open it and count its pages.

        Raises:
            Closed: no page of it can be opened, or the first is too large.
        """
        self.media_type = media_type
        pages = tiff_pages(source) if media_type == "image/tiff" else 1
        source.seek(0)
        # A process-wide switch that drawing libraries (weasyprint) turn on: half a picture is never taken for a whole one.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            self.image = Image.open(source, formats=FORMATS[media_type])
            size = self.image.size
        except FAULTS as fault:
            raise_if_of_the_machine(fault)
            raise Closed(BROKEN, Facts(0), why=type(fault).__name__) from fault
        self.facts = Facts(pages)
        if pages <= 1 and size[0] * size[1] > MAX_PAGE_PIXELS:
            raise Closed(TOO_MANY_PIXELS, self.facts)
        if pages == 0:
            raise Closed(BROKEN, self.facts, why="no page")

    def sheet(self, number: int) -> Sheet:
        """Draw one page, 1-based.

        Raises:
            TooLarge: it has too many pixels. Other errors: it is damaged.
        """
        if self.media_type == "image/tiff":
            self.image.seek(number - 1)
        width, height = self.image.size
        if width * height > MAX_PAGE_PIXELS or min(width, height) < 1:
            raise TooLarge
        bits = BITS.get(self.image.mode, 24)
        across, down = resolution(self.image.info.get("dpi"), width, height)
        flags = frozenset({"rotated"} if self.image.getexif().get(0x0112, 1) in {3, 5, 6, 7, 8} else ())
        upright = ImageOps.exif_transpose(self.image) or self.image
        if upright.size != (width, height):
            across, down = down, across
        pixels, dpi = square(as_seen(upright), across, down)
        return Sheet(number, pixels, dpi, bits, must_read=True, flags=flags)


def open_picture(source: BinaryIO, media_type: str) -> Picture:
    """Open a TIFF, JPEG or PNG.

    Raises:
        Closed: no page of it can be drawn.
    """
    return Picture(source, media_type)


def tiff_pages(source: BinaryIO) -> int:
    """Return how many pages the chain of a TIFF names: each once, at most one more than are taken in."""
    source.seek(0)
    head = source.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in {b"+\0", b"\0+"}
    seen: set[int] = set()
    count_format, entry, link = (order + "Q", 20, order + "Q") if big else (order + "H", 12, order + "I")
    try:
        at = struct.unpack_from(link, head, 8 if big else 4)[0]
        while at and at not in seen and len(seen) <= MAX_PAGES:
            seen.add(at)
            at = _next_page(source, at, count_format, entry, link)
    except (struct.error, OSError, OverflowError):
        pass
    return len(seen)


def _next_page(source: BinaryIO, at: int, count_format: str, entry: int, link: str) -> int:
    source.seek(at)
    (entries,) = struct.unpack(count_format, source.read(struct.calcsize(count_format)))
    source.seek(entries * entry, 1)
    following = source.read(struct.calcsize(link))
    return int(struct.unpack(link, following)[0]) if len(following) == struct.calcsize(link) else 0


def resolution(named: Any, width: int, height: int) -> tuple[float, float]:
    """Return dots per inch across and down: as the file says if that can be true, else as if it were A4."""
    try:
        across, down = (float(value) for value in named)
        believable = all(LEAST_DPI <= dpi <= MOST_DPI for dpi in (across, down))
        if believable and min(width / across, height / down) <= WIDEST_INCHES and not _is_screen(across, width, height):
            return across, down
    except (TypeError, ValueError, ZeroDivisionError):
        pass
    guess = min(MOST_DPI, max(LEAST_DPI, min(width, height) / A4_WIDTH_INCHES))
    return guess, guess


def _is_screen(dpi: float, width: int, height: int) -> bool:
    """72 and 96 are what cameras and drawing programs write when they know nothing."""
    return dpi in {72.0, 96.0} and min(width, height) / dpi > 1.5 * A4_WIDTH_INCHES


def square(page: Pixels, across: float, down: float) -> tuple[Pixels, float]:
    """Return the page with equal dpi both ways (fax pages have not), at most 200 dpi, small ones enlarged."""
    dpi = min(READ_DPI, max(across, down) * MOST_ENLARGED)
    height, width = page.shape[:2]
    wanted = (max(1, round(width * dpi / across)), max(1, round(height * dpi / down)))
    if wanted == (width, height):
        return page, dpi
    smaller = wanted[0] * wanted[1] < width * height
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(page, wanted, interpolation=way), dpi


def as_seen(image: Image.Image) -> Pixels:
    """Return gray or RGB pixels on white paper.

    Raises:
        OSError, ValueError: the picture is damaged.
    """
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.float32)
        top = 65535.0 if deep.max(initial=0) > 255 else 255.0  # noqa: PLR2004 - beyond 8 bits
        return np.asarray(np.clip(deep * (255.0 / top), 0, 255), np.uint8)
    if image.mode == "F":
        return _stretched(np.asarray(image))
    if image.mode == "LAB":
        colour: Pixels = cv2.cvtColor(np.asarray(image), cv2.COLOR_LAB2RGB)
        return colour
    if image.mode in {"LA", "PA", "RGBA", "RGBa", "La"} or "transparency" in image.info:
        layers = image.convert("RGBA")
        paper = Image.new("RGBA", layers.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, layers).convert("RGB")
    return np.asarray(image.convert("L" if image.mode in {"1", "L"} else "RGB"))


def _stretched(deep: Pixels) -> Pixels:
    finite = np.nan_to_num(deep.astype(np.float32))
    low, high = float(finite.min()), float(finite.max())
    return np.asarray((finite - low) * (255.0 / max(high - low, 1e-6)), np.uint8)
