"""Who may know of a record and on what ground, in words: for the page of a record that its reader has opened."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.access import DESK, PERSON, ROLE, visible_to
from archive.models import FOREVER, Access, Person, Record, Source, Unit
from archive.rules.roles import Role


@dataclass(frozen=True, slots=True)
class Reader:
    """One ground of need-to-know as the "who may see this?" box shows it."""

    name: str
    ground: str | Promise
    until: datetime | None = None
    is_you: bool = False


GROUNDS: Final[dict[int, Promise]] = {
    Source.OWNER: _("owning unit"),
    Source.ADDRESSEE: _("addressee"),
    Source.STEP: _("has it in hand"),
    Source.GRANT: _("granted"),
}


def readers(record: Record, person: Person) -> list[Reader]:
    """Return by which grounds a record may be known, those of the person asking first."""
    mine = set(visible_to(person).principals)
    rows = Access.objects.filter(record=record).annotate(unit=_unit_name(), person=_person_name())
    shown = [_reader(row, is_you=row.principal in mine) for row in rows]
    return sorted(shown, key=lambda reader: (not reader.is_you, reader.name))


def _unit_name() -> Subquery:
    return Subquery(Unit.objects.filter(pk=OuterRef("principal") % PERSON).order_by().values("name")[:1])


def _person_name() -> Subquery:
    return Subquery(Person.objects.filter(pk=OuterRef("principal") - PERSON).order_by().values("full_name")[:1])


def _reader(row: Any, *, is_you: bool) -> Reader:
    until = None if row.until == FOREVER else datetime.fromtimestamp(row.until * 60, tz=UTC)
    return Reader(_principal_name(row), GROUNDS[row.source], until, is_you)


def _principal_name(row: Any) -> str:
    """Return the name of the unit, person or role behind the principal of an annotated row."""
    if row.principal >= DESK:
        return str(_("Intake desk of %(unit)s") % {"unit": row.unit})
    if row.principal >= ROLE:
        return str(Role(row.principal - ROLE).label)
    return str(row.person if row.principal >= PERSON else row.unit)
