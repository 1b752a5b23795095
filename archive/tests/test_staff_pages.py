"""The pages of people and units, posts and scopes: who opens them, what they do, and that no record is told there."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from archive.models import AuditEntry, Person, PersonRole, Unit, UnitScope
from archive.rules.roles import Role
from archive.standing import standing
from config.tests.office import LONG_AGO

EVERYBODY = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def day(offset=0):
    return f"{timezone.localdate() + timedelta(days=offset):%d/%m/%Y}"


def status(browser, address):
    return browser.get(address).status_code


@pytest.mark.parametrize("name", EVERYBODY)
def test_each_page_opens_to_its_post_and_names_no_missing_thing(office, signed_in, name):
    browser = signed_in(name)
    expected = {
        f"/people/{office.clerk.pk}/": {"admin", "security"},
        f"/units/{office.registry.pk}/": {"admin", "security"},
        f"/posts/{office.clerk.pk}/": {"security"},
    }
    for address, posts in expected.items():
        assert status(browser, address) == (200 if name in posts else 403), address
        missing = re.sub(r"\d+", "99999", address)
        assert status(browser, missing) == (404 if name in posts else 403), missing


def test_an_account_is_made_and_its_password_is_on_that_answer_alone(office, signed_in):
    browser = signed_in("admin")
    form = {"username": "moi", "full_name": "Nguyễn Văn Mới", "title": "Trợ lý", "unit": office.registry.pk}
    assert browser.post("/people/", form).status_code == 422  # how they sign in is not chosen
    answer = browser.post("/people/", form | {"signs_in_by": "password"})
    person = Person.objects.get(username="moi")
    password = re.search(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", answer.content.decode())[0]
    assert person.check_password(password)
    assert answer.headers["Cache-Control"] == "no-store"
    assert password not in browser.get(f"/people/{person.pk}/").content.decode()
    taken = browser.post("/people/", form | {"signs_in_by": "password", "username": "MOI"})
    assert "đã có người dùng" in taken.content.decode()
    assert AuditEntry.objects.filter(outcome="denied", action="archive:people").count() == 1
    page = browser.get("/people/").content.decode()
    assert "Nguyễn Văn Mới" in page
    assert "mật khẩu lần đầu" in page


def test_one_account_is_changed_closed_and_reopened(office, signed_in):
    browser, address = signed_in("admin"), f"/people/{office.clerk.pk}/"
    change = {"act": "change", "full_name": "Lê Hương", "title": "", "unit": office.command.pk, "reason": "QĐ 3"}
    assert browser.post(address, change).status_code == 302
    assert browser.post(address, {"act": "close", "reason": ""}).status_code == 422
    assert browser.post(address, {"act": "close", "reason": "Nghỉ"}).status_code == 302
    assert "Mở lại tài khoản" in browser.get(address).content.decode()
    assert "Lê Hương" in browser.get("/people/?show=closed").content.decode()
    assert "Mật khẩu lần đầu" in browser.post(address, {"act": "reopen", "reason": "Về lại"}).content.decode()
    assert "Mật khẩu lần đầu" in browser.post(address, {"act": "password", "reason": "Quên"}).content.decode()
    own = browser.get(f"/people/{office.admin.pk}/").content.decode()
    assert 'name="act"' not in own
    assert browser.post(f"/people/{office.admin.pk}/", {"act": "close", "reason": "x"}).status_code == 403


def test_the_security_officer_gives_passwords_to_officers_alone(office, signed_in):
    second = Person.objects.create(username="an2", full_name="An Ninh Hai", unit=office.command)
    PersonRole.objects.create(person=second, role=Role.SECURITY, since=LONG_AGO)
    browser = signed_in("security")
    assert f"/people/{second.pk}/" in browser.get(f"/posts/{second.pk}/").content.decode()
    assert f"/people/{office.clerk.pk}/" not in browser.get(f"/posts/{office.clerk.pk}/").content.decode()
    for person, given in ((second, 200), (office.clerk, 422)):
        answer = browser.post(f"/people/{person.pk}/", {"act": "password", "reason": "Quên"})
        assert answer.status_code == given
        assert browser.post(f"/people/{person.pk}/", {"act": "close", "reason": "x"}).status_code == 403
    assert signed_in("admin").post(f"/people/{second.pk}/", {"act": "password", "reason": "Quên"}).status_code == 422


def test_a_unit_is_made_renamed_and_closed_by_one_and_moved_by_the_other(office, signed_in):
    admin, security = signed_in("admin"), signed_in("security")
    form = {"code": "BTH", "name": "Ban Tác huấn", "under": office.staff_unit.pk}
    assert security.post("/units/", form).status_code == 403
    assert admin.post("/units/", form).status_code == 302
    unit = Unit.objects.get(code="BTH")
    address = f"/units/{unit.pk}/"
    move = {"act": "move", "under": office.other_unit.pk, "reason": "QĐ 4"}
    assert admin.post(address, move).status_code == 403
    assert security.post(address, move).status_code == 302
    assert "Phòng Chính trị" in admin.get(address).content.decode()
    for act in ({"act": "rename", "code": "BTH", "name": "Ban Huấn luyện"}, {"act": "close"}, {"act": "reopen"}):
        assert security.post(address, act | {"reason": "QĐ 5"}).status_code == 403
        assert admin.post(address, act | {"reason": "QĐ 5"}).status_code == 302
    assert "Ban Huấn luyện" in admin.get("/units/").content.decode()


def test_a_post_and_a_scope_are_given_delegated_and_ended(office, signed_in):
    person = Person.objects.create(username="moi", full_name="Nguyễn Văn Mới", unit=office.other_unit)
    browser, address = signed_in("security"), f"/posts/{person.pk}/"
    assert "chưa có chức trách" in browser.get("/posts/?show=none").content.decode()
    post = {
        "act": "post",
        "role": "2",
        "since": day(),
        "until": day(9),
        "basis": "GUQ 3",
        "instead_of": office.leader.pk,
    }
    assert browser.post(address, post | {"until": ""}).status_code == 422
    assert browser.post(address, post | {"since": day(-1)}).status_code == 422
    assert browser.post(address, post).status_code == 302
    scope = {"act": "scope", "unit": office.registry.pk, "since": day(), "until": "", "basis": "QĐ 6"}
    assert browser.post(address, scope).status_code == 302
    page = browser.get("/posts/?show=soon").content.decode()
    assert "ủy quyền" in page
    assert day(9) in page
    row = PersonRole.objects.get(person=person)
    assert timezone.localtime(row.until).strftime("%d/%m/%Y %H:%M") == f"{day(10)} 00:00"
    end = {"act": "end_post", "row": row.pk, "until": day(3), "reason": "Về sớm"}
    assert browser.post(address, end | {"row": 99999}).status_code == 422
    assert browser.post(address, end).status_code == 302
    assert browser.post(address, end | {"until": ""}).status_code == 302
    assert standing(person, timezone.now()).roles == frozenset()
    scoped = UnitScope.objects.get(person=person)
    assert browser.post(address, {"act": "end_scope", "row": scoped.pk, "reason": "Hết việc"}).status_code == 302
    page = browser.get(address).content.decode()
    assert page.count("đã hết hạn") == 2
    assert "thay cho" in page
    assert 'value="end_post"' not in page


def test_the_officers_own_page_has_nothing_to_press(office, signed_in):
    browser = signed_in("security")
    page = browser.get(f"/posts/{office.security.pk}/").content.decode()
    assert 'name="act"' not in page
    form = {"act": "post", "role": "2", "since": day(), "basis": "x"}
    assert browser.post(f"/posts/{office.security.pk}/", form).status_code == 422
    assert standing(office.security, timezone.now()).roles == {Role.SECURITY}


def test_an_act_that_is_not_open_is_refused_in_words_and_stands_in_the_log(office, signed_in):
    """Nobody gives themselves a post, and nobody is given a password by who resets their authenticator."""
    tried = (
        ("security", f"/posts/{office.security.pk}/", "post"),
        ("security", f"/people/{office.clerk.pk}/", "password"),
        ("admin", f"/people/{office.clerk.pk}/", "reopen"),
        ("admin", f"/units/{office.registry.pk}/", "nothing"),
    )
    for name, address, act in tried:
        before = AuditEntry.objects.filter(outcome="denied").count()
        page = signed_in(name).post(address, {"act": act, "reason": "x"})
        assert page.status_code == 422, (name, act)
        assert "không được thực hiện việc này ở đây" in page.content.decode(), (name, act)
        assert AuditEntry.objects.filter(outcome="denied").count() == before + 1, (name, act)


def test_nothing_of_a_record_stands_on_these_pages(office, make_record, signed_in):
    record = make_record(subject="Diễn tập bí danh Sao Mai")
    pages = {
        "admin": ["/", "/people/", f"/people/{office.clerk.pk}/", "/units/", f"/units/{office.registry.pk}/"],
        "security": ["/", "/posts/", f"/posts/{office.clerk.pk}/", "/units/", f"/units/{office.registry.pk}/"],
    }
    for name, addresses in pages.items():
        browser = signed_in(name)
        for address in addresses:
            page = browser.get(address).content.decode()
            assert "Sao Mai" not in page
            assert record.key not in page


def test_each_reading_of_a_list_and_of_one_is_in_the_log(office, signed_in):
    signed_in("admin").get("/people/")
    signed_in("admin").get(f"/people/{office.clerk.pk}/")
    signed_in("security").get(f"/posts/{office.clerk.pk}/")
    signed_in("admin").get(f"/units/{office.registry.pk}/")
    read = AuditEntry.objects.filter(action__in=["person.read", "post.read"]).order_by("ts")
    assert [(each.action, each.object_type) for each in read] == [
        ("person.read", "office"),
        ("person.read", "person"),
        ("post.read", "person"),
        ("person.read", "unit"),
    ]


@pytest.mark.parametrize(("name", "address"), [("admin", "/people/"), ("admin", "/units/"), ("security", "/posts/")])
def test_an_act_of_weight_asks_for_a_fresh_proof(office, signed_in, name, address):
    browser = signed_in(name)
    session = browser.session
    session["proved_at"] = 0.0
    session.save()
    target = f"/posts/{office.clerk.pk}/" if address == "/posts/" else address
    answer = browser.post(target, {"act": "scope", "username": "moi", "code": "X"})
    assert "proof_password" in answer.content.decode()
    assert not Person.objects.filter(username="moi").exists()
