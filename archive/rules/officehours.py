"""When the office is open: whole hours of working days. Calendar and hours are passed in. Pure, local time."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from archive.rules.workdays import Calendar, is_workday


class Hours(NamedTuple):
    """From the first hour to the one at which the office closes: (7, 18) is open from 7:00 to 17:59."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{self.opens}:00-{self.closes}:00"


def outside(by_hour: list[int], day: date, hours: Hours, calendar: Calendar) -> int:
    """Return how much of a day's counts by hour lies outside the hours; all of it on a day of rest."""
    if not is_workday(day, calendar):
        return sum(by_hour)
    return sum(by_hour[: hours.opens]) + sum(by_hour[hours.closes :])


def closed_spans(since: date, until: date, hours: Hours, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    """Return the spans [start, end) in which the office is closed, from the first day to the last, both counted.

    The moments are naive local times; a night and the days of rest beside it are one span.
    """
    spans: list[tuple[datetime, datetime]] = []
    for start, end in _closed(since, until, hours, calendar):
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _closed(since: date, until: date, hours: Hours, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    day = since
    while day <= until:
        midnight = datetime.combine(day, time.min)
        next_midnight = midnight + timedelta(days=1)
        if is_workday(day, calendar):
            yield midnight, midnight + timedelta(hours=hours.opens)
            yield midnight + timedelta(hours=hours.closes), next_midnight
        else:
            yield midnight, next_midnight
        day += timedelta(days=1)
