"""The store: bytes go in sealed, and come out verified or not at all.

The rest of the office knows an object by its address (32 hex digits of a random id, never
a digest: a thief could ask "do you hold this known file?"). Ciphertext lies with a driver
(`archive.stores`), the data key with the vault (`archive.vault`), sizes and digests with
the caller's row. This module never touches the database's models, never decides who may
read, and never hands out a byte whose chunk has not verified.

Order that survives a power cut: key committed, bytes synced, name given and synced, and only then may the caller commit
a row. On destruction the row goes first, then `shred`. A crash leaves extra bytes (`orphans`), never a row without bytes.
"""

import hashlib
import itertools
import secrets
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from django.conf import settings

from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.sizes import MIB
from archive.sealing import KEY_BYTES, Sealer
from archive.stores import chosen
from archive.stores.custody import KeyFiles, make_key_files
from archive.stores.port import Draft, Driver, object_id
from archive.stores.refusals import (
    AboveCeiling,
    DamagedObject,
    MissingObject,
    Shredded,
    StoreAway,
    StoreFailed,
    StoreFull,
    VaultMissing,
    WrongKey,
)
from archive.unsealing import Reader, unreadable
from archive.vault import Vault, rows_at

__all__ = [
    "AboveCeiling",
    "DamagedObject",
    "MissingObject",
    "Reader",
    "Sealed",
    "Shredded",
    "Stat",
    "Store",
    "StoreAway",
    "StoreFailed",
    "StoreFull",
    "Writing",
    "WrongKey",
    "addresses",
    "begin",
    "configured",
    "open",
    "orphans",
    "put",
    "read",
    "relevel",
    "sealed_digest",
    "shred",
    "stat",
]

DAY_SECONDS: Final = 86_400
_LOOK_EVERY: Final = 16 * MIB  # how much is written between two looks at the free room
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the caller's row keeps of an object: sizes in bytes, SHA-256 as 64 hex digits."""

    address: str
    size: int
    sha256: str
    sealed_size: int
    sealed_sha256: str
    level: Level


@dataclass(frozen=True, slots=True)
class Stat:
    """Whether the store holds an object's bytes, and how many (sealed)."""

    exists: bool
    sealed_size: int


class Writing:
    """One object on its way in, for callers that are handed bytes piece by piece.

    Use as a context manager: leaving without `commit` leaves nothing behind.
    """

    def __init__(self, store: "Store", level: Level) -> None:
        """Begin. Raises StoreFull, StoreFailed and the refusals about keys."""
        self._store, self._level = store, level
        self._object_id, self._key = secrets.token_bytes(16), secrets.token_bytes(KEY_BYTES)
        self.address = self._object_id.hex()
        store.vault.prepare(level)
        self._draft: Draft = store.driver.create(self.address, level=level)
        self._unlooked = 0
        try:
            self._sealer = Sealer(self._draft.write, object_id=self._object_id, key=self._key)
        except Refusal:
            self.abandon()
            raise

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Seal the next bytes. Raises StoreFull, StoreFailed."""
        self._unlooked += len(data)
        if self._unlooked >= _LOOK_EVERY:
            self._unlooked = 0
            self._store.require_room()
        self._sealer.update(data)
        return len(data)

    def commit(self) -> Sealed:
        """Make the object durable and return what the row must keep. Raises StoreFull, StoreFailed."""
        digests = self._sealer.finish()
        try:
            # The key first: a name that can be seen always has its key. A key without a name is swept.
            self._store.vault.add(self._object_id, self._key, level=self._level)
            self._draft.commit()
        except BaseException:
            self._undo()
            raise
        return Sealed(
            self.address, digests.size, digests.sha256, digests.sealed_size, digests.sealed_sha256, self._level
        )

    def abandon(self) -> None:
        """Leave nothing behind; harmless after `commit`."""
        self._draft.abandon()

    def _undo(self) -> None:
        with suppress(Refusal):
            self._store.vault.shred(self._object_id)
        with suppress(Refusal):
            self._store.driver.delete(self.address)
        self.abandon()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Abandon what was not committed."""
        self.abandon()


class Store:
    """Driver and vault together; safe between threads and processes."""

    def __init__(self, driver: Driver, vault: Vault, *, floor_bytes: int = 0, ceiling: Level = Level.TOI_MAT) -> None:
        """Take the parts. New objects are refused above the ceiling or when less than the floor is free."""
        self.driver, self.vault = driver, vault
        self._floor_bytes, self._ceiling = floor_bytes, ceiling

    def begin(self, *, level: Level) -> Writing:
        """Begin an object that is written piece by piece.

        Raises:
            AboveCeiling, StoreFull, StoreFailed, and the STO-01x refusals about keys.
        """
        if level > self._ceiling:
            raise AboveCeiling(level=level.label)
        self.require_room()
        return Writing(self, level)

    def put(self, source: BinaryIO, *, level: Level) -> Sealed:
        """Seal a stream into the store; on return it survives a power cut. Raises as `begin`."""
        with self.begin(level=level) as writing:
            while data := source.read(MIB):
                writing.write(data)
            return writing.commit()

    def open(self, address: str, *, start: int = 0, length: int | None = None) -> Reader:
        """Open an object, or `length` bytes of it from `start`, for reading; one sealed anew since, as what it is now.

        Raises:
            Shredded, MissingObject, DamagedObject, WrongKey, StoreFailed, LevelKeyMissing.
        """
        return Reader(partial(self._opened, address), start=start, length=length)

    def _opened(self, address: str) -> tuple[BinaryIO, bytes, bytes]:
        now, key = self.vault.find(object_id(address))
        try:
            return self.driver.open(now.hex()), now, key
        except MissingObject:
            if self.vault.has(now):  # otherwise sealed anew, or destroyed, since its key was read
                raise
        return self._opened(address)

    def read(self, address: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of an object or of a range of it. Raises as `open`."""
        with self.open(address, start=start, length=length) as reader:
            return reader.readall()

    def stat(self, address: str) -> Stat:
        """Return whether the bytes are there, and how many."""
        kept = self.driver.stat(address)
        return Stat(exists=kept is not None, sealed_size=kept.sealed_size if kept else 0)

    def sealed_digest(self, address: str) -> str:
        """Return SHA-256 of the ciphertext, for the keyless scrub. Raises MissingObject, StoreFailed."""
        digest = hashlib.sha256()
        with self.driver.open(address) as source:
            try:
                while data := source.read(MIB):
                    digest.update(data)
            except OSError as error:
                raise unreadable(address, error) from error
        return digest.hexdigest()

    def shred(self, address: str) -> None:
        """Destroy an object: its key first, then its bytes. Twice is not an error."""
        self.vault.shred(object_id(address))
        self.driver.delete(address)

    def relevel(self, address: str, *, to: Level) -> None:
        """Move an object's key under another level; its bytes stay untouched, and where they lie (`archive.settling`).

        No ceiling here: bytes found to be more secret than this site may hold are better
        under the higher key until a person removes them. Raises Shredded, WrongKey.
        """
        self.vault.rewrap(object_id(address), to=to)

    def retain(self, address: str, until: datetime) -> bool:
        """Lock an object against removal until a moment, where the medium can; return whether it is locked."""
        return self.driver.retain(address, until)

    def addresses(self) -> Iterator[str]:
        """Yield the address of every object whose bytes are kept."""
        return self.driver.addresses()

    def orphans(
        self, known: Callable[[Collection[str]], Collection[str]], *, older_than_seconds: float = DAY_SECONDS
    ) -> Iterator[str]:
        """Yield addresses of bytes or keys that no row names.

        Args:
            known: told at most 500 addresses at a time, returns those that a row names.
            older_than_seconds: younger ones may belong to a transaction that is still open.
        """
        limit = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        for address in _unnamed(self.driver.addresses(), known):
            kept = self.driver.stat(address)
            if kept is None or kept.changed_at <= limit:
                yield address
        keys = (each.hex() for each in self.vault.object_ids(older_than_seconds=older_than_seconds))
        for address in _unnamed(keys, known):
            if self.driver.stat(address) is None:
                yield address

    def sweep(self, *, older_than_seconds: float = DAY_SECONDS) -> int:
        """Remove what killed writers left unfinished; return how many pieces."""
        return self.driver.sweep(older_than_seconds=older_than_seconds)

    def require_room(self) -> None:
        """Refuse when less than the floor is free. Raises StoreFull."""
        free = self.driver.free_bytes()
        if free is not None and free < self._floor_bytes:
            raise StoreFull


def _unnamed(every: Iterator[str], known: Callable[[Collection[str]], Collection[str]]) -> Iterator[str]:
    """Yield the addresses that no row names; the rows are asked first, for asking a medium costs a request each."""
    while batch := list(itertools.islice(every, _BATCH)):
        named = frozenset(known(batch))
        yield from (address for address in batch if address not in named)


# --- the store of this installation -----------------------------------------------------------

_configured: dict[tuple[object, ...], Store] = {}
_lock = threading.Lock()


def configured() -> Store:
    """Return the store that the settings describe, opened on first use.

    The evaluation profile makes its own key files the first time; production is given them.

    Raises:
        VaultMissing: sealed objects exist but their vault does not.
        The STO-01x refusals about key files.
    """
    home, files = Path(settings.VANKHO_HOME), tuple(Path(name) for name in settings.SITE_KEY_FILES)
    floor_bytes, ceiling = settings.FREE_DISK_FLOOR, settings.SITE_MAX_LEVEL
    place = (settings.STORE_DRIVER, *chosen.account(), settings.VAULT_URL)
    asked = (home, files, *place, floor_bytes, ceiling, settings.PROFILE)
    with _lock:
        if asked not in _configured:
            driver = chosen.driver(settings.STORE_DRIVER)
            vault = _open_vault(home / "keys" / "vault.sqlite3", files, driver)
            _configured[asked] = Store(driver, vault, floor_bytes=floor_bytes, ceiling=ceiling)
        return _configured[asked]


def _open_vault(path: Path, key_files: tuple[Path, ...], driver: Driver) -> Vault:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    rows = rows_at(path, settings.VAULT_URL)
    with closing(rows):
        if not rows.is_made():
            if next(driver.addresses(), None) is not None:
                raise VaultMissing(path=rows.place)
            if settings.PROFILE == "evaluation":
                make_key_files(key_files)
    return Vault(path, custodian=KeyFiles(key_files), address=settings.VAULT_URL)


def begin(*, level: Level) -> Writing:
    """See `Store.begin`."""
    return configured().begin(level=level)


def put(source: BinaryIO, *, level: Level) -> Sealed:
    """See `Store.put`."""
    return configured().put(source, level=level)


def open(address: str, *, start: int = 0, length: int | None = None) -> Reader:  # noqa: A001 - read as store.open
    """See `Store.open`."""
    return configured().open(address, start=start, length=length)


def read(address: str, *, start: int = 0, length: int | None = None) -> bytes:
    """See `Store.read`."""
    return configured().read(address, start=start, length=length)


def stat(address: str) -> Stat:
    """See `Store.stat`."""
    return configured().stat(address)


def sealed_digest(address: str) -> str:
    """See `Store.sealed_digest`."""
    return configured().sealed_digest(address)


def shred(address: str) -> None:
    """See `Store.shred`."""
    configured().shred(address)


def relevel(address: str, *, to: Level) -> None:
    """See `Store.relevel`."""
    configured().relevel(address, to=to)


def addresses() -> Iterator[str]:
    """See `Store.addresses`."""
    return configured().addresses()


def orphans(
    known: Callable[[Collection[str]], Collection[str]], *, older_than_seconds: float = DAY_SECONDS
) -> Iterator[str]:
    """See `Store.orphans`."""
    return configured().orphans(known, older_than_seconds=older_than_seconds)
