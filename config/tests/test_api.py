"""The API: service accounts only, the same doors and the same entries as on screen."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from archive import tokens
from archive.models import AuditEntry, Clearance, Person, PersonRole, ServiceToken, UnitScope
from archive.rules.levels import Level
from archive.rules.roles import Role
from config.tests.office import LONG_AGO, borne_out
from ingest import worker
from ingest.tests.handing import bare_pdf, text_pdf

BASE = "/api/v1"
ADDRESSES = [
    "/records",
    "/records/abcdefghijkm",
    "/records/abcdefghijkm/pages/1",
    f"/scans/{'0' * 8}-0000-4000-8000-{'0' * 12}",
]


@pytest.fixture
def service(office):
    """A scanner station's account: clerk of the registry up to Mật."""
    person = Person(username="may-quet", full_name="Trạm quét", unit=office.registry, is_service=True)
    person.set_unusable_password()
    person.save()
    PersonRole.objects.create(person=person, role=Role.CLERK, since=LONG_AGO)
    UnitScope.objects.create(person=person, unit=office.registry, since=LONG_AGO)
    Clearance.objects.create(person=person, level=Level.MAT, since=LONG_AGO, basis="QĐ 01")
    borne_out()
    return person


@pytest.fixture
def call(office, service):
    """call("get", "/records", ...) with a valid token."""
    return caller(tokens.give(service, name="trạm 1", until=None, actor=office.admin))


def caller(secret):
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def call(verb, path, content=None, **more):
        if isinstance(content, dict) and verb == "post" and "file" not in content:
            return client.generic(
                verb.upper(), BASE + path, json.dumps(content), content_type="application/json", **more
            )
        return getattr(client, verb)(BASE + path, content or {}, **more)

    return call


def upload(call, content, *, name="cong-van.pdf", **form):
    return call("post", "/scans", {"level": "thuong", "file": SimpleUploadedFile(name, content)} | form)


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("token", ["", "vk_wrong", "Bearer"])
def test_nobody_without_a_token_gets_anything(office, path, token):
    answer = Client(headers={"Authorization": f"Bearer {token}"} if token else {}).get(BASE + path)
    assert answer.status_code == 401


def test_a_browser_session_is_no_token(office, signed_in):
    assert signed_in("clerk").get(f"{BASE}/records").status_code == 401


def test_a_person_gets_no_token(office):
    with pytest.raises(tokens.NotAService):
        tokens.give(office.clerk, name="x", until=None, actor=office.admin)


def test_a_token_of_a_person_is_not_taken(office, service):
    secret = tokens.give(service, name="x", until=None, actor=office.admin)
    ServiceToken.objects.update(person=office.clerk)
    assert caller(secret)("get", "/records").status_code == 401


def test_an_expired_token_is_not_taken(office, service):
    secret = tokens.give(service, name="x", until=timezone.now() + timedelta(days=1), actor=office.admin)
    assert caller(secret)("get", "/records").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert caller(secret)("get", "/records").status_code == 401


def test_a_token_or_an_account_that_sql_wrote_opens_nothing(service):
    forged = ServiceToken.objects.create(
        person=service, name="y", digest=tokens._digest("vk_forged"), since=timezone.now(), until=None
    )
    assert caller("vk_forged")("get", "/records").status_code == 401
    borne_out()
    assert caller("vk_forged")("get", "/records").status_code == 200
    ServiceToken.objects.filter(pk=forged.pk).update(until=timezone.now() + timedelta(days=900))
    assert caller("vk_forged")("get", "/records").status_code == 401
    ServiceToken.objects.filter(pk=forged.pk).update(until=None)
    assert caller("vk_forged")("get", "/records").status_code == 200
    Person.objects.filter(pk=service.pk).update(full_name="Trạm khác")
    assert caller("vk_forged")("get", "/records").status_code == 401


def test_the_token_of_an_account_that_was_closed_is_not_taken(office, service, call):
    Person.objects.filter(pk=service.pk).update(is_active=False)
    assert call("get", "/records").status_code == 401


def test_a_token_is_kept_as_a_digest_only(office, service):
    secret = tokens.give(service, name="x", until=None, actor=office.admin)
    kept = ServiceToken.objects.values().get()
    assert secret not in str(kept)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/search", {"q": "a", "level": 3}),
        ("/search", {"q": "a", "reach": [1]}),
        ("/search", {"q": "a", "as": "leader"}),
    ],
)
def test_fields_that_were_not_asked_for_are_refused(call, path, content):
    assert call("post", path, content).status_code == 422


def test_query_fields_that_were_not_asked_for_are_refused(call):
    assert call("get", "/records", {"person": "leader"}).status_code == 422


def test_an_upload_with_more_fields_is_refused(call):
    assert upload(call, bare_pdf(), unit="1").status_code == 422


def test_from_upload_to_search(office, call, monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)
    answer = upload(call, text_pdf(), name="báo cáo.pdf")
    assert answer.status_code == 201
    scan = answer.json()
    assert (scan["outcome"], scan["name"], scan["declared_level"]) == ("waiting", "báo cáo.pdf", "thuong")
    while worker.work_once():
        continue
    scan = call("get", f"/scans/{scan['scan']}").json()
    assert (scan["outcome"], scan["pages"], scan["type"]) == ("filed", 1, "application/pdf")
    assert scan["fields"]["code_number"]["value"] == "214"
    record = call("get", f"/records/{scan['record']}").json()
    assert (record["state"], record["level"]) == ("draft", "thuong")
    page = call("get", f"/records/{scan['record']}/pages/1").json()
    assert "huấn luyện" in page["text"]
    for word in page["words"]:
        assert page["text"][word["start"] : word["start"] + len(word["text"])] == word["text"]
        assert all(0 <= edge <= 10_000 for edge in word["box"])
    assert scan["record"] in {item["key"] for item in call("get", "/records").json()["items"]}
    follow()
    found = call("post", "/search", {"q": "huan luyen dan quan"}).json()
    assert [item["key"] for item in found["items"]] == [scan["record"]]
    assert found["items"][0]["pages"]


def test_a_file_is_added_to_a_record_once_and_joins_it(office, call, make_record, monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)
    record = make_record()
    address, content = f"/records/{record.key}/files", text_pdf("Phụ lục")

    def add(**more):
        return call("post", address, {"why": "Phụ lục", "file": SimpleUploadedFile("phu-luc.pdf", content)} | more)

    first, again = add(), add()
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"is_new": False, "name": "phu-luc.pdf", "scan": None}
    assert (add(why=" ").status_code, add(unit="1").status_code) == (409, 422)
    while worker.work_once():
        continue
    scan = call("get", f"/scans/{first.json()['scan']}").json()
    assert (scan["outcome"], scan["record"], scan["joins"]) == ("filed", None, record.key)
    files = call("get", f"/records/{record.key}").json()["files"]
    assert [(one["number"], one["first_page"], one["pages"]) for one in files] == [(0, 1, 1), (1, 2, 1)]
    hidden = make_record(level=Level.TOI_MAT)
    for key in (hidden.key, "abcdefghijkm"):
        given = {"why": "x", "file": SimpleUploadedFile("a.pdf", content)}
        assert call("post", f"/records/{key}/files", given).status_code == 404


def follow():
    from search.follow import Follower

    follower = Follower()
    while follower.catch_up():
        continue
    follower.close()


def test_every_call_leaves_its_entry(office, call, make_record):
    make_record()
    upload(call, bare_pdf())
    call("get", "/records")
    call("post", "/search", {"q": "a"})
    told = set(AuditEntry.objects.filter(actor__username="may-quet", outcome="ok").values_list("action", flat=True))
    assert {"scan.upload", "record.list", "search.run"} <= told


def test_what_is_refused_is_refused_with_its_code_and_sentence(call):
    answer = upload(call, b"")
    assert answer.status_code == 422
    assert (answer.json()["outcome"], answer.json()["code"]) == ("refused", "ING-001")
    assert answer.json()["reason"]


def test_a_level_beyond_the_accounts_clearance_is_refused_and_written_down(call):
    answer = upload(call, bare_pdf(), level="toi-mat")
    assert (answer.status_code, answer.json()["code"]) == (409, "ING-022")
    assert AuditEntry.objects.filter(outcome="denied", actor__username="may-quet").count() == 1


def test_a_level_that_is_none_is_wrong_use(call):
    assert upload(call, bare_pdf(), level="bi-mat").status_code == 400


def test_a_batch_is_joined_only_under_its_own_level(call):
    first = upload(call, b"1").json()
    assert upload(call, b"2", batch=first["batch"]).json()["batch"] == first["batch"]
    assert upload(call, b"3", batch=first["batch"], level="mat").json()["batch"] != first["batch"]


def test_a_hidden_record_answers_like_one_that_is_missing(call, make_record):
    record = make_record(level=Level.TOI_MAT)
    for path in ("/records/{}", "/records/{}/pages/1"):
        hidden, missing = call("get", path.format(record.key)), call("get", path.format("abcdefghijkm"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
    assert AuditEntry.objects.filter(outcome="denied", actor__username="may-quet").count() == 4


def test_a_scan_above_the_clearance_answers_like_one_that_is_missing(office, call):
    from ingest.tests.handing import drop

    scan = drop(office, bare_pdf(), level=Level.TOI_MAT)
    hidden, missing = call("get", f"/scans/{scan.pk}"), call("get", ADDRESSES[-1])
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content


def test_a_page_that_is_not_there_answers_as_missing(call, make_record):
    record = make_record()
    assert call("get", f"/records/{record.key}/pages/9").status_code == 404


def test_an_account_without_the_role_may_not_hand_in(office, service, call):
    PersonRole.objects.filter(person=service).update(role=Role.AUDITOR)
    answer = upload(call, bare_pdf())
    assert (answer.status_code, answer.json()["code"]) == (403, "ACC-002")
    assert AuditEntry.objects.filter(outcome="denied", actor__username="may-quet").exists()


def test_a_hidden_record_is_not_counted_by_a_search(office, call, make_record):
    make_record(level=Level.TOI_MAT, subject="Diễn tập bí danh Sao Mai")
    follow()
    found = call("post", "/search", {"q": "sao mai"}).json()
    assert (found["total"], found["items"]) == (0, [])


def test_the_description_is_for_those_who_signed_in(office, signed_in):
    assert Client().get(f"{BASE}/docs").status_code == 302
    page = signed_in("clerk").get(f"{BASE}/docs")
    assert page.status_code == 200
    assert b"http://" not in page.content.replace(b"http://www.w3.org", b"")
    assert b"https://" not in page.content
    assert b"<script>" not in page.content


@pytest.mark.parametrize("verb", ["put", "delete", "patch"])
def test_the_api_changes_and_deletes_nothing(call, make_record, verb):
    record = make_record()
    assert call(verb, f"/records/{record.key}").status_code == 405


def test_the_list_goes_on_after_a_key_and_tells_no_running_number(call, make_record, monkeypatch):
    """The difference of two running numbers is how many records came between, those included that nobody may know of."""
    monkeypatch.setattr("archive.api.PER_PAGE", 2)
    made = []
    for number in range(3):
        hidden = make_record(level=Level.TOI_MAT, code_number=f"{number}9")
        made.append(make_record(code_number=f"{number}1").key)
    first = call("get", "/records").json()
    assert ([item["key"] for item in first["items"]], first["before"]) == ([made[2], made[1]], made[1])
    second = call("get", "/records", {"before": first["before"]}).json()
    assert ([item["key"] for item in second["items"]], second["before"]) == ([made[0]], None)
    answers = [call("get", "/records", {"before": key}) for key in (hidden.key, "nothinghere1", str(hidden.pk))]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_every_route_describes_what_it_may_refuse(office):
    from config.api import schema_file

    for path, verbs in schema_file()["paths"].items():
        for verb, route in verbs.items():
            assert {"400", "401", "403", "404", "409", "422", "503"} <= {str(code) for code in route["responses"]}, (
                verb,
                path,
            )


def test_an_address_that_nobody_serves_answers_in_the_form_of_the_api(call):
    for path in ("/nothing", f"/records/{'x' * 12}/pages"):
        answer = call("get", path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("application/json")
        assert set(answer.json()) == {"code", "message"}
    assert b"<html" in Client().get("/nothing/").content


def test_a_word_is_no_number_of_hits(call):
    assert call("post", "/search", {"q": "", "offset": False}).status_code == 422
    assert call("post", "/search", {"q": "", "offset": "0"}).status_code == 422


def test_no_page_is_shown_in_a_frame(office, signed_in):
    assert Client().get("/sign-in/").headers["X-Frame-Options"] == "DENY"
    assert signed_in("clerk").get("/").headers["X-Frame-Options"] == "DENY"


def test_no_script_reads_the_cookie_of_the_language(client, db):
    kept = client.post("/language/", {"language": "en", "next": "/sign-in/"}).cookies["language"]
    assert (kept["httponly"], kept["samesite"]) == (True, "Strict")
