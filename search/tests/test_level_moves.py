"""A level that moves takes everything along: after each act, database, policy by hand and engine agree for everybody."""

import random

import pytest
from django.utils import timezone

from archive import access
from archive.leveling import acts
from archive.leveling.moving import Order
from archive.models import ChangeKind, Clearance, Grant, Mark, PersonRole, UnitScope
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.tests import world
from config.tests.office import borne_out
from search.finding import engine as the_engine
from search.finding import terms_of
from search.tests.make import ask

ORDER = ("Chỉ huy trưởng", "QĐ 45/QĐ-BCH")
WAYS = {0: [(ChangeKind.RAISE, 1), (ChangeKind.RAISE, 2)], 1: [(ChangeKind.RAISE, 2), (ChangeKind.DECLASSIFY, 0)],
        2: [(ChangeKind.LOWER, 1), (ChangeKind.DECLASSIFY, 0)]}  # fmt: skip


def change(office, record, dice):
    """Try a change by whoever may know of the record; return whether it was made."""
    kind, to = dice.choice(WAYS[record.level])
    order = Order(*ORDER, timezone.localdate(), "x")
    try:
        wish = acts.propose(record, kind=kind, to=Level(to), order=order, actor=office.clerk)
        acts.confirm(wish, actor=office.leader)
    except Refusal:
        return False
    finally:
        record.refresh_from_db()
    return True


@pytest.mark.parametrize("seed", range(3))
def test_every_form_of_the_policy_agrees_after_a_change_of_level(office, make_record, indexed, seed):
    dice = random.Random(seed)
    records = [make_record(level=level) for level in (Level.THUONG, Level.THUONG, Level.MAT, Level.TOI_MAT)]
    drawn, moved = world.draw(office, records, dice), 0
    deciders(office, drawn)
    for record in records:
        moved += change(office, record, dice)
        moved += change(office, record, dice)
    assert moved == 2 * len(records)
    drawn.grants = [(index, name, span) for index, name, span in drawn.grants if still(office, records[index], name)]
    indexed()
    for name in world.PEOPLE:
        person = getattr(office, name)
        expected = {record.pk for index, record in enumerate(records) if world.may_know(drawn, name, index)}
        scope, terms = access.visible_to(person), terms_of(person)
        assert {hit.id for hit in ask(the_engine(), "", terms).hits} == expected, name
        assert the_engine().count(terms) == len(expected), name
        assert set(scope.records().values_list("pk", flat=True)) == expected, name
        assert set(scope.opens([record.pk for record in records]).values_list("pk", flat=True)) == expected, name
        assert scope.count() == len(expected), name
        allowed = {record.pk for record in records if not access.may(person, Action.RECORD_READ, record).hidden}
        assert allowed == expected, name


def deciders(office, drawn):
    """Let clerk and leader hold every mark and the whole command, in the rows and in the facts beside them."""
    span = world.Span(-9, None)
    for name in ("clerk", "leader"):
        person = getattr(office, name)
        PersonRole.objects.filter(person=person).exclude(role=world.FIRST[name]).delete()
        row = Clearance.objects.create(person=person, level=2, since=drawn.at(-9), basis="QĐ")
        row.marks.add(*Mark.objects.all())
        UnitScope.objects.create(person=person, unit=office.command, since=drawn.at(-9))
        drawn.cleared.append((name, 2, frozenset(world.RULES), span))
        drawn.scopes.append((name, "command", span))
    drawn.roles = [each for each in drawn.roles if each[0] not in {"clerk", "leader"}]
    borne_out()


def still(office, record, name):
    """Whether an opening by name was not ended by a raise."""
    return Grant.objects.filter(record=record, person=getattr(office, name), ended_at__isnull=True).exists()
