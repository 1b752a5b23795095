"""What happens to a scan: one stage = one function = one transaction.

Each stage does its slow work first and then commits its result together with the name
of the next stage, only if the worker still holds the claim (`fence`). A kill at any
point leaves the scan where its last commit was; running a stage again is harmless.
What a stage leaves in the store without a row is swept later; a row without bytes
cannot arise.
"""

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive import audit, capture, forgetting, settling, store
from archive.models import DigitalObject, ObjectRole
from archive.rules.levels import Level
from archive.rules.page import PageText
from archive.rules.proposal import Suggestion
from archive.rules.roles import Action
from archive.store import Sealed
from ingest import classify, fields, intake, joining, outcomes, reading, sniff
from ingest.captured import captured_of, suggestion_of
from ingest.models import Scan, ScanState

LARGE: Final = 256 * 1024 * 1024  # above this an original waits in an unlinked file, not in memory


class LostClaim(Exception):  # noqa: N818 - not an error: another worker has it
    """The lease ran out and another worker took the scan: this one's work is dropped."""


class Ended(Exception):  # noqa: N818 - an answer of a stage
    """A stage found that the scan ends here, with a code and the parameters of its sentence."""

    def __init__(self, code: str, **reason: object) -> None:
        """Keep the outcome."""
        super().__init__(code)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a scan; `fence` must still stand in the row when a stage commits."""

    scan_id: Any
    fence: int


Stage = Callable[[Scan, Claim], None]


def advance(claim: Claim) -> Scan:
    """Run the stages of a claimed scan until it ends.

    Raises:
        LostClaim: another worker has taken it over.
    """
    scan = _current(claim)
    while scan.state == ScanState.WAITING:
        try:
            STAGES[scan.stage](scan, claim)
        except Ended as end:
            finish(scan, claim, end)
        scan = _current(claim)
    return scan


def _current(claim: Claim) -> Scan:
    scan = (
        Scan.objects.select_related("batch__actor", "batch__unit", "original", "pack", "joins")
        .filter(pk=claim.scan_id)
        .first()
    )
    if scan is None or scan.fence != claim.fence:
        raise LostClaim
    return scan


def commit(scan: Scan, claim: Claim, **changes: Any) -> None:
    """Write the result of a stage if the claim still holds; call it inside the stage's transaction."""
    kept = Scan.objects.filter(pk=scan.pk, fence=claim.fence, state=ScanState.WAITING).update(**changes)
    if not kept:
        raise LostClaim


def finish(scan: Scan, claim: Claim, end: Ended, **more: Any) -> None:
    """End a scan with its outcome, in one transaction; bytes that may not stay are shredded after commit."""
    state = outcomes.OUTCOMES[end.code].state
    ended = {"state": state, "code": end.code, "reason": end.reason, "finished_at": timezone.now(), "lease_until": None}
    with transaction.atomic():
        commit(scan, claim, **ended, **more)
        gone = _dropped(scan, end)
        scan.refresh_from_db()
        details = end.reason | ({forgetting.DESTROYED: gone} if gone else {})
        audit.write(Action.SCAN_OUTCOME, actor=None, subject=intake.subject(scan), reason=end.code, details=details)
    for address in gone:
        store.shred(address)


def _dropped(scan: Scan, end: Ended) -> list[str]:
    """Take out of the rows what may not stay: everything of a refused file, the pages of one above the ceiling."""
    if outcomes.OUTCOMES[end.code].state == ScanState.REFUSED:
        return intake.forget_objects(scan)
    return intake.forget_objects(scan, original=False) if end.code == outcomes.QUARANTINED else []


# --- the stages ---------------------------------------------------------------------------------------


def sniff_type(scan: Scan, claim: Claim) -> None:
    """Tell the type from the bytes, never from the name."""
    with plain_bytes(scan) as source:
        found = sniff.sniff(source.fileno())
    if found.refusal:
        raise Ended(found.refusal, **found.parameters)
    marks = list(found.marks)
    if not sniff.name_fits(scan.name, found.type):
        marks.append("type_mismatch")
    with transaction.atomic():
        DigitalObject.objects.filter(address=scan.original_id).update(media_type=found.type)
        commit(scan, claim, media_type=found.type, flags=marks, stage="read")


def read_pages(scan: Scan, claim: Claim) -> None:
    """Draw and read every page in the cell; seal images, thumbnails and texts as one pack."""
    with plain_bytes(scan) as source, _memory_file() as pack:
        try:
            facts, pages = reading.read(source.fileno(), type=scan.media_type, progress=_progress(scan, claim))
            table = [_pack_page(pack, page) for page in pages]
        except reading.Unreadable as fault:
            raise Ended(fault.code, **fault.parameters) from fault
        sealed = _seal_pack(pack, scan) if table else None
    table_json = {"pages": table, "signatures": facts.signatures}
    flags = sorted({*scan.flags, *facts.flags, *(flag for page in table for flag in page["flags"])})
    with transaction.atomic():
        if sealed:
            _row_of_pack(sealed, scan)
        DigitalObject.objects.filter(address=scan.original_id).update(signatures=facts.signatures)
        commit(
            scan,
            claim,
            pack_id=sealed.address if sealed else None,
            reading=table_json,
            flags=flags,
            page_count=facts.pages,
            pages_read=len(table),
            stage="propose",
        )


def propose(scan: Scan, claim: Claim) -> None:
    """Propose level and register fields from what was read."""
    pages = [text_of(scan, page) for page in scan.reading["pages"]]
    finds = [find for page in scan.reading["pages"] for find in page["stamps"]]
    bits = {page["number"]: page["bits"] for page in scan.reading["pages"]}
    suggestion = classify.suggest(
        pages,
        stamps=reading.stamp_finds(finds),
        bits=bits,
        declared=Level(scan.declared_level),
        site_max=settings.SITE_MAX_LEVEL,
    )
    second = reading.second_readings([{"second": _second_of(scan, page)} for page in scan.reading["pages"]])
    guesses = fields.propose(pages, second=second) | classify.marks(pages, reading.stamp_finds(finds), suggestion)
    kept = {**scan.reading, "evidence": [sign.to_json() for sign in suggestion.evidence]}
    if suggestion.level > settings.SITE_MAX_LEVEL:
        _quarantine(scan, claim, suggestion)
        return
    level = max(Level(scan.level), min(suggestion.plausible, max(suggestion.level, settings.SITE_MAX_LEVEL)))
    with transaction.atomic():
        commit(
            scan,
            claim,
            reading=kept,
            proposal={name: guess.to_json() for name, guess in guesses.items()},
            suggested_level=suggestion.level,
            level=level,
            stage="file",
        )
        if scan.joins_id:
            joining.protect(scan, level)


def file(scan: Scan, claim: Claim) -> None:
    """Make the draft record on the intake desk, or one more file of a record, in one transaction with the scan's end."""
    suggestion = suggestion_of(scan)
    end = _end_of(scan, suggestion)
    if scan.joins is not None:
        _join(scan, claim, suggestion, end)
        return
    with transaction.atomic():
        record = capture.capture(captured_of(scan, suggestion), actor=scan.batch.actor)
        commit(
            scan,
            claim,
            state=outcomes.OUTCOMES[end.code].state if end else ScanState.FILED,
            code=end.code if end else "",
            reason=end.reason if end else {},
            record=record,
            level=record.level,
            finished_at=timezone.now(),
            lease_until=None,
        )


def _join(scan: Scan, claim: Claim, suggestion: Suggestion, end: Ended | None) -> None:
    """Make the file part of its record; what may not join it waits for a person, sealed at its own level."""
    try:
        with transaction.atomic():
            record = joining.join(scan, captured_of(scan, suggestion))
            commit(
                scan,
                claim,
                state=ScanState.FILED,
                code=end.code if end else "",
                reason=end.reason if end else {},
                level=record.level,
                finished_at=timezone.now(),
                lease_until=None,
            )
    except joining.REFUSED as refusal:
        code, parameters = joining.held(refusal, suggestion)
        raise Ended(code, **parameters) from refusal


STAGES: Final[dict[str, Stage]] = {"sniff": sniff_type, "read": read_pages, "propose": propose, "file": file}


# --- parts of the stages -----------------------------------------------------------------------------


def _quarantine(scan: Scan, claim: Claim, suggestion: Suggestion) -> None:
    """Above the ceiling: keep the sealed original, shred images and text, show and index nothing.

    One transaction: a kill between "this is above the ceiling" and "so it ends here" would let the next
    worker file it.
    """
    level = suggestion.level
    end = Ended(outcomes.QUARANTINED, level=level.slug, ceiling=settings.SITE_MAX_LEVEL.slug)
    if scan.original_id:
        DigitalObject.objects.filter(address=scan.original_id).update(level=level)
        settling.note([scan.original_id])
        store.relevel(scan.original_id, to=level)
    finish(scan, claim, end, reading={}, proposal={}, level=level, suggested_level=level)


def _end_of(scan: Scan, suggestion: Suggestion) -> Ended | None:
    """Return what a person must look at, the gravest first; None when nothing."""
    flags, read = set(scan.flags), scan.reading["pages"]
    if "encrypted" in flags:
        return Ended(outcomes.ENCRYPTED)
    if suggestion.level > suggestion.declared:
        sign = max(suggestion.evidence, key=lambda each: each.level)
        return Ended(outcomes.RAISED, level=suggestion.level.slug, page=sign.page, declared=suggestion.declared.slug)
    if suggestion.needs_person:
        sign = max(suggestion.evidence, key=lambda each: each.level)
        return Ended(outcomes.POSSIBLE_STAMP, page=sign.page, level=suggestion.plausible.slug)
    if hidden := [page["number"] for page in read if "hidden_text" in page["flags"]]:
        return Ended(outcomes.HIDDEN_TEXT, page=hidden[0])
    if len(read) < scan.page_count:
        return Ended(outcomes.PARTLY_READ, failed=scan.page_count - len(read), pages=scan.page_count)
    if poor := [page["confidence"] for page in read if "low_confidence" in page["flags"]]:
        return Ended(outcomes.HARD_TO_READ, confidence=min(poor))
    return None


def _pack_page(pack: BinaryIO, page: reading.ReadPage) -> dict[str, Any]:
    """Append one page to the pack and return its line of the table."""
    ranges = {}
    second = json.dumps(dict(page.second), ensure_ascii=False).encode()
    parts = {"image": page.image, "thumb": page.thumb, "text": page.text.to_bytes(), "second": second}
    for part, content in parts.items():
        ranges[part] = [pack.tell(), len(content)]
        pack.write(content)
    return {
        **ranges,
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "source": page.text.source,
        "confidence": page.text.confidence,
        "flags": sorted({*page.flags, *page.text.flags}),
        "bits": page.bits,
        "stamps": [find.to_json() for find in page.stamps],
    }


def text_of(scan: Scan, page: dict[str, Any]) -> PageText:
    """Return what was read of one page of a scan, from its sealed pack."""
    start, length = page["text"]
    return PageText.from_bytes(store.read(cast("str", scan.pack_id), start=start, length=length))


def _second_of(scan: Scan, page: dict[str, Any]) -> dict[str, str]:
    """Return the second readings of a page's head: words of the dispatch, so they lie sealed like its text."""
    start, length = page["second"]
    kept: dict[str, str] = json.loads(store.read(cast("str", scan.pack_id), start=start, length=length))
    return kept


def _seal_pack(pack: BinaryIO, scan: Scan) -> Sealed:
    pack.seek(0)
    return store.put(pack, level=Level(scan.level))


def _row_of_pack(sealed: Sealed, scan: Scan) -> None:
    DigitalObject.objects.create(
        address=sealed.address,
        role=ObjectRole.PACK,
        size=sealed.size,
        sha256=sealed.sha256,
        sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256,
        level=scan.level,
        created_at=timezone.now(),
    )


def _progress(scan: Scan, claim: Claim) -> Callable[[int, int], None]:
    """Return what tells the batch page how far reading is."""

    def tell(done: int, total: int) -> None:
        commit(scan, claim, pages_read=done, page_count=total)

    return tell


@contextmanager
def _memory_file() -> Iterator[BinaryIO]:
    # nosemgrep: files - memory, no path
    with os.fdopen(os.memfd_create("pack", os.MFD_CLOEXEC), "w+b") as pack:
        yield cast("BinaryIO", pack)


@contextmanager
def plain_bytes(scan: Scan) -> Iterator[BinaryIO]:
    """Unseal the original where only this process can read it: memory, or an unlinked file when large."""
    if scan.original is None:
        raise Ended(outcomes.FAILED, times=scan.attempts, why="original")
    with _private_file(scan.original.size) as plain, store.open(scan.original.address) as sealed:
        for block in iter(lambda: sealed.read(1024 * 1024), b""):
            plain.write(block)
        plain.flush()
        plain.seek(io.SEEK_SET)
        yield plain


@contextmanager
def _private_file(size: int) -> Iterator[BinaryIO]:
    if size <= LARGE:
        with _memory_file() as plain:
            yield plain
        return
    folder = settings.VANKHO_HOME / "tmp"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # nosemgrep: files - a nameless file in the installation
    handle = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    # nosemgrep: files - the nameless file above
    with os.fdopen(handle, "w+b") as plain:
        yield cast("BinaryIO", plain)
