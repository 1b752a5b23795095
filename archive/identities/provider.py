"""Signing in at an OpenID Connect provider of the office: authorization code with PKCE, state and nonce.

The server asks only addresses of the issuer's own origin, over TLS (but on loopback),
follows no redirect and reads no more than a bound. Of the answer, signature, issuer,
audience, times and nonce are checked before a name is believed.
"""

import base64
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from archive.identities.loopback import is_loopback
from archive.identities.port import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    LONGEST_ID,
    LONGEST_NAME,
    Away,
    Identity,
    Journey,
    Proof,
    Returned,
)
from archive.models import SignsInBy

PAUSE_SECONDS: Final = 15
KEPT_SECONDS: Final = 600  # what the provider says of itself, and its keys
KEYS_AGAIN_SECONDS: Final = 60  # between two looks for a key that is not known
SKEW_SECONDS: Final = 30
LONGEST: Final = 512 * 1024  # bytes of an answer
SERVER_FAULT: Final = 500
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
log = logging.getLogger("vankho.sign_in")


@dataclass(frozen=True, slots=True)
class Client:
    """Who the provider is, and who we are there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name_claim: str = "preferred_username"
    ca_file: str = ""


class _Wrong(Exception):  # noqa: N818 - an answer, not a fault
    """What came back proves nothing; told to the operators' log alone."""


# What an answer of another shape than promised leads to.
_NONSENSE: Final = (_Wrong, KeyError, TypeError, ValueError, AttributeError, RecursionError)


class Provider:
    """One OpenID Connect provider."""

    by = SignsInBy.OIDC.value

    def __init__(self, client: Client) -> None:
        """Keep the client; nothing is asked yet."""
        self.client = client
        self._left_alone_until = 0.0
        self._told: dict[str, tuple[float, Any]] = {}

    def is_away(self) -> bool:
        """Return whether it failed a moment ago."""
        return time.monotonic() < self._left_alone_until

    def begin(self, *, back: str, is_fresh: bool) -> tuple[str, Journey]:
        """Return the address to send a browser to, and what to keep meanwhile.

        Args:
            back: the address of ours it returns to, as registered there.
            is_fresh: let the provider ask for the password again (a fresh proof).

        Raises:
            Away: as named.
        """
        journey = Journey(
            state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48),
            back=back, began=time.time(), is_fresh=is_fresh,
        )  # fmt: skip
        asked = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": back,
            "scope": "openid profile",
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": _challenge(journey.verifier),
            "code_challenge_method": "S256",
        }
        if is_fresh:
            asked |= {"prompt": "login", "max_age": "0"}
        try:
            address = self._own(self._metadata()["authorization_endpoint"])
        except _NONSENSE as error:
            raise self._left_alone(error) from error
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", journey

    def identify(self, proof: Proof) -> Identity | None:
        """Return whom the provider's answer names. Raises Away."""
        if not isinstance(proof, Returned):
            return None
        try:
            return self._identify(proof.query, proof.journey)
        except _NONSENSE as error:
            log.warning("an answer of the provider proves nothing: %s", error)
            return None

    def _identify(self, query: Mapping[str, str], journey: Journey) -> Identity:
        if not secrets.compare_digest(query.get("state", "").encode(), journey.state.encode()):
            raise _Wrong("the state is another one")
        metadata = self._metadata()
        said = query.get("iss", "")
        if (said or metadata.get("authorization_response_iss_parameter_supported")) and said != self.client.issuer:
            raise _Wrong("the answer is of another issuer")
        if "code" not in query:
            raise _Wrong(f"no code: {query.get('error', '')[:40]!r}")
        answer = self._exchange(metadata, query["code"], journey)
        claims = self._checked(answer["id_token"], journey)
        name = claims.get(self.client.name_claim) or self._asked_for_name(metadata, answer, claims["sub"])
        if not isinstance(name, str) or not name or not name.isprintable() or len(name) > LONGEST_NAME:
            raise _Wrong(f"no {self.client.name_claim}")
        lasting = f"{self.client.issuer} {claims['sub']}"
        if not lasting.isprintable() or len(lasting) > LONGEST_ID:
            raise _Wrong("no sub that can be kept")
        return Identity(self.by, name, lasting)

    def _exchange(self, metadata: Mapping[str, Any], code: str, journey: Journey) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": journey.back,
            "code_verifier": journey.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        known = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in known:
            pair = f"{quote(self.client.client_id, safe='')}:{quote(self.client.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.client.client_id, "client_secret": self.client.client_secret}
        return self._ask("POST", metadata["token_endpoint"], headers=headers, body=urlencode(form))

    def _checked(self, token: str, journey: Journey) -> dict[str, Any]:
        """Return the claims of an ID token once signature, issuer, audience, times and nonce are right."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key=self._key(header.get("kid")),
                algorithms=list(ALGORITHMS),
                audience=self.client.client_id,
                issuer=self.client.issuer,
                leeway=SKEW_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise _Wrong(f"{type(error).__name__}: {error}") from error
        is_for_many = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", "" if is_for_many else self.client.client_id) != self.client.client_id:
            raise _Wrong("it was made for somebody else")
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), journey.nonce.encode()):
            raise _Wrong("the nonce is another one")
        proved_at = claims.get("auth_time")
        if journey.is_fresh and not (isinstance(proved_at, int) and proved_at >= journey.began - SKEW_SECONDS):
            raise _Wrong("the provider did not ask again")
        return claims

    def _key(self, key_id: str | None) -> Any:
        """Return the provider's key of a name; look once more for one that is not known, as keys change."""
        import jwt

        for again in (False, True):
            told = self._kept("keys", self._metadata()["jwks_uri"], again=again)
            keys = jwt.PyJWKSet.from_dict(told).keys
            fitting = [key for key in keys if key.key_id == key_id] if key_id else (keys if len(keys) == 1 else [])
            if fitting:
                return fitting[0]
        raise _Wrong("it is signed by an unknown key")

    def _asked_for_name(self, metadata: Mapping[str, Any], answer: Mapping[str, Any], subject: str) -> Any:
        """Return the name from the provider's page about a user, where the token does not carry it."""
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        told = self._ask("GET", metadata["userinfo_endpoint"], headers=headers)
        if told.get("sub") != subject:
            raise _Wrong("the page about the user is of another one")
        return told.get(self.client.name_claim)

    def _metadata(self) -> dict[str, Any]:
        told = self._kept("metadata", f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.client.issuer:
            raise _Wrong("it calls itself by another name than VANKHO_OIDC_ISSUER")
        return told

    def _kept(self, what: str, address: str, *, again: bool = False) -> dict[str, Any]:
        """Return what the provider told some minutes ago, or ask."""
        at, told = self._told.get(what, (float("-inf"), None))
        if time.monotonic() - at > (KEYS_AGAIN_SECONDS if again else KEPT_SECONDS):
            told = self._ask("GET", address)
            self._told[what] = (time.monotonic(), told)
        return dict(told or {})

    def _own(self, address: str) -> str:
        """Return an address of the issuer's own origin, sealed or on loopback. Raises _Wrong."""
        ours, theirs = urlsplit(self.client.issuer), urlsplit(address)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise _Wrong(f"{theirs.netloc} is not the issuer's own address")
        if theirs.scheme != "https" and not is_loopback(theirs.hostname or ""):
            raise _Wrong("VANKHO_OIDC_ISSUER is not sealed: write https://")
        return address

    def _ask(
        self, method: str, address: str, *, headers: dict[str, str] | None = None, body: str = ""
    ) -> dict[str, Any]:
        """Return the JSON of an answer. Raises _Wrong for a refusal, Away for none."""
        import urllib3

        self._own(address)
        if self.is_away():
            raise Away
        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS), retries=False,
            cert_reqs="CERT_REQUIRED", ca_certs=self.client.ca_file or None,
        )  # fmt: skip
        try:
            answer = pool.request(
                method, address, headers={"Accept": "application/json"} | (headers or {}), body=body or None,
                redirect=False, preload_content=False,
            )  # fmt: skip
            content = _read(answer)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._left_alone(error) from error
        finally:
            pool.clear()
        if answer.status >= SERVER_FAULT:  # quick, so not left alone: a stranger's code may have made it stumble
            log.warning("the provider did not answer: status %s", answer.status)
            raise Away
        if answer.status != 200 or len(content) > LONGEST:  # noqa: PLR2004 - the status of HTTP
            raise _Wrong(f"status {answer.status}, {len(content)} bytes")
        told = json.loads(content)
        if not isinstance(told, dict):
            raise _Wrong("no object")
        return told

    def _left_alone(self, error: Exception) -> Away:
        self._left_alone_until = time.monotonic() + PAUSE_SECONDS
        log.warning("the provider did not answer: %s", error)
        return Away()


def _read(answer: Any) -> bytes:
    """Return a body, no more than the bound; one that trickles would hold its thread for hours. Raises TimeoutError."""
    until, content = time.monotonic() + ANSWER_SECONDS, b""
    while len(content) <= LONGEST and (block := answer.read1(LONGEST + 1 - len(content))):
        content += block
        if time.monotonic() > until:
            raise TimeoutError("its answer trickles")
    return content


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
