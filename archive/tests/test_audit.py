import hashlib
import json

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from archive import audit, sequencing
from archive.models import AuditEntry, AuditLeaf
from archive.rules.errors import Hidden
from archive.rules.roles import Action
from archive.verifier.verify import LONGEST_ENTRY

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="a statement of PostgreSQL")


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError):
        audit.write(Action.START, actor=None)


def test_the_sequence_has_no_gap(office, make_record):
    make_record()
    sequencing.place_all()
    assert AuditLeaf.objects.count() == AuditEntry.objects.count() > 0
    places = list(AuditLeaf.objects.order_by("idx").values_list("idx", flat=True))
    assert places == list(range(len(places)))


def test_the_chain_of_a_record_holds(office, make_record):
    record = make_record()
    audit.read(Action.RECORD_READ, actor=office.clerk, subject=record)
    entries = list(AuditEntry.objects.filter(record_id=record.pk).order_by("object_seq"))
    previous = bytes(32)
    for number, entry in enumerate(entries, start=1):
        body = json.loads(bytes(entry.body))
        assert body["object_seq"] == number
        assert body["object_prev"] == previous.hex()
        previous = hashlib.sha256(b"\x00" + bytes(entry.body)).digest()
        assert bytes(entry.leaf_hash) == previous


def test_values_stand_in_the_entry_only_as_a_salted_digest(office, make_record):
    record = make_record()
    entry = audit.read(Action.SEARCH_RUN, actor=office.clerk, subject=record, text="mật danh")
    assert "mật danh" not in bytes(entry.body).decode()
    detail = entry.detail
    digest = hashlib.sha256(bytes(detail.salt) + audit.canonical(detail.payload)).hexdigest()
    assert json.loads(bytes(entry.body))["details_h"] == digest


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE archive_auditentry SET action = 'x'",
        "DELETE FROM archive_auditentry",
        "DELETE FROM archive_auditleaf",
        "UPDATE archive_auditdetail SET payload = '{}'",
        "UPDATE archive_auditshown SET level = 0",
        "DELETE FROM archive_auditshown",
        pytest.param("DELETE FROM archive_auditentry WHERE false", marks=postgresql),
        pytest.param("TRUNCATE archive_auditentry CASCADE", marks=postgresql),
        pytest.param(
            "SET session_replication_role = replica; UPDATE archive_auditentry SET action = 'x'", marks=postgresql
        ),
        "INSERT OR REPLACE INTO archive_auditleaf (idx, entry_id) SELECT idx, entry_id FROM archive_auditleaf",
    ],
)
def test_the_log_is_append_only_in_the_database(office, make_record, attack):
    audit.read(Action.SEARCH_RUN, actor=office.clerk, records=[make_record()])
    sequencing.place_all()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)


@pytest.mark.parametrize(
    ("body", "hashed"),
    [
        (b"x" * (LONGEST_ENTRY + 1), None),
        (b"{}", b""),
        (b"{}", b"x" * 31),
        (b"{}", b"x" * 33),
        pytest.param(b"{}", b"x" * 32, marks=postgresql),
    ],
)
def test_no_row_that_no_program_writes_comes_into_the_log(office, body, hashed):
    entry = audit.read(Action.SEARCH_RUN, actor=office.clerk)
    entry.pk, entry.object_seq = audit.uuid7(), entry.object_seq + 1
    entry.body, entry.leaf_hash = body, audit.leaf_hash(body) if hashed is None else hashed
    with pytest.raises(DatabaseError, match="is written so"), transaction.atomic():
        sequencing.add(entry, None)
    entry.body, entry.leaf_hash = body[:LONGEST_ENTRY], audit.leaf_hash(body[:LONGEST_ENTRY])
    with transaction.atomic():
        sequencing.add(entry, None)


def test_a_refusal_keeps_what_was_asked_for(office, make_record):
    record = make_record()
    entry = audit.refused(Hidden(object_id=record.key), actor=office.stranger, action="archive:record")
    assert (entry.outcome, entry.record_id) == ("denied", record.pk)


def test_a_refusal_reads_no_more_of_a_dispatch_than_its_entry_names(office, make_record):
    record = make_record()
    with CaptureQueriesContext(connection) as asked:
        audit.refused(Hidden(object_id=record.key), actor=office.stranger, action="archive:record")
    (look,) = [each["sql"] for each in asked if 'FROM "archive_record"' in each["sql"]]
    assert '"level"' in look
    assert '"subject"' not in look


def test_a_letter_that_no_database_keeps_does_not_stop_an_entry(office):
    entry = audit.read(Action.SEARCH_RUN, actor=office.clerk, text="mật\x00danh", list=["\x00"])
    assert entry.detail.payload == {"text": "mật\ufffddanh", "list": ["\ufffd"]}
