"""Pages of a dispatch as a PDF: each drawn under the watermark, with level and copy number above and below it.

One page is held in memory at a time. The words are Vietnamese, as on every paper here.
"""

import io
from collections.abc import Iterator
from functools import cache
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

from archive import watermark
from archive.printing.paper import TONGUE
from archive.rules.levels import Level

SHEET: Final = (1240, 1754)  # A4 at 150 dots to the inch
EDGE: Final = 88  # dots above and below the page, for the marking
DPI: Final = 150
SIDE: Final = 60


Stored = tuple[int, bytes, tuple[int, int]]  # number, JPEG, and the size in pixels that its row says


def record_pages(
    sheets: Iterator[Stored], *, mark: watermark.Mark, level: Level, stamp: watermark.Stamp | None = None
) -> bytes:
    """Return stored pages as one PDF under the mark of a copy and the stamp of a declassified one; outside transactions."""
    with translation.override(TONGUE):
        said = f"{mark.copy} · {mark.name} · {mark.at:%d/%m/%Y %H:%M}"
        head = f"{str(level.label).upper()} · {said}" if level > Level.THUONG else said
        drawn = (_sheet(stored, mark, stamp, head) for stored in sheets)
        out = io.BytesIO()
        next(drawn).save(out, "PDF", save_all=True, append_images=drawn, resolution=DPI, quality=watermark.QUALITY)
    return out.getvalue()


def _sheet(stored: Stored, mark: watermark.Mark, stamp: watermark.Stamp | None, head: str) -> Image.Image:
    number, picture, size = stored
    page = Image.open(io.BytesIO(watermark.drawn(picture, mark, stamp=stamp, size=size)), formats=["JPEG"]).convert(
        "RGB"
    )
    page.thumbnail((SHEET[0] - 2 * SIDE, SHEET[1] - 2 * EDGE))
    sheet = Image.new("RGB", SHEET, "white")
    sheet.paste(page, ((SHEET[0] - page.width) // 2, EDGE))
    pen, middle = ImageDraw.Draw(sheet), SHEET[0] // 2
    pen.text((middle, EDGE // 2), head, font=_font(), fill="black", anchor="mm")
    foot = _("page %(n)s") % {"n": number}
    pen.text((middle, SHEET[1] - EDGE // 2), f"{head} · {foot}", font=_font(), fill="black", anchor="mm")
    return sheet


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(watermark.FONT, 22)
