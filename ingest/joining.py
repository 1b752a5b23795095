"""A file for a record that exists: handed over, read like any other, then joined to it or held for a person.

Sealed first, under the record's level; then one row and one entry. The same bytes on the
same record are taken once. A file that may be more secret than its registered record
stays sealed at the higher level and is no part of it until a person cleared for that has
looked: only they see that it is there.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, Final, cast

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, attachments, audit, capture, settling, store
from archive.models import DigitalObject, ObjectRole, Person, Record, RecordState
from archive.rules.errors import Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Action
from archive.rules.sizes import MAX_FILE_BYTES
from archive.standing import clearance
from archive.store import Sealed, StoreAway, StoreFull
from ingest import intake, outcomes
from ingest.captured import captured_of, suggestion_of
from ingest.models import Batch, Channel, Scan, ScanState

TOLD_FOR: Final = timedelta(days=1)  # a refused file is named on the page of its record
REFUSED: Final = (
    attachments.MoreSecret,
    attachments.PerhapsMoreSecret,
    attachments.TakesNoFile,
    attachments.OnPaper,
    attachments.InClosedDossier,
    attachments.TakesNoMore,
    attachments.HasIt,
)


class WhyMissing(Refusal):
    """FIL-005: an added file without a reason would be a riddle in ten years."""

    code = "FIL-005"
    message = _("Say why the file is added: what it is and where it comes from.")


class Empty(Refusal):
    """ING-001: no byte."""

    code = outcomes.EMPTY
    message = outcomes.OUTCOMES[outcomes.EMPTY].sentence


class TooLarge(Refusal):
    """ING-003: beyond the limit of one file."""

    code = outcomes.TOO_LARGE
    message = outcomes.OUTCOMES[outcomes.TOO_LARGE].sentence


class NoRoom(Refusal):
    """ING-004: the store is full."""

    code = outcomes.DISK_FULL
    message = outcomes.OUTCOMES[outcomes.DISK_FULL].sentence


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a hand-over: the scan that will join, or the name under which the record has these bytes already."""

    name: str
    scan: Scan | None = None

    @property
    def is_new(self) -> bool:
        """Whether a file was taken in."""
        return self.scan is not None


def add(  # noqa: PLR0913 - what, to what, why, by whom, how
    source: BinaryIO, *, name: str, record: Record, why: str, actor: Person, channel: str = Channel.RECORD
) -> Added:
    """Hand a file over for a record: sealed under its level, then one row and one entry.

    Args:
        source: the bytes, read once.
        name: as handed over; the path is dropped, never used.
        record: a draft, or a registered dispatch that lies in no closed dossier.
        why: what the file is and where it comes from, in the person's own words.
        actor: who adds it.
        channel: how it came (`Channel`).

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not add to it.
        WhyMissing, Empty, TooLarge, NoRoom: as named; nothing was taken in.
        TakesNoFile, InClosedDossier, TakesNoMore: the record takes no file any more.
        StoreFailed: the store is away; nothing was taken in.
    """
    access.require(actor, Action.RECORD_ATTACH, record)
    if not why.strip():
        raise WhyMissing
    sealed = _sealed(source, Level(record.level))
    added: Added | None = None
    try:
        with transaction.atomic():
            locked = attachments.lock(record, actor=actor)
            given = intake.clean_name(name)
            added = _there_already(locked, sealed.sha256, given, actor) or _take(
                sealed, locked, name=given, why=why.strip(), actor=actor, channel=channel
            )
    finally:
        if added is None or not added.is_new:
            with suppress(StoreAway):  # the key is gone; the sweep removes bytes that no row names
                store.shred(sealed.address)
    return added


def _sealed(source: BinaryIO, level: Level) -> Sealed:
    try:
        sealed = store.put(cast("BinaryIO", intake.Limited(source)), level=level)
    except StoreFull as full:
        raise NoRoom from full
    except intake.TooLarge as beyond:
        raise TooLarge(limit=f"{MAX_FILE_BYTES // (1024 * 1024)} MB") from beyond
    if sealed.size == 0:
        store.shred(sealed.address)
        raise Empty
    return sealed


def _there_already(record: Record, sha256: str, given: str, actor: Person) -> Added | None:
    """Return the file of these bytes that the record has, or that is on its way to it; refused and voided ones do not count.

    One that somebody else handed over and that is held above the actor's clearance is not theirs to know of. Theirs is
    then taken like any new file, is held for the same signs, and whoever may see both joins one and puts the other aside.
    """
    kept = attachments.same_file(record, sha256)
    if kept:
        return Added(kept.name)
    cleared = clearance(actor, timezone.now())
    coming = Scan.objects.filter(joins=record, sha256=sha256).exclude(state__in=[ScanState.REFUSED, ScanState.FILED])
    if known := coming.filter(level__lte=cleared).first():
        return Added(known.name)
    # Their own went out of their sight: that it waits is told to them anyway, its name now is not.
    return Added(given) if coming.filter(batch__actor=actor).exists() else None


def _take(sealed: Sealed, record: Record, *, name: str, why: str, actor: Person, channel: str) -> Added:  # noqa: PLR0913
    now, level = timezone.now(), Level(record.level)
    if level != sealed.level:  # it changed while the bytes were being sealed
        store.relevel(sealed.address, to=level)
    original = DigitalObject.objects.create(
        address=sealed.address,
        role=ObjectRole.ORIGINAL,
        name=name,
        size=sealed.size,
        sha256=sealed.sha256,
        sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256,
        level=level,
        created_at=now,
    )
    if level != sealed.level:
        settling.note([original.address])
    batch = Batch.objects.create(channel=channel, unit=record.unit, declared_level=level, actor=actor, created_at=now)
    scan = Scan.objects.create(
        batch=batch,
        order=1,
        name=name,
        # The doubt about a draft's main file says nothing of this one: it is judged by what is sure.
        declared_level=record.proposed_level if record.state == RecordState.DRAFT else level,
        level=level,
        joins=record,
        why=why,
        original=original,
        sha256=sealed.sha256,
        size=sealed.size,
        created_at=now,
        not_before=now,
    )
    attachments.hand_over(record, original, reason=why, actor=actor)
    return Added(name, scan)


# --- what the pipeline does ---------------------------------------------------------------------------


def protect(scan: Scan, level: Level) -> None:
    """Bring the sealed objects of a file that was judged to its level: rows in this transaction, keys now."""
    addresses = [address for address in (scan.original_id, scan.pack_id) if address]
    DigitalObject.objects.filter(address__in=addresses).update(level=level)
    settling.note(addresses)
    for address in addresses:
        store.relevel(address, to=level)


def join(scan: Scan, captured: capture.Captured, *, actor: Person | None = None, why: str = "") -> Record:
    """Join a file that has been read to its record; return the record. Raises as `attachments.join`."""
    record = cast("Record", scan.joins)
    handed = attachments.Handed(scan.batch.actor, scan.created_at, scan.why)
    attached = attachments.join(record, captured, handed=handed, actor=actor, why=why)
    return attached.record


def held(refusal: Refusal, suggestion: Suggestion) -> tuple[str, dict[str, Any]]:
    """Return under which code a file waits that may not join, and what its sentence needs."""
    if not isinstance(refusal, attachments.MoreSecret | attachments.PerhapsMoreSecret):
        return outcomes.HELD_CLOSED, {}
    code = outcomes.HELD_SURE if isinstance(refusal, attachments.MoreSecret) else outcomes.HELD_DOUBT
    worst = max(suggestion.evidence, key=lambda sign: sign.level, default=None)
    level = suggestion.level if code == outcomes.HELD_SURE else suggestion.plausible
    return code, {"level": level.slug, "page": worst.page if worst else 1, "record": refusal.record.slug}


# --- what a person decides -----------------------------------------------------------------------------


def of_record(record: Record, person: Person) -> QuerySet[Scan]:
    """Return the files on their way to an opened record that this person may know of, and those refused lately."""
    now = timezone.now()
    coming = Q(state__in=[ScanState.WAITING, ScanState.ATTENTION])
    refused_lately = Q(state=ScanState.REFUSED, finished_at__gte=now - TOLD_FOR) & ~Q(code=outcomes.DISMISSED)
    known = Scan.objects.filter(coming | refused_lately, joins=record, level__lte=clearance(person, now))
    return known.select_related("batch__actor").order_by("created_at")


def handed_and_unseen(record: Record, person: Person) -> int:
    """Return how many files this person handed over for a record that wait for somebody cleared for more than they are."""
    beyond = Scan.objects.filter(joins=record, batch__actor=person, level__gt=clearance(person, timezone.now()))
    return beyond.exclude(state__in=[ScanState.FILED, ScanState.REFUSED]).count()


def open_held(person: Person, scan_id: uuid.UUID) -> Scan:
    """Return a file that is held for a person who may decide.

    Raises:
        Hidden: no such file, or above their clearance, or of a record they may not see.
        Forbidden: they may not add files.
    """
    known = Scan.objects.select_related("batch__actor", "batch__unit", "original", "pack", "joins__unit")
    known = known.filter(access.visible_to(person).reaching("joins_id"), level__lte=clearance(person, timezone.now()))
    # One query for all: a missing file and one of a hidden record take the same time.
    scan = known.filter(pk=scan_id).first()
    if scan is None:
        raise Hidden(object_type="scan", object_id=str(scan_id))
    access.require(person, Action.RECORD_ATTACH)
    return scan


def may_join(scan: Scan) -> bool:
    """Return whether a held file could join its record now: a doubtful one, or a sure one whose record was raised."""
    if scan.state != ScanState.ATTENTION or scan.joins is None:
        return False
    if scan.code == outcomes.HELD_SURE:
        return suggestion_of(scan).level <= scan.joins.level
    return scan.code == outcomes.HELD_DOUBT


def accept(scan: Scan, *, why: str, actor: Person) -> Record:
    """Join a doubtful file: a person has looked and says that it is not above its record.

    One with a sure sign joins in the same way once the record has been raised to it (`archive.leveling`).

    Raises:
        WhyMissing: no reason was given.
        intake.NothingToDo: it does not wait for that any more.
        Hidden, Forbidden, TakesNoFile, InClosedDossier, TakesNoMore, HasIt, MoreSecret: see `attachments.join`.
    """
    if not why.strip():
        raise WhyMissing
    if scan.joins is None:  # taken apart by somebody else a moment before it was read
        raise intake.NothingToDo
    with transaction.atomic():
        intake.lock_joined(scan)
        level = Record.objects.get(pk=scan.joins.pk).level
        suggestion = suggestion_of(scan)
        codes = [outcomes.HELD_DOUBT, *([outcomes.HELD_SURE] if suggestion.level <= level else [])]
        waiting = Scan.objects.filter(pk=scan.pk, state=ScanState.ATTENTION, code__in=codes)
        if not waiting.update(state=ScanState.FILED, code="", reason={}, level=level, finished_at=timezone.now()):
            raise intake.NothingToDo
        scan.refresh_from_db(fields=["original", "pack"])  # either may have been sealed anew since it was read
        return join(scan, captured_of(scan, suggestion), actor=actor, why=why.strip())


@transaction.atomic
def part(scan: Scan, *, why: str, actor: Person) -> Scan:
    """Make a dispatch of its own of a held file: it becomes a draft at its own level on the intake desk.

    Raises:
        WhyMissing: no reason was given.
        Forbidden: the actor may not do this.
        intake.NothingToDo: it is not held any more.
    """
    access.require(actor, Action.SCAN_APART)
    if not why.strip():
        raise WhyMissing
    about, record = intake.subject(scan), cast("Record", scan.joins)
    intake.lock_joined(scan)
    held_now = Scan.objects.filter(pk=scan.pk, state=ScanState.ATTENTION, code__in=outcomes.HELD, joins__isnull=False)
    if not held_now.update(
        joins=None,
        state=ScanState.WAITING,
        stage="file",
        code="",
        reason={},
        attempts=0,
        not_before=timezone.now(),
        finished_at=None,
        lease_until=None,
    ):
        raise intake.NothingToDo
    audit.write(Action.SCAN_APART, actor=actor, subject=about, reason=why.strip(), details={"record": record.key})
    scan.refresh_from_db()
    return scan
