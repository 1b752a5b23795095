"""Which dossiers a reader may know of: the engine knows who sees a dispatch, not who sees the dossier it lies in.

A dossier of another unit may hold a dispatch that the reader has in hand. It is then no
value of the facet, and choosing it finds what choosing a key that nobody gave finds.
"""

from typing import Final

from archive.dossiers import visible_dossiers
from archive.models import Person
from search.engine import Filters

FACET: Final = "dossier"
NO_KEY: Final = "\x00"  # stands in no index


def asked(filters: Filters, person: Person) -> Filters:
    """Return the chosen values with, for dossiers that a person may not know of, one that finds nothing."""
    chosen = filters.get(FACET, ())
    if not chosen:
        return filters
    keys = [key for key in chosen if "\x00" not in key]
    known = set(visible_dossiers(person).filter(key__in=keys).values_list("key", flat=True))
    return {**filters, FACET: [key for key in chosen if key in known] or [NO_KEY]}
