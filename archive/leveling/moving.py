"""What a change of level moves, all in the act's transaction: the row, need-to-know, dossiers, openings, keys.

The index follows by the log. Page images are drawn anew at every request and kept nowhere.
"""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from archive import access, dossiers, settling
from archive.leveling import keys, notices
from archive.models import ChangeKind, Dossier, DossierItem, Grant, LevelChange, LevelNotice, Person, Record
from archive.rules.levels import Level
from archive.standing import cleared_for


@dataclass(frozen=True, slots=True)
class Order:
    """What a decision about a level says: who is competent, number and local day of the decision, reasons."""

    authority: str
    basis: str
    decided_on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change about to be written: kind, new level, last day of protection, next review."""

    kind: ChangeKind
    to: Level
    protected_until: date | None
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change left: its row in the history, whom to tell, and the openings that ended."""

    row: LevelChange
    to_tell: list[LevelNotice]
    ended: list[Grant]


def write(record: Record, change: Change, order: Order, *, actor: Person, proposer: Person | None) -> LevelChange:
    """Append a decision about a locked record to its history."""
    return LevelChange.objects.create(
        record=record,
        kind=change.kind,
        from_level=record.level,
        to_level=change.to,
        authority=order.authority.strip(),
        basis=order.basis.strip(),
        decided_on=order.decided_on,
        reason=order.reason.strip(),
        proposed_by=proposer,
        done_by=actor,
        done_at=timezone.now(),
        protected_until=change.protected_until,
        review_on=change.review_on,
        keys_at=timezone.now() if change.to == record.level else None,
    )


def move(record: Record, change: Change, order: Order, *, actor: Person, proposer: Person | None) -> Moved:
    """Give a locked record its new level and bring along what hangs on it.

    Upwards the keys come first, so that no fault leaves a secret under a low key; downwards they
    come after the commit (`archive.leveling.keys`).

    Raises:
        StoreFailed: the vault is away and the level goes up; the act rolls back.
    """
    row = write(record, change, order, actor=actor, proposer=proposer)
    goes_up = change.to > record.level
    record.level = change.to
    record.save(update_fields=["level"])
    if goes_up:
        keys.lift(record)
    record.sealed_objects.update(level=change.to)
    settling.note(record.sealed_objects.values_list("address", flat=True))
    ended = _end_openings(record) if goes_up else []
    access.derive(record)
    if goes_up:
        _raise_dossiers(record, actor)
    to_tell = notices.begin(row)
    keys.settle_after_commit(row.pk)
    return Moved(row, to_tell, ended)


def _end_openings(record: Record) -> list[Grant]:
    """End the openings by name to who is not cleared for the new level: a later clearance must not revive them."""
    now = timezone.now()
    live = Grant.objects.filter(record=record, ended_at__isnull=True, until__gt=now)
    ended = list(live.exclude(person__in=cleared_for(Level(record.level), now)))
    Grant.objects.filter(pk__in=[each.pk for each in ended]).update(ended_at=now)
    return ended


def _raise_dossiers(record: Record, actor: Person) -> None:
    """Let every dossier it lies in rise with it; a lowered record lets none fall."""
    filed = DossierItem.objects.filter(record=record).values("dossier")
    for dossier in Dossier.objects.select_for_update().filter(pk__in=filed).order_by("pk"):
        if dossier.level < record.level:
            dossiers.raise_to(dossier, Level(record.level), actor)
