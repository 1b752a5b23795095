"""Handing files in by API: upload under a declared level, then ask how far reading is."""

import uuid
from typing import Any, BinaryIO, cast

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import ConfigDict, Field

from archive import access, audit
from archive.api import REFUSALS, Problem, Unread, nothing_else
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import person_of
from ingest import batches, intake, joining, outcomes
from ingest.models import Channel, Scan, ScanState

router = Router(tags=["intake"])


class UploadIn(Schema):
    """The declared level: thuong, mat or toi-mat; `batch` joins an open batch of the same level."""

    model_config = ConfigDict(extra="forbid")

    level: str
    batch: uuid.UUID | None = None


class ScanOut(Schema):
    """Where a file is; `record` is its key once it is on the intake desk, `joins` that of the record it is added to."""

    scan: uuid.UUID
    batch: uuid.UUID
    name: str
    outcome: str
    code: str
    reason: str
    sha256: str
    type: str
    pages: int
    pages_read: int
    declared_level: str
    suggested_level: str | None
    flags: list[str]
    record: str | None
    joins: str | None
    fields: dict[str, Any]


class AddIn(Schema):
    """Why a file is added to a record."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=300)


class AddedOut(Schema):
    """What became of a file for a record; `scan` is null when the record has these bytes already, under `name`."""

    is_new: bool
    name: str
    scan: uuid.UUID | None


def described(scan: Scan) -> dict[str, Any]:
    """Return the public state of a scan."""
    suggested = scan.suggested_level
    return {
        "scan": scan.pk,
        "batch": scan.batch_id,
        "name": scan.name,
        "outcome": "duplicate" if scan.code == outcomes.DUPLICATE else scan.state,
        "code": scan.code,
        "reason": outcomes.sentence(scan.code, scan.reason),
        "sha256": scan.sha256,
        "type": scan.media_type,
        "pages": scan.page_count,
        "pages_read": scan.pages_read,
        "declared_level": Level(scan.declared_level).slug,
        "suggested_level": None if suggested is None else Level(suggested).slug,
        "flags": scan.flags,
        "record": scan.record.key if scan.record else None,
        "joins": scan.joins.key if scan.joins else None,
        "fields": scan.proposal,
    }


@router.post("/scans", response={**REFUSALS, 201: ScanOut, 422: ScanOut | Unread, 400: Problem | Unread})
def upload(request: HttpRequest, asked: Form[UploadIn], file: File[UploadedFile]) -> Status[Any]:
    """Hand one file in; 422 says that it was refused, with the reason."""
    nothing_else(request.POST, UploadIn)
    person = person_of(request)
    access.require(person, Action.SCAN_UPLOAD)
    try:
        level = Level.parse(asked.level)
    except KeyError:
        return Status(400, {"code": "API-001", "message": "level: thuong, mat, toi-mat"})
    if asked.batch:
        batch = batches.open_batch_of(person, asked.batch)
        intake.check_level(level, person)
    if not asked.batch or batch.declared_level != level:
        batch = intake.open_batch(declared=level, channel=Channel.API, actor=person)
    scan = intake.receive(cast("BinaryIO", file.file), name=file.name or "", batch=batch, actor=person)
    return Status(422 if scan.state == ScanState.REFUSED else 201, described(scan))


@router.post("/records/{key}/files", response={**REFUSALS, 201: AddedOut, 200: AddedOut})
def add(request: HttpRequest, key: str, asked: Form[AddIn], file: File[UploadedFile]) -> Status[Any]:
    """Add a file to a record, at its level; it joins when it has been read. The same bytes are taken once (200)."""
    nothing_else(request.POST, AddIn)
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_ATTACH, key)
    source = cast("BinaryIO", file.file)
    try:
        added = joining.add(
            source, name=file.name or "", record=record, why=asked.why, actor=person, channel=Channel.API
        )
    except (Hidden, Forbidden):
        raise
    except Refusal as refusal:
        audit.refused(refusal, actor=person, action="api:add", subject=record)
        return Status(409, {"code": refusal.code, "message": str(refusal)})
    scan = added.scan.pk if added.scan else None
    return Status(201 if added.is_new else 200, {"is_new": added.is_new, "name": added.name, "scan": scan})


@router.get("/scans/{scan_id}", response={200: ScanOut, **REFUSALS})
def status(request: HttpRequest, scan_id: uuid.UUID) -> dict[str, Any]:
    """Return how far the reading of a file is."""
    person = person_of(request)
    access.require(person, Action.SCAN_READ)
    scan = batches.open_scan(person, scan_id)
    audit.watched(Action.SCAN_READ, actor=person, subject=intake.subject(scan))
    return described(scan)
