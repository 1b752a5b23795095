"""Put the words of one page in reading order: header and foot by column, the rest as it stands.

The head of a dispatch is two columns side by side (agency and number | motto, place
and date), its foot too (recipients | signature). A reader of fields needs each block
whole, so lines that run across both are cut at the gap. Pure: no pixels, no Django.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from archive.rules.folding import fold
from archive.rules.page import Box, PageText, Word

GAP: Final = 2.2  # line heights of empty paper that part two columns; justified text stays below 1.5
SAME_ROW: Final = 0.5  # of a line's height
HEAD_ENDS: Final = 3_800  # ten-thousandths of the page: the two-column head never reaches further down
_MIDDLE: Final = (4_000, 5_600)


@dataclass(frozen=True, slots=True)
class Piece:
    """One word as the reader gave it, its box on the page, and the block and line it was found in."""

    text: str
    box: Box
    confidence: int
    block: int
    line: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand side by side."""

    pieces: tuple[Piece, ...]

    @property
    def left(self) -> int:
        """The left edge."""
        return self.pieces[0].box[0]

    @property
    def right(self) -> int:
        """The right edge."""
        return max(piece.box[2] for piece in self.pieces)

    @property
    def top(self) -> int:
        """The middle of the upper edges: one tall piece of dirt must not lift the line."""
        tops = sorted(piece.box[1] for piece in self.pieces)
        return tops[len(tops) // 2]

    @property
    def centre(self) -> int:
        """The middle of the words' middles: a dash has no top to go by."""
        centres = sorted(piece.box[1] + piece.box[3] for piece in self.pieces)
        return centres[len(centres) // 2] // 2

    @property
    def height(self) -> int:
        """The middle height of its words."""
        heights = sorted(piece.box[3] - piece.box[1] for piece in self.pieces)
        return max(1, heights[len(heights) // 2])

    @property
    def text(self) -> str:
        """The words with single blanks."""
        return " ".join(piece.text for piece in self.pieces)


def page_text(pieces: Iterable[Piece], *, number: int, shape: float, flags: Sequence[str] = ()) -> PageText:
    """Return the text of one page.

    Args:
        pieces: the words as found, any order within the page's lines.
        number: 1-based page number.
        shape: height of the page divided by its width.
        flags: marks for a person to pass on.
    """
    blocks = arrange(_lines(pieces), shape=shape)
    parts: list[str] = []
    words: list[Word] = []
    at = 0
    for block in blocks:
        for line in block:
            for piece in line.pieces:
                words.append(Word(piece.text, at, piece.box, piece.confidence))
                parts.append(piece.text)
                parts.append(" ")
                at += len(piece.text) + 1
            parts[-1] = "\n"
        parts.append("\n")
        at += 1
    mean = round(sum(word.confidence for word in words) / len(words)) if words else 0
    return PageText(number, "".join(parts).rstrip("\n"), tuple(words), "ocr" if words else "none", mean, tuple(flags))


def arrange(lines: Sequence[Line], *, shape: float) -> list[list[Line]]:
    """Return the lines as blocks in reading order."""
    head, rest = _head(lines, shape)
    body, foot = _foot(rest, shape)
    return [block for block in (*_columns(head), *_by_block(body), *_columns(foot)) if block]


def _lines(pieces: Iterable[Piece]) -> list[Line]:
    rows: dict[tuple[int, int, int], list[Piece]] = {}
    for piece in pieces:
        rows.setdefault(piece.line, []).append(piece)
    return [Line(tuple(row)) for row in rows.values()]


def _by_block(lines: Sequence[Line]) -> list[list[Line]]:
    blocks: list[list[Line]] = []
    for line in lines:
        if blocks and blocks[-1][-1].pieces[0].block == line.pieces[0].block:
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _cut(line: Line, shape: float) -> list[Line]:
    """Cut a line at gaps too wide to be spaces; heights are in parts of the page's height, widths of its width."""
    widest = GAP * line.height * shape
    cuts: list[list[Piece]] = [[line.pieces[0]]]
    for piece in line.pieces[1:]:
        if piece.box[0] - cuts[-1][-1].box[2] > widest:
            cuts.append([])
        cuts[-1].append(piece)
    return [Line(tuple(cut)) for cut in cuts]


def _crosses(line: Line) -> bool:
    return line.left < _MIDDLE[0] and line.right > _MIDDLE[1]


def _head(lines: Sequence[Line], shape: float) -> tuple[list[Line], list[Line]]:
    """Split off the two-column head: everything above the first line that runs across the middle."""
    cut = [(line, _cut(line, shape)) for line in lines]
    ends = min((line.top for line, parts in cut if any(_crosses(part) for part in parts)), default=10_000)
    ends = min(ends, HEAD_ENDS)
    head = [part for line, parts in cut if line.top < ends for part in parts]
    has_two = any(part.right < _MIDDLE[1] for part in head) and any(part.left > _MIDDLE[0] for part in head)
    if not has_two:
        return [], list(lines)
    return head, [line for line in lines if line.top >= ends]


def _foot(lines: Sequence[Line], shape: float) -> tuple[list[Line], list[Line]]:
    """Split off the foot that begins with the recipients ("Nơi nhận")."""
    begins = [
        line for line in lines if fold(line.text).lstrip("-.,:;'\" ").startswith("noi nh") and line.left < _MIDDLE[0]
    ]
    if not begins:
        return list(lines), []
    start = begins[-1]
    beside = start.top - 3 * start.height
    body: list[Line] = []
    foot: list[Line] = []
    for line in lines:
        is_foot = line.top >= start.top - start.height // 2 or (line.top > beside and line.left > _MIDDLE[0])
        (foot if is_foot else body).append(line)
    return body, [part for line in foot for part in _cut(line, shape)]


def _columns(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return the left column and the right column, each from top to bottom."""
    middle = sum(_MIDDLE) / 2
    left = [line for line in lines if (line.left + line.right) / 2 < middle]
    right = [line for line in lines if (line.left + line.right) / 2 >= middle]
    return _rows(left), _rows(right)


def _rows(lines: Sequence[Line]) -> list[Line]:
    """Return lines from top to bottom; pieces of one row that were found apart are put side by side again."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.centre):
        if rows and line.centre - rows[-1][0].centre < rows[-1][0].height * SAME_ROW:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [
        Line(tuple(piece for line in sorted(row, key=lambda line: line.left) for piece in line.pieces)) for row in rows
    ]
