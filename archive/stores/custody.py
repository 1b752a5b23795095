"""Custodians: who holds the site key, and how level keys are locked under it.

First form: key files. A file is one line of 64 hexadecimal digits, mode 0400, owned by the
archive's account, on a disk or stick of its custodian. The level Thường needs the first half
only; every higher level needs both halves, so one custodian alone opens nothing classified.
A token (PKCS#11) later answers the same two questions, `lock` and `unlock`, and never shows its key.
Nothing here knows objects, data keys or the database of the vault.
"""

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive.rules.levels import Level
from archive.stores.disk import sync_folder, write_new
from archive.stores.refusals import (
    KeyFileExposed,
    KeyFileMalformed,
    KeyFileMissing,
    KeyFileOwned,
    SecondHalfNeeded,
)

HALF_BYTES: Final = 32
NONCE_BYTES: Final = 12
FINGERPRINT_BYTES: Final = 16
_FILE_BYTES: Final = {2 * HALF_BYTES, 2 * HALF_BYTES + 1}  # with or without the line's end


class Unopened(Exception):  # noqa: N818 - a finding, translated into a refusal by the vault
    """A wrapped key does not open with this key and these bound facts."""


class Custodian(Protocol):
    """Whoever can lock and unlock level keys."""

    def lock(self, level_key: bytes, *, level: Level, bound: bytes) -> bytes:
        """Return the level key wrapped under the site key of this level."""

    def unlock(self, locked: bytes, *, level: Level, bound: bytes) -> bytes:
        """Return the level key. Raises Unopened."""

    def fingerprints(self) -> Sequence[bytes]:
        """Return one public fingerprint per half, to tell a foreign key from a damaged vault."""

    def place(self, half: int) -> str:
        """Return where half `half` (0, 1) comes from, for a sentence to a person."""


def wrap(key: bytes, *, under: AESGCM, bound: bytes) -> bytes:
    """Return nonce (12) | AES-256-GCM of the key (48), bound to the given facts."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + under.encrypt(nonce, key, bound)


def unwrap(wrapped: bytes, *, under: AESGCM, bound: bytes) -> bytes:
    """Return the key.

    Raises:
        Unopened: another key, other facts, or changed bytes.
    """
    try:
        return under.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Unopened from error


def read_half(path: Path) -> bytes:
    """Return the 32 bytes of a key file after checking file, owner, permissions and size.

    Raises:
        KeyFileMissing, KeyFileOwned, KeyFileExposed, KeyFileMalformed: with the path and the cure.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileMissing(path=path, reason=error.strerror) from error
    try:
        _check(path, os.fstat(descriptor))
        line = os.read(descriptor, max(_FILE_BYTES))
    finally:
        os.close(descriptor)
    try:
        half = bytes.fromhex(line.decode("ascii"))
    except ValueError as error:
        raise KeyFileMalformed(path=path) from error
    if len(half) != HALF_BYTES:
        raise KeyFileMalformed(path=path)
    return half


def _check(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise KeyFileMalformed(path=path)
    if facts.st_uid != os.geteuid():
        raise KeyFileOwned(path=path, owner=facts.st_uid, user=os.geteuid())
    if stat.S_IMODE(facts.st_mode) != stat.S_IRUSR:
        raise KeyFileExposed(path=path, mode=f"{stat.S_IMODE(facts.st_mode):04o}")
    if facts.st_size not in _FILE_BYTES:
        raise KeyFileMalformed(path=path)


def make_key_files(paths: Sequence[Path]) -> None:
    """Create the key files that do not exist yet; two processes starting at once agree on one key."""
    for path in paths:
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        write_new(temporary, secrets.token_hex(HALF_BYTES).encode("ascii") + b"\n", mode=stat.S_IRUSR)
        with suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
        sync_folder(path.parent)


class KeyFiles:
    """The custodian port over one or two key files; the halves stay in this process's memory."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read and check the files.

        Raises:
            KeyFileMissing, KeyFileOwned, KeyFileExposed, KeyFileMalformed: with the path and the cure.
        """
        self._paths = tuple(paths[:2])
        self._halves = tuple(read_half(path) for path in self._paths)
        if not self._halves:
            raise KeyFileMissing(path="", reason="VANKHO_SITE_KEY_FILES")

    def lock(self, level_key: bytes, *, level: Level, bound: bytes) -> bytes:
        """Return the level key wrapped under the site key of this level."""
        return wrap(level_key, under=self._site_key(level), bound=bound)

    def unlock(self, locked: bytes, *, level: Level, bound: bytes) -> bytes:
        """Return the level key. Raises Unopened."""
        return unwrap(locked, under=self._site_key(level), bound=bound)

    def fingerprints(self) -> Sequence[bytes]:
        """Return 16 bytes per half; they tell halves apart and reveal nothing of them."""
        return [_derive(half, b"vankho half fingerprint v1", FINGERPRINT_BYTES) for half in self._halves]

    def place(self, half: int) -> str:
        """Return the path of a half."""
        return str(self._paths[half]) if half < len(self._paths) else "-"

    def _site_key(self, level: Level) -> AESGCM:
        """Derive the key that locks a level's keys: first half for Thường, both halves above it."""
        if level > Level.THUONG and len(self._halves) < 2:  # noqa: PLR2004 - two custodians
            raise SecondHalfNeeded(level=level.label)
        halves = self._halves if level > Level.THUONG else self._halves[:1]
        return AESGCM(_derive(b"".join(halves), b"vankho site key v1" + bytes([level]), HALF_BYTES))


def _derive(secret: bytes, label: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA512(), length=length, salt=None, info=label).derive(secret)
