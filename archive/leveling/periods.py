"""Protection periods: a new dated row for a level, with the text it rests on, by the security officer.

A row that has begun is never changed and never taken away (one whose day has not come: `archive.withdrawing`): what was determined on a past day is protected as the row of that day
says, and an end that a decision has written stays. A new row begins today or later, after the last one of its level, or
before all of them where none has begun.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import Person, ProtectionPeriod
from archive.models.schedule import STANDING
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action

AHEAD: Final = 366  # days: a slip of the pen far ahead would stand before every later row


class StartsTooEarly(Refusal):
    """LVL-016: a period in force, or one that was, is not replaced."""

    code = "LVL-016"
    message = _(
        "The new period begins today or within a year, and after %(since)s, when the last one of that level begins. "
        "Correct the day."
    )


class PeriodIncomplete(Refusal):
    """LVL-017: a period has a level above the lowest, years, days and the text it rests on."""

    code = "LVL-017"
    message = _("Choose a level from Confidential up, and fill in years, days and the text the period rests on.")


@dataclass(frozen=True, slots=True)
class Term:
    """How long a level protects from a local day on: years, and the days of the duties around its end."""

    level: Level
    years: int
    extend_days: int
    notice_days: int
    basis: str
    valid_from: date


@transaction.atomic
def add(term: Term, *, actor: Person) -> ProtectionPeriod:
    """Let a level protect for so long from a day on.

    Raises:
        Forbidden: the actor may not.
        PeriodIncomplete, StartsTooEarly: as named.
    """
    access.require(actor, Action.PROTECTION_ADD)
    basis = unicodedata.normalize("NFC", term.basis).strip()
    if not basis or term.level == Level.THUONG or term.years < 1 or min(term.extend_days, term.notice_days) < 1:
        raise PeriodIncomplete
    days = list(_standing(term.level).values_list("valid_from", flat=True))
    today = timezone.localdate()
    is_between = bool(days) and days[0] <= term.valid_from <= days[-1]
    if is_between or not today <= term.valid_from <= today + timedelta(days=AHEAD):
        raise StartsTooEarly(since=f"{days[-1]:%d/%m/%Y}" if days else "—")
    given = {"years": term.years, "extend_days": term.extend_days, "notice_days": term.notice_days, "basis": basis}
    standing = _standing(term.level)
    row, is_new = standing.get_or_create(level=term.level, valid_from=term.valid_from, defaults=given)
    if not is_new:
        raise StartsTooEarly(since=f"{row.valid_from:%d/%m/%Y}")
    details = {
        "level": term.level.slug, "protects": term.years, "extend_days": term.extend_days,
        "notice_days": term.notice_days, "since": term.valid_from.isoformat(),
    }  # fmt: skip
    audit.write(Action.PROTECTION_ADD, actor=actor, subject=row, reason=basis, details=details, made=[row])
    return row


def _standing(level: Level) -> QuerySet[ProtectionPeriod]:
    return ProtectionPeriod.objects.filter(STANDING, level=level).order_by("valid_from")
