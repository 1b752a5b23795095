"""What is offered while typing, or afterwards, tells of dispatches: each door that shows it leaves an entry at their level."""

import pytest

from archive import showings
from archive.models import AuditEntry
from archive.rules.levels import Level
from archive.rules.roles import Action
from search import offering, saving
from search.query import parse
from search.tests.test_pages_api import call  # noqa: F401 - a fixture
from search.tests.test_pages_search import asked, index  # noqa: F401 - fixtures

SECRET = "Chiến dịch Sao Băng"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def office_of_two(office, make_record, index):  # noqa: F811 - a fixture
    """An office with an open and a secret dispatch, indexed."""
    make_record(subject="Sao lục công lệnh")
    make_record(subject=SECRET, level=Level.MAT)
    index()
    return office


def searches():
    return list(AuditEntry.objects.filter(action=Action.SEARCH_RUN).order_by("ts").select_related("detail"))


@pytest.mark.parametrize(
    ("door", "typed", "level"),
    [
        ("/search/hints/", "sao b", Level.MAT),
        ("/search/hints/", "sao l", Level.THUONG),
        ("/search/meant/", "sao bag", Level.MAT),
        ("/search/meant/", "sao luk", Level.THUONG),
    ],
)
def test_a_door_that_offers_words_writes_what_was_typed_at_their_level(office_of_two, signed_in, door, typed, level):
    page = signed_in("clerk").post(door, {"q": typed}, headers=HTMX).text
    assert ("level-mat" in page) == (level == Level.MAT)
    (entry,) = searches()
    assert (entry.actor_id, entry.level) == (office_of_two.clerk.pk, level)
    assert entry.detail.payload["text"] == typed
    assert entry.detail.payload["offered"] == page.count("data-text=") + page.count('name="instead"') > 0


def test_what_offers_nothing_told_nothing(office_of_two, signed_in):
    assert "<li" not in signed_in("clerk").post("/search/hints/", {"q": "zzz"}).text
    assert "sao băng" not in signed_in("stranger").post("/search/hints/", {"q": "sao b"}).text.lower()
    assert searches() == []


def test_a_page_asks_by_itself_what_may_have_been_meant_or_by_a_link_without_script(office_of_two, signed_in):
    browser = signed_in("clerk")
    page, _address = asked(browser, q="sao bag")
    assert "meant" not in page.context
    assert 'hx-post="/search/meant/"' in page.text
    (bare,) = searches()
    assert (bare.level, bare.detail.payload["total"]) == (Level.THUONG, 0)
    spelled = browser.post("/search/meant/", {"q": "sao bag"})
    assert [one.text for one in spelled.context["meant"]] == ["sao băng"]
    assert "<h1" in spelled.text
    assert "<h1" not in browser.post("/search/meant/", {"q": "zzz"}, headers=HTMX).text
    assert "Không có cách viết nào khác" in browser.post("/search/meant/", {"q": "zzz"}).text
    assert spelled.context["page_level"] == Level.MAT
    (offer,) = [entry for entry in searches() if "offered" in entry.detail.payload]
    assert (offer.level, offer.detail.payload["text"], offer.detail.payload["offered"]) == (Level.MAT, "sao bag", 1)


def test_an_empty_question_about_spellings_leads_to_the_empty_page_and_writes_no_kept_query_that_it_does_not_show(
    office_of_two, signed_in
):
    saving.keep(saving.Wanted(name="Sao băng", text="sao băng", level=Level.MAT), actor=office_of_two.clerk)
    browser = signed_in("clerk")
    answer = browser.post("/search/meant/", {"q": " "})
    assert (answer.status_code, answer["Location"]) == (302, "/search/")
    assert searches() == []
    assert "Sao băng" in browser.get(answer["Location"]).text
    (told,) = searches()
    assert (told.level, told.detail.payload["part"], told.detail.payload["shown"]) == (Level.MAT, "kept", 1)


def test_the_api_writes_what_it_offers(office_of_two, call):  # noqa: F811 - a fixture
    for door, typed in (("/search/suggestions", "sao b"), ("/search", "sao bag")):
        assert call(door, q=typed).status_code == 200
        (entry,) = [
            one for one in searches() if "offered" in one.detail.payload and one.detail.payload["text"] == typed
        ]
        assert (entry.level, entry.detail.payload["offered"]) == (Level.MAT, 1)


def test_what_is_offered_beside_hits_has_an_entry_of_its_own(office_of_two, make_record, call, index):  # noqa: F811
    """The entry of a page stands at the level of its hits: `verify_log` holds it against them."""
    make_record(subject="Sao bag kỹ thuật")
    make_record(subject=SECRET, level=Level.MAT)
    index()
    answer = call("/search", q="sao bag").json()
    assert [hit["level"] for hit in answer["items"]] == ["thuong"]
    assert answer["meant"] == ["sao băng"]
    assert list(showings.faults()) == []
    assert [entry.level for entry in searches() if "total" in entry.detail.payload] == [Level.THUONG]


def test_an_offer_is_as_secret_as_the_newest_dispatches_that_hold_it(office_of_two, make_record, index):  # noqa: F811
    (only,) = offering.suggestions("sao b", office_of_two.clerk)
    assert (only.text.lower(), only.count, only.level) == ("sao băng", 1, Level.MAT)
    make_record(subject="Sao băng trên bầu trời")
    index()
    (both,) = [one for one in offering.suggestions("sao b", office_of_two.clerk) if one.text.lower() == "sao băng"]
    assert (both.count, both.level) == (2, Level.MAT)
    assert offering.meant(parse("zzz"), office_of_two.clerk) == []
