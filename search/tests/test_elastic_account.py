"""The account of an office on the search server: what compose gives it suffices for everything, and opens nothing else."""

from urllib.parse import urlsplit, urlunsplit

import pytest
from elasticsearch import ApiError, AuthenticationException, AuthorizationException, Elasticsearch

from search.tests import make

pytestmark = pytest.mark.engine


@pytest.fixture
def address():
    make.elasticsearch()  # skips or fails without one
    given = make.os.environ["VANKHO_TEST_ELASTICSEARCH_URL"]
    if urlsplit(given).username is None:
        reason = "this server asks nobody who is there; config/engine starts one that does"
        (pytest.fail if make.os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)(reason)
    return given


@pytest.fixture
def account(address):
    with Elasticsearch(address) as client:
        yield client


def test_nobody_without_the_account_is_answered(address):
    parts = urlsplit(address)
    for account in ("", "vankho:wrong-wrong-wrong@"):
        bare = urlunsplit((parts.scheme, account + parts.netloc.rpartition("@")[2], "", "", ""))
        with Elasticsearch(bare) as client, pytest.raises(AuthenticationException):
            client.search(index="vankho*")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.index(index="other", document={"a": 1}),
        lambda client: client.search(index="other-that-is-not-there"),
        lambda client: client.indices.create(index="other-vankho"),
        lambda client: client.security.get_user(),
        lambda client: client.security.put_user(username="second", password="second-second", roles=["superuser"]),
        lambda client: client.security.create_api_key(name="key"),
        lambda client: client.cluster.put_settings(persistent={"action.auto_create_index": "true"}),
        lambda client: client.snapshot.get_repository(),
    ],
)
def test_it_may_use_its_own_indexes_and_nothing_else(account, ask):
    with pytest.raises(AuthorizationException):
        ask(account)


def test_it_may_ask_whether_the_server_is_well_and_keep_its_own(account, tmp_path):
    assert account.cluster.health()["status"] in {"green", "yellow"}
    name = f"{make.prefix_of(tmp_path)}-own"
    try:
        account.index(index=name, document={"a": 1}, refresh=True)
        assert account.count(index=name)["count"] == 1
    except ApiError as error:
        pytest.fail(f"refused: {error.status_code}")
    finally:
        account.indices.delete(index=name, ignore_unavailable=True)
