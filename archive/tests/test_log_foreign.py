"""A row that no program wrote, as the running role of the database may put in, hides no other entry from any page."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from archive import access, audit, digests, logkey, publishing, sequencing
from archive.log_lines import FOREIGN, line_of, taken_out, words_of_rows
from archive.models import AuditDetail, AuditEntry
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.verifier import verify
from config.tests.office import fence_lifted

WHOLE = {
    "actor": {"id": 1, "name": "a", "roles": "", "clearance": 0},
    "src": {"ip": ""},
    "object": {"type": "record", "id": "x", "no": ""},
    "reason": "",
    "details_h": "",
}
ODD = [
    b"",
    b"\xff",
    b"[]",
    b"7",
    b"{}",
    b"[" * 50_000,
    json.dumps(WHOLE | {"actor": 1}).encode(),
    json.dumps(WHOLE | {"reason": "\ud83d"}).encode(),
    json.dumps(WHOLE | {"reason": 7}).encode(),
    json.dumps(WHOLE | {"actor": WHOLE["actor"] | {"clearance": 99}}).encode(),
    json.dumps(WHOLE | {"actor": WHOLE["actor"] | {"id": "x"}}).encode(),
]


def put_in(body, payload=None, **columns):
    """Insert a row as the running role of the database may."""
    now = timezone.now() + timedelta(seconds=1)
    told = {"action": "record.read", "outcome": "ok", "object_type": "record", "object_id": "x", "level": 0} | columns
    seq = AuditEntry.objects.filter(object_type=told["object_type"], object_id=told["object_id"]).count() + 1000
    entry = AuditEntry(id=audit.uuid7(now), ts=now, object_seq=seq, body=body, leaf_hash=audit.leaf_hash(body), **told)
    detail = AuditDetail(entry=entry, salt=b"x", payload=payload) if payload is not None else None
    with transaction.atomic():
        sequencing.add(entry, detail)
    sequencing.place_all()
    return AuditEntry.objects.select_related("leaf", "detail").get(pk=entry.pk)


def test_the_pages_of_the_log_show_all_others_and_say_what_it_is(office, signed_in):
    browser = signed_in("auditor")
    for body in ODD:
        put_in(body)
    put_in(json.dumps(WHOLE).encode(), payload=["x"])
    put_in(json.dumps(WHOLE).encode(), payload="x")
    put_in(json.dumps(WHOLE).encode(), level=77)
    page = browser.get("/log/")
    assert page.status_code == 200
    assert page.text.count(str(FOREIGN)) == len(ODD)
    assert len(page.context["rows"]) > len(ODD) + 3  # those of the office, too


def test_an_own_page_shows_sign_ins_beside_it(office, signed_in):
    browser = signed_in("clerk")
    put_in(b"x", action=Action.SIGN_IN, object_type="person", object_id=str(office.clerk.pk), actor=office.clerk)
    assert browser.get("/account/").status_code == 200


@pytest.mark.parametrize("body", ODD)
def test_such_a_row_is_taken_out_by_its_hash_and_its_words_need_the_highest_clearance(office, body):
    entry = put_in(body, payload={"text": "x", "code": "x"})
    line = line_of(entry, Level.TOI_MAT)
    assert (line["person"], line["is_machine"], line["reason"]) == (str(FOREIGN), False, "")
    assert line["details"] == {"code": "x", "withheld": Level.TUYET_MAT.slug}
    out = taken_out(entry, Level.TUYET_MAT, words_of_rows())
    assert (out.body, out.leaf) == (None, audit.leaf_hash(body))


# What SQL can put into a column of bytes: SQLite takes anything. Text of two bytes a letter is longer than it looks.
PUT = ["chữ", "đ" * 40_000, 7, 10**12, 0.5] if connection.vendor == "sqlite" else [b"x"]


@pytest.mark.parametrize(
    "changed",
    [
        "UPDATE archive_auditentry SET body = %s WHERE object_id = %s AND object_seq = %s",
        "UPDATE archive_auditentry SET leaf_hash = %s WHERE object_id = %s AND object_seq = %s",
    ],
    ids=["body", "leaf_hash"],
)
@pytest.mark.parametrize("value", PUT, ids=lambda value: str(value)[:9])
def test_a_value_that_is_no_bytes_hinders_no_act_page_export_or_check(
    office, make_record, signed_in, settings, tmp_path, changed, value
):
    settings.VANKHO_HOME = tmp_path / "home"
    record = make_record()
    sequencing.place_all()
    entry = AuditEntry.objects.filter(object_id=record.key).order_by("object_seq").last()
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute(changed, [value, record.key, entry.object_seq])
    place = AuditEntry.objects.get(pk=entry.pk).leaf.idx

    audit.read(Action.RECORD_READ, actor=office.clerk, subject=record)  # goes on after it
    sequencing.place_all()
    assert signed_in("auditor").get("/log/").status_code == 200
    publishing.export(tmp_path / "out", with_details=True)
    with pytest.raises(verify.Tampered) as fault:
        verify.verify(tmp_path / "out", logkey.signer().public)
    assert f"entry {place}" in str(fault.value)
    with pytest.raises(CommandError, match="NOT OK"):
        call_command("verify_log")


@pytest.mark.parametrize("level", [Level.THUONG, Level.MAT])
@pytest.mark.parametrize("digest", [("chữ", "level", "chữ"), (7, b"level", 0.5), (10**12, 7, "")], ids=str)
@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL keeps bytes and text in such columns, nothing else"
)
def test_a_digest_of_a_row_that_is_no_bytes_is_named_and_hinders_no_page_and_no_check(
    office, make_record, signed_in, settings, tmp_path, level, digest
):
    settings.VANKHO_HOME = tmp_path / "home"
    record, other = make_record(level=level), make_record()
    entry = AuditEntry.objects.filter(object_id=record.key).first()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO archive_auditrow (entry_id, kind, row_id, salt, columns, digests) VALUES (%s, 'record', %s, %s, %s, %s)",
            [entry.pk.hex, record.pk, *digest],
        )
    access.may(office.clerk, Action.RECORD_READ, record)  # shut or not, it is an answer
    browser = signed_in("archivist")
    assert browser.get(f"/records/{record.key}/").status_code < 500
    assert browser.get(f"/records/{other.key}/").status_code == 200
    told = [str(fault) for fault in digests.faults()]
    assert any(f"record {record.key}: changed past the office" in line for line in told)
    assert any("digests of rows kept with it were changed" in line for line in told)
    assert not any(other.key in line for line in told)
