"""A row that no program wrote, as the running role of the database may put in, hides no other entry from any page."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from archive import audit, sequencing
from archive.log_lines import FOREIGN, line_of, taken_out, words_of_rows
from archive.models import AuditDetail, AuditEntry
from archive.rules.levels import Level
from archive.rules.roles import Action

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
