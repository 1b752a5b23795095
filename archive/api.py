"""Records by API: list, detail, page text with words and boxes - the same doors, the same entries."""

from datetime import date, datetime
from typing import Any, Final

from django.http import HttpRequest, QueryDict
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import ConfigDict, Field

from archive import access, audit, pages
from archive.models import Record
from archive.opening import Shown
from archive.rules.levels import Level, Urgency
from archive.rules.roles import Action
from archive.views.doors import person_of

router = Router(tags=["records"])
PER_PAGE = 50


class Problem(Schema):
    """Why something was not done, and what to do; `code` is stable."""

    code: str
    message: str


class Unread(Schema):
    """Who asks, or what was asked, could not be read: a sentence, or every fault with its place."""

    detail: str | list[dict[str, Any]]


# What every route may answer besides its own: the description names it, so that a caller can rely on all of it.
REFUSALS: Final[dict[int, Any]] = {
    400: Unread, 401: Unread, 403: Problem, 404: Problem, 409: Problem, 422: Unread, 503: Problem,
}  # fmt: skip


class RecordOut(Schema):
    """One record in the names of the data dictionary (annex VI of decree 30/2020/ND-CP)."""

    key: str
    state: str
    direction: str
    level: str
    urgency: str
    register_number: int | None
    code_number: str
    code_notation: str
    issued_date: date | None
    organ_name: str
    parent_organ_name: str
    type_name: str
    subject: str
    signer_name: str
    signer_authority: str
    arrival_date: date | None
    due_date: date | None
    page_amount: int


class FileOut(Schema):
    """One file of a record: 0 is the main one. `first_page` is the number in the record of its first page."""

    number: int
    name: str
    type: str
    size: int
    sha256: str
    first_page: int
    pages: int
    added_by: str
    added_at: datetime
    reason: str
    flags: list[str]


class RecordDetail(RecordOut):
    """One record with what the machine read, the marks of its main file, and its files."""

    proposal: dict[str, Any]
    evidence: list[dict[str, Any]]
    flags: list[str]
    files: list[FileOut]


class RecordList(Schema):
    """A page of records, newest first; `before` is what to ask for the next page: the key of the last record shown."""

    items: list[RecordOut]
    before: str | None


class ListAsked(Schema):
    """What a list may be asked by; nothing else is accepted."""

    model_config = ConfigDict(extra="forbid")

    state: str = ""
    code_number: str = ""
    code_notation: str = ""
    before: str = Field("", max_length=40)


class WordOut(Schema):
    """One word: its offset in the text, its box per 10,000 of the page, 0-100 how sure the reading is."""

    text: str
    start: int
    box: tuple[int, int, int, int]
    confidence: int


class PageOut(Schema):
    """What was read of one page."""

    number: int
    text: str
    source: str
    confidence: int
    flags: list[str]
    words: list[WordOut]


def nothing_else(asked: QueryDict, schema: type[Schema]) -> None:
    """Refuse fields that the schema does not name: the router itself drops them from queries and forms unsaid.

    Raises:
        HttpError: 422, naming them.
    """
    if unknown := sorted(set(asked) - set(schema.model_fields)):
        raise HttpError(422, f"unknown: {', '.join(unknown)[:200]}")


def described(record: Record | Shown) -> dict[str, Any]:
    """Return the public fields of a record."""
    number = getattr(record, "number", None)
    names = set(RecordOut.model_fields) - {"level", "urgency", "register_number"}
    return {name: getattr(record, name) for name in names} | {
        "level": Level(record.level).slug,
        "urgency": Urgency(record.urgency).slug,
        "register_number": number.number if number else None,
    }


def described_file(file: pages.File) -> dict[str, Any]:
    """Return the public state of one file of a record."""
    kept = file.original
    return {
        "number": file.ordinal,
        "name": kept.name,
        "type": kept.media_type,
        "size": kept.size,
        "sha256": kept.sha256,
        "first_page": file.first_page,
        "pages": file.page_count,
        "added_by": file.added_by.full_name,
        "added_at": file.added_at,
        "reason": file.reason,
        "flags": list(file.flags),
    }


@router.get("/records", response={200: RecordList, **REFUSALS})
def listed(request: HttpRequest, asked: Query[ListAsked]) -> dict[str, Any]:
    """List the records this account may see, newest first.

    A page goes on after a record named by its key: a running number would tell how many stand between two, hidden ones too.
    """
    nothing_else(request.GET, ListAsked)
    person = person_of(request)
    access.require(person, Action.RECORD_LIST)
    below = access.open_record(person, Action.RECORD_LIST, asked.before).pk if asked.before else None
    found = access.visible_to(person).records(below=below).select_related("number")
    wanted = {name: getattr(asked, name) for name in ("state", "code_number", "code_notation") if getattr(asked, name)}
    rows = list(found.filter(**wanted).order_by("-pk")[: PER_PAGE + 1])
    audit.read(Action.RECORD_LIST, actor=person, lines=rows[:PER_PAGE], filters=wanted, shown=min(len(rows), PER_PAGE))
    before = rows[PER_PAGE - 1].key if len(rows) > PER_PAGE else None
    return {"items": [described(record) for record in rows[:PER_PAGE]], "before": before}


@router.get("/records/{key}", response={200: RecordDetail, **REFUSALS})
def detail(request: HttpRequest, key: str) -> dict[str, Any]:
    """Return one record."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_READ, key)
    audit.read(Action.RECORD_READ, actor=person, subject=record)
    read = {"proposal": record.proposal, "evidence": record.evidence, "flags": record.flags}
    files, _voided = pages.files_and_voids(record, person)
    return described(record) | read | {"files": [described_file(file) for file in files]}


@router.get("/records/{key}/pages/{number}", response={200: PageOut, **REFUSALS})
def page(request: HttpRequest, key: str, number: int) -> dict[str, Any]:
    """Return what was read of one page, with every word's box."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_TEXT, key)
    kept = pages.text(pages.page_of(record, number))
    audit.read(Action.RECORD_TEXT, actor=person, subject=record, page=number)
    return {
        "number": kept.number,
        "text": kept.text,
        "source": kept.source,
        "confidence": kept.confidence,
        "flags": list(kept.flags),
        "words": [{"text": w.text, "start": w.start, "box": w.box, "confidence": w.confidence} for w in kept.words],
    }
