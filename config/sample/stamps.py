"""Ink on paper, as SVG: secrecy and urgency stamps, the "ĐẾN" stamp, the round seal, a signature, written digits.

All measures are millimetres. Frames are 20, 30 or 40 x 8 mm (decree 30/2020/ND-CP, annex I).
Seal and handwriting are outlines, never text: ink over a page is not part of what the page says.
"""

import math
from functools import cache
from random import Random
from typing import Final

from fontTools.pens.svgPathPen import SVGPathPen  # type: ignore[import-untyped]
from fontTools.pens.transformPen import TransformPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from PIL import ImageFont

from archive.rules.levels import Level, Urgency

RED: Final = "#d4121a"
VIOLET: Final = "#4a3aa8"
BLUE: Final = "#1c3fa6"
HEIGHT_MM: Final = 8
LEVEL_STAMPS: Final = {Level.MAT: ("MẬT", 20), Level.TOI_MAT: ("TỐI MẬT", 30)}
URGENCY_STAMPS: Final = {
    Urgency.KHAN: ("KHẨN", 20),
    Urgency.THUONG_KHAN: ("THƯỢNG KHẨN", 40),
    Urgency.HOA_TOC: ("HỎA TỐC", 30),
}
Point = tuple[float, float]

# One stroke list per digit on a 6 x 10 grid, y down, as a hand draws it.
STROKES: Final[dict[str, tuple[tuple[Point, ...], ...]]] = {
    "0": (((3, 0), (0.6, 3), (0.8, 8), (3, 10), (5.2, 7), (5, 2), (3, 0)),),
    "1": (((1.2, 2.4), (3.4, 0), (3.0, 5), (2.8, 10)),),
    "2": (((0.6, 2.4), (2.4, 0), (5, 1.6), (3.6, 5.4), (0.4, 9.8), (3, 9.2), (5.8, 9.6)),),
    "3": (((0.8, 0.8), (3.4, 0), (4.8, 2.2), (2.4, 4.6), (5, 6.8), (3.6, 9.6), (0.4, 9)),),
    "4": (((3.2, 0), (0.4, 6.4), (5.8, 6)), ((4.2, 3.6), (3.8, 10))),
    "5": (((1.6, 0.4), (1, 4.4), (3.6, 4), (5, 6.6), (3.6, 9.6), (0.6, 9.2)), ((1.6, 0.4), (5.2, 0))),
    "6": (((4.6, 0), (1.4, 4), (0.8, 8), (3, 10), (5, 8), (3.6, 5.6), (1, 7.2)),),
    "7": (((0.4, 0.6), (5.4, 0.2), (3.4, 5), (2.4, 10)),),
    "8": (((4.8, 1.6), (2.6, 0), (1, 2.2), (4.6, 6.4), (3, 10), (0.8, 7.8), (4.8, 1.6)),),
    "9": (((4.8, 2.6), (2.4, 0.2), (1, 3), (3.2, 5), (4.8, 2.6), (4.4, 6), (3, 10)),),
    "/": (((4.8, 0), (1.2, 10.4)),),
}


def box(word: str, width: int, *, rng: Random) -> str:
    """Return one red stamp: a single frame with its word, tilted by up to two degrees."""
    tilt = rng.uniform(-2.0, 2.0)
    return (
        f'<svg class="box" width="{width}mm" height="{HEIGHT_MM}mm" viewBox="0 0 {width} {HEIGHT_MM}">'
        f'<g transform="rotate({tilt:.2f} {width / 2} 4)">'
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="7" fill="none" stroke="{RED}" stroke-width="0.55"/>'
        f'<text x="{width / 2}" y="5.75" text-anchor="middle" font-family="Tinos" font-weight="bold"'
        f' font-size="4.9" fill="{RED}">{word}</text></g></svg>'
    )


def arrival(organ: str, written_on: str, *, colour: str, rng: Random) -> str:
    """Return the 50 x 35 mm "ĐẾN" stamp. Only the day is written: the number comes from the register."""
    rows = ("Số:", "Ngày:", "Chuyển:", "Số và ký hiệu HS:")
    lines = "".join(
        f'<text x="3" y="{17 + 4.9 * index}" font-size="3.7">{row}</text>'
        f'<line x1="{5 + 1.7 * len(row)}" x2="47" y1="{17.4 + 4.9 * index}" y2="{17.4 + 4.9 * index}"'
        f' stroke="{colour}" stroke-width="0.25" stroke-dasharray="0.4 0.7"/>'
        for index, row in enumerate(rows)
    )
    return (
        '<svg class="arrival" width="50mm" height="35mm" viewBox="-1 -1 52 37">'
        f'<g transform="rotate({rng.uniform(-3, 3):.2f} 25 17)" font-family="Tinos" fill="{colour}" stroke="none">'
        f'<rect x="0" y="0" width="50" height="35" fill="none" stroke="{colour}" stroke-width="0.6"/>'
        f'<text x="25" y="5.2" text-anchor="middle" font-size="3.3" font-weight="bold">{organ}</text>'
        '<text x="25" y="11.8" text-anchor="middle" font-size="6.2" font-weight="bold">ĐẾN</text>'
        f"{lines}{written(written_on, 17, 17.9, rng=rng)}</g></svg>"
    )


def written(text: str, left: float, top: float, *, rng: Random) -> str:
    """Return digits and strokes written by hand, 4 mm high, starting at a point."""
    marks = []
    for index, sign in enumerate(text):
        at = left + index * 2.9
        for stroke in STROKES[sign]:
            points = [
                (at + x * 0.36 + rng.uniform(-0.12, 0.12), top + y * 0.4 + rng.uniform(-0.15, 0.15)) for x, y in stroke
            ]
            marks.append(_pen(_smooth(points), 0.38))
    return "".join(marks)


def signed(organ: str, signer: str, *, rng: Random) -> str:
    """Return a signature and, over its left third, the round red seal of 36 mm of the body named.

    One person always signs alike, but never twice the same.
    """
    return (
        '<svg class="signed" width="76mm" height="38mm" viewBox="0 0 76 38">'
        f"{_pen(_signature(signer, rng), 0.5)}"
        f'<g transform="translate(0 {rng.uniform(-1.4, 1.4):.2f}) rotate({rng.uniform(-9, 9):.2f} 19 19)" opacity="0.86">'
        f"{_seal(organ)}</g></svg>"
    )


def _signature(signer: str, rng: Random) -> str:
    """Return a path like a quick name: a tall first letter, running loops, a stroke back under it."""
    hand = Random(signer)  # noqa: S311 - a sample, not a secret
    points: list[Point] = [(27, 25), (31, hand.uniform(5, 10)), (33.5, hand.uniform(11, 17)), (30, 27), (34, 21)]
    across, slant = 36.0, hand.uniform(0.2, 2.6)
    for _ in range(hand.randint(2, 7)):
        low, high = hand.uniform(19, 23), hand.uniform(9, 19)
        points += [(across + slant, high), (across + 1.6, low), (across + hand.uniform(-0.6, 0.8), low + 0.8)]
        across += hand.uniform(2.4, 5.2)
    tail = hand.uniform(across + 6, 72)
    points.append((tail, hand.uniform(8, 18)))
    if hand.random() < 0.6:  # noqa: PLR2004 - about half of all people underline their name
        points += [(across + 4, 26), (30, hand.uniform(26, 29)), (tail - 6, hand.uniform(24, 27))]
    return _smooth([(x + rng.uniform(-0.4, 0.4), y + rng.uniform(-0.4, 0.4)) for x, y in points])


def _seal(organ: str) -> str:
    star = "".join(f"{_polar(19, 16.2, 3.4 if k % 2 == 0 else 1.3, k * 36 - 90)} " for k in range(10))
    rings = "".join(
        f'<circle cx="19" cy="19" r="{r}" fill="none" stroke="{RED}" stroke-width="{w}"/>'
        for r, w in ((17.6, 0.7), (16.9, 0.25), (11, 0.35))
    )
    ring = _around(organ, radius=12.5, size=2.9)
    word = _straight("MẪU", centre=19, baseline=26, size=4.2)
    return f'{rings}<polygon points="{star}" fill="{RED}"/><path d="{ring} {word}" fill="{RED}"/>'


def _polar(cx: float, cy: float, radius: float, degrees: float) -> str:
    turn = math.radians(degrees)
    return f"{cx + radius * math.cos(turn):.2f},{cy + radius * math.sin(turn):.2f}"


def _around(text: str, *, radius: float, size: float) -> str:
    """Return the outlines of a text that runs clockwise round the seal, centred at its top."""
    scale = size / _face().unit
    widths = [_face().width(sign) * scale for sign in text]
    room = 2 * math.pi * radius * 0.86
    spread = min(1.35, room / sum(widths))
    angle = -sum(widths) * spread / radius / 2
    parts = []
    for sign, width in zip(text, widths, strict=True):
        middle = angle + width * spread / radius / 2
        cos, sin = math.cos(middle), math.sin(middle)
        left = -width / 2
        matrix = (
            scale * cos,
            scale * sin,
            scale * sin,
            -scale * cos,
            19 + left * cos + radius * sin,
            19 + left * sin - radius * cos,
        )
        parts.append(_face().outline(sign, matrix))
        angle += width * spread / radius
    return " ".join(parts)


def _straight(text: str, *, centre: float, baseline: float, size: float) -> str:
    scale = size / _face().unit
    left = centre - sum(_face().width(sign) for sign in text) * scale / 2
    parts = []
    for sign in text:
        parts.append(_face().outline(sign, (scale, 0, 0, -scale, left, baseline)))
        left += _face().width(sign) * scale
    return " ".join(parts)


def _smooth(points: list[Point]) -> str:
    """Return an SVG path through all points (Catmull-Rom, written as cubic curves)."""
    ends = [points[0], *points, points[-1]]
    parts = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        parts.append(
            f"C{bx + (cx - ax) / 6:.2f} {by + (cy - ay) / 6:.2f} "
            f"{cx - (dx - bx) / 6:.2f} {cy - (dy - by) / 6:.2f} {cx:.2f} {cy:.2f}"
        )
    return "".join(parts)


def _pen(path: str, width: float) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{BLUE}" stroke-width="{width}"'
        ' stroke-linecap="round" stroke-linejoin="round"/>'
    )


class _Face:
    """The outlines of Tinos Bold, found by its file name in the system's font folders."""

    def __init__(self) -> None:
        font = TTFont(ImageFont.truetype("Tinos-Bold.ttf").path)
        self._glyphs = font.getGlyphSet()
        self._names = font.getBestCmap()
        self.unit = int(font["head"].unitsPerEm)

    def width(self, sign: str) -> float:
        return float(self._glyphs[self._names[ord(sign)]].width)

    def outline(self, sign: str, matrix: tuple[float, float, float, float, float, float]) -> str:
        pen = SVGPathPen(self._glyphs, ntos=lambda number: f"{number:.2f}")
        self._glyphs[self._names[ord(sign)]].draw(TransformPen(pen, matrix))
        return str(pen.getCommands())


@cache
def _face() -> _Face:
    return _Face()
