"""Which books a person may open, and the lines of a book around a place or in a range.

Only reads. A line that a person may not know of is not there for them: neither shown
nor counted, and no figure of the counter is given away.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.functional import Promise

from archive import access
from archive.leveling import words
from archive.models import (
    PaperPlace,
    Person,
    Record,
    RecordState,
    Register,
    RegisterCounter,
    RegisterKind,
    RegisterNumber,
    Step,
)
from archive.registers.columns import COLUMNS, LEGAL_BASIS, SECRET, Column
from archive.registers.lines import Line
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance, once, units_open

ROWS: Final = 50
CHARTED: Final = 5_000  # numbers looked at for a chart: an office of 300 a day fills two weeks with 4,200


@dataclass(frozen=True)
class Book:
    """One register in one year."""

    register: Register
    year: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """The legal columns, in order."""
        return COLUMNS[self.register.kind]

    @property
    def basis(self) -> str | Promise:
        """The rule that orders these columns."""
        return LEGAL_BASIS[RegisterKind(self.register.kind)]

    @property
    def is_secret(self) -> bool:
        """Whether this book holds state secrets."""
        return self.register.kind in SECRET


# --- which books ----------------------------------------------------------------------------------------


def readable(person: Person) -> QuerySet[Register]:
    """Return the registers a person may open: unit in scope; the secret ones from clearance Mật on."""
    now = timezone.now()
    mine = Register.objects.filter(unit__in=units_open(person, now)).select_related("unit")
    if clearance(person, now) < Level.MAT:
        mine = mine.exclude(kind__in=SECRET)
    return mine.order_by("unit__path", "kind", "pk")


def shelf(person: Person) -> list[Register]:
    """Return the registers a person may open, read once for a request."""
    return once("registers", person, timezone.now(), lambda: list(readable(person)))


def open_register(person: Person, action: Action, pk: int) -> Register:
    """Return a register for an act.

    Raises:
        Hidden: no such register, or one this person may not know of.
        Forbidden: their post does not include the act.
    """
    found = next((register for register in shelf(person) if register.pk == pk), None)
    if found is None:
        raise Hidden(object_type="register", object_id=str(pk))
    access.require(person, action)
    return found


def years(register: Register, scope: access.Scope) -> dict[int, int | None]:
    """Return the years of a register with the newest number the reader may see, newest year first.

    A year of which they may see nothing is not named; this year always is.
    """
    return years_of([register], scope)[register.pk]


def years_of(registers: Collection[Register], scope: access.Scope) -> dict[int, dict[int, int | None]]:
    """Return what `years` says of several registers, by their ids, in one query."""
    numbers = Record.objects.filter(number__register=OuterRef("register"), number__year=OuterRef("year"))
    newest = _kept(scope.among(numbers)).order_by("-number__number").values("number__number")[:1]
    known = RegisterCounter.objects.filter(register__in=registers).order_by("-year")
    this_year = timezone.localdate().year
    shown: dict[int, dict[int, int | None]] = {register.pk: {} for register in registers}
    for register, year, number in known.annotate(newest=Subquery(newest)).values_list("register", "year", "newest"):
        if number:
            shown[register][year] = number
    return {pk: found if this_year in found else {this_year: None, **found} for pk, found in shown.items()}


def newest_number(book: Book, scope: access.Scope) -> int | None:
    """Return the newest number of a book that the reader may see."""
    top: int | None = _seen(book, scope).order_by("-number__number").values_list("number__number", flat=True).first()
    return top


# --- the lines --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is in a book: lines below or above a number, and of which days."""

    below: int | None = None
    above: int | None = None
    since: date | None = None
    until: date | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One screen of a book, in reading order, and whether there is more on either side."""

    lines: list[Line]
    has_lower: bool
    above: int | None  # the next number that the reader sees above this screen

    @property
    def has_higher(self) -> bool:
        """Whether there is more above."""
        return self.above is not None

    @property
    def lowest(self) -> int:
        """The lowest number shown."""
        return min((line.number.number for line in self.lines), default=0)

    @property
    def highest(self) -> int:
        """The highest number shown."""
        return max((line.number.number for line in self.lines), default=0)


def sheet(book: Book, scope: access.Scope, place: Place) -> Sheet:
    """Return the lines around a place of a book, as many as fit a screen."""
    of_days = _of_days(_seen(book, scope), place)
    rising = place.above is not None or (place.below is None and place.oldest_first)
    found = of_days
    # Nothing that the reader sees lies between a screen and the number they came from: from there the other way is asked.
    if place.above is not None:
        behind = of_days.filter(number__number__lte=place.above)
        found = found.filter(number__number__gt=place.above).annotate(has_behind=Exists(behind))
    elif place.below is not None:
        found = found.filter(number__number__lt=place.below).annotate(next_above=_next_above(of_days, place.below))
    # One line more than fits tells whether there is more that way.
    *records, extra = [*found.order_by("number__number" if rising else "-number__number")[: ROWS + 1], None]
    if len(records) > ROWS:
        extra = records.pop()
    if rising:
        has_lower = bool(records) and getattr(records[0], "has_behind", False)
        above = extra.number.number if extra else None
    else:
        has_lower = extra is not None
        above = getattr(records[0], "next_above", None) if records else None
    records.sort(key=lambda record: record.number.number, reverse=not place.oldest_first)
    return Sheet(_lines(book, records, scope), has_lower=has_lower, above=above)


def _next_above(found: QuerySet[Record], number: int) -> Subquery:
    """Return the lowest number from a number on; it hangs on no row, so a database looks for it once."""
    above = found.filter(number__number__gte=number).order_by("number__number")
    return Subquery(above.select_related(None).values("number__number")[:1])


def span(book: Book, scope: access.Scope, first: int, last: int) -> list[Line]:
    """Return the visible lines of a range of numbers, as they are bound on paper: by number."""
    found = _seen(book, scope).filter(number__number__range=(first, last))
    return _lines(book, list(found.order_by("number__number")), scope)


def registered_per_day(person: Person, *, days: int) -> dict[date, int]:
    """Return how many dispatches that a person may see were registered on each of the last days, today last.

    Driven from the numbers of this year and last (their index), never from all records.
    """
    today = timezone.localdate()
    span_of_days = [today - timedelta(days=back) for back in reversed(range(days))]
    fresh = RegisterNumber.objects.filter(
        register__in=readable(person),
        year__in={day.year for day in span_of_days},
        allotted_at__gte=_start_of(span_of_days[0]),
    )
    seen = fresh.filter(access.visible_to(person).reaching("record_id")).order_by("-pk")
    counted = dict.fromkeys(span_of_days, 0)
    for at in seen.values_list("allotted_at", flat=True)[:CHARTED]:
        counted[timezone.localdate(at)] += 1
    return counted


def _seen(book: Book, scope: access.Scope) -> QuerySet[Record]:
    """Return the records of a book that the reader may know of, with their numbers."""
    # By the book's own index, line by line: most of what stands in a book one may open may be read.
    numbered = Record.objects.filter(number__register=book.register, number__year=book.year)
    stubs = ("stub",) if book.is_secret else ()  # says which lines are of dispatches kept on paper alone
    return _kept(scope.among(numbered)).select_related("number__voided_by", "unit", *stubs)


def _kept(records: QuerySet[Record]) -> QuerySet[Record]:
    return records.exclude(state=RecordState.DRAFT)


def _of_days(found: QuerySet[Record], place: Place) -> QuerySet[Record]:
    if place.since:
        found = found.filter(number__allotted_at__gte=_start_of(place.since))
    if place.until:
        found = found.filter(number__allotted_at__lt=_start_of(place.until + timedelta(days=1)))
    return found


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _lines(book: Book, records: Sequence[Record], scope: access.Scope) -> list[Line]:
    by_record: dict[int, list[Step]] = {}
    steps = Step.objects.filter(record__in=records).select_related("to_unit", "to_person", "received_by")
    for step in steps.order_by("record_id", "order"):
        by_record.setdefault(step.record_id, []).append(step)
    signed = _papers(records, scope) if book.is_secret else {}
    return [
        Line(record.number, record, by_record.get(record.pk, ()), book.register.kind, signed.get(record.pk, ()))
        for record in records
    ]


def _papers(records: Sequence[Record], scope: access.Scope) -> dict[int, list[PaperPlace]]:
    """Return who signed for the papers of dispatches kept on paper alone, by record, in the order of their hands."""
    on_paper = [record for record in records if hasattr(record, "stub")]
    if not on_paper:
        return {}
    rows = list(PaperPlace.objects.filter(record__in=on_paper).order_by("record_id", "pk"))
    words.hush(scope.level, rows, dict.fromkeys(("holder", "place", "signed_by"), "written_at"))
    by_record: dict[int, list[PaperPlace]] = {}
    for row in rows:
        by_record.setdefault(row.record_id, []).append(row)
    return by_record
