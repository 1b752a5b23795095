"""The files of the level keys: one per key, locked under the custodians' site key, beside the vault and never in it.

`<rank>-<id>.key` is the form in use. While new site keys take the place of old ones the same
level key also lies in `next-<rank>-<id>.key`, locked for the custodians to come, so that a
program opens it with either set of key files. Knows no object, no data key and no row.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.rules.levels import Level
from archive.stores.custody import Custodian, Unopened
from archive.stores.disk import refusal, sync_folder, write_new
from archive.stores.refusals import NOT_OPENED, LevelKeyMissing

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
NEXT: Final = "next-"


class LevelKeys:
    """The level keys of one vault, as this process's custodian opens them."""

    def __init__(self, folder: Path, custodian: Custodian) -> None:
        """Remember where the files lie; the folder is there already."""
        self.folder = folder
        self._custodian = custodian
        self._opened: dict[Level, tuple[bytes, AESGCM]] = {}

    def make(self, level: Level) -> bytes:
        """Write the file of a new level key, durably, and return its id. Raises StoreFull, StoreFailed."""
        key_id = secrets.token_bytes(KEY_ID_BYTES)
        locked = self._custodian.lock(secrets.token_bytes(KEY_BYTES), level=level, bound=_bound(level, key_id))
        _write(self.file(level, key_id), locked)
        return key_id

    def open(self, level: Level, key_id: bytes) -> AESGCM:
        """Return a level key, read once per process; a newer one takes the older one's place in memory.

        Raises:
            LevelKeyMissing: no form of it is there, or none opens for this custodian.
            SecondHalfNeeded: the level needs two custodians.
        """
        known = self._opened.get(level)
        if known is not None and known[0] == key_id:
            return known[1]
        key = AESGCM(self._unlocked(level, key_id))
        self._opened[level] = (key_id, key)
        return key

    def forget(self, *levels: Level) -> None:
        """Forget what was opened of these levels."""
        for level in levels:
            self._opened.pop(level, None)

    def lock_for(self, custodian: Custodian, level: Level, key_id: bytes) -> None:
        """Write a second form of a level key, which those to come can open; one left by a killed run is written anew.

        Raises:
            LevelKeyMissing, SecondHalfNeeded: as `open`.
            StoreFull, StoreFailed: the folder takes nothing.
        """
        locked = custodian.lock(self._unlocked(level, key_id), level=level, bound=_bound(level, key_id))
        self._overwrite(self.next_file(level, key_id))
        _write(self.next_file(level, key_id), locked)

    def is_ahead(self, level: Level, key_id: bytes) -> bool:
        """Say whether a level key opens for this custodian in the form for those to come, and not in the one in use.

        Raises:
            SecondHalfNeeded: the level needs two custodians.
        """
        return not self._opens(self.file(level, key_id), level, key_id) and self._opens(
            self.next_file(level, key_id), level, key_id
        )

    def drop_next(self) -> None:
        """Destroy every form that was written for custodians to come. Raises StoreFailed."""
        for path in sorted(self.folder.glob(f"{NEXT}*.key")):
            self._overwrite(path)

    def forms(self, level: Level, key_id: bytes) -> list[Path]:
        """Return the files of a level key: the one in use, and the one for custodians to come if there is one."""
        ahead = self.next_file(level, key_id)
        return [self.file(level, key_id), *([ahead] if ahead.exists() else [])]

    def file(self, level: Level, key_id: bytes) -> Path:
        """Return where a level key lies under the site key in use."""
        return self.folder / name_of(level, key_id)

    def next_file(self, level: Level, key_id: bytes) -> Path:
        """Return where it lies under the site key to come."""
        return self.folder / f"{NEXT}{name_of(level, key_id)}"

    def destroy_others(self, level: Level, kept: bytes) -> None:
        """Destroy every level key of a level but the one in use, in all its forms. Raises StoreFailed."""
        for path in self._all(level):
            if path not in {self.file(level, kept), self.next_file(level, kept)}:
                self._overwrite(path)

    def destroy(self, level: Level, key_id: bytes) -> None:
        """Destroy one level key in all its forms. Raises StoreFailed."""
        for path in self.forms(level, key_id):
            self._overwrite(path)

    def _all(self, level: Level) -> Iterator[Path]:
        for pattern in (f"{level.value}-*.key", f"{NEXT}{level.value}-*.key"):
            yield from sorted(self.folder.glob(pattern))

    def _unlocked(self, level: Level, key_id: bytes) -> bytes:
        try:
            return self._read(self.file(level, key_id), level, key_id)
        except LevelKeyMissing:
            ahead = self.next_file(level, key_id)
            if not ahead.exists():
                raise
            return self._read(ahead, level, key_id)

    def _opens(self, path: Path, level: Level, key_id: bytes) -> bool:
        try:
            self._read(path, level, key_id)
        except LevelKeyMissing:
            return False
        return True

    def _read(self, path: Path, level: Level, key_id: bytes) -> bytes:
        try:
            locked = path.read_bytes()
        except OSError as error:
            raise LevelKeyMissing(path=path, reason=error.strerror) from error
        try:
            return self._custodian.unlock(locked, level=level, bound=_bound(level, key_id))
        except (Unopened, ValueError) as error:
            raise LevelKeyMissing(path=path, reason=NOT_OPENED) from error

    def _overwrite(self, path: Path) -> None:
        try:
            overwrite(path)
        except OSError as error:
            raise refusal(error) from error


def name_of(level: int, key_id: bytes) -> str:
    """Return the name of the file in which a level key lies in the form in use, here and on its custodian's medium."""
    return f"{int(level)}-{key_id.hex()}.key"


def overwrite(path: Path) -> None:
    """Overwrite and remove a level key's file; on flash only the lock under the site key protects old blocks. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        os.write(descriptor, os.urandom(os.fstat(descriptor).st_size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write(path: Path, locked: bytes) -> None:
    try:
        write_new(path, locked, mode=0o600)
    except OSError as error:
        raise refusal(error) from error


def _bound(level: Level, key_id: bytes) -> bytes:
    """Return what a locked level key is bound to."""
    return b"vankho level key v1" + bytes([level]) + key_id
