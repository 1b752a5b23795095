"""Do the rows that open a dispatch to a person still hold the digests that acts left of them?

Asked at the door of one dispatch, after the policy has said yes: a level lowered, a clearance,
mark, role, scope, opening, step or unit put in or moved by SQL opens nothing, at once and not only
after the nightly look. Above Thường every row on the way must hold, and need-to-know is worked out
from the facts, not from `Access`; at Thường the dispatch's own level, marks, unit and manifest must,
where a digest is kept of it. At every level a dispatch has just the files and pages that acts gave it
(`archive.manifests`). Two queries; a marked dispatch asks for its marks besides. Never decides in favour
of anybody: it only takes back.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import BooleanField, DateField, DateTimeField, Field, Model, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from archive import digests, manifests, watched
from archive.models import (
    AuditRow,
    Clearance,
    ClearanceMark,
    Grant,
    MarkingMark,
    Octets,
    Person,
    PersonRole,
    Record,
    Step,
    Unit,
    UnitScope,
)
from archive.models.route import LIVE_STATES
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action, Role, allows
from archive.rules.steps import WORK
from archive.standing import satisfies

NO_MARKING: Final = 1
_BROUGHT: Final = ("kept_salt", "kept_columns", "kept_digests")
DECIDING: Final = frozenset({"level", "marking_id", "unit_id", "manifest"})  # of a dispatch at Thường
log = logging.getLogger("vankho.warrants")


class NotBorneOut(Refusal):
    """ACC-006: what opens a dispatch to a person is not what the log says; it stays closed."""

    code = "ACC-006"
    message = _(
        "What opens this dispatch to you is not what the log says: somebody changed the database past the office, or the "
        "row is older than the log's digests. The dispatch stays closed, and nothing is lost. Tell the security officer."
    )

    def __init__(self, record: Record, rows: Sequence[str]) -> None:
        """Keep which rows did not hold, for the log alone."""
        super().__init__()
        self.object_type, self.object_id = "record", record.key
        self.told = {"rows": list(rows)}


def require(person: Person, action: Action, record: Record, at: datetime) -> None:
    """Return in silence, or refuse a dispatch that the policy opens by rows that acts did not leave so.

    Raises:
        NotBorneOut: as named.
    """
    failed = wanting(person, action, record, at)
    if failed:
        log.critical("a dispatch stays closed: %s", ", ".join(failed))
        raise NotBorneOut(record, failed)


def wanting(person: Person, action: Action, record: Record, at: datetime) -> list[str]:
    """Return the rows that are not as acts left them and what they would have opened; none where enough others hold.

    To be asked of a dispatch that the policy opens: it says nothing of one that the policy closes.
    """
    moved = [] if manifests.is_whole(record) else [f"files {record.key}"]
    if record.level == Level.THUONG and (record.marking_id or NO_MARKING) == NO_MARKING:
        return [*moved, *_moved_at_the_lowest(record)]
    return [*moved, *_failed(person, action, record, at)]


def with_digest(records: QuerySet[Record]) -> QuerySet[Record]:
    """Let a query of records bring last digest and files of each along: `require` asks nothing then, at the lowest level."""
    last = AuditRow.objects.filter(kind="record", row_id=OuterRef("pk")).order_by("-id")
    return manifests.with_parts(records).annotate(
        **{name: Subquery(last.values(name.removeprefix("kept_"))[:1]) for name in _BROUGHT}
    )


def _moved_at_the_lowest(record: Record) -> Iterator[str]:
    """Yield the record if its level, marks or unit are not what its last digest says; none kept says nothing."""
    if all(hasattr(record, name) for name in _BROUGHT):
        row = tuple(getattr(record, name) for name in _BROUGHT)
    else:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD_DIGEST, [record.pk])
            row = cursor.fetchone()
    kept = _kept(row) if row else None
    if kept is None or not DECIDING & set(digests.differing(_state(record), kept)):
        return
    ((_pk, state, last),) = digests.read(Record, [record.pk])  # an act may have come between the two
    if state is not None and last is not None and DECIDING & set(digests.differing(state, last)):
        yield f"record {record.key}"


def _failed(person: Person, action: Action, record: Record, at: datetime) -> list[str]:
    """Return what is wanting: empty when rows that hold are enough for this act."""
    rows = _read(person, record, at)
    held = _Held(tuple(row for row in rows if row.holds))
    failed = [f"{row.kind} {row.pk}" for row in rows if not row.holds]
    record_holds = any(row.holds for row in rows if row.kind == "record") or digests.holds(record)
    if not record_holds:
        return [f"record {record.key}"]
    failed = [one for one in failed if not one.startswith("record ")]
    lacking = [
        name
        for name, is_enough in (
            ("role", allows(held.roles(), action)),
            ("clearance", held.level() >= record.level),
            ("need-to-know", held.knows(person, record)),
            ("marks", _marks_open(record, held)),
        )
        if not is_enough
    ]
    return [*failed, *(f"no {name}" for name in lacking)] if lacking else []


@dataclass(frozen=True, slots=True)
class _Row:
    """One row on the way: its values, and whether they are what its last digest says."""

    kind: str
    pk: int
    state: dict[str, Any]
    holds: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """The rows that hold, and what follows from them alone."""

    rows: tuple[_Row, ...]

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the values of the rows of a kind."""
        return (row.state for row in self.rows if row.kind == kind)

    def roles(self) -> frozenset[Role]:
        """Return the roles."""
        return frozenset(Role(row["role"]) for row in self.of("personrole"))

    def level(self) -> Level:
        """Return the highest level cleared."""
        return Level(max((row["level"] for row in self.of("clearance")), default=Level.THUONG))

    def marks(self) -> frozenset[int]:
        """Return the marks on clearances."""
        return frozenset(row["mark_id"] for row in self.of("clearancemark"))

    def knows(self, person: Person, record: Record) -> bool:
        """Return whether a fact gives need-to-know: an opening, a live step, or a scope that holds over its unit."""
        if any(True for _each in self.of("grant")):
            return True
        steps = list(self.of("step"))
        given = {step["from_person_id"] for step in steps if step["kind"] in WORK}
        if person.pk in given | {step["to_person_id"] for step in steps}:
            return True
        paths = {row.pk: row.state["path"] for row in self.rows if row.kind == "unit"}
        above = tuple(paths[scope["unit_id"]] for scope in self.of("unitscope") if scope["unit_id"] in paths)
        concerned = {record.unit_id, *(step["to_unit_id"] for step in steps)}
        return any(paths[unit].startswith(above) for unit in concerned if unit in paths)


def _marks_open(record: Record, held: _Held) -> bool:
    """Return whether the marks held are enough; the tables of marks are small and looked at whole."""
    if (record.marking_id or NO_MARKING) == NO_MARKING:
        return True
    if any(True for kind in watched.MARKS for _fault in digests.of_kind(kind)):
        return False
    groups: dict[tuple[int, str], set[int]] = {}
    asked = MarkingMark.objects.filter(marking=record.marking_id)
    for group, rule, mark in asked.values_list("mark__group", "mark__group__rule", "mark"):
        groups.setdefault((group, rule), set()).add(mark)
    return bool(groups) and all(satisfies(rule, wanted, held.marks()) for (_g, rule), wanted in groups.items())


# --- one query for all rows on the way ---------------------------------------------------------------------

_LAST: Final = (
    "LEFT JOIN archive_auditrow d ON d.id = "
    "(SELECT MAX(l.id) FROM archive_auditrow l WHERE l.kind = '{kind}' AND l.row_id = t.id)"
)
_RECORD_DIGEST: Final = (
    "SELECT d.salt, d.columns, d.digests FROM archive_auditrow d WHERE d.kind = 'record' AND d.row_id = %s "
    "ORDER BY d.id DESC LIMIT 1"
)
_PERSONS: Final = "t.person_id = %s AND t.since <= %s AND (t.until IS NULL OR t.until > %s)"
_UNREVOKED: Final = "(t.revoked_at IS NULL OR t.revoked_at > %s)"


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    fields: "tuple[Field[Any, Any], ...]"

    def state(self, told: str) -> dict[str, Any]:
        """Return the values of a row from its JSON, as `values()` gives them on both databases."""
        values = json.loads(told)
        return {field.attname: _value(field, value) for field, value in zip(self.fields, values, strict=True)}


def _value(field: "Field[Any, Any]", value: Any) -> Any:
    if isinstance(field, BooleanField):
        return None if value is None else bool(value)  # SQLite has numbers for it
    if not isinstance(value, str):
        return value
    if isinstance(field, DateTimeField):
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return date.fromisoformat(value) if isinstance(field, DateField) else value


@cache
def _kind(model: type[Model]) -> _Kind:
    return _Kind(digests.name_of(model), digests.fields_of(model))


_MODELS: Final = (PersonRole, UnitScope, Clearance, ClearanceMark, Grant, Step, Unit)


@cache
def _query(vendor: str) -> str:
    """Write the query: each kind's rows as JSON with their last digests, and the dispatch's own digest."""
    is_postgresql = vendor == "postgresql"  # there the rows' types are told by hand
    array, text = ("json_build_array", "::text") if is_postgresql else ("json_array", "")

    def part(model: type[Model], where: str, join: str = "") -> str:
        kind = _kind(model)
        columns = ", ".join(f"t.{connection.ops.quote_name(str(field.column))}" for field in kind.fields)
        return (
            f"SELECT '{kind.name}', t.id, {array}({columns}){text}, d.salt, d.columns, d.digests "  # noqa: S608 - our own names
            f"FROM {model._meta.db_table} t {join} {_LAST.format(kind=kind.name)} WHERE {where}"  # noqa: SLF001 - Django's documented Meta API
        )

    cleared = f"{_PERSONS} AND {_UNREVOKED}"
    by_mark = "JOIN archive_clearance c ON c.id = t.clearance_id"
    opened = "t.record_id = %s AND t.person_id = %s AND t.since <= %s AND t.until > %s AND t.ended_at IS NULL"
    live = f"t.record_id = %s AND t.state IN ({', '.join(repr(state.value) for state in LIVE_STATES)})"
    concerned = (
        "t.id IN (SELECT r.unit_id FROM archive_record r WHERE r.id = %s "  # noqa: S608 - our own names
        f"UNION SELECT s.to_unit_id FROM archive_step s WHERE {live.replace('t.', 's.')} "
        f"UNION SELECT c.unit_id FROM archive_unitscope c WHERE {_PERSONS.replace('t.', 'c.')})"
    )
    itself = (
        f"SELECT 'record', t.id, {'NULL::text' if is_postgresql else 'NULL'}, d.salt, d.columns, d.digests "  # noqa: S608 - our own names
        f"FROM archive_record t {_LAST.format(kind='record')} WHERE t.id = %s"
    )
    parts = [
        part(PersonRole, _PERSONS),
        part(UnitScope, _PERSONS),
        part(Clearance, cleared),
        part(ClearanceMark, cleared.replace("t.", "c."), by_mark),
        part(Grant, opened),
        part(Step, live),
        part(Unit, concerned),
        itself,
    ]
    return " UNION ALL ".join(parts)


def _read(person: Person, record: Record, at: datetime) -> list[_Row]:
    now = connection.ops.adapt_datetimefield_value(at)
    mine = [person.pk, now, now]
    one = record.pk
    values = [*mine, *mine, *mine, now, *mine, now, one, *mine, one, one, one, *mine, one]
    with connection.cursor() as cursor:
        cursor.execute(_query(connection.vendor), values)
        return [_row(record, *row) for row in cursor.fetchall()]


def _row(record: Record, name: str, pk: int, told: str | None, *digest: Any) -> _Row:
    state = _state(record) if name == "record" else _by_name()[name].state(told or "[]")
    last = _kept(digest)
    return _Row(name, pk, state, last is not None and bool(last.columns) and not digests.differing(state, last))


@cache
def _by_name() -> dict[str, _Kind]:
    return {kind.name: kind for kind in map(_kind, _MODELS)}


def _kept(row: Sequence[Any]) -> digests.Kept | None:
    salt, columns, each = row
    return None if salt is None else digests.Kept(Octets.of(salt), str(columns), Octets.of(each))


def _state(record: Record) -> dict[str, Any]:
    return {field.attname: getattr(record, field.attname) for field in digests.fields_of(Record)}
