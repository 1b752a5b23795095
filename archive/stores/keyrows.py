"""Where the rows of the key vault lie: a SQLite file, or a PostgreSQL database of their own (`keyrows_postgresql`).

Two drivers, one set of statements: `?` marks a value, transactions are opened here. A
writing transaction may share with others or be alone; what it reads stays true until it
ends. Connections are lent to one thread at a time and never used on the far side of a
fork. Knows no keys: wrapped bytes come and go as they are.
"""

import hashlib
import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from archive.stores.disk import create, sync_folder
from archive.stores.refusals import StoreFull, VaultFailed

BUSY_SECONDS: Final = 20
BATCH: Final = 10_000
_PAUSE_SECONDS: Final = 0.02
TABLES: Final = {"half": "number, fingerprint", "level": "rank, key_id", "data_key": "object_id, level, key_id, wrapped, added_at", "resealed": "object_id, now_id, sealed_sha256, noted_at, is_left"}  # fmt: skip

# secure_delete: a deleted wrap is overwritten in the page, not merely unlinked from it.
_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
)
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS half (number INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS level (rank INTEGER PRIMARY KEY, key_id BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS data_key (
    object_id BLOB PRIMARY KEY CHECK (length(object_id) = 16),
    level INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    added_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resealed (
    object_id BLOB PRIMARY KEY CHECK (length(object_id) = 16),
    now_id BLOB NOT NULL CHECK (length(now_id) = 16 AND now_id <> object_id),
    sealed_sha256 TEXT NOT NULL,
    noted_at INTEGER NOT NULL,
    is_left INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Found(Protocol):
    """What a statement found."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""


class Database(Protocol):
    """A connection as both drivers give it."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Found:
        """Run a statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Run a statement for many rows."""


class Rows(ABC):
    """The port."""

    place: str  # for a sentence to a person

    @abstractmethod
    def is_made(self) -> bool:
        """Return whether a vault lies here."""

    @abstractmethod
    def make(self) -> None:
        """Make the tables unless they are there; two processes may try at once."""

    @abstractmethod
    def lend(self) -> Any:
        """Lend a connection for reading or a lone statement, as a context; translates the database's own errors."""

    @abstractmethod
    def changing(self, *, alone: bool = False) -> Any:
        """Lend a connection inside a durable writing transaction, as a context.

        Args:
            alone: nobody else changes anything meanwhile; otherwise others may change other rows.
        """

    @abstractmethod
    def flush(self) -> None:
        """Let no log of the database hold what was deleted, as far as the database can."""

    @abstractmethod
    def copy_to(self, target: Path) -> None:
        """Write a consistent copy, as a SQLite file, durably. Raises OSError."""

    @abstractmethod
    def close(self) -> None:
        """Close the idle connections of this process."""

    def facts(self) -> dict[str, tuple[int, str]]:
        """Return how many rows each table has and a digest over all of them, to compare two vaults."""
        with self.lend() as database:
            return {table: _digest(database, table, columns) for table, columns in TABLES.items()}


def _digest(database: Database, table: str, columns: str) -> tuple[int, str]:
    key = columns.partition(",")[0]
    digest, count, last = hashlib.sha256(), 0, None
    while True:
        beyond = "" if last is None else f"WHERE {key} > ?"
        statement = f"SELECT {columns} FROM {table} {beyond} ORDER BY {key} LIMIT {BATCH}"  # noqa: S608 - our own names
        # nosemgrep: raw-sql - names of our own tables
        rows = database.execute(statement, () if last is None else (last,)).fetchall()
        if not rows:
            return count, digest.hexdigest()
        for row in rows:
            digest.update(repr([bytes(value).hex() if isinstance(value, bytes) else value for value in row]).encode())
        last, count = rows[-1][0], count + len(rows)


class SqliteRows(Rows):
    """A SQLite file (WAL, synchronous=FULL) beside the keys."""

    def __init__(self, path: Path) -> None:
        """Remember the file; nothing is opened yet."""
        self.path = path
        self.place = str(path)
        self.idle: list[tuple[int, sqlite3.Connection]] = []
        self._foreign: list[sqlite3.Connection] = []
        self._guard = threading.Lock()

    def is_made(self) -> bool:
        """Return whether the file exists."""
        return self.path.exists()

    def make(self) -> None:
        """Make the file and its tables. Raises OSError, VaultFailed, StoreFull."""
        self.path.touch(mode=0o600)
        with self.lend() as database:
            database.executescript(SCHEMA)
        sync_folder(self.path.parent)

    @contextmanager
    def changing(self, *, alone: bool = False) -> Iterator[sqlite3.Connection]:  # noqa: ARG002 - IMMEDIATE always is alone
        """A writing transaction: IMMEDIATE, so what it reads cannot change before it writes."""
        with self.lend() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend an idle connection of this process, or a new one; translate the database's own errors."""
        database: sqlite3.Connection | None = None
        try:
            database = self._take()
            yield database
        except sqlite3.Error as error:
            if database is not None:
                database.close()
            database = None
            raise _refusal(error) from error
        finally:
            if database is not None:
                with self._guard:
                    self.idle.append((os.getpid(), database))

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            while self.idle:
                owner, database = self.idle.pop()
                if owner == os.getpid():
                    return database
                # On the far side of a fork a connection may be neither used nor closed.
                self._foreign.append(database)
        database = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            database.execute(pragma)
        _write_ahead(database)
        return database

    def flush(self) -> None:
        """Empty the write-ahead log so that it holds no deleted wrap; readers may put that off to the next time."""
        with self.lend() as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy. Raises OSError."""
        with writing_copy(target) as copy, self.lend() as database:
            database.backup(copy)  # in one step: in small steps a busy writer starves it

    def close(self) -> None:
        """Close the idle connections of this process."""
        with self._guard:
            for owner, database in self.idle:
                if owner == os.getpid():
                    database.close()
            self.idle.clear()


def _write_ahead(database: sqlite3.Connection) -> None:
    """Give a file that is new, or came back from a backup, its write-ahead log, where another process may be doing the same.

    Of two that change the mode at once SQLite refuses one on the spot, without the patience of its time-out.
    """
    until = time.monotonic() + BUSY_SECONDS
    while not _takes_it(database):
        if time.monotonic() > until:
            raise sqlite3.OperationalError("another process keeps the file")
        time.sleep(_PAUSE_SECONDS)


def _takes_it(database: sqlite3.Connection) -> bool:
    try:
        database.execute("PRAGMA journal_mode=WAL").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@contextmanager
def writing_copy(target: Path) -> Iterator[sqlite3.Connection]:
    """Yield a new SQLite file to fill; it is durable afterwards. Raises OSError."""
    descriptor = create(target, mode=0o600)
    try:
        with closing(sqlite3.connect(target)) as copy:
            yield copy
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(target.parent)


def _refusal(error: sqlite3.Error) -> StoreFull | VaultFailed:
    code = getattr(error, "sqlite_errorcode", None)
    return StoreFull() if code == sqlite3.SQLITE_FULL else VaultFailed(reason=str(error))
