"""Searching by API: the same query language, the same terms, the same second check."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from archive import access, audit
from archive.api import RecordOut, described
from archive.rules.roles import Action
from archive.views.doors import person_of
from search import finding
from search.entry import FACETS, Order
from search.query import MAX_CHARS, parse

router = Router(tags=["search"])


class SearchIn(Schema):
    """A query with its chosen facet values; a POST, so that no words stand in an address."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=MAX_CHARS)
    order: Order = Order.NEWEST
    offset: int = Field(0, ge=0, le=10_000)
    filters: dict[str, list[str]] = Field(default_factory=dict)


class HitOut(RecordOut):
    """One hit: the record, a passage of plain text, and (page, places) of every hit page."""

    passage: str
    pages: list[tuple[int, int]]


class BucketOut(Schema):
    """One value of a facet."""

    value: str
    count: int


class SearchOut(Schema):
    """Hits, total and facets among what this account may see."""

    total: int
    items: list[HitOut]
    facets: dict[str, list[BucketOut]]


@router.post("/search", response=SearchOut)
def search(request: HttpRequest, asked: SearchIn) -> dict[str, Any]:
    """Search the records this account may see."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    filters = {name: values for name, values in asked.filters.items() if name in FACETS}
    answer = finding.find(parse(asked.q), person, filters=filters, order=asked.order, offset=asked.offset)
    audit.read(Action.SEARCH_RUN, actor=person, text=asked.q, filters=filters, total=answer.total)
    return {
        "total": answer.total,
        "items": [
            described(hit.record) | {"passage": hit.excerpt.text, "pages": list(hit.excerpt.pages)}
            for hit in answer.found
        ],
        "facets": {
            name: [{"value": b.value, "count": b.count} for b in buckets] for name, buckets in answer.facets.items()
        },
    }
