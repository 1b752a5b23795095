"""One search for one person: the engine's hits, checked again against the database, with passages to show.

The reader's terms go inside the engine's query; the second check fails closed: a hit
that the database does not open is dropped before anything of it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from archive import access, pages
from archive.models import Person, Record
from archive.rules.page import Box
from search import follow, marking
from search.engine import Engine, Filters
from search.entry import Bucket, Excerpt, Order, Terms
from search.nodes import Query

PER_PAGE: Final = 20
MARKED_PAGES: Final = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One hit that may be shown: the record, its passage, and the spans to mark in its subject."""

    record: Record
    excerpt: Excerpt
    subject_marks: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of hits; total and facets count only what the person may see."""

    found: Sequence[Found]
    total: int
    facets: Mapping[str, tuple[Bucket, ...]]


@cache
def engine() -> Engine:
    """Return this process's engine; it sees by itself what other processes commit."""
    return follow.open_engine()


def terms_of(person: Person) -> Terms:
    """Return what a person may see now, as the engine is told."""
    known = access.visible_to(person).terms()
    return Terms(known.level, known.markings, known.reach, known.ids)


def find(query: Query, person: Person, *, filters: Filters, order: Order, offset: int) -> Answer:
    """Return one page of hits for a person."""
    terms = terms_of(person)
    results = engine().search(query, terms, filters=filters, order=order, offset=offset, limit=PER_PAGE)
    ids = [hit.id for hit in results.hits]
    opened = access.visible_to(person).opens(ids).select_related("unit", "number__register").in_bulk(ids)
    shown = [pk for pk in ids if pk in opened]
    passages = engine().excerpts(query, terms, shown)
    found = [
        Found(
            opened[pk],
            passages.get(pk, Excerpt("")),
            marking.marks_in(query, opened[pk].subject),
        )
        for pk in shown
    ]
    return Answer(found, results.total, results.facets)


def marks(query: Query, record: Record) -> dict[int, list[Box]]:
    """Return the boxes of found words by page of an opened record."""
    found = {}
    for page in pages.texts(record):
        if page.number > MARKED_PAGES:
            break
        if boxes := marking.mark_page(query, page).boxes:
            found[page.number] = list(boxes)
    return found
