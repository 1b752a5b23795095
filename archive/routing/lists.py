"""Who has what to do: queries of live steps for lists and counts, always within what a person may see.

Reads only. Each query starts from the steps and keeps those whose record the person's
own access rows open; a count here is a count of what the person would be shown.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from archive import access
from archive.models import Person, Record, RecordState, Step, StepState
from archive.models.record import Direction as Way
from archive.models.route import LIVE_STATES
from archive.planning import OneOf, Restated, Written
from archive.routing import deadlines
from archive.rules.levels import Urgency
from archive.rules.roles import Role
from archive.rules.steps import WORK, Kind
from archive.standing import keep, known_once, one_reading, standing, units_in_scope

_SHOWN: Final = ("record__number", "to_unit", "to_person__unit", "from_person", "answered_by")
CAP: Final = 999  # more than this is "999+": nobody works down an exact thousand
TAKE_BACK: Final = timedelta(minutes=5)  # how long the note that offers it stays; the act itself asks who signed


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures above a list: the rows behind each link, counted no further than CAP + 1."""

    total: int
    late: int
    soon: int
    waiting: int  # for the decision of who reads


def seen(person: Person, steps: QuerySet[Step], *, at: datetime | None = None) -> QuerySet[Step]:
    """Return those steps whose registered record the person may know of, soonest due first."""
    reached = access.visible_to(person, at=at).reaching("record_id")
    return (
        steps.filter(reached, record__state=RecordState.REGISTERED)
        .select_related(*_SHOWN)
        .order_by(F("due_on").asc(nulls_last=True), "-record__urgency", "record_id", "order")
    )


def live(person: Person) -> QuerySet[Step]:
    """Return every live step in the person's view."""
    # `closed_at` too, though it says the same: the partial indexes of open steps are chosen by it.
    return seen(person, Step.objects.filter(Restated(Q(state__in=LIVE_STATES)), closed_at__isnull=True))


def to_direct(person: Person) -> QuerySet[Step]:
    """Return the steps that wait for a leader's direction, most urgent first."""
    units = units_in_scope(person, timezone.now())
    # A step to a unit is for its leaders; what one has sent away oneself is not one's own to direct.
    mine = Q(to_person=person) | (Q(to_unit__in=units) & ~Q(from_person=person))
    return (
        live(person)
        .filter(mine, kind=Kind.DIRECT)
        .order_by("-record__urgency", F("due_on").asc(nulls_last=True), "created_at", "pk")
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """What a leader's page is drawn from, by numbers: the waiting steps with the keys of their records, in order.

    `given` is the newest direction that may be taken back: it was given minutes ago, and nobody has signed for it.
    """

    waiting: list[tuple[int, str]]
    given: int | None

    def steps(self, person: Person, place: int = 0) -> tuple[Step | None, Step | None]:
        """Return the step at a place of the queue and the direction given, each if the person may still see it."""
        step = self.waiting[place][0] if self.waiting else None
        shown = seen(person, Step.objects.filter(pk__in=[pk for pk in (step, self.given) if pk]))
        found = {one.pk: one for one in shown.select_related("parent")}
        return found.get(step or 0), found.get(self.given or 0)


def desk(person: Person) -> Desk:
    """Return what waits for a leader's direction, most urgent first, by one query; the rail counts it too."""
    since = timezone.now() - TAKE_BACK
    signed = Step.objects.filter(parent=OuterRef("pk")).exclude(state=StepState.OPEN)
    given = Step.objects.filter(parent=OuterRef("pk"))
    own = Step.objects.filter(kind=Kind.DIRECT, closed_by=person, closed_at__gte=since, state=StepState.DONE)
    columns = ("pk", "record__key", "record__urgency", "due_on", "created_at", "closed_at")
    waits = to_direct(person).order_by().values_list(*columns, named=True)
    may_return = seen(person, own.filter(Exists(given), ~Exists(signed))).order_by().values_list(*columns, named=True)
    both = list(waits.union(may_return, all=True))
    waiting = [row for row in both if row.closed_at is None]
    waiting.sort(key=lambda row: (-row.record__urgency, row.due_on or date.max, row.created_at, row.pk))
    pressing = sum(row.record__urgency > Urgency.THUONG for row in waiting)
    keep("glance at to_direct", person, timezone.now(), Glance(len(waiting), pressing))
    newest = max((row for row in both if row.closed_at), key=lambda row: row.closed_at, default=None)
    return Desk([(row.pk, row.record__key) for row in waiting], newest.pk if newest else None)


def mine(person: Person) -> QuerySet[Step]:
    """Return the work in a person's hands: sent to them, signed for by them, or to their unit and not yet signed for.

    A unit's step that was assigned to somebody else is theirs, not mine, until they answer.
    """
    units = units_in_scope(person, timezone.now())
    unit = Q(to_unit__in=units) & (Q(received_by__isnull=True) | Q(received_by=person)) & ~Q(from_person=person)
    own = live(person).filter(Q(to_person=person) | unit).exclude(state=StepState.ANSWERED)
    return own.filter(~Exists(_assigned()))


def _assigned() -> QuerySet[Step]:
    return Step.objects.filter(parent=OuterRef("pk"), state__in=LIVE_STATES).exclude(state=StepState.ANSWERED)


def of_unit(person: Person) -> QuerySet[Step]:
    """Return the live work of the units in a person's scope, and what the person gave to others: one line per hand.

    A leader follows the units, not what is assigned inside them; in a unit the line is with whom it was assigned to.
    """
    now = timezone.now()
    units = units_in_scope(person, now)
    # Ids of people, not a join, and "open" said in each way: SQLite then asks three indexes of open steps.
    people, is_open = Person.objects.filter(unit__in=units).order_by().values("pk"), Q(closed_at__isnull=True)
    theirs = Q(to_unit__in=units) & is_open | Q(to_person__in=people) & is_open
    work = live(person).filter(theirs | Q(from_person=person) & is_open).exclude(kind=Kind.DIRECT)
    if Role.LEADER in standing(person, now).roles:
        return work.exclude(parent__kind__in=list(WORK))
    return work.filter(~Exists(_assigned()))


def waiting(person: Person, steps: QuerySet[Step]) -> QuerySet[Step]:
    """Return the answers among the steps that wait for this person's decision, the longest waiting first."""
    return steps.filter(_waits(person)).order_by("answered_at")


def _waits(person: Person) -> Q:
    return Q(state=StepState.ANSWERED) & ~Q(answered_by=person)


def late(steps: QuerySet[Step]) -> QuerySet[Step]:
    """Return the unanswered steps whose day has passed."""
    return steps.filter(due_on__lt=timezone.localdate()).exclude(state=StepState.ANSWERED)


def soon(steps: QuerySet[Step]) -> QuerySet[Step]:
    """Return the unanswered steps due today or within two working days."""
    return steps.filter(due_on__range=(timezone.localdate(), deadlines.soon())).exclude(state=StepState.ANSWERED)


def drafts(person: Person) -> QuerySet[Record]:
    """Return the drafts on a clerk's intake desk, oldest first."""
    return access.visible_to(person).among(Record.objects.filter(state=RecordState.DRAFT)).order_by("pk")


PARTS: Final = ("late", "soon", "waiting")  # of a list, beside how many there are
Lists = Mapping[str, Callable[[Person], QuerySet[Step]]]  # by the names of the functions of here


def counts(person: Person, asked: Lists, parts: Collection[str] = PARTS) -> dict[str, Counts]:
    """Return the figures of lists by their names: by one query, and one more where a list is longer than is told.

    Of the parts only those that are asked for are counted; the others are 0.
    """
    today, near = timezone.localdate(), deadlines.soon()
    unanswered = ~Q(state=StepState.ANSWERED)
    each = {
        "total": Count("pk"),
        "late": Count("pk", filter=unanswered & Q(due_on__lt=today)),
        "soon": Count("pk", filter=unanswered & Q(due_on__range=(today, near))),
        "waiting": Count("pk", filter=_waits(person)),
    }
    told = {name: count for name, count in each.items() if name == "total" or name in parts}

    def rows() -> list[QuerySet[Any, Any]]:
        whole = ((name, some(steps(person)).order_by()) for name, steps in asked.items())
        return [steps.values(name=Value(name)).annotate(**told).values_list("name", *told) for name, steps in whole]

    figures = {name: dict.fromkeys(each, 0) for name in asked}
    for name, *found in _ask(("figures", near, *told, *asked), person, rows) if asked else ():
        figures[name] |= dict(zip(told, found, strict=True))
    long = {name: asked[name] for name in asked if figures[name]["total"] > CAP}
    for name, part, total in _longer(person, long, parts):
        figures[name][part] = total
    return {name: Counts(**each) for name, each in figures.items()}


def _longer(person: Person, asked: Lists, parts: Collection[str]) -> list[tuple[Any, ...]]:
    """Return list, part and figure of what the first rows of a long list do not tell."""
    narrowed: dict[str, Callable[[QuerySet[Step]], QuerySet[Step]]] = {
        "late": late,
        "soon": soon,
        "waiting": partial(waiting, person),
    }

    def rows() -> list[QuerySet[Any, Any]]:
        told = (
            (name, label, some(narrowed[label](steps(person))).order_by())
            for name, steps in asked.items()
            for label in parts
        )
        return [
            steps.values(name=Value(name), part=Value(label))
            .annotate(total=Count("pk"))
            .values_list("name", "part", "total")
            for name, label, steps in told
        ]

    unknown = [(name, label, 0) for name in asked for label in parts]
    return unknown + _ask(("longer", deadlines.soon(), *parts, *asked), person, rows) if asked else []


def some(steps: QuerySet[Step], *, most: int = 0) -> QuerySet[Step]:
    """Return CAP + 1 of the steps, or as many as are said, or all: what is counted no further than it is told.

    The head of all has 12,300 open steps, and each page of theirs counted them (120 ms).
    """
    return Step.objects.filter(OneOf("pk", steps.order_by().select_related(None).values("pk")[: most or CAP + 1]))


def figures(person: Person, *of: Callable[[Person], QuerySet[Step]], parts: Collection[str] = PARTS) -> list[Counts]:
    """Return the figures of some of the lists of here; rail and page count a list once for a request.

    Args:
        person: who reads.
        of: the lists.
        parts: what is told beside the total, "late" among it; each of a long list is a thousand rows more.
    """
    now = timezone.now()
    found: dict[str, Any] = {each.__name__: known_once(f"figures of {each.__name__}", person, now) for each in of}
    fresh = counts(person, {each.__name__: each for each in of if found[each.__name__] is None}, parts)
    for name, counted in fresh.items():
        keep(f"glance at {name}", person, now, Glance(counted.total, counted.late))
        if parts == PARTS:
            keep(f"figures of {name}", person, now, counted)
    return [fresh.get(name, known) for name, known in found.items()]


@dataclass(frozen=True, slots=True)
class Glance:
    """How many rows a line of the rail stands for, and how many of them press: late work, urgent dispatches.

    Of steps the total may stop at CAP + 1, and `pressing` at one: whether anything presses is all that a line tells.
    """

    total: int
    pressing: int


def glances(person: Person, names: Collection[str]) -> dict[str, Glance]:
    """Return the glance at some of the lists of `GLANCED`: what the page counted already, the others by one query."""
    known = {name: glance for name in names if (glance := _known(name, person))}
    found = {name: Glance(0, 0) for name in names if name not in known}
    for name, total, pressing in _asked(tuple(found), person) if found else ():
        found[name] = Glance(found[name].total + total, found[name].pressing + pressing)
    for name, glance in found.items():
        keep(f"glance at {name}", person, timezone.now(), glance)
    return known | found


_WRITTEN: Final[dict[Hashable, tuple[int, Written]]] = {}  # with the minute that it was written in
_KEPT: Final = 1_000  # queries of rail and figures, for the people at work; then all are written anew


def _asked(names: tuple[str, ...], person: Person) -> list[tuple[Any, ...]]:
    def rows() -> list[QuerySet[Any, Any]]:
        return [part for name in names for part in _glance(name, GLANCED[name](person))]

    return _ask(("glance", *names), person, rows)


def _ask(
    what: tuple[Hashable, ...], person: Person, rows: Callable[[], list[QuerySet[Any, Any]]]
) -> list[tuple[Any, ...]]:
    """Ask the figures of some lists in one query, written once for all that it says of the person and the day.

    Args:
        what: the figures, the lists and every day that the query names, but for today.
        person: whose lists they are.
        rows: the queries of the figures, put together by UNION ALL.
    """
    with one_reading():
        now = timezone.now()
        scope, roles = access.visible_to(person), standing(person, now).roles
        known = (
            connection.vendor,
            CAP,
            what,
            person.pk,
            roles,
            tuple(units_in_scope(person, now)),
            timezone.localdate(),
        )
        about = (*known, scope.level, scope.markings, scope.principals)
        written = _WRITTEN.get(about)
        if written is None:
            if len(_WRITTEN) >= _KEPT:
                _WRITTEN.clear()
            parts = rows()
            written = _WRITTEN[about] = scope.now, Written.of(parts[0].union(*parts[1:], all=True))
        minute, query = written
        return query.ask({minute: scope.now})


def _known(name: str, person: Person) -> Glance | None:
    glance = known_once(f"glance at {name}", person, timezone.now())
    return glance if isinstance(glance, Glance) else None


def _glance(name: str, rows: QuerySet[Any]) -> list[QuerySet[Any, Any]]:
    """Return the queries whose figures, added up, are the glance at a list."""
    each = Count("pk")
    if rows.model is not Step:
        return [_figures(name, rows.select_related(None), each, Count("pk", filter=Q(urgency__gt=Urgency.THUONG)))]
    pressing = some(late(rows), most=1)
    return [_figures(name, some(rows), each, Value(0)), _figures(name, pressing, Value(0), each)]


def _figures(name: str, rows: QuerySet[Any], total: Count | Value, pressing: Count | Value) -> QuerySet[Any, Any]:
    told: QuerySet[Any, Any] = rows.order_by().values(name=Value(name)).annotate(total=total, pressing=pressing)
    shown: QuerySet[Any, Any] = told.values_list("name", "total", "pressing")
    return shown


def first(steps: QuerySet[Step], many: int, *, after: int = 0) -> list[Step]:
    """Return a page of a list: its ids are sorted alone, and only the rows shown are read whole."""
    chosen = steps.values("pk")[after : after + many]
    whole = Step.objects.filter(OneOf("pk", chosen)).select_related(*_SHOWN)
    return list(whole.order_by(*steps.query.order_by))


def to_forward(person: Person) -> QuerySet[Record]:
    """Return the incoming dispatches of a clerk's units that nobody has been handed yet, urgent ones first."""
    units = units_in_scope(person, timezone.now())
    # Every dispatch has an urgency; said here, SQLite takes the index of these rows for counting them too. "+ 0":
    # PostgreSQL expected 210,000 of these 206, and read 410,000 entries of the index of units to have fewer (19 ms).
    fresh = Record.objects.alias(owner=F("unit") + 0).filter(
        owner__in=units, state=RecordState.REGISTERED, direction=Way.INCOMING, urgency__gte=Urgency.THUONG
    )
    untouched = access.visible_to(person).among(fresh.filter(is_handed=False))
    return untouched.select_related("number", "unit").order_by("-urgency", "registered_at")


def returned_to(person: Person) -> QuerySet[Step]:
    """Return the steps that came back to a person's desk and were not handed on since."""
    later = Step.objects.filter(record=OuterRef("record_id"), from_person=person, order__gt=OuterRef("order"))
    back = Step.objects.filter(from_person=person, state=StepState.RETURNED, parent__isnull=True).filter(~Exists(later))
    return seen(person, back).order_by("-closed_at")


GLANCED: Final[dict[str, Callable[[Person], QuerySet[Any]]]] = {
    each.__name__: each for each in (drafts, to_forward, returned_to, to_direct, mine, of_unit)
}
