"""Order, count and group hits of several shelves: one list, one total, one set of facets.

The keys that order are the same on every shelf (day and id; band, day and id), so the
merged order is exact and says nothing about what a shelf hides.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import tantivy
from tantivy import Query

from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS, Level, Urgency
from search.engines.keeping import Keeping
from search.engines.schema import COUNTED, after, band, known_of, named_by, value_of
from search.engines.shelf import Look, Shelf, count_of, numbers
from search.entry import OF_DOSSIER, Bucket, Hit

SHOWN_VALUES: Final = 50
_ASKED_VALUES: Final = 200  # per shelf: each value brought back costs more than many records counted
_ASKED_MONTHS: Final = 10_000
_COUNTED_VALUES: Final = 10_000  # per segment: their counts are whole before the most frequent are taken
_REMEMBERED: Final = 50_000  # names of values, per shelf and commit
_TIES: Final = 20  # looked at beside the hits wanted, which costs less than asking again
_MANY_TIES: Final = 2_000  # looked at next; then all of them: which come first hangs on what is hidden
_STAMPS: Final = 10_000  # of one look
_FIELDS: Final = {
    **COUNTED,
    "year": "year",
    "month": "month",
    "urgency": "urgency",
}
_IN_ORDER: Final = {"year", "month", "level", "urgency"}


@dataclass(frozen=True, slots=True)
class View:
    """One shelf as it stood when the search began: all parts of a page come from the same state."""

    level: int
    look: Look
    keeping: Keeping

    @classmethod
    def of(cls, shelf: Shelf) -> "View":
        """Look at a shelf now."""
        return cls(shelf.level, shelf.look(), shelf.keeping)

    @property
    def searcher(self) -> tantivy.Searcher:
        """What searches it."""
        return self.look.searcher

    def count(self, query: Query) -> int:
        """Return how many match."""
        return count_of(self.searcher, query)

    def hits(self, addresses: Sequence[tantivy.DocAddress]) -> list[Hit]:
        """Return the hits at these addresses."""
        ids = numbers(self.searcher, "id", addresses)
        versions = numbers(self.searcher, "version", addresses)
        return [Hit(record, version, self.level) for record, version in zip(ids, versions, strict=True)]


_Key = tuple[int, int]  # band (0 when ordered by a field), then a whole number that no other record has
Listed = tuple[_Key, View, tantivy.DocAddress]


def by_field(view: View, query: Query, wanted: int, field: str) -> tuple[list[Listed], int]:
    """Return the hits with the highest value of a field, with their keys, and how many match in all."""
    result: Any = view.searcher.search(query, max(wanted, 1), order_by_field=field)
    return [((0, key), view, address) for key, address in result.hits[:wanted]], int(result.count)


def best(view: View, query: Query, wanted: int) -> tuple[list[Listed], int]:
    """Return the best hits with their keys: those of the same band and day as the last one are all looked at."""
    asked = wanted + _TIES
    while True:
        result: Any = view.searcher.search(query, asked, weight_by_field="weight")
        hits = result.hits
        if asked >= result.count or hits[-1][0] != hits[max(wanted - 1, 0)][0]:
            break
        asked = wanted + _MANY_TIES if asked < wanted + _MANY_TIES else int(result.count)
    keys = numbers(view.searcher, "newest", [address for _, address in hits])
    found = [((band(score), key), view, address) for (score, address), key in zip(hits, keys, strict=True)]
    return found, int(result.count)


def everything(view: View, schema: tantivy.Schema) -> Iterator[Hit]:
    """Yield all that a view holds in the order of ids, in parts; for the drift check only."""
    last = 0
    while True:
        query = after(schema, last)
        result: Any = view.searcher.search(query, _STAMPS, count=False, order_by_field="id", order=tantivy.Order.Asc)
        hits = view.hits([address for _, address in result.hits])
        yield from hits
        if len(hits) < _STAMPS:
            return
        last = hits[-1].id


def page(found: list[Listed], offset: int, limit: int) -> tuple[Hit, ...]:
    """Return one page of the merged list."""
    found.sort(key=lambda one: one[0], reverse=True)
    shown = list(islice(found, offset, offset + limit))
    hits: dict[tuple[_Key, int], Hit] = {}
    for view in {id(one[1]): one[1] for one in shown}.values():
        mine = [one for one in shown if one[1] is view]
        for one, hit in zip(mine, view.hits([one[2] for one in mine]), strict=True):
            hits[one[0], view.level] = hit
    return tuple(hits[one[0], one[1].level] for one in shown)


def values_of(view: View, name: str, key: int) -> tuple[str, ...]:
    """Return the values of a facet that have a key here: one, but for chance. Ask only for keys the reader has a hit of."""
    known = view.look.values
    if (name, key) not in known:
        if len(known) >= _REMEMBERED:
            known.clear()
        found = view.searcher.terms_with_prefix(f"{name}_is", named_by(name, key))
        known[name, key] = tuple(value_of(term) for term, _ in found)
    return known[name, key]


def facet_counts(
    view: View, query: Query, names: Sequence[str], units: Collection[int]
) -> tuple[dict[str, dict[int, int]], set[str]]:
    """Return how often each key of these facets is among what matches in one view, and which facets have more keys.

    The counts are whole; of those with more keys the less frequent are missing (`search.engines.faceting` asks for them).
    Of what is said of dossiers only those of `units` are counted.
    """
    counts: dict[str, dict[int, int]] = {}
    if "level" in names:
        counts["level"] = {view.level: view.count(query)}
    asked = {name: _terms(name) for name in names if name in _FIELDS}
    answer: dict[str, Any] = view.searcher.aggregate(query, asked) if asked else {}
    for name, part in answer.items():
        found = {int(one["key"]): int(one["doc_count"]) for one in part["buckets"]}
        counts[name] = known_of(found, units) if name in OF_DOSSIER else found
    return counts, {name for name, part in answer.items() if part["sum_other_doc_count"]}


def _terms(name: str) -> dict[str, Any]:
    size = _ASKED_MONTHS if name in _IN_ORDER else _ASKED_VALUES
    return {"terms": {"field": _FIELDS[name], "size": size, "segment_size": max(size, _COUNTED_VALUES)}}


def said(name: str, key: int) -> str:
    """Return the value of a facet whose keys are no names: a level, an urgency, a year or a month."""
    match name:
        case "level":
            return LEVEL_SLUGS[Level(key)]
        case "urgency":
            return URGENCY_SLUGS[Urgency(key)]
        case "month":
            return f"{key // 100:04}-{key % 100:02}"
        case _:
            return str(key)


def buckets(name: str, counted: Counter[str]) -> tuple[Bucket, ...]:
    """Return the values to show: years, months and ranks in their order, others by count and then by name."""
    found = [Bucket(value, count) for value, count in counted.items() if count]
    if name in _IN_ORDER:
        ranks = {slug: str(int(rank)) for slugs in (LEVEL_SLUGS, URGENCY_SLUGS) for rank, slug in slugs.items()}
        return tuple(sorted(found, key=lambda one: ranks.get(one.value, one.value)))
    return tuple(sorted(found, key=lambda one: (-one.count, one.value))[:SHOWN_VALUES])
