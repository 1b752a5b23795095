"""An authenticator is what the log says: one look decides, and one of before digests counts by its entries."""

import base64
import time
from contextlib import suppress
from itertools import product

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from archive import audit, digests, second_factor
from archive.models import AuditEntry, AuditRow, SecondFactor
from archive.rules import totp
from archive.rules.roles import Action
from archive.views import proving
from archive.views.signing_in import account
from config.tests.office import borne_out, fence_lifted, with_password

PASSWORD = "ba con vịt ngoài ao"
PROXY = "simplelazyobject"  # what entries called the person of a request, once


@pytest.fixture
def person(office):
    return with_password(office.leader, PASSWORD)


@pytest.fixture
def enrolled(person):
    secret = second_factor.new_secret()
    with time_machine.travel(time.time() - 86_400):
        second_factor.enrol(person, secret, code_of(secret))
    return secret


def code_of(secret):
    return totp.code_at(secret, int(time.time()) // 30)


def give_password():
    browser = Client()
    return browser, browser.post("/sign-in/", {"username": "leader", "password": PASSWORD})


def forget_digests():
    with fence_lifted():
        AuditRow.objects.filter(kind="secondfactor").delete()


def told_of_the_proxy(action, person):
    """Write an entry as a page of before wrote it: about the proxy of a request, in a chain of its own."""
    with transaction.atomic():
        audit.write(action, actor=person, subject=audit.Subject(PROXY, str(person.pk)))


def test_a_code_counts_once_though_sql_set_the_last_step_back(person, enrolled):
    code = code_of(enrolled)
    assert second_factor.prove(person, code)
    assert second_factor.look(person) is second_factor.Found.THERE
    used = AuditEntry.objects.get(action=Action.CODE_USED)
    assert (used.actor, used.object_type, used.object_id) == (person, "person", str(person.pk))
    SecondFactor.objects.update(last_step=0)
    assert second_factor.look(person) is second_factor.Found.MOVED
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.prove(person, code)
    assert any(fault.kind == "secondfactor" and fault.columns == ("last_step",) for fault in digests.faults())
    assert AuditEntry.objects.filter(action=Action.CODE_USED).count() == 1


def test_a_step_of_before_it_was_digested_counts_and_comes_under_a_digest_with_the_next_code(person, enrolled):
    with fence_lifted():  # as the version before left it: a digest of the other columns
        for row in AuditRow.objects.filter(kind="secondfactor"):
            factor = SecondFactor.objects.get(pk=row.row_id)
            state = {name: getattr(factor, name) for name in row.columns.split(" ") if name != "last_step"}
            of_before = digests._digest(state, salt=bytes(row.salt))
            AuditRow.objects.filter(pk=row.pk).update(columns=of_before.columns, digests=of_before.digests)
    assert second_factor.look(person) is second_factor.Found.THERE
    assert second_factor.prove(person, code_of(enrolled))
    SecondFactor.objects.update(last_step=0)
    assert second_factor.look(person) is second_factor.Found.MOVED


def test_an_authenticator_set_up_on_the_page_before_digests_is_asked_for_its_code(person):
    browser, _answer = give_password()
    browser.get("/account/authenticator/")
    secret = second_factor.unseal(base64.b64decode(browser.session[account.PENDING]), person)
    assert browser.post("/account/authenticator/", {"code": code_of(secret)}).status_code == 200
    entry = AuditEntry.objects.get(action=Action.CODE_ENROL)
    assert (entry.object_type, entry.object_id) == ("person", str(person.pk))
    forget_digests()
    assert give_password()[1].headers["Location"] == "/sign-in/code/"


def test_entries_about_the_proxy_of_a_person_count_in_the_order_of_the_log(person, office):
    row = {"person": person, "sealed": b"x" * 60, "last_step": 0, "recovery": [], "enrolled_at": timezone.now()}
    told_of_the_proxy(Action.CODE_ENROL, person)
    SecondFactor.objects.create(**row)
    assert give_password()[1].headers["Location"] == "/sign-in/code/"
    told_of_the_proxy(Action.CODE_REMOVE, person)
    assert give_password()[1].status_code == 409
    told_of_the_proxy(Action.CODE_ENROL, person)  # the third of its chain
    assert give_password()[1].headers["Location"] == "/sign-in/code/"
    second_factor.reset(person, reason="Mất máy", actor=office.security)
    SecondFactor.objects.create(**row)
    assert give_password()[1].status_code == 409


def test_a_wrong_proof_of_somebody_signed_in_stands_on_their_own_page(person, time_machine):
    time_machine.move_to(began := time.time())
    browser, _answer = give_password()
    told_of_the_proxy(Action.CODE_FAILED, person)
    time_machine.move_to(began + 400)  # a busy machine signs somebody in for seconds
    browser.post("/account/authenticator/remove/", {"proof_password": "x"})
    assert AuditEntry.objects.get(action=Action.PROOF_FAILED).object_type == "person"
    shown = browser.get("/account/").context["sign_ins"]
    assert [one["is_bad"] for one in shown] == [True, True, False]


def test_the_person_of_a_request_is_looked_at_as_a_person(person):
    proxy = SimpleLazyObject(lambda: person)
    assert audit.subject_of(proxy) == audit.subject_of(person)
    assert digests.holds(proxy)
    assert not digests.is_moved(proxy)


class Insider:
    """Somebody who lays by SQL, for each look at the row, what it is to show."""

    def __init__(self, monkeypatch, *, changed):
        self.kept, self.changed, self.read = SecondFactor.objects.get(), changed, digests.read
        self.plan = iter(())
        monkeypatch.setattr(digests, "read", self)

    def __call__(self, model, ids):
        found = list(self.read(model, ids))
        if model is SecondFactor:
            self.lay()
        return found

    def lay(self):
        SecondFactor.objects.all().delete()
        if next(self.plan, True):
            self.kept.save(force_insert=True)
        elif self.changed is not None:
            SecondFactor(**{**values_of(self.kept), **self.changed}).save(force_insert=True)


def values_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.parametrize("changed", [None, {"sealed": b"x" * 60}])
def test_no_row_that_comes_and_goes_lets_the_password_alone_in(person, enrolled, settings, monkeypatch, changed):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person.set_password(PASSWORD)
    person.save()
    borne_out()
    insider = Insider(monkeypatch, changed=changed)
    for plan in product((True, False), repeat=4):
        insider.plan = iter(plan)
        insider.lay()
        browser, answer = give_password()
        assert (answer.status_code, answer.headers.get("Location")) in {(409, None), (302, "/sign-in/code/")}, plan
        assert browser.get("/account/").status_code == 302


@pytest.mark.parametrize("changed", [None, {"sealed": b"x" * 60}])
def test_no_row_that_comes_and_goes_proves_somebody_again_by_the_password_alone(person, enrolled, monkeypatch, changed):
    insider = Insider(monkeypatch, changed=changed)
    monkeypatch.setattr(second_factor, "TRIES", 100)
    for plan in product((True, False), repeat=4):
        insider.plan = iter(plan)
        insider.lay()
        with suppress(second_factor.NotAsLeft, second_factor.NotEnrolled):
            assert not second_factor.prove_again(person, lambda: True, "")


def test_a_session_counts_as_one_with_a_code_only_if_the_code_was_asked_for(person, monkeypatch):
    """A row put in right after the look: its owner proved the password alone."""
    looked = second_factor.look

    def look(whose):
        found = looked(whose)
        made = {"sealed": b"x" * 60, "last_step": 0, "recovery": [], "enrolled_at": timezone.now()}
        SecondFactor.objects.get_or_create(person=whose, defaults=made)
        return found

    browser, _answer = give_password()
    browser_session = browser.session
    browser_session[proving.PROVED_AT] = 0.0
    browser_session.save()
    monkeypatch.setattr(second_factor, "look", look)
    browser.post("/account/authenticator/remove/", {"proof_password": PASSWORD})
    assert proving.is_fresh(browser.session)
    assert proving.CODE_GIVEN not in browser.session


@pytest.fixture
def removed(person, enrolled):
    """An authenticator that no digest is kept of, removed by SQL."""
    forget_digests()
    SecondFactor.objects.all().delete()
    return person


def test_one_of_before_digests_that_sql_removed_shuts_the_account_until_an_officer_resets_it(removed, office):
    assert give_password()[1].status_code == 409
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.prove_again(removed, lambda: True, "")
    secret = second_factor.new_secret()
    with pytest.raises(second_factor.NotAsLeft):
        second_factor.enrol(removed, secret, code_of(secret))
    assert removed in second_factor.resettable_by(office.security)
    assert [str(fault) for fault in second_factor.faults()] == [f"secondfactor {removed.pk}: removed past the office"]
    second_factor.reset(removed, reason="Bị xoá ngoài hệ thống", actor=office.security)
    assert removed not in second_factor.resettable_by(office.security)
    assert list(second_factor.faults()) == []
    assert give_password()[1].headers["Location"] == "/"
    second_factor.enrol(removed, secret, code_of(secret))
    assert second_factor.look(removed) is second_factor.Found.THERE


def test_who_took_one_of_before_digests_off_or_never_had_one_needs_no_reset(person, enrolled, office):
    forget_digests()
    second_factor.remove(person)
    assert give_password()[1].headers["Location"] == "/"
    assert list(second_factor.faults()) == []
    for whose in (person, office.clerk):
        assert second_factor.look(whose) is second_factor.Found.NONE
        assert whose not in second_factor.resettable_by(office.security)
        with pytest.raises(second_factor.NotEnrolled):
            second_factor.reset(whose, reason="x", actor=office.security)


def test_a_look_asks_the_database_three_times_at_most(person, enrolled, office, django_assert_num_queries):
    with django_assert_num_queries(1):  # with its digest
        second_factor.look(person)
    with django_assert_num_queries(3):  # never had one: no row, no digest, no act
        second_factor.look(office.clerk)
    forget_digests()
    with django_assert_num_queries(2):
        second_factor.look(person)
    SecondFactor.objects.all().delete()
    with django_assert_num_queries(3):
        second_factor.look(person)
