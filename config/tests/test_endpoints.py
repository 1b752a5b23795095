"""Production leans on no server that anyone on the way could read, or whose account the world knows."""

import socket
from types import SimpleNamespace

import pytest

from archive.rules.levels import Level
from config import endpoints

GOOD = "Zk3-9vTq-77fL-mmR2"


@pytest.fixture
def ids(monkeypatch):
    """Return the faults of a production with the given settings: ids(ELASTICSEARCH_URL=...)."""

    def found(**given):
        bare = {
            "PROFILE": "production",
            "SITE_MAX_LEVEL": Level.THUONG,
            "PAPER_STUBS": False,
            "DATABASES": {"default": {"ENGINE": "config.turns"}},
            "DATABASE_OWNER": None,
            "VAULT_URL": "",
            "ELASTICSEARCH_URL": "",
            "STORE_DRIVER": "local",
            "LDAP_URL": "",
            "OIDC_ISSUER": "",
        }
        monkeypatch.setattr(endpoints, "settings", SimpleNamespace(**bare | given))
        faults = endpoints.servers()
        assert all(fault.hint for fault in faults)
        assert not any(GOOD in f"{fault.msg}{fault.hint}" for fault in faults)
        return [fault.id for fault in faults]

    return found


def base(host, *, user="app", password=GOOD, **options):
    engine = "django.db.backends.postgresql"
    return {"default": {"ENGINE": engine, "HOST": host, "USER": user, "PASSWORD": password, "OPTIONS": options}}


def test_an_installation_without_servers_has_no_faults(ids):
    assert ids() == []


def test_an_evaluation_may_use_test_servers(settings):
    settings.ELASTICSEARCH_URL = "http://203.0.113.5:9200"
    assert endpoints.servers() == []


@pytest.mark.parametrize("host", ["", "/run/postgresql", "127.0.0.1", "10.3.4.5", "192.168.1.9", "::1", "fd12::7"])
def test_a_database_of_this_machine_or_its_network_is_accepted(ids, host):
    assert ids(DATABASES=base(host)) == []


def test_the_directory_and_the_sign_in_server_need_accounts_of_their_own(ids):
    who = {"LDAP_BIND_DN": "cn=vankho", "OIDC_CLIENT_ID": "vankho-office"}
    good = who | {"LDAP_BIND_PASSWORD": GOOD, "OIDC_CLIENT_SECRET": GOOD}
    near = {"LDAP_URL": "ldap://10.0.0.4", "OIDC_ISSUER": "https://10.0.0.4"}
    assert ids(**near, **good) == []
    assert ids(**near, **who, LDAP_BIND_PASSWORD="admin", OIDC_CLIENT_SECRET="short") == ["vankho.E051"] * 2
    assert ids(LDAP_URL="", OIDC_ISSUER="http://8.8.4.4", **good) == ["vankho.E050"]


@pytest.mark.parametrize("mode", ["", "disable", "prefer", "require", "verify-ca"])
def test_a_far_database_must_prove_who_it_is(ids, mode):
    assert ids(DATABASES=base("8.8.4.4", sslmode=mode)) == ["vankho.E050"]
    assert ids(DATABASES=base("8.8.4.4", sslmode="verify-full")) == []


@pytest.mark.parametrize("given", ["VAULT_URL", "ELASTICSEARCH_URL", "S3_URL"])
def test_every_far_server_must_speak_tls(ids, given):
    scheme, sealed = ("postgresql", "") if given == "VAULT_URL" else ("http", "https")
    more = {"STORE_DRIVER": "s3", "S3_ACCESS_KEY": "office", "S3_SECRET_KEY": GOOD} if given == "S3_URL" else {}
    account = "" if more else f"office:{GOOD}@"
    assert ids(**{given: f"{scheme}://{account}8.8.4.4/vault"}, **more) == ["vankho.E050"]
    good = f"{sealed}://{account}8.8.4.4/" if sealed else f"postgresql://{account}8.8.4.4/vault?sslmode=verify-full"
    assert ids(**{given: good}, **more) == []


@pytest.mark.parametrize("given", ["VAULT_URL", "ELASTICSEARCH_URL", "S3_URL"])
def test_above_thuong_no_server_is_far_even_with_tls(ids, given):
    url = (
        f"postgresql://office:{GOOD}@8.8.4.4/vault?sslmode=verify-full"
        if given == "VAULT_URL"
        else (f"https://office:{GOOD}@8.8.4.4/")
    )
    more = {"STORE_DRIVER": "s3", "S3_ACCESS_KEY": "office", "S3_SECRET_KEY": GOOD}
    near = {"S3_URL": "https://10.0.0.2/"} | {given: url}
    assert ids(SITE_MAX_LEVEL=Level.MAT, **(near | more)) == ["vankho.E052"]
    assert ids(PAPER_STUBS=True, **(near | more)) == ["vankho.E052"]  # register lines of secrets, too


@pytest.mark.parametrize(
    ("user", "password"),
    [("app", ""), ("", GOOD), ("postgres", "postgres"), ("office-account-1", "office-account-1"), ("app", "Short-9x")],
)
def test_a_missing_short_or_well_known_password_is_refused(ids, user, password):
    assert ids(DATABASES=base("127.0.0.1", user=user, password=password)) == ["vankho.E051"]


def test_the_accounts_of_our_own_test_servers_are_refused(ids):
    assert ids(
        STORE_DRIVER="s3", S3_URL="http://127.0.0.1:7070", S3_ACCESS_KEY="vankho", S3_SECRET_KEY="vankho-test-secret"
    ) == ["vankho.E051"]
    assert ids(ELASTICSEARCH_URL="http://vankho:vankho-test@127.0.0.1:9200") == ["vankho.E051"]
    assert ids(ELASTICSEARCH_URL="http://127.0.0.1:9200") == ["vankho.E051"]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [(["10.0.0.3"], True), (["10.0.0.3", "8.8.4.4"], False), (["::"], False), ([], False)],
)
def test_a_name_is_near_when_every_address_of_it_is(monkeypatch, addresses, expected):
    def resolve(*_args, **_kwargs):
        if not addresses:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(endpoints.socket, "getaddrinfo", resolve)
    assert endpoints.is_near("postgres") is expected
