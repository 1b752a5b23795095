"""Which dossiers a reader may know of: the engine knows who sees a dispatch, not who sees the dossier it lies in.

A dossier of another unit may hold a dispatch that the reader has in hand. Its name is
then no value of the facet, and choosing it finds what choosing a name that nobody gave finds.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from archive.dossiers import visible_dossiers
from archive.models import Person
from search.engine import Filters
from search.entry import Bucket
from search.text import vi_clean

FACET: Final = "dossier"
LONGEST_CODE: Final = 40
NO_NAME: Final = "\x00"  # stands in no index


def told(facets: Mapping[str, tuple[Bucket, ...]], person: Person) -> Mapping[str, tuple[Bucket, ...]]:
    """Return the facets without the dossiers that a person may not know of."""
    buckets = facets.get(FACET, ())
    if not buckets:
        return facets
    known = _known((bucket.value for bucket in buckets), person)
    return {**facets, FACET: tuple(bucket for bucket in buckets if bucket.value in known)}


def asked(filters: Filters, person: Person) -> Filters:
    """Return the chosen values with, for dossiers that a person may not know of, one that finds nothing."""
    chosen = filters.get(FACET, ())
    if not chosen:
        return filters
    known = _known(chosen, person)
    return {**filters, FACET: [value for value in chosen if value in known] or [NO_NAME]}


def _known(values: Iterable[str], person: Person) -> set[str]:
    """Return those of the values, code and title in one, that name a dossier the person may know of."""
    wanted = set(values)
    codes = {value[:place] for value in wanted for place, sign in enumerate(value[: LONGEST_CODE + 1]) if sign == " "}
    rows = visible_dossiers(person).filter(code__in=codes).values_list("code", "title")
    return wanted & {vi_clean(f"{code} {title}") for code, title in rows}
