"""Rows of the office written straight into its tables: for benches only, since no act, no check and no entry is made.

Both databases are loaded in their own fast way: SQLite by `executemany` without syncs,
PostgreSQL by COPY. Plain indexes are dropped first and made again at the end, as a
restore does; afterwards the planner's statistics are taken.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Final, Protocol

from django.db import connection, models

BATCH = 20_000  # rows kept back per table


class Writer(Protocol):
    """One database while it is loaded."""

    def write(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table."""

    def finish(self) -> None:
        """Make the indexes again, take statistics, commit."""


class Sheet:
    """The rows of one table that wait to be written; what is not said is the model's default."""

    def __init__(self, model: type[models.Model], writer: Writer) -> None:
        """Read columns and defaults from the model."""
        about = model._meta  # noqa: SLF001 - Django's own name for it
        fields = [field for field in about.concrete_fields if field.column]
        self._writer, self._table = writer, about.db_table
        self._columns = [str(field.column) for field in fields]
        self._at = {field.column: place for place, field in enumerate(fields)}
        self._blank = [_plain(field) for field in fields]
        self._rows: list[list[Any]] = []
        self.count = 0

    def add(self, **values: Any) -> None:
        """Add a row by column names."""
        row = self._blank.copy()
        for name, value in values.items():
            row[self._at[name]] = value
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._rows:
            self._writer.write(self._table, self._columns, self._rows)
            self._rows = []


def _plain(field: Any) -> Any:
    """Return a field's default as both databases take it; None where a value must be given."""
    value = field.get_default() if field.has_default() or field.empty_strings_allowed else None
    value = value.value if isinstance(value, Enum) else value
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def writer() -> Writer:
    """Return the writer of this installation's database."""
    return _Sqlite() if connection.vendor == "sqlite" else _PostgreSQL()


class _Sqlite:
    def __init__(self) -> None:
        self._begun: sqlite3.Connection | None = None
        self._indexes: dict[str, str] = {}

    @property
    def _open(self) -> sqlite3.Connection:
        """Begin at the first row: from there to the end nobody else can ask the database anything."""
        if self._begun is None:
            connection.close()
            self._begun = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
            # One transaction of gigabytes in a write-ahead log: each page read back was looked for in all of it.
            for pragma in (
                "journal_mode=OFF", "synchronous=OFF", "cache_size=-1500000", "foreign_keys=OFF", "temp_store=MEMORY",
            ):  # fmt: skip
                self._begun.execute(f"PRAGMA {pragma}")
            indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE I%'"
            self._indexes = dict(self._begun.execute(indexes).fetchall())
            self._begun.execute("BEGIN")
            for name in self._indexes:
                self._begun.execute(f'DROP INDEX "{name}"')
        return self._begun

    def write(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        self._open.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - our models' names

    def finish(self) -> None:
        done = self._open
        for sql in self._indexes.values():
            done.execute(sql)
        done.execute("COMMIT")
        done.execute("ANALYZE")
        done.execute("PRAGMA journal_mode=WAL")
        done.close()


_ESCAPED: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_TEXT: Final[dict[type, Callable[[Any], str]]] = {  # a value as the text format of COPY says it
    type(None): lambda _none: r"\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    str: lambda value: value.translate(_ESCAPED),
    bytes: lambda value: rf"\\x{value.hex()}",
}


class _PostgreSQL:
    def __init__(self) -> None:
        connection.ensure_connection()
        self._open = connection.connection
        # Their checks would ask row by row for what the loader wrote itself.
        self._run("SET session_replication_role = replica")
        self._run("SET statement_timeout = 0")
        self._run("SET synchronous_commit = off")
        self._run("SET maintenance_work_mem = '512MB'")
        self._run("SET timezone = 'UTC'")
        plain = (
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND NOT i.indisunique"
        )
        self._indexes = dict(self._run(plain).fetchall())
        for name in self._indexes:
            self._run(f'DROP INDEX "{name}"')

    def _run(self, statement: str) -> Any:
        return self._open.execute(statement)

    def write(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        # One text per batch: the driver's own adaption of each value took three times as long as making the rows.
        lines = ["\t".join([_TEXT[type(value)](value) for value in row]) for row in rows]
        with self._open.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            copy.write("\n".join(lines) + "\n")

    def finish(self) -> None:
        for sql in self._indexes.values():
            self._run(sql)
        serial = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND is_identity = 'YES'"
        )
        for table, column in self._run(serial).fetchall():
            top = f'SELECT setval(pg_get_serial_sequence(\'"{table}"\', \'{column}\'), max("{column}")) FROM "{table}"'  # noqa: S608
            self._run(top)
        self._run("VACUUM ANALYZE")
        connection.close()


Sheets = Callable[[type[models.Model]], Sheet]


def sheets(to: Writer) -> tuple[Sheets, Callable[[], None]]:
    """Return a giver of sheets, one per model, and what writes the rest of all of them."""
    opened: dict[type[models.Model], Sheet] = {}

    def sheet(model: type[models.Model]) -> Sheet:
        if model not in opened:
            opened[model] = Sheet(model, to)
        return opened[model]

    def close() -> None:
        for each in opened.values():
            each.flush()
        to.finish()

    return sheet, close
