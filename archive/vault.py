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
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.stores import inuse
from archive.stores.custody import Custodian, Unopened, unwrap, wrap
from archive.stores.disk import refusal
from archive.stores.keyrows import Database, Rows, SqliteRows
from archive.stores.levelkeys import LevelKeys
from archive.stores.refusals import KeyFileForeign, KeysInUse, KeysUnsettled, LevelKeyMissing, Shredded, WrongKey
from archive.stores.resealed import Resealed

BATCH: Final = 10_000
ANNOUNCED: Final = 2  # halves of custodians to come are numbered from here on


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
        self.resealed = Resealed(self.rows)
        self.custodian = custodian
        folder = path.parent / "levels"
        self.keys = LevelKeys(folder, custodian)
        self._held: list[int] = []
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._held = inuse.share(folder, custodian.fingerprints())
            self.rows.make()
            self._recognise()
        except OSError as error:
            self.close()
            raise refusal(error) from error
        except Refusal:
            self.close()
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

    def find(self, object_id: bytes) -> tuple[bytes, bytes]:
        """Return under which id content lies now, and its data key: it may have been sealed anew since. Raises as `get`."""
        while True:
            try:
                return object_id, self.get(object_id)
            except Shredded:
                if (new := self.resealed.next_of(object_id)) is None:
                    raise
                object_id = new

    def has(self, object_id: bytes) -> bool:
        """Return whether an object has a key."""
        try:
            self.level_of(object_id)
        except Shredded:
            return False
        return True

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

    def count(self) -> int:
        """Return how many data keys there are."""
        with self.rows.lend() as db:
            return int(db.execute("SELECT COUNT(*) FROM data_key").fetchone()[0])

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
            key_id = self.keys.make(level)
            survivors = self._rewrap_all(db, level, key_id)
            db.execute(
                "INSERT INTO level VALUES (?, ?) ON CONFLICT (rank) DO UPDATE SET key_id = excluded.key_id",
                (int(level), key_id),
            )
        self.keys.forget(level)
        self.destroy_old(level)
        return survivors

    def destroy_old(self, level: Level) -> None:
        """Destroy every key of a level but the one in use, and what rotations that were killed left behind.

        Raises:
            StoreFailed: one could not be destroyed; try again.
        """
        self.rows.flush()
        with self.rows.changing(alone=True) as db:
            if (key_id := _key_id(db, level)) is not None:
                self.keys.destroy_others(level, key_id)

    def level_keys(self) -> dict[Level, bytes]:
        """Return the id of the key in use of each level that has one."""
        with self.rows.lend() as db:
            return {Level(rank): bytes(key_id) for rank, key_id in _level_rows(db)}

    def level_files(self) -> list[Path]:
        """Return the files of the level keys in use: they need a copy of their own, apart from the vault's."""
        return [path for level, key_id in self.level_keys().items() for path in self.keys.forms(level, key_id)]

    # --- the custodians' halves ------------------------------------------------------------

    def halves(self) -> tuple[list[bytes], list[bytes]]:
        """Return the fingerprints of the halves in use, and of those of custodians to come (none: nothing is begun)."""
        with self.rows.lend() as db:
            kept = _halves(db)
        return [kept[at] for at in sorted(kept) if at < ANNOUNCED], [kept[at] for at in sorted(kept) if at >= ANNOUNCED]

    def announce(self, coming: Custodian) -> None:
        """Let the custodians to come open every level key beside those of now; harmless when done twice.

        Raises:
            LevelKeyMissing, SecondHalfNeeded: a level key is not at hand; nothing was announced.
            KeysInUse, KeysUnsettled: as `withdraw`.
            StoreFull, StoreFailed: the folder takes nothing.
        """
        self.withdraw()
        with self.rows.changing(alone=True) as db:
            for level, key_id in ((Level(rank), bytes(each)) for rank, each in _level_rows(db)):
                self.keys.lock_for(coming, level, key_id)
            numbered = list(enumerate(coming.fingerprints(), start=ANNOUNCED))
            db.executemany("INSERT INTO half VALUES (?, ?)", numbered)

    def withdraw(self) -> None:
        """Let nobody but the custodians in use open anything.

        Raises:
            KeysInUse: a program runs with keys to come.
            KeysUnsettled, LevelKeyMissing, SecondHalfNeeded: as `require_settled`; nothing was destroyed.
        """
        in_use, coming = self.halves()
        with self._left([half for half in coming if half not in in_use]):
            self.require_settled()
            with self.rows.changing(alone=True) as db:
                db.execute("DELETE FROM half WHERE number >= ?", (ANNOUNCED,))
            self.keys.drop_next()

    def require_settled(self) -> None:
        """Refuse unless the halves in use open every level key without the forms for custodians to come.

        Raises:
            KeysUnsettled: those forms are all that opens one: between `adopt` and the rotation of each level.
            LevelKeyMissing, SecondHalfNeeded: a level key is not at hand.
        """
        for level, key_id in self.level_keys().items():
            self.keys.forget(level)
            self.keys.open(level, key_id)
            if self.keys.is_ahead(level, key_id):
                raise KeysUnsettled(level=level.label)

    def unsettled(self) -> list[Level]:
        """Return the levels that open for this program only in the form for custodians to come. Raises SecondHalfNeeded."""
        return [level for level, key_id in self.level_keys().items() if self.keys.is_ahead(level, key_id)]

    def adopt(self) -> None:
        """Put the custodians to come in the place of those in use; from here on the old halves open no vault.

        Their forms of the level keys lie there until each level is rotated.

        Raises:
            KeysInUse: a program still runs with a half that goes; nothing was changed.
        """
        in_use, coming = self.halves()
        with self._left([half for half in in_use if half not in coming]), self.rows.changing(alone=True) as db:
            db.execute("DELETE FROM half", ())
            db.executemany("INSERT INTO half VALUES (?, ?)", list(enumerate(coming)))

    @contextmanager
    def _left(self, halves: Sequence[bytes]) -> Iterator[None]:
        """Go on while no program holds these halves, and let none begin to. Raises KeysInUse."""
        with inuse.alone(self.keys.folder, [half.hex() for half in halves]) as taken:
            if taken:
                raise KeysInUse
            yield

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the vault (never of the level keys) to a new SQLite file, durably. Raises OSError."""
        self.rows.copy_to(target)

    def _rewrap_all(self, db: Database, level: Level, key_id: bytes) -> int:
        new_key = self.keys.open(level, key_id)
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
        key_id = _key_id(db, level)
        if key_id is None:
            made = self.keys.make(level)
            db.execute("INSERT INTO level VALUES (?, ?) ON CONFLICT DO NOTHING", (int(level), made))
            key_id = _key_id(db, level) or made
            if key_id != made:  # another machine was first
                self.keys.destroy(level, made)
        return key_id, self.keys.open(level, key_id)

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
            return unwrap(wrapped, under=self.keys.open(level, key_id), bound=_bound(object_id, level, key_id))
        except Unopened as error:
            raise WrongKey(address=object_id.hex()) from error

    def _recognise(self) -> None:
        """Remember the custodians' halves when the vault is new; afterwards insist on the same ones, or those to come."""
        mine = list(self.custodian.fingerprints())
        with self.rows.changing() as db:
            kept = _halves(db)
            if mine == [kept.get(ANNOUNCED + number) for number in range(len(mine))]:
                return
            db.executemany("INSERT INTO half VALUES (?, ?) ON CONFLICT DO NOTHING", list(enumerate(mine)))
            kept = _halves(db)
        for number, fingerprint in enumerate(mine):
            if kept[number] != fingerprint:
                raise KeyFileForeign(path=self.custodian.place(number), half=number + 1)

    def close(self) -> None:
        """Close the idle connections, forget the level keys, and let go of the halves."""
        self.rows.close()
        self.keys.forget(*Level)
        while self._held:
            os.close(self._held.pop())


def _halves(db: Database) -> dict[int, bytes]:
    return {number: bytes(half) for number, half in db.execute("SELECT number, fingerprint FROM half").fetchall()}


def _level_rows(db: Database) -> list[tuple[int, bytes]]:
    return db.execute("SELECT rank, key_id FROM level").fetchall()


def _key_id(db: Database, level: Level) -> bytes | None:
    found = db.execute("SELECT key_id FROM level WHERE rank = ?", (int(level),)).fetchone()
    return None if found is None else bytes(found[0])


def _bound(object_id: bytes, level: Level, key_id: bytes) -> bytes:
    """Return what a wrapped data key is bound to: object id (16) | level rank (1) | level-key id (16)."""
    return object_id + bytes([level]) + key_id
