"""An office to which nothing has come yet: every page says what it is for and what comes next."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
PAGES = {
    "clerk": ("/", "/intake/", "/register/", "/registers/", "/work/", "/search/", "/search/saved/", "/dossiers/"),
    "leader": ("/", "/work/", "/work/unit/"),
    "staff": ("/work/", "/search/?q=khong+co"),
    "archivist": ("/dossiers/", "/dossiers/unfiled/", "/due/", "/holds/"),
}


@pytest.mark.parametrize("user", PAGES)
def test_every_empty_page_is_fair_and_says_what_comes_next(bare, visit, user):
    here = visit(bare, user)
    for address in PAGES[user]:
        here.go(address)
        here.fair()
