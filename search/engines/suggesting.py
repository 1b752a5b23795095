"""Suggest what a reader may be about to type, from the subjects and numbers of records they see.

Each hint is counted under the reader's access query: a word that stands only in hidden
records is not suggested, and a count never includes them. An engine may look at some of
the reader's records alone where a beginning is in very many: the counts then say how many
there are at least, and each further letter leaves fewer records to look at.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Protocol

from search.engines import hinting
from search.entry import Suggestion
from search.leaves import number_tokens
from search.query import is_or
from search.text import WORD, exact_words, vi_exact, vi_fold, vi_norm

MIN_LETTERS: Final = 3  # two letters begin too many words to be of help, and cost most
MANY: Final = 3  # letters of one word that begin so many pairs that they are answered by words
_PLAIN: Final = re.compile(r"(?:(?<!\S)[^\W\d_]+\s+)+$")
_MENDED: Final = 4  # words before a hint that get their marks
_FORMS: Final = 8
_ASKED: Final = 200  # hints of a beginning that are looked at, most frequent first

Beginning = tuple[str, str]  # the field of the hints, and how they begin


@dataclass(frozen=True, slots=True)
class Listed:
    """Hints that begin so in records the reader sees, with the number of these; of a part of the records, if so said."""

    hints: Sequence[tuple[str, int]]
    is_part: bool = False

    def shown(self) -> Counter[str]:
        """Count what is shown of them."""
        counted: Counter[str] = Counter()
        for hint, count in self.hints:
            counted[hinting.shown(hint)] += count
        return counted


Lists = Callable[[Sequence[Beginning]], list[Listed]]  # all beginnings at once: an engine may be far away


class Walking(Protocol):
    """What walks the words of one shelf that begin so, and counts those of the records that match a query."""

    def terms_with_prefix(self, field: str, prefix: str, allowed: Any, limit: int, /) -> list[tuple[str, int]]:
        """Return the values that begin so."""


def walked(shelves: Sequence[Walking], allowed: object) -> Lists:
    """Return what lists the hints of several shelves."""

    def listed(begins: Beginning) -> Listed:
        name, beginning = begins[0], hinting.joined([begins[1]])
        found = (hint for shelf in shelves for hint in shelf.terms_with_prefix(name, beginning, allowed, _ASKED))
        return Listed([(hinting.parted(word), count) for word, count in found])

    return lambda beginnings: list(map(listed, beginnings))


def suggest(lists: Lists, typed: str, limit: int) -> list[Suggestion]:
    """Return whole query texts that continue what was typed, most frequent first."""
    text = vi_norm(typed)
    starts = [found.start() for found in WORD.finditer(text)]
    found: dict[str, Suggestion] = {}
    for taken in range(min(hinting.WORDS, len(starts)), 0, -1):
        hints, is_part = _hints(lists, text[starts[-taken] :])
        best = _most(hints, limit)
        leading = _Leading(lists, text[: starts[-taken]], [display for display, _ in best])
        for display, count in best:
            whole = leading.before(display) + display
            if whole.lower() != text.strip().lower():
                found.setdefault(whole.lower(), Suggestion(whole, count, is_part))
        if found:
            break  # what follows the longer beginning says more, and each look costs the access query again
    return list(found.values())[:limit]


def pairs(lists: Lists, words: tuple[str, str], limit: int) -> list[Suggestion]:
    """Return how two folded words are written side by side in subjects, most frequent first."""
    (listed,) = lists([_pair(words)])
    return [Suggestion(text, count, listed.is_part) for text, count in _most(listed.shown(), limit)]


def _most(counted: Counter[str], limit: int) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:limit]


def _pair(words: tuple[str, str]) -> Beginning:
    return "hint", " ".join(words) + hinting.SPLIT


@dataclass(frozen=True)
class _Leading:
    """What stands before the words that hints continue: its last plain words get the marks of their pairs, backwards."""

    lists: Lists
    text: str
    displays: Sequence[str] = field(default=())

    def before(self, display: str) -> str:
        """Return the text to stand before a hint."""
        if not self._words:
            return self.text
        words, following = list(self._words), next(iter(exact_words(display)), "")
        for place in range(len(words) - 1, max(len(words) - 1 - _MENDED, -1), -1):
            form = self._form(words[place], following)
            if form is None:
                break
            words[place], following = form, vi_exact(form)
        return self.text[: self._start] + " ".join(words) + " "

    @cached_property
    def _words(self) -> list[str]:
        run = _PLAIN.search(self.text)
        return [] if run is None or self.text.count('"') % 2 else run[0].split()

    @cached_property
    def _start(self) -> int:
        run = _PLAIN.search(self.text)
        return run.start() if run else 0

    def _form(self, word: str, following: str) -> str | None:
        """Return a word as it is written before another; one that was typed with marks stays, None ends the run."""
        if is_or(word) or word in ("AND", "NOT"):
            return None
        folded = vi_fold(word)
        if vi_exact(word) != folded:
            return word
        pair = folded, vi_fold(following)
        texts = self._at_the_end[pair] if pair in self._at_the_end else self._before_it[pair]
        written = (text.split(" ") for text in texts)
        form = next((first for first, second in written if second == following), None)
        return None if form is None or is_or(form) else word if form == folded else form

    @cached_property
    def _at_the_end(self) -> dict[tuple[str, str], list[str]]:
        """Return how the last word is written before each of the hints."""
        ends = (next(iter(exact_words(display)), "") for display in self.displays)
        return self._looked_up([(vi_fold(self._words[-1]), vi_fold(end)) for end in ends])

    @cached_property
    def _before_it(self) -> dict[tuple[str, str], list[str]]:
        """Return how the words before it are written: asked only when the last has got its marks."""
        return self._looked_up(list(pairwise(map(vi_fold, self._words[-_MENDED:]))))

    def _looked_up(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        pairs_asked = list(dict.fromkeys(asked))
        found = self.lists(list(map(_pair, pairs_asked)))
        shown = ([text for text, _ in _most(one.shown(), _FORMS)] for one in found)
        return dict(zip(pairs_asked, shown, strict=True))


def _hints(lists: Lists, tail: str) -> tuple[Counter[str], bool]:
    """Count the hints that begin with these words, marks kept to if they were typed, and say whether there are more."""
    tokens = number_tokens(tail)
    prefix = " ".join(tokens) + (" " if tail[-1:].isspace() else "")
    counted: Counter[str] = Counter()
    if len(prefix) < MIN_LETTERS:
        return counted, False
    typed = " ".join(exact_words(tail))
    found = lists(_places(prefix))
    for listed in found:
        for display, count in listed.shown().items():
            if typed == " ".join(tokens) or " ".join(exact_words(display)).startswith(typed):
                counted[display] += count
    return counted, any(listed.is_part for listed in found)


def _places(prefix: str) -> Sequence[Beginning]:
    """Return where a beginning is looked for: pairs of words, or words when the pairs are too many to walk."""
    if len(prefix) > MANY or not prefix.isalpha():
        return (("hint", prefix),)
    return (("start", prefix), ("hint", f"{prefix} "))  # it may be a whole word already
