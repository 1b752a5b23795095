"""Signing in by the office's LDAP directory: find the entry of a name as a service, then bind as that entry.

TLS with a proven server always, but on this machine's own loopback; what cannot be sealed
is not asked. Groups are not read. Every attempt makes the same two binds and one search,
whether the name is known or not. A directory that failed is left alone for a moment, so
that a hanging server does not hold every web thread.
"""

import logging
import secrets
import ssl
import time
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from archive.identities.loopback import is_loopback
from archive.identities.port import ANSWER_SECONDS, CONNECT_SECONDS, LONGEST_ID, Away, Identity, Password, Proof
from archive.models import SignsInBy

PAUSE_SECONDS: Final = 15
LONGEST: Final = 1024  # bytes of a password: OpenLDAP hangs up on a message of 256 KiB
BUSY: Final = frozenset(
    {1, 3, 51, 52, 80}
)  # operationsError, timeLimit, busy, unavailable, other: no word on the password
log = logging.getLogger("vankho.sign_in")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the directory is and how a name is found in it."""

    url: str  # ldaps://host, or ldap://host (StartTLS; in clear on loopback alone)
    base: str
    bind_dn: str
    bind_password: str = field(repr=False)
    name_attribute: str = "uid"
    id_attribute: str = "entryUUID"  # what never changes and is never given twice; "": not looked at
    ca_file: str = ""


class Directory:
    """One LDAP directory."""

    by = SignsInBy.LDAP.value

    def __init__(self, at: Address) -> None:
        """Keep the address; nothing is asked yet."""
        self.at = at
        self._left_alone_until = 0.0

    def is_away(self) -> bool:
        """Return whether it failed a moment ago."""
        return time.monotonic() < self._left_alone_until

    def identify(self, proof: Proof) -> Identity | None:
        """Return who has this name and password there.

        Raises:
            Away: no answer in time, no proof of who answers, or the service account is refused.
        """
        if not isinstance(proof, Password) or not proof.password:
            return None  # a bind without a password succeeds for anybody (RFC 4513, 5.1.2)
        if self.is_away():
            raise Away
        ldap3 = _library()
        try:
            return self._identify(ldap3, proof)
        except (ldap3.core.exceptions.LDAPException, OSError, ValueError) as error:
            self._left_alone_until = time.monotonic() + PAUSE_SECONDS
            log.warning("the directory did not answer: %s", type(error).__name__, exc_info=error)
            raise Away from error

    def _identify(self, ldap3: Any, proof: Password) -> Identity | None:
        with self._connected(ldap3, self.at.bind_dn, self.at.bind_password) as service:
            if not service.bind():
                raise ldap3.core.exceptions.LDAPException(f"the service account is refused: {service.result}")
            found = self._find(ldap3, service, proof.name)
        password = _travelling(ldap3, proof.password)
        is_real = proof.is_expected and found is not None and len(password) <= LONGEST
        nobody = f"{self.at.name_attribute}={secrets.token_hex(8)},{self.at.base}"
        dn = found["dn"] if found and is_real else nobody
        with self._connected(ldap3, dn, password if is_real else secrets.token_hex(8)) as own:
            is_right = bool(own.bind())
            if own.result["result"] in BUSY:
                raise ldap3.core.exceptions.LDAPException(f"no word on a password: {own.result['description']}")
        if not (is_right and is_real and found):
            return None
        outside_id = self._id_of(found["raw_attributes"])
        if self.at.id_attribute and not outside_id:
            log.error("the entry of %s has no %s; set VANKHO_LDAP_ID_ATTRIBUTE", proof.name, self.at.id_attribute)
            return None
        return Identity(self.by, proof.name, outside_id)

    @contextmanager
    def _connected(self, ldap3: Any, dn: str, password: str | bytes) -> Iterator[Any]:
        """Yield an open, sealed connection that is not bound yet."""
        parts = urlsplit(self.at.url)
        host, is_sealed = parts.hostname or "", parts.scheme == "ldaps"
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
        tls.wrap_socket = partial(self._seal, host)
        server = ldap3.Server(
            host, port=parts.port or (636 if is_sealed else 389), use_ssl=is_sealed, tls=tls, get_info=ldap3.NONE,
            connect_timeout=CONNECT_SECONDS,
        )  # fmt: skip
        connection = ldap3.Connection(
            server, user=dn, password=password, receive_timeout=ANSWER_SECONDS, auto_referrals=False, read_only=True
        )
        try:
            connection.open(read_server_info=False)
            if not is_sealed and not is_loopback(host) and not connection.start_tls(read_server_info=False):
                raise ldap3.core.exceptions.LDAPStartTLSError("StartTLS is refused")
            yield connection
        finally:
            with suppress(ldap3.core.exceptions.LDAPException, OSError):
                connection.unbind()
            if connection.socket is not None:
                connection.socket.close()  # one that failed to open is left behind otherwise

    def _seal(self, host: str, connection: Any, do_handshake: bool = True) -> None:
        """Wrap a connection by Python's own rules, which check the name in the handshake; ldap3's look at it afterwards."""
        context = ssl.create_default_context(cafile=self.at.ca_file or None)
        plain = connection.socket
        try:
            connection.socket = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=do_handshake)
        except (OSError, ValueError):
            plain.close()
            raise

    def _find(self, ldap3: Any, service: Any, name: str) -> dict[str, Any] | None:
        """Return the one entry of a name; None if there is none, or more than one, or the directory took another for it."""
        wanted = ldap3.utils.conv.escape_filter_chars(name)
        service.search(
            self.at.base,
            f"({self.at.name_attribute}={wanted})",
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=[each for each in (self.at.name_attribute, self.at.id_attribute) if each],
            size_limit=2,
        )
        if service.result["result"] in BUSY:
            raise ldap3.core.exceptions.LDAPException(f"the search failed: {service.result['description']}")
        entries = [each for each in service.response or () if each["type"] == "searchResEntry"]
        return entries[0] if len(entries) == 1 and self._is_named(entries[0], name) else None

    def _is_named(self, entry: Mapping[str, Any], name: str) -> bool:
        """Return whether an entry has this name but for capitals; Active Directory finds `bình` by `binh`, too."""
        values = _values(entry["raw_attributes"], self.at.name_attribute)
        return _folded(name) in {_folded(value.decode("utf-8", "replace")) for value in values}

    def _id_of(self, attributes: Mapping[str, list[bytes]]) -> str:
        values = _values(attributes, self.at.id_attribute)
        if len(values) != 1 or len(values[0]) * 2 > LONGEST_ID:
            return ""
        text = values[0].decode("ascii", "replace")
        return text if text.isprintable() and "\ufffd" not in text else values[0].hex()  # objectGUID is 16 bytes


def _values(attributes: Mapping[str, list[bytes]], wanted: str) -> list[bytes]:
    return next((values for name, values in attributes.items() if name.casefold() == wanted.casefold()), [])


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _travelling(ldap3: Any, password: str) -> bytes:
    """Return a password as it is sent: prepared (RFC 4513, 5.1.3), or as typed where no prepared form exists.

    Never an error: ldap3 raises one, and whoever typed such a password would shut the directory for everybody.
    """
    try:
        return bytes(ldap3.protocol.sasl.sasl.validate_simple_password(password))
    except ldap3.core.exceptions.LDAPException:
        return password.encode("utf-8", "replace")


def _library() -> Any:
    """Load ldap3 when it is needed, and not before: an office without a directory is spared it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its old names of pyasn1; both are pinned
        import ldap3
        import ldap3.core.exceptions
        import ldap3.protocol.sasl.sasl
        import ldap3.utils.conv
    return ldap3
