"""Count the facets of one search over several shelves: what is there to choose, and how often.

A facet with a filter of its own is counted as if that filter were off, so that another
value can be chosen. Every count is taken under the reader's access query.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tantivy import Query

from search.engine import Filters
from search.engines import listing
from search.engines.compiling import Compiler
from search.engines.listing import View
from search.entry import FACETS, OF_DOSSIER, Bucket
from search.nodes import Node


@dataclass(frozen=True, slots=True)
class Asked:
    """One search of one reader: what was asked, and which facet values are chosen."""

    compiler: Compiler
    root: Node | None
    chosen: Filters

    def matching(self, *, but: str = "", of_dossiers: bool = False) -> Query:
        """Return what must hold, but for the filter of one facet; of what lies in dossiers the reader may know of."""
        filters = {name: values for name, values in self.chosen.items() if name != but}
        return self.compiler.matching(self.root, filters, of_dossiers=of_dossiers)

    def among(self, name: str, values: Sequence[str]) -> Query:
        """Return the same with some values of one facet, in place of those that are chosen."""
        return self.compiler.matching(self.root, {**self.chosen, name: values})

    def ranked(self) -> Query:
        """Return the same, with the bands of the best order."""
        return self.compiler.ranked(self.root, self.chosen)


def facets(
    asked: Asked, views: Sequence[View], names: Sequence[str], counts: Sequence[int]
) -> dict[str, tuple[Bucket, ...]]:
    """Return the buckets of the facets named; `counts` is how many hits each view has."""
    counted: dict[str, Counter[str]] = {name: Counter() for name in FACETS if name in names}
    if "level" in counted and "level" not in asked.chosen:
        for view, count in zip(views, counts, strict=True):
            counted["level"].update(listing.level_count(view, count))
    for query, together in _rounds(asked, list(counted)):
        short: set[str] = set()
        for view in views:
            found, more = listing.facet_counts(view, query, together)
            for name, values in found.items():
                counted[name].update(values)
            short |= more
        for name in short:
            counted[name] = _whole(asked, views, name, counted[name])
    return {name: listing.buckets(name, values) for name, values in counted.items()}


def _whole(asked: Asked, views: Sequence[View], name: str, counted: Counter[str]) -> Counter[str]:
    """Count the values of one facet that are to be shown once more and in full: a shelf kept back its smaller ones."""
    values = [bucket.value for bucket in listing.buckets(name, counted)]
    query = asked.among(name, values)
    whole: Counter[str] = Counter()
    for view in views:
        whole.update(listing.facet_counts(view, query, [name])[0][name])
    return whole


def _rounds(asked: Asked, names: Sequence[str]) -> Iterator[tuple[Query, list[str]]]:
    """Yield which facets are counted under one query: all without a filter of their own, then one by one.

    Those that speak of dossiers are counted apart, over the dossiers that the reader may know of.
    """
    for of_dossiers in (False, True):
        those = [name for name in names if (name in OF_DOSSIER) is of_dossiers]
        together = [name for name in those if name not in asked.chosen and name != "level"]
        if together:
            yield asked.matching(of_dossiers=of_dossiers), together
        for name in those:
            if name in asked.chosen:
                yield asked.matching(but=name, of_dossiers=of_dossiers), [name]
