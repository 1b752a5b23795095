"""One reading of one field, and how two readings of the same field are weighed.

Agreement of two independent readings raises confidence; a quarrel lowers it and keeps
the other value for the person to choose. Confidence is 0-100; SURE and above is shown
as a match, so nothing doubtful may reach it. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from archive.rules.folding import key
from archive.rules.page import Box, Word
from archive.rules.proposal import SURE, Guess
from ingest.lines import Line, box_of

MOST_OTHERS: Final = 4
AGREED: Final = 97
_AGREEMENT: Final = 12
_QUARREL: Final = 65
_SECOND_ALONE: Final = 75
_NO_WORDS: Final = 90  # a text without words tells nothing about its reader
_WORST_WORD: Final = 30  # one word in a name may be doubtful; one that is scrap makes the whole doubtful


@dataclass(frozen=True, slots=True)
class Reading:
    """A value read at one place, 0-100 how sure; `others` are readings a person may take instead.

    `ceiling` is what agreement may raise it to: the same reader misreads the same hand twice.
    """

    value: str
    confidence: int
    page: int
    box: Box | None = None
    others: tuple[str, ...] = ()
    ceiling: int = 100

    def with_other(self, value: str) -> "Reading":
        """Return this reading with one more value to choose from."""
        if value == self.value or value in self.others or not value:
            return self
        return replace(self, others=(*self.others, value)[:MOST_OTHERS])

    def at_most(self, confidence: int) -> "Reading":
        """Return this reading, no surer than this."""
        return replace(self, confidence=min(self.confidence, confidence))

    def never_sure(self) -> "Reading":
        """Return this reading, for a person to look at whatever agrees with it."""
        return replace(self.at_most(SURE - 1), ceiling=SURE - 1)

    def guess(self) -> Guess:
        """Return the proposal a person sees."""
        return Guess(self.value, self.confidence, self.page, self.box, self.others)


def weighed(first: Reading | None, second: Reading | None) -> Reading | None:
    """Return one reading of two: agreement raises, a quarrel lowers, one alone stands lower."""
    if first is None or second is None:
        return first or (second.at_most(_SECOND_ALONE) if second else None)
    if first.value == second.value:
        raised = min(AGREED, max(first.confidence, second.confidence) + _AGREEMENT, first.ceiling, second.ceiling)
        return replace(first, confidence=max(first.confidence, raised), ceiling=min(first.ceiling, second.ceiling))
    best, rest = (first, second) if first.confidence >= second.confidence else (second, first)
    if key(best.value) == key(rest.value):  # they differ by marks only
        return best.with_other(rest.value).at_most(SURE - 1)
    return best.with_other(rest.value).at_most(_QUARREL)


def word_confidence(line: Line, start: int, end: int) -> int:
    """Return the lowest confidence of the words in a stretch of a line; 90 when no words are known."""
    return lowest(line.words_in(start, end), line)


def lowest(words: Iterable[Word], line: Line) -> int:
    """Return the lowest confidence among words."""
    if line.is_exact:
        return 100
    return min((word.confidence for word in words), default=_NO_WORDS)


def from_lines(value: str, lines: list[Line], certainty: int) -> Reading:
    """Return a reading of several whole lines: as sure as the pattern, the mean and the worst word allow."""
    scores = [word.confidence for line in lines for word in line.words]
    mean = round(sum(scores) / len(scores)) if scores else _NO_WORDS
    worst = min(scores, default=_NO_WORDS) + _WORST_WORD
    sure = 100 if lines[0].is_exact else min(mean, worst)
    return Reading(value, min(certainty, sure), lines[0].page, box_of(lines))
