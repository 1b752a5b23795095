"""Taking a file in: seal the bytes first, then write the row; nothing is ever half taken.

Whoever hands in declares the level first; machine evidence may only raise it. What is
refused here has a row too, so that every batch's sum closes. No uploaded byte is
opened here: that happens later, in the cell.
"""

import unicodedata
import uuid
from contextlib import suppress
from datetime import datetime
from typing import BinaryIO, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from archive import access, audit, forgetting, store
from archive.models import DigitalObject, ObjectRole, Person, Record, RecordState, Unit
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.rules.sizes import MAX_FILE_BYTES
from archive.standing import clearance, units_open
from archive.store import Sealed, StoreAway, StoreFull
from ingest import outcomes
from ingest.models import Batch, Scan, ScanState


class LevelRefused(Refusal):
    """ING-005, ING-022: a level above the site's ceiling or the person's clearance is refused before upload."""

    code = outcomes.ABOVE_CEILING
    message = outcomes.OUTCOMES[outcomes.ABOVE_CEILING].sentence


class NotCleared(Refusal):
    """ING-022: nobody hands in what they may not see."""

    code = outcomes.LEVEL_NOT_YOURS
    message = outcomes.OUTCOMES[outcomes.LEVEL_NOT_YOURS].sentence


def open_batch(*, declared: Level, channel: str, actor: Person, unit: Unit | None = None) -> Batch:
    """Begin a hand-over under one declared level.

    Args:
        declared: the level, chosen before any file is sent.
        channel: how the files come in (`Channel`).
        actor: who hands in.
        unit: the intake desk that will see it; the actor's own unit by default.

    Raises:
        Forbidden: the actor may not hand in.
        LevelRefused: above the ceiling of this installation.
        NotCleared: above the actor's clearance.
    """
    access.require(actor, Action.SCAN_UPLOAD)
    check_level(declared, actor)
    return Batch.objects.create(
        channel=channel, unit=unit or actor.unit, declared_level=declared, actor=actor, created_at=timezone.now()
    )


def check_level(declared: Level, actor: Person) -> None:
    """Refuse a declared level above the site's ceiling or the actor's clearance."""
    if declared > settings.SITE_MAX_LEVEL:
        raise LevelRefused(ceiling=settings.SITE_MAX_LEVEL.label)
    cleared = clearance(actor, timezone.now())
    if declared > cleared:
        raise NotCleared(clearance=cleared.label)


def receive(source: BinaryIO, *, name: str, batch: Batch, actor: Person, scan_id: uuid.UUID | None = None) -> Scan:
    """Take one file in: sealed in the store, then one row; or a row that says why not.

    Args:
        source: the bytes, read once from where it stands.
        name: as handed over; the path is dropped, never used.
        batch: the open hand-over.
        actor: who hands in.
        scan_id: the row's id when the caller must find it again after a crash.

    Returns:
        A scan that waits, that needs attention (the same bytes again), or that is refused.

    Raises:
        Forbidden: the actor may not hand in.
        StoreFailed: the store is away; nothing was taken in and no row says so. The source is still whole:
            hand it in again, or write its row with `turn_away`.
    """
    access.require(actor, Action.SCAN_UPLOAD)
    try:
        sealed = store.put(cast("BinaryIO", Limited(source)), level=Level(batch.declared_level))
    except StoreFull:
        return refuse(batch, name=name, code=outcomes.DISK_FULL, actor=actor)
    except TooLarge:
        limit = f"{MAX_FILE_BYTES // (1024 * 1024)} MB"
        return refuse(batch, name=name, code=outcomes.TOO_LARGE, actor=actor, limit=limit)
    if sealed.size == 0:
        store.shred(sealed.address)
        return refuse(batch, name=name, code=outcomes.EMPTY, actor=actor)
    return _take(sealed, name=clean_name(name), batch=batch, actor=actor, scan_id=scan_id or uuid.uuid4())


@transaction.atomic
def _take(sealed: Sealed, *, name: str, batch: Batch, actor: Person, scan_id: uuid.UUID) -> Scan:
    now = timezone.now()
    twin = _twin(sealed.sha256, batch, actor, now)
    original = DigitalObject.objects.create(
        address=sealed.address,
        role=ObjectRole.ORIGINAL,
        name=name,
        size=sealed.size,
        sha256=sealed.sha256,
        sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256,
        level=batch.declared_level,
        created_at=now,
    )
    scan = Scan.objects.create(
        id=scan_id,
        **_line(batch, name, now),
        original=original,
        sha256=sealed.sha256,
        size=sealed.size,
        **_as_duplicate(twin, now),
    )
    audit.write(
        Action.SCAN_UPLOAD,
        actor=actor,
        subject=subject(scan),
        details={"name": name, "sha256": sealed.sha256, "size": sealed.size, "channel": batch.channel},
    )
    return scan


def _line(batch: Batch, name: str, now: datetime) -> dict[str, object]:
    top = Scan.objects.filter(batch=batch).aggregate(top=Max("order"))["top"] or 0
    return {
        "batch": batch,
        "order": top + 1,
        "name": name,
        "declared_level": batch.declared_level,
        "level": batch.declared_level,
        "created_at": now,
        "not_before": now,
    }


def _twin(sha256: str, batch: Batch, actor: Person, now: datetime) -> Scan | None:
    """Return an earlier scan of the same bytes that this person may see; a hidden one is never told."""
    known = Scan.objects.filter(of_known_records(actor), sha256=sha256, batch__unit=batch.unit)
    known = known.filter(level__lte=clearance(actor, now))
    return known.filter(joins__isnull=True).exclude(state=ScanState.REFUSED).order_by("created_at").first()


def _as_duplicate(twin: Scan | None, now: datetime) -> dict[str, object]:
    if twin is None:
        return {}
    day = timezone.localdate(twin.created_at).strftime("%d/%m/%Y")
    return {
        "state": ScanState.ATTENTION,
        "code": outcomes.DUPLICATE,
        "reason": {"name": twin.name, "day": day},
        "duplicate_of": twin,
        "finished_at": now,
    }


@transaction.atomic
def refuse(batch: Batch, *, name: str, code: str, actor: Person, **reason: object) -> Scan:
    """Write the row of a file that was not taken in; no byte of it is kept."""
    now = timezone.now()
    scan = Scan.objects.create(
        **_line(batch, clean_name(name), now), state=ScanState.REFUSED, code=code, reason=reason, finished_at=now
    )
    audit.write(Action.SCAN_OUTCOME, actor=actor, subject=subject(scan), reason=code, details={"name": scan.name})
    return scan


def turn_away(batch: Batch, *, name: str, actor: Person) -> Scan:
    """Write the row of a file that was not taken in because the store is away, where nobody will try again by itself."""
    return refuse(batch, name=name, code=outcomes.STORE_AWAY, actor=actor)


class NothingToDo(Refusal):
    """ING-023: the row is no longer in the state the button was drawn for."""

    code = "ING-023"
    message = outcomes.CHANGED


@transaction.atomic
def retry(scan: Scan, *, actor: Person) -> Scan:
    """Put a scan back into the queue: a failed one, or a duplicate that is wanted all the same.

    Raises:
        Forbidden: the actor may not retry.
        NothingToDo: it is not waiting for a person any more.
    """
    access.require(actor, Action.SCAN_RETRY)
    now = timezone.now()
    retried = Scan.objects.filter(pk=scan.pk, state=ScanState.ATTENTION, record__isnull=True).exclude(
        code__in=[outcomes.QUARANTINED, *outcomes.HELD]
    )
    if not retried.update(
        state=ScanState.WAITING, code="", reason={}, attempts=0, not_before=now, finished_at=None, lease_until=None
    ):
        raise NothingToDo
    scan.refresh_from_db()
    audit.write(Action.SCAN_RETRY, actor=actor, subject=subject(scan))
    return scan


def retry_failed(scans: QuerySet[Scan], *, actor: Person) -> int:
    """Put the failed among these scans back into the queue; return how many. Duplicates wait for a person's word.

    Raises:
        Forbidden: the actor may not retry.
    """
    count = 0
    waiting_for_a_person = scans.filter(state=ScanState.ATTENTION, record__isnull=True)
    for scan in waiting_for_a_person.exclude(code__in=[outcomes.QUARANTINED, outcomes.DUPLICATE, *outcomes.HELD]):
        with suppress(NothingToDo):  # somebody else was faster with this one
            retry(scan, actor=actor)
            count += 1
    return count


def dismiss(scan: Scan, *, reason: str, actor: Person) -> Scan:
    """Put a scan aside for good: the row and the reason stay, the bytes are shredded after commit.

    Raises:
        Forbidden: the actor may not do this.
        NothingToDo: it is not waiting for a person any more, or has become a draft.
    """
    with transaction.atomic():
        access.require(actor, Action.SCAN_DISMISS)
        lock_joined(scan)
        gone = Scan.objects.filter(pk=scan.pk, state=ScanState.ATTENTION, record__isnull=True).update(
            state=ScanState.REFUSED,
            code=outcomes.DISMISSED,
            reason={"person": actor.full_name, "reason": reason.strip()},
            finished_at=timezone.now(),
        )
        if not gone:
            raise NothingToDo
        addresses = forget_objects(scan)
        scan.refresh_from_db()
        details = {forgetting.DESTROYED: addresses}
        audit.write(Action.SCAN_DISMISS, actor=actor, subject=subject(scan), reason=reason, details=details)
    for address in addresses:
        with suppress(StoreAway):  # the key is gone; the sweep removes bytes that no row names
            store.shred(address)
    return scan


def lock_joined(scan: Scan) -> None:
    """Take the lock of the dispatch that a file is for, before the file's own row: every decision takes them in this order.

    An entry about the file names the dispatch, and on PostgreSQL waits for whoever holds its lock.
    """
    if scan.joins_id is not None:
        Record.objects.select_for_update(of=("self",)).get(pk=scan.joins_id)


def forget_objects(scan: Scan, *, original: bool = True) -> list[str]:
    """Take the sealed objects of a scan (or its pack alone) out of the rows; the caller shreds them after commit."""
    gone = ["pack", *(["original"] if original else [])]
    # As they are called now, not when the scan was read: one may have been sealed anew since.
    kept = Scan.objects.filter(pk=scan.pk).select_for_update(of=("self",)).values_list(*gone)
    addresses = [address for row in kept for address in row if address]
    Scan.objects.filter(pk=scan.pk).update(**dict.fromkeys(gone))
    gone_rows = DigitalObject.objects.filter(address__in=addresses)
    list(
        gone_rows.select_for_update(of=("self",)).order_by("address")
    )  # before their notes, as `archive.settling` locks them
    gone_rows.delete()
    return addresses


def subject(scan: Scan) -> audit.Subject:
    """Return what an entry about a scan says of it."""
    return audit.Subject("scan", scan.pk.hex, level=scan.level, record_id=scan.record_id or scan.joins_id)


def visible_scans(person: Person) -> Q:
    """Return the filter of the scans a person may know of: their intake desk, up to their clearance."""
    now = timezone.now()
    on_desk = Q(batch__unit__in=units_open(person, now), level__lte=clearance(person, now))
    return on_desk & of_known_records(person)


def of_known_records(person: Person) -> Q:
    """Return the filter of the scans whose record, if they became or join one, a person may know of.

    A scan says what its record says - name, number, issuer, subject - but a clerk may register
    the draft above the level at which the file was read, and a record may be taken out of a desk's reach.
    """
    scope = access.visible_to(person)
    joins = Q(joins__isnull=True) | Q(scope.reaching("joins_id"))
    return joins & (Q(record__isnull=True) | Q(scope.reaching("record_id")))


STILL_OPEN = Q(state=ScanState.ATTENTION) & (Q(record__isnull=True) | Q(record__state=RecordState.DRAFT))


def clean_name(name: str) -> str:
    """Return a file name to show: last part of the path, NFC, no control or direction marks, at most 255."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", 1)[-1]
    shown = "".join("_" if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn"} else sign for sign in last)
    return shown.strip()[:255] or "_"


class TooLarge(Exception):  # noqa: N818 - turned into an outcome by `receive`
    """The source went beyond the limit of one file."""


class Limited:
    """Reads a source up to the limit of one file."""

    def __init__(self, source: BinaryIO) -> None:
        self.source = source
        self.left = MAX_FILE_BYTES

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raises TooLarge beyond the limit."""
        block = self.source.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise TooLarge
        return block
