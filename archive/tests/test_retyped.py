"""What SQL put past every fence where the log and its checks read it: it is named, nothing hides behind it, and nothing else stands still."""

from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from archive import audit, digests, publishing, vouching
from archive.models import AuditLeaf, AuditRow, Record
from archive.rules.roles import Action
from config.tests.office import fence_lifted

sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL keeps in a column what it is of, and names only what is there"
)


def sql(statement, *values):
    with fence_lifted(), connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@sqlite
@pytest.mark.django_db
def test_bytes_that_are_written_like_their_text_are_named(office, make_record):
    record = make_record(subject="2024")
    sql("UPDATE archive_record SET subject = %s WHERE id = %s", b"\x20\x24", record.pk)
    assert [fault.columns for fault in digests.of_kind("record")] == [("subject",)]
    assert not digests.holds(record)
    sql("UPDATE archive_record SET subject = '2024' WHERE id = %s", record.pk)
    assert not list(digests.of_kind("record"))


@pytest.mark.django_db
def test_an_entry_that_no_longer_says_its_dispatch_is_named(office, make_record):
    """Who asks who saw a dispatch is answered by that column."""
    record = make_record()
    assert not list(vouching.faults())
    sql("UPDATE archive_auditentry SET record_id = NULL WHERE object_id = %s", record.key)
    assert {fault.columns for fault in vouching.faults()} == {("record_id",)}


@sqlite
@pytest.mark.django_db
def test_digests_kept_with_no_entry_are_named_and_hide_no_other(office, make_record):
    record = make_record()
    make_record(code_number="124")
    row = AuditRow.objects.filter(kind="record", row_id=record.pk).earliest("id")
    nobody, kept = UUID(int=7), row.entry_id
    put = "UPDATE archive_auditrow SET entry_id = %s WHERE id = %s"
    sql(put, nobody.hex, row.pk)
    told = {fault.row: fault.what for fault in vouching.faults()}
    sql(put, kept.hex, row.pk)
    assert told.pop(str(nobody)) == vouching.NO_ENTRY
    assert list(told) == [str(kept)]


@sqlite
@pytest.mark.django_db
def test_text_for_a_place_in_the_log_ends_no_further_act(office, make_record):
    make_record()
    last = AuditLeaf.objects.latest("idx").idx
    sql("UPDATE archive_auditleaf SET idx = 'chữ' WHERE idx = %s", last)
    entry = audit.read(Action.SEARCH_RUN, actor=office.clerk, text="x")
    assert AuditLeaf.objects.get(entry=entry).idx == last


@pytest.mark.django_db
def test_a_log_that_goes_back_behind_its_head_hides_no_other_edit(office, make_record, settings, tmp_path, capsys):
    settings.VANKHO_HOME = tmp_path
    record = make_record()
    publishing.publish()
    with fence_lifted():
        AuditLeaf.objects.latest("idx").delete()
    Record.objects.filter(pk=record.pk).update(subject="khác")
    with pytest.raises(CommandError, match="LOG-001"):
        call_command("verify_log")
    assert "(subject)" in capsys.readouterr().out
