"""What a restore leaves behind in the office: its entry, the banner, and registers closed until paper is looked at.

A restored database does not know the numbers that were given after the backup was taken;
the same number must never be given twice. So every register is closed for each year that
may be concerned, until a clerk has said what the last number on paper is (see
`archive.registers.paper`). Never restores anything itself: that is `config.backup`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from archive import access, audit
from archive.models import AuditDetail, PaperCheck, Person, Register, RegisterCounter, Restoration
from archive.rules.roles import Action

MOST_PLACES: Final = 1_000  # named in an entry beside their count: its details are a line of an export


@dataclass(frozen=True, slots=True)
class Gap:
    """What is known of the time between the backup and now: moments in UTC, sizes of the log in entries."""

    taken_at: datetime
    size: int  # entries in the backup's log
    newest_size: int | None  # entries in the newest head that was kept elsewhere; None: no head was shown


@transaction.atomic
def record(gap: Gap, *, backup: str, shredded: Collection[str] = (), false_entries: Sequence[int] = ()) -> Restoration:
    """Write that this installation was restored, and close every register.

    Args:
        gap: what the backup does not know.
        backup: name of the backup, or how else the database came back, for the log.
        shredded: addresses of objects of the backup whose key the newest vault no longer holds.
        false_entries: places of the log whose entry has another hash than the log says.
    """
    now = timezone.now()
    made = Restoration.objects.create(
        restored_at=now, taken_at=gap.taken_at, size=gap.size, newest_size=gap.newest_size
    )
    years = range(timezone.localtime(gap.taken_at).year, timezone.localtime(now).year + 1)
    # Restored again before paper was looked at, or to a time between: these books wait already.
    waiting = set(PaperCheck.objects.filter(confirmed_at__isnull=True).values_list("register", "year"))
    checks = [
        PaperCheck(register=register, year=year, asked_at=now, kept=last_number(register, year))
        for register in Register.objects.all()
        for year in years
        if (register.pk, year) not in waiting
    ]
    PaperCheck.objects.bulk_create(checks)
    details = {
        "backup": backup,
        "taken": gap.taken_at.isoformat(),
        "size": gap.size,
        "lost": "" if gap.newest_size is None else gap.newest_size - gap.size,
        "shredded": len(shredded),
        "addresses": sorted(shredded),
        "closed": len(checks),
    } | told_of_false(false_entries)
    audit.write(Action.RESTORE, actor=None, details=details, made=[made, *checks])
    return made


def told_of_false(places: Sequence[int]) -> dict[str, Any]:
    """Return what an entry keeps of entries under a false hash: how many, and the first places; nothing where there are none."""
    return {"false_count": len(places), "false_entries": list(places[:MOST_PLACES])} if places else {}


def found_destroyed() -> frozenset[str]:
    """Return the addresses that restores found destroyed: their rows came back, their content never can."""
    told = AuditDetail.objects.filter(entry__action=str(Action.RESTORE)).values_list("payload", flat=True)
    return frozenset(address for payload in told for address in payload.get("addresses", ()))


def years_in_doubt() -> set[int]:
    """Return the years up to this one of which a restore may have lost numbers, those of a register it never knew, too.

    They concern who opens a register this year or the year after a restore: what was lost in December goes on on paper,
    which begins the new year's series in January.
    """
    this_year = timezone.localdate().year
    spans = [
        range(timezone.localtime(taken).year, timezone.localtime(back).year + 2)
        for taken, back in Restoration.objects.values_list("taken_at", "restored_at")
    ]
    return {year for span in spans if this_year in span for year in span if year <= this_year}


def last_number(register: Register, year: int) -> int:
    """Return the last number that a register gave in a year, 0 if none."""
    last = RegisterCounter.objects.filter(register=register, year=year).values_list("last", flat=True).first()
    return last or 0


def banner() -> Restoration | None:
    """Return the restore that an administrator has not acknowledged yet."""
    return Restoration.objects.filter(acknowledged_at__isnull=True).order_by("-restored_at").first()


@transaction.atomic
def acknowledge(*, actor: Person) -> int:
    """Take the banner down, for everybody; return how many restores were acknowledged.

    Raises:
        Forbidden: the actor does not keep the machine.
    """
    access.require(actor, Action.RESTORE_SEEN)
    waiting = list(Restoration.objects.select_for_update(of=("self",)).filter(acknowledged_at__isnull=True))
    Restoration.objects.filter(pk__in=[each.pk for each in waiting]).update(
        acknowledged_at=timezone.now(), acknowledged_by=actor
    )
    if waiting:
        audit.write(Action.RESTORE_SEEN, actor=actor, details={"count": len(waiting)}, rows=waiting)
    return len(waiting)
