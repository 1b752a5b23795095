"""Signing in: guessing is bounded and learns nothing (ASVS 6.3.1, 6.3.8); sessions have limits (7.3.1, 7.3.2)."""

import re
import time

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client

from archive import digests, identity, staffing
from archive.identities.port import Identity
from archive.models import AuditEntry, OpenSession, Person
from config import status
from config.tests.office import borne_out

TOKEN = re.compile(rb'value="[A-Za-z0-9]{64}"|"X-CSRFToken": ?"[A-Za-z0-9]+"')


def guess(name, address="10.0.0.1", **more):
    return Client().post("/sign-in/", {"username": name, "password": "wrong"}, REMOTE_ADDR=address, **more)


def seen(answer, name):
    body = TOKEN.sub(b"", answer.content).replace(f'value="{name}"'.encode(), b"NAME")
    return answer.status_code, body, sorted(set(answer.headers) - {"Set-Cookie"})


@pytest.fixture
def cheap(monkeypatch):
    """Count the hashes of argon2 instead of waiting for them."""
    spent = []
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *_args: spent.append("encode") or "argon2$x")
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *_args: bool(spent.append("verify")))
    return spent


def test_asvs_6_3_8_known_and_unknown_names_answer_alike_and_cost_one_hash_each(office, cheap):
    office.clerk.password = "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaA"
    office.clerk.save()
    known, spent_on_known = seen(guess("clerk"), "clerk"), len(cheap)
    unknown = seen(guess("nobody"), "nobody")
    assert known == unknown
    assert known[0] == 401
    assert len(cheap) == 2 * spent_on_known == 2
    for _each in range(10):
        shut = guess("clerk", "10.0.0.2"), guess("nobody", "10.0.0.3")
    assert seen(shut[0], "clerk") == seen(shut[1], "nobody")
    assert shut[0].status_code == 429


def test_asvs_6_3_1_guesses_are_bounded_per_name_and_per_address(office, cheap):
    answers = [guess("nobody", f"10.1.0.{each}").status_code for each in range(30)]
    assert answers.count(401) == 9
    answers = [guess(f"nobody{each}", "10.2.0.1").status_code for each in range(30)]
    assert answers.count(401) == 9
    assert len(cheap) == 20  # what is shut costs no hash
    assert AuditEntry.objects.filter(action="session.sign_in_failed").count() >= 60


def test_the_lock_counts_the_reader_behind_a_trusted_proxy(office, cheap, settings):
    settings.TRUSTED_PROXIES = frozenset({"10.3.0.1"})
    for each in range(12):
        guess(f"nobody{each}", "10.3.0.1", headers={"X-Forwarded-For": "10.4.0.1"})
    assert guess("other", "10.3.0.1", headers={"X-Forwarded-For": "10.4.0.1"}).status_code == 429
    assert guess("other", "10.3.0.1", headers={"X-Forwarded-For": "10.4.0.2"}).status_code == 401


def test_asvs_7_3_1_a_session_left_alone_ends(signed_in, time_machine, settings):
    began = time.time()
    time_machine.move_to(began, tick=False)
    idle = settings.SESSION_IDLE_SECONDS
    browser, other = signed_in("clerk"), signed_in("leader")
    time_machine.move_to(began + idle - 1, tick=False)
    assert browser.get("/account/").status_code == 200
    time_machine.move_to(began + idle + 1, tick=False)
    assert "/sign-in/" in other.get("/account/").headers["Location"]
    assert browser.get("/account/").status_code == 200  # it was in use a moment ago
    assert AuditEntry.objects.filter(action="session.sign_out").count() == 1


def test_asvs_7_3_2_no_session_lasts_longer_than_its_limit_however_busy(signed_in, time_machine, settings):
    began = time.time()
    time_machine.move_to(began, tick=False)
    browser, longest = signed_in("clerk"), settings.SESSION_COOKIE_AGE
    for minutes in range(20, 480, 20):
        time_machine.move_to(began + minutes * 60, tick=False)
        assert browser.get("/account/").status_code == 200
    time_machine.move_to(began + longest - 1, tick=False)
    assert browser.get("/account/").status_code == 200
    time_machine.move_to(began + longest + 1, tick=False)
    assert "/sign-in/" in browser.get("/account/").headers["Location"]


def signs_in(person, password):
    return Client().post("/sign-in/", {"username": person.username, "password": password})


def test_a_password_put_in_by_sql_signs_nobody_in_and_only_who_proved_to_know_it_hears_of_that(office, last_entry):
    office.staff.set_password("mat-khau-cua-chinh-toi")
    office.staff.save()
    borne_out()
    assert signs_in(office.staff, "mat-khau-cua-chinh-toi").status_code == 302
    Person.objects.filter(pk=office.staff.pk).update(password=make_password("mat-khau-cua-nguoi-la"))
    before = OpenSession.objects.filter(person=office.staff).count()
    answer = signs_in(office.staff, "mat-khau-cua-nguoi-la")
    assert answer.status_code == 409
    assert "ngoài chương trình" in answer.content.decode()
    assert OpenSession.objects.filter(person=office.staff).count() == before
    entry = last_entry()
    assert (entry.action, entry.outcome, entry.detail.payload["code"]) == ("session.sign_in", "denied", "ACC-007")
    assert status.facts()["doors_shut"] == 1
    assert signs_in(office.staff, "sai").status_code == 401  # a guess hears nothing of it


def test_my_account_tells_a_refused_sign_in_from_a_good_one(office, signed_in, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    office.staff.set_password("mat-khau-cua-chinh-toi")
    office.staff.save()
    borne_out()
    signs_in(office.staff, "mat-khau-cua-chinh-toi")
    Person.objects.filter(pk=office.staff.pk).update(title="Trợ lý")
    signs_in(office.staff, "mat-khau-cua-chinh-toi")
    rows = signed_in("staff").get("/account/").context["sign_ins"]
    told = [(row["word"], row["is_bad"]) for row in rows]
    assert told == [("Bị từ chối đăng nhập", True), ("Đăng nhập", False)]


def weaker():
    """Return the hash of a password by parameters that are not those of today."""
    hasher = Argon2PasswordHasher()
    hasher.time_cost = 1
    return hasher.encode("mat-khau-cua-nguoi-la", hasher.salt())


def test_a_password_put_in_by_sql_with_other_parameters_is_not_hashed_anew_and_signs_nobody_in(office, last_entry):
    Person.objects.filter(pk=office.staff.pk).update(password=weaker())
    before = Person.objects.get(pk=office.staff.pk).password
    assert signs_in(office.staff, "mat-khau-cua-nguoi-la").status_code == 409
    assert last_entry().detail.payload["code"] == "ACC-007"
    assert Person.objects.get(pk=office.staff.pk).password == before
    assert digests.is_moved(office.staff)


def test_a_first_password_given_while_the_old_one_is_hashed_anew_stands(office, monkeypatch):
    Person.objects.filter(pk=office.staff.pk).update(password=weaker())
    borne_out()
    given = []
    slow = Person.set_password

    def meanwhile(person, raw):
        slow(person, raw)
        if not given:
            given.append("")
            given.append(staffing.first_password(office.staff, reason="Nghi bị lộ", actor=office.admin))

    monkeypatch.setattr(Person, "set_password", meanwhile)
    browser = Client()
    browser.post("/sign-in/", {"username": "staff", "password": "mat-khau-cua-nguoi-la"})
    assert (
        browser.get("/account/").headers["Location"].startswith("/sign-in/")
    )  # what was proved is no password any more
    office.staff.refresh_from_db()
    assert office.staff.check_password(given[1])
    assert office.staff.has_first_password


def test_a_way_put_in_by_sql_binds_no_name_of_the_directory(office):
    Person.objects.filter(pk=office.staff.pk).update(signs_in_by="ldap")
    with pytest.raises(identity.AccountMoved):
        identity.by_identity(Identity("ldap", "staff", outside_id="nguoi-la"))
    assert Person.objects.get(pk=office.staff.pk).outside_id == ""
    borne_out()
    assert identity.by_identity(Identity("ldap", "staff", outside_id="nguoi-la")) == office.staff
    assert not digests.is_moved(office.staff)


def test_a_way_put_in_by_sql_is_told_as_a_refused_account_with_its_entry(office, monkeypatch, last_entry):
    class Outside:
        def identify(self, _proof):
            return Identity("ldap", "staff", outside_id="nguoi-la")

        def is_away(self):
            return False

    monkeypatch.setattr(identity, "directory", Outside)
    Person.objects.filter(pk=office.staff.pk).update(signs_in_by="ldap")
    assert signs_in(office.staff, "of the directory").status_code == 409
    entry = last_entry()
    assert (entry.action, entry.outcome, entry.actor) == ("session.sign_in", "denied", office.staff)
    assert entry.detail.payload["code"] == "ACC-007"
    assert AuditEntry.objects.filter(outcome="denied").count() == 1
