import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from archive import access
from archive.models import Access, Clearance, PersonRole, Record, Step, UnitScope
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action, Role, allows
from archive.standing import standing

PEOPLE = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")


def hand_to(record, person, office, *, kind="lead"):
    step = Step.objects.create(
        record=record,
        order=record.steps.count() + 1,
        kind=kind,
        from_person=office.leader,
        to_person=person,
        created_at=timezone.now(),
    )
    access.derive(record)
    return step


def test_need_to_know_alone_opens_nothing_above_the_clearance(office, make_record):
    record = make_record(level=Level.TOI_MAT)
    hand_to(record, office.staff, office)
    assert access.may(office.staff, Action.RECORD_READ, record).hidden


def test_clearance_alone_opens_nothing_without_need_to_know(office, make_record):
    record = make_record(level=Level.MAT)
    assert access.may(office.staff, Action.RECORD_READ, record).hidden


def test_a_step_gives_need_to_know_and_its_end_ends_it(office, make_record):
    record = make_record(level=Level.MAT)
    step = hand_to(record, office.staff, office)
    assert access.may(office.staff, Action.RECORD_READ, record).allowed
    Step.objects.filter(pk=step.pk).update(state="done", closed_at=timezone.now())
    access.derive(record)
    assert access.may(office.staff, Action.RECORD_READ, record).hidden


def test_the_administrator_and_the_auditor_have_no_door_to_a_record(office, make_record):
    record = make_record()
    for person in (office.admin, office.auditor, office.security):
        assert access.may(person, Action.RECORD_READ, record).hidden


def test_a_clearance_that_ends_acts_at_once(office, make_record):
    record = make_record(level=Level.MAT)
    assert access.may(office.leader, Action.RECORD_READ, record).allowed
    Clearance.objects.filter(person=office.leader).update(until=timezone.now())
    assert access.may(office.leader, Action.RECORD_READ, record).hidden


def test_a_revoked_clearance_acts_at_once(office, make_record):
    record = make_record(level=Level.MAT)
    Clearance.objects.filter(person=office.leader).update(revoked_at=timezone.now())
    assert access.may(office.leader, Action.RECORD_READ, record).hidden


def test_a_person_without_a_role_sees_nothing(office, make_record):
    record = make_record()
    PersonRole.objects.filter(person=office.leader).update(until=timezone.now())
    assert access.may(office.leader, Action.RECORD_READ, record).hidden
    assert access.visible_to(office.leader).count() == 0


def test_a_grant_opens_one_record_from_its_start_to_its_end(office, make_record, later):
    record = make_record()
    access.grant(record, to=office.stranger, until=later(10), reason="Phối hợp kiểm tra", actor=office.leader)
    assert access.may(office.stranger, Action.RECORD_READ, record).allowed
    Access.objects.filter(record=record, source=access.Source.GRANT).update(until=access.minutes(timezone.now()))
    assert access.may(office.stranger, Action.RECORD_READ, record).hidden


def test_a_grant_that_starts_tomorrow_opens_nothing_today(office, make_record, later):
    record = make_record()
    access.grant(record, to=office.stranger, until=later(60 * 48), reason="x", actor=office.leader)
    Access.objects.filter(source=access.Source.GRANT).update(since=access.minutes(timezone.now() + timedelta(days=1)))
    assert access.visible_to(office.stranger).count() == 0
    assert access.may(office.stranger, Action.RECORD_READ, record).hidden


def test_nobody_grants_to_themselves(office, make_record, later):
    with pytest.raises(Forbidden):
        access.grant(make_record(), to=office.leader, until=later(5), reason="x", actor=office.leader)


def test_ending_a_grant_leaves_a_standing_reason_alone(office, make_record, later):
    record = make_record()
    hand_to(record, office.stranger, office)
    given = access.grant(record, to=office.stranger, until=later(5), reason="x", actor=office.leader)
    access.end_grant(given, actor=office.leader)
    assert access.may(office.stranger, Action.RECORD_READ, record).allowed


def test_hidden_and_missing_give_the_same_refusal(office, make_record):
    record = make_record(level=Level.MAT)
    answers = []
    for key in (record.key, "nothing-here"):
        with pytest.raises(Hidden) as refusal:
            access.open_record(office.stranger, Action.RECORD_READ, key)
        answers.append((refusal.value.code, str(refusal.value)))
    assert answers[0] == answers[1]


def test_hidden_and_missing_ask_the_same_number_of_queries(office, make_record, django_assert_num_queries):
    record = make_record(level=Level.MAT)
    counts = []
    for key in (record.key, "nothing-here"):
        before = len(connection.queries_log)
        connection.force_debug_cursor = True
        with pytest.raises(Hidden):
            access.open_record(office.stranger, Action.RECORD_READ, key)
        counts.append(len(connection.queries_log) - before)
    connection.force_debug_cursor = False
    assert counts[0] == counts[1]


def test_the_copies_of_level_and_marking_in_access_never_differ_from_the_record(office, make_record, make_draft):
    for level in (Level.THUONG, Level.MAT, Level.TOI_MAT):
        make_record(level=level)
        make_draft(level=level)
    assert Access.objects.exists()
    for row in Access.objects.select_related("record"):
        assert (row.level, row.marking) == (row.record.level, row.record.marking_id)


@pytest.mark.parametrize("seed", range(4))
def test_one_policy_in_every_form_of_the_question(office, make_record, make_draft, later, seed, monkeypatch):
    """may, opens, records (narrow, wide and few), count and rows answer alike for random people and records."""
    dice = random.Random(seed)
    people = [getattr(office, name) for name in PEOPLE]
    units = [office.command, office.registry, office.staff_unit, office.other_unit]
    for person in people:
        if dice.random() < 0.4:
            UnitScope.objects.create(person=person, unit=dice.choice(units), since=timezone.now())
        if dice.random() < 0.4:
            Clearance.objects.create(person=person, level=dice.randrange(3), since=timezone.now(), basis="x")
        if dice.random() < 0.3:
            PersonRole.objects.create(person=person, role=dice.choice(list(Role)), since=timezone.now())
    records = []
    for _ in range(8):
        level = Level(dice.randrange(3))
        record = make_record(level=level) if dice.random() < 0.8 else make_draft(level=level)
        Record.objects.filter(pk=record.pk).update(unit=dice.choice(units))
        record.refresh_from_db()
        access.derive(record)
        if dice.random() < 0.5:
            hand_to(record, dice.choice(people), office)
        records.append(record)
    for person in people:
        expected = {record.pk for record in records if by_hand(person, record, office)}
        scope = access.visible_to(person)
        assert {r.pk for r in records if access.may(person, Action.RECORD_READ, r).allowed} == {
            pk for pk in expected if allows(standing(person, timezone.now()).roles, Action.RECORD_READ)
        }
        assert set(scope.opens([r.pk for r in records]).values_list("pk", flat=True)) == expected
        assert scope.count() == len(expected)
        for narrow, few in ((access.NARROW, access.FEW), (access.NARROW, 0), (0, 0)):
            monkeypatch.setattr(access, "NARROW", narrow)
            monkeypatch.setattr(access, "FEW", few)
            assert set(access.visible_to(person).records().values_list("pk", flat=True)) == expected
            monkeypatch.undo()


def by_hand(person, record, office):
    """The policy once more, in plain words over plain rows."""
    now = timezone.now()
    roles = {row.role for row in PersonRole.objects.filter(person=person) if not row.until or row.until > now}
    levels = [row.level for row in Clearance.objects.filter(person=person)]
    if not roles or record.level > max([0, *levels]):
        return False
    scopes = [row.unit for row in UnitScope.objects.filter(person=person)]
    in_scope = any(record.unit.path.startswith(unit.path) for unit in scopes)
    if in_scope and (record.state not in {"draft", "returned"} or Role.CLERK in roles):
        return True
    steps = record.steps.filter(state__in=["open", "received", "answered"])
    return any(person.pk in (step.to_person_id, step.from_person_id) for step in steps)
