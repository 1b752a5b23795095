"""Working days: Monday to Friday, less the holidays that are passed in.

Holidays and swapped days are decided year by year by the Prime Minister, so they are
data of the installation, never constants here. All days are local calendar days. Pure.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
LONGEST_REST: Final = 366  # days without one working day: beyond it the list of holidays is wrong


def is_workday(day: date, *, holidays: Collection[date] = ()) -> bool:
    """Return whether the office works on this day."""
    return day.weekday() < _SATURDAY and day not in holidays


def add(start: date, days: int, *, holidays: Collection[date] = ()) -> date:
    """Return the day that lies `days` working days after `start`; the day of start is not counted.

    With 0 it is `start` itself or, when nobody works then, the next working day.

    Raises:
        ValueError: days is negative, or no working day comes within a year.

    >>> add(date(2026, 4, 29), 1, holidays={date(2026, 4, 30), date(2026, 5, 1)})
    datetime.date(2026, 5, 4)
    """
    if days < 0:
        raise ValueError(days)
    day = start
    for _ in range(days):
        day = _on_or_after(day + _ONE_DAY, holidays)
    return day if days else _on_or_after(start, holidays)


def between(start: date, end: date, *, holidays: Collection[date] = ()) -> int:
    """Return how many working days lie after `start` up to and with `end`; negative when `end` is earlier."""
    if end < start:
        return -between(end, start, holidays=holidays)
    weeks, rest = divmod((end - start).days, 7)
    tail = sum((start + timedelta(days=7 * weeks + n)).weekday() < _SATURDAY for n in range(1, rest + 1))
    off = sum(start < day <= end and day.weekday() < _SATURDAY for day in set(holidays))
    return weeks * 5 + tail - off


def _on_or_after(day: date, holidays: Collection[date]) -> date:
    for _ in range(LONGEST_REST):
        if is_workday(day, holidays=holidays):
            return day
        day += _ONE_DAY
    raise ValueError(day)
