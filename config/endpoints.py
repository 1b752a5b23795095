"""Start-up checks of the servers an installation leans on: who may listen on the way, and with which account.

Production refuses an address beyond this machine and its private network that is not
protected by TLS, an account that the whole world knows, and, above Thường, any address that
is not private. The checks look at settings and resolve names; they connect to nothing.
"""

import ipaddress

# nosemgrep: network - resolves names of settings, connects to nothing
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from archive.rules.levels import Level

# Passwords and keys that images, manuals and this repository's own test servers ship.
KNOWN: Final = frozenset(
    {
        *("", "admin", "changeme", "change-me", "elastic", "minio", "minioadmin", "minio123", "owner", "app"),
        *("password", "postgres", "root", "secret", "test", "vankho", "vankho-test", "vankho-test-secret"),
    }
)
SHORTEST: Final = 16  # characters of a password that no person ever types


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server by its setting; an empty host is a socket of this machine."""

    setting: str
    host: str
    account: str
    password: str
    is_sealed: bool  # TLS that also proves who answers
    how: str  # what to write to get there


def configured() -> Iterator[Endpoint]:
    """Yield the servers the settings name."""
    bases = {"VANKHO_DATABASE_URL": settings.DATABASES["default"], "VANKHO_DATABASE_OWNER_URL": settings.DATABASE_OWNER}
    for setting, given in bases.items():
        base = cast("dict[str, Any]", given or {"ENGINE": ""})
        if base["ENGINE"].endswith("postgresql"):
            options = base.get("OPTIONS", {})
            mode = options.get("sslmode", "")
            for word in ("host", "hostaddr"):  # behind the "?", where libpq lets them win over the host before it
                if word in options:
                    yield _postgresql(setting, options[word], base["USER"], base["PASSWORD"], mode)
            yield _postgresql(setting, base["HOST"], base["USER"], base["PASSWORD"], mode)
    if settings.VAULT_URL:
        parts = urlsplit(settings.VAULT_URL)
        asked = parse_qs(parts.query)
        mode = asked.get("sslmode", [""])[0]
        account = unquote(parts.username or ""), unquote(parts.password or "")
        for word in ("host", "hostaddr"):
            for host in asked.get(word, []):
                yield _postgresql("VANKHO_VAULT_URL", host, *account, mode)
        yield _postgresql("VANKHO_VAULT_URL", unquote(parts.hostname or ""), *account, mode)
    if settings.ELASTICSEARCH_URL:
        parts = urlsplit(settings.ELASTICSEARCH_URL)
        account = unquote(parts.username or ""), unquote(parts.password or "")
        yield Endpoint("VANKHO_ELASTICSEARCH_URL", parts.hostname or "", *account, parts.scheme == "https", "https://")
    if settings.STORE_DRIVER == "s3":
        parts = urlsplit(settings.S3_URL)
        account = settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY
        yield Endpoint("VANKHO_S3_URL", parts.hostname or "", *account, parts.scheme == "https", "https://")

    yield from _outside()


def _outside() -> Iterator[Endpoint]:
    """Yield the servers that know who somebody is."""
    if settings.LDAP_URL:
        account = settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD
        # Sealed whatever its scheme: `archive.identities.directory` speaks in clear to loopback alone.
        host = urlsplit(settings.LDAP_URL).hostname or ""
        yield Endpoint("VANKHO_LDAP_URL", host, *account, is_sealed=True, how="ldaps://")
    if settings.OIDC_ISSUER:
        parts = urlsplit(settings.OIDC_ISSUER)
        account = settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET
        yield Endpoint("VANKHO_OIDC_ISSUER", parts.hostname or "", *account, parts.scheme == "https", "https://")


def _postgresql(setting: str, host: str, account: str, password: str, mode: str) -> Endpoint:
    # verify-full alone proves who answers; "require" encrypts towards anyone.
    at = "" if host.startswith("/") else host
    return Endpoint(setting, at, account, password, mode == "verify-full", "?sslmode=verify-full")


@register(Tags.security)
def servers(**_kwargs: Any) -> list[CheckMessage]:
    """Look at every server of an installation that is no evaluation."""
    if settings.PROFILE == "evaluation":
        return []
    return [fault for endpoint in configured() for fault in _faults(endpoint)]


def _faults(endpoint: Endpoint) -> Iterator[CheckMessage]:
    if not is_near(endpoint.host):
        if settings.PROFILE == "production" and (settings.SITE_MAX_LEVEL > Level.THUONG or settings.PAPER_STUBS):
            yield public_fault(endpoint)  # `config.lan` says it of the independent LAN, at every level
        if not endpoint.is_sealed:
            hint = f"Use {endpoint.how} with the server's certificate, or a server of this machine's private network."
            yield Error(f"{endpoint.setting} leaves the private network without TLS.", hint=hint, id="vankho.E050")
    if endpoint.host and _is_weak(endpoint):
        hint = f"Give this installation an account of its own with a random password of {SHORTEST} characters or more."
        yield Error(f"{endpoint.setting} has a missing, short or well-known password.", hint=hint, id="vankho.E051")


def public_fault(endpoint: Endpoint) -> CheckMessage:
    """Return the fault of a server that does not belong on an independent network."""
    hint = "An independent LAN has private addresses only: give one of this machine or its network, by number or known name."
    return Error(f"{endpoint.setting} is not a private address.", hint=hint, id="vankho.E052")


def _is_weak(endpoint: Endpoint) -> bool:
    known = endpoint.password.lower() in KNOWN or endpoint.password == endpoint.account
    return known or not endpoint.account or len(endpoint.password) < SHORTEST


def is_near(host: str) -> bool:
    """Return whether every address of a host is of this machine or a private network; an unknown name is not."""
    if not host:
        return True
    try:
        return _is_private(host)
    except ValueError:
        pass  # a name
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(_is_private(str(address[4][0])) for address in found)


def _is_private(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.is_loopback or (ip.is_private and not ip.is_unspecified)
