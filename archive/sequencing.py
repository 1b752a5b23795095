"""Where an entry of the log stands: its link in the chain of one object, its place among all.

SQLite has one writer, so an entry gets its place in its act's own transaction.
PostgreSQL has many: the act leaves a pending row with its entry (one statement), and one
sequencer at a time, under an advisory lock, moves pending rows to places without a gap.
A pending row and the place that replaces it are exchanged in one transaction, so a
sequencer killed at any moment has placed an entry entirely or not at all.

Order: an entry committed earlier for an object never comes after a later one. The chain's
lock is held until commit, pending ids are drawn under it and places are given by pending
id. Never reads, changes or judges what an entry says.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import AutoField, Model

from archive import logkey
from archive.models import AuditDetail, AuditEntry, AuditPending, AuditRow, AuditShown

BATCH: Final = 500  # entries placed in one transaction: 12 ms, so no act's entry waits for a longer one
EVERY_SECONDS: Final = 0.05
PLACE_LOCK: Final = 0x564B02  # its second number is 0; the other family of advisory locks is that of `archive.chains`
_PLACE: Final = """
WITH taken AS (
    DELETE FROM archive_auditpending
    WHERE id IN (SELECT id FROM archive_auditpending ORDER BY id LIMIT %s)
    RETURNING id, entry_id
)
INSERT INTO archive_auditleaf (idx, entry_id)
SELECT (SELECT COALESCE(MAX(idx), -1) FROM archive_auditleaf) + row_number() OVER (ORDER BY id), entry_id FROM taken
"""
_PLACE_NOW: Final = """
INSERT INTO archive_auditleaf (idx, entry_id) SELECT COALESCE(MAX(idx), -1) + 1, %s FROM archive_auditleaf
WHERE idx <= 9223372036854775807
"""  # SQLite alone: text that SQL put for a place is higher than any number, and ended every act


def add(
    entry: AuditEntry,
    detail: AuditDetail | None,
    rows: Sequence[AuditRow] = (),
    shown: Sequence[AuditShown] = (),
) -> None:
    """Insert an entry, the values behind its digest, digests of rows, dispatches shown; give it its place, now or soon."""
    parts: list[Sequence[Model]] = [[entry]]
    parts += [[detail]] if detail is not None else []
    parts += [each for each in (rows, shown) if each]
    inserts = [_insert(part) for part in parts]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _add_pending(cursor, inserts)
        else:
            for statement, values in inserts:
                cursor.execute(statement, values)
            cursor.execute(_PLACE_NOW, [entry.pk.hex])  # one writer (IMMEDIATE): max + 1 cannot race
    for row in chain.from_iterable(parts):
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as Django's own save does


def place(*, limit: int = BATCH, wait: bool = False) -> int:
    """Give pending entries their places, oldest first; return how many were placed.

    Args:
        limit: at most so many in one transaction.
        wait: wait for a sequencer that is at work instead of leaving it to that one.
    """
    if connection.vendor != "postgresql":
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT true FROM pg_advisory_xact_lock(%s, 0)" if wait else "SELECT pg_try_advisory_xact_lock(%s, 0)",
            [PLACE_LOCK],
        )
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_PLACE, [limit])
        placed: int = cursor.rowcount
    return placed


def place_all() -> int:
    """Place every entry committed so far, for whoever needs the sequence whole now; return how many were placed."""
    total = 0
    while placed := place(wait=True):
        total += placed
    return total


def sweep() -> None:
    """One look of the sequencer: place what is pending, batch after batch. An idle look is one small query.

    Raises:
        logkey.OtherLogKey, verify.Tampered: this program may not sign for this log; it gives no places in it either.
    """
    if connection.vendor == "postgresql" and AuditPending.objects.exists():
        logkey.require()
        while place() == BATCH:
            continue


def _add_pending(cursor: Any, inserts: Sequence[tuple[str, list[Any]]]) -> None:
    """Insert entry, what belongs to it and the pending row in one statement: one way to the server instead of many."""
    (entry, values), *others = inserts
    parts = [f"entry AS ({entry} RETURNING id)"]
    for number, (statement, more) in enumerate(others):
        parts.append(f"part{number} AS ({statement})")
        values = [*values, *more]
    last = "INSERT INTO archive_auditpending (entry_id) SELECT id FROM entry"
    # nosemgrep: raw-sql - values are parameters
    cursor.execute(f"WITH {', '.join(parts)} {last}", values)


def _insert(rows: Sequence[Model]) -> tuple[str, list[Any]]:
    """Return the INSERT of rows of one kind and its values, in the order of the model's columns."""
    into, fields = _into(type(rows[0]))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows for field in fields]
    marks = f"({', '.join(['%s'] * len(fields))})"
    return f"{into} VALUES {', '.join([marks] * len(rows))}", values


@cache
def _into(model: type[Model]) -> tuple[str, tuple[Any, ...]]:
    fields = tuple(field for field in model._meta.concrete_fields if not isinstance(field, AutoField))  # noqa: SLF001 - Django's documented Meta API
    return f"INSERT INTO {model._meta.db_table} ({', '.join(str(field.column) for field in fields)})", fields  # noqa: SLF001
