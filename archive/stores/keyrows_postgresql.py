"""The rows of the key vault in a PostgreSQL database of their own, shared by several machines.

An advisory lock orders the writers: those that touch single rows share it, a rotation has
it alone, so no key can be wrapped under a level key that is about to be destroyed.

A deleted wrap stays in the server's write-ahead log and dead rows for a while: there, as
in every backup, it is dead for good only when its level key is rotated (`Vault.rotate_level`).
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo

from archive.stores import keyrows
from archive.stores.keyrows import BATCH, BUSY_SECONDS, TABLES, Rows
from archive.stores.refusals import StoreFull, VaultAway, VaultFailed

_LOCK: Final = 0x564B03
_FRESH_SECONDS: Final = 1.0  # a connection unused for longer is asked whether it lives before it is lent
_CONNECTION: Final[dict[str, int | str]] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,  # ms; a server that vanished without a word is noticed
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "options": f"-c lock_timeout={BUSY_SECONDS}s -c statement_timeout=60s -c synchronous_commit=on "
    "-c idle_in_transaction_session_timeout=600s",
}
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS half (number integer PRIMARY KEY, fingerprint bytea NOT NULL);
CREATE TABLE IF NOT EXISTS level (rank integer PRIMARY KEY, key_id bytea NOT NULL);
CREATE TABLE IF NOT EXISTS data_key (
    object_id bytea PRIMARY KEY CHECK (length(object_id) = 16),
    level integer NOT NULL,
    key_id bytea NOT NULL,
    wrapped bytea NOT NULL,
    added_at bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS resealed (
    object_id bytea PRIMARY KEY CHECK (length(object_id) = 16),
    now_id bytea NOT NULL CHECK (length(now_id) = 16 AND now_id <> object_id),
    sealed_sha256 text NOT NULL,
    noted_at bigint NOT NULL,
    is_left integer NOT NULL
);
REVOKE ALL ON half, level, data_key, resealed FROM PUBLIC
"""
_AWAY: Final = ("08", "53", "57")  # classes of SQLSTATE: connection, resources, shutdown


class Lent:
    """A connection that reads `?` as the mark of a value."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Wrap a connection in autocommit."""
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Run a statement."""
        return self.connection.execute(statement.replace("?", "%s").encode(), values or None)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for many rows."""
        with self.connection.cursor() as cursor:
            cursor.executemany(statement.replace("?", "%s").encode(), rows)


class PostgresqlRows(Rows):
    """The rows on a server."""

    def __init__(self, address: str) -> None:
        """Remember the address (`postgresql://…`); nothing is opened yet."""
        self._address = make_conninfo(address, **_CONNECTION)
        self.place = "VANKHO_VAULT_URL"  # the address itself holds a password
        self.idle: list[tuple[int, psycopg.Connection[Any], float]] = []
        self._foreign: list[psycopg.Connection[Any]] = []
        self._guard = threading.Lock()

    def is_made(self) -> bool:
        """Return whether the tables exist. Raises VaultAway."""
        return self._has("data_key")

    def _has(self, table: str) -> bool:
        with self.lend() as database:
            found = database.execute("SELECT to_regclass(?) IS NOT NULL", (table,)).fetchone()
            return bool(found and found[0])

    def make(self) -> None:
        """Make the tables unless they are there; a vault of before gets those it lacks. Raises VaultAway, VaultFailed."""
        if not all(map(self._has, TABLES)):
            with self.changing(alone=True) as database:  # alone: two that create at once hurt each other
                database.execute(_SCHEMA)

    @contextmanager
    def changing(self, *, alone: bool = False) -> Iterator[Lent]:
        """A writing transaction under the vault's lock."""
        share = "" if alone else "_shared"
        with self.lend() as database:
            database.execute("BEGIN")
            try:
                # nosemgrep: raw-sql - one of two words of ours
                database.execute(f"SELECT pg_advisory_xact_lock{share}(?)", (_LOCK,))
                yield database
                database.execute("COMMIT")
            except BaseException:
                if not database.connection.closed:
                    database.connection.rollback()
                raise

    @contextmanager
    def lend(self) -> Iterator[Lent]:
        """Lend an idle connection of this process, or a new one; translate the database's own errors."""
        connection: psycopg.Connection[Any] | None = None
        try:
            connection = self._take()
            yield Lent(connection)
        except psycopg.Error as error:
            if connection is not None:
                connection.close()
            connection = None
            raise _refusal(error) from error
        finally:
            if connection is not None and not connection.closed:
                with self._guard:
                    self.idle.append((os.getpid(), connection, time.monotonic()))

    def _take(self) -> psycopg.Connection[Any]:
        while (found := self._idle_one()) is not None:
            connection, since = found
            if time.monotonic() - since <= _FRESH_SECONDS or _lives(connection):
                return connection
            connection.close()
        return psycopg.connect(self._address, autocommit=True)

    def _idle_one(self) -> tuple[psycopg.Connection[Any], float] | None:
        with self._guard:
            while self.idle:
                owner, connection, since = self.idle.pop()
                if owner == os.getpid():
                    return connection, since
                # On the far side of a fork a connection may be neither used nor closed.
                self._foreign.append(connection)
        return None

    def flush(self) -> None:
        """Nothing: the server's log is emptied by the server (see the head of this module)."""

    def copy_to(self, target: Path) -> None:
        """Write a copy of one moment, as a SQLite file. Raises OSError, VaultAway."""
        with keyrows.writing_copy(target) as copy, self.lend() as database:
            copy.executescript(keyrows.SCHEMA)
            database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                for table, columns in TABLES.items():
                    _carry(database, copy, table, columns)
                copy.commit()
            finally:
                if not database.connection.closed:
                    database.connection.rollback()

    def load(self, source: Path) -> None:
        """Fill this empty vault from a SQLite file (a vault that moves, or a copy of one), all or nothing.

        Raises:
            VaultFailed: there are rows already.
        """
        self.make()
        with self.changing(alone=True) as database, closing(_reading(source)) as kept:
            for table, columns in TABLES.items():
                # nosemgrep: raw-sql - names of our own tables
                if database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608 - our own names
                    raise VaultFailed(reason=f"{table} is not empty")
                # nosemgrep: raw-sql - names of our own tables
                with database.connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as rows:
                    # nosemgrep: raw-sql - names of our own tables
                    for row in kept.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608
                        rows.write_row(row)

    def close(self) -> None:
        """Close the idle connections of this process."""
        while (found := self._idle_one()) is not None:
            found[0].close()


def _carry(database: Lent, copy: sqlite3.Connection, table: str, columns: str) -> None:
    marks = ", ".join("?" * len(columns.split(",")))
    with database.connection.cursor(name="rows") as cursor:
        # nosemgrep: raw-sql - names of our own tables
        cursor.execute(f"SELECT {columns} FROM {table}".encode())  # noqa: S608 - our own names
        while rows := cursor.fetchmany(BATCH):
            # nosemgrep: raw-sql - names of our own tables
            copy.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _reading(source: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _lives(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _refusal(error: psycopg.Error) -> StoreFull | VaultAway | VaultFailed:
    if isinstance(error, errors.DiskFull):
        return StoreFull()
    state = error.sqlstate
    if isinstance(error, psycopg.OperationalError) and (state is None or state[:2] in _AWAY):
        return VaultAway(reason=type(error).__name__)
    return VaultFailed(reason=type(error).__name__)
