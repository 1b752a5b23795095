"""What the level of a record was, is, and how long it protects: read from the history, newest row last."""

from datetime import date, datetime

from django.db.models import QuerySet
from django.utils import timezone

from archive.models import ChangeKind, LevelChange, Person, ProtectionPeriod, Record
from archive.rules.levels import Level
from archive.rules.protection import last_day, period_on
from archive.standing import clearance


def of_record(record: Record) -> QuerySet[LevelChange]:
    """Return every decision about the level of a record, the newest first."""
    return LevelChange.objects.filter(record=record).select_related("proposed_by", "done_by").order_by("-pk")


def told_to(person: Person, record: Record) -> list[LevelChange]:
    """Return the history for a reader: what was written while it stood above their clearance keeps its words to itself.

    Such rows come with `is_withheld`, without authority, decision and reasons; never save them.
    """
    cleared, rows = clearance(person, timezone.now()), list(of_record(record))
    for row in rows:
        row.is_withheld = row.to_level > cleared  # type: ignore[attr-defined]
        if row.to_level > cleared:
            row.authority = row.basis = row.reason = ""
    return rows


def declassified(record: Record) -> LevelChange | None:
    """Return the decision that declassified a record, if it is the one in force."""
    newest = latest(record) if record.level == Level.THUONG else None
    return newest if newest is not None and newest.kind == ChangeKind.DECLASSIFY else None


def latest(record: Record) -> LevelChange | None:
    """Return the newest decision: its end of protection and next review are those in force."""
    return LevelChange.objects.filter(record=record).order_by("-pk").first()


def level_at(record: Record, at: datetime) -> Level:
    """Return the level of a record at an aware moment; before its first decision, what that decision found."""
    rows = LevelChange.objects.filter(record=record)
    before = rows.filter(done_at__lte=at).order_by("-pk").values_list("to_level", flat=True).first()
    if before is not None:
        return Level(before)
    after = rows.order_by("pk").values_list("from_level", flat=True).first()
    return Level(record.level if after is None else after)


def period(level: Level, day: date) -> ProtectionPeriod | None:
    """Return the dated data of a level on a local day; None for the lowest, or where none was entered."""
    return period_on(ProtectionPeriod.objects.filter(level=level), level, day)


def end_of_period(level: Level, determined_on: date) -> date | None:
    """Return the last day on which a level protects what was determined on a day; None when nothing runs."""
    found = period(level, determined_on)
    return last_day(determined_on, found.years) if found else None


def determine(record: Record, *, actor: Person) -> list[LevelChange]:
    """Begin the history of a record that is being registered, in that act's transaction; the lowest level has none.

    The entry of the registration tells of it, and bears the row out.
    """
    level = Level(record.level)
    if level == Level.THUONG:
        return []
    day = record.issued_date or timezone.localdate()
    now = timezone.now()
    begun = LevelChange.objects.create(
        record=record,
        kind=ChangeKind.DETERMINE,
        from_level=level,
        to_level=level,
        decided_on=day,
        done_by=actor,
        done_at=now,
        protected_until=end_of_period(level, day),
        keys_at=now,  # the registration itself brings them to the level (`archive.capture.relevel`)
    )
    return [begun]
