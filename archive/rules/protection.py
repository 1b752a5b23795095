"""How long a secrecy level protects a record, and the days of the duties around it.

Law on state secrets: 30, 20, 10 years from the day of determination by level; an extension is
decided at the latest so many days before the end, each time by no more than the period of
the level; holders are told within so many days. The figures come from dated data, never
from here. Pure: no clock, no database. An end makes a task and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from archive.rules.levels import Level


class Period(Protocol):
    """One row of dated data."""

    level: Any
    years: Any
    valid_from: Any
    valid_to: Any


P = TypeVar("P", bound=Period)


class Stage(StrEnum):
    """Where the protection of a record stands on a day."""

    RUNNING = "running"
    EXTENDABLE = "extendable"  # the end comes near, and an extension is still in time
    LATE = "late"  # the end comes near, and the last day to extend is over
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """The stage on a day, the last day to extend, and how many days are left to the end (negative: since)."""

    stage: Stage
    extend_by: date
    days_left: int


def period_on(periods: Iterable[P], level: Level, day: date) -> P | None:
    """Return the row of a level in force on a day; the oldest one for days before all rows. A withdrawn one is none."""
    standing = (row for row in periods if row.valid_to is None or row.valid_from <= row.valid_to)
    rows = sorted((row for row in standing if row.level == level), key=lambda row: row.valid_from)
    live = [row for row in rows if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)]
    if live:
        return live[-1]
    return rows[0] if rows and day < rows[0].valid_from else None


def last_day(determined_on: date, years: int) -> date:
    """Return the last day of protection: the day before the anniversary.

    >>> last_day(date(2026, 3, 1), 10)
    datetime.date(2036, 2, 29)
    """
    try:
        anniversary = determined_on.replace(year=determined_on.year + years)
    except ValueError:  # 29 February
        anniversary = date(determined_on.year + years, 3, 1)
    return anniversary - timedelta(days=1)


def standing(protected_until: date, *, extend_days: int, soon_days: int, today: date) -> Standing:
    """Return where protection stands today; from `soon_days` before the last day to extend it is shown."""
    extend_by = protected_until - timedelta(days=extend_days)
    left = (protected_until - today).days
    if left < 0:
        stage = Stage.ENDED
    elif today > extend_by:
        stage = Stage.LATE
    else:
        stage = Stage.EXTENDABLE if today >= extend_by - timedelta(days=soon_days) else Stage.RUNNING
    return Standing(stage, extend_by, left)
