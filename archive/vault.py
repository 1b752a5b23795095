"""The key vault: one wrapped data key per sealed object, and nothing that opens them.

A small SQLite database of its own (WAL, synchronous=FULL), never part of the main database
or its backups: deleting a row here and rotating the level key is how content is destroyed
everywhere. Level keys are not in this database but in files beside it (`levels/`), locked
under the custodians' site key; they must never travel with a copy of the vault, or a
rotation could not make old copies dead.

Each wrap is bound to object id | level rank | level-key id, so a row moved to another
object or level does not open. Safe between threads and between processes.
Never sees content, paths of objects or the main database.
"""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.rules.levels import Level
from archive.stores.custody import Custodian, Unopened, unwrap, wrap
from archive.stores.disk import create, refusal, sync_folder, write_new
from archive.stores.refusals import (
    NOT_OPENED,
    KeyFileForeign,
    LevelKeyMissing,
    Shredded,
    StoreFull,
    VaultFailed,
    WrongKey,
)

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
BUSY_SECONDS: Final = 20
BATCH: Final = 10_000

# secure_delete: a deleted wrap is overwritten in the page, not merely unlinked from it.
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS half (number INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS level (rank INTEGER PRIMARY KEY, key_id BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS data_key (
    object_id BLOB PRIMARY KEY CHECK (length(object_id) = 16),
    level INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    added_at INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Vault:
    """The data keys of one installation."""

    def __init__(self, path: Path, *, custodian: Custodian) -> None:
        """Open the vault, or make an empty one if there is none at this path.

        Raises:
            KeyFileForeign: the custodian's halves are not those the vault was made with.
            VaultFailed, StoreFull, StoreFailed: the database or its folder cannot be used.
        """
        self._path = path
        self._custodian = custodian
        self._idle: list[tuple[int, sqlite3.Connection]] = []
        self._foreign: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._level_keys: dict[Level, tuple[bytes, AESGCM]] = {}
        self._folder = path.parent / "levels"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            with self._connection() as db:
                db.executescript(_SCHEMA)
            sync_folder(path.parent)
        except OSError as error:
            raise refusal(error) from error
        self._recognise()

    # --- the data keys -------------------------------------------------------------------

    def prepare(self, level: Level) -> None:
        """Make sure that a key can be wrapped for this level, before anyone waits for a long upload.

        Raises:
            SecondHalfNeeded, LevelKeyMissing: this level's key is not at hand.
        """
        with self._changing() as db:
            self._current(db, level)

    def add(self, object_id: bytes, key: bytes, *, level: Level) -> None:
        """Keep the data key of a new object; durable on return. Raises as `prepare`."""
        self.add_many([(object_id, key)], level=level)

    def add_many(self, keys: Iterable[tuple[bytes, bytes]], *, level: Level) -> None:
        """Keep the data keys of several objects, (object id, key) each, in one transaction. Raises as `prepare`."""
        with self._changing() as db:
            key_id, level_key = self._current(db, level)
            now = int(time.time())
            rows = (
                (object_id, level, key_id, wrap(key, under=level_key, bound=_bound(object_id, level, key_id)), now)
                for object_id, key in keys
            )
            db.executemany("INSERT INTO data_key VALUES (?, ?, ?, ?, ?)", rows)

    def get(self, object_id: bytes) -> bytes:
        """Return the data key of an object.

        Raises:
            Shredded: it has no key any more.
            WrongKey: the row does not open for this object, level and level key.
            LevelKeyMissing: the level's own key is not at hand.
        """
        with self._connection() as db:
            try:
                return self._open_row(object_id, *self._row(db, object_id))
            except LevelKeyMissing:
                # A rotation in another process may have destroyed that level key after we read the row.
                return self._open_row(object_id, *self._row(db, object_id))

    def level_of(self, object_id: bytes) -> Level:
        """Return the level under whose key the object lies. Raises Shredded."""
        with self._connection() as db:
            return self._row(db, object_id)[0]

    def rewrap(self, object_id: bytes, *, to: Level) -> None:
        """Move the data key under another level's key; the object itself is not touched.

        Raises:
            Shredded, WrongKey, LevelKeyMissing: as `get`.
        """
        with self._changing() as db:
            key = self._open_row(object_id, *self._row(db, object_id))
            key_id, level_key = self._current(db, to)
            wrapped = wrap(key, under=level_key, bound=_bound(object_id, to, key_id))
            db.execute(
                "UPDATE data_key SET level = ?, key_id = ?, wrapped = ? WHERE object_id = ?",
                (to, key_id, wrapped, object_id),
            )

    def shred(self, object_id: bytes) -> bool:
        """Delete the data key; return whether there was one. Older copies die with `rotate_level`."""
        with self._changing() as db:
            found = db.execute("DELETE FROM data_key WHERE object_id = ?", (object_id,)).rowcount
        self._flush_log()
        return bool(found)

    def object_ids(self, *, older_than_seconds: float = 0) -> Iterator[bytes]:
        """Yield the id of every object whose key is at least so old, in batches that do not block writers."""
        last, limit = b"", time.time() - older_than_seconds
        while True:
            with self._connection() as db:
                batch = db.execute(
                    "SELECT object_id FROM data_key WHERE object_id > ? AND added_at <= ? ORDER BY object_id LIMIT ?",
                    (last, limit, BATCH),
                ).fetchall()
            if not batch:
                return
            yield from (row[0] for row in batch)
            last = batch[-1][0]

    # --- the level keys -----------------------------------------------------------------

    def rotate_level(self, level: Level) -> int:
        """Give a level a new key, rewrap all its survivors, destroy the old key; return how many survived.

        Afterwards no older copy of the vault opens anything of this level. Publish a new copy
        of the vault and of the level keys to every backup place before relying on that.

        Raises:
            WrongKey: a row does not open; nothing was changed.
            StoreFailed: the old key could not be destroyed; rotate again.
        """
        with self._changing() as db:
            old = self._key_ids(db, level)
            key_id = self._make_level_key(level)
            survivors = self._rewrap_all(db, level, key_id)
            db.execute("INSERT OR REPLACE INTO level VALUES (?, ?)", (level, key_id))
        self._level_keys.pop(level, None)
        self._flush_log()
        try:
            for stale in old:
                self._destroy(self._level_file(level, stale))
        except OSError as error:
            raise refusal(error) from error
        return survivors

    def level_files(self) -> list[Path]:
        """Return the files of the level keys in use: they need a copy of their own, apart from the vault's."""
        with self._connection() as db:
            rows = db.execute("SELECT rank, key_id FROM level").fetchall()
        return [self._level_file(Level(rank), key_id) for rank, key_id in rows]

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the vault (never of the level keys) to a new file, durably. Raises OSError."""
        descriptor = create(target, mode=0o600)
        try:
            copy = sqlite3.connect(target)
            try:
                with self._connection() as db:
                    db.backup(copy)  # in one step: in small steps a busy writer starves it
            finally:
                copy.close()
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(target.parent)

    def _rewrap_all(self, db: sqlite3.Connection, level: Level, key_id: bytes) -> int:
        new_key = self._level_key(level, key_id)
        last, count = b"", 0
        while rows := db.execute(
            "SELECT object_id, key_id, wrapped FROM data_key WHERE level = ? AND object_id > ? "
            "ORDER BY object_id LIMIT ?",
            (level, last, BATCH),
        ).fetchall():
            moved = []
            for object_id, old_id, wrapped in rows:
                key = self._open_row(object_id, level, old_id, wrapped)
                moved.append((key_id, wrap(key, under=new_key, bound=_bound(object_id, level, key_id)), object_id))
            db.executemany("UPDATE data_key SET key_id = ?, wrapped = ? WHERE object_id = ?", moved)
            last, count = rows[-1][0], count + len(rows)
        return count

    def _current(self, db: sqlite3.Connection, level: Level) -> tuple[bytes, AESGCM]:
        """Return the level's key, made on first use; inside a writing transaction."""
        row = db.execute("SELECT key_id FROM level WHERE rank = ?", (level,)).fetchone()
        if row is None:
            row = (self._make_level_key(level),)
            db.execute("INSERT INTO level VALUES (?, ?)", (level, row[0]))
        return row[0], self._level_key(level, row[0])

    def _key_ids(self, db: sqlite3.Connection, level: Level) -> set[bytes]:
        """Return every key id that the level's rows or a broken-off rotation left behind."""
        rows = db.execute("SELECT key_id FROM level WHERE rank = ?", (level,)).fetchall()
        left = {bytes.fromhex(path.stem.partition("-")[2]) for path in self._folder.glob(f"{level.value}-*.key")}
        return {row[0] for row in rows} | left

    def _make_level_key(self, level: Level) -> bytes:
        """Write the file of a new level key, durably, and return its id."""
        key_id = secrets.token_bytes(KEY_ID_BYTES)
        locked = self._custodian.lock(secrets.token_bytes(KEY_BYTES), level=level, bound=_level_bound(level, key_id))
        path = self._level_file(level, key_id)
        try:
            write_new(path, locked, mode=0o600)
        except OSError as error:
            raise refusal(error) from error
        return key_id

    def _level_key(self, level: Level, key_id: bytes) -> AESGCM:
        """Return a level key, read once per process; a newer one takes the older one's place in memory."""
        known = self._level_keys.get(level)
        if known is not None and known[0] == key_id:
            return known[1]
        path = self._level_file(level, key_id)
        try:
            locked = path.read_bytes()
        except OSError as error:
            raise LevelKeyMissing(path=path, reason=error.strerror) from error
        try:
            key = AESGCM(self._custodian.unlock(locked, level=level, bound=_level_bound(level, key_id)))
        except (Unopened, ValueError) as error:
            raise LevelKeyMissing(path=path, reason=NOT_OPENED) from error
        self._level_keys[level] = (key_id, key)
        return key

    def _level_file(self, level: Level, key_id: bytes) -> Path:
        return self._folder / f"{level.value}-{key_id.hex()}.key"

    def _destroy(self, path: Path) -> None:
        """Overwrite and remove a level key's file; on flash only the lock under the site key protects old blocks."""
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
        sync_folder(self._folder)

    # --- rows and connections --------------------------------------------------------------

    def _row(self, db: sqlite3.Connection, object_id: bytes) -> tuple[Level, bytes, bytes]:
        row = db.execute("SELECT level, key_id, wrapped FROM data_key WHERE object_id = ?", (object_id,)).fetchone()
        if row is None:
            raise Shredded(address=object_id.hex())
        try:
            return Level(row[0]), row[1], row[2]
        except ValueError as error:
            raise WrongKey(address=object_id.hex()) from error

    def _open_row(self, object_id: bytes, level: Level, key_id: bytes, wrapped: bytes) -> bytes:
        try:
            return unwrap(wrapped, under=self._level_key(level, key_id), bound=_bound(object_id, level, key_id))
        except Unopened as error:
            raise WrongKey(address=object_id.hex()) from error

    def _recognise(self) -> None:
        """Remember the custodians' halves when the vault is new; afterwards insist on the same ones."""
        mine = list(self._custodian.fingerprints())
        with self._changing() as db:
            db.executemany("INSERT OR IGNORE INTO half VALUES (?, ?)", list(enumerate(mine)))
            kept = dict(db.execute("SELECT number, fingerprint FROM half").fetchall())
        for number, fingerprint in enumerate(mine):
            if kept[number] != fingerprint:
                raise KeyFileForeign(path=self._custodian.place(number), half=number + 1)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A writing transaction: IMMEDIATE, so what it reads cannot change before it writes."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend an idle connection of this process, or a new one; translate the database's own errors."""
        db: sqlite3.Connection | None = None
        try:
            db = self._take()
            yield db
        except sqlite3.Error as error:
            if db is not None:
                db.close()
            db = None
            raise _database_refusal(error) from error
        finally:
            if db is not None:
                with self._guard:
                    self._idle.append((os.getpid(), db))

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            while self._idle:
                owner, db = self._idle.pop()
                if owner == os.getpid():
                    return db
                # On the far side of a fork a connection may be neither used nor closed.
                self._foreign.append(db)
        db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            db.execute(pragma)
        return db

    def _flush_log(self) -> None:
        """Empty the write-ahead log so that it holds no deleted wrap; readers may put that off to the next time."""
        with self._connection() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Close the idle connections and forget the level keys."""
        with self._guard:
            for owner, db in self._idle:
                if owner == os.getpid():
                    db.close()
            self._idle.clear()
            self._level_keys.clear()


def _bound(object_id: bytes, level: Level, key_id: bytes) -> bytes:
    """Return what a wrapped data key is bound to: object id (16) | level rank (1) | level-key id (16)."""
    return object_id + bytes([level]) + key_id


def _level_bound(level: Level, key_id: bytes) -> bytes:
    """Return what a locked level key is bound to."""
    return b"vankho level key v1" + bytes([level]) + key_id


def _database_refusal(error: sqlite3.Error) -> StoreFull | VaultFailed:
    code = getattr(error, "sqlite_errorcode", None)
    return StoreFull() if code == sqlite3.SQLITE_FULL else VaultFailed(reason=str(error))
