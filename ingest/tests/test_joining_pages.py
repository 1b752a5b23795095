"""The screens of files on their way: added on the page of the record, followed there, decided after looking."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from archive import store
from archive.models import Attachment, AuditEntry, Clearance, Record, RecordState
from archive.rules.levels import Level
from ingest import outcomes
from ingest.models import Scan, ScanState
from ingest.tests.handing import read, text_pdf
from ingest.tests.test_joining import _unhurried, add, closed, signs  # noqa: F401 - fixtures


def give(browser, record, *contents, why="Phụ lục kèm theo"):
    files = [SimpleUploadedFile(f"phu-luc-{n}.pdf", content) for n, content in enumerate(contents, start=1)]
    return browser.post(reverse("ingest:add-file", args=[record.key]), {"file": files, "why": why}, follow=True)


def card(browser, record, **query):
    return browser.get(reverse("ingest:joining", args=[record.key]), query).content.decode()


def test_a_clerk_adds_files_on_the_page_of_the_record(office, make_record, signed_in):
    record, browser = make_record(), signed_in("clerk")
    answer = give(browser, record, text_pdf("Một"), text_pdf("Hai"))
    assert answer.redirect_chain[-1][0] == reverse("archive:record", args=[record.key]) + "#files"
    assert Scan.objects.filter(joins=record).count() == 2
    assert "phu-luc-2.pdf" in card(browser, record)
    for scan in Scan.objects.all():
        read(scan)
    assert Attachment.objects.filter(record=record).count() == 2
    assert "phu-luc-2.pdf" in browser.get(reverse("archive:record", args=[record.key])).content.decode()
    assert "đã có thêm tệp" in card(browser, record, files="1", waiting="1")
    assert "đã có thêm tệp" in card(browser, record, files="1")
    assert "đã có thêm tệp" not in card(browser, record, files="3")


def test_files_on_their_way_stand_in_the_log_at_the_level_that_is_shown(office, make_record, signed_in):
    record, browser = make_record(), signed_in("clerk")
    give(browser, record, text_pdf("Một"))
    looks = AuditEntry.objects.filter(action="scan.read", object_id=record.key).order_by("ts")
    for _ in range(2):
        card(browser, record)
    assert [entry.level for entry in looks.all()] == [Level.THUONG]
    Scan.objects.update(level=Level.MAT)  # as reading it may find
    for _ in range(2):
        assert "phu-luc-1.pdf" in card(browser, record, waiting="1")
    assert [entry.level for entry in looks.all()] == [Level.THUONG, Level.MAT]


@pytest.mark.parametrize("name", ["leader", "archivist"])
def test_others_get_neither_form_nor_act(office, make_record, signed_in, name):
    record, browser = make_record(), signed_in(name)
    assert (
        reverse("ingest:joining", args=[record.key])
        not in browser.get(reverse("archive:record", args=[record.key])).content.decode()
    )
    assert give(browser, record, text_pdf("Một")).status_code == 403
    assert not Scan.objects.exists()


@pytest.mark.parametrize("name", ["stranger", "auditor", "security", "admin"])
def test_who_may_not_see_the_record_adds_nothing(office, make_record, signed_in, name):
    assert give(signed_in(name), make_record(), text_pdf("Một")).status_code == 404
    assert not Scan.objects.exists()


def test_the_same_file_again_is_said_and_not_taken(office, make_record, signed_in):
    record, browser = make_record(), signed_in("clerk")
    give(browser, record, text_pdf("Một"))
    assert "đúng tệp này" in give(browser, record, text_pdf("Một")).content.decode()
    assert Scan.objects.count() == 1


@pytest.mark.parametrize(("contents", "why"), [((), "Phụ lục"), ((b"",), "Phụ lục"), ((b"%PDF",), "")])
def test_what_is_incomplete_is_said_and_nothing_is_taken(office, make_record, signed_in, contents, why):
    answer = give(signed_in("clerk"), make_record(), *contents, why=why)
    assert answer.status_code == 200
    assert "data-toast" in answer.content.decode()
    assert not Scan.objects.exists()


def test_of_too_many_files_the_first_left_out_is_named(office, make_record, signed_in, monkeypatch):
    monkeypatch.setattr("ingest.joining_views.MOST_AT_ONCE", 2)
    record, browser = make_record(), signed_in("clerk")
    said = give(browser, record, text_pdf("Một"), text_pdf("Hai"), text_pdf("Ba")).content.decode()
    assert "Chưa nhận “phu-luc-3.pdf”" in said
    assert Scan.objects.count() == 2


def test_where_no_file_can_be_added_none_is_asked_for(office, make_record, signed_in):
    record, browser = make_record(), signed_in("clerk")
    assert 'type="file"' in card(browser, record)
    filed = make_record(code_number="2")
    closed(filed, office)
    Record.objects.filter(pk=record.pk).update(state=RecordState.RETURNED)
    for ended, why in ((record, "trả lại"), (filed, "hồ sơ đã kết thúc")):
        shown = card(browser, ended)
        assert 'type="file"' not in shown
        assert why in shown
        assert reverse("ingest:desk") in shown


def test_a_refused_file_is_named_where_it_was_added(office, make_record, signed_in):
    record, browser = make_record(), signed_in("clerk")
    read(add(office, record, b"PK\x03\x04 an archive", name="thu.zip").scan)
    shown = card(browser, record)
    assert "thu.zip" in shown
    assert outcomes.NOT_ACCEPTED in shown


def test_a_held_file_is_looked_at_page_by_page_and_joined(office, make_record, signed_in, signs):  # noqa: F811
    record, browser = make_record(), signed_in("clerk")
    signs(Level.MAT, sure=False)
    scan = read(add(office, record).scan)
    for asked in ({}, {"files": "1", "waiting": "1"}):  # the seal of the page rises with what is told on it
        told = card(browser, record, **asked)
        assert reverse("ingest:held", args=[scan.pk]) in told
        assert "hx-swap-oob" in told
    shown = browser.get(reverse("ingest:held", args=[scan.pk])).content.decode()
    assert reverse("ingest:held-join", args=[scan.pk]) in shown
    picture = browser.get(reverse("ingest:held-page", args=[scan.pk, 1, "image"]))
    assert picture.content[:3] == b"\xff\xd8\xff"
    assert browser.get(reverse("ingest:held-page", args=[scan.pk, 9, "image"])).status_code == 404
    assert browser.get(reverse("ingest:held-page", args=[scan.pk, 1, "text"])).status_code == 404
    browser.post(reverse("ingest:held-join", args=[scan.pk]), {"why": ""})
    assert not Attachment.objects.exists()
    answer = browser.post(reverse("ingest:held-join", args=[scan.pk]), {"why": "Đã xem"}, follow=True)
    assert "đã được ghép vào văn bản" in answer.content.decode()
    assert Attachment.objects.filter(record=record).count() == 1
    # From now on its pages are shown as those of the dispatch, under its numbered copies, and here no more.
    assert browser.get(reverse("ingest:held-page", args=[scan.pk, 1, "image"])).status_code == 404
    assert browser.get(reverse("ingest:held", args=[scan.pk])).url.endswith("#files")


def test_a_sure_sign_offers_no_way_to_join(office, make_record, signed_in, signs):  # noqa: F811
    record, browser = make_record(), signed_in("clerk")
    signs(Level.MAT, sure=True)
    scan = read(add(office, record).scan)
    shown = browser.get(reverse("ingest:held", args=[scan.pk])).content.decode()
    assert reverse("ingest:held-join", args=[scan.pk]) not in shown
    browser.post(reverse("ingest:held-join", args=[scan.pk]), {"why": "Tôi nói vậy"})
    assert not Attachment.objects.exists()
    browser.post(reverse("ingest:held-part", args=[scan.pk]), {"why": "Văn bản riêng"})
    assert read(scan).record.level == Level.MAT
    assert Record.objects.count() == 2


def test_pages_of_a_held_file_above_the_lowest_level_stand_under_the_readers_name(
    office,
    make_record,
    signed_in,
    signs,  # noqa: F811
):
    signs(Level.MAT, sure=False)
    scan = add(office, make_record()).scan
    read(scan)
    scan.refresh_from_db()
    assert scan.level == Level.MAT
    stored = scan.reading["pages"][0]
    for form in ("image", "thumb"):
        start, length = stored[form]
        kept = store.read(scan.pack_id, start=start, length=length)
        shown = signed_in("clerk").get(reverse("ingest:held-page", args=[scan.pk, 1, form]))
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert shown.content != kept


def test_a_held_file_is_put_aside_on_its_page(office, make_record, signed_in, signs):  # noqa: F811
    signs(Level.MAT, sure=True)
    scan = read(add(office, make_record()).scan)
    signed_in("clerk").post(reverse("ingest:held-aside", args=[scan.pk]), {"why": "Gửi nhầm"})
    scan.refresh_from_db()
    assert (scan.state, scan.code, scan.original) == (ScanState.REFUSED, outcomes.DISMISSED, None)


def test_who_is_not_cleared_for_a_held_file_sees_nothing_of_it_but_that_their_own_waits(
    office,
    make_record,
    signed_in,
    signs,  # noqa: F811
):
    record, browser = make_record(), signed_in("clerk")
    signs(Level.MAT, sure=False)
    scan = read(add(office, record, name="bi-mat.pdf").scan)
    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    shown = card(browser, record)
    assert "bi-mat.pdf" not in shown
    assert "1 tệp đồng chí đã nộp đang chờ" in shown
    for name in ("held", "held-join", "held-part", "held-aside", "held-again"):
        address = reverse(f"ingest:{name}", args=[scan.pk])
        assert (browser.post if name != "held" else browser.get)(address, {"why": "x"}).status_code == 404
    assert browser.get(reverse("ingest:held-page", args=[scan.pk, 1, "image"])).status_code == 404
    scan.refresh_from_db()
    assert scan.code == outcomes.HELD_DOUBT


@pytest.mark.parametrize("name", ["leader", "archivist", "staff", "stranger", "auditor", "security", "admin"])
def test_only_clerks_decide(office, make_record, signed_in, signs, name):  # noqa: F811
    signs(Level.MAT, sure=False)
    scan = read(add(office, make_record()).scan)
    browser = signed_in(name)
    statuses = {browser.get(reverse("ingest:held", args=[scan.pk])).status_code}
    statuses.add(browser.post(reverse("ingest:held-join", args=[scan.pk]), {"why": "x"}).status_code)
    assert statuses <= {403, 404}
    assert not Attachment.objects.exists()


def test_the_batch_of_an_added_file_leads_to_where_it_is_decided(office, make_record, signed_in, signs):  # noqa: F811
    signs(Level.MAT, sure=False)
    scan = read(add(office, make_record()).scan)
    shown = signed_in("clerk").get(reverse("ingest:batch", args=[scan.batch_id])).content.decode()
    assert reverse("ingest:held", args=[scan.pk]) in shown
    assert re.search(r"1 = 0 \+ 0 \+ 1 \+ 0", shown)


def test_a_record_with_a_closed_end_has_no_form(office, make_record, signed_in):
    record = make_record()
    Record.objects.filter(pk=record.pk).update(state="void")
    shown = signed_in("clerk").get(reverse("archive:record", args=[record.key])).content.decode()
    assert reverse("ingest:joining", args=[record.key]) not in shown
