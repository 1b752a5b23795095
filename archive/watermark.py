"""The mark over a page - who looked or printed, when, under which copy number - and the stamp of a declassified one.

Drawn anew into each picture that leaves the office and never into the stored one. It
repeats so closely that every quarter cut from a page of reading size holds it whole;
pale on white, and lighter than black, so that what is printed under it stays readable.
Knows no rows and decides nothing.

The picture was encoded in the cell that read the file. It is opened here as JPEG and as
nothing else, and only when it has the size that its row says.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Final

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageDraw, ImageFont

from archive.rules.errors import Refusal

FONT: Final = "Arimo-Regular.ttf"  # fonts-croscore (config/packages.txt): every Vietnamese letter
SMALLEST: Final = 100  # pixels across; below, no letter could be read, and no page either
READING: Final = 480  # from here on a page can be read, and a quarter of it holds the whole mark
ANGLE: Final = 24  # degrees: no line of a page and no stamp lies so
STRENGTH: Final = 96  # of 255
TONE: Final = 105  # of 255: darker than paper, lighter than ink
QUALITY: Final = 80
ROUGHLY: Final = 32  # pixels
LONGEST_LINE: Final = 22  # letters
INK: Final = (196, 18, 24)  # of the stamp pad


class WrongPicture(Refusal):
    """PIC-001: the stored picture is no JPEG of the size that its row says."""

    code = "PIC-001"
    message = _(
        "The picture of this page is not what was stored, and is not shown. Tell the administrator: manage.py scrub says "
        "what is damaged and brings it back from a backup. The original file may still open."
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands over a page."""

    name: str
    at: datetime
    copy: str  # number of the copy and key of the dispatch

    @property
    def lines(self) -> tuple[str, ...]:
        """The mark in short lines: a long name takes two."""
        return (*_broken(self.name), f"{self.at:%d/%m/%Y %H:%M}", self.copy)


def _broken(name: str) -> list[str]:
    """Return a name in lines; what two lines cannot hold is drawn smaller."""
    words, first = name.split(), ""
    if len(name) <= LONGEST_LINE:
        return [name]
    while words and len(f"{first} {words[0]}") <= LONGEST_LINE:
        first = f"{first} {words.pop(0)}".strip()
    return [line for line in (first, " ".join(words)) if line]


@dataclass(frozen=True, slots=True)
class Stamp:
    """The stamp of a declassified dispatch: its word, the decision and its day, each a line."""

    word: str
    lines: tuple[str, ...]


def drawn(
    picture: bytes, mark: Mark | None, *, stamp: Stamp | None = None, size: tuple[int, int] | None = None
) -> bytes:
    """Return a JPEG with mark and stamp over it; one too small to be read comes back as it is.

    Args:
        picture: the stored JPEG.
        mark: who, when, which copy; None where pages are not marked.
        stamp: of a declassified dispatch.
        size: width and height in pixels that it must have; None where no row says them.

    Raises:
        WrongPicture: it is not what its row says.
    """
    try:
        page = Image.open(io.BytesIO(picture), formats=["JPEG"])
    except OSError as fault:
        raise WrongPicture from fault
    if size is not None and page.size != size:
        raise WrongPicture
    if page.width < SMALLEST or (mark is None and stamp is None):
        return picture
    if page.mode not in {"L", "RGB"} or stamp is not None:
        page = page.convert("RGB")  # type: ignore[assignment]
    if mark is not None:
        _mark(page, mark)
    if stamp is not None:
        _stamp(page, stamp)
    out = io.BytesIO()
    page.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _mark(page: Image.Image, mark: Mark) -> None:
    # Scans of one sheet differ by a few points: one drawing of the words serves them all.
    width, height = (-(-side // ROUGHLY) * ROUGHLY for side in page.size)
    words, tone = _tile(mark.lines, width, height), TONE if page.mode == "L" else (TONE, TONE, TONE)
    for place in _places(width, height):
        page.paste(tone, place, words)


def _stamp(page: Image.Image, stamp: Stamp) -> None:
    """Draw a stamp into the top margin at the left, in the red of its ink, with a frame; on a small page its word alone."""
    pen, wide = ImageDraw.Draw(page), page.width
    is_small = wide < READING
    head = ImageFont.truetype(FONT, max(int(wide * (0.08 if is_small else 0.024)), 8))
    rest = ImageFont.truetype(FONT, max(int(wide * 0.012), 8))
    lines = [(stamp.word, head), *((line, rest) for line in (() if is_small else stamp.lines))]
    boxes = [pen.textbbox((0, 0), line, font=font) for line, font in lines]
    gap = max(wide // 250, 2)
    across = max(box[2] - box[0] for box in boxes) + 4 * gap
    down = sum(box[3] - box[1] for box in boxes) + gap * (len(lines) + 3)
    left, top = wide // 25, max(page.height // 140, 2)
    pen.rectangle((left, top, left + across, top + down), outline=INK, width=max(wide // 500, 1))
    below: float = top + 2 * gap
    for (line, font), box in zip(lines, boxes, strict=True):
        pen.text((left + (across - box[2] + box[0]) // 2 - box[0], below - box[1]), line, font=font, fill=INK)
        below += box[3] - box[1] + gap


def _room(width: int, height: int) -> tuple[float, float, float, float]:
    """Return the room of one mark (across, down) and the step to the next one, in pixels."""
    if width < READING:
        return width * 0.9, height * 0.4, width, height / 2
    # A window of half the width and half the height holds a mark whole when room and step together are not longer;
    # 0.46 and not 0.5, because the page may be up to ROUGHLY points smaller than it is taken for.
    return width * 0.23, height * 0.23, width * 0.23, height * 0.23


def _places(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield where the marks of a page stand."""
    _across, _down, right, below = _room(width, height)
    for row, column in product(range(int(height / below) + 1), range(int(width / right) + 1)):
        yield int(column * right), int(row * below)


@lru_cache(maxsize=8)
def _tile(lines: tuple[str, ...], width: int, height: int) -> Image.Image:
    """Return the words as a mask, slanted, as large as the room allows: each value is how far a point goes towards the tone."""
    across, down, _right, _below = _room(width, height)
    if width < READING:
        lines = lines[:1] + lines[-1:]
    size = max(int(down) // 3, 8)
    words = _words(lines, size)
    longest = max(words.width / across, words.height / down)
    return words if longest <= 1 else _words(lines, max(int(size / longest), 6))


def _words(lines: tuple[str, ...], size: int) -> Image.Image:
    font, text = ImageFont.truetype(FONT, size), "\n".join(lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    flat = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(flat).multiline_text((2 - left, 2 - top), text, font=font, fill=STRENGTH, align="center")
    return flat.rotate(ANGLE, resample=Image.Resampling.BILINEAR, expand=True)
