"""What may have been meant: the query with other marks, or with one word written as the reader's records have it.

Every word and every count comes from the engine under the reader's terms. Offered is
only what finds more: more records at all, or - when the bare letters find the same
anyway - words whose marks the reader's records write so, side by side (`search.pairing`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Final

from search.engine import Engine
from search.entry import Terms
from search.nodes import Query, Words, wanted
from search.pairing import Pairs, Way
from search.query import is_or
from search.text import vi_fold
from search.units import Names

OFFERED: Final = 3
FEW_HITS: Final = 5  # with more, nobody has mistyped
_MARKED_WORDS: Final = 8  # of a longer run the reader has said enough
_TEXT_WORDS: Final = 4  # of a longer run the pairs of subjects must do
_TRIED_WORDS: Final = 6
_NEAR: Final = 5  # words one letter away that are tried for each
_COUNTED: Final = 8  # texts whose records are counted


@dataclass(frozen=True, slots=True)
class _Run:
    """Words of a query with nothing but space between them, or those of one pair of quotation marks."""

    leaves: tuple[Words, ...]

    @property
    def typed(self) -> tuple[str, ...]:
        return tuple(word for leaf in self.leaves for word in leaf.typed)

    @property
    def is_quoted(self) -> bool:
        return self.leaves[0].is_quoted

    def written(self, text: str, forms: Sequence[str]) -> str:
        """Return the text of the query with these words in place of the run's."""
        said = " ".join(forms)
        (start, _), (_, end) = self.leaves[0].span, self.leaves[-1].span
        return text[:start] + (f'"{said}"' if self.is_quoted else said) + text[end:]


def corrections(engine: Engine, query: Query, terms: Terms, names: Names) -> list[str]:
    """Return whole query texts, the likeliest first, at most OFFERED."""
    words = [leaf for leaf in wanted(query.root) if isinstance(leaf, Words) and _can_be_wrong(leaf)]
    if not words:
        return []
    runs, pairs = list(_runs(query.text, words)), Pairs(engine, terms, names)
    offered: list[str] = []
    for text in chain(_marked(query, runs, pairs), _mended(query, runs, pairs)):
        if text not in offered:
            offered.append(text)
        if len(offered) == OFFERED:
            break  # no more is counted than is offered
    return offered


def _can_be_wrong(leaf: Words) -> bool:
    return not (leaf.is_prefix or leaf.is_fuzzy or any(token.isdigit() for token in leaf.tokens))


def _runs(text: str, words: Sequence[Words]) -> Iterator[_Run]:
    run: tuple[Words, ...] = ()
    for leaf in words:
        is_next = run and not (leaf.is_quoted or run[-1].is_quoted) and text[run[-1].span[1] : leaf.span[0]].isspace()
        if run and not is_next:
            yield _Run(run)
            run = ()
        run = (*run, leaf)
    yield _Run(run)


def _marked(query: Query, runs: Sequence[_Run], pairs: Pairs) -> Iterator[str]:
    """Yield the run of words with the marks that records give it; nothing if it has its marks, or is not all that is asked."""
    typed = runs[0].typed
    is_whole = len(runs) == 1 and not runs[0].is_quoted and runs[0].written(query.text, ()) == ""
    if not is_whole or len(typed) > _MARKED_WORDS or any(leaf.has_marks for leaf in runs[0].leaves):
        return
    if len(typed) == 1:
        ways = [Way((form,)) for form in pairs.alone(typed[0]) if not is_or(form)]
    else:
        ways = pairs.ways(typed, in_texts=len(typed) <= _TEXT_WORDS)
    counted = {way: pairs.total(f'"{" ".join(way.forms)}"') for way in ways[:_COUNTED] if way.forms != typed}
    best = max(counted, key=lambda way: (counted[way], way.worth, way.forms), default=None)
    if best and (counted[best] or best.is_held):
        yield " ".join(best.forms)


def _mended(query: Query, runs: Sequence[_Run], pairs: Pairs) -> Iterator[str]:
    """Yield the query with one word replaced, if it finds little and the other finds more; what stands in pairs goes first."""
    found = pairs.total(query.text)
    if found >= FEW_HITS:
        return
    places = [(run, place) for run in runs for place in range(len(run.typed))][:_TRIED_WORDS]
    tried: dict[str, tuple[int, int]] = {}
    for run, place in places:
        for text, worth in _replaced(query.text, run, place, pairs):
            tried[text] = max(worth, tried.get(text, worth))
    likeliest = sorted(tried, key=lambda text: (*tried[text], text), reverse=True)[:_COUNTED]
    for _, alike in groupby(likeliest, key=lambda text: tried[text][0]):
        ranked = sorted((-pairs.total(text), text) for text in alike)
        yield from (text for less, text in ranked if -less > found)


def _replaced(text: str, run: _Run, place: int, pairs: Pairs) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the query with one word written as records have it, its neighbours with it; how many say the pair, and the word."""
    typed = run.typed
    for other in pairs.engine.spellings(typed[place], pairs.terms, limit=_NEAR):
        bare = vi_fold(other.text)
        if not run.is_quoted and (is_or(other.text) or bare == vi_fold(typed[place])):
            continue  # no word that is looked for any more, or one that finds the same
        new = other.text if bare == vi_fold(typed[place]) else bare
        way = pairs.ways((*typed[:place], new, *typed[place + 1 :]), is_quoted=run.is_quoted)[0]
        if way.holds(place):
            yield run.written(text, way.forms), (max(way.counts[max(place - 1, 0) : place + 1]), other.count)
        else:
            yield run.written(text, (*typed[:place], other.text, *typed[place + 1 :])), (0, other.count)
