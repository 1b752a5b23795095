"""The pages of the intake desk: hand in, follow, retry, put aside - and what each refuses."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from archive.models import AuditEntry, Clearance
from archive.rules.levels import Level
from ingest import outcomes
from ingest.models import Batch, Scan, ScanState
from ingest.tests.handing import bare_pdf, drop, open_batch


@pytest.fixture
def clerk(signed_in):
    return signed_in("clerk")


def send(browser, content=b"1", *, name="cong-van.pdf", level="thuong", **more):
    form = {"file": SimpleUploadedFile(name, content)} | ({"level": level} if level else {}) | more
    return browser.post("/intake/upload/", form)


def failed(office, content=b"1", **more):
    scan = drop(office, content, **more)
    Scan.objects.filter(pk=scan.pk).update(
        state=ScanState.ATTENTION, code=outcomes.FAILED, reason={"times": 4, "why": "cpu"}
    )
    return scan


def test_a_file_is_taken_in_and_the_answer_leads_to_its_batch(office, clerk):
    answer = send(clerk)
    assert answer.status_code == 200
    said = answer.json()
    assert said["ok"]
    assert clerk.get(said["batch_url"]).status_code == 200
    assert Scan.objects.get().batch_id == uuid.UUID(said["batch"])


def test_files_sent_together_lie_in_one_batch(office, clerk):
    first = send(clerk).json()["batch"]
    assert send(clerk, b"2", batch=first).json()["batch"] == first
    assert Batch.objects.count() == 1


def test_a_look_at_a_batch_stands_in_the_log_with_how_many_files_of_each_level_it_showed(office, clerk):
    batch = send(clerk, level="mat").json()["batch"]
    Scan.objects.filter(pk=send(clerk, b"2", level="mat", batch=batch).json()["scan"]).update(level=Level.TOI_MAT)
    Clearance.objects.filter(person=office.clerk).update(level=Level.TOI_MAT)
    assert clerk.get(f"/intake/batches/{batch}/").context["page_level"] == Level.TOI_MAT
    entry = AuditEntry.objects.filter(object_type="batch").latest("ts")
    assert (entry.level, entry.detail.payload["levels"]) == (Level.TOI_MAT, {"2": 1, "1": 1})


def test_a_part_of_a_batch_that_renews_itself_has_an_entry_of_a_moment_ago_and_one_of_each_higher_level(office, clerk):
    batch = send(clerk, level="mat").json()["batch"]
    Clearance.objects.filter(person=office.clerk).update(level=Level.TOI_MAT)
    address, looks = f"/intake/batches/{batch}/", AuditEntry.objects.filter(object_type="batch").order_by("ts")
    for _ in range(2):  # whoever never asked for the page may say that it is a part of it
        assert "<h1" not in clerk.get(address, headers={"HX-Request": "true"}).text
    assert [entry.level for entry in looks.all()] == [Level.MAT]
    Scan.objects.update(level=Level.TOI_MAT)
    for _ in range(2):
        clerk.get(address, headers={"HX-Request": "true"})
    assert [entry.level for entry in looks.all()] == [Level.MAT, Level.TOI_MAT]
    assert [entry.detail.payload["levels"] for entry in looks.all()] == [{"1": 1}, {"2": 1}]


def test_the_list_of_batches_stands_in_the_log_at_the_level_of_its_page(clerk):
    send(clerk)
    send(clerk, level="mat")
    assert clerk.get("/intake/").context["page_level"] == Level.MAT
    assert AuditEntry.objects.filter(action="scan.read", object_type="office").latest("ts").level == Level.MAT


def test_no_file_is_taken_before_the_level_is_declared(office, clerk):
    answer = send(clerk, level="")
    assert answer.status_code == 400
    assert "độ mật" in answer.json()["message"]
    assert not Scan.objects.exists()


@pytest.mark.parametrize("level", ["tuyet-mat", "bi-mat", "3", "'"])
def test_a_level_that_cannot_be_declared_is_refused(office, clerk, level):
    assert send(clerk, level=level).status_code in {400, 409}
    assert not Scan.objects.exists()


def test_a_level_above_the_clearance_is_refused_and_written_down(office, clerk):
    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    answer = send(clerk, level="mat")
    assert answer.status_code == 409
    assert answer.json()["message"]
    assert not Scan.objects.exists()
    assert AuditEntry.objects.filter(outcome="denied", actor=office.clerk).count() == 1


def test_another_level_opens_another_batch(office, clerk):
    first = send(clerk).json()["batch"]
    second = send(clerk, b"2", level="mat", batch=first).json()["batch"]
    assert second != first
    assert Batch.objects.get(pk=second).declared_level == Level.MAT


def test_somebody_elses_batch_cannot_be_joined(office, clerk, signed_in):
    other = open_batch(office)
    Batch.objects.filter(pk=other.pk).update(unit=office.other_unit)
    assert send(clerk, batch=str(other.pk)).status_code == 404
    assert not Scan.objects.exists()


def test_a_refused_file_is_told_with_its_sentence_in_the_readers_language(office, clerk):
    answer = send(clerk, b"")
    assert answer.status_code == 422
    with translation.override("vi"):
        assert answer.json()["message"] == outcomes.sentence(outcomes.EMPTY, {})
    clerk.cookies["language"] = "en"
    assert "empty" in send(clerk, b"").json()["message"]


@pytest.mark.parametrize("name", ["leader", "staff", "archivist", "auditor", "security", "admin", "stranger"])
def test_only_the_intake_desk_hands_in(office, signed_in, name):
    assert send(signed_in(name)).status_code in {403, 404}
    assert not Scan.objects.exists()


def test_nothing_is_handed_in_without_a_form_token(office):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(office.clerk, backend="archive.sign_in.Backend")
    assert send(strict).status_code == 403
    assert not Scan.objects.exists()


def test_a_hostile_name_is_shown_as_text(office, clerk):
    said = send(clerk, name="<img src=x onerror=alert(1)>.pdf").json()
    page = clerk.get(said["batch_url"]).content.decode()
    assert "<img src=x" not in page


def test_a_batch_page_says_each_outcome_with_code_and_sentence(office, clerk):
    batch = open_batch(office)
    scan = failed(office, batch=batch)
    drop(office, b"", batch=batch)
    page = clerk.get(f"/intake/batches/{batch.pk}/").content.decode()
    with translation.override("vi"):
        assert str(outcomes.sentence(outcomes.FAILED, {"times": 4, "why": "cpu"})) in page
    assert outcomes.FAILED in page
    assert outcomes.EMPTY in page
    assert f"/intake/scans/{scan.pk}/retry/" in page


def test_the_page_that_renews_itself_fills_no_log(office, clerk):
    batch = open_batch(office)
    drop(office, b"1", batch=batch)
    clerk.get(f"/intake/batches/{batch.pk}/")
    for _ in range(5):
        assert clerk.get(f"/intake/batches/{batch.pk}/", headers={"HX-Request": "true"}).status_code == 200
    assert AuditEntry.objects.filter(action="scan.read").count() == 1


def test_a_batch_can_be_narrowed_to_one_state(office, clerk):
    batch = open_batch(office)
    failed(office, batch=batch, name="hong.pdf")
    drop(office, b"2", batch=batch, name="cho.pdf")
    page = clerk.get(f"/intake/batches/{batch.pk}/?only=attention").content.decode()
    assert "hong.pdf" in page
    assert "cho.pdf" not in page


def test_a_failed_file_is_tried_again(office, clerk):
    scan = failed(office)
    assert clerk.post(f"/intake/scans/{scan.pk}/retry/").status_code == 302
    scan.refresh_from_db()
    assert (scan.state, scan.code) == (ScanState.WAITING, "")
    assert AuditEntry.objects.filter(action="scan.retry").count() == 1


def test_all_failed_files_are_tried_again_but_no_duplicate(office, clerk):
    batch = open_batch(office)
    for content in (b"1", b"2"):
        failed(office, content, batch=batch)
    twin = drop(office, b"1", batch=batch)
    clerk.post(f"/intake/batches/{batch.pk}/retry/")
    assert batch.scans.filter(state=ScanState.WAITING).count() == 2
    twin.refresh_from_db()
    assert twin.code == outcomes.DUPLICATE


def test_a_file_that_somebody_else_dealt_with_is_said_so(office, clerk):
    scan = failed(office)
    Scan.objects.filter(pk=scan.pk).update(state=ScanState.WAITING, code="")
    page = clerk.post(f"/intake/scans/{scan.pk}/retry/", follow=True).content.decode()
    with translation.override("vi"):
        assert str(outcomes.CHANGED) in page


def test_one_of_many_that_somebody_else_dealt_with_does_not_stop_the_others(office, clerk, monkeypatch):
    from ingest import intake

    batch = open_batch(office)
    first, second = (failed(office, content, batch=batch) for content in (b"1", b"2"))
    retry = intake.retry

    def overtaken(scan, *, actor):
        if scan.pk == first.pk:
            raise intake.NothingToDo
        return retry(scan, actor=actor)

    monkeypatch.setattr(intake, "retry", overtaken)
    assert clerk.post(f"/intake/batches/{batch.pk}/retry/").status_code == 302
    second.refresh_from_db()
    assert second.state == ScanState.WAITING


def test_a_file_is_put_aside_only_with_a_reason(office, clerk):
    scan = failed(office)
    clerk.post(f"/intake/scans/{scan.pk}/dismiss/", {"reason": " "})
    scan.refresh_from_db()
    assert scan.state == ScanState.ATTENTION
    clerk.post(f"/intake/scans/{scan.pk}/dismiss/", {"reason": "nộp nhầm"})
    scan.refresh_from_db()
    assert (scan.state, scan.code, scan.original) == (ScanState.REFUSED, outcomes.DISMISSED, None)


@pytest.mark.parametrize("act", ["retry", "dismiss"])
def test_a_hidden_file_answers_like_one_that_is_missing(office, signed_in, act):
    scan = failed(office)
    for name in ("staff", "stranger", "auditor"):
        browser = signed_in(name)
        hidden = browser.post(f"/intake/scans/{scan.pk}/{act}/", {"reason": "x"})
        missing = browser.post(f"/intake/scans/{uuid.uuid4()}/{act}/", {"reason": "x"})
        assert hidden.status_code == missing.status_code == 404
    scan.refresh_from_db()
    assert scan.state == ScanState.ATTENTION


def test_the_desk_shows_recent_batches_with_sums_that_close(office, clerk):
    batch = open_batch(office)
    for content in (b"1", b"", bare_pdf()):
        drop(office, content, batch=batch)
    page = clerk.get("/intake/").content.decode()
    assert str(batch.pk) in page


def test_the_desk_asks_a_bounded_number_of_questions(office, clerk, django_assert_max_num_queries):
    for number in range(25):
        drop(office, str(number).encode())
    with django_assert_max_num_queries(50):
        clerk.get("/intake/")
