"""What a door has decided by is what one look finds, with its digest: SQL that shows two faces in a row opens nothing."""

import pytest
from django.test import Client

from archive import identity, looks, tokens
from archive.identities.local import Local
from archive.identities.port import Identity
from archive.models import AuditEntry, Person, ServiceToken, SignsInBy
from config.tests.office import borne_out, with_password

PASSWORD = "ba con vịt ngoài ao"
THEIRS = "mật khẩu của kẻ khác 9"


@pytest.fixture
def person(office):
    return with_password(office.leader, PASSWORD)


@pytest.fixture
def service(office):
    """A service account with its token."""
    Person.objects.filter(pk=office.staff.pk).update(is_service=True)
    borne_out()
    office.staff.refresh_from_db()
    return office.staff, tokens.give(office.staff, name="máy quét", until=None, actor=office.admin)


def put(person, **columns):
    Person.objects.filter(pk=person.pk).update(**columns)


def test_a_row_read_while_it_was_changed_is_not_as_read_though_it_is_put_back(person):
    was = person.password
    put(person, password="x")
    read = Person.objects.get(pk=person.pk)
    assert not looks.is_as_read(read, by=identity.DECIDING)
    put(person, password=was)
    assert not looks.is_as_read(read, by=identity.DECIDING)
    assert looks.is_as_read(Person.objects.get(pk=person.pk))
    with pytest.raises(identity.AccountMoved):
        identity.require_as_left(read)


def test_a_password_that_was_shown_to_the_first_read_alone_lets_nobody_in(person, monkeypatch):
    was = person.password
    theirs = Person(username="x")
    theirs.set_password(THEIRS)
    asked = Local.identify

    def between(self, proof):
        put(person, password=theirs.password)
        try:
            return asked(self, proof)
        finally:
            put(person, password=was)

    monkeypatch.setattr(Local, "identify", between)
    assert identity.by_password("leader", THEIRS) is None
    monkeypatch.undo()
    assert identity.by_password("leader", PASSWORD) == person


@pytest.mark.parametrize("column", ["outside_id", "signs_in_by"])
def test_a_name_from_outside_that_was_shown_to_the_match_alone_lets_nobody_in(person, column):
    put(person, signs_in_by=SignsInBy.OIDC, outside_id="mine")
    borne_out()
    if column == "outside_id":
        put(person, outside_id="theirs")
        found = identity.by_identity(Identity(SignsInBy.OIDC, "leader", "theirs"))
        put(person, outside_id="mine")
    else:
        put(person, signs_in_by=SignsInBy.LDAP)
        found = identity.by_identity(Identity(SignsInBy.LDAP, "leader", "mine"))
        put(person, signs_in_by=SignsInBy.OIDC)
    with pytest.raises(identity.AccountMoved):
        identity.require_as_left(found)


def test_who_waits_for_a_code_is_the_account_that_was_proved(person):
    """The code's page goes on by a digest of what was proved (`Person.get_session_auth_hash`), whatever stands there later."""
    put(person, signs_in_by=SignsInBy.OIDC, outside_id="theirs")
    kept = Person.objects.get(pk=person.pk).get_session_auth_hash()
    put(person, outside_id="mine")
    assert Person.objects.get(pk=person.pk).get_session_auth_hash() != kept


def test_a_token_opens_for_what_was_read_of_it_and_nothing_else(service, monkeypatch):
    account, secret = service
    assert tokens.holder(secret) == account
    monkeypatch.setattr(tokens, "TOLD_EVERY", tokens.TOLD_EVERY * 0)
    asked = looks.is_as_read
    for model, pk, columns in (
        (ServiceToken, account.tokens.get().pk, {"digest": tokens._digest("another")}),
        (Person, account.pk, {"username": "other"}),
    ):
        was = model.objects.filter(pk=pk).values(*columns).get()
        model.objects.filter(pk=pk).update(**columns)

        def put_back(row, *, model=model, pk=pk, was=was, **more):
            model.objects.filter(pk=pk).update(**was)
            return asked(row, **more)

        monkeypatch.setattr(looks, "is_as_read", put_back)
        assert tokens.holder("another" if model is ServiceToken else secret) is None
        monkeypatch.setattr(looks, "is_as_read", asked)
        assert tokens.holder(secret) == account
    assert AuditEntry.objects.filter(action=tokens.REFUSED).count() == 2


def test_signing_in_goes_on(person):
    assert Client().post("/sign-in/", {"username": "leader", "password": PASSWORD}).status_code == 302
