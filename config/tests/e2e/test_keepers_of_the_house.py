"""Security officer and administrator: their own pages, and no door to a dispatch."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
OWN = {"security": "/clearances/", "admin": "/machine/status/"}


@pytest.mark.parametrize("user", OWN)
def test_their_pages_are_fair_and_no_door_leads_to_a_dispatch(house, visit, story, user):
    key = story.registered("quan-so")
    keeper = visit(house, user)
    keeper.fair()
    keeper.go(OWN[user])
    keeper.fair()
    for address in (f"/records/{key}/", f"/records/{key}/thread/", f"/records/{key}/pages/1/image/"):
        assert keeper.context.request.get(address).status == 404
    for address in ("/search/?q=quan+so", "/register/", "/intake/", "/work/", "/dossiers/", "/log/"):
        answer = keeper.context.request.get(address)
        assert answer.status == 403, address
        assert key not in answer.text()
