"""Find where the number and the date of a dispatch stand, to read them a second time alone.

Two readings that agree make a field sure (OCR.md: +3-4 points of exact fields on good
pages). Only the head's own lines are read again, so it costs a tenth of a page. Pure.
"""

import re
from dataclasses import dataclass
from typing import Final

from archive.rules.folding import fold
from archive.rules.page import Box, PageText, Word

HEAD: Final = 4_000  # ten-thousandths of the page's height
MIDDLE: Final = 4_800
CLEAR: Final = 92  # words this sure need no second look: it would cost a tenth of the page
_NUMBER: Final = re.compile(r"^\W*s[o0ơ6][\s.:;]*\S*\d|^\W*\d+\s*[/-]\s*[a-z]{2}")
_DATE: Final = re.compile(r"ng[a-z]y.{0,8}th[a-z]ng|thang.{0,8}n[a-z]m")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines to read again: "left" up to the number, "right" the date."""

    name: str
    box: Box


def stretches(text: PageText) -> list[Stretch]:
    """Return what is worth reading again on a page: nothing when it has no head or every word is clear."""
    lines = _head_lines(text)
    number = next((at for at, line in enumerate(lines) if _NUMBER.search(_plain(line))), None)
    if number is None:
        return []
    left = [line for line in lines[: number + 1] if _centre(line) < MIDDLE]
    dates = [line for line in lines if _DATE.search(_plain(line)) and _centre(line) >= MIDDLE][:1]
    wanted = [Stretch(name, _around(group)) for name, group in (("left", left), ("right", dates)) if group]
    words = [word for group in (lines[number : number + 1], dates) for line in group for word in line]
    return [] if dates and all(word.confidence >= CLEAR for word in words) else wanted


def _head_lines(text: PageText) -> list[list[Word]]:
    lines: list[list[Word]] = []
    end = 0
    for word in text.words:
        if not lines or "\n" in text.text[end : word.start]:
            lines.append([])
        lines[-1].append(word)
        end = word.start
    return [line for line in lines if line[0].box[1] < HEAD]


def _plain(line: list[Word]) -> str:
    return fold(" ".join(word.text for word in line))


def _centre(line: list[Word]) -> float:
    return (line[0].box[0] + line[-1].box[2]) / 2


def _around(lines: list[list[Word]]) -> Box:
    boxes = [word.box for line in lines for word in line]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    return left, top, max(box[2] for box in boxes), max(box[3] for box in boxes)
