"""An edit past the office is found, and the column named: records, grants, clearances; on both databases."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from archive import access, audit, digests, logkey, publishing, sequencing
from archive.models import AuditDetail, AuditEntry, AuditLeaf, AuditRow, Clearance, Grant, PersonRole, Record
from archive.rules.roles import Action, Role
from archive.verifier import verify
from config.tests.office import LONG_AGO, fence_lifted


def told(kind=""):
    """The faults of rows that acts made; the people of the test office were put there by no act."""
    made_by_hand = {"no act made this row"}
    return [str(fault) for fault in digests.faults() if fault.what not in made_by_hand and fault.kind.startswith(kind)]


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_what_acts_leave_is_borne_out(office, make_record):
    make_record()
    assert told() == []
    assert digests.holds(Record.objects.get())


@pytest.mark.parametrize(
    ("column", "value"),
    [("level", 1), ("unit_id", None), ("due_date", "2030-01-01"), ("subject", "khác"), ("organ_name", "khác")],
)
def test_one_column_of_a_record_changed_by_sql_is_named(office, make_record, column, value):
    record = make_record()
    sql(f"UPDATE archive_record SET {column} = %s WHERE id = %s", value or office.other_unit.pk, record.pk)  # noqa: S608 - names of columns above
    assert told() == [f"record {record.key}: changed past the office ({column})"]
    assert not digests.holds(record)


def test_an_edit_that_a_later_act_took_over_is_still_told(office, make_record):
    record = make_record()
    sql("UPDATE archive_record SET signer_name = 'khác' WHERE id = %s", record.pk)
    with transaction.atomic():
        audit.write(Action.STEP_RECEIVE, actor=office.clerk, subject=record)
    (line,) = told()
    assert line.startswith(f"record {record.key}: changed past the office before")
    assert line.endswith("(signer_name)")


def test_a_read_takes_no_edit_over(office, make_record):
    record = make_record()
    sql("UPDATE archive_record SET signer_name = 'khác' WHERE id = %s", record.pk)
    audit.read(Action.RECORD_READ, actor=office.clerk, subject=record)
    assert told() == [f"record {record.key}: changed past the office (signer_name)"]


def test_a_clearance_put_in_by_sql_is_found(office):
    row = Clearance.objects.create(person=office.stranger, level=2, since=LONG_AGO, basis="none")
    assert f"clearance {row.pk} of stranger: no act made this row" in [str(fault) for fault in digests.faults()]
    assert not digests.holds(row)


def test_a_row_that_is_gone_is_told(office, make_record):
    record = make_record()
    with transaction.atomic():
        row = PersonRole.objects.create(person=office.stranger, role=Role.CLERK, since=LONG_AGO)
        audit.write(Action.PERSON_CHANGE, actor=office.admin, subject=office.stranger, made=[row])
    assert told() == []
    assert digests.holds(row)
    assert record.pk
    sql("DELETE FROM archive_personrole WHERE id = %s", row.pk)
    assert told() == [f"personrole {row.pk}: removed past the office"]


def test_a_grant_keeps_its_digest_and_its_end(office, make_record, django_capture_on_commit_callbacks):
    from datetime import timedelta

    from django.utils import timezone

    record = make_record()
    given = access.grant(
        record, to=office.stranger, until=timezone.now() + timedelta(days=2), reason="Phối hợp", actor=office.leader
    )
    access.end_grant(given, actor=office.leader)
    assert told() == []
    sql("UPDATE archive_grant SET ended_at = NULL WHERE id = %s", given.pk)
    assert told() == [f"grant {given.pk} of stranger: changed past the office (ended_at)"]
    assert Grant.objects.count() == 1


def test_digests_themselves_are_borne_out_by_the_entries(office, make_record):
    record = make_record()
    sql("UPDATE archive_record SET signer_name = 'khác' WHERE id = %s", record.pk)
    with fence_lifted():
        last = AuditRow.objects.filter(kind="record", row_id=record.pk).last()
        now = digests._digest(
            {name: getattr(Record.objects.get(), name) for name in last.columns.split()}, salt=bytes(last.salt)
        )
        AuditRow.objects.filter(pk=last.pk).update(digests=now.digests)
    assert told() == [f"entry {last.entry_id}: the digests of rows kept with it were changed"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("action", "record.show"), ("outcome", "denied"), ("object_id", "khác"), ("level", 2), ("actor_id", None)],
)
def test_a_column_that_the_log_is_searched_by_and_that_its_bytes_do_not_bear_out_is_told(
    office, make_record, column, value
):
    make_record()
    entry = AuditEntry.objects.filter(actor=office.clerk).latest("ts")
    with fence_lifted():
        AuditEntry.objects.filter(pk=entry.pk).update(**{column: value})
    assert told("entry") == [f"entry {entry.pk}: its columns are not what its bytes say ({column})"]


def test_an_entry_that_has_no_place_and_awaits_none_is_told(office, make_record):
    make_record()
    sequencing.place_all()
    entry = AuditEntry.objects.latest("ts")
    with fence_lifted():
        AuditLeaf.objects.filter(entry=entry).delete()
    assert told("entry") == [f"entry {entry.pk}: it has no place in the log, and none awaits it"]


def test_verify_log_names_what_was_changed(office, make_record, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    record = make_record()
    sql("UPDATE archive_record SET level = 1 WHERE id = %s", record.pk)
    with pytest.raises(CommandError, match=rf"record {record.key}: changed past the office \(level\)"):
        call_command("verify_log")


def test_details_that_vanish_without_an_act_are_told(office, make_record, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path / "home"
    make_record()
    with fence_lifted():
        AuditDetail.objects.first().delete()
    publishing.export(tmp_path / "export", with_details=True)
    with pytest.raises(verify.Tampered, match="missing, and no act destroyed them"):
        verify.verify(str(tmp_path / "export"), logkey.signer().public, details=True)


def test_acts_of_weight_end_with_a_signed_head(office, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.VANKHO_HOME = tmp_path
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            entry = audit.write(Action.CLEARANCE_GIVE, actor=office.security, subject=office.stranger)
    assert publishing.newest().size > entry.leaf.idx


def test_an_entry_too_long_for_a_bundle_is_refused(office):
    with pytest.raises(ValueError, match="does not fit"), transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None, reason="x" * 70_000)


def test_fractions_are_kept_alike_on_both_databases(office):
    entry = audit.read(Action.SYSTEM_READ, actor=office.admin, seconds=1e16)
    assert entry.detail.payload == {"seconds": "1e+16"}


def test_an_entry_of_a_scan_may_name_its_record_and_another_may_not(office, make_record):
    record = make_record()
    with transaction.atomic():
        audit.write(Action.SCAN_UPLOAD, actor=office.clerk, subject=audit.Subject("scan", "a1", record_id=record.pk))
        entry = audit.write(Action.SYSTEM_READ, actor=office.clerk)
    assert told("entry") == []
    with fence_lifted():
        AuditEntry.objects.filter(pk=entry.pk).update(record_id=record.pk)
    assert told("entry") == [f"entry {entry.pk}: its columns are not what its bytes say (record_id)"]
