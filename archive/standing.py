"""What a person is at a moment: roles, clearance, units in scope - read from dated rows.

Nothing is kept past the request: expiry acts at once, in the middle of a session. This
module reads; it never decides about a record (`archive.access`) and never writes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, TypeVar

from django.db import connection
from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from archive.models import Clearance, Marking, MarkingMark, MarkRule, Person, PersonRole, Restoration, Unit, UnitScope
from archive.planning import Written
from archive.rules.levels import Level
from archive.rules.roles import APART, Role

# --- one moment for one request ---------------------------------------------------------------------------

T = TypeVar("T")
LONGEST: Final = timedelta(minutes=1)  # no page takes longer; what asks about another moment is answered anew


@dataclass(frozen=True)
class _Moment:
    """When a request began, and what was read about people since."""

    began: datetime = field(default_factory=timezone.now)
    known: dict[tuple[str, int], object] = field(default_factory=dict)


_MOMENT: ContextVar[_Moment | None] = ContextVar("moment", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Read roles, clearance and scope of a person once while this lasts: around a request that only reads.

    A register page asked for them 34 times in 54 queries. Nothing outlives the request;
    one inside another is the same reading.
    """
    if _MOMENT.get() is not None:
        yield
        return
    token = _MOMENT.set(_Moment())
    try:
        yield
    finally:
        _MOMENT.reset(token)


def once(what: str, person: Person, at: datetime, read: Callable[[], T]) -> T:
    """Return what is known of a person at this moment of the request, reading it the first time only."""
    moment = _MOMENT.get()
    if moment is None or not moment.began <= at <= moment.began + LONGEST:
        return read()
    known = moment.known
    if (what, person.pk) not in known:
        known[what, person.pk] = read()
    return known[what, person.pk]  # type: ignore[return-value]


def known_once(what: str, person: Person, at: datetime) -> object | None:
    """Return what `once` has read of a person in this request, None if nothing."""
    moment = _MOMENT.get()
    known = moment is not None and moment.began <= at <= moment.began + LONGEST
    return moment.known.get((what, person.pk)) if moment and known else None


def keep(what: str, person: Person, at: datetime, found: object) -> None:
    """Let `once` and `known_once` know for the rest of the request what was read together with other things."""
    moment = _MOMENT.get()
    if moment is not None and moment.began <= at <= moment.began + LONGEST:
        moment.known[what, person.pk] = found


def remembered(what: str, read: Callable[[], T]) -> T:
    """Return what hangs on no person, such as the holidays, reading it the first time in the request only."""
    moment = _MOMENT.get()
    if moment is None:
        return read()
    if (what, 0) not in moment.known:
        moment.known[what, 0] = read()
    return moment.known[what, 0]  # type: ignore[return-value]


# --- what a person is ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Roles and clearance of a person at one moment; `level` is the lowest when no clearance is valid."""

    roles: frozenset[Role]
    level: Level


def standing(person: Person, at: datetime) -> Standing:
    """Return the roles and clearance valid at an aware moment; an inactive person has none."""
    if not person.is_active:
        return Standing(frozenset(), Level.THUONG)
    facts = _facts_of(person, at)
    return Standing(facts.roles, facts.level)


def clearance(person: Person, at: datetime) -> Level:
    """Return the highest level cleared at a moment; nobody needs a clearance for the lowest."""
    return _facts_of(person, at).level


def units_in_scope(person: Person, at: datetime) -> list[int]:
    """Return the ids of every unit of the person's valid scopes with all units below them."""
    return list(_facts_of(person, at).units)


def units_open(person: Person, at: datetime) -> list[int]:
    """Return the units whose papers a person may know of: none without a post, or in a post apart, whatever their scope."""
    roles = standing(person, at).roles
    return units_in_scope(person, at) if roles and not roles & APART else []


def open_markings(person: Person, at: datetime) -> tuple[int, ...]:
    """Return the markings open to a person at a moment."""
    return _facts_of(person, at).markings


def marks_held(person: Person, at: datetime) -> frozenset[int]:
    """Return the ids of the compartment marks on the clearances valid at a moment."""
    return _facts_of(person, at).marks


def opened_by(marks: frozenset[int]) -> tuple[int, ...]:
    """Return the combinations of marks that the marks held open, "none" left out; who holds none opens none.

    Worked out here over a few dozen rows: no query of a page divides relations.
    """
    if not marks:
        return ()
    groups: dict[int, dict[tuple[int, str], set[int]]] = {}
    rows = MarkingMark.objects.order_by("marking").values_list("marking", "mark__group", "mark__group__rule", "mark")
    for marking, group, rule, mark in rows:
        groups.setdefault(marking, {}).setdefault((group, rule), set()).add(mark)
    return tuple(
        marking
        for marking, asked in groups.items()
        if all(satisfies(rule, wanted, marks) for (_group, rule), wanted in asked.items())
    )


def satisfies(rule: str, wanted: set[int], held: frozenset[int]) -> bool:
    """Return whether the marks held are enough for the marks of one group on a record."""
    return wanted <= held if rule == MarkRule.ALL else bool(wanted & held)


def was_restored(person: Person, at: datetime) -> bool:
    """Return whether this installation was ever restored; every page asks, so it is read with the person's facts."""
    return _facts_of(person, at).was_restored


@dataclass(frozen=True, slots=True)
class _Facts:
    roles: frozenset[Role]
    level: Level
    units: tuple[int, ...]
    markings: tuple[int, ...]
    unmarked: tuple[int, ...]  # the markings open to everybody
    marks: frozenset[int]
    was_restored: bool


_ROLE, _LEVEL, _UNIT, _MARKING, _RESTORED, _MARK = 1, 2, 3, 4, 5, 6


def _facts_of(person: Person, at: datetime) -> _Facts:
    facts = _facts_on_paper(person, at)
    if person.pk != _UNPROVED.get():
        return facts
    return replace(facts, level=Level.THUONG, markings=facts.unmarked, marks=frozenset())


def _facts_on_paper(person: Person, at: datetime) -> _Facts:
    return once("facts", person, at, lambda: _read_facts(person, at))


# Whose clearance does not count in this request, because the session was opened with the password alone.
_UNPROVED: ContextVar[int] = ContextVar("unproved", default=0)


@contextmanager
def unproved(person: Person) -> Iterator[None]:
    """Treat a person as not cleared while this lasts: around a request of a session without the second proof."""
    token = _UNPROVED.set(person.pk)
    try:
        yield
    finally:
        _UNPROVED.reset(token)


def is_withheld(person: Person, at: datetime) -> bool:
    """Return whether a person has a clearance that does not count in this request for want of the second proof."""
    return person.pk == _UNPROVED.get() and is_cleared(person, at)


def is_cleared(person: Person, at: datetime) -> bool:
    """Return whether a clearance above the lowest level, or for a mark, is in force, counted in this request or not."""
    facts = _facts_on_paper(person, at)
    return facts.level > Level.THUONG or bool(facts.marks)


# Whoever and whenever the query of the facts was written for; put in their place when it is asked.
_ANYBODY: Final = 2_000_000_011
_ANY_TIME: Final = datetime(1911, 11, 11, 11, 11, 11, tzinfo=UTC)


@cache
def _facts_query(_vendor: str) -> Written:
    """Write the query of all dated rows of a person: they are asked for together, by every request."""
    mine = Q(person=_ANYBODY) & _valid(_ANY_TIME)
    roles = PersonRole.objects.filter(mine).values_list(Value(_ROLE), "role")
    cleared = Clearance.objects.filter(mine).filter(_unrevoked(_ANY_TIME)).values_list(Value(_LEVEL), "level")
    held = Clearance.objects.filter(mine).filter(_unrevoked(_ANY_TIME)).filter(marks__isnull=False)
    marks = held.values_list(Value(_MARK), "marks")
    # A unit lies in a scope when the scope's unit stands at the beginning of its path.
    path = ExpressionWrapper(OuterRef("path"), output_field=CharField())
    over = UnitScope.objects.filter(mine).annotate(below=path).filter(below__startswith=F("unit__path"))
    units = Unit.objects.filter(Exists(over)).order_by().values_list(Value(_UNIT), "pk")
    markings = Marking.objects.filter(name="").values_list(Value(_MARKING), "pk")  # "none" is open to everybody
    restored = Restoration.objects.values_list(Value(_RESTORED), "pk")
    return Written.of(roles.union(cleared, marks, units, markings, restored, all=True))


def _read_facts(person: Person, at: datetime) -> _Facts:
    """Read all dated rows of a person in one query."""
    moment = connection.ops.adapt_datetimefield_value
    instead = {_ANYBODY: person.pk, moment(_ANY_TIME): moment(at)}
    rows = _facts_query(connection.vendor).ask(instead)
    level = Level(max((value for kind, value in rows if kind == _LEVEL), default=Level.THUONG))
    marks = frozenset(value for kind, value in rows if kind == _MARK)
    unmarked = tuple(value for kind, value in rows if kind == _MARKING)
    return _Facts(
        frozenset(Role(value) for kind, value in rows if kind == _ROLE),
        level,
        tuple(sorted({value for kind, value in rows if kind == _UNIT})),
        (*unmarked, *opened_by(marks)),
        unmarked,
        marks,
        any(kind == _RESTORED for kind, _value in rows),
    )


def _valid(at: datetime) -> Q:
    return Q(since__lte=at) & (Q(until__isnull=True) | Q(until__gt=at))


def during(since: datetime, until: datetime | None) -> Q:
    """Return the condition that a dated row counts at some moment from `since` on and before `until` (None: no end)."""
    begun = Q(since__lt=until) if until is not None else Q()
    return begun & (Q(until__isnull=True) | Q(until__gt=since) & Q(until__gt=F("since")))


def _unrevoked(at: datetime) -> Q:
    return Q(revoked_at__isnull=True) | Q(revoked_at__gt=at)


def people_with(role: Role, at: datetime) -> QuerySet[Person]:
    """Return the active people who hold a role at a moment, by name."""
    holders = PersonRole.objects.filter(_valid(at), role=role).values("person")
    return Person.objects.filter(pk__in=holders, is_active=True).order_by("full_name")


def cleared_for(level: Level, at: datetime) -> QuerySet[Clearance, int]:
    """Return the ids of the people cleared to a level above the lowest at a moment."""
    live = Clearance.objects.filter(_valid(at), level__gte=level)
    return live.filter(_unrevoked(at)).values_list("person", flat=True)


def scopes(at: datetime) -> QuerySet[UnitScope]:
    """Return the scope rows valid at a moment."""
    return UnitScope.objects.filter(_valid(at))
