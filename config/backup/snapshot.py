"""The database at one moment, while everybody goes on writing, and the reader of such a snapshot.

SQLite: the backup API in one step (in small steps a constant writer starved it: 16,538
restarts, SECURITY.md 6). PostgreSQL: every table by COPY inside one REPEATABLE READ
transaction, so no program besides ours is needed and any later version reads it. The log's
head and the list of objects come out of the snapshot itself, so they cannot differ from it.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from django.db import connection

from archive import merkle, sequencing
from archive.audit import leaf_hash
from archive.rules.written import octets
from archive.stores.disk import sync_folder
from config.backup import durable, refusals, tables
from config.backup.manifest import Backup, Named
from config.backup.refusals import Damaged

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
# SQLite 3.40 tells of NULL values in this WITHOUT ROWID table where there are none; its rows are counted all the same.
NOT_CHECKED: Final = frozenset({"archive_access"})
_FALSE: Final = (
    "SELECT l.idx FROM archive_auditleaf l JOIN archive_auditentry e ON e.id = l.entry_id WHERE {test} ORDER BY l.idx"
)


class Snapshot(ABC):
    """A database that no longer moves."""

    kind: str
    path: Path

    @abstractmethod
    def query(self, statement: str) -> Iterator[Any]:
        """Yield the rows of a statement that both databases understand."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Return the rows of each table."""

    def leaves(self) -> list[bytes]:
        """Return the leaf hashes of the log in order: 32 bytes an entry, 65 MB of memory for a million."""
        rows = self.query(
            "SELECT e.leaf_hash FROM archive_auditleaf l JOIN archive_auditentry e ON e.id = l.entry_id ORDER BY l.idx"
        )
        return [merkle.as_hash(octets(leaf)) for (leaf,) in rows]

    @abstractmethod
    def false_entries(self) -> list[int]:
        """Return the places of the log whose entry has another hash than its row says: nobody but SQL writes such a one."""

    def objects(self) -> Iterator[Named]:
        """Yield every object that the snapshot names, by address."""
        rows = self.query("SELECT address, sealed_size, sealed_sha256 FROM archive_digitalobject ORDER BY address")
        for address, size, sha256 in rows:
            yield Named(address, size, sha256)

    def schema(self) -> dict[str, str]:
        """Return the last migration of each application."""
        return dict(self.query("SELECT app, name FROM django_migrations ORDER BY id"))


@contextmanager
def taken(folder: Path) -> Iterator[Snapshot]:
    """Yield a snapshot of the installation's database, written durably into the folder."""
    sequencing.place_all()
    if connection.vendor == POSTGRESQL:
        with tables.one_moment() as cursor:
            path = folder / "database.copy"
            rows = tables.dump(cursor, path)
            yield Tables(path, cursor, rows)
        return
    path = folder / "database.sqlite3"
    _copy_sqlite(Path(str(connection.settings_dict["NAME"])), path)
    with closing(_frozen(path)) as database:
        yield Copied(path, database)


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=20)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, no write-ahead log beside it
    for left in (target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
        left.unlink(missing_ok=True)
    target.chmod(0o600)
    with target.open("rb+") as file:
        durable.sync(file)
    sync_folder(target.parent)


def _frozen(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


class Copied(Snapshot):
    """A file of SQLite."""

    kind = SQLITE

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        """Take the file, opened."""
        self.path, self._database = path, database

    def query(self, statement: str) -> Iterator[Any]:
        """Yield rows."""
        yield from self._database.execute(statement)

    def false_entries(self) -> list[int]:
        """Hash every entry: SQLite knows no SHA-256 of its own."""
        self._database.create_function("holds", 2, lambda body, kept: _leaf(body, kept)[1], deterministic=True)
        return [place for (place,) in self.query(_FALSE.format(test="NOT holds(e.body, e.leaf_hash)"))]

    def counts(self) -> dict[str, int]:
        """Return the rows of each table."""
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        found = [name for (name,) in self._database.execute(names).fetchall()]
        # nosemgrep: raw-sql - names of our own tables
        return {name: self._database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in found}  # noqa: S608 - names of our own tables


class Tables(Snapshot):
    """A transaction of PostgreSQL that still sees the moment."""

    kind = POSTGRESQL

    def __init__(self, path: Path, cursor: Any, rows: dict[str, int]) -> None:
        """Take the file that was written, the cursor that wrote it, and the rows of each table."""
        self.path, self._cursor, self._rows = path, cursor, rows

    def query(self, statement: str) -> Iterator[Any]:
        """Yield rows, a part at a time."""
        with closing(self._cursor.connection.cursor(name="backup")) as cursor:
            cursor.execute(statement)
            yield from cursor

    def false_entries(self) -> list[int]:
        """Let the server hash every entry."""
        test = "e.leaf_hash <> sha256('\\x00'::bytea || e.body)"
        return [place for (place,) in self.query(_FALSE.format(test=test))]

    def counts(self) -> dict[str, int]:
        """Return the rows of each table."""
        return self._rows


# --- reading a snapshot that lies in a backup ---------------------------------------------------


def examined(backup: Backup) -> list[bytes]:
    """Return the log's leaves of a snapshot whose rows are counted, each held against its entry.

    Raises:
        Damaged: the database is not sound, rows are missing, or an entry is not what its leaf says and was when
            the backup was signed.
    """
    read = _read_file if backup.manifest.kind == SQLITE else _read_tables
    rows, entries = read(backup)
    if rows != backup.manifest.rows:
        raise Damaged(what=refusals.DATABASE, name=backup.manifest.name)
    leaves, known = [], frozenset(backup.manifest.false_entries)
    for place, (idx, leaf, holds) in enumerate(entries):
        if idx != place or not leaf or not (holds or place in known):
            raise Damaged(what=refusals.LOG, name=backup.manifest.name)
        leaves.append(leaf)
    return leaves


_Entries = Iterator[tuple[int, bytes, bool]]  # place, leaf hash (empty: no entry), and whether the entry has it


def _leaf(body: object, kept: object) -> tuple[bytes, bool]:
    """Return the leaf of a row and whether its bytes have it; whoever changed the file may have left another type behind."""
    leaf = merkle.as_hash(octets(kept))
    return leaf, leaf_hash(octets(body)) == leaf


def _read_file(backup: Backup) -> tuple[dict[str, int], _Entries]:
    database = _frozen(backup.database)
    try:
        rows = Copied(backup.database, database).counts()
        is_sound = all(_is_sound(database, table) for table in rows if table not in NOT_CHECKED)
    except sqlite3.DatabaseError as error:
        raise Damaged(what=refusals.DATABASE, name=backup.manifest.name) from error
    return rows if is_sound else {}, _entries(database)


def _is_sound(database: sqlite3.Connection, table: str) -> bool:
    # nosemgrep: raw-sql - names of our own tables
    return bool(database.execute(f'PRAGMA integrity_check("{table}")').fetchone()[0] == "ok")


def _entries(database: sqlite3.Connection) -> _Entries:
    with closing(database):
        rows = database.execute(
            "SELECT l.idx, e.body, e.leaf_hash FROM archive_auditleaf l JOIN archive_auditentry e ON e.id = l.entry_id "
            "ORDER BY l.idx"
        )
        for idx, body, kept in rows:
            yield idx, *_leaf(body, kept)


def _read_tables(backup: Backup) -> tuple[dict[str, int], _Entries]:
    """Read PostgreSQL's file once: count every row, keep each entry's leaf by its id."""
    name, rows = backup.manifest.name, {}
    places: list[tuple[int, bytes]] = []
    known: dict[bytes, tuple[bytes, bool]] = {}
    for table in tables.read(backup.database, name=name):
        count = 0
        for count, row in enumerate(table.fields(), start=1):  # noqa: B007 - the last count is the number of rows
            if table.name == "archive_auditleaf":
                places.append((int(row["idx"]), row["entry_id"]))
            elif table.name == "archive_auditentry":
                known[row["id"]] = _leaf(tables.octets(row["body"]), tables.octets(row["leaf_hash"]))
        rows[table.name] = count
    return rows, ((idx, *known.get(entry, (b"", False))) for idx, entry in sorted(places))
