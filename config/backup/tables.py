r"""PostgreSQL's tables in one plain file: a line that names a table, then its rows as COPY writes them.

    {"columns": [...], "table": "archive_record"}
    ...rows in COPY's text form, one a line...
    \.

Text COPY escapes every line end and backslash inside a value, so a line `\.` ends a table
beyond doubt. Loaded in one transaction into empty tables: all there or none.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from django.db import connection, transaction

from config import roles
from config.backup import durable
from config.backup.refusals import DATABASE, USED_DATABASE, Damaged, NotEmpty

END: Final = b"\\.\n"
_NAMES: Final = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""
_SERIALS: Final = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""
_KEPT_BY_MIGRATIONS: Final = frozenset({"django_migrations"})  # the prepared database knows its own


@contextmanager
def one_moment() -> Iterator[Any]:
    """Yield a cursor of a connection of its own that sees one moment until it is left."""
    apart = connection.copy()
    try:
        with apart.cursor() as cursor:
            apart.set_autocommit(False)
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _take_your_time(cursor)
            yield cursor.cursor
            apart.rollback()
    finally:
        apart.close()


def _take_your_time(cursor: Any) -> None:
    """A backup may take hours; the limits of a page are not its limits."""
    cursor.execute("SET LOCAL statement_timeout = 0")
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def dump(cursor: Any, path: Path) -> dict[str, int]:
    """Write every table into a file, durably; return the rows of each."""
    counts = {}
    cursor.execute(_NAMES)
    with durable.writing(path) as file:
        for table, columns in cursor.fetchall():
            file.write(json.dumps({"columns": columns, "table": table}, sort_keys=True).encode() + b"\n")
            # nosemgrep: raw-sql - names of our own tables
            with cursor.copy(f"COPY {_listed(table, columns)} TO STDOUT") as rows:
                for part in rows:
                    file.write(part)
            counts[table] = cursor.rowcount
            file.write(END)
    return counts


def _listed(table: str, columns: list[str]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'"{table}" ({names})'


def load(path: Path, *, expected: dict[str, int], name: str) -> None:
    """Fill the empty tables of the installation's database from a file, all or nothing.

    Raises:
        NotEmpty: a table holds more than its migrations put there.
        Damaged: the file does not hold the rows that the manifest names.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _take_your_time(cursor)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        _make_room(cursor)
        roles.fence_entries("DISABLE")
        found = {}
        for table in read(path, name=name):
            if table.name in _KEPT_BY_MIGRATIONS:
                continue
            # nosemgrep: raw-sql - names of our own tables
            with cursor.copy(f"COPY {_listed(table.name, table.columns)} FROM STDIN") as rows:
                for line in table.lines:
                    rows.write(line)
            found[table.name] = cursor.rowcount
        if found != {table: count for table, count in expected.items() if table not in _KEPT_BY_MIGRATIONS}:
            raise Damaged(what=DATABASE, name=name)
        _wind_up(cursor)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with events that wait cannot be altered
        roles.fence_entries("ENABLE ALWAYS")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file: its columns in order, its lines read as they are asked for."""

    name: str
    columns: list[str]
    lines: Iterator[bytes]

    def fields(self) -> Iterator[dict[str, bytes]]:
        """Yield each row by column, in COPY's text form; read this or `lines`, once."""
        for line in self.lines:
            yield dict(zip(self.columns, line.rstrip(b"\n").split(b"\t"), strict=True))


def read(path: Path, *, name: str) -> Iterator[Table]:
    """Yield the tables of a file one after the other; what is left unread of one is passed over. Raises Damaged."""
    with path.open("rb") as file:
        while header := file.readline():
            try:
                about = json.loads(header)
                table = Table(about["table"], about["columns"], _lines(file, name))
            except (ValueError, KeyError, TypeError) as error:
                raise Damaged(what=DATABASE, name=name) from error
            yield table
            for _line in table.lines:
                continue


def _lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    while (line := file.readline()) != END:
        if not line:
            raise Damaged(what=DATABASE, name=name)
        yield line


def octets(field: bytes) -> bytes:
    r"""Return the bytes of a `bytea` field: `\\x` and hexadecimal digits."""
    return bytes.fromhex(field.decode("ascii").removeprefix("\\\\x"))


def _make_room(cursor: Any) -> None:
    """Remove what the migrations of a prepared database put there; refuse when there is more."""
    if is_in_use(cursor):
        raise NotEmpty(what=USED_DATABASE)
    cursor.execute(_NAMES)
    for table, _columns in cursor.fetchall():
        # nosemgrep: raw-sql - names of our own tables
        cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')  # noqa: S608 - names of our own tables
        if cursor.fetchone()[0] and table not in _KEPT_BY_MIGRATIONS:
            # nosemgrep: raw-sql - names of our own tables
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608


def is_in_use(cursor: Any) -> bool:
    """Say whether an office lives in this database."""
    cursor.execute("SELECT EXISTS (SELECT 1 FROM archive_auditentry) OR EXISTS (SELECT 1 FROM archive_person)")
    return cast("bool", cursor.fetchone()[0])


def _wind_up(cursor: Any) -> None:
    """Set every sequence behind the highest id that was loaded."""
    cursor.execute(_SERIALS)
    for table, column in cursor.fetchall():
        cursor.execute(
            # nosemgrep: raw-sql - names of our own tables
            f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), "  # noqa: S608
            f'COALESCE(MAX("{column}"), 1), MAX("{column}") IS NOT NULL) FROM "{table}"'
        )
