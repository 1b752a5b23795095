"""The key vault: one wrapped data key per sealed object, and nothing that opens them.

A small database of its own (a SQLite file, or a PostgreSQL database apart: `stores.keyrows`),
never part of the main database or its backups: deleting a row here and rotating the level
key is how content is destroyed everywhere. Level keys are not in this database but in files
beside the key files (`levels/`), locked under the custodians' site key; they must never travel
with a copy of the vault, or a rotation could not make old copies dead.

Each wrap is bound to object id | level rank | level-key id, so a row moved to another
object or level does not open. Safe between threads, processes and machines.
Never sees content, paths of objects or the main database.
"""

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.stores.custody import Custodian, Unopened, unwrap, wrap
from archive.stores.disk import refusal, sync_folder, write_new
from archive.stores.keyrows import Database, Rows, SqliteRows
from archive.stores.refusals import (
    NOT_OPENED,
    KeyFileForeign,
    LevelKeyMissing,
    Shredded,
    WrongKey,
)

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
BATCH: Final = 10_000


def rows_at(path: Path, address: str = "") -> Rows:
    """Return the vault's rows: on the PostgreSQL server of an address, or without one in the file."""
    if not address:
        return SqliteRows(path)
    # Loaded when chosen: an installation on SQLite is spared the server's library.
    from archive.stores.keyrows_postgresql import PostgresqlRows

    return PostgresqlRows(address)


class Vault:
    """The data keys of one installation."""

    def __init__(self, path: Path, *, custodian: Custodian, address: str = "") -> None:
        """Open the vault, or make an empty one if there is none.

        Args:
            path: the SQLite file; level keys lie in `levels/` beside it, whatever holds the rows.
            custodian: locks and unlocks level keys.
            address: of a PostgreSQL database that holds the rows instead of the file.

        Raises:
            KeyFileForeign: the custodian's halves are not those the vault was made with.
            VaultFailed, VaultAway, StoreFull, StoreFailed: the database or its folder cannot be used.
        """
        self.rows = rows_at(path, address)
        self._custodian = custodian
        self._level_keys: dict[Level, tuple[bytes, AESGCM]] = {}
        self._folder = path.parent / "levels"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.rows.make()
            self._recognise()
        except OSError as error:
            raise refusal(error) from error
        except Refusal:
            self.rows.close()
            raise

    # --- the data keys -------------------------------------------------------------------

    def prepare(self, level: Level) -> None:
        """Make sure that a key can be wrapped for this level, before anyone waits for a long upload.

        Raises:
            SecondHalfNeeded, LevelKeyMissing: this level's key is not at hand.
        """
        with self.rows.changing() as db:
            self._current(db, level)

    def add(self, object_id: bytes, key: bytes, *, level: Level) -> None:
        """Keep the data key of a new object; durable on return. Raises as `prepare`."""
        self.add_many([(object_id, key)], level=level)

    def add_many(self, keys: Iterable[tuple[bytes, bytes]], *, level: Level) -> None:
        """Keep the data keys of several objects, (object id, key) each, in one transaction. Raises as `prepare`."""
        with self.rows.changing() as db:
            key_id, level_key = self._current(db, level)
            now = int(time.time())
            rows = (
                (object_id, int(level), key_id, wrap(key, under=level_key, bound=_bound(object_id, level, key_id)), now)
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
        with self.rows.lend() as db:
            try:
                return self._open_row(object_id, *self._row(db, object_id))
            except LevelKeyMissing:
                # A rotation in another process may have destroyed that level key after we read the row.
                return self._open_row(object_id, *self._row(db, object_id))

    def level_of(self, object_id: bytes) -> Level:
        """Return the level under whose key the object lies. Raises Shredded."""
        with self.rows.lend() as db:
            return self._row(db, object_id)[0]

    def rewrap(self, object_id: bytes, *, to: Level) -> None:
        """Move the data key under another level's key; the object itself is not touched.

        Raises:
            Shredded, WrongKey, LevelKeyMissing: as `get`.
        """
        with self.rows.changing() as db:
            key = self._open_row(object_id, *self._row(db, object_id))
            key_id, level_key = self._current(db, to)
            wrapped = wrap(key, under=level_key, bound=_bound(object_id, to, key_id))
            changed = db.execute(
                "UPDATE data_key SET level = ?, key_id = ?, wrapped = ? WHERE object_id = ?",
                (int(to), key_id, wrapped, object_id),
            )
            if not changed.rowcount:  # shredded on another machine since it was read
                raise Shredded(address=object_id.hex())

    def shred(self, object_id: bytes) -> bool:
        """Delete the data key; return whether there was one. Older copies die with `rotate_level`."""
        with self.rows.changing() as db:
            found = db.execute("DELETE FROM data_key WHERE object_id = ?", (object_id,)).rowcount
        self.rows.flush()
        return bool(found)

    def object_ids(self, *, older_than_seconds: float = 0) -> Iterator[bytes]:
        """Yield the id of every object whose key is at least so old, in batches that do not block writers."""
        last, limit = b"", time.time() - older_than_seconds
        while True:
            with self.rows.lend() as db:
                batch = db.execute(
                    "SELECT object_id FROM data_key WHERE object_id > ? AND added_at <= ? ORDER BY object_id LIMIT ?",
                    (last, limit, BATCH),
                ).fetchall()
            if not batch:
                return
            yield from (row[0] for row in batch)
            last = batch[-1][0]

    def levels(self, *, after: bytes, most: int) -> list[tuple[bytes, Level]]:
        """Return the next objects behind an id, in the order of ids, each with the level under whose key it lies."""
        statement = "SELECT object_id, level FROM data_key WHERE object_id > ? ORDER BY object_id LIMIT ?"
        with self.rows.lend() as db:
            rows = db.execute(statement, (after, most)).fetchall()
        return [(bytes(each), Level(level)) for each, level in rows]

    # --- the level keys -----------------------------------------------------------------

    def rotate_level(self, level: Level) -> int:
        """Give a level a new key, rewrap all its survivors, destroy the old key; return how many survived.

        Afterwards no older copy of the vault opens anything of this level. Publish a new copy
        of the vault and of the level keys to every backup place before relying on that.

        Raises:
            WrongKey: a row does not open; nothing was changed.
            StoreFailed: the old key could not be destroyed; rotate again.
        """
        with self.rows.changing(alone=True) as db:
            old = self._key_ids(db, level)
            key_id = self._make_level_key(level)
            survivors = self._rewrap_all(db, level, key_id)
            db.execute(
                "INSERT INTO level VALUES (?, ?) ON CONFLICT (rank) DO UPDATE SET key_id = excluded.key_id",
                (int(level), key_id),
            )
        self._level_keys.pop(level, None)
        self.rows.flush()
        try:
            for stale in old:
                self._destroy(self._level_file(level, stale))
        except OSError as error:
            raise refusal(error) from error
        return survivors

    def level_files(self) -> list[Path]:
        """Return the files of the level keys in use: they need a copy of their own, apart from the vault's."""
        with self.rows.lend() as db:
            rows = db.execute("SELECT rank, key_id FROM level").fetchall()
        return [self._level_file(Level(rank), key_id) for rank, key_id in rows]

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the vault (never of the level keys) to a new SQLite file, durably. Raises OSError."""
        self.rows.copy_to(target)

    def _rewrap_all(self, db: Database, level: Level, key_id: bytes) -> int:
        new_key = self._level_key(level, key_id)
        last, count = b"", 0
        while rows := db.execute(
            "SELECT object_id, key_id, wrapped FROM data_key WHERE level = ? AND object_id > ? "
            "ORDER BY object_id LIMIT ?",
            (int(level), last, BATCH),
        ).fetchall():
            moved = []
            for object_id, old_id, wrapped in rows:
                key = self._open_row(object_id, level, old_id, wrapped)
                moved.append((key_id, wrap(key, under=new_key, bound=_bound(object_id, level, key_id)), object_id))
            db.executemany("UPDATE data_key SET key_id = ?, wrapped = ? WHERE object_id = ?", moved)
            last, count = rows[-1][0], count + len(rows)
        return count

    def _current(self, db: Database, level: Level) -> tuple[bytes, AESGCM]:
        """Return the level's key, made on first use; inside a writing transaction."""
        found = db.execute("SELECT key_id FROM level WHERE rank = ?", (int(level),)).fetchone()
        if found is None:
            made = self._make_level_key(level)
            db.execute("INSERT INTO level VALUES (?, ?) ON CONFLICT DO NOTHING", (int(level), made))
            found = db.execute("SELECT key_id FROM level WHERE rank = ?", (int(level),)).fetchone()
            if found[0] != made:  # another machine was first
                self._destroy(self._level_file(level, made))
        return found[0], self._level_key(level, found[0])

    def _key_ids(self, db: Database, level: Level) -> set[bytes]:
        """Return every key id that the level's rows or a broken-off rotation left behind."""
        rows = db.execute("SELECT key_id FROM level WHERE rank = ?", (int(level),)).fetchall()
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

    def _row(self, db: Database, object_id: bytes) -> tuple[Level, bytes, bytes]:
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
        with self.rows.changing() as db:
            db.executemany("INSERT INTO half VALUES (?, ?) ON CONFLICT DO NOTHING", list(enumerate(mine)))
            kept = dict(db.execute("SELECT number, fingerprint FROM half").fetchall())
        for number, fingerprint in enumerate(mine):
            if kept[number] != fingerprint:
                raise KeyFileForeign(path=self._custodian.place(number), half=number + 1)

    def close(self) -> None:
        """Close the idle connections and forget the level keys."""
        self.rows.close()
        self._level_keys.clear()


def _bound(object_id: bytes, level: Level, key_id: bytes) -> bytes:
    """Return what a wrapped data key is bound to: object id (16) | level rank (1) | level-key id (16)."""
    return object_id + bytes([level]) + key_id


def _level_bound(level: Level, key_id: bytes) -> bytes:
    """Return what a locked level key is bound to."""
    return b"vankho level key v1" + bytes([level]) + key_id
