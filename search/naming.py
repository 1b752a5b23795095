"""Say by which name a hit was found that shows no mark: its dossier, its issuer, who signed it.

Free words are looked for in names as well as in the text. A reader who sees neither a
marked passage nor a marked subject would not know why the dispatch is in the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive import dossiers
from archive.models import DossierItem, Person, Record
from search import marking
from search.nodes import Query


@dataclass(frozen=True, slots=True)
class Name:
    """A name that answers the query: what it is the name of, and the spans to mark in it."""

    label: str | Promise
    text: str
    spans: Sequence[tuple[int, int]]


def names_of(query: Query, records: Sequence[Record], person: Person) -> dict[int, Name]:
    """Return, by the id of the record, the first of its names that answers the query.

    The person may see every record given. A dossier is named only to who may know of it,
    and, as in the index, only where it is not above the record.
    """
    if not records or not marking.patterns(query):
        return {}
    filed = _filed([record.pk for record in records if record.is_filed], person)
    found = ((record.pk, _first(query, _names(record, filed))) for record in records)
    return {pk: name for pk, name in found if name}


def _names(record: Record, filed: Mapping[int, str]) -> Iterable[tuple[str | Promise, str]]:
    yield _("Type"), record.type_name
    yield _("Issuer"), record.organ_name
    yield _("Signed by"), record.signer_name
    yield _("Dossier"), filed.get(record.pk, "")


def _first(query: Query, names: Iterable[tuple[str | Promise, str]]) -> Name | None:
    for label, text in names:
        if spans := marking.marks_in(query, text):
            return Name(label, text, spans)
    return None


def _filed(ids: Sequence[int], person: Person) -> dict[int, str]:
    """Return code and title of the dossier in which each record lies: the one that the index names."""
    if not ids:
        return {}
    told = DossierItem.objects.filter(
        record__in=ids, dossier__level__lte=F("record__level"), dossier__in=dossiers.visible_dossiers(person)
    )
    items = told.select_related("dossier").order_by("-filed_at")
    return {item.record_id: f"{item.dossier.code} {item.dossier.title}" for item in items}
