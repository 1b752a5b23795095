"""Lawful acts that meet at one account: who signs in at that moment is decided by what is there then, and no edit is told."""

import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from archive import digests, identity, looks, second_factor, staffing, tokens
from archive.identities.local import Local
from archive.identities.port import Identity
from archive.models import AuditEntry, OpenSession, Person, ServiceToken
from archive.tests.test_looks import service
from archive.tests.test_overtaken import at_once, no_heads
from archive.tests.test_second_factor import code_of, enrolled
from config import status
from config.tests.office import borne_out, told_long_ago

__all__ = ["enrolled", "no_heads", "service"]
PASSWORD = "ba con vịt ngoài ao"


def weak():
    """Hash the password by parameters that are not those of today."""
    hasher = Argon2PasswordHasher()
    hasher.time_cost = 1
    return hasher.encode(PASSWORD, hasher.salt())


@pytest.fixture
def person(office):
    Person.objects.filter(pk=office.staff.pk).update(password=weak())
    borne_out()
    return Person.objects.get(pk=office.staff.pk)


def sign_in():
    return Client().post("/sign-in/", {"username": "staff", "password": PASSWORD}).status_code


def is_nothing_told(person):
    denied = AuditEntry.objects.filter(outcome="denied").exclude(action="session.sign_in_failed")
    return not denied.exists() and status.facts()["doors_shut"] == 0 and not digests.is_moved(person)


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen the first time that a function is called, before or after it."""

    def happens(holder, name, act, *, after=False):
        real, done = getattr(holder, name), []

        def called(*args, **more):
            gave = real(*args, **more) if after else None
            if not done:
                done.append(name)
                act()
            return gave if after else real(*args, **more)

        monkeypatch.setattr(holder, name, called)

    return happens


@pytest.mark.parametrize(
    ("holder", "name", "after"),
    [(Person, "set_password", True), (Local, "identify", True), (second_factor, "look", False)],
)
def test_of_two_sign_ins_at_a_rehash_both_are_let_in(person, meanwhile, holder, name, after):
    other = []
    meanwhile(holder, name, lambda: other.append(sign_in()), after=after)
    assert (sign_in(), other) == (302, [302])
    assert OpenSession.objects.filter(person=person).count() == 2
    assert AuditEntry.objects.filter(action="person.change", object_id=str(person.pk)).count() == 1
    assert is_nothing_told(person)


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_of_two_sign_ins_at_the_same_moment_both_are_let_in(person, monkeypatch):
    both, real = threading.Barrier(2, timeout=30), Person.set_password
    waited = threading.local()

    def together(one, raw):
        if not getattr(waited, "done", False):
            waited.done = True
            both.wait()
        real(one, raw)

    monkeypatch.setattr(Person, "set_password", together)
    assert at_once(sign_in, sign_in) == [302, 302]
    assert is_nothing_told(person)


@pytest.mark.parametrize("deed", ["close", "first_password"])
@pytest.mark.parametrize(
    ("holder", "name", "after"),
    [(Person, "set_password", True), (Local, "identify", True), (second_factor, "look", False)],
)
def test_an_account_closed_or_given_a_password_between_proof_and_session_is_a_wrong_password(
    person, office, meanwhile, holder, name, after, deed
):
    meanwhile(holder, name, lambda: getattr(staffing, deed)(person, reason="Nghỉ", actor=office.admin), after=after)
    assert sign_in() == 401
    assert not OpenSession.objects.filter(person=person).exists()
    assert is_nothing_told(person)


def test_an_account_closed_after_the_code_is_asked_for_its_password(office, person, meanwhile, enrolled):
    secret, _codes = enrolled
    browser = Client()
    assert browser.post("/sign-in/", {"username": "staff", "password": PASSWORD}).url == "/sign-in/code/"
    meanwhile(identity, "require_as_left", lambda: staffing.close(person, reason="Nghỉ", actor=office.admin))
    answer = browser.post("/sign-in/code/", {"code": code_of(secret)})
    assert (answer.status_code, answer.url) == (302, "/sign-in/")
    assert not OpenSession.objects.filter(person=person).exists()
    assert is_nothing_told(person)


def test_a_token_that_ends_while_it_is_looked_at_opens_nothing_and_tells_no_edit(service, office, meanwhile):
    account, secret = service
    meanwhile(looks, "is_as_read", lambda: staffing.close(account, reason="Nghỉ", actor=office.admin))
    assert tokens.holder(secret) is None
    assert is_nothing_told(account)
    assert not digests.is_moved(ServiceToken.objects.get())


def test_an_identity_from_outside_whose_account_was_overtaken_is_decided_again(person, office):
    read = Person.objects.get(pk=person.pk)
    staffing.first_password(person, reason="x", actor=office.admin)
    with pytest.raises(identity.Overtaken):
        identity.require_as_left(read)
    with pytest.raises(identity.Overtaken):
        identity.by_identity(Identity("password", "staff", proved=read.password))


def test_a_row_that_sql_edits_besides_stays_an_edit(person, office, last_entry, meanwhile):
    def both():
        staffing.first_password(person, reason="x", actor=office.admin)
        Person.objects.filter(pk=person.pk).update(password=weak())

    meanwhile(second_factor, "look", both)
    assert sign_in() == 409
    assert last_entry().detail.payload["code"] == "ACC-007"


def test_what_an_act_left_long_ago_is_no_race(person, office):
    """SQL shows the decision a password of before, and puts the row back."""
    was = person.password
    staffing.first_password(person, reason="x", actor=office.admin)
    told_long_ago()
    read = Person.objects.get(pk=person.pk)
    read.password = was
    assert not looks.is_overtaken(read, by=identity.DECIDING)
    with pytest.raises(identity.AccountMoved):
        identity.require_as_left(read)
