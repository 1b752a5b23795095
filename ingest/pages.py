"""A file becomes pages: one image, one thumbnail, and its own text or pixels to be read.

Runs in the cell, as the job `draw`. It never runs, follows or unpacks what a file
carries: active content is named in the flags and stays inert. Every size is bounded
before anything is decoded; a page that cannot be drawn is named and passed over, it
does not stop the file. Drivers: `pdf_file` for PDF, `pictures` for TIFF, JPEG, PNG.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, Protocol

import cv2
import numpy as np

from archive.rules.page import PageText
from archive.rules.sizes import MAX_PAGES
from ingest import pdf_file, pictures, stamps
from ingest.sheets import (
    BROKEN,
    DRAW_DPI,
    READ_DPI,
    TOO_MANY_PIXELS,
    Closed,
    Facts,
    Pixels,
    Sheet,
    TooLarge,
    raise_if_of_the_machine,
)

TOO_LARGE: Final = "too many pixels"
IMAGE_QUALITY: Final = 80
THUMB_WIDTH: Final = 180
THUMB_QUALITY: Final = 70
BLANK_SPREAD: Final = 12  # levels between the lightest and darkest point of a thumbnail: paper alone
LEAST_DPI: Final = 70  # coarser pages are named as this: measuring stamps on them would blow them up
NO_COLOUR: Final = 6  # levels between channels: rounding

Frame = tuple[dict[str, Any], tuple[bytes | memoryview, ...]]


class Source(Protocol):
    """An opened file."""

    facts: Facts

    def sheet(self, number: int) -> Sheet:
        """Draw one page, 1-based."""


def warm() -> None:
    """Load what the job needs, before any file is there."""
    pdf_file.warm()
    pictures.warm()
    stamps.look(np.full((400, 300, 3), 255, np.uint8), dpi=100)
    cv2.setNumThreads(1)


def draw(source: BinaryIO | None, args: dict[str, Any]) -> Iterator[Frame]:
    """Yield a frame about the file, then one frame for each page that could be drawn.

    Args:
        source: the file.
        args: "type", the media type; "first" and "last", 1-based pages, when only some are wanted.

    Yields:
        {"kind": "file", "pages", "type", "flags", "signatures", "refusal", "parameters"}: a refusal is a code of
        ingest.outcomes and nothing follows. {"kind": "page", ...} as `page_frame` says. {"kind": "unread", "number",
        "why"} for a page that could not be drawn.
    """
    if source is None:
        raise ValueError("draw needs a file")
    media_type = str(args["type"])
    try:
        opened = _open(source, media_type)
    except Closed as closed:
        yield _file_frame(media_type, closed.facts, closed.code, closed.parameters), ()
        return
    facts = opened.facts
    if facts.pages > MAX_PAGES:
        limit = {"pages": facts.pages, "limit": MAX_PAGES}
        yield _file_frame(media_type, facts, "ING-007", limit), ()
        return
    wanted = range(int(args.get("first", 1)), min(int(args.get("last") or facts.pages), facts.pages) + 1)
    if facts.pages == 1 and (first := _page(opened, 1))[0]["kind"] == "unread":
        why = first[0]["why"]
        yield _file_frame(media_type, facts, TOO_MANY_PIXELS if why == TOO_LARGE else BROKEN, {"why": why}), ()
        return
    yield _file_frame(media_type, facts, "", {}), ()
    for number in wanted:
        yield first if facts.pages == 1 else _page(opened, number)


def _open(source: BinaryIO, media_type: str) -> Source:
    if media_type == "application/pdf":
        return pdf_file.open_pdf(source)
    return pictures.open_picture(source, media_type)


def _file_frame(media_type: str, facts: Facts, refusal: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "file",
        "type": media_type,
        "pages": facts.pages,
        "flags": sorted(facts.flags),
        "signatures": facts.signatures,
        "refusal": refusal,
        "parameters": parameters,
    }


def _page(opened: Source, number: int) -> Frame:
    try:
        return page_frame(opened.sheet(number))
    except TooLarge:
        return {"kind": "unread", "number": number, "why": TOO_LARGE}, ()
    except Exception as fault:  # noqa: BLE001 - one bad page must not take the others with it
        raise_if_of_the_machine(fault)
        return {"kind": "unread", "number": number, "why": type(fault).__name__}, ()


def page_frame(sheet: Sheet) -> Frame:
    """Return the frame of one page.

    The head says: number; width, height (pixels of the image), dpi; image, thumb, pixels (bytes of each part of the
    blob, in this order); pixels_width, pixels_height, pixels_dpi; layer (PageText in its stored form, or null); fonts;
    bits (1, 8 or 24 of the original; gray stored as colour is 8); stamps (only where nothing is left to be read); flags. `pixels` is 0 when the
    text layer is good or the page is blank.
    """
    page = without_empty_colour(sheet.pixels)
    shown = _at(page, sheet.dpi, DRAW_DPI)
    small = _to_width(shown, THUMB_WIDTH)
    image, thumb = _jpeg(shown, IMAGE_QUALITY), _jpeg(small, THUMB_QUALITY)
    pixels = _in_colour(_at(page, sheet.dpi, READ_DPI)) if sheet.must_read and not is_blank(small) else None
    height, width = shown.shape[:2]
    head: dict[str, Any] = {
        "kind": "page",
        "number": sheet.number,
        "width": width,
        "height": height,
        "dpi": round(min(sheet.dpi, DRAW_DPI)),
        "layer": _stored(sheet.layer),
        "fonts": list(sheet.fonts),
        "flags": sorted(sheet.flags),
        "bits": bits_of(sheet.bits, page),
        "stamps": _stamps(sheet, page) if pixels is None else [],
        "image": len(image),
        "thumb": len(thumb),
        "pixels": 0,
    }
    if pixels is None:
        return head, (image, thumb)
    head |= {
        "pixels": pixels.nbytes,
        "pixels_width": pixels.shape[1],
        "pixels_height": pixels.shape[0],
        "pixels_dpi": round(max(LEAST_DPI, min(sheet.dpi, READ_DPI))),
    }
    return head, (image, thumb, np.ascontiguousarray(pixels).data.cast("B"))


def _stamps(sheet: Sheet, page: Pixels) -> list[dict[str, Any]]:
    """Look for stamps on a page that nobody will read by its pixels.

    A page of text alone has none to look for: its words are in the layer. A page too large to be drawn finely enough
    is one that a machine cannot clear.
    """
    if page.ndim == 2 and not sheet.has_pictures:  # noqa: PLR2004
        return []
    return stamps.look(_in_colour(page), dpi=round(sheet.dpi), bits=sheet.bits if sheet.dpi >= LEAST_DPI else 1)


def bits_of(stored: int, page: Pixels) -> int:
    """Return 8 for a page stored in colour that has none: there a stamp cannot be told from print by its ink."""
    return 8 if stored > 8 and page.ndim == 2 else stored  # noqa: PLR2004


def _stored(layer: PageText | None) -> str | None:
    return layer.to_bytes().decode() if layer else None


def is_blank(small: Pixels) -> bool:
    """Say whether there is nothing on a page but paper, by its thumbnail."""
    return int(small.max()) - int(small.min()) < BLANK_SPREAD


def _at(page: Pixels, dpi: float, wanted: float) -> Pixels:
    """Return the page shrunk to a resolution; never enlarged."""
    if dpi <= wanted:
        return page
    return _to_width(page, max(1, round(page.shape[1] * wanted / dpi)))


def _to_width(page: Pixels, width: int) -> Pixels:
    height = max(1, round(page.shape[0] * width / page.shape[1]))
    # Down to two thirds nothing is lost by the quick way, which costs a tenth.
    way = cv2.INTER_LINEAR if width > 0.6 * page.shape[1] else cv2.INTER_AREA
    return cv2.resize(page, (width, height), interpolation=way)


def _in_colour(page: Pixels) -> Pixels:
    return page if page.ndim == 3 else np.repeat(page[:, :, None], 3, axis=2)  # noqa: PLR2004 - rows, columns, channels


def without_empty_colour(page: Pixels) -> Pixels:
    """Return gray pixels for a page without colour: a smaller image that looks the same."""
    if page.ndim == 2:  # noqa: PLR2004
        return page
    sample = page[::3, ::3]
    spread = int((sample.max(axis=2) - sample.min(axis=2)).max())
    return page if spread > NO_COLOUR else np.ascontiguousarray(page[:, :, 1])


def _jpeg(page: Pixels, quality: int) -> bytes:
    turned = cv2.cvtColor(page, cv2.COLOR_RGB2BGR) if page.ndim == 3 else page  # noqa: PLR2004
    done, stored = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("page image")
    return bytes(stored)
