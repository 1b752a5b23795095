"""One search for one person: the engine's hits, checked again against the database, with passages to show.

The reader's terms go inside the engine's query; the second check fails closed: a hit
that the database does not open is dropped before anything of it is read.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import islice
from typing import Final

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from archive import access, audit, opening, pages
from archive.models import Attachment, DossierItem, Person, Record, Unit
from archive.opening import Shown
from archive.rules.page import Box
from archive.rules.roles import Action
from archive.standing import keep, known_once, once, units_open
from search import filing, follow, labels, lagging, marking, naming, units
from search.engine import DEEPEST, Engine, Filters, IndexBroken
from search.entry import Bucket, Excerpt, Order, Results, Terms
from search.lagging import Backlog
from search.nodes import Query

PER_PAGE: Final = 20
ASKED: Final = 5_000  # changed records put to the database at once; beyond the first only after a long outage
BATCH: Final = 200  # records of an export read and checked at once
_TERMS: Final = "search terms"
MARKED_PAGES: Final = 500
_LOOKS: Final = 5  # at an index that is wrong about records of the page asked for

log = logging.getLogger("vankho.search")


@dataclass(frozen=True, slots=True)
class Found:
    """One hit that may be shown: record, passage, spans in its subject, attached files, the name that answers if no text does."""

    record: Shown
    excerpt: Excerpt
    subject_marks: Sequence[tuple[int, int]]
    attached: Sequence[Attachment] = ()
    name: naming.Name | None = None

    def file_of(self, page: int) -> Attachment | None:
        """Return the attached file in which a page of the record lies; None for the main file."""
        return next((file for file in self.attached if file.has_page(page)), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of hits; total and facets count only what the person may see, values with their words.

    `chosen` has the words of chosen values that are not counted, as far as the person may know them.
    `is_damaged`: the texts of the index cannot be read, so no hit has its passage.
    """

    found: Sequence[Found]
    total: int
    facets: Mapping[str, tuple[Bucket, ...]]
    chosen: labels.Labels = field(default_factory=labels.Labels)
    is_damaged: bool = False


@cache
def engine() -> Engine:
    """Return this process's engine; it sees by itself what other processes commit."""
    return follow.open_engine()


@cache
def _backlog() -> Backlog:
    """Return what this process knows of the log beyond the index."""
    return Backlog()


def is_late(person: Person) -> bool:
    """Return whether the index has missed changes for long, so that what this person does not find may be there all the same.

    Changes of what they may not see tell them nothing. Asks nothing more while the last search knew of no change behind
    the index.

    Raises:
        EngineAway: the search server does not answer.
    """
    if _backlog().is_empty or not (waiting := lagging.late(engine())):
        return False
    return access.visible_to(person).opens(waiting[:ASKED]).exists()


def missed(person: Person) -> str:
    """Write that a person asked while the search server was away, and return the sentence that says so: nothing was told."""
    said = gettext("The search server does not answer. Nothing is lost; ask again later.")
    audit.failed(Action.SEARCH_RUN, answer=said, actor=person)
    return said


def terms_of(person: Person) -> Terms:
    """Return what a person may see now, as the engine is told; of what it has not followed yet the database decides."""
    return once(_TERMS, person, timezone.now(), lambda: _read(person)[0])


def _read(person: Person, *others: lagging.Beside) -> tuple[Terms, lagging.Told]:
    """Return the terms of a person, and what else is read by the same query."""
    scope = access.visible_to(person)
    changed, told, reached = _backlog().records(engine(), scope, *others)
    known = scope.terms([record for record, _ in told.get(lagging.GRANT, ()) if record])
    opened: set[int] = set()
    for start in range(0, len(changed), ASKED):
        opened.update(scope.opens(changed[start : start + ASKED]).values_list("pk", flat=True))
    raised = [record for record, _ in told.get(lagging.RAISED, ()) if record in opened]
    opened -= _below_their_dossier(raised) if raised else set()
    closed = tuple(pk for pk in changed if pk not in opened)
    filing_units = tuple(units_open(person, timezone.now()))
    return Terms(known.level, known.markings, known.reach, known.ids, closed, filing_units, reached), told


def _below_their_dossier(raised: Sequence[int | None]) -> set[int]:
    """Return what lies in a dossier that has just risen above it: the index would still find and count it by its words.

    Left out whole, for a moment: what is found by words of the dossier cannot be told from what is found by its own.
    """
    found: set[int] = set()
    for start in range(0, len(raised), ASKED):
        items = DossierItem.objects.filter(record__in=raised[start : start + ASKED])
        found.update(items.filter(dossier__level__gt=F("record__level")).values_list("record_id", flat=True))
    return found


def _asked(query: Query, filters: Filters, person: Person) -> tuple[Query, Filters, Terms]:
    """Return what the engine is asked: units by number, no dossier that the person may not know of, and their terms.

    All three by one query, or by those for which the request has not been answered yet.
    """
    names, now = units.known(), timezone.now()
    terms = known_once(_TERMS, person, now)
    if isinstance(terms, Terms):
        return names.resolved(query), filing.asked(filters, person), terms
    others = []
    if filters.get(filing.FACET):
        others.append(lagging.beside("dossier", filing.chosen(filters, person), word="key"))
    if units.asks(query) and not names.is_read:
        others.append(lagging.beside("unit", Unit.objects.all(), number="pk", word="name"))
    terms, told = _read(person, *others)
    keep(_TERMS, person, now, terms)
    if "unit" in told:
        names.take((pk, name) for pk, name in told["unit"] if pk)
    known = filing.only(filters, (key for _, key in told.get("dossier", ())))
    return names.resolved(query), known, terms


def find(query: Query, person: Person, *, filters: Filters, order: Order, offset: int) -> Answer:
    """Return one page of hits for a person."""
    named, filters, terms = _asked(query, filters, person)
    look = partial(engine().search, named, filters=filters, order=order, offset=offset, limit=PER_PAGE)
    results, opened, terms = _checked(look, terms, person)
    facets, chosen = labels.told(results.facets, filters, person)
    shown = [hit.id for hit in results.hits]
    passages = _passages(query, terms, shown)
    with_files = [pk for pk in shown if opened[pk].has_attached]
    attached, voided = _attached(with_files), _voided(with_files)
    looked_for = marking.patterns(query, field="subject")
    subjects = {pk: marking.marks(looked_for, opened[pk].subject) for pk in shown}
    texts = {pk: _without((passages or {}).get(pk, Excerpt("")), voided.get(pk)) for pk in shown}
    unmarked = [opened[pk] for pk in shown if not subjects[pk] and not texts[pk].spans]
    names = naming.names_of(query, unmarked)
    found = [Found(opened[pk], texts[pk], subjects[pk], attached.get(pk, ()), names.get(pk)) for pk in shown]
    return Answer(found, results.total, facets, chosen, is_damaged=passages is None)


def _passages(query: Query, terms: Terms, ids: Sequence[int]) -> dict[int, Excerpt] | None:
    """Return the passages of hits; None, and a word to who keeps the machine, where the index cannot read its texts."""
    try:
        return engine().excerpts(query, terms, ids)
    except IndexBroken:
        log.exception("passages are not shown")
        return None


def _checked(look: Callable[[Terms], Results], terms: Terms, person: Person) -> tuple[Results, dict[int, Shown], Terms]:
    """Return a page of hits that the database opens one and all, with their records and the terms that found it.

    If the index opens what the database closes, it is asked again without that, so that
    no total or facet counts it; an index that goes on being wrong is not believed at all.
    """
    for _ in range(_LOOKS):
        results = look(terms)
        ids = [hit.id for hit in results.hits]
        opened = _opened(ids, person)
        if len(opened) == len(ids):
            return results, opened, terms
        log.error("the index opens %d records that the database closes", len(ids) - len(opened))
        terms = replace(terms, but=(*terms.but, *(pk for pk in ids if pk not in opened)))
    return Results(), {}, terms


def every(query: Query, person: Person, *, filters: Filters, order: Order, limit: int) -> Iterator[Found]:
    """Yield the hits for a person one by one, without passages, at most `limit` of them: for an export.

    Read in batches; each is checked against the database as it is read, so that access
    which ends in the middle of a long export ends there.
    """
    given: set[int] = set()
    filters, named = filing.asked(filters, person), units.known().resolved(query)
    for start in range(0, min(limit, DEEPEST), BATCH):
        results = engine().search(
            named, terms_of(person), filters=filters, order=order, offset=start,
            limit=min(BATCH, limit - start), facets=(),
        )  # fmt: skip
        ids = [hit.id for hit in results.hits if hit.id not in given]
        opened = _opened(ids, person)
        for pk in ids:
            if pk in opened:
                yield Found(opened[pk], Excerpt(""), ())
        given.update(ids)
        if not results.hits:
            return


def similar(record: Record, person: Person, limit: int = 5) -> list[Shown]:
    """Return neighbours of a record, nearest first; none unless the person may see the record itself.

    Raises:
        EngineAway: the search server does not answer.
        IndexBroken: the index cannot read its text.
    """
    if not _opened([record.pk], person):
        return []
    ids = [hit.id for hit in engine().similar(record.pk, terms_of(person), limit=limit)]
    opened = _opened(ids, person)
    return [opened[pk] for pk in ids if pk in opened]


def _opened(ids: Sequence[int], person: Person) -> dict[int, Shown]:
    """Return those of the records that the database opens to the person now."""
    return opening.opened(access.visible_to(person), ids)


def _attached(ids: Sequence[int]) -> dict[int, list[Attachment]]:
    """Return the attached files of opened records that have some: as a rule none of a page has."""
    return pages.attached_to(ids) if ids else {}


def _voided(ids: Sequence[int]) -> dict[int, set[int]]:
    """Return the numbers of the pages of voided files of opened records; records without are left out."""
    return pages.voided_of(ids) if ids else {}


def _without(excerpt: Excerpt, voided: Collection[int] | None) -> Excerpt:
    """Return an excerpt without what stands on voided pages: the index may not have followed yet.

    A passage of no page is the beginning of all that is read, so it goes as well.
    """
    if not voided:
        return excerpt
    kept = tuple((page, count) for page, count in excerpt.pages if page not in voided)
    return Excerpt("", pages=kept) if excerpt.page in {0, *voided} else replace(excerpt, pages=kept)


def marks(query: Query, record: Record) -> dict[int, list[Box]]:
    """Return the boxes of found words by page of an opened record."""
    marked = marking.mark_pages(query, islice(pages.texts(record), MARKED_PAGES))
    return {number: list(found.boxes) for number, found in marked if found.boxes}
