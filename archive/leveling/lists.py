"""What waits about levels, as far as a person may see the records: ends of protection, proposals, notices.

Whoever may not see a record learns of none of its days; every list is bounded and counts nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from archive import access
from archive.leveling import history
from archive.models import LevelChange, LevelNotice, LevelProposal, Person, ProposalState, ProtectionPeriod, Record
from archive.models.schedule import STANDING
from archive.rules.levels import Level
from archive.rules.protection import Standing, period_on, standing

SOON_DAYS: Final = 180  # an end is shown so long before the last day to extend


@dataclass(frozen=True, slots=True)
class Ending:
    """One record whose protection ends, or whose review is due: its newest decision and where it stands today."""

    change: LevelChange
    stands: Standing | None
    review_due: bool

    @property
    def record(self) -> Record:
        """The record."""
        return self.change.record


def endings(person: Person, *, offset: int = 0, limit: int = 50) -> list[Ending]:
    """Return the protected records that a person may see whose end comes near or is over, soonest first."""
    today = timezone.localdate()
    periods = list(ProtectionPeriod.objects.filter(STANDING))
    furthest = max((row.extend_days for row in periods), default=0) + SOON_DAYS
    newer = LevelChange.objects.filter(record=OuterRef("record"), pk__gt=OuterRef("pk"))
    due = Q(protected_until__lte=today + timedelta(days=furthest)) | Q(review_on__lte=today)
    rows = LevelChange.objects.filter(due, ~Exists(newer), to_level__gt=Level.THUONG, record__state="registered")
    seen = rows.filter(access.visible_to(person).reaching("record_id")).select_related("record__unit")
    ordered = seen.order_by(F("protected_until").asc(nulls_last=True), "pk")
    return [_ending(row, periods, today) for row in ordered[offset : offset + limit]]


def ending_of(record: Record) -> Ending | None:
    """Return where the protection of one opened record stands today; None when none runs."""
    row = history.latest(record)
    if row is None or row.to_level == Level.THUONG:
        return None
    return _ending(row, list(ProtectionPeriod.objects.all()), timezone.localdate())


def _ending(row: LevelChange, periods: Sequence[ProtectionPeriod], today: date) -> Ending:
    found = period_on(periods, Level(row.to_level), today)
    stands = None
    if row.protected_until is not None and found is not None:
        stands = standing(row.protected_until, extend_days=found.extend_days, soon_days=SOON_DAYS, today=today)
    return Ending(row, stands, review_due=row.review_on is not None and row.review_on <= today)


def proposals(person: Person, *, of: Record | None = None) -> QuerySet[LevelProposal]:
    """Return the open proposals about records that a person may see, and up to levels they are cleared for."""
    scope = access.visible_to(person)
    rows = LevelProposal.objects.filter(
        scope.reaching("record_id"), state=ProposalState.OPEN, to_level__lte=scope.level
    )
    rows = rows if of is None else rows.filter(record=of)
    return rows.select_related("record__unit", "proposed_by").order_by("proposed_at", "pk")


def notices(person: Person) -> QuerySet[LevelNotice]:
    """Return the holders still to be told of changes on records that a person may see, soonest due first."""
    rows = LevelNotice.objects.filter(access.visible_to(person).reaching("record_id"), told_on__isnull=True)
    return rows.select_related("record", "change", "unit", "person").order_by("due_on", "pk")
