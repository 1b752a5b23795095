"""Founds an office in an empty installation: the tree's root, the registry, the two founding people, what the law gives.

The administrator makes accounts and units, the security officer gives posts and scopes: with these two there,
everything else is made by acts, and no row of the office by SQL. What is written here is written once, in one act that
nobody in the office did; its entry puts every row under digests. `config.sample.founding` writes the sample office by
the same hand. Nothing here touches a record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import audit, naming, staffing, units, watched
from archive.models import Holiday, Person, PersonRole, Register, RetentionRule, Unit
from archive.rules.errors import Refusal
from archive.rules.roles import Action, Role
from config import law

REGISTRY_NAME: Final = "Văn thư"


class FoundedAlready(Refusal):
    """FND-001: an office is founded once."""

    code = "FND-001"
    message = _(
        "This installation has people or units already. An office is founded once; the administrator and the security "
        "officer make everything else."
    )


class OnePerson(Refusal):
    """FND-002: the two founding posts are never in one hand."""

    code = "FND-002"
    message = _("The administrator and the security officer must be two people: name two user names.")


@dataclass(frozen=True, slots=True)
class Founder:
    """One of the two founding people."""

    username: str
    full_name: str


def is_founded() -> bool:
    """Return whether this installation has an office already."""
    return Unit.objects.exists() or Person.objects.exists()


@transaction.atomic
def found(name: str, *, code: str, admin: Founder, security: Founder) -> dict[str, str]:
    """Found an office of this name; return the first password of each founding person by user name.

    Raises:
        FoundedAlready, OnePerson: as named.
        staffing.Incomplete, staffing.NameTaken, units.UnitIncomplete, units.CodeTaken: a name is missing or given twice.
    """
    if is_founded():
        raise FoundedAlready
    if admin.username.strip().casefold() == security.username.strip().casefold():
        raise OnePerson
    made = enter_units([(code, name, ""), (law.REGISTRY, REGISTRY_NAME, code)])
    people, passwords = [], {}
    for founder, role in ((admin, Role.ADMIN), (security, Role.SECURITY)):
        new = staffing.Newcomer(founder.username, founder.full_name, made[code])
        person, passwords[founder.username] = staffing.enter(new)
        PersonRole.objects.create(
            person=person, role=role, since=timezone.now(), basis=str(_("founding of the office"))
        )
        people.append(person)
    enter_law(made, rules=law.rules())
    write(profile="production", people=people)
    return passwords


def enter_units(plans: Iterable[tuple[str, str, str]]) -> dict[str, Unit]:
    """Write units given as (code, name, code of the unit above or ""), those above first; return them by code."""
    made: dict[str, Unit] = {}
    for code, name, above in plans:
        made[code] = units.enter(units.Called(code, name), under=made.get(above))
    return made


def enter_law(made: dict[str, Unit], *, rules: Sequence[law.Rule]) -> dict[str, RetentionRule]:
    """Write the books, the retention periods and the holidays of this year; return the periods in force by code."""
    for book in law.BOOKS:
        Register.objects.create(kind=book.kind, name=book.name, unit=made[book.unit])
    for day in law.holidays(timezone.localdate().year):
        Holiday.objects.create(day=day.day, name=day.name, basis=day.basis)
    entered: dict[str, RetentionRule] = {}
    for row in sorted(rules, key=lambda row: row.valid_from):
        entered[row.code] = RetentionRule.objects.create(
            code=row.code,
            title=row.title,
            kind=row.kind,
            years=row.years,
            basis=row.basis,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
    return entered


def write(*, profile: str, people: Sequence[Person]) -> None:
    """Write the entry of the founding: every row there is comes under a digest by it."""
    rows = [row for model in watched.WATCHED.values() for row in model._base_manager.all()]  # noqa: SLF001 - Django's API
    details = {"founded": profile, "people": len(people)}
    audit.write(Action.FOUND, actor=None, details=details, made=rows)
    naming.founded()
