"""A real Elasticsearch is killed under a follower and a search, and started again: nobody lends a hand."""

import os
import time

import pytest
from django.urls import reverse

from config.tests import servers
from search import drift, finding, follow

pytestmark = pytest.mark.engine


@pytest.fixture
def own():
    """A server of this test alone."""
    if not servers.SERVICES.is_dir():
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)("no scripts that start servers")
    server = servers.Own("elasticsearch", "--heap", "256m")
    yield server
    server.wipe()


@pytest.fixture
def follower(own, settings):
    """The follower of an installation whose search server is `own`."""
    settings.ELASTICSEARCH_URL, settings.INDEX_PREFIX = own.start()["ELASTICSEARCH_URL"], "vankho-killed"
    finding.engine.cache_clear()
    follower = follow.Follower()
    yield follower
    follower.close()
    finding.engine.cache_clear()


def caught_up(follower):
    while follower.catch_up():
        continue


def search(browser):
    sent = browser.post("/search/", {"q": "huan luyen"})
    return browser.get(sent.headers["Location"])


def test_while_the_server_is_dead_search_says_so_all_else_works_and_the_index_catches_up(
    make_record, own, follower, signed_in, client
):
    browser = signed_in("archivist")
    first = make_record(subject="Kế hoạch huấn luyện một")
    caught_up(follower)
    assert search(browser).context["answer"].total == 1

    make_record(subject="Kế hoạch huấn luyện hai")
    own.kill()
    began = time.monotonic()
    page = search(browser)
    assert (page.status_code, page.context["is_away"]) == (503, True)
    assert time.monotonic() - began < 5
    make_record(subject="Kế hoạch huấn luyện ba")
    assert browser.get(reverse("archive:record", args=[first.key])).status_code == 200
    assert follower.catch_up() == 0
    assert client.get("/readyz").status_code == 200
    assert search(browser).status_code == 503

    own.start()
    until = time.monotonic() + 20
    while follower.catch_up() == 0 and time.monotonic() < until:
        time.sleep(0.2)
    caught_up(follower)
    page = search(browser)
    assert (page.status_code, page.context["answer"].total) == (200, 3)
    assert drift.check(follower.engine).ids == set()
