"""What a form offers to choose from is on the page like everything else: its seal and the log say the highest of it."""

from datetime import date

import pytest

from archive import dossiers, retention, routing
from archive.models import AuditEntry, RecordClass, RetentionRule
from archive.routing import Direction, Task
from archive.rules.levels import Level
from archive.rules.roles import Action

SECRET = "Phương án tác chiến"


@pytest.fixture
def secret(office, make_record):
    """Return a dossier that rose to Mật."""
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    cover = dossiers.Cover("02.TM", SECRET, line, rule, office.registry, date(2026, 1, 5))
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(make_record(level=Level.MAT), dossier=dossier, actor=office.archivist)
    dossier.refresh_from_db()
    return dossier


def newest(action: Action) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("ts")


def test_the_page_of_an_open_dispatch_names_no_secret_dossier(signed_in, make_record, secret):
    record, archivist = make_record(), signed_in("archivist")
    page = archivist.get(f"/records/{record.key}/")
    assert SECRET not in page.text
    assert page.context["page_level"] == Level.THUONG
    assert f"/records/{record.key}/file/" in page.text


def test_the_page_of_a_secret_dispatch_offers_what_is_as_secret(signed_in, make_record, secret):
    page = signed_in("archivist").get(f"/records/{make_record(level=Level.MAT).key}/")
    assert SECRET in page.text
    assert page.context["page_level"] == Level.MAT


def test_a_page_of_its_own_offers_all_under_the_highest_seal_and_says_so_in_the_log(signed_in, make_record, secret):
    record, archivist = make_record(), signed_in("archivist")
    page = archivist.get(f"/records/{record.key}/file/")
    assert SECRET in page.text
    assert page.context["page_level"] == Level.MAT
    assert (newest(Action.RECORD_READ).record_id, newest(Action.RECORD_READ).level) == (record.pk, Level.THUONG)
    assert newest(Action.DOSSIER_READ).level == Level.MAT
    sent = archivist.post(f"/records/{record.key}/file/", {"dossier": secret.pk, "back": "record"})
    assert sent.headers["Location"] == f"/records/{record.key}/"
    assert secret.items.filter(record=record).exists()


def test_the_list_of_what_is_not_filed_is_as_secret_as_the_dossiers_in_its_box(signed_in, make_record, secret):
    make_record()
    page = signed_in("archivist").get("/dossiers/unfiled/")
    assert SECRET in page.text
    assert page.context["page_level"] == Level.MAT
    assert newest(Action.RECORD_LIST).level == Level.MAT


@pytest.mark.parametrize("is_held", [False, True])
def test_the_page_of_holds_is_as_secret_as_what_it_names(office, signed_in, secret, is_held):
    if is_held:
        dossiers.close(secret, ended_on=date(2026, 5, 4), actor=office.archivist)
        retention.place_hold(retention.Order("Thanh tra", "Giữ"), on=[secret], actor=office.archivist)
    page = signed_in("archivist").get("/holds/")
    assert secret.code in page.text
    assert page.context["page_level"] == Level.MAT
    assert newest(Action.HOLD_READ).level == Level.MAT


def test_the_thread_is_as_secret_as_the_replies_it_offers(office, signed_in, make_record):
    sent = routing.forward(make_record(), Task(office.leader, instruction="Kính trình"), actor=office.clerk)
    lead = routing.direct(sent, Direction("Nghiên cứu", office.staff_unit), actor=office.leader)[0]
    reply = make_record(level=Level.MAT, direction="outgoing", code_number="9", code_notation="BC-PTM")
    routing.forward(reply, Task(office.staff_unit), actor=office.clerk)
    staff, key = signed_in("staff"), lead.record.key
    for address in (f"/records/{key}/thread/", f"/work/?at={key}"):
        page = staff.get(address)
        assert f'value="{reply.key}"' in page.text
        assert page.context["page_level"] == Level.MAT
        assert newest(Action.RECORD_LIST).level == Level.MAT
    assert signed_in("staff").get(f"/records/{key}/").context["page_level"] == Level.THUONG
    assert newest(Action.RECORD_READ).level == Level.THUONG
