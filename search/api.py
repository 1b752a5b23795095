"""Searching by API: the same query language, the same terms, the same second check.

Words are sent in the body of a POST, never in an address. While the search server is
away the answer is 503 with a problem (`SRC-001`); everything else of the API works.
"""

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from archive import access, audit
from archive.api import REFUSALS, RecordOut, described
from archive.models import Person
from archive.rules.roles import Action
from archive.views.doors import person_of
from search import chips, finding, labels, offering
from search.engine import DEEPEST, EngineAway
from search.entry import Order
from search.query import MAX_CHARS, parse

router = Router(tags=["search"])

AWAY: Final = "SRC-001"
RETRY_SECONDS: Final = "30"
MOST_VALUES: Final = 100  # of one facet
LONGEST_VALUE: Final = 300
Facet = Literal["type", "organ", "unit", "year", "month", "level", "urgency", "register", "dossier", "retention"]


# With a bound of its own a value must be whole text: half a pair of UTF-16 would be an error in the engine.
Value = Annotated[str, Field(max_length=LONGEST_VALUE)]
Values = Annotated[list[Value], Field(max_length=MOST_VALUES)]


class SearchIn(Schema):
    """A query with its chosen facet values; `offset` pages through the hits, twenty at a time."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=MAX_CHARS, description="words, a number, name:value; empty: everything")
    order: Order = Order.NEWEST
    offset: int = Field(0, strict=True, ge=0, lt=DEEPEST)
    filters: dict[Facet, Values] = Field(
        default_factory=dict, description="facet to values: any of them, in every facet"
    )


class AttachedPageOut(Schema):
    """A hit page that lies in an attached file: which one, and the page's number in it."""

    page: int
    file: int
    name: str
    file_page: int


class HitOut(RecordOut):
    """One hit: the record, a passage of plain text with its spans to mark, and (page, places) of every hit page."""

    passage: str
    passage_marks: list[tuple[int, int]]
    passage_page: int
    subject_marks: list[tuple[int, int]]
    pages: list[tuple[int, int]]
    attached_pages: list[AttachedPageOut]


class BucketOut(Schema):
    """One value of a facet, how many hits have it, and its words: filter by the value, show the label."""

    value: str
    count: int
    label: str


class UnderstoodOut(Schema):
    """One piece of the query as it was understood, and the query without it."""

    kind: str
    label: str
    value: str
    note: str
    is_negative: bool
    without: str


class SearchOut(Schema):
    """Hits, total and facets among what this account may see; `next_offset` is null at the end."""

    total: int
    next_offset: int | None
    items: list[HitOut]
    facets: dict[str, list[BucketOut]]
    understood: list[UnderstoodOut]
    is_cut: bool = Field(description="the query was longer than can be asked; its end was left out")
    meant: list[str] = Field(description="queries that may have been meant and find more")
    is_late: bool = Field(description="changes have waited too long for the index: what is not found may be there")
    is_damaged: bool = Field(
        description="the texts of the index cannot be read: passages are left out until it is rebuilt"
    )


class TypedIn(Schema):
    """The beginning of a query."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(max_length=MAX_CHARS)


class HintOut(Schema):
    """A whole query that would find `count` records, or more of them if `is_least`."""

    text: str
    count: int
    is_least: bool


@router.post("/search", response={200: SearchOut, **REFUSALS})
def search(request: HttpRequest, response: HttpResponse, asked: SearchIn) -> Status[Any]:
    """Search the records this account may see."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    query = parse(asked.q)
    filters = {str(name): values for name, values in asked.filters.items() if values}
    try:
        answer = finding.find(query, person, filters=filters, order=asked.order, offset=asked.offset)
        meant = [] if asked.offset else offering.meant(query, person)
        is_late = finding.is_late(person)
    except EngineAway:
        return _away(response, person)
    shown = [found.record for found in answer.found]
    audit.read(Action.SEARCH_RUN, actor=person, records=shown, text=asked.q, filters=filters, total=answer.total)
    labels.note(answer.chosen, shown, person)
    following = asked.offset + finding.PER_PAGE
    is_last = following >= min(answer.total, DEEPEST)
    return Status(
        200,
        {
            "total": answer.total,
            "next_offset": None if is_last else following,
            "items": [_hit(found) for found in answer.found],
            "facets": answer.facets,
            "understood": chips.describe(query),
            "is_cut": query.is_cut,
            "meant": [one.text for one in meant],
            "is_late": is_late,
            "is_damaged": answer.is_damaged,
        },
    )


def _hit(found: finding.Found) -> dict[str, Any]:
    return described(found.record) | {
        "passage": found.excerpt.text,
        "passage_marks": list(found.excerpt.spans),
        "passage_page": found.excerpt.page,
        "subject_marks": list(found.subject_marks),
        "pages": list(found.excerpt.pages),
        "attached_pages": [
            {"page": page, "file": file.ordinal, "name": file.name, "file_page": page - file.first_page + 1}
            for page, _count in found.excerpt.pages
            if (file := found.file_of(page))
        ],
    }


@router.post("/search/suggestions", response={200: list[HintOut], **REFUSALS})
def suggestions(request: HttpRequest, response: HttpResponse, typed: TypedIn) -> Status[Any]:
    """Offer what may be about to be typed, from the records this account may see."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    try:
        return Status(200, offering.suggestions(typed.q, person) if typed.q.strip() else [])
    except EngineAway:
        return _away(response, person)


def _away(response: HttpResponse, person: Person) -> Status[Any]:
    """Say that search is away and when to come back."""
    response["Retry-After"] = RETRY_SECONDS
    return Status(503, {"code": AWAY, "message": finding.missed(person)})
