"""A row put in or changed by SQL opens no dispatch, from that moment on; what acts left opens it as before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import access, clearing, explaining, warrants
from archive.models import (
    Access,
    AuditEntry,
    Clearance,
    ClearanceMark,
    Grant,
    MarkRule,
    PersonRole,
    Record,
    Source,
    Step,
)
from archive.routing import acts
from archive.routing.moving import Task
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.rules.steps import Kind
from config import status
from config.tests.office import LONG_AGO, borne_out, fence_lifted

SECRET = Level.MAT


def shut(person, record, action=Action.RECORD_READ):
    with pytest.raises(warrants.NotBorneOut) as refusal:
        access.open_record(person, action, record.key)
    return refusal.value.told["rows"]


def is_open(person, record):
    return access.open_record(person, Action.RECORD_READ, record.key).pk == record.pk


@pytest.fixture
def secret(office, make_record):
    record = make_record(level=SECRET)
    acts.forward(record, Task(office.staff_unit, Kind.INFORM), actor=office.clerk)
    return record


def test_what_acts_left_opens_a_classified_dispatch(office, secret):
    for person in (office.clerk, office.leader, office.staff):
        assert is_open(person, secret)
    access.require(office.leader, Action.STEP_DIRECT, secret)


def test_a_clearance_put_in_by_sql_opens_nothing_at_once(office, secret, signed_in):
    Clearance.objects.filter(person=office.staff).update(revoked_at=LONG_AGO)
    forged = Clearance.objects.create(person=office.staff, level=3, since=LONG_AGO, basis="không")
    assert f"clearance {forged.pk}" in shut(office.staff, secret)
    answer = signed_in("staff").get(f"/records/{secret.key}/")
    assert answer.status_code == 409
    assert "ACC-006" in answer.content.decode()
    entry = AuditEntry.objects.filter(outcome="denied").latest("ts")
    assert entry.detail.payload["code"] == "ACC-006"
    assert f"clearance {forged.pk}" in entry.detail.payload["rows"]
    assert status.facts()["doors_shut"] == 1
    assert "cơ sở dữ liệu bị sửa" in signed_in("admin").get("/machine/status/").content.decode()
    with pytest.raises(warrants.NotBorneOut):
        access.require(office.staff, Action.STEP_RECEIVE, secret)


def test_why_says_no_where_the_door_says_no_and_names_the_row(office, secret, signed_in):
    asked = f"/records/{secret.key}/why/?person={office.staff.pk}"
    answer = explaining.why(office.staff, secret)
    assert answer.allowed
    assert answer.conditions[-1].is_met
    Clearance.objects.filter(person=office.staff).update(revoked_at=LONG_AGO)
    forged = Clearance.objects.create(person=office.staff, level=3, since=LONG_AGO, basis="không")
    assert access.may(office.staff, Action.RECORD_READ, secret).allowed  # the policy alone is deceived
    answer = explaining.why(office.staff, secret)
    assert not answer.allowed
    assert [each.is_met for each in answer.conditions] == [True] * 5 + [False]
    page = signed_in("leader").get(asked).content.decode()
    assert "Không được mở văn bản này" in page
    assert f"ACC-006): quyền xem độ mật {forged.pk}, không có quyền xem độ mật" in page


def test_why_of_who_is_not_let_in_by_the_policy_does_not_ask_the_log(office, secret):
    Clearance.objects.create(person=office.stranger, level=3, since=LONG_AGO, basis="không")
    answer = explaining.why(office.stranger, secret)
    assert not answer.allowed
    assert len(answer.conditions) == 5


def test_a_clearance_made_longer_or_higher_by_sql_opens_nothing(office, secret):
    with fence_lifted():
        Clearance.objects.filter(person=office.staff).update(end_reason="x")
    assert "no clearance" in shut(office.staff, secret)
    assert is_open(office.leader, secret)


def test_a_level_lowered_by_sql_opens_the_dispatch_to_nobody(office, secret):
    Record.objects.filter(pk=secret.pk).update(level=0)
    Access.objects.filter(record=secret).update(level=0)
    for person in (office.clerk, office.leader, office.staff):
        assert shut(person, secret) == [f"record {secret.key}"]


def test_a_dispatch_at_the_lowest_level_that_changed_its_unit_by_sql_stays_closed(office, make_record):
    record = make_record()
    Record.objects.filter(pk=record.pk).update(signer_name="khác")
    assert is_open(office.clerk, record)  # the nightly look names this; it decides about nothing
    Record.objects.filter(pk=record.pk).update(unit=office.other_unit)
    Access.objects.filter(record=record).update(principal=office.other_unit.pk)
    assert shut(office.stranger, record) == [f"record {record.key}"]


def test_an_opening_put_in_by_sql_opens_nothing(office, secret):
    borne_out_clearance(office.stranger)
    Grant.objects.create(
        record=secret, person=office.stranger, since=LONG_AGO, until=timezone.now().replace(year=2099),
        reason="không", granted_by=office.leader,
    )  # fmt: skip
    access.derive(secret)
    assert "no need-to-know" in shut(office.stranger, secret)


def test_a_row_of_need_to_know_alone_opens_nothing(office, secret):
    borne_out_clearance(office.stranger)
    for source in (Source.OWNER, Source.STEP):
        Access.objects.create(
            record=secret, principal=access.PERSON + office.stranger.pk, source=source, level=secret.level, marking=1
        )
        assert "no need-to-know" in shut(office.stranger, secret)


def test_a_true_opening_opens_and_its_end_moved_by_sql_does_not(office, secret, later):
    borne_out_clearance(office.stranger)
    given = access.grant(secret, to=office.stranger, until=later(60), reason="Phối hợp", actor=office.leader)
    assert is_open(office.stranger, secret)
    with fence_lifted():
        Grant.objects.filter(pk=given.pk).update(until=later(999))
    access.derive(secret)
    assert f"grant {given.pk}" in shut(office.stranger, secret)


def test_a_post_put_in_by_sql_does_no_act(office, secret):
    PersonRole.objects.create(person=office.staff, role=Role.LEADER, since=LONG_AGO)
    with pytest.raises(warrants.NotBorneOut):
        access.require(office.staff, Action.GRANT, secret)


def test_a_mark_put_on_a_clearance_by_sql_opens_nothing(office, secret):
    mark = clearing.add_mark("Cơ yếu", group="Ngành", rule=MarkRule.ALL, actor=office.security)
    held = clearing.Decision(SECRET, timezone.now(), None, "QĐ 3", "Nhiệm vụ", (mark,))
    clearing.give(held, to=office.leader, actor=office.security)
    clearing.mark(secret, marks=[mark], reason="Cơ yếu", actor=office.leader)
    assert is_open(office.leader, secret)
    ClearanceMark.objects.create(clearance=Clearance.objects.get(person=office.clerk), mark=mark)
    assert "no marks" in shut(office.clerk, secret)
    mark.group.rule = MarkRule.ANY
    mark.group.save()
    assert shut(office.leader, secret) == ["no marks"]


def test_the_look_takes_two_queries_more_and_one_where_the_dispatch_brings_its_files_along(office, secret, make_record):
    plain = make_record()
    for record, brought in ((secret, 1), (plain, 0)):
        with CaptureQueriesContext(connection) as asked:
            warrants.require(office.leader, Action.RECORD_READ, record, timezone.now())
        assert len(asked) == 2
        with_all = warrants.with_digest(Record.objects.filter(pk=record.pk)).get()
        with CaptureQueriesContext(connection) as asked:
            warrants.require(office.leader, Action.RECORD_READ, with_all, timezone.now())
        assert len(asked) == brought


def test_a_receiver_of_a_step_needs_no_scope_over_the_owning_unit(office, secret):
    assert Step.objects.filter(record=secret, to_unit=office.staff_unit).exists()
    assert is_open(office.staff, secret)


def borne_out_clearance(person):
    Clearance.objects.create(person=person, level=3, since=LONG_AGO, basis="QĐ 9")
    borne_out()
