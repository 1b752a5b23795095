"""Say by which name a hit was found that shows no mark: its type, its issuer, who signed it.

Free words are looked for in names as well as in the text. A reader who sees neither a
marked passage nor a marked subject would not know why the dispatch is in the list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.opening import Shown
from search import marking
from search.marking import Pattern
from search.nodes import Query


@dataclass(frozen=True, slots=True)
class Name:
    """A name that answers the query: what it is the name of, and the spans to mark in it."""

    label: str | Promise
    text: str
    spans: Sequence[tuple[int, int]]


def names_of(query: Query, records: Sequence[Shown]) -> dict[int, Name]:
    """Return, by the id of the record, the first of its names that answers the query. The reader may see every record given."""
    looked_for = marking.patterns(query, field="subject")
    if not records or not looked_for:
        return {}
    found = ((record.pk, _first(looked_for, _names(record))) for record in records)
    return {pk: name for pk, name in found if name}


def _names(record: Shown) -> Iterable[tuple[str | Promise, str]]:
    yield _("Type"), record.type_name
    yield _("Issuer"), record.organ_name
    yield _("Signed by"), record.signer_name


def _first(looked_for: Sequence[Pattern], names: Iterable[tuple[str | Promise, str]]) -> Name | None:
    for label, text in names:
        if spans := marking.marks(looked_for, text):
            return Name(label, text, spans)
    return None
