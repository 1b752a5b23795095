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

from archive.models import Clearance, Person, PersonRole, RecordClass, RetentionRule, Unit, UnitScope
from config import founding
from config.sample import office

SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)


@transaction.atomic
def found() -> None:
    """Write units, people with roles, clearances and scopes, registers, file plan and holidays."""
    units = founding.enter_units([(plan.code, plan.name, plan.parent) for plan in office.UNITS])
    people = _people(units)
    _clearances(people)
    rules = founding.enter_law(units, rules=office.rules())
    _plan(rules)
    founding.write(profile="evaluation", people=list(people.values()))


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


def _plan(rules: dict[str, RetentionRule]) -> None:
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
