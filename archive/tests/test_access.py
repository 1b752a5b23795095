from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import access, opening
from archive.models import Access, Clearance, PersonRole, Step
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action, allows
from archive.standing import standing
from archive.tests import world


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


@pytest.fixture
def records(make_record, make_draft):
    """Records of the three levels that have content, one of them still on the intake desk."""
    levels = [Level.THUONG, Level.THUONG, Level.MAT, Level.TOI_MAT]
    return [*(make_record(level=level) for level in levels), make_draft(), make_draft(level=Level.MAT)]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(dice=st.randoms(use_true_random=False))
def test_one_policy_in_every_form_of_the_question(office, records, dice):
    """may, opens, records (narrow, wide and few), count and rows answer alike for random people and records."""
    with transaction.atomic():
        drawn = world.draw(office, records, dice)
        for name in dice.sample(world.PEOPLE, 3):
            for day in (0, 2):
                check_forms(drawn, name, day)
            check_may(drawn, name)
        transaction.set_rollback(True)


def check_forms(drawn, name, day):
    """Compare every form of the scope of a person on a day with the policy by hand; steps are those of today."""
    pks = [record.pk for record in drawn.records]
    expected = {record.pk for index, record in enumerate(drawn.records) if world.may_know(drawn, name, index, day)}
    person, at = getattr(drawn.office, name), drawn.at(day)
    scope = access.visible_to(person, at=at)
    assert set(scope.opens(pks).values_list("pk", flat=True)) == expected, (name, day)
    assert set(opening.opened(scope, pks)) == expected
    assert set(scope.rows().values_list("record_id", flat=True)) == expected
    assert scope.count() == scope.capped(50) == len(expected)
    with pytest.MonkeyPatch.context() as patch:
        for narrow, few in ((access.NARROW, access.FEW), (access.NARROW, 0), (0, 0)):
            patch.setattr(access, "NARROW", narrow)
            patch.setattr(access, "FEW", few)
            found = access.visible_to(person, at=at).records()
            assert set(found.values_list("pk", flat=True)) == expected


def check_may(drawn, name):
    """Compare `may` with the policy by hand: visible, and the act within the post."""
    person = getattr(drawn.office, name)
    roles = standing(person, timezone.now()).roles
    for index, record in enumerate(drawn.records):
        known = world.may_know(drawn, name, index)
        for action in (Action.RECORD_READ, Action.GRANT, Action.DOSSIER_FILE):
            verdict = access.may(person, action, record)
            assert verdict.allowed == (known and allows(roles, action)), (name, index, action)
            assert verdict.hidden == (not known)
