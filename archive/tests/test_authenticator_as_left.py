"""An authenticator is what the log says: one look decides, and one of before digests counts by its entries."""

import base64
import time

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from archive import audit, digests, second_factor
from archive.models import AuditEntry, AuditRow, SecondFactor
from archive.rules import totp
from archive.rules.roles import Action
from archive.views.signing_in import account
from config.tests.office import borne_out, fence_lifted

PASSWORD = "ba con vịt ngoài ao"
PROXY = "simplelazyobject"  # what entries called the person of a request, once


@pytest.fixture
def person(office):
    office.leader.set_password(PASSWORD)
    office.leader.save()
    borne_out()
    return office.leader


@pytest.fixture
def enrolled(person):
    secret = second_factor.new_secret()
    second_factor.enrol(person, secret, code_of(secret))
    SecondFactor.objects.update(last_step=0)  # as if it had been set up yesterday
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
    time_machine.move_to(began + 301)
    browser.post("/account/authenticator/remove/", {"proof_password": "x"})
    assert AuditEntry.objects.get(action=Action.PROOF_FAILED).object_type == "person"
    shown = browser.get("/account/").context["sign_ins"]
    assert [one["is_bad"] for one in shown] == [True, True, False]


def test_the_person_of_a_request_is_looked_at_as_a_person(person):
    proxy = SimpleLazyObject(lambda: person)
    assert audit.subject_of(proxy) == audit.subject_of(person)
    assert digests.holds(proxy)
    assert not digests.is_moved(proxy)
