"""A colleague without the clearance finds nothing, not even a count; the refusal stands in the log."""

import re

import pytest

from config.tests.e2e import story as told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def without_what_differs(page, key):
    """Return an answer without the address it was asked by and the token of its forms."""
    return re.sub(r'[A-Za-z0-9]{64}|name="next" value="[^"]*"|nothinghere|' + key, "", page)


def test_nothing_is_found_not_even_a_count(house, visit, story):
    story.registered("thong-tin")
    staff2 = visit(house, "staff2")
    staff2.fair()
    words = told.letter("thong-tin").subject
    with story.at("archivist") as archivist:  # the cleared find it
        for _ in range(40):
            archivist.find(words)
            if archivist.page.locator("article.hit").count():
                break
            archivist.page.wait_for_timeout(500)
        assert archivist.page.locator("article.hit").count() >= 1
    staff2.go(f"/search/?q={words}")
    staff2.fair()
    assert staff2.page.locator("article.hit").count() == 0
    assert re.search(r"\b0\b", staff2.text("h2"))
    assert staff2.page.locator(".facet li").count() == 0
    for address in ("/work/", "/work/unit/", "/dossiers/", "/search/saved/", "/search/"):
        staff2.go(address)
        staff2.fair()
        assert words not in staff2.text()


def test_hidden_and_missing_are_the_same_page_and_the_refusal_is_written_down(house, visit, story):
    key = story.registered("thong-tin")
    staff2 = visit(house, "staff2")
    for address in (f"/records/{key}/", f"/records/{key}/thread/", f"/search/open/{key}/?q=mat", f"/register/{key}/"):
        hidden = staff2.context.request.get(address)
        missing = staff2.context.request.get(address.replace(key, "nothinghere"))
        assert hidden.status == missing.status == 404
        assert without_what_differs(hidden.text(), key) == without_what_differs(missing.text(), key)
    for address in (f"/records/{key}/pages/1/image/", f"/records/{key}/pages/1/thumb/", f"/records/{key}/original/"):
        assert staff2.context.request.get(address).status == 404
    staff2.go(f"/records/{key}/", status=404)
    staff2.fair()
    with story.at("auditor") as auditor:
        auditor.go("/log/refused/")
        assert "Nguyễn Văn Hòa" in auditor.text()


def test_search_never_suggests_what_is_hidden(house, visit, story):
    key = story.registered("thong-tin")
    staff2 = visit(house, "staff2")
    staff2.go(f"/search/?q={told.letter('thong-tin').symbol}")
    assert key not in staff2.page.content()
    assert staff2.page.locator("article.hit").count() == 0
