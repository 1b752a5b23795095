"""How a dispatch, an account or the tree of units stood at a past moment: told from the digests that acts left.

Acts do nothing for this but what every act does: whoever makes or changes such a row gives it to
`audit.write` (`made`, or `rows`), which keeps a salted digest of each column (`archive.digests`).
What takes few values - a level, a marking, a unit, whether an account is in use - is found by trying
each against the digest of the day: the one that bears it out is what stood there. The entry commits
to it, so nobody writes another past. Of a day before the first digest of a row nothing is known, and
`NotKnown` says so; no verdict rests on a guess. Writes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from archive import access, digests
from archive.leveling import history
from archive.models import AuditRow, Marking, Person, Record, RecordState, Step, StepState, Unit
from archive.models.route import LIVE_STATES
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import scopes, units_in_scope

T = TypeVar("T")
ON_DESK = frozenset({RecordState.DRAFT, RecordState.RETURNED})


class NotKnown(Exception):  # noqa: N818 - an answer, not an error
    """The log does not tell how something stood then; `since` is the first moment of which it does, if there is one."""

    def __init__(self, since: datetime | None) -> None:
        """Keep since when it is known."""
        super().__init__(since)
        self.since = since

    def __str__(self) -> str:
        """Return the sentence for the reader."""
        if self.since is None:
            return _("Not known for that day: the log does not tell how this stood.")
        day = f"{timezone.localtime(self.since):%d/%m/%Y}"
        return _("Not known for that day: the log tells how this stood only since %(day)s.") % {"day": day}


class Facts(Protocol):
    """What the policy asks of rows that keep no days of their own."""

    def is_there(self, person: Person) -> bool:
        """Return whether the account had been made."""

    def is_in_use(self, person: Person) -> bool:
        """Return whether the account was in use."""

    def is_within(self, unit: int, person: Person) -> bool:
        """Return whether a unit lay in or below one of the person's units in scope."""

    def level(self, record: Record) -> Level:
        """Return the level of a dispatch."""

    def marking(self, record: Record) -> int:
        """Return the combination of marks on a dispatch."""

    def unit(self, record: Record) -> int:
        """Return the unit that had a dispatch."""

    def is_on_desk(self, record: Record) -> bool:
        """Return whether a dispatch lay on the intake desk."""

    def live(self, record: Record) -> list[Step]:
        """Return the steps that gave need-to-know of a dispatch."""


class Present:
    """The rows as they are."""

    def __init__(self, at: datetime) -> None:
        """Take the moment of the request."""
        self._at = at

    def is_there(self, person: Person) -> bool:
        """Return True: who is asked about has an account."""
        return person.pk is not None

    def is_in_use(self, person: Person) -> bool:
        """Return whether the account is in use."""
        return person.is_active

    def is_within(self, unit: int, person: Person) -> bool:
        """Return whether a unit lies in the person's scope."""
        return unit in units_in_scope(person, self._at)

    def level(self, record: Record) -> Level:
        """Return the level of a dispatch."""
        return Level(record.level)

    def marking(self, record: Record) -> int:
        """Return the combination of marks on a dispatch."""
        return record.marking_id or access.NO_MARKING

    def unit(self, record: Record) -> int:
        """Return the unit that has a dispatch."""
        return record.unit_id

    def is_on_desk(self, record: Record) -> bool:
        """Return whether a dispatch lies on the intake desk."""
        return record.state in ON_DESK

    def live(self, record: Record) -> list[Step]:
        """Return the steps in hand."""
        return list(Step.objects.filter(record=record, state__in=LIVE_STATES))


class Past:
    """The rows as acts had left them at a moment; every answer may be `NotKnown`."""

    def __init__(self, at: datetime) -> None:
        """Take an aware moment."""
        self._at = at
        self._digests: dict[tuple[str, int], list[AuditRow]] = {}

    def is_there(self, person: Person) -> bool:
        """Return whether the account had been made."""
        return self._row("person", person.pk) is not None

    def is_in_use(self, person: Person) -> bool:
        """Return whether the account was in use."""
        row = self._row("person", person.pk)
        return row is not None and _value(row, "is_active", (True, False))

    def is_within(self, unit: int, person: Person) -> bool:
        """Return whether a unit lay in or below one of the person's units in scope, climbing the tree of that day."""
        tops = set(scopes(self._at).filter(person=person).values_list("unit", flat=True))
        here: int | None = unit if tops else None
        if here is not None and ("unit", here) not in self._digests:
            self._load("unit", self._units)
        while here is not None and here not in tops:
            row = self._row("unit", here)
            here = _value(row, "parent_id", (None, *self._units)) if row else None
        return here is not None

    def level(self, record: Record) -> Level:
        """Return the level of a dispatch; where no digest tells, of a registered one its decisions do."""
        try:
            return _value(self._record(record), "level", Level)
        except NotKnown:
            if record.registered_at is None or record.registered_at > self._at:
                raise
            return history.level_at(record, self._at)

    def marking(self, record: Record) -> int:
        """Return the combination of marks on a dispatch."""
        return _value(self._record(record), "marking_id", Marking.objects.values_list("pk", flat=True))

    def unit(self, record: Record) -> int:
        """Return the unit that had a dispatch."""
        return _value(self._record(record), "unit_id", self._units)

    def is_on_desk(self, record: Record) -> bool:
        """Return whether a dispatch lay on the intake desk."""
        return _value(self._record(record), "state", RecordState.values) in ON_DESK

    def live(self, record: Record) -> list[Step]:
        """Return the steps that were in hand; one that no digest tells of by the day of its end."""
        given = list(Step.objects.filter(record=record, created_at__lte=self._at))
        self._load("step", [step.pk for step in given])
        return [step for step in given if self._was_live(step)]

    def _was_live(self, step: Step) -> bool:
        try:
            row = self._row("step", step.pk)
        except NotKnown:
            return step.closed_at > self._at if step.closed_at else step.state in LIVE_STATES
        return row is not None and _value(row, "state", StepState.values) in LIVE_STATES

    @cached_property
    def _units(self) -> tuple[int, ...]:
        return tuple(Unit.objects.order_by().values_list("pk", flat=True))

    def _record(self, record: Record) -> AuditRow:
        row = self._row("record", record.pk)
        if row is None:  # it was there, but older than digests
            raise NotKnown(self._digests["record", record.pk][0].entry.ts)
        return row

    def _row(self, kind: str, pk: int) -> AuditRow | None:
        """Return the digest that the last act before the moment left; None when the row had not been made."""
        if (kind, pk) not in self._digests:
            self._load(kind, [pk])
        rows = self._digests[kind, pk]
        row = next((each for each in reversed(rows) if each.entry.ts <= self._at), None)
        # The first digest comes from the act that made the row, or from the day on which an old one was adopted.
        if row is None and (not rows or rows[0].entry.action == Action.ROWS_ADOPT):
            raise NotKnown(rows[0].entry.ts if rows else None)
        return row

    def _load(self, kind: str, pks: Sequence[int]) -> None:
        """Read all digests of these rows at once."""
        self._digests |= {(kind, pk): [] for pk in pks}
        rows = AuditRow.objects.filter(kind=kind, row_id__in=pks).order_by("id")
        for row in rows.select_related("entry").defer("entry__body", "entry__leaf_hash"):
            self._digests[kind, row.row_id].append(row)


def _value(row: AuditRow, column: str, values: Iterable[T]) -> T:
    """Return the one of these values that a digest bears out."""
    for value in values:
        if digests.bears_out(row, column, value):
            return value
    raise NotKnown(None)
