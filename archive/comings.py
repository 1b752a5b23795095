"""When closed dossiers come up, said in the database: for lists that must not load every dossier.

Reads only. The rule itself is `archive.rules.periods`; here stand its days as one number,
yyyymmdd, that both databases can compare and order. Nothing here decides that something
is due.
"""

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, Value, When

from archive.models import Dossier, RuleKind

NEVER: Final = 99_999_999  # held or permanent: no day
NEW_YEAR: Final = 101  # a period ends with a 31 December
YEAR: Final = 10_000


class Digits(Func):
    """A day as the number yyyymmdd, without Django's date parts: on SQLite each calls Python for every row."""

    output_field = IntegerField()
    template = "CAST(to_char(%(expressions)s, 'YYYYMMDD') AS integer)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write it for SQLite, where a day is the text yyyy-mm-dd."""
        text = "CAST(replace(%(expressions)s, '-', '') AS INTEGER)"
        return self.as_sql(compiler, connection, template=text, **context)


def coming_up(closed: QuerySet[Dossier], *, until: date, held: Collection[int]) -> QuerySet[Dossier]:
    """Return those of the closed dossiers that come up by a day, by their first day, then by their code."""
    days = closed.annotate(first_day=_first_day(held))
    wanted = Q(first_day__lte=int(f"{until:%Y%m%d}")) | Q(first_day=NEVER)
    return days.filter(wanted).order_by("first_day", "code", "pk")


def _first_day(held: Collection[int]) -> Case:
    """Return the first day of disposal; NULL while an event is not known."""
    return Case(
        When(Q(pk__in=held) | Q(rule__kind=RuleKind.PERMANENT), then=Value(NEVER)),
        When(rule__kind=RuleKind.YEARS, then=_after_years("ended_on")),
        When(rule__kind=RuleKind.EVENT_YEARS, then=_after_years("superseded_on")),
        default=Digits(F("superseded_on")) + 1,  # the day after, or a number between it and the month that follows
        output_field=IntegerField(),
    )


def _after_years(day: str) -> Any:
    """Return the first of January after the year of a day and the years of the rule."""
    return (Digits(F(day)) / YEAR + F("rule__years") + 1) * YEAR + NEW_YEAR
