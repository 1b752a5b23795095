"""Old rows come under digests once, by an officer's act; what was put in or stripped of its digest does not."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from archive import adopting, audit, clearing, digests, publishing, staffing, units, watched
from archive.models import (
    AuditEntry,
    AuditLeaf,
    AuditPending,
    AuditRow,
    Clearance,
    Holiday,
    Person,
    Register,
    Step,
    Unit,
)
from archive.routing import acts
from archive.routing.moving import Task
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from config import founding
from config.tests.office import LONG_AGO, fence_lifted

GROUND = "QĐ 12: đã đối chiếu sổ"


@pytest.fixture
def old(office, settings, tmp_path):
    """An office with one clearance that no act made under digests, everything else in order."""
    settings.VANKHO_HOME = tmp_path
    return Clearance.objects.create(person=office.stranger, level=1, since=LONG_AGO, basis="QĐ 01")


def adopt(*words):
    out = io.StringIO()
    try:
        call_command("adopt_rows", *words, stdout=out)
    except CommandError as fault:
        return f"{out.getvalue()}{fault}"
    return out.getvalue()


def faults():
    return [str(fault) for fault in digests.faults()]


def test_a_look_changes_nothing_and_names_what_gives_rights(old, office):
    told = adopt()
    assert f"clearance: 1 without a whole digest, 0 refused\n  {old.pk}: {old}" in told
    assert "cannot prove" in told
    assert "Nothing was changed" in told
    assert faults() == [f"clearance {old.pk} of stranger: no act made this row"]


@pytest.mark.django_db(transaction=True)
def test_an_adopted_row_is_borne_out_from_then_on_under_a_signed_head(old, office):
    told = adopt("--adopt", "--as", "security", "--reason", GROUND)
    assert "clearance: 1 adopted" in told
    entry = AuditEntry.objects.get(action=Action.ROWS_ADOPT)
    assert entry.detail.payload == {"kind": "clearance", "rows": [old.pk]}
    assert publishing.newest().size > entry.leaf.idx
    out = io.StringIO()
    call_command("verify_log", stdout=out)
    assert "1 rows were adopted" in out.getvalue()
    Clearance.objects.filter(pk=old.pk).update(until=timezone.now())
    assert faults() == [f"clearance {old.pk} of stranger: changed past the office (until)"]
    assert "clearance: 0 without" in adopt("--adopt", "--as", "security", "--reason", GROUND)
    assert faults() == [f"clearance {old.pk} of stranger: changed past the office (until)"]


def test_a_row_whose_digest_was_removed_is_never_adopted_nor_any_other(old, office):
    with transaction.atomic():
        audit.write(Action.PERSON_CHANGE, actor=None, made=[old])
    with fence_lifted():
        AuditRow.objects.filter(kind="clearance", row_id=old.pk).delete()
    told = adopt("--adopt", "--as", "security", "--reason", GROUND)
    assert told.startswith("LOG-002")
    assert not AuditEntry.objects.filter(action=Action.ROWS_ADOPT).exists()
    assert any("the digests of rows kept with it were changed" in fault for fault in faults())


def test_nor_when_the_entry_itself_was_made_to_forget_it(old, office):
    with transaction.atomic():
        entry = audit.write(Action.PERSON_CHANGE, actor=None, made=[old])
    audit.read(Action.SYSTEM_READ, actor=office.admin)
    publishing.publish()
    body = bytes(entry.body)
    at = body.index(b'"rows_h":"') + len(b'"rows_h":"')
    body = body[:at] + body[at + 64 :]
    with fence_lifted():
        AuditRow.objects.filter(entry=entry).delete()
        AuditEntry.objects.filter(pk=entry.pk).update(body=body, leaf_hash=audit.leaf_hash(body))
    told = adopt("--adopt", "--as", "security", "--reason", GROUND)
    assert told.startswith("The log is not in order, and nothing is adopted")


def test_a_row_made_since_digests_are_kept_is_refused(old, office):
    late = Clearance.objects.create(person=office.stranger, level=3, since=timezone.now(), basis="không")
    told = adopt("--adopt", "--as", "security", "--reason", GROUND)
    assert f"refused: clearance {late.pk}: made since digests are kept, and by no act" in told
    assert faults() == [f"clearance {late.pk} of stranger: no act made this row"]


def test_a_row_with_a_number_of_after_the_first_act_is_refused_whatever_day_it_claims(old, office):
    decision = clearing.Decision(Level.MAT, timezone.now(), timezone.now() + timedelta(days=9), "QĐ 2", "Nhiệm vụ")
    clearing.give(decision, to=office.stranger, actor=office.security)
    late = Clearance.objects.create(person=office.stranger, level=3, since=LONG_AGO, basis="không")
    (kind,) = [one for one in adopting.found() if one.kind == "clearance"]
    assert (kind.rows, [one.pk for one in kind.refused]) == ((old.pk,), [late.pk])


def test_only_the_security_officer_adopts_and_on_a_ground(old, office):
    (kind,) = [one for one in adopting.found() if one.rows]
    with pytest.raises(Forbidden):
        list(adopting.adopt(kind, reason=GROUND, actor=office.admin))
    with pytest.raises(adopting.NoReason):
        list(adopting.adopt(kind, reason=" ", actor=office.security))
    assert "nobody" in adopt("--adopt", "--as", "nobody", "--reason", GROUND)


def test_a_row_that_an_act_took_first_keeps_the_digest_of_the_act(old, office):
    (kind,) = [one for one in adopting.found() if one.rows]
    with transaction.atomic():
        audit.write(Action.PERSON_CHANGE, actor=None, made=[old])
    assert list(adopting.adopt(kind, reason=GROUND, actor=office.security)) == [0]
    assert AuditRow.objects.filter(kind="clearance", row_id=old.pk).count() == 1


def test_of_a_kind_that_came_after_digests_no_row_is_old(old, monkeypatch):
    monkeypatch.delitem(adopting.MADE_AT, "clearance")
    told = adopt("--adopt", "--as", "security", "--reason", GROUND)
    assert "clearance: 0 without a whole digest, 1 refused" in told
    assert not AuditEntry.objects.filter(action=Action.ROWS_ADOPT).exists()
    assert set(watched.WATCHED) - set(adopting.MADE_AT) - adopting.UNDATED == {"clearance", "paperstub"}


@pytest.fixture
def of_before(office, settings, tmp_path):
    """An office that nothing bears out: its people, units and registers came before digests."""
    settings.VANKHO_HOME = tmp_path
    with fence_lifted():
        for model in (AuditRow, AuditLeaf, AuditPending, AuditEntry):
            model.objects.all().delete()
    return office


def put_in(unit):
    """Put a person, a unit, a register and a holiday in past the office."""
    return (
        Person.objects.create(username="la", full_name="Người lạ", unit=unit),
        Unit.objects.create(code="LA", name="Đơn vị lạ", path="/la/"),
        Register.objects.create(kind="incoming", name="Sổ lạ", unit=unit),
        Holiday.objects.create(day="2026-05-01", name="Lễ", basis="x"),
    )


def test_people_and_units_put_in_after_the_first_act_that_made_one_are_refused(of_before):
    office = of_before
    old = {kind.kind: kind.rows for kind in adopting.found()}
    units.add(units.Called("TT", "Thông tin"), under=office.command, actor=office.admin)
    staffing.add(staffing.Newcomer("moi", "Người mới", office.command), actor=office.admin)
    person, unit, *_rest = put_in(office.staff_unit)
    kinds = {kind.kind: kind for kind in adopting.found()}
    for late in (person, unit):
        found = kinds[type(late).__name__.lower()]
        assert (found.rows, [one.pk for one in found.refused]) == (old[found.kind], [late.pk])


def test_an_office_founded_under_digests_has_no_old_row_of_what_it_was_founded_with(of_before):
    Holiday.objects.create(day="2026-04-30", name="Lễ", basis="x")
    with transaction.atomic():
        founding.write(profile="production", people=[of_before.admin])
    for late in put_in(of_before.staff_unit):
        (found,) = [one for one in adopting.found() if one.kind == type(late).__name__.lower()]
        assert (found.rows, [one.pk for one in found.refused]) == ((), [late.pk])


def test_units_persons_and_steps_of_before_are_adopted_and_a_step_that_came_after_is_not(
    office, settings, tmp_path, make_record
):
    settings.VANKHO_HOME = tmp_path
    with fence_lifted():  # nothing bears the office out
        for model in (AuditRow, AuditLeaf, AuditPending, AuditEntry):
            model.objects.all().delete()
    record, at = make_record(), timezone.now()
    line = {"record": record, "kind": "lead", "from_person": office.leader, "created_at": at}
    old = Step.objects.create(order=1, to_unit=office.staff_unit, **line)
    acts.forward(record, Task(office.leader), actor=office.clerk)
    late = Step.objects.create(order=9, to_unit=office.other_unit, **line | {"created_at": timezone.now()})
    kinds = {kind.kind: kind for kind in adopting.found()}
    assert (len(kinds["unit"].rows), len(kinds["person"].rows)) == (4, 8)
    assert kinds["step"].rows == (old.pk,)
    assert [one.pk for one in kinds["step"].refused] == [late.pk]
    for name in ("unit", "person", "step"):
        list(adopting.adopt(kinds[name], reason=GROUND, actor=office.security))
    told = [fault for fault in faults() if fault.startswith(("unit ", "person ", "step "))]
    assert told == [f"step 9 of {record.key}: no act made this row"]
