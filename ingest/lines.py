"""The lines of a page as the eye sees them: rows, cut into the two columns of a dispatch's head.

A dispatch's head stands in two columns (agency and number on the left, motto, place and
date on the right). Readers run them together, so words are put into rows by their boxes
and cut at the motto's left edge, about 45 % of the width. A page without boxes gives
the lines of its text. Pure; linear in the page's length; bounded on hostile text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Final

from archive.rules.folding import fold
from archive.rules.page import Box, PageText, Word

LONGEST_LINE: Final = 400  # characters of a line that are looked at: a line of print has about 110
MOST_LINES: Final = 400  # of a page: dense print has about 90
MOST_TEXT: Final = 100_000  # characters of a page without boxes: dense print has about 6,000
USUAL_SPLIT: Final = 4500  # where the right column starts when the motto is not found, ten-thousandths of the width
ACROSS: Final = 1.414  # A4: a ten-thousandth of the height is so much longer than one of the width
_NEAR_SPLIT: Final = 1300
_CENTRE: Final = (4000, 6000)
_WIDE_GAP: Final = 1.4 * ACROSS  # of the row's height; a blank is 0.3

_APART: Final = 2 * ACROSS  # two stamps side by side, not two words

# The motto and its party counterpart, marks and a letter or two lost.
_MOTTO: Final = re.compile(
    r"c.{0,2}ng h.{1,2}a? ?x. h.i|xa hoi chu nghia|d.c l.p\b|tu do\s?[-.]{0,3}\s?hanh|dang cong san viet"
)
_DIRTY: Final = 40
_HOPELESS: Final = 15
_DIRT_BEFORE: Final = 3  # a sign or two before the motto
_LONGEST_MOTTO: Final = 48
_AFTER_TEXT: Final = re.compile(r"[^\n]*\n?")


class Column(StrEnum):
    """Where a line stands."""

    LEFT = "left"
    RIGHT = "right"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, the same folded (same length), and its words where they are known.

    `is_exact` says that it comes from the file's own text layer: nothing can be misread.
    """

    text: str
    folded: str
    page: int
    words: tuple[Word, ...] = ()
    column: Column = Column.FULL
    is_exact: bool = False

    @property
    def box(self) -> Box | None:
        """The box around all words, None when no box is known."""
        return around(self.words)

    def trimmed(self) -> "Line":
        """Return the line without the dirt at its ends: signs that are no letters, scraps no reader was sure of."""
        words = list(self.words)
        while len(words) > 1 and _is_dirt(words[0]):
            del words[0]
        while len(words) > 1 and _is_dirt(words[-1]):
            del words[-1]
        return self if len(words) == len(self.words) else _line(words, self.page, self.column, is_exact=self.is_exact)

    def parts(self) -> list["Line"]:
        """Return the line, and what stands far apart in it: stamps stand beside numbers and headings."""
        if len(self.words) < 2:  # noqa: PLR2004
            return [self]
        height = max(word.box[3] - word.box[1] for word in self.words)
        runs: list[list[Word]] = [[self.words[0]]]
        for before, after in pairwise(self.words):
            if after.box[0] - before.box[2] > _APART * height:
                runs.append([])
            runs[-1].append(after)
        return [self, *(_line(run, self.page, self.column, is_exact=self.is_exact) for run in runs if len(runs) > 1)]

    def words_in(self, start: int, end: int) -> tuple[Word, ...]:
        """Return the words that a stretch of the text touches."""
        found, at = [], 0
        for word in self.words:
            if at < end and start < at + len(word.text):
                found.append(word)
            at += len(word.text) + 1
        return tuple(found)

    def cut(self, start: int, end: int) -> "Line":
        """Return the part of this line between two offsets, at word boundaries where words are known."""
        if not self.words:
            return replace(self, text=self.text[start:end], folded=self.folded[start:end])
        return _line(self.words_in(start, end), self.page, self.column, is_exact=self.is_exact)


def is_motto(line: Line) -> bool:
    """Return whether a line is the motto of the state or of the party, and nothing else: laws name it in running text."""
    motto = _motto(line)
    return motto is not None and motto.start() <= _DIRT_BEFORE and len(line.text) <= _LONGEST_MOTTO


def _motto(line: Line) -> re.Match[str] | None:
    """Return where the motto stands in a line; it starts with capitals, in running text it does not."""
    motto = _MOTTO.search(line.folded)
    if not motto:
        return None
    capital = motto.start() + (motto[0][0] == "c")
    return motto if line.text[capital].isupper() or motto[0][0] not in "cd" else None


def around(words: Iterable[Word]) -> Box | None:
    """Return the box around the words, or None when they have none."""
    boxes = [word.box for word in words if word.box[2] > word.box[0]]
    if not boxes:
        return None
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def box_of(lines: Iterable[Line]) -> Box | None:
    """Return the box around several lines."""
    return around(word for line in lines for word in line.words)


def _is_dirt(word: Word) -> bool:
    return (word.confidence < _DIRTY and len(word.text) <= _DIRT_BEFORE) or not any(
        char.isalnum() for char in word.text
    )


def lines_of(page: PageText) -> list[Line]:
    """Return the page's lines from top to bottom, each in its column."""
    rows = _rows_of_words(page)
    if not rows:
        return [line for row in _text_lines(page) for line in _cut_at_motto(row)]
    split = _split_of(rows, page)
    return [line for row in _merged(rows) for line in _columns(row, split, page)]


def _text_lines(page: PageText) -> list[Line]:
    found = []
    for match in _AFTER_TEXT.finditer(page.text[:MOST_TEXT]):
        text = match[0][:LONGEST_LINE].strip()
        if text:
            found.append(Line(text, fold(text), page.number, is_exact=page.source == "layer"))
        if len(found) >= MOST_LINES:
            break
    return found


def _cut_at_motto(line: Line) -> list[Line]:
    motto = _motto(line)
    if not motto or motto.start() < _DIRT_BEFORE or len(line.text) > 2 * _LONGEST_MOTTO:
        return [line]
    left = replace(line, text=line.text[: motto.start()].rstrip(), folded=line.folded[: motto.start()].rstrip())
    return [left, replace(line, text=line.text[motto.start() :], folded=line.folded[motto.start() :])]


def _rows_of_words(page: PageText) -> list[list[Word]]:
    """Return the words with boxes, one list for each line of the page's own text, at most MOST_LINES."""
    rows: list[list[Word]] = []
    end = -1
    for word in page.words:
        if word.box[2] <= word.box[0] or not word.text.strip():
            continue
        if not rows or "\n" in page.text[end : word.start] or len(rows[-1]) >= LONGEST_LINE:
            if len(rows) >= MOST_LINES:
                break
            rows.append([])
        rows[-1].append(word)
        end = word.start + len(word.text)
    return rows


def _merged(rows: Sequence[list[Word]]) -> list[list[Word]]:
    """Put side by side what stands side by side: both columns, and numbers laid over a form."""
    merged: list[list[Word]] = []
    for row in sorted(rows, key=_middle):
        beside = next((other for other in merged[-3:] if _is_beside(other, row)), None)
        if beside is None:
            merged.append(list(row))
        else:
            _lay_into(beside, row)
    return merged


def _lay_into(row: list[Word], other: Iterable[Word]) -> None:
    """Put words between those of a row by their left edges; both keep their own order (a box may span two lines)."""
    at = 0
    for word in other:
        while at < len(row) and row[at].box[0] < word.box[0]:
            at += 1
        row.insert(at, word)
        at += 1


def _is_beside(one: Sequence[Word], other: Sequence[Word]) -> bool:
    height = min(line_height(one), line_height(other))
    if abs(_middle(one) - _middle(other)) > 0.5 * height:
        return False
    return not any(a.box[0] < b.box[2] - 20 and b.box[0] < a.box[2] - 20 for a in one[:40] for b in other[:40])


def _split_of(rows: Sequence[Sequence[Word]], page: PageText) -> int:
    """Return where the right column starts: the left edge of the motto, else the usual place."""
    edges = []
    for row in rows[:40]:
        line = _line(row, page.number, Column.FULL)
        motto = _motto(line)
        if motto and row[0].box[1] < 5000:  # noqa: PLR2004 - the upper half
            edges.append(min(word.box[0] for word in line.words_in(motto.start(), motto.end())))
    return max(2500, min(min(edges) - 60, 6500)) if edges else USUAL_SPLIT


def _columns(row: Sequence[Word], split: int, page: PageText) -> list[Line]:
    exact = page.source == "layer"
    at = _gap_at(row, split, page.number)
    if at is None:
        return [_line(row, page.number, _side(row, split), is_exact=exact)]
    left, right = row[:at], row[at:]
    return [
        _line(left, page.number, Column.LEFT, is_exact=exact),
        _line(right, page.number, Column.RIGHT, is_exact=exact),
    ]


def _gap_at(row: Sequence[Word], split: int, number: int) -> int | None:
    """Return the index of the first word of the right column, None when the row is of one piece."""
    line = _line(row, number, Column.FULL)
    motto = _motto(line)
    if motto and motto.start() >= _DIRT_BEFORE and row[0].box[1] < 5000:  # noqa: PLR2004 - as above
        return len(row) - len(line.words_in(motto.start(), len(line.text)))
    least = _WIDE_GAP * line_height(row)
    gaps = [
        (after.box[0] - before.box[2], at)
        for at, (before, after) in enumerate(pairwise(row), 1)
        if abs((before.box[2] + after.box[0]) / 2 - split) < _NEAR_SPLIT
    ]
    width, at = max(gaps, default=(0, 0))
    return at if width >= least else None


def _side(row: Sequence[Word], split: int) -> Column:
    left, right = row[0].box[0], row[-1].box[2]
    centre = (left + right) // 2
    if left < split - 500 and right > split + 500:
        return Column.FULL
    if centre < _CENTRE[0]:
        return Column.LEFT
    return Column.RIGHT if centre > _CENTRE[1] else Column.FULL


def _line(words: Sequence[Word], number: int, column: Column, *, is_exact: bool = False) -> Line:
    kept, length = [], 0
    for word in words:
        length += len(word.text) + 1
        if length > LONGEST_LINE:
            break
        kept.append(word)
    text = " ".join(word.text for word in kept)
    return Line(text, fold(text), number, tuple(kept), column, is_exact)


def _middle(row: Sequence[Word]) -> float:
    return median((word.box[1] + word.box[3]) / 2 for word in row[:40])


def line_height(row: Sequence[Word]) -> float:
    """Return the middle height of words that stand side by side, in ten-thousandths of the page's height."""
    return median(word.box[3] - word.box[1] for word in row[:40]) or 1
