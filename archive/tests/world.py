"""Random offices for the tests of the policy: people, records and every dated reason, and the policy once more by hand.

The facts are kept as plain tuples beside the rows, so the answer by hand reads no
table that the policy reads. Days are whole days from now; None is "no end".
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from archive import access, audit, clearing, watched
from archive.models import (
    Clearance,
    ClearanceMark,
    Grant,
    Mark,
    MarkGroup,
    PersonRole,
    Record,
    Step,
    UnitScope,
)
from archive.rules.roles import APART, Action, Role

PEOPLE = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")
UNITS = ("command", "registry", "staff_unit", "other_unit")


@dataclass(frozen=True)
class Span:
    """From `since` until `until` (days from now), cut off at `ended`."""

    since: int
    until: int | None
    ended: int | None = None

    def holds(self, day: float) -> bool:
        """Return whether it counts on a day."""
        ends = [end for end in (self.until, self.ended) if end is not None]
        return self.since <= day and all(day < end for end in ends)


@dataclass
class World:
    """One drawn office."""

    office: Any
    records: list[Any]
    now: datetime = field(default_factory=timezone.now)
    roles: list[tuple[str, Role, Span]] = field(default_factory=list)
    cleared: list[tuple[str, int, frozenset[str], Span]] = field(default_factory=list)
    scopes: list[tuple[str, str, Span]] = field(default_factory=list)
    steps: list[tuple[int, str, str, str, Span]] = field(default_factory=list)
    grants: list[tuple[int, str, Span]] = field(default_factory=list)
    marks: dict[int, frozenset[str]] = field(default_factory=dict)
    units: dict[int, str] = field(default_factory=dict)

    def at(self, day: float | None) -> datetime | None:
        """Return the moment of a day."""
        return None if day is None else self.now + timedelta(days=day)


RULES = {"a1": ("a", "all"), "a2": ("a", "all"), "b1": ("b", "any"), "b2": ("b", "any")}


def draw(office: Any, records: list[Any], dice: random.Random) -> World:
    """Draw reasons, clearances, marks and posts over these records, and write their rows."""
    world = World(office, records)
    marks = {}
    for name, (group, rule) in RULES.items():
        into, _made = MarkGroup.objects.get_or_create(name=group, defaults={"rule": rule})
        marks[name] = Mark.objects.create(group=into, name=name)
    for name in PEOPLE:
        _draw_person(world, name, dice, marks)
    for index, record in enumerate(records):
        _draw_record(world, index, record, dice, marks)
    with transaction.atomic():  # an entry bears the rows out: the doors of dispatches ask for that
        rows = [row for model in watched.WATCHED.values() for row in model._base_manager.all()]
        audit.write(Action.UNIT_CHANGE, actor=None, made=rows)
    return world


def _span(dice: random.Random) -> Span:
    since = dice.choice((-9, -9, -9, -3, 1))
    until = dice.choice((None, None, 5, 1, -1))
    return Span(since, until if until is None or until > since else None)


def _ended(span: Span, dice: random.Random) -> Span:
    return Span(span.since, span.until, -1) if dice.random() < 0.2 and span.since < -1 else span


def _draw_person(world: World, name: str, dice: random.Random, marks: dict[str, Mark]) -> None:
    person = getattr(world.office, name)
    if dice.random() < 0.4:
        span, role = _span(dice), dice.choice(list(Role))
        world.roles.append((name, role, span))
        PersonRole.objects.create(person=person, role=role, since=world.at(span.since), until=world.at(span.until))
    for _each in range(dice.randrange(3)):
        span, level = _ended(_span(dice), dice), dice.randrange(4)
        held = frozenset(mark for mark in RULES if dice.random() < 0.4)
        world.cleared.append((name, level, held, span))
        row = Clearance.objects.create(
            person=person, level=level, since=world.at(span.since), until=world.at(span.until),
            revoked_at=world.at(span.ended), basis="QĐ",
        )  # fmt: skip
        ClearanceMark.objects.bulk_create(ClearanceMark(clearance=row, mark=marks[each]) for each in held)
    if dice.random() < 0.5:
        span, unit = _span(dice), dice.choice(UNITS)
        world.scopes.append((name, unit, span))
        UnitScope.objects.create(
            person=person, unit=getattr(world.office, unit), since=world.at(span.since), until=world.at(span.until)
        )


def _draw_record(world: World, index: int, record: Any, dice: random.Random, marks: dict[str, Mark]) -> None:
    world.units[index] = dice.choice(UNITS)
    world.marks[index] = frozenset(mark for mark in RULES if dice.random() < 0.25)
    marking = clearing.combination({marks[name].pk for name in world.marks[index]})
    Record.objects.filter(pk=record.pk).update(unit=getattr(world.office, world.units[index]), marking=marking)
    Record.objects.filter(pk=record.pk).update(
        created_at=world.at(-20), registered_at=None if record.state == "draft" else world.at(-20)
    )
    if dice.random() < 0.5:
        _draw_step(world, index, record, dice)
    if dice.random() < 0.6:
        name, span = dice.choice([each for each in PEOPLE if each != "leader"]), _ended(_span(dice), dice)
        span = Span(span.since, 5 if span.until is None else span.until, span.ended)
        world.grants.append((index, name, span))
        Grant.objects.create(
            record=record, person=getattr(world.office, name), since=world.at(span.since), until=world.at(span.until),
            ended_at=world.at(span.ended), reason="x", granted_by=world.office.leader,
        )  # fmt: skip
    record.refresh_from_db()
    access.derive(record)


def _draw_step(world: World, index: int, record: Any, dice: random.Random) -> None:
    kind, giver = dice.choice(("lead", "inform")), dice.choice(PEOPLE)
    to = dice.choice(PEOPLE + UNITS)
    span = Span(-8, None, dice.choice((None, None, -2)))
    world.steps.append((index, kind, giver, to, span))
    receiver = {"to_person": getattr(world.office, to)} if to in PEOPLE else {"to_unit": getattr(world.office, to)}
    closed = span.ended is not None
    Step.objects.create(
        record=record, order=1, kind=kind, from_person=getattr(world.office, giver), created_at=world.at(span.since),
        state="done" if closed else "open", closed_at=world.at(span.ended), **receiver,
    )  # fmt: skip


def may_know(world: World, name: str, index: int, day: float = 0) -> bool:
    """The policy once more, in plain words over plain facts: may this person know of this record on a day."""
    record = world.records[index]
    roles = {FIRST[name], *(role for who, role, span in world.roles if who == name and span.holds(day))}
    if roles & APART:
        return False
    live = [(level, held) for who, level, held, span in world.cleared if who == name and span.holds(day)]
    if record.level > max([BORN[name], *(level for level, _held in live)]):
        return False
    held = frozenset().union(*(marks for _level, marks in live))
    if not _opens(world.marks[index], held):
        return False
    return _has_reason(world, name, index, day, roles)


def _opens(wanted: frozenset[str], held: frozenset[str]) -> bool:
    for group, rule in set(RULES.values()):
        asked = {mark for mark in wanted if RULES[mark][0] == group}
        enough = asked <= held if rule == "all" else bool(asked & held)
        if asked and not enough:
            return False
    return True


def _has_reason(world: World, name: str, index: int, day: float, roles: set[Role]) -> bool:
    scopes = {unit for who, unit, span in world.scopes if who == name and span.holds(day)}
    if name in HOME:
        scopes.add(HOME[name])
    units = set(UNITS) if "command" in scopes else scopes
    on_desk = world.records[index].state == "draft"
    if world.units[index] in units and (not on_desk or Role.CLERK in roles):
        return True
    for step, kind, giver, to, span in world.steps:
        if step == index and span.holds(day) and (to == name or to in units or (kind == "lead" and giver == name)):
            return True
    return any(on == index and to == name and span.holds(day) for on, to, span in world.grants)


FIRST = dict(zip(PEOPLE, (*list(Role), Role.STAFF), strict=True))  # as the test office founds them
BORN = dict(zip(PEOPLE, (2, 2, 1, 1, 0, 0, 0, 0), strict=True))
HOME = {
    "clerk": "registry",
    "leader": "command",
    "staff": "staff_unit",
    "archivist": "command",
    "stranger": "other_unit",
}
