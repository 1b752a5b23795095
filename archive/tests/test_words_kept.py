"""What was typed comes back when its form can go on no more: the session ended, the form is too old."""

import pytest
from django.test import Client
from django.urls import reverse

from config.tests.office import with_password

PASSWORD = "ba con vịt ngoài ao"
HERE = "http://testserver"
WORDS = "Đã thực hiện xong, kính trình đồng chí."


@pytest.fixture
def address(make_record):
    return reverse("archive:step-answer", args=(make_record().key, 1))


def test_a_form_sent_after_the_session_ended_gives_back_its_words_and_leads_to_the_page_it_stood_on(office, address):
    with_password(office.leader, PASSWORD)
    browser = Client()
    answer = browser.post(address, {"text": WORDS, "to": "u:PTM"}, headers={"Referer": f"{HERE}/work/?at=x"})
    assert answer.status_code == 401
    assert f"{WORDS}</textarea>" in answer.text
    assert answer.context["typed"] == [WORDS]
    assert answer.context["ended"] == "/sign-in/?next=%2Fwork%2F%3Fat%3Dx"
    signed = browser.post(answer.context["ended"], {"username": "leader", "password": PASSWORD})
    assert (signed.status_code, signed["Location"]) == (302, "/work/?at=x")


@pytest.mark.parametrize("came", ["https://evil.example/work/", ""])
def test_who_comes_from_elsewhere_is_led_to_the_desk_and_never_to_an_address_that_shows_no_page(office, address, came):
    """A sign-in that led on to the address of a form ended in the browser's own empty page (405)."""
    answer = Client().post(address, {}, headers={"Referer": came})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
    page = Client().get(reverse("archive:work"))
    assert page["Location"] == "/sign-in/?next=/work/"  # a page is led back to itself as before


def test_no_proof_of_a_person_comes_back(office, address):
    given = {"proof_password": "ba con vịt", "proof_code": "12 34 56", "text": WORDS}
    assert Client().post(address, given).context["typed"] == [WORDS]


@pytest.mark.parametrize(("origin", "typed"), [(HERE, [WORDS]), ("https://evil.example", []), (None, [])])
def test_a_form_that_is_too_old_gives_back_words_of_our_own_pages_only(office, address, origin, typed):
    headers = {"Origin": origin} if origin else {}
    answer = Client(enforce_csrf_checks=True).post(address, {"text": WORDS}, headers=headers)
    assert answer.status_code == 403
    assert answer.context["typed"] == typed
    assert (WORDS in answer.text) == bool(typed)
