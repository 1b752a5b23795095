"""The key that signs the log: its file on this machine, and which key the log itself names (`archive.keychain`).

The log says whose it is: an entry `log.key` (`archive.naming`) bears the public key that signs
its heads. A program whose `VANKHO_HOME` points elsewhere, or is empty, would make a key of its
own and sign heads that nobody would miss the right ones for; it is refused here instead, and
makes no key. A log that names none yet (of before, or empty) takes the key that is there.

Who may write entries by SQL may put in one that names a key. It proves nothing (`verify.follow`):
this program trusts the key in its own file and follows the links back from there, as an outsider
trusts the one he was handed, so such a row stops nobody and is told. Never writes an entry.
"""

import base64
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from archive import keychain
from archive.rules.errors import Refusal
from archive.stores.disk import write_new
from archive.verifier import verify

OF_KEY: Final = keychain.OF_KEY
_CHANGED: Final = "the entry that names the log's key was changed, or put in past the office"


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
        "on purpose, the security officer takes the new one into use: manage.py log_key --take --as OFFICER --reason DECISION, "
        "with --before FILE (the key before) or --lost"
    )


class KeyDamaged(OtherLogKey):
    """LOG-014: the file of the log's key holds no key; nothing is signed with it, and no other is made in its place."""

    code = "LOG-014"
    message = _(
        "The key file %(path)s is not a key: it must hold 64 hexadecimal digits. Nothing was done. Put it back from the copy of "
        "the keys. If there is none, move the file aside; the security officer takes a new key into use: manage.py log_key "
        "--take --lost --as OFFICER --reason DECISION"
    )


class Signer:
    """The key that signs heads, kept in a file of its own beside the other keys."""

    def __init__(self, path: Path, *, origin: str, may_make: bool = True) -> None:
        """Read the key, or make one: a log has one from its first head on.

        Raises:
            KeyDamaged: the file holds no key.
            FileNotFoundError: there is none, and none may be made.
        """
        self.origin = origin
        if may_make and not path.exists():
            with suppress(FileExistsError):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_new(path, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode(), mode=0o400)
        try:
            # nosemgrep: files - keys of the installation, and the file that an officer names on the machine
            self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_bytes().decode("ascii").strip()))
        except ValueError as fault:
            raise KeyDamaged(path=path) from fault

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
    """Return the public key that the log names, "" for none yet. Two small queries in a program that has looked before.

    Where the links lead from the key of this machine, it is that one; else the last that was named with its own signature.

    Raises:
        verify.Tampered: entries of this chain name a key, and not one of them holds.
    """
    if (here := _here()) and keychain.known(here):
        return here
    rows = keychain.chain()
    if not rows:
        return ""
    last = "".join(one.key for one in _own(rows)[-1:])
    if not last or last == here:  # named here, but a link before it was changed or taken away
        raise verify.Tampered(_CHANGED, rows[-1].place)
    return last


def every_key() -> list[str]:
    """Return every key that the log names with the signature of that key, or named before there were proofs, the newest first."""
    return list(dict.fromkeys(one.key for one in reversed(_own(keychain.chain()))))


def _own(rows: list[verify.Naming]) -> list[verify.Naming]:
    begun = verify.proofless(rows)
    return [
        one
        for number, one in enumerate(rows)
        if (_is_key(one.key) if number < begun else keychain.is_by(one.key, one.link, one.own))
    ]


def handed_on() -> str:
    """Return the key to which the first one that the log named was handed on by signatures alone, "" where it names none."""
    key = ""
    for one in _own(keychain.chain()):
        if one.before == key and (not key or keychain.is_by(key, one.link, one.handed)):
            key = one.key
    return key


def unproven() -> list[str]:
    """Return in words each entry after the last proven one that names a key and proves nothing, or is not what was written."""
    rows, here = keychain.chain(), _here()
    with suppress(verify.Tampered):
        return [_told(one) for one in (verify.follow(rows, here, keychain.is_by).unproven if here else ())]
    return []


def doubt() -> str:
    """Return what is to be done about entries that name a key and prove nothing, "" for none."""
    known = keychain.known(here) if (here := _here()) else None
    stranger = (known.stranger or keychain.outside(known)) if known else None
    if stranger is None:
        return ""
    told = _(
        "Entries that nothing proves stand among those that name the log's key (%(first)s). Nobody believes them, and the office "
        "goes on under its key; somebody wrote into the database past the office. Tell the security officer, who looks into it and "
        "answers them by naming the key anew: manage.py log_key --take --as OFFICER --reason DECISION"
    )
    return told % {"first": _told(stranger)}


def _told(naming: verify.Naming) -> str:
    return str(verify.Tampered(_CHANGED, naming.place))


def _here() -> str:
    """Return the public key that lies on this machine, "" for none."""
    return made().public if has_key() else ""


def _is_key(text: str) -> bool:
    try:
        verify.parse_key(text)
    except ValueError:
        return False
    return True


def require() -> None:
    """Return in silence if this program may sign for the log in the database; make no key.

    Raises:
        OtherLogKey: the log names a key that does not lie here; KeyDamaged: what lies here is none.
        verify.Tampered: as `named`.
    """
    wanted, here = named(), _here()
    if wanted and here != wanted:
        raise OtherLogKey(
            named=_short(wanted), here=_short(here) if here else _("no key"), folder=Path(settings.VANKHO_HOME) / "keys"
        )


def _short(key: str) -> str:
    """Return name and number of a key: enough to tell two apart."""
    return "+".join(key.split("+")[:2])


def _key_file() -> Path:
    return Path(settings.VANKHO_HOME) / "keys" / "log.key"
