"""The security officer's pages, opening by name, and "Why?": what they do, what they refuse, what they never tell."""

import json
import random
import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from archive import access, audit, clearing, explaining, logkey, publishing
from archive.models import AuditEntry, AuditRow, Clearance, Grant, Step
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.tests import world
from config.tests.office import LONG_AGO, borne_out, fence_lifted, told_long_ago

TOKEN = re.compile(r'value="[A-Za-z0-9]{64}"|"X-CSRFToken": ?"[A-Za-z0-9]+"|content="[A-Za-z0-9]{64}"')


def day(offset):
    return f"{timezone.localdate() + timedelta(days=offset):%d/%m/%Y}"


def reasons(**filters):
    entries = AuditEntry.objects.filter(**filters).order_by("ts")
    return [json.loads(bytes(entry.body))["reason"] for entry in entries]


def wanted(person, **changed):
    given = {"person": person.pk, "level": 1, "since": day(0), "until": day(365), "basis": "QĐ 12", "reason": "Trực"}
    return given | changed


def test_the_security_officer_gives_a_clearance_that_opens_the_next_page(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    Clearance.objects.filter(person=office.leader).update(revoked_at=LONG_AGO)
    leader, officer = signed_in("leader"), signed_in("security")
    assert leader.get(f"/records/{record.key}/").status_code == 404
    assert officer.post("/clearances/", wanted(office.leader)).status_code == 302
    assert leader.get(f"/records/{record.key}/").status_code == 200
    page = officer.get("/clearances/").content.decode()
    assert "QĐ 12" in page
    assert "Đồng chí security" in page
    assert day(365) in page


def test_a_clearance_revoked_on_screen_closes_in_the_middle_of_a_session(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    leader, officer = signed_in("leader"), signed_in("security")
    assert leader.get(f"/records/{record.key}/").status_code == 200
    held = Clearance.objects.get(person=office.leader)
    assert officer.get(f"/clearances/{held.pk}/").status_code == 200
    assert officer.post(f"/clearances/{held.pk}/", {"act": "revoke", "reason": ""}).status_code == 422
    assert officer.post(f"/clearances/{held.pk}/", {"act": "revoke", "reason": "Chuyển công tác"}).status_code == 302
    for address in ("", "pages/1/image/", "pages/1/thumb/", "original/", "thread/"):
        assert leader.get(f"/records/{record.key}/{address}").status_code == 404, address


def test_a_clearance_that_runs_out_closes_in_the_middle_of_a_session(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    leader = signed_in("leader")
    assert leader.get(f"/records/{record.key}/").status_code == 200
    Clearance.objects.filter(person=office.leader).update(until=timezone.now())  # the clock reaches its end
    assert leader.get(f"/records/{record.key}/").status_code == 404


def test_shortening_and_extending_on_screen(office, signed_in):
    officer = signed_in("security")
    officer.post("/clearances/", wanted(office.stranger))
    given = Clearance.objects.get(person=office.stranger)
    longer = {"act": "extend", "until": day(700), "basis": "QĐ 13", "reason": "Tiếp tục"}
    assert officer.post(f"/clearances/{given.pk}/", longer).status_code == 302
    assert (
        officer.post(f"/clearances/{given.pk}/", {"act": "shorten", "until": day(30), "reason": "x"}).status_code == 302
    )
    assert (
        officer.post(f"/clearances/{given.pk}/", {"act": "shorten", "until": day(60), "reason": "x"}).status_code == 422
    )
    assert Clearance.objects.filter(person=office.stranger).count() == 2
    for shown in ("soon", "over", "all", "valid", "odd"):
        assert officer.get(f"/clearances/?show={shown}&page=1").status_code == 200
    acts = AuditEntry.objects.filter(object_type="person").values_list("action", "outcome")
    assert {("clearance.give", "ok"), ("clearance.extend", "ok"), ("clearance.shorten", "ok")} <= set(acts)
    assert reasons(outcome="denied") == ["CLR-005"]


def test_a_refused_clearance_is_said_on_the_form_and_logged(office, signed_in):
    officer = signed_in("security")
    answer = officer.post("/clearances/", wanted(office.admin))
    assert answer.status_code == 422
    assert "quản trị máy" in answer.content.decode()
    assert reasons(outcome="denied") == ["CLR-001"]
    assert officer.post("/clearances/", wanted(office.security)).status_code == 422


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "archivist", "auditor", "admin", "stranger"])
def test_nobody_else_sees_or_changes_a_clearance(office, signed_in, name):
    held = Clearance.objects.get(person=office.leader)
    browser = signed_in(name)
    for address in ("/clearances/", f"/clearances/{held.pk}/", "/clearances/999/", "/clearances/marks/"):
        assert browser.get(address).status_code == 403, address
        assert browser.post(address, {"act": "revoke", "reason": "x"}).status_code == 403, address
    assert Clearance.objects.get(pk=held.pk).revoked_at is None


def test_marks_are_added_and_given_on_screen(office, signed_in):
    officer = signed_in("security")
    added = {"name": "Chuyên án 01", "group": "Chuyên án", "rule": "all"}
    assert officer.post("/clearances/marks/", added).status_code == 302
    assert officer.post("/clearances/marks/", added).status_code == 422
    mark = clearing.Mark.objects.get()
    assert officer.post("/clearances/", wanted(office.stranger, level=0, marks=[mark.pk])).status_code == 302
    assert list(Clearance.objects.get(person=office.stranger).marks.all()) == [mark]
    assert "Chuyên án 01" in officer.get("/clearances/").content.decode()


def opening(office, **changed):
    return {"person": office.stranger.pk, "until": day(10), "reason": "Phối hợp kiểm tra"} | changed


def test_a_leader_opens_one_dispatch_to_one_person_and_withdraws_it(office, make_record, signed_in):
    record, other = make_record(), make_record()
    leader, stranger = signed_in("leader"), signed_in("stranger")
    address = f"/records/{record.key}/grants/"
    assert leader.post(address, opening(office, reason="")).status_code == 422
    assert leader.post(address, opening(office)).status_code == 302
    assert stranger.get(f"/records/{record.key}/").status_code == 200
    assert stranger.get(f"/records/{other.key}/").status_code == 404
    assert "Phối hợp kiểm tra" in leader.get(address).content.decode()
    given = Grant.objects.get()
    assert leader.post(f"{address}{given.pk}/end/", {"reason": "Xong việc"}).status_code == 302
    assert stranger.get(f"/records/{record.key}/").status_code == 404
    assert reasons(action__startswith="access.") == ["Phối hợp kiểm tra", "Xong việc"]


def test_who_is_not_cleared_cannot_be_opened_to(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    answer = signed_in("leader").post(f"/records/{record.key}/grants/", opening(office))
    assert answer.status_code == 422
    assert not Grant.objects.exists()
    assert reasons(outcome="denied") == ["ACC-003"]


@pytest.mark.parametrize("name", ["clerk", "archivist"])
def test_who_may_see_but_not_open_is_told_so(office, make_record, signed_in, name):
    record = make_record()
    for address in (f"/records/{record.key}/grants/", f"/records/{record.key}/why/"):
        assert signed_in(name).get(address).status_code == 403, address


@pytest.mark.parametrize("name", ["stranger", "security", "auditor", "admin", "staff"])
def test_who_may_not_see_a_dispatch_learns_nothing_by_asking_why(office, make_record, signed_in, name):
    record = make_record(level=Level.TOI_MAT)
    browser = signed_in(name)
    answers = []
    for key in (record.key, "nothinghere0"):
        answer = browser.get(f"/records/{key}/why/", {"person": office.leader.pk})
        headers = {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}
        answers.append((answer.status_code, TOKEN.sub("", answer.content.decode()).replace(key, "KEY"), headers))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert AuditEntry.objects.filter(outcome="denied", record_id=record.pk).count() == 1


def test_a_leader_reads_each_condition_and_the_question_is_logged(office, make_record, signed_in, last_entry):
    record = make_record(level=Level.TOI_MAT)
    leader = signed_in("leader")
    assert leader.get(f"/records/{record.key}/why/").status_code == 200
    page = leader.get(f"/records/{record.key}/why/", {"person": office.stranger.pk}).content.decode()
    assert "Không được mở văn bản này" in page
    assert "Chỉ được xem đến Thường; văn bản ở độ Tối mật" in page
    assert "không được mở riêng" in page
    entry = last_entry()
    assert (entry.action, entry.record_id, entry.detail.payload["to"]) == (
        "record.why",
        record.pk,
        office.stranger.full_name,
    )
    page = leader.get(f"/records/{record.key}/why/", {"person": office.clerk.pk}).content.decode()
    assert "Được mở văn bản này" in page
    assert leader.get(f"/records/{record.key}/why/", {"person": office.clerk.pk, "on": day(3)}).status_code == 422


def test_why_is_answered_for_a_past_day_from_the_rows_of_that_day(office, make_record, later):
    record = make_record()
    now = timezone.now()
    access.grant(record, to=office.stranger, until=later(60), reason="Phối hợp", actor=office.leader)
    Grant.objects.update(since=now - timedelta(days=9), until=now - timedelta(days=5))
    access.derive(record)
    borne_out()
    told_long_ago()
    record.refresh_from_db()
    assert not explaining.why(office.stranger, record).allowed
    assert explaining.why(office.stranger, record, at=now - timedelta(days=7)).allowed
    assert not explaining.why(office.stranger, record, at=now - timedelta(days=4)).allowed
    assert not explaining.why(office.stranger, record, at=now - timedelta(days=10)).allowed
    Step.objects.create(
        record=record, order=1, kind="lead", from_person=office.leader, to_person=office.stranger, state="done",
        created_at=now - timedelta(days=4), closed_at=now - timedelta(days=2),
    )  # fmt: skip
    assert explaining.why(office.stranger, record, at=now - timedelta(days=3)).allowed
    assert not explaining.why(office.stranger, record, at=now - timedelta(days=1)).allowed


@pytest.mark.parametrize("seed", range(3))
def test_the_words_never_differ_from_the_policy_now_or_then(office, make_record, make_draft, seed):
    records = [make_record(), make_record(level=Level.MAT), make_record(level=Level.TOI_MAT), make_draft()]
    drawn = world.draw(office, records, random.Random(seed))
    borne_out()
    with fence_lifted():
        AuditRow.objects.filter(kind="step").delete()  # steps are drawn as they ended: their days tell when
    told_long_ago()
    for name in world.PEOPLE:
        person = getattr(office, name)
        for index, record in enumerate(records):
            told = explaining.why(person, record)
            assert told.allowed == access.may(person, Action.RECORD_READ, record).allowed, (name, index)
            assert told.allowed == all(each.is_met for each in told.conditions), (name, index)
            for then in (-2.5, -6, -8.5):
                told = explaining.why(person, record, at=drawn.at(then))
                post = told.conditions[1].is_met  # who may know of it may not read by every post
                assert told.allowed == (world.may_know(drawn, name, index, then) and post), (name, index, then)


@pytest.mark.django_db(transaction=True)
def test_an_act_whose_head_cannot_be_published_stands_and_says_so(office, signed_in, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = tmp_path / "second"
    settings.LOG_SECOND_PLACE.write_text("a file where the folder should be")
    Clearance.objects.filter(person=office.leader).update(revoked_at=LONG_AGO)
    officer = signed_in("security")
    assert officer.post("/clearances/", wanted(office.leader)).status_code == 302
    assert Clearance.objects.filter(person=office.leader, revoked_at=None).exists()
    assert "chưa công bố được" in officer.get("/clearances/").content.decode()
    assert "chưa công bố được" not in officer.get("/clearances/").content.decode()
    settings.LOG_SECOND_PLACE.unlink()
    assert publishing.signed() == 0
    publishing.publish()
    assert publishing.signed() == AuditEntry.objects.count() == publishing.newest().size


@pytest.mark.django_db(transaction=True)
def test_an_act_on_a_log_that_was_rolled_back_stands_and_says_so(office, signed_in, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None)
    head = publishing.publish()
    note = logkey.signer().note(head.size + 1000, head.root)  # what a log had signed that was longer
    (tmp_path / "log/checkpoint").write_bytes(note)
    officer = signed_in("security")
    assert officer.post("/clearances/", wanted(office.leader)).status_code == 302
    assert Clearance.objects.filter(person=office.leader).count() == 2
    assert "không nối tiếp mốc đã ký" in officer.get("/clearances/").content.decode()


@pytest.mark.parametrize(
    ("name", "page"),
    [("security", "/clearances/"), ("security", "/clearances/marks/"), ("archivist", "/holds/"), ("leader", "grants")],
)
def test_a_page_that_comes_back_with_an_error_is_read_as_well(office, make_record, signed_in, name, page):
    address = f"/records/{make_record().key}/grants/" if page == "grants" else page
    browser, before = signed_in(name), AuditEntry.objects.filter(outcome="ok").count()
    assert browser.post(address, {"reason": ""}).status_code == 422
    assert AuditEntry.objects.filter(outcome="ok").count() == before + 1
