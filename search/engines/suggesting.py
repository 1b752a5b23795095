"""Suggest what a reader may be about to type, from the subjects and numbers of records they see.

Each hint is counted under the reader's access query: a word that stands only in hidden
records is not suggested, and a count never includes them.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Protocol

from search.engines.schema import HINT_SPLIT, HINT_WORDS
from search.entry import Suggestion
from search.leaves import number_tokens
from search.text import WORD, exact_words, vi_norm

MIN_LETTERS: Final = 3  # two letters begin too many words to be of help, and cost most
MANY: Final = 3  # letters of one word that begin so many pairs that they are answered by words
_ASKED: Final = 200  # hints looked at per shelf, in the order of the alphabet


class Listing(Protocol):
    """What lists the hints of the records that match a query of its own engine, with their counts."""

    def terms_with_prefix(self, field: str, prefix: str, allowed: Any, limit: int, /) -> list[tuple[str, int]]:
        """Return the values that begin so, in the order of the alphabet."""


def suggest(searchers: Sequence[Listing], allowed: object, typed: str, limit: int) -> list[Suggestion]:
    """Return whole query texts that continue what was typed, most frequent first."""
    text = vi_norm(typed)
    starts = [found.start() for found in WORD.finditer(text)]
    found: dict[str, Suggestion] = {}
    for taken in range(min(HINT_WORDS, len(starts)), 0, -1):
        head, tail = text[: starts[-taken]], text[starts[-taken] :]
        for display, count in _hints(searchers, allowed, tail).most_common(limit):
            whole = head + display
            if display.lower() != tail.strip().lower():
                found.setdefault(whole.lower(), Suggestion(whole, count))
        if found:
            break  # what follows the longer beginning says more, and each look costs the access query again
    return list(found.values())[:limit]


def _hints(searchers: Sequence[Listing], allowed: object, tail: str) -> Counter[str]:
    """Count the hints that begin with these words, marks kept to if they were typed."""
    tokens = number_tokens(tail)
    prefix = " ".join(tokens) + (" " if tail[-1:].isspace() else "")
    counted: Counter[str] = Counter()
    if len(prefix) < MIN_LETTERS:
        return counted
    typed = " ".join(exact_words(tail))
    for searcher in searchers:
        for field, begins in _places(prefix):
            for hint, count in searcher.terms_with_prefix(field, begins, allowed, _ASKED):
                display = hint.split(HINT_SPLIT, 1)[1]
                if typed == " ".join(tokens) or " ".join(exact_words(display)).startswith(typed):
                    counted[display] += count
    return counted


def _places(prefix: str) -> Sequence[tuple[str, str]]:
    """Return where a beginning is looked for: pairs of words, or words when the pairs are too many to walk."""
    if len(prefix) > MANY or not prefix.isalpha():
        return (("hint", prefix),)
    return (("start", prefix), ("hint", f"{prefix} "))  # it may be a whole word already
