"""Holidays and days of rest that are worked instead: added and taken back by the administrator, for days to come only.

They move deadlines that are counted from then on, and say which hours lie outside the office's. What a past day was
stays as it was, so nobody makes a late answer timely or a night at work ordinary; a deadline that was given stays.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import Holiday, Person
from archive.rules import workdays
from archive.rules.errors import Refusal
from archive.rules.roles import Action

LONGEST: Final = 31  # days of one entry: a longer rest is a slip of the pen


class DayTaken(Refusal):
    """HOL-001: a day differs from the week once."""

    code = "HOL-001"
    message = _("%(day)s stands in the list already: “%(name)s”. Take it back first, or leave it out.")


class DayPast(Refusal):
    """HOL-002: what a day was that has come stays; today may become free, but not worked: someone may be at work already."""

    code = "HOL-002"
    message = _(
        "%(day)s is not to come. Days off are added from today on, days worked instead from tomorrow on, and both are "
        "taken back before they come: what a past day was stays as it was."
    )


class WorkedAnyway(Refusal):
    """HOL-003: only a day of rest is worked instead."""

    code = "HOL-003"
    message = _("%(day)s is a working day anyway. Choose a Saturday or a Sunday.")


class DaysIncomplete(Refusal):
    """HOL-004: a day has a name and the decision it rests on; taking it back has a reason."""

    code = "HOL-004"
    message = _("Fill in the name and the decision it rests on, or the reason of taking it back.")


class WrongDays(Refusal):
    """HOL-005: from a first day to a last one."""

    code = "HOL-005"
    message = _("The last day lies on the first or after it, and at most 31 days are added at once. Correct the days.")


class TakenBack(Refusal):
    """HOL-006: taken back already."""

    code = "HOL-006"
    message = _("This day was taken back already. Look at the page again.")


@dataclass(frozen=True, slots=True)
class Days:
    """Local days from the first to the last, both counted: free, or worked instead of a rest."""

    first: date
    last: date
    name: str
    basis: str
    is_worked: bool = False


@transaction.atomic
def add(days: Days, *, actor: Person) -> list[Holiday]:
    """Add days that differ from the week: off from today on, worked from tomorrow on.

    Raises:
        Forbidden: the actor may not.
        DaysIncomplete, WrongDays, DayPast, WorkedAnyway, DayTaken: as named.
    """
    access.require(actor, Action.DAY_ADD)
    name, basis = (unicodedata.normalize("NFC", part).strip() for part in (days.name, days.basis))
    if not name or not basis:
        raise DaysIncomplete
    if not days.first <= days.last < days.first + timedelta(days=LONGEST):
        raise WrongDays
    today = timezone.localdate()
    if days.first < today or (days.is_worked and days.first == today):
        raise DayPast(day=_said(days.first))
    each = [days.first + timedelta(days=n) for n in range((days.last - days.first).days + 1)]
    made = [_enter(day, name, basis, is_worked=days.is_worked) for day in each]
    details = {
        "name": name, "since": days.first.isoformat(), "until": days.last.isoformat(), "worked": days.is_worked,
    }  # fmt: skip
    audit.write(Action.DAY_ADD, actor=actor, subject=made[0], reason=basis, details=details, made=made)
    return made


def _enter(day: date, name: str, basis: str, *, is_worked: bool) -> Holiday:
    if is_worked and not workdays.is_weekend(day):
        raise WorkedAnyway(day=_said(day))
    given = {"name": name, "basis": basis, "is_worked": is_worked}
    row, is_new = Holiday.objects.get_or_create(day=day, taken_back_at=None, defaults=given)
    if not is_new:
        raise DayTaken(day=_said(day), name=row.name)
    return row


@transaction.atomic
def take_back(row: Holiday, *, reason: str, actor: Person) -> Holiday:
    """Take a day back before it comes: it is again what the week says.

    Raises:
        Forbidden: the actor may not.
        DaysIncomplete, TakenBack, DayPast: as named.
    """
    access.require(actor, Action.DAY_TAKE_BACK)
    if not reason.strip():
        raise DaysIncomplete
    found = Holiday.objects.select_for_update().get(pk=row.pk)
    if found.taken_back_at is not None:
        raise TakenBack
    if found.day <= timezone.localdate():
        raise DayPast(day=_said(found.day))
    found.taken_back_at = timezone.now()
    found.save(update_fields=["taken_back_at"])
    details = {"day": found.day.isoformat(), "name": found.name}
    audit.write(Action.DAY_TAKE_BACK, actor=actor, subject=found, reason=reason.strip(), details=details)
    return found


def _said(day: date) -> str:
    return f"{day:%d/%m/%Y}"
