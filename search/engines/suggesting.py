"""Suggest what a reader may be about to type, from the subjects and numbers of records they see.

Each hint is counted under the reader's access query: a word that stands only in hidden
records is not suggested, and a count never includes them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from search.engines.schema import HINT_SPLIT, HINT_WORDS
from search.entry import Suggestion
from search.leaves import number_tokens
from search.query import is_or
from search.text import WORD, exact_words, vi_exact, vi_fold, vi_norm

MIN_LETTERS: Final = 3  # two letters begin too many words to be of help, and cost most
MANY: Final = 3  # letters of one word that begin so many pairs that they are answered by words
_PLAIN: Final = re.compile(r"(?:(?<!\S)[^\W\d_]+\s+)+$")
_MENDED: Final = 4  # words before a hint that get their marks
_FORMS: Final = 8
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
        leading, tail = _Leading(searchers, allowed, text[: starts[-taken]]), text[starts[-taken] :]
        for display, count in _hints(searchers, allowed, tail).most_common(limit):
            whole = leading.before(display) + display
            if whole.lower() != text.strip().lower():
                found.setdefault(whole.lower(), Suggestion(whole, count))
        if found:
            break  # what follows the longer beginning says more, and each look costs the access query again
    return list(found.values())[:limit]


def pairs(searchers: Sequence[Listing], allowed: object, words: tuple[str, str], limit: int) -> list[Suggestion]:
    """Return how two folded words are written side by side in subjects, most frequent first."""
    counted = _counted(searchers, allowed, "hint", " ".join(words) + HINT_SPLIT)
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return [Suggestion(text, count) for text, count in ordered[:limit]]


@dataclass(frozen=True, slots=True)
class _Leading:
    """What stands before the words that a hint continues: its last plain words get the marks of their pairs, backwards."""

    searchers: Sequence[Listing]
    allowed: object
    text: str
    known: dict[tuple[str, str], list[Suggestion]] = field(default_factory=dict)

    def before(self, display: str) -> str:
        """Return the text to stand before a hint."""
        run = _PLAIN.search(self.text)
        if run is None or self.text.count('"') % 2:
            return self.text
        words = run[0].split()
        following = next(iter(exact_words(display)), "")
        for place in range(len(words) - 1, max(len(words) - 1 - _MENDED, -1), -1):
            form = self._form(words[place], following)
            if form is None:
                break
            words[place], following = form, vi_exact(form)
        return self.text[: run.start()] + " ".join(words) + " "

    def _form(self, word: str, following: str) -> str | None:
        """Return a word as it is written before another; one that was typed with marks stays, None ends the run."""
        if is_or(word) or word in ("AND", "NOT"):
            return None
        folded = vi_fold(word)
        if vi_exact(word) != folded:
            return word
        pair = folded, vi_fold(following)
        if pair not in self.known:
            self.known[pair] = pairs(self.searchers, self.allowed, pair, _FORMS)
        written = (one.text.split(" ") for one in self.known[pair])
        form = next((first for first, second in written if second == following), None)
        return None if form is None or is_or(form) else word if form == folded else form


def _hints(searchers: Sequence[Listing], allowed: object, tail: str) -> Counter[str]:
    """Count the hints that begin with these words, marks kept to if they were typed."""
    tokens = number_tokens(tail)
    prefix = " ".join(tokens) + (" " if tail[-1:].isspace() else "")
    counted: Counter[str] = Counter()
    if len(prefix) < MIN_LETTERS:
        return counted
    typed = " ".join(exact_words(tail))
    for name, begins in _places(prefix):
        for display, count in _counted(searchers, allowed, name, begins).items():
            if typed == " ".join(tokens) or " ".join(exact_words(display)).startswith(typed):
                counted[display] += count
    return counted


def _counted(searchers: Sequence[Listing], allowed: object, name: str, begins: str) -> Counter[str]:
    """Count what is shown of the hints that begin so."""
    counted: Counter[str] = Counter()
    for searcher in searchers:
        for hint, count in searcher.terms_with_prefix(name, begins, allowed, _ASKED):
            counted[hint.split(HINT_SPLIT, 1)[1]] += count
    return counted


def _places(prefix: str) -> Sequence[tuple[str, str]]:
    """Return where a beginning is looked for: pairs of words, or words when the pairs are too many to walk."""
    if len(prefix) > MANY or not prefix.isalpha():
        return (("hint", prefix),)
    return (("start", prefix), ("hint", f"{prefix} "))  # it may be a whole word already
