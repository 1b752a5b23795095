"""Put the words of a text layer into reading order: rows from top to bottom, column by column. Pure.

A layer is written in any order; what was set in last (a number, a date) may stand first
on the page. Rows are made by where words stand; the order in which they were written
only tells the two columns of a head apart. `ingest.layout` does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ingest import layout

WHOLE: Final = 10_000
APART: Final = 0.7  # line heights between words of two columns; a number set in later stands closer
RIGHT_BEGINS: Final = 3_500  # no right column of a head begins further left
GUTTER: Final = (0.3, 0.7)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """One word of the layer; `box` in ten-thousandths as shown, not clipped to the page."""

    text: str
    box: Box
    font: str = ""
    is_drawn: bool = True  # False: render mode 3 or 7, never meant to be seen
    order: int = 0  # its place among the words as they were written


def pieces(words: Sequence[Found], shape: float) -> list[layout.Piece]:
    """Return words as rows of pieces from top to bottom, column by column where the body has two."""
    rows = _rows(words)
    gutter = _gutter(rows)
    made: list[layout.Piece] = []
    block = 0
    for column, part in enumerate(_parted(rows, gutter)):
        last_bottom = None
        for number, row in enumerate(part):
            top, bottom = min(word.box[1] for word in row), max(word.box[3] for word in row)
            if last_bottom is not None and top - last_bottom > 0.6 * (bottom - top):
                block += 1
            last_bottom = bottom
            cuts = _cuts(row, shape)
            made += [
                layout.Piece(word.text, _clipped(word.box), 100, block, (column, number, cut))
                for word, cut in zip(row, cuts, strict=True)
            ]
        block += 1
    return made


def _cuts(row: Sequence[Found], shape: float) -> list[int]:
    """Return which part of a row of the head each word is in: the two columns were written one after the other."""
    part, parts = 0, [0]
    for before, word in pairwise(row):
        high = min(before.box[3] - before.box[1], word.box[3] - word.box[1])
        gap = (word.box[0] - before.box[2]) / shape
        in_head = word.box[1] < layout.HEAD_ENDS and word.box[0] > RIGHT_BEGINS
        if in_head and gap > APART * high and word.order != before.order + 1:
            part += 1
        parts.append(part)
    return parts


def _rows(words: Sequence[Found]) -> list[list[Found]]:
    """Put words that stand side by side into rows."""
    rows: list[list[Found]] = []
    middle, half = 0.0, 0.0
    for word in sorted(words, key=lambda each: each.box[1] + each.box[3]):
        here, high = (word.box[1] + word.box[3]) / 2, (word.box[3] - word.box[1]) / 2
        if rows and here - middle <= 0.7 * min(half, high * 2):
            rows[-1].append(word)
        else:
            rows.append([word])
            middle, half = here, high
    return [sorted(row, key=lambda each: each.box[0]) for row in rows]


def _gutter(rows: Sequence[Sequence[Found]]) -> float | None:
    """Return where a body of two columns is parted, in ten-thousandths of the width; None for one column."""
    if len(rows) < 20:  # noqa: PLR2004 - a short page is read across
        return None
    fields = np.zeros(100)
    for row in rows:
        taken = np.zeros(100, bool)
        for word in row:
            taken[int(max(0, word.box[0]) / 100) : int(word.box[2] / 100) + 1] = True
        fields += taken
    first, last = int(GUTTER[0] * 100), int(GUTTER[1] * 100)
    inner = fields[first:last]
    least = int(inner.argmin())
    if inner[least] > 0.15 * len(rows):
        return None
    at = (first + least) * 100 + 50
    both = [row for row in rows if _side(row, at, left=True) and _side(row, at, left=False)]
    return float(at) if len(both) > 0.6 * len(rows) else None


def _side(row: Sequence[Found], at: float, *, left: bool) -> bool:
    return sum((word.box[2] <= at) if left else (word.box[0] >= at) for word in row) >= 3  # noqa: PLR2004 - words


def _parted(rows: list[list[Found]], gutter: float | None) -> list[list[list[Found]]]:
    if gutter is None:
        return [rows]
    left = [[word for word in row if word.box[2] <= gutter] for row in rows if not _crosses(row, gutter)]
    right = [[word for word in row if word.box[2] > gutter] for row in rows if not _crosses(row, gutter)]
    across = [row for row in rows if _crosses(row, gutter)]
    return [[row for row in part if row] for part in (across, left, right)]


def _crosses(row: Sequence[Found], gutter: float) -> bool:
    return any(word.box[0] < gutter < word.box[2] for word in row)


def _clipped(box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = (min(WHOLE, max(0, round(edge))) for edge in box)
    return left, top, right, bottom
