"""Which dossiers a reader may know of: the engine knows who sees a dispatch, not who sees the dossier it lies in.

A dossier of another unit may hold a dispatch that the reader has in hand. It is then no
value of the facet, and choosing it finds what choosing a key that nobody gave finds.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from archive.dossiers import visible_dossiers
from archive.models import Person
from search.engine import Filters
from search.entry import Bucket

FACET: Final = "dossier"
NO_KEY: Final = "\x00"  # stands in no index


def asked(filters: Filters, person: Person) -> Filters:
    """Return the chosen values with, for dossiers that a person may not know of, one that finds nothing."""
    chosen = filters.get(FACET, ())
    if not chosen:
        return filters
    keys = [key for key in chosen if "\x00" not in key]
    return _only(filters, set(visible_dossiers(person).filter(key__in=keys).values_list("key", flat=True)))


def among(filters: Filters, facets: Mapping[str, Iterable[Bucket]], chosen: Mapping[str, Collection[str]]) -> Filters:
    """Return the same after a search, when the dossiers that the person may know of have been named."""
    if not filters.get(FACET):
        return filters
    return _only(filters, {*(one.value for one in facets.get(FACET, ())), *chosen.get(FACET, ())})


def _only(filters: Filters, known: Collection[str]) -> Filters:
    kept = [key for key in filters[FACET] if key in known]
    return filters if len(kept) == len(filters[FACET]) else {**filters, FACET: kept or [NO_KEY]}
