"""Clearances: given by somebody else, ended at once, never changed behind anybody's back; compartments."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from archive import access, clearing
from archive.clearing import Decision
from archive.models import AuditEntry, Clearance, Marking, PersonRole
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.standing import clearance
from config.tests.office import LONG_AGO

DAY = timedelta(days=1)


def decision(level=Level.MAT, *, days=365, **changed):
    now = timezone.now()
    given = {"level": level, "since": now - DAY, "until": now + days * DAY, "basis": "QĐ 12/QĐ-BCH", "reason": "Trực"}
    return Decision(**given | changed)


def give(office, to, **wanted):
    return clearing.give(decision(**wanted), to=to, actor=office.security)


@pytest.fixture
def marks(office):
    """Two marks of a group of which all are asked, two of a group of which one is enough."""
    made = {}
    for group, rule in (("all", "all"), ("any", "any")):
        for number in (1, 2):
            name = f"{group}{number}"
            made[name] = clearing.add_mark(name, group=group, rule=rule, actor=office.security)
    return made


def test_a_clearance_is_given_with_its_decision_and_told(office, last_entry):
    given = give(office, office.stranger)
    assert clearance(office.stranger, timezone.now()) == Level.MAT
    assert (given.granted_by, given.basis, given.reason) == (office.security, "QĐ 12/QĐ-BCH", "Trực")
    entry = last_entry()
    assert (entry.action, entry.object_type, entry.object_id) == ("clearance.give", "person", str(office.stranger.pk))
    assert entry.detail.payload["level"] == "mat"


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "admin", "stranger"])
def test_nobody_but_the_security_officer_gives_a_clearance(office, name):
    with pytest.raises(Forbidden):
        clearing.give(decision(), to=office.staff, actor=getattr(office, name))


def test_nobody_clears_themselves_not_even_in_the_database(office):
    with pytest.raises(Forbidden):
        give(office, office.security)
    with pytest.raises(IntegrityError), transaction.atomic():
        Clearance.objects.create(
            person=office.security, granted_by=office.security, level=1, since=timezone.now(), basis="x"
        )


def test_the_administrator_has_no_clearance(office):
    with pytest.raises(clearing.NotForTheMachine):
        give(office, office.admin)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"basis": " "}, clearing.NoBasis),
        ({"reason": ""}, clearing.NoBasis),
        ({"days": -1}, clearing.WrongPeriod),
    ],
)
def test_a_clearance_without_a_basis_or_an_end_to_come_is_refused(office, changed, refusal):
    with pytest.raises(refusal):
        give(office, office.stranger, **changed)
    assert not Clearance.objects.filter(person=office.stranger).exists()


def test_a_clearance_of_tomorrow_opens_nothing_today(office):
    give(office, office.stranger, since=timezone.now() + DAY)
    assert clearance(office.stranger, timezone.now()) == Level.THUONG
    assert clearance(office.stranger, timezone.now() + 2 * DAY) == Level.MAT


def test_a_clearance_is_revoked_at_once_with_a_reason(office, make_record):
    record = make_record(level=Level.MAT)
    assert access.may(office.leader, Action.RECORD_READ, record).allowed
    held = Clearance.objects.get(person=office.leader)
    with pytest.raises(clearing.NoBasis):
        clearing.revoke(held, reason=" ", actor=office.security)
    ended = clearing.revoke(held, reason="Chuyển công tác", actor=office.security)
    assert (ended.ended_by, ended.end_reason) == (office.security, "Chuyển công tác")
    assert access.may(office.leader, Action.RECORD_READ, record).hidden
    for act in (clearing.revoke,):
        with pytest.raises(clearing.ClearanceOver):
            act(held, reason="x", actor=office.security)


def test_a_clearance_is_made_shorter_and_never_longer(office):
    given = give(office, office.stranger)
    with pytest.raises(clearing.NotShorter):
        clearing.shorten(given, until=given.until + DAY, reason="x", actor=office.security)
    clearing.shorten(given, until=given.until - DAY, reason="Hết nhiệm vụ", actor=office.security)
    assert Clearance.objects.get(pk=given.pk).until == given.until - DAY


def test_an_extension_is_a_row_of_its_own_with_the_same_marks(office, marks):
    given = give(office, office.stranger, marks=(marks["all1"],))
    with pytest.raises(clearing.NotLonger):
        clearing.extend(given, until=given.until, basis="QĐ 13", reason="x", actor=office.security)
    longer = clearing.extend(given, until=given.until + DAY, basis="QĐ 13", reason="Tiếp tục", actor=office.security)
    assert (longer.since, longer.level, list(longer.marks.all())) == (given.until, given.level, [marks["all1"]])
    assert Clearance.objects.get(pk=given.pk).until == given.until


@pytest.mark.parametrize(
    "changed",
    [
        {"level": 3},
        {"since": LONG_AGO},
        {"until": None},
        {"until": "2099-01-01T00:00Z"},
        {"basis": "x"},
        {"granted_by": None},
    ],
)
def test_the_database_refuses_to_change_a_clearance(office, changed):
    given = give(office, office.stranger)
    with pytest.raises(DatabaseError, match="only end earlier"), transaction.atomic():
        Clearance.objects.filter(pk=given.pk).update(**changed)


def test_the_database_refuses_to_take_a_clearance_back_into_force_or_away(office, marks):
    given = give(office, office.stranger, marks=(marks["all1"],))
    clearing.revoke(given, reason="x", actor=office.security)
    for act in (
        lambda: Clearance.objects.filter(pk=given.pk).update(revoked_at=None),
        lambda: Clearance.marks.through.objects.filter(clearance=given).delete(),
        lambda: Clearance.objects.filter(person=office.leader).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_an_auditor_or_administrator_with_another_post_has_no_door_either(office, make_record):
    record = make_record()
    assert access.may(office.leader, Action.RECORD_READ, record).allowed
    for apart in (Role.AUDITOR, Role.ADMIN):
        row = PersonRole.objects.create(person=office.leader, role=apart, since=LONG_AGO)
        assert access.may(office.leader, Action.RECORD_READ, record).hidden
        assert access.visible_to(office.leader).count() == 0
        row.delete()


@pytest.mark.parametrize(
    ("held", "set_on", "opens"),
    [
        ((), ("all1",), False),
        (("all1",), ("all1",), True),
        (("all1",), ("all1", "all2"), False),
        (("all1", "all2"), ("all1", "all2"), True),
        (("any1",), ("any1", "any2"), True),
        (("any1",), ("any2",), False),
        (("all1", "any2"), ("all1", "any1", "any2"), True),
        (("any2",), ("all1", "any1", "any2"), False),
    ],
)
def test_marks_open_all_or_any_of_their_group(office, make_record, marks, held, set_on, opens):
    record = make_record()
    give(office, office.leader, marks=tuple(marks.values()))
    clearing.mark(record, marks=[marks[name] for name in set_on], reason="Chuyên án", actor=office.leader)
    assert access.may(office.archivist, Action.RECORD_READ, record).hidden
    give(office, office.archivist, level=Level.THUONG, marks=tuple(marks[name] for name in held))
    assert access.may(office.archivist, Action.RECORD_READ, record).allowed is opens


def test_marks_are_set_and_taken_off_by_their_holders_alone(office, make_record, marks):
    record = make_record()
    with pytest.raises(clearing.NotWithinOwnMarks):
        clearing.mark(record, marks=[marks["all1"]], reason="x", actor=office.leader)
    given = give(office, office.leader, marks=(marks["all1"], marks["any1"]))
    clearing.mark(record, marks=[marks["all1"]], reason="x", actor=office.leader)
    clearing.mark(record, marks=[marks["all1"], marks["any1"]], reason="x", actor=office.leader)
    assert Marking.objects.count() == 3
    clearing.revoke(given, reason="x", actor=office.security)
    with pytest.raises(Hidden):
        clearing.mark(record, marks=[], reason="x", actor=office.leader)


def test_a_mark_is_named_once(office, marks):
    with pytest.raises(clearing.MarkKnown):
        clearing.add_mark("all1", group="other", rule="any", actor=office.security)


def test_a_grant_needs_clearance_reason_and_an_end_to_come(office, make_record, later):
    record = make_record(level=Level.MAT)
    wanted = {"to": office.stranger, "until": later(60), "reason": "Phối hợp", "actor": office.leader}
    with pytest.raises(access.NotCleared):
        access.grant(record, **wanted)
    give(office, office.stranger)
    with pytest.raises(access.GrantPast):
        access.grant(record, **wanted | {"until": later(-1)})
    with pytest.raises(access.NoReason):
        access.grant(record, **wanted | {"reason": " "})
    access.grant(record, **wanted)
    assert access.may(office.stranger, Action.RECORD_READ, record).allowed
    assert AuditEntry.objects.filter(action="access.grant", outcome="ok").count() == 1
