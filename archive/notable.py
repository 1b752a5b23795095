"""What stands out in the log: plain statistics over `archive.tallies`, each with the rule in words.

Nothing here says that anybody did wrong: it says where an auditor looks first. A person is
compared with their own days, never with others. Reads counts, and entries of the one act that is told each time.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any, Final

from django.conf import settings
from django.db.models import BigIntegerField, Exists, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive import officedays
from archive.models import AuditEntry, FirstAct, Person, Tally
from archive.models.tally import MANY_A_DAY, MANY_REFUSED
from archive.rules import officehours
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.rules.workdays import is_workday
from archive.tallies import HANDLING

USUAL_DAYS: Final = 28  # before the day looked at
KNOWN_DAYS: Final = 5  # fewer days of work are no habit
TIMES_USUAL: Final = 3
MANY_AN_HOUR: Final = 30
NEW_DAYS: Final = 7  # everything is a first time in a person's first week
MOST: Final = 100  # of one kind: the newest
OPENING: Final = frozenset({Action.RECORD_READ, Action.RECORD_PAGE, Action.RECORD_TEXT})  # from Mật up
FIRSTS: Final = HANDLING - OPENING | {Action.GRANT, Action.CLEARANCE_GIVE, Action.RECORD_LEVEL}
_FIRSTS, _OPENING = sorted(map(str, FIRSTS)), sorted(map(str, OPENING))


class Kind(StrEnum):
    """Why something stands out, the most pressing first."""

    READMITTED = "readmitted"
    BULK = "bulk"
    VOLUME = "volume"
    OUTSIDE = "outside"
    REFUSED = "refused"
    FIRST = "first"

    @property
    def label(self) -> str | Promise:
        """What it is called."""
        return LABELS[self]

    @property
    def rule(self) -> str | Promise:
        """When something is called so."""
        return RULES[self]


LABELS: Final = {
    Kind.READMITTED: _("Let back in at the machine"),
    Kind.BULK: _("Many at once"),
    Kind.VOLUME: _("More than usual"),
    Kind.OUTSIDE: _("Out of hours"),
    Kind.REFUSED: _("Refused again and again"),
    Kind.FIRST: _("For the first time"),
}
RULES: Final = {
    Kind.READMITTED: _(
        "A security officer got a first password with both site keys, and the authenticator was taken off. Each time is told."
    ),
    Kind.BULK: _("At least 30 dispatches opened or taken out within one hour of the clock."),
    Kind.VOLUME: _(
        "At least 20 dispatches opened or taken out on the day, and more than three times the median of this "
        "person's own days of work in the 28 days before (at least 5 such days)."
    ),
    Kind.OUTSIDE: _("A dispatch opened or taken out at night, on a day of rest or on a holiday."),
    Kind.REFUSED: _("At least 5 refusals on one day."),
    Kind.FIRST: _(
        "An act that takes something out or changes rights, or the opening of a classified dispatch (its details, a page or "
        "its text), never done before by this person at this level. Of every act the first time of each person at each "
        "level is kept; a person's first week is left out."
    ),
}


@dataclass(frozen=True, slots=True)
class Notable:
    """One thing to look at: who, on which day, how much; what is usual (a median), where that is known."""

    kind: Kind
    person_id: int
    person: str
    day: date
    count: int
    usual: float | None = None
    action: str = ""
    level: int = 0


def notable(since: date, until: date) -> list[Notable]:
    """Return what stands out between two local days, both counted: the most pressing kinds and newest days first.

    Of one kind at most `MOST` and one more, which says that there are more.
    """
    much, readmitted = _told(since, until)
    found = [*readmitted, *_much(much, since, until), *_outside(since, until), *_firsts(since, until)]
    found.sort(key=lambda one: (-one.day.toordinal(), -one.count, one.person))
    return [one for kind in Kind for one in [each for each in found if each.kind is kind][: MOST + 1]]


def shown(since: date, until: date) -> list[Notable]:
    """Return what a page of these days shows: `MOST` of each kind."""
    found = notable(since, until)
    return [one for kind in Kind for one in [each for each in found if each.kind is kind][:MOST]]


def _told(since: date, until: date) -> tuple[list[tuple[Any, ...]], list[Notable]]:
    """Return the days of much (person, name, day, handled, refused, busiest), and who was let back in when: one question."""
    start, end = moments(since, until)
    entries = AuditEntry.objects.filter(action=Action.READMIT, outcome="ok", ts__gte=start, ts__lt=end)
    who = Cast("object_id", BigIntegerField())
    name = Subquery(Person.objects.filter(pk=Cast(OuterRef("object_id"), BigIntegerField())).values("full_name"))
    none = Value(0, output_field=IntegerField())
    let_in = entries.order_by().values_list(who, name, TruncDate("ts"), none, none, none, Value(True))  # noqa: FBT003 - SQL
    days = Tally.objects.filter(is_much=True, day__range=(since, until)).order_by()
    much = days.values_list(
        "person_id", "person__full_name", "day", "handled", "refused", "busiest", Value(False)  # noqa: FBT003
    )  # fmt: skip
    rows = list(much.union(let_in, all=True))
    counted = Counter((pk, named, day) for pk, named, day, *_figures, is_let_in in rows if is_let_in)
    readmitted = [Notable(Kind.READMITTED, pk, named, day, count) for (pk, named, day), count in counted.items()]
    return [row[:-1] for row in rows if not row[-1]], readmitted


def _much(rows: Sequence[tuple[Any, ...]], since: date, until: date) -> Iterator[Notable]:
    usual = _usual({row[0] for row in rows if row[3] >= MANY_A_DAY}, since, until)
    for person, name, day, handled, refused, busiest in rows:
        if busiest >= MANY_AN_HOUR:
            yield Notable(Kind.BULK, person, name, day, busiest)
        habit = _median_before(usual.get(person, ()), day) if handled >= MANY_A_DAY else None
        if habit is not None and handled > TIMES_USUAL * habit:
            yield Notable(Kind.VOLUME, person, name, day, handled, habit)
        if refused >= MANY_REFUSED:
            yield Notable(Kind.REFUSED, person, name, day, refused)


def _outside(since: date, until: date) -> Iterator[Notable]:
    """Yield the newest days on which somebody handled something while the office was closed."""
    hours, days_off = settings.OFFICE_HOURS, officedays.calendar(since, until)
    days = [since + timedelta(days=each) for each in range((until - since).days + 1)]
    closed = [day for day in days if not is_workday(day, days_off)]
    late = Q(earliest__lt=hours.opens) | Q(latest__gte=hours.closes) | Q(earliest__isnull=False, day__in=closed)
    rows = Tally.objects.filter(late, day__range=(since, until)).order_by("-day", "-handled", "person_id").values_list(
        "person_id", "person__full_name", "day", "handled_by_hour"
    )  # fmt: skip
    for person, name, day, by_hour in rows[: MOST + 1]:
        yield Notable(Kind.OUTSIDE, person, name, day, officehours.outside(by_hour, day, hours, days_off))


def _usual(people: set[int], since: date, until: date) -> dict[int, list[tuple[date, int]]]:
    """Return for each person the days of work in their order, and how many dispatches were handled on each."""
    days: dict[int, list[tuple[date, int]]] = defaultdict(list)
    if people:
        first = since - timedelta(days=USUAL_DAYS)
        rows = Tally.objects.filter(day__range=(first, until), person_id__in=people).order_by("day")
        for person, day, handled in rows.values_list("person_id", "day", "handled"):
            days[person].append((day, handled))
    return days


def _median_before(days: Sequence[tuple[date, int]], day: date) -> float | None:
    """Return the median of the days of work in the weeks before a day; None when they are too few for a habit."""
    first, end = bisect_left(days, (day - timedelta(days=USUAL_DAYS),)), bisect_left(days, (day,))
    before = [handled for _day, handled in days[first:end]]
    return float(median(before)) if len(before) >= KNOWN_DAYS else None


def _firsts(since: date, until: date) -> Iterator[Notable]:
    start, end = moments(since, until)
    # However a dispatch of this level was opened first, the later ways are no first time.
    earlier = FirstAct.objects.filter(
        person=OuterRef("person"), action__in=_OPENING, level=OuterRef("level"), ts__lt=OuterRef("ts")
    )
    opened = Q(~Exists(earlier), action__in=_OPENING, level__gte=Level.MAT)
    known = FirstAct.objects.filter(person=OuterRef("person")).order_by("ts").values("ts")[:1]
    rows = (
        FirstAct.objects.filter(Q(action__in=_FIRSTS) | opened, ts__gte=start, ts__lt=end)
        .order_by("-ts")
        .values_list("person_id", "person__full_name", "action", "level", "ts", Subquery(known))
    )
    for person, name, action, level, moment, since_when in rows[: MOST + 1]:
        if moment - since_when >= timedelta(days=NEW_DAYS):
            day = timezone.localtime(moment).date()
            yield Notable(Kind.FIRST, person, name, day, 1, action=action, level=level)


def moments(since: date, until: date) -> tuple[datetime, datetime]:
    """Return the moments [start, end) of a span of local days."""
    start = datetime.combine(since, datetime.min.time())
    end = datetime.combine(until + timedelta(days=1), datetime.min.time())
    return timezone.make_aware(start), timezone.make_aware(end)
