"""Working days: Monday to Friday, less the holidays and with the days worked instead that are passed in.

Holidays and swapped days are decided year by year by the Prime Minister, so they are
data of the installation, never constants here. All days are local calendar days. Pure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
LONGEST_REST: Final = 366  # days without one working day: beyond it the list of holidays is wrong


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that differ from the week: free ones, and days of rest on which the office works instead."""

    free: Collection[date] = ()
    worked: Collection[date] = ()


ORDINARY: Final = Calendar()


def is_weekend(day: date) -> bool:
    """Return whether nobody works on this day in an ordinary week."""
    return day.weekday() >= _SATURDAY


def is_workday(day: date, calendar: Calendar = ORDINARY) -> bool:
    """Return whether the office works on this day."""
    return day in calendar.worked or not (is_weekend(day) or day in calendar.free)


def add(start: date, days: int, calendar: Calendar = ORDINARY) -> date:
    """Return the day that lies `days` working days after `start`; the day of start is not counted.

    With 0 it is `start` itself or, when nobody works then, the next working day.

    Raises:
        ValueError: days is negative, or no working day comes within a year.

    >>> add(date(2026, 4, 29), 1, Calendar(free={date(2026, 4, 30), date(2026, 5, 1)}))
    datetime.date(2026, 5, 4)
    """
    if days < 0:
        raise ValueError(days)
    day = start
    for _ in range(days):
        day = _on_or_after(day + _ONE_DAY, calendar)
    return day if days else _on_or_after(start, calendar)


def between(start: date, end: date, calendar: Calendar = ORDINARY) -> int:
    """Return how many working days lie after `start` up to and with `end`; negative when `end` is earlier."""
    if end < start:
        return -between(end, start, calendar)
    weeks, rest = divmod((end - start).days, 7)
    tail = sum(not is_weekend(start + timedelta(days=7 * weeks + n)) for n in range(1, rest + 1))
    worked = set(calendar.worked)
    off = sum(start < day <= end and not is_weekend(day) for day in set(calendar.free) - worked)
    instead = sum(start < day <= end and is_weekend(day) for day in worked)
    return weeks * 5 + tail - off + instead


def _on_or_after(day: date, calendar: Calendar) -> date:
    for _ in range(LONGEST_REST):
        if is_workday(day, calendar):
            return day
        day += _ONE_DAY
    raise ValueError(day)
