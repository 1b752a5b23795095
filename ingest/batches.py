"""A batch as the intake desk sees it: the sum that always closes, and a line per file.

Only scans within the reader's clearance are counted or shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, cast
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive import access
from archive.models import Person, RecordState
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import units_open
from ingest import outcomes
from ingest.intake import STILL_OPEN, visible_scans
from ingest.models import Batch, Scan, ScanState


@dataclass(frozen=True, slots=True)
class Sum:
    """handed in = filed + waiting + attention + refused, always."""

    handed_in: int
    filed: int
    waiting: int
    attention: int
    refused: int

    @property
    def closes(self) -> bool:
        """Whether the sum is right; it is shown, so that anybody can check it."""
        return self.handed_in == self.filed + self.waiting + self.attention + self.refused

    @property
    def settled(self) -> int:
        """How many files no longer wait."""
        return self.handed_in - self.waiting


def visible_batches(person: Person) -> QuerySet[Batch]:
    """Return the batches of a person's intake desks of which they may see at least one file, or that are their own."""
    units = units_open(person, timezone.now())
    # Asked batch by batch: the newest are found before every file that was ever handed in is looked at.
    seen = Exists(Scan.objects.filter(visible_scans(person), batch=OuterRef("pk")))
    return Batch.objects.filter(unit__in=units).filter(Q(seen) | Q(actor=person))


def open_batch_of(person: Person, batch_id: UUID) -> Batch:
    """Return a batch this person may see.

    Raises:
        Hidden: no such batch, or not on their desk.
    """
    batch = visible_batches(person).select_related("actor", "unit").filter(pk=batch_id).first()
    if batch is None:
        raise Hidden(object_type="batch", object_id=str(batch_id))
    return batch


def open_scan(person: Person, scan_id: UUID) -> Scan:
    """Return a scan this person may see.

    Raises:
        Hidden: no such scan, or not on their desk, or above their clearance.
        Forbidden: on a desk of their units, but their post does not include the intake.
    """
    scan = (
        Scan.objects.select_related("batch", "record", "joins", "duplicate_of")
        .filter(visible_scans(person), pk=scan_id)
        .first()
    )
    if scan is None:
        raise Hidden(object_type="scan", object_id=str(scan_id))
    access.require(person, Action.SCAN_READ)
    return scan


def scans_of(batch: Batch, person: Person) -> QuerySet[Scan]:
    """Return the files of a batch that this person may see, in order."""
    return Scan.objects.filter(visible_scans(person), batch=batch).select_related("record", "joins").order_by("order")


def _counts() -> dict[str, Count]:
    """Return the parts of the sum; what needed attention counts as filed once its dispatch was dealt with."""
    dealt_with = Q(state=ScanState.ATTENTION) & ~STILL_OPEN
    return {
        "handed_in": Count("pk"),
        "filed": Count("pk", filter=Q(state=ScanState.FILED) | dealt_with),
        "waiting": Count("pk", filter=Q(state=ScanState.WAITING)),
        "attention": Count("pk", filter=STILL_OPEN),
        "refused": Count("pk", filter=Q(state=ScanState.REFUSED)),
    }


def sum_of(scans: QuerySet[Scan]) -> Sum:
    """Return the sum over scans."""
    return Sum(**scans.aggregate(**_counts()))


def sums_of(shown: Sequence[Batch], person: Person) -> dict[UUID, Sum]:
    """Return the sum of each batch as this person may know it, in one question."""
    seen = Scan.objects.filter(visible_scans(person), batch__in=shown).order_by()
    rows = cast("Iterable[dict[str, Any]]", seen.values("batch").annotate(**_counts()))
    names = [part.name for part in dataclass_fields(Sum)]
    counted = {row["batch"]: Sum(*(row[name] for name in names)) for row in rows}
    return {batch.pk: counted.get(batch.pk, Sum(0, 0, 0, 0, 0)) for batch in shown}


@dataclass(frozen=True, slots=True)
class Line:
    """One file as the batch page shows it."""

    scan: Scan
    sentence: str
    is_open: bool
    can_retry: bool
    can_dismiss: bool
    can_register: bool
    is_duplicate: bool
    is_held: bool = False
    paper_level: str = ""  # of a file above the ceiling: the level at which its paper may be registered
    place: int = 0


def line_of(scan: Scan, place: int = 0) -> Line:
    """Return what is shown of a file and what can be done with it."""
    attention = scan.state == ScanState.ATTENTION
    on_desk = scan.record is not None and scan.record.state == RecordState.DRAFT
    loose = attention and scan.record is None
    return Line(
        scan=scan,
        sentence=outcomes.sentence(scan.code, scan.reason),
        is_open=attention and (scan.record is None or on_desk),
        can_retry=loose and scan.code not in {outcomes.QUARANTINED, *outcomes.HELD},
        can_dismiss=loose,
        is_held=loose and scan.code in outcomes.HELD,
        paper_level=Level(scan.level).slug if scan.code == outcomes.QUARANTINED else "",
        can_register=on_desk,
        is_duplicate=scan.code == outcomes.DUPLICATE,
        place=place,
    )
