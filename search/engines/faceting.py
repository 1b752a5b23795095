"""Count the facets of one search over several shelves: what is there to choose, and how often.

A facet with a filter of its own is counted as if that filter were off, so that another
value can be chosen. Every count is taken under the reader's access query.

Values are counted as whole numbers, their keys, and named at the end: looking up the
names of all values in every segment took as long as the counting. Only what the reader
has a hit of is named, so no name of a hidden record is read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tantivy import Query

from search.engine import Filters
from search.engines import listing
from search.engines.compiling import Compiler
from search.engines.listing import View
from search.engines.schema import WHOLE
from search.entry import FACETS, OF_DOSSIER, Bucket
from search.nodes import Node

_NAMED: Final = 1000  # of equally frequent values: nobody reads which of them come first


@dataclass(frozen=True, slots=True)
class Asked:
    """One search of one reader: what was asked, and which facet values are chosen."""

    compiler: Compiler
    root: Node | None
    chosen: Filters

    def matching(self, *extra: Query, but: str = "") -> Query:
        """Return what must hold, but for the filter of one facet."""
        filters = {name: values for name, values in self.chosen.items() if name != but}
        return self.compiler.matching(self.root, filters, *extra)

    def among(self, name: str, values: Sequence[str]) -> Query:
        """Return the same with some values of one facet, in place of those that are chosen."""
        return self.compiler.matching(self.root, {**self.chosen, name: values})

    def counts(self, view: View, query: Query, names: Sequence[str]) -> tuple[dict[str, dict[int, int]], set[str]]:
        """Return how often the keys of these facets are among what matches in a view, as this reader may know it."""
        return listing.facet_counts(view, query, names, self.compiler.terms.units)

    def ranked(self) -> Query:
        """Return the same, with the bands of the best order."""
        return self.compiler.ranked(self.root, self.chosen)


_Counts = list[dict[int, int]]  # of each view: key -> how many hits


def facets(
    asked: Asked, views: Sequence[View], names: Sequence[str], counts: Sequence[int]
) -> dict[str, tuple[Bucket, ...]]:
    """Return the buckets of the facets named; `counts` is how many hits each view has."""
    wanted = [name for name in FACETS if name in names]
    counted: dict[str, Counter[str]] = {name: Counter() for name in wanted}
    if "level" in counted and "level" not in asked.chosen:
        for view, count in zip(views, counts, strict=True):
            counted["level"][listing.said("level", view.level)] = count
    for query, together in _rounds(asked, wanted):
        parts = [asked.counts(view, query, together) for view in views]
        for name in together:
            found, short = _of(name, parts)
            if name in OF_DOSSIER and any(short) and len(_total(found)) < listing.SHOWN_VALUES:
                known = asked.matching(asked.compiler.filed(), but=name)  # dossiers of other units took the places
                found, short = _of(name, [asked.counts(view, known, [name]) for view in views])
            named = _named(asked, views, name, _filled(asked, views, name, found, short))
            counted[name] = _once(asked, views, name, named) if name == "retention" else named
    return {name: listing.buckets(name, values) for name, values in counted.items()}


def _of(name: str, parts: Sequence[tuple[Mapping[str, dict[int, int]], set[str]]]) -> tuple[_Counts, list[bool]]:
    """Return the counts of one facet by view, and of which views some are missing."""
    return [part[name] for part, _ in parts], [name in more for _, more in parts]


def _named(asked: Asked, views: Sequence[View], name: str, found: _Counts) -> Counter[str]:
    """Return the counts with names in place of keys, for no more values than can be shown."""
    total = _total(found)
    if name not in WHOLE:
        return Counter({listing.said(name, key): count for key, count in total.items()})
    named = {key: _values(views, name, found, key) for key in _foremost(total)}
    if any(len(values) > 1 for values in named.values()):  # two values with one key
        named = {key: _values(views, name, found, key) for key in total}
    counted: Counter[str] = Counter()
    for key, values in named.items():
        for value in values:  # of several each by itself; one that only hidden records have is 0 and not shown
            counted[value] += total[key] if len(values) == 1 else _count(asked, views, name, value)
    return counted


def _once(asked: Asked, views: Sequence[View], name: str, counted: Counter[str]) -> Counter[str]:
    """Return counts in which a record counts once for a value that dossiers of several units have."""
    several = asked.matching(asked.compiler.shared(), but=name)
    if not any(view.look.has_shared and view.count(several) for view in views):
        return counted
    return Counter({value: _count(asked, views, name, value) for value in counted})


def _values(views: Sequence[View], name: str, found: _Counts, key: int) -> set[str]:
    """Return the values of a key, looked for where the reader has hits of it and nowhere else."""
    values: set[str] = set()
    for view, each in zip(views, found, strict=True):
        if key in each:
            values.update(listing.values_of(view, name, key))
    return values


def _filled(asked: Asked, views: Sequence[View], name: str, found: _Counts, short: Sequence[bool]) -> _Counts:
    """Return the counts with those of values to be shown that a view kept back, being less frequent there."""
    if len(views) == 1 or not any(short):
        return found
    shown = _foremost(_total(found))[: listing.SHOWN_VALUES]
    filled = []
    for view, each, is_short in zip(views, found, short, strict=True):
        missing = [key for key in shown if key not in each] if is_short else []
        values = [value for key in missing for value in _values(views, name, found, key)]
        more = asked.counts(view, asked.among(name, values), [name])[0][name] if values else {}
        filled.append({key: more[key] for key in missing if key in more} | each)  # such a record may have others, too
    return filled


def _foremost(total: Mapping[int, int]) -> list[int]:
    """Return the keys of the values that may be shown: the most frequent, and those as frequent as the last of them."""
    ordered = sorted(total, key=lambda key: (-total[key], key))
    if len(ordered) <= listing.SHOWN_VALUES:
        return ordered
    least = total[ordered[listing.SHOWN_VALUES - 1]]
    return [key for key in ordered[:_NAMED] if total[key] >= least]


def _total(found: _Counts) -> dict[int, int]:
    total = dict(found[0]) if found else {}
    for each in found[1:]:
        for key, count in each.items():
            total[key] = total.get(key, 0) + count
    return total


def _count(asked: Asked, views: Sequence[View], name: str, value: str) -> int:
    query = asked.among(name, [value])
    return sum(view.count(query) for view in views)


def _rounds(asked: Asked, names: Sequence[str]) -> Iterator[tuple[Query, list[str]]]:
    """Yield which facets are counted under one query: all without a filter of their own, then one by one."""
    together = [name for name in names if name not in asked.chosen and name != "level"]
    if together:
        yield asked.matching(), together
    for name in names:
        if name in asked.chosen:
            yield asked.matching(but=name), [name]
