"""May this person? Why not? Which records at all? The only doors to a record.

A record is visible only if clearance >= level AND its marking is open AND there is
need-to-know (own unit in scope, addressee, live step, dated grant); an act needs the
capability of a role on top. Deny by default; nobody passes by rank of the machine.
List, detail, page image, file, search, count, facet, print, export and API all come
through `may`, `visible_to`, `require` or `open_record`; the clock is read once.

The forms of the queries are those measured at a million records (see config/decisions/speed.md):
counts drive from `Access`; wide readers on SQLite filter records by EXISTS with
"principal + 0"; narrow readers take ids from the index of `Access`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive import audit, shelves, warrants
from archive.models import (
    FOREVER,
    Access,
    Grant,
    Person,
    Record,
    RecordState,
    Source,
    Step,
)
from archive.models.route import LIVE_STATES
from archive.planning import ByRow
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level, Leveled
from archive.rules.roles import APART, Action, Role, allows
from archive.rules.steps import WORK
from archive.standing import Standing, once, open_markings, standing, units_open

PERSON: Final = 1_000_000
ROLE: Final = 2_000_000
DESK: Final = 3_000_000
NARROW: Final = 20_000  # access rows; below this, ids from the index beat EXISTS
NO_MARKING: Final = 1  # row 1 of Marking is "none"
FEW: Final = 1_000  # below this the ids themselves are passed (a reader with nearly nothing walked 1,000,000 rows)


def minutes(at: datetime) -> int:
    """Return whole minutes since 1970, the time unit of `Access`."""
    return int(at.timestamp() // 60)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer about access, with the reason in words a clerk can act on."""

    allowed: bool
    reason: str | Promise
    hidden: bool = False  # the person may not even know that it exists


@dataclass(frozen=True, slots=True)
class Terms:
    """What the search engine is told of a reader: the same integers as the database."""

    level: int
    markings: tuple[int, ...]
    reach: tuple[int, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Scope:
    """Everything a person may know of at one moment."""

    level: int
    markings: tuple[int, ...]
    principals: tuple[int, ...]
    now: int

    def rows(self, *, level_by_level: bool = False) -> QuerySet[Access]:
        """Return the access rows that open something; counts and facets drive from here.

        Level by level an index goes on behind the level, to the records in their order; given a bound beside that, SQLite
        stops at the bound and sorts all rows (a million records: 2.4 s).
        """
        levels = {"level__in": range(self.level + 1)} if level_by_level else {"level__lte": self.level}
        return Access.objects.filter(
            **levels,
            principal__in=self.principals,
            marking__in=self.markings,
            since__lte=self.now,
            until__gt=self.now,
        )

    @cached_property
    def width(self) -> int:
        """Return the number of access rows, capped at NARROW (a probe of about 1 ms)."""
        return self.rows().order_by().values("record_id")[:NARROW].count()

    def records(self, *, below: int | None = None) -> QuerySet[Record]:
        """Return the visible records for lists; the caller orders and slices (keyset: pass `below` too)."""
        rows = self.rows() if below is None else self.rows().filter(record_id__lt=below)
        if self.width < FEW:
            return Record.objects.filter(pk__in=list(rows.values_list("record_id", flat=True)))
        if self.width >= NARROW and connection.vendor == "sqlite":
            records = self.among(Record.objects.all())
            return records if below is None else records.filter(pk__lt=below)
        return Record.objects.filter(pk__in=rows.values("record_id"))

    def among(self, records: QuerySet[Record]) -> QuerySet[Record]:
        """Return those of a set of records that are visible: for a set that its own index keeps small or in order."""
        return records.filter(self._reached(), level__lte=self.level, marking__in=self.markings)

    def reaching(self, record: str) -> ByRow:
        """Return the condition that the record named by a column of another table is visible."""
        return ByRow(self._ways(record).filter(level__lte=self.level, marking__in=self.markings))

    def opens(self, pks: Iterable[int]) -> QuerySet[Record]:
        """Return those of the given records that are visible: one record, or the second check of a page."""
        return self.among(Record.objects.filter(pk__in=list(pks)))

    def count(self) -> int:
        """Return the exact number of visible records."""
        counted: int = self.rows().aggregate(n=Count("record_id", distinct=True))["n"]
        return counted

    def capped(self, cap: int) -> int:
        """Return the number of visible records, at most cap + 1."""
        return self.rows().order_by().values("record_id").distinct()[: cap + 1].count()

    def terms(self, granted: Iterable[int]) -> Terms:
        """Return what the search engine filters by; the records of dated grants (`grants`) go as ids."""
        return Terms(self.level, self.markings, self.principals, tuple(granted))

    @property
    def personal(self) -> tuple[int, ...]:
        """The principals that are people: a grant is to a person (`reasons`)."""
        return tuple(each for each in self.principals if PERSON <= each < ROLE)

    def grants(self) -> QuerySet[Access]:
        """Return the access rows of the dated grants that open a record; search asks for them together with the log."""
        # The rows of units and posts, most of the archive for some, hold none.
        return replace(self, principals=self.personal).rows().filter(source=Source.GRANT).order_by()

    def _reached(self) -> ByRow:
        return ByRow(self._ways("pk"))

    def _ways(self, record: str) -> QuerySet[Access]:
        """Return the access rows of the record in an outer column; "+ 0": seek by record once, then compare."""
        return Access.objects.annotate(who=F("principal") + 0).filter(
            record_id=OuterRef(record), who__in=self.principals, since__lte=self.now, until__gt=self.now
        )


def visible_to(person: Person, *, at: datetime | None = None) -> Scope:
    """Return which records a person may know of, now or at a given moment."""
    now = at or timezone.now()
    # Its width is probed once for the request too.
    return once("scope", person, now, lambda: _scope(person, now))


def _scope(person: Person, now: datetime) -> Scope:
    stands = standing(person, now)
    return Scope(
        level=int(stands.level),
        markings=open_markings(person, now),
        principals=principals(person, stands, now),
        now=minutes(now),
    )


def principals(person: Person, stands: Standing, at: datetime) -> tuple[int, ...]:
    """Return the integers under which a person is known in `Access`; none without a role, none in a role apart."""
    if not stands.roles or stands.roles & APART:
        return ()
    units = units_open(person, at)
    own = [*units, PERSON + person.pk, *(ROLE + role for role in sorted(stands.roles))]
    if Role.CLERK in stands.roles:
        own += [DESK + unit for unit in units]
    return tuple(own)


def may(person: Person, action: Action, record: Record | None = None) -> Verdict:
    """Return whether the policy lets a person do an act, on a record when one is given, and why.

    The doors (`require`, `open_record`) ask `archive.warrants` after it: a yes of here may still be refused there.
    """
    now = timezone.now()
    able = allows(standing(person, now).roles, action)
    if record is not None and not visible_to(person, at=now).opens([record.pk]).exists():
        return Verdict(allowed=False, reason=Hidden.message, hidden=True)
    if not able:
        return Verdict(allowed=False, reason=_("your post does not include this act"))
    return Verdict(allowed=True, reason=_("clearance, need-to-know and post allow it"))


def require(person: Person, action: Action, record: Record | None = None) -> None:
    """Return in silence, or refuse.

    Raises:
        Hidden: the record must look as if it did not exist.
        Forbidden: the record is visible, the act is not allowed.
        NotBorneOut: rows that allow it are not what acts left (`archive.warrants`).
    """
    verdict = may(person, action, record)
    if verdict.allowed:
        if record is not None:
            warrants.require(person, action, record, timezone.now())
        return
    key = record.key if record else ""
    if verdict.hidden:
        raise Hidden(object_type="record", object_id=key)
    raise Forbidden(reason=verdict.reason, object_type="record" if record else "", object_id=key)


def lock(record: Record, action: Action, person: Person) -> Record:
    """Return a record anew under its lock, for an act by a person who may do it: to be called in a transaction.

    Asked after the lock and not before it: whoever waited for a change of level sees what that change left.

    Raises:
        Hidden, Forbidden: as `require`.
    """
    locked = Record.objects.select_for_update(of=("self",)).get(pk=record.pk)
    require(person, action, locked)
    return locked


def open_record(person: Person, action: Action, key: str) -> Record:
    """Return the record with this key, for this act.

    Raises:
        Hidden: no such record, or one that must not be shown: the same answer, in the same time.
        Forbidden: visible, but the act is not allowed.
        NotBorneOut: rows that open it are not what acts left (`archive.warrants`).
    """
    # One query for both: a missing key and a hidden one walk the same path.
    found = Record.objects.select_related("unit", "created_by", "registered_by", "number__register").filter(key=key)
    record = warrants.with_digest(visible_to(person).among(found)).first()
    if record is None:
        raise Hidden(object_type="record", object_id=key[:40])
    verdict = may(person, action)
    if not verdict.allowed:  # the log says of which dispatch
        raise Forbidden(reason=verdict.reason, object_type="record", object_id=record.key)
    warrants.require(person, action, record, timezone.now())
    return record


# --- writing need-to-know -----------------------------------------------------------------------------


def reasons(record: Record) -> set[tuple[int, int, int, int]]:
    """Return the rows (principal, source, since, until) that the facts of today give a record."""
    live = Step.objects.filter(record=record, state__in=LIVE_STATES)
    steps = live.values_list("to_unit_id", "to_person_id", "from_person_id", "kind")
    return given_by(record, steps, Grant.objects.filter(record=record, ended_at__isnull=True))


def given_by(
    record: Record, steps: Iterable[tuple[int | None, int | None, int, str]], grants: Iterable[Grant]
) -> set[tuple[int, int, int, int]]:
    """Return what `reasons` does from the live steps (unit, person, giver, kind) and openings of a record at hand."""
    on_desk = record.state in {RecordState.DRAFT, RecordState.RETURNED}
    rows = {((DESK if on_desk else 0) + record.unit_id, int(Source.OWNER), 0, FOREVER)}
    for unit, person, giver, kind in steps:
        rows.add((unit or PERSON + (person or 0), int(Source.STEP), 0, FOREVER))
        # Who asked for work approves it, or takes it back: they know of the dispatch until that work ends.
        if kind in WORK:
            rows.add((PERSON + giver, int(Source.STEP), 0, FOREVER))
    for grant in grants:
        rows.add((PERSON + grant.person_id, int(Source.GRANT), minutes(grant.since), minutes(grant.until)))
    return rows


def derive(record: Record) -> None:
    """Write the access rows of a record anew from its facts; call it in the act that changed them.

    Level, marking and state are read under the record's lock: a caller's row may be older than another act.
    """
    record = Record.objects.select_for_update(of=("self",)).get(pk=record.pk)
    # Before any row is touched: what raises a dossier holds it, and comes to these.
    shelf = shelves.number_of(shelves.locked_parts(record.pk))
    Access.objects.filter(record=record).delete()
    Access.objects.bulk_create(
        Access(
            record=record,
            principal=principal,
            source=source,
            level=record.level,
            marking=record.marking_id or NO_MARKING,
            since=since,
            until=until,
            shelf=shelf,
        )
        for principal, source, since, until in reasons(record)
    )


class NotCleared(Refusal):
    """ACC-003: a grant opens nothing to who is not cleared for the dispatch."""

    code = "ACC-003"
    message = _(
        "%(person)s has no clearance or post for this dispatch: opening it to them would open nothing. "
        "Ask the security officer for the clearance first."
    )


class GrantPast(Refusal):
    """ACC-004: a grant ends in the future."""

    code = "ACC-004"
    message = _("The last day of the opening lies in the past. Choose a later one.")


class NoReason(Refusal):
    """ACC-005: opening a dispatch to a person, and ending it, each need a reason or a decision."""

    code = "ACC-005"
    message = _("Say why this dispatch is opened to that person.")


@transaction.atomic
def grant(record: Record, *, to: Person, until: datetime, reason: str, actor: Person) -> Grant:
    """Open one record to one person until a moment; an earlier live grant to them ends.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not grant.
        NotCleared, GrantPast, NoReason: as named.
    """
    # Under the record's lock: two grants at once would write its access rows from what each of them saw.
    record = lock(record, Action.GRANT, actor)
    if to == actor:
        raise Forbidden(reason=_("nobody grants to themselves"), object_type="record", object_id=record.key)
    now = timezone.now()
    if not reason.strip():
        raise NoReason
    if until <= now:
        raise GrantPast
    scope = visible_to(to, at=now)
    if not scope.principals or record.level > scope.level or (record.marking_id or NO_MARKING) not in scope.markings:
        raise NotCleared(person=to.full_name)
    Grant.objects.filter(record=record, person=to, ended_at__isnull=True).update(ended_at=now)
    given = Grant.objects.create(record=record, person=to, since=now, until=until, reason=reason, granted_by=actor)
    derive(record)
    audit.write(
        Action.GRANT,
        actor=actor,
        subject=record,
        reason=reason,
        details={"to": to.pk, "until": until.isoformat()},
        rows=list(Grant.objects.filter(record=record, person=to)),
        made=[given],
    )
    return given


@transaction.atomic
def end_grant(given: Grant, *, actor: Person, reason: str = "") -> None:
    """End a grant before its time; it closes with the commit.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not end grants.
    """
    record = lock(given.record, Action.GRANT_END, actor)
    Grant.objects.filter(pk=given.pk, ended_at__isnull=True).update(ended_at=timezone.now())
    derive(record)
    details = {"to": given.person_id, "given": given.pk}
    audit.write(Action.GRANT_END, actor=actor, subject=record, reason=reason, details=details, rows=[given])


def level_of(things: Iterable[Leveled]) -> Level:
    """Return the highest level among what is really on a page: the level of its seal bar."""
    return Level(max((thing.level for thing in things), default=Level.THUONG))
