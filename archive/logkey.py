"""The key that signs the log: its file on this machine, and which key the log itself names.

The log says whose it is: an entry `log.key` (`archive.naming`) bears the public key that signs
its heads. A program whose `VANKHO_HOME` points elsewhere, or is empty, would make a key of its
own and sign heads that nobody would miss the right ones for; it is refused here instead, and
makes no key. A log that names none yet (of before, or empty) takes the key that is there.
Never writes an entry.
"""

import base64
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from archive.models import AuditEntry
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.stores.disk import write_new
from archive.verifier import verify

OF_KEY: Final = ("log", "key")  # type and id of the object whose chain holds every key that the log ever named


class LogShorter(Refusal):
    """LOG-001: the database holds less than was signed, or something else: it was rolled back or rewritten."""

    code = "LOG-001"
    message = _(
        "The log in the database does not continue the last signed head (%(size)s entries). The database was rolled "
        "back, or history was changed. Stop work, keep the disk as it is, and tell the security officer."
    )


class OtherLogKey(LogShorter):
    """LOG-008: this program would sign with another key than the log names; like a log that was put back, it waits for people."""

    code = "LOG-008"
    message = _(
        "The log names the key %(named)s for its signed heads; in %(folder)s lies %(here)s. Nothing was done. Set VANKHO_HOME "
        "to the folder of this office, or put keys/log.key back from the copy of the keys. If that key is lost or was changed "
        "on purpose, the security officer takes the new one into use: manage.py log_key --take --as OFFICER --reason DECISION"
    )


class Signer:
    """The key that signs heads, kept in a file of its own beside the other keys."""

    def __init__(self, path: Path, *, origin: str) -> None:
        """Read the key, or make one: a log has one from its first head on."""
        self.origin = origin
        with suppress(FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_new(path, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode(), mode=0o400)
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip()))

    @property
    def public(self) -> str:
        """The key to hand to auditors: NAME+HASH+KEY."""
        return f"{self.origin}+{self._id().hex()}+{base64.b64encode(self._raw()).decode()}"

    def note(self, size: int, root: bytes) -> bytes:
        """Return the signed note of a head."""
        return self.signed(f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n")

    def signed(self, text: str) -> bytes:
        """Return lines of text as a signed note; whoever signs anything but a head makes it none by its second line."""
        signed = base64.b64encode(self._id() + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.origin} {signed}\n".encode()

    def sign(self, data: bytes) -> bytes:
        """Return the bare signature of data that begins with a word of its own, so that it is no head."""
        return self._key.sign(data)

    def has_signed(self, data: bytes, signature: bytes) -> bool:
        """Return whether this key made the signature of exactly this."""
        try:
            self._key.public_key().verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _raw(self) -> bytes:
        return verify.ED25519 + self._key.public_key().public_bytes_raw()

    def _id(self) -> bytes:
        return hashlib.sha256(self.origin.encode() + b"\n" + self._raw()).digest()[: verify.KEY_ID_BYTES]


def signer() -> Signer:
    """Return the signer of this installation; a key is made where the log names none yet. Raises OtherLogKey."""
    if not has_key():
        require()
    return made()


def made() -> Signer:
    """Return the key of this machine, made if need be: for who names it in the log next (`archive.naming`)."""
    return Signer(_key_file(), origin=settings.LOG_ORIGIN)


def has_key() -> bool:
    """Return whether a key was made yet: who only looks must make none."""
    return _key_file().exists()


def named() -> str:
    """Return the public key that the log names, "" for none yet. One small query.

    Raises:
        verify.Tampered: an entry of this chain is not what was written, or does not follow the one before it.
    """
    object_type, object_id = OF_KEY
    chain = AuditEntry.objects.filter(object_type=object_type, object_id=object_id).order_by("object_seq")
    key, previous = "", bytes(32)
    for number, (seq, body, digest, place) in enumerate(
        chain.values_list("object_seq", "body", "leaf_hash", "leaf__idx"), start=1
    ):
        entry = _as_written(bytes(body), bytes(digest))
        if entry is None or seq != number or (seq, previous.hex()) != (entry["object_seq"], entry["object_prev"]):
            raise verify.Tampered("the entry that names the log's key was changed, or put in past the office", place)
        previous = bytes(digest)
        if (entry["action"], entry["outcome"]) == (str(Action.LOG_KEY), "ok"):
            key = verify.named_key(entry)
    return key


def _as_written(body: bytes, digest: bytes) -> dict[str, Any] | None:
    """Return an entry of this chain, None if its bytes are not those of its hash or name another object."""
    if hashlib.sha256(b"\0" + body).digest() != digest:
        return None
    try:
        entry: dict[str, Any] = json.loads(body)
        about = (entry["object"]["type"], entry["object"]["id"])
    except (ValueError, KeyError, TypeError):
        return None
    return entry if about == OF_KEY else None


def require() -> None:
    """Return in silence if this program may sign for the log in the database; make no key.

    Raises:
        OtherLogKey: the log names a key that does not lie here.
    """
    if not (wanted := named()):
        return
    here = made().public if has_key() else ""
    if here != wanted:
        raise OtherLogKey(
            named=_short(wanted), here=_short(here) if here else _("no key"), folder=Path(settings.VANKHO_HOME) / "keys"
        )


def _short(key: str) -> str:
    """Return name and number of a key: enough to tell two apart."""
    return "+".join(key.split("+")[:2])


def _key_file() -> Path:
    return Path(settings.VANKHO_HOME) / "keys" / "log.key"
