"""How long a file is kept, and from which day it may be proposed for disposal.

Law on archives 33/2024/QH15 art. 15: permanently, or 2 to 70 years counted from the
year in which the work ends; a file takes the longest period of what lies in it. Years
run from 1 January after that year, so the last day of keeping is a 31 December.

Pure: no clock, no database. `decide` never says that something was destroyed or may be
destroyed now: it gives the first lawful day, and the act checks holds again under lock.
What is not known (an event without a date) is later than any date.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, timedelta
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal

LONGEST_YEARS: Final = 70
SUPERSEDED: Final = "superseded"
ASSET_ENDED: Final = "asset_ended"


class Kind(StrEnum):
    """The five kinds of period that the tables of the ministries use."""

    PERMANENT = "permanent"
    YEARS = "years"  # from the end of the year in which the work ended
    UNTIL_SUPERSEDED = "until_superseded"  # "đến khi văn bản hết hiệu lực"
    LIFE_OF_ASSET = "life_of_asset"  # "theo tuổi thọ công trình"
    EVENT = "event"  # n years after a named event, as a contract's end


class Action(StrEnum):
    """What the schedule asks for."""

    HELD = "held"  # nothing, until the hold is lifted
    KEEP = "keep"  # permanent: hand over to the historical archive, never destroy
    WAIT = "wait"  # a date is not known yet
    DISPOSE = "dispose"  # may be proposed from the due day on


class InvalidPeriod(Refusal):
    """RET-001: a period the law does not know."""

    code = "RET-001"
    message = _("A retention period of %(years)s years is not possible. Enter 1 to 70 years, or choose permanent.")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a retention table. `years` and `event` are used by the kinds that need them."""

    kind: Kind
    years: int = 0
    event: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        """Refuse a period that the law does not know."""
        counted = self.kind in {Kind.YEARS, Kind.EVENT}
        if (counted and not 1 <= self.years <= LONGEST_YEARS) or (self.kind is Kind.EVENT and not self.event):
            raise InvalidPeriod(years=self.years)


@dataclass(frozen=True, slots=True)
class Times:
    """What has happened to a file: local calendar days, None or absent = not (yet) known."""

    ended_on: date | None
    events: Mapping[str, date] = field(default_factory=dict)
    secret_until: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer: what, from which day, and why (a code for logs and help, and what its sentence names)."""

    action: Action
    due_on: date | None
    reason: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    def is_due(self, today: date) -> bool:
        """Return whether a disposal may be proposed today."""
        return self.action is Action.DISPOSE and self.due_on is not None and self.due_on <= today

    @property
    def sentence(self) -> str:
        """The reason in the reader's language."""
        event = str(self.parameters.get("event", ""))
        return str(REASONS[self.reason]) % {**self.parameters, "event": str(EVENTS.get(event, event))}


REASONS: Final[dict[str, str | Promise]] = {
    "held": _("A hold is in force: nothing may be disposed of until it is lifted."),
    "no_rule": _("No retention rule has been chosen yet."),
    "permanent": _("Kept permanently (%(rule)s): to be handed over, never destroyed."),
    "not_ended": _("The work has not ended yet, so the years have not begun to run (%(rule)s)."),
    "event_unknown": _("The day of “%(event)s” is not known yet (%(rule)s)."),
    "years": _("%(years)s years from the end of %(year)s (%(rule)s)."),
    "event_years": _("%(years)s years from the end of %(year)s, the year of “%(event)s” (%(rule)s)."),
    "event": _("From the day after “%(event)s” (%(rule)s)."),
    "secret": _("The period is over, but the file is secret until %(until)s."),
}
EVENTS: Final[dict[str, str | Promise]] = {
    SUPERSEDED: _("the text is no longer in force"),
    ASSET_ENDED: _("the work or asset no longer exists"),
}
_NO_CODE: Final = "-"
_EVENT_OF: Final = {Kind.UNTIL_SUPERSEDED: SUPERSEDED, Kind.LIFE_OF_ASSET: ASSET_ENDED}
_NEVER: Final = date(MAXYEAR, 12, 31)


def due_on(closed_on: date, *, keep_years: int | None, is_held: bool) -> date | None:
    """Return the first day on which a closed file may be proposed for disposal.

    Years run from 1 January after the year of closing, so a file closed on any day of
    2026 and kept 10 years is due on 2037-01-01. None: permanent or held.

    Raises:
        InvalidPeriod: keep_years is not 1 to 70.

    >>> due_on(date(2026, 5, 4), keep_years=10, is_held=False)
    datetime.date(2037, 1, 1)
    """
    rule = Rule(Kind.PERMANENT) if keep_years is None else Rule(Kind.YEARS, keep_years)
    return decide([rule], Times(closed_on), is_held=is_held).due_on


def decide(rules: Iterable[Rule], times: Times, *, is_held: bool) -> Outcome:
    """Return what the schedule asks for under all rules that apply: the longest wins, a hold blocks everything."""
    if is_held:
        return Outcome(Action.HELD, None, "held")
    outcomes = [_under(rule, times) for rule in rules]
    if not outcomes:
        return Outcome(Action.WAIT, None, "no_rule")
    longest = max(outcomes, key=_length)
    if longest.due_on and times.secret_until and times.secret_until >= longest.due_on:
        after = _day_after(times.secret_until)
        return Outcome(Action.DISPOSE, after, "secret", {"until": times.secret_until.strftime("%d/%m/%Y")})
    return longest


def _under(rule: Rule, times: Times) -> Outcome:
    if rule.kind is Kind.PERMANENT:
        return Outcome(Action.KEEP, None, "permanent", {"rule": rule.code or _NO_CODE})
    if rule.kind is Kind.YEARS:
        return _years_from_end(rule, times.ended_on)
    event = _EVENT_OF.get(rule.kind, rule.event)
    happened_on = times.events.get(event)
    named = {"event": event, "rule": rule.code or _NO_CODE}
    if happened_on is None:
        return Outcome(Action.WAIT, None, "event_unknown", named)
    if rule.kind is Kind.EVENT:
        counted = named | {"years": rule.years, "year": happened_on.year}
        return Outcome(Action.DISPOSE, _after_years(happened_on, rule.years), "event_years", counted)
    return Outcome(Action.DISPOSE, _day_after(happened_on), "event", named)


def _years_from_end(rule: Rule, ended_on: date | None) -> Outcome:
    if ended_on is None:
        return Outcome(Action.WAIT, None, "not_ended", {"rule": rule.code or _NO_CODE})
    counted = {"years": rule.years, "year": ended_on.year, "rule": rule.code or _NO_CODE}
    return Outcome(Action.DISPOSE, _after_years(ended_on, rule.years), "years", counted)


def _length(outcome: Outcome) -> tuple[bool, date]:
    """Order outcomes from short to long: permanent is longest, the unknown later than any date."""
    return outcome.action is Action.KEEP, outcome.due_on or _NEVER


def _after_years(day: date, years: int) -> date:
    return date(min(day.year + 1 + years, MAXYEAR), 1, 1)


def _day_after(day: date) -> date:
    return day + timedelta(days=1) if day < _NEVER else day
