"""Writes the sample office into an empty installation: units, people, registers, file plan, holidays.

Founding is done once and only in the evaluation profile; every row is the plain data
of `config.sample.office`. Nothing here touches a record.
"""

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from archive import audit
from archive.models import (
    Clearance,
    Holiday,
    Person,
    PersonRole,
    RecordClass,
    Register,
    RetentionRule,
    Unit,
    UnitScope,
)
from archive.rules.roles import Action
from config.sample import office

SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)


def is_founded() -> bool:
    """Return whether this installation has an office already."""
    return Unit.objects.exists()


@transaction.atomic
def found() -> None:
    """Write units, people with roles, clearances and scopes, registers, file plan and holidays."""
    units = _units()
    people = _people(units)
    _clearances(people)
    for book in office.BOOKS:
        Register.objects.create(kind=book.kind, name=book.name, unit=units[book.unit])
    _plan()
    for day in office.holidays(timezone.localdate().year):
        Holiday.objects.create(day=day.day, name=day.name, basis=day.basis)
    given = [*PersonRole.objects.all(), *UnitScope.objects.all(), *Clearance.objects.all()]
    audit.write(Action.UNIT_CHANGE, actor=None, details={"founded": "evaluation", "people": len(people)}, rows=given)


def _units() -> dict[str, Unit]:
    made: dict[str, Unit] = {}
    for plan in office.UNITS:
        above = made.get(plan.parent)
        unit = Unit.objects.create(code=plan.code, name=plan.name, parent=above, path=f"new:{plan.code}")
        unit.path = f"{above.path if above else '/'}{unit.pk}/"
        unit.save(update_fields=["path"])
        made[plan.code] = unit
    return made


def _people(units: dict[str, Unit]) -> dict[str, Person]:
    password = make_password(settings.DEMO_PASSWORD)  # one hashing for all: argon2 is slow on purpose
    made = {}
    for plan in office.PEOPLE:
        person = Person.objects.create(
            username=plan.username,
            full_name=plan.full_name,
            title=plan.title,
            unit=units[plan.unit],
            password=password,
        )
        for role in plan.roles:
            PersonRole.objects.create(person=person, role=role, since=SINCE)
        if plan.scope:
            UnitScope.objects.create(person=person, unit=units[plan.scope], since=SINCE)
        made[plan.username] = person
    return made


def _clearances(people: dict[str, Person]) -> None:
    for plan in office.PEOPLE:
        if plan.clearance is not None:
            Clearance.objects.create(
                person=people[plan.username],
                level=plan.clearance,
                since=SINCE,
                basis=office.CLEARANCE_BASIS,
                granted_by=people["security"],
            )


def _plan() -> None:
    rules: dict[str, RetentionRule] = {}
    for row in office.rules():
        rules[row.code] = RetentionRule.objects.create(
            code=row.code,
            title=row.title,
            kind=row.kind,
            years=row.years,
            basis=row.basis,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
    lines: dict[str, RecordClass] = {}
    for line in office.FILE_PLAN:
        lines[line.code] = RecordClass.objects.create(
            code=line.code,
            title=line.title,
            parent=lines.get(line.parent),
            rule=rules.get(line.rule),
            year=timezone.localdate().year,
            keeper=line.keeper,
        )
