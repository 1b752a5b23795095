"""An office to which nothing has come yet: every page says what it is for and what comes next."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
PAGES = {
    "clerk": ("/", "/intake/", "/register/", "/registers/", "/work/", "/search/", "/search/saved/", "/dossiers/"),
    "leader": ("/", "/work/", "/work/unit/"),
    "staff": ("/work/",),
    "archivist": ("/dossiers/", "/dossiers/unfiled/", "/due/", "/holds/"),
}


@pytest.mark.parametrize("user", PAGES)
def test_every_empty_page_is_fair_and_says_what_comes_next(bare, visit, user):
    here = visit(bare, user)
    for address in PAGES[user]:
        here.go(address)
        here.fair()


def test_a_search_that_finds_nothing_says_what_to_try(bare, visit):
    here = visit(bare, "staff")
    here.find("khong co")
    here.fair()
    assert here.page.locator(".empty-box li").count() > 1
