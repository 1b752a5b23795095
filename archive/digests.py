"""Digests of rows that decide about access: an edit by SQL is found, and the column is named.

An act that leaves a row of a watched kind (a person, a unit, a record, a step, a clearance
and so on) otherwise than before keeps a digest of every column of it (`AuditRow`), and its
entry commits to them (`rows_h`). Columns of one row share one salt, so two states of it can
be compared. A row has its first digest from the act that made it and from no later one. A
row that no act left as it is, one that no act made and one that is gone are told by `faults`;
so is an edit that a later act took over, where that act changes no such column. Never
writes, never repairs.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import groupby, pairwise
from typing import Any, Final

from django.db import connection
from django.db.models import BinaryField, Field, Model, OuterRef, Subquery

from archive import vouching
from archive.models import AuditRow, Octets, Person, Record
from archive.rules.roles import Action
from archive.vouching import Fault
from archive.watched import BY_AN_ANSWER, CHANGING, DERIVED, LEAVING_ALONE, WATCHED

WHOLE: Final = 32  # bytes of the digest over all columns
SHORT: Final = 6  # bytes of each column's own: enough to name it, the whole digest proves
_ROWS: Final = 500


def name_of(model: type[Model]) -> str:
    """Return the name of a kind, as digests are kept under it."""
    return model.__name__.lower()


def observed(rows: Iterable[Model], *, made: Sequence[Model] = ()) -> list[AuditRow]:
    """Return what an act has to keep: the rows, as they now are in the database, that differ from their last digest.

    State and last digest are read by one statement: an act beside this one shows in both or in neither. A row that
    is gone, and had a digest, gets an empty one: the act took it away. One that the act did not make, and that no
    digest is kept of, gets none: what was put in by SQL would pass for made as soon as an act touches it.
    """
    found = []
    new = _by_kind(made)
    for model, ids in _by_kind([*made, *rows]).items():
        for pk, state, last in read(model, ids):
            if state and (last is None or not last.columns) and pk not in new.get(model, ()):
                continue
            kept = _digest(state, salt=last.salt if last else secrets.token_bytes(16)) if state else _gone_by_act(last)
            if kept is not None and (last is None or (last.columns, last.digests) != (kept.columns, kept.digests)):
                kept.kind, kept.row_id = name_of(model), pk
                found.append(kept)
    return found


def _by_kind(rows: Iterable[Model]) -> dict[type[Model], list[int]]:
    kinds: dict[type[Model], dict[int, None]] = {}
    for row in rows:
        kinds.setdefault(row.__class__, {})[row.pk] = None  # its own class: the person of a request is a proxy
    return {model: list(ids) for model, ids in kinds.items()}


def _gone_by_act(last: "Kept | None") -> AuditRow | None:
    return AuditRow(salt=last.salt, columns="", digests=b"") if last and last.columns else None


def holds(row: Model) -> bool:
    """Return whether a row is as an act left it; False for one that no act made."""
    ((_pk, state, last),) = read(row.__class__, [row.pk])
    return state is not None and last is not None and bool(last.columns) and not differing(state, last)


def is_moved(row: Model) -> bool:
    """Return whether a row is otherwise than its last act left it; one of which no digest is kept says nothing."""
    ((_pk, state, last),) = read(row.__class__, [row.pk])
    return last is not None and (state is None or not last.columns or bool(differing(state, last)))


def is_missing(model: type[Model], pk: int) -> bool:
    """Return whether a row that acts made is gone, and no act took it away."""
    ((_pk, state, last),) = read(model, [pk])
    return state is None and last is not None and bool(last.columns)


def missing(model: type[Model]) -> Iterator[int]:
    """Yield the rows of one kind that are gone, and that no act took away."""
    there = model._base_manager.filter(pk=OuterRef("row_id"))  # noqa: SLF001
    digested = AuditRow.objects.filter(kind=name_of(model)).annotate(there=Subquery(there.order_by().values("pk")[:1]))
    gone = digested.filter(there=None).order_by("row_id").values_list("row_id", flat=True).distinct()
    yield from (pk for pk in gone if is_missing(model, pk))


def faults() -> Iterator[Fault]:
    """Yield every watched row that is not what the log says, and every digest that the log does not bear out."""
    yield from vouching.faults()
    for name in WATCHED:
        yield from of_kind(name)


def of_kind(name: str) -> Iterator[Fault]:
    """Yield every row of one kind that is not what the log says."""
    yield from _changed(name, WATCHED[name])
    yield from _gone(name, WATCHED[name])
    yield from _taken_over(name, WATCHED[name])


@cache
def fields_of(model: type[Model]) -> "tuple[Field[Any, Any], ...]":
    """Return the fields that are digested, in the order of their columns."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}  # noqa: SLF001 - Django's documented Meta API
    return tuple(by_name[name] for name in columns_of(model))


@dataclass(frozen=True, slots=True)
class Kept:
    """The last digest of a row; no columns: an act took the row away."""

    salt: bytes
    columns: str
    digests: bytes


def read(model: type[Model], ids: Sequence[int]) -> Iterator[tuple[int, dict[str, Any] | None, Kept | None]]:
    """Yield id, columns and last digest of rows of one kind, each read by one statement; None for what is not there."""
    for start in range(0, len(ids), _ROWS):
        part = list(ids[start : start + _ROWS])
        asked = _statement(model, connection.vendor)
        marks = ", ".join(["%s"] * len(part))
        with connection.cursor() as cursor:
            # nosemgrep: raw-sql - what is put in are marks for parameters
            cursor.execute(asked.sql % marks, [name_of(model), *part])
            rows = {row[0]: row for row in cursor.fetchall()}
        missing = [pk for pk in part if pk not in rows]
        last = _last_of(model, missing) if missing else {}
        for pk in part:
            yield (pk, *asked.told(rows[pk])) if pk in rows else (pk, None, last.get(pk))


def _last_of(model: type[Model], ids: list[int]) -> dict[int, Kept]:
    rows = AuditRow.objects.filter(kind=name_of(model), row_id__in=ids).order_by("id")
    return {row.row_id: Kept(bytes(row.salt), str(row.columns), bytes(row.digests)) for row in rows}


@dataclass(frozen=True, slots=True)
class _Statement:
    """How the rows of one kind are asked for, with their last digests, and what makes values of the answer."""

    model: type[Model]
    sql: str
    names: tuple[str, ...]
    converted: tuple[tuple[int, tuple[Callable[..., Any], ...], Any], ...]

    def told(self, row: Sequence[Any]) -> tuple[dict[str, Any], Kept | None]:
        """Return columns and last digest of one row of the answer."""
        values = list(row[1:-3])
        for place, converters, column in self.converted:
            for convert in converters:
                values[place] = convert(values[place], column, connection)
        salt, columns, digests = row[-3:]
        kept = None if salt is None else Kept(Octets.of(salt), str(columns), Octets.of(digests))
        return _as_kinds(self.model, dict(zip(self.names, values, strict=True))), kept


@cache
def _statement(model: type[Model], _vendor: str) -> _Statement:
    """Write the statement once: Django takes ten times as long to write it for a record as the database to answer."""
    meta = model._meta  # noqa: SLF001 - Django's documented Meta API
    names = tuple(columns_of(model))
    columns = [meta.get_field(name).get_col(meta.db_table) for name in names]  # type: ignore[union-attr]
    converted = []
    for place, column in enumerate(columns):
        of_both = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
        if of_both:
            converted.append((place, tuple(of_both), column))
    key = meta.pk.column
    told = ", ".join(f"t.{connection.ops.quote_name(str(each.target.column))}" for each in columns)  # one is "order"
    sql = (
        f"SELECT t.{key}, {told}, d.salt, d.columns, d.digests FROM {meta.db_table} t "  # noqa: S608 - our own names
        f"LEFT JOIN archive_auditrow d ON d.id = (SELECT MAX(l.id) FROM archive_auditrow l "
        f"WHERE l.kind = %%s AND l.row_id = t.{key}) WHERE t.{key} IN (%s)"
    )
    return _Statement(model, sql, names, tuple(converted))


def _states(name: str) -> Any:
    last = AuditRow.objects.filter(kind=name, row_id=OuterRef("pk")).order_by("-id").values("id")[:1]
    return WATCHED[name]._base_manager.order_by().annotate(last_digest=Subquery(last))  # noqa: SLF001 - Django's API


def columns_of(model: type[Model]) -> list[str]:
    """Return the names of the columns that are digested, in their order."""
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented Meta API
    return sorted(field.attname for field in fields if not field.primary_key and field.attname not in DERIVED)


def _digest(state: dict[str, Any], *, salt: bytes) -> AuditRow:
    names = sorted(state)
    each = [hashlib.sha256(salt + name.encode() + b"\x00" + _plain(state[name])).digest() for name in names]
    whole = hashlib.sha256(salt + b"".join(each)).digest()
    digests = whole + b"".join(one[:SHORT] for one in each)
    return AuditRow(salt=salt, columns=" ".join(names), digests=digests)


def _plain(value: Any) -> bytes:
    """Return the bytes of a value: the same on both databases."""
    if value is None:
        return b"null"
    return _encoded(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(type(value))


_encoded: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, default=_text
).encode


def differing(state: dict[str, Any], kept: AuditRow | Kept) -> tuple[str, ...]:
    """Return the columns that differ from a digest; columns that came with a later version were not digested."""
    names = str(kept.columns).split(" ")
    now = _digest({name: state.get(name) for name in names}, salt=bytes(kept.salt))
    if now.digests == bytes(kept.digests):
        return ()
    return tuple(_moved(now, kept)) or ("?",)


def _moved(now: AuditRow, before: AuditRow | Kept) -> list[str]:
    """Return the columns in which two digests of one row differ."""
    short, were = _each(now), _each(before)
    return [name for name in short if name in were and short[name] != were[name]]


def bears_out(kept: AuditRow, column: str, value: Any) -> bool:
    """Return whether a digest says that a column held this value; no more of it can be told from a digest."""
    short = hashlib.sha256(bytes(kept.salt) + column.encode() + b"\x00" + _plain(value)).digest()[:SHORT]
    return _each(kept).get(column) == short


def _each(row: AuditRow | Kept) -> dict[str, bytes]:
    data = bytes(row.digests)[WHOLE:]
    return {name: data[SHORT * at : SHORT * at + SHORT] for at, name in enumerate(str(row.columns).split(" "))}


def _changed(name: str, model: type[Model]) -> Iterator[Fault]:
    """Look at every row: is it as its last act left it?"""
    columns = columns_of(model)
    chunk: list[dict[str, Any]] = []
    for state in _states(name).values("pk", *columns, "last_digest").iterator(chunk_size=_ROWS):
        chunk.append(state)
        if len(chunk) == _ROWS:
            yield from _compare(name, chunk)
            chunk = []
    yield from _compare(name, chunk)


def _as_kinds(model: type[Model], state: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a row with bytes told apart from the text that is written like them."""
    octets = _octets_of(model)
    for name, value in state.items():
        if isinstance(value, bytes) and name not in octets:
            state[name] = ("bytes", value.hex())
    return state


@cache
def _octets_of(model: type[Model]) -> frozenset[str]:
    return frozenset(field.attname for field in fields_of(model) if isinstance(field, BinaryField))


def _compare(name: str, states: list[dict[str, Any]]) -> Iterator[Fault]:
    kept = AuditRow.objects.in_bulk([state["last_digest"] for state in states if state["last_digest"]])
    for state in states:
        row = _called(name, state.pop("pk"), state)
        last = kept.get(state.pop("last_digest"))
        if last is None or not last.columns:
            yield Fault(name, row, "no act made this row")
        elif columns := differing(_as_kinds(WATCHED[name], state), last):
            yield Fault(name, row, "changed past the office", columns)


def _called(name: str, pk: int, state: dict[str, Any]) -> str:
    for telling in ("key", "username", "code"):  # a record, a person, a unit
        if telling in state:
            return str(state[telling])
    if name == "step":
        return (
            f"{state['order']} of {Record.objects.filter(pk=state['record_id']).values_list('key', flat=True).first()}"
        )
    person = Person.objects.filter(pk=state.get("person_id") or 0).values_list("username", flat=True).first()
    return f"{pk} of {person}" if person else str(pk)


def _gone(name: str, model: type[Model]) -> Iterator[Fault]:
    for pk in missing(model):
        yield Fault(name, str(pk), "removed past the office")


def _taken_over(name: str, model: type[Model]) -> Iterator[Fault]:
    """Look for an edit that the digest of a later act covers: an act that changes no such column."""
    if model is not Record and name not in CHANGING:
        return
    rows = AuditRow.objects.filter(kind=name).order_by("row_id", "id").select_related("entry").defer("entry__body")
    for pk, states in groupby(rows.iterator(chunk_size=_ROWS), key=lambda row: row.row_id):
        for before, row in pairwise(states):
            moved = _moved(row, before) if before.columns and row.columns else []
            if foreign := [column for column in moved if not _changes(name, row.entry.action, column)]:
                state = model._base_manager.filter(pk=pk).values().first()  # noqa: SLF001 - Django's API
                called = _called(name, pk, state) if state else str(pk)
                yield Fault(name, called, f"changed past the office before {row.entry}", tuple(foreign))


def _changes(name: str, action: str, column: str) -> bool:
    """Return whether an act may leave another value in a column of a row that was there before it."""
    if name not in CHANGING:
        is_known = action == Action.STEP_ANSWER and column in BY_AN_ANSWER
        is_adopted = action == Action.ROWS_ADOPT and column == "manifest"  # of a dispatch that had none
        return is_known or is_adopted or not action.startswith(LEAVING_ALONE)
    return any(column in columns for begin, columns in CHANGING[name].items() if action.startswith(begin))
