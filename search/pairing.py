"""How the reader's records write words that stand side by side: the marks of a run are those of its pairs.

The commonest marks of each word alone make runs that nobody writes ("điện tạp"). The subjects of
records hold pairs of words with their marks, and so do their texts; every pair is counted by
the engine under the reader's terms, so a pair of hidden records alone is never known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import pairwise, product
from typing import Final

from search.engine import Engine
from search.entry import Terms
from search.query import is_or, parse
from search.text import vi_fold
from search.units import Names

_FORMS: Final = 4  # ways to write one pair that are looked at
_ALONE: Final = 3  # and one word alone: each two of them are counted in whole texts
_KEPT: Final = 8  # beginnings of a run that are followed further

Forms = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write a run of words: the words, and how many records write each pair so."""

    forms: Forms
    counts: tuple[int, ...] = ()

    @property
    def worth(self) -> tuple[int, int]:
        """What goes first: more pairs that records write so, then more records."""
        return sum(count > 0 for count in self.counts), sum(self.counts)

    def holds(self, place: int) -> bool:
        """Return whether records write this word so beside one of its neighbours."""
        return any(self.counts[max(place - 1, 0) : place + 1])

    @property
    def is_held(self) -> bool:
        """Whether records write every word so beside a neighbour."""
        return all(map(self.holds, range(len(self.forms))))

    def with_next(self, form: str, seen: Mapping[Forms, int]) -> "Way":
        """Return the way that goes on with one more word."""
        return Way((*self.forms, form), (*self.counts, seen.get((self.forms[-1], form), 0)))


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of words in one reader's records, each looked up once."""

    engine: Engine
    terms: Terms
    names: Names
    _of_subjects: dict[Forms, Mapping[Forms, int]] = field(default_factory=dict, init=False)

    def ways(self, typed: Sequence[str], *, is_quoted: bool = False, in_texts: bool = False) -> list[Way]:
        """Return the ways to write a run, best first; a word that was typed with marks keeps them.

        With `in_texts` a pair that no subject holds is looked for in whole texts, which takes longer.
        """
        folded = [vi_fold(word) for word in typed]
        seen = [self._seen(pair, in_texts=in_texts) for pair in pairwise(folded)]
        ways = [Way(())]
        for place, word in enumerate(typed):
            forms = dict.fromkeys([word, *_beside(seen, place)]) if word == folded[place] else [word]
            kept = [form for form in forms if is_quoted or form == word or not is_or(form)]
            before = seen[place - 1] if place else {}
            longer = [way.with_next(form, before) if place else Way((form,)) for way in ways for form in kept]
            ways = nlargest(_KEPT, longer, key=lambda way: way.worth)
        return ways

    def _seen(self, pair: Forms, *, in_texts: bool) -> Mapping[Forms, int]:
        if pair not in self._of_subjects:
            first, second = pair
            found = self.engine.pairs(first, second, self.terms, limit=_FORMS)
            self._of_subjects[pair] = {tuple(one.text.split(" ")): one.count for one in found}
        return self._of_subjects[pair] or (self._in_texts(*pair) if in_texts else {})

    def _in_texts(self, first: str, second: str) -> dict[Forms, int]:
        """Return how often texts hold the commonest forms of two words side by side."""
        counted = {
            pair: self.total('"' + " ".join(pair) + '"')
            for pair in product(self.alone(first), self.alone(second))
            if pair != (first, second)
        }
        return {pair: counted[pair] for pair in nlargest(_FORMS, counted, key=counted.__getitem__) if counted[pair]}

    def alone(self, word: str) -> list[str]:
        """Return a word without marks, then with the marks it has most often."""
        found = self.engine.spellings(word, self.terms, limit=_ALONE)
        return [word, *(one.text for one in found if vi_fold(one.text) == word)]

    def total(self, text: str) -> int:
        """Return how many of the reader's records a query text finds."""
        return self.engine.search(self.names.resolved(parse(text)), self.terms, limit=1, facets=()).total


def _beside(seen: Sequence[Mapping[Forms, int]], place: int) -> Iterator[str]:
    """Yield the forms of a word that stand in a pair with one of its neighbours."""
    yield from (pair[1] for pair in (seen[place - 1] if place else {}))
    yield from (pair[0] for pair in (seen[place] if place < len(seen) else {}))
