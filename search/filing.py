"""Which dossiers a reader may know of: the engine knows who sees a dispatch, not who sees the dossier it lies in.

A dossier of another unit may hold a dispatch that the reader has in hand. It is then no
value of the facet, and choosing it finds what choosing a key that nobody gave finds. The
chosen are checked before the engine is asked: what it would answer is never known then.
"""

from collections.abc import Iterable
from typing import Final

from django.db.models import QuerySet

from archive.dossiers import visible_dossiers
from archive.models import Dossier, Person
from search.engine import Filters

FACET: Final = "dossier"
NO_KEY: Final = "\x00"  # stands in no index


def chosen(filters: Filters, person: Person) -> QuerySet[Dossier]:
    """Return those of the chosen dossiers that a person may know of."""
    keys = [key for key in filters.get(FACET, ()) if "\x00" not in key]
    return visible_dossiers(person).filter(key__in=keys)


def asked(filters: Filters, person: Person) -> Filters:
    """Return the chosen values with, for dossiers that a person may not know of, one that finds nothing."""
    return only(filters, chosen(filters, person).values_list("key", flat=True)) if filters.get(FACET) else filters


def only(filters: Filters, known: Iterable[str]) -> Filters:
    """Return the same when it has been read which of the chosen dossiers the person may know of."""
    known, keys = set(known), filters.get(FACET, ())
    kept = [key for key in keys if key in known]
    return filters if len(kept) == len(keys) else {**filters, FACET: kept or [NO_KEY]}
