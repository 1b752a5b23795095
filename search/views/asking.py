"""What a reader asks for, and where its words stand: never in an address when the work may be classified (ASVS 14.2.1).

Whoever may see more than the lowest level, and whoever names a level, sends the words
in a form; they are kept for a day under an id that says nothing (`search.models.Asking`),
and the id stands in the address. It answers nobody but the person who asked. What is
left in an address beside it tells no content: page, order, a span of years or months.
Everybody else may have plain addresses (`?q=`), which can be kept as bookmarks.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Final, Protocol
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from archive import audit
from archive.models import Person
from archive.rules.errors import Hidden
from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS, Level
from archive.standing import standing
from archive.templatetags.places import place
from search import writing
from search.entry import FACETS, Order
from search.models import Asking
from search.nodes import And, Choice, Dates, Node, Not, Or, Query, Year
from search.query import MAX_CHARS, parse
from search.views import places, rows

DEEPEST_PAGE: Final = 500
NARROWING: Final = tuple(name for name in FACETS if name != "month")  # months are spans of the histogram
LIFE: Final = timedelta(days=1)
VALUES: Final = 20  # of one facet
LONGEST_VALUE: Final = 300
SLUGS: Final = {"level": tuple(LEVEL_SLUGS.values()), "urgency": tuple(URGENCY_SLUGS.values())}
_SPAN: Final = re.compile(r"(\d{4}(?:-(?:0[1-9]|1[0-2]))?)(?:\.\.(\d{4}(?:-(?:0[1-9]|1[0-2]))?))?")
_YEAR: Final = 4  # letters of a span that names years and not months

Filters = dict[str, tuple[str, ...]]


class Given(Protocol):
    """A form or an address: what both can be asked."""

    def get(self, name: str, default: str) -> str | None: ...  # noqa: D102 - the standard meaning
    def getlist(self, name: str) -> list[str]: ...  # noqa: D102 - the standard meaning


@dataclass(frozen=True)
class Asked:
    """One question: text, chosen facet values, order, page (from 1), and the id it is kept under ("" when it is not).

    `span` is what the address narrows the kept text to; it is part of `text` already.
    """

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: Order = Order.BEST
    page: int = 1
    token: str = ""
    span: str = ""

    @cached_property
    def query(self) -> Query:
        """The text as it was understood."""
        return parse(self.text)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked yet."""
        return not self.text.strip() and not self.filters

    @property
    def names_level(self) -> bool:
        """Whether it asks by level: then it is about classified work, whoever asks."""
        return "level" in self.filters or any(
            isinstance(leaf, Choice) and leaf.field == "level" for leaf in _leaves(self.query.root)
        )

    def level(self, person: Person) -> Level:
        """Return the highest level this question may be about when this person asks it."""
        highest = standing(person, timezone.now()).level
        return max(highest, Level.MAT) if self.names_level else highest

    def may_stand_in_address(self, person: Person) -> bool:
        """Return whether its words may stand in an address."""
        return self.level(person) == Level.THUONG

    def address(self, *, order: Order | None = None, page: int = 1, span: str | None = None) -> str:
        """Return the address of this question with another page, order or span; words only if it is not kept.

        A question that must be kept has no address before `addressed` kept it.
        """
        span = (self.span if self.token else "") if span is None else span
        order = order or self.order
        said: list[tuple[str, str]] = []
        if not self.token:
            said += [("q", self.text), *((name, value) for name, given in self.filters.items() for value in given)]
        said += [("order", order)] if order != Order.BEST or self.token else []
        said += [("span", span)] if span else []
        said += [("page", str(page))] if page > 1 else []
        there = places.asked(self.token) if self.token else place(places.SEARCH)
        return f"{there}?{urlencode(said)}" if said else there

    @property
    def at(self) -> str:
        """Its address as it stands, page and all."""
        return self.address(page=self.page)

    @cached_property
    def _named(self) -> str:
        """The question as the address of a hit names it: by its id, or by its words where they may stand there."""
        return urlencode([("asked", self.token)] if self.token else [("q", self.text)])

    def hit_address(self, key: str, page: int = 0) -> str:
        """Return the address that opens a hit with its words marked, at a page if one is given."""
        return f"{places.opened(key)}?{self._named}" + (f"&page={page}" if page else "")


def read(given: Given) -> Asked:
    """Return what a form or an address asks for; anything odd is left out."""
    text = within(_typed(given.get("q", "") or ""), given.get("span", "") or "")
    order, page = given.get("order", "") or "", given.get("page", "1") or "1"
    return Asked(
        text=text,
        filters=_chosen({name: given.getlist(name) for name in NARROWING}),
        order=Order(order) if order in set(Order) else Order.BEST,
        page=min(max(int(page), 1), DEEPEST_PAGE) if re.fullmatch(r"[0-9]{1,4}", page) else 1,
    )


def _typed(text: str) -> str:
    """Return words as they can be asked. Cut after blanks and marks took no more room than they must: what is cut is said."""
    one_line = " ".join(unicodedata.normalize("NFC", text.replace("\x00", "")).split())
    return one_line[: MAX_CHARS + 1]


def _chosen(filters: Mapping[str, Iterable[str]]) -> Filters:
    """Return the facet values that can be asked: each once, few, none too long."""
    fitting = {
        name: tuple(dict.fromkeys(value for value in values if _can_be_asked(name, value)))
        for name, values in filters.items()
        if name in NARROWING
    }
    return {name: values[:VALUES] for name, values in fitting.items() if values}


def _can_be_asked(name: str, value: str) -> bool:
    """Return whether a facet can have a value; a level or an urgency has a word of its own."""
    return 0 < len(value) <= LONGEST_VALUE and "\x00" not in value and value in SLUGS.get(name, (value,))


def read_form(given: QueryDict) -> Asked:
    """Return what the form of the search page asks for.

    Beside the words and the values it has buttons: `instead` (the words without a chip, or
    what may have been meant), `drop` ("facet=value", taken out), and `by` = "rows" (the
    words are written from the lines of the builder).
    """
    asked = read(given)
    if instead := given.get("instead"):
        asked = replace(asked, text=instead[: MAX_CHARS + 1])
    elif given.get("by") == "rows":
        asked = replace(asked, text=rows.written(given))
    name, _, value = given.get("drop", "").partition("=")
    left = {
        each: tuple(one for one in values if (each, one) != (name, value)) for each, values in asked.filters.items()
    }
    return replace(asked, filters={each: values for each, values in left.items() if values})


# --- kept for a day ------------------------------------------------------------------------
def addressed(asked: Asked, person: Person) -> Asked:
    """Return a question as it has an address: kept first if its words may not stand there."""
    return replace(asked, token="") if asked.may_stand_in_address(person) else keep(asked, person)


def keep(asked: Asked, person: Person) -> Asked:
    """Keep a question under a new id, and forget what anybody asked more than a day ago."""
    now = timezone.now()
    kept = Asking(
        token=secrets.token_urlsafe(16),
        person=person,
        text=asked.text,
        filters={name: list(values) for name, values in asked.filters.items()},
        order=asked.order,
        level=standing(person, now).level,
        asked_at=now,
    )
    with transaction.atomic():
        Asking.objects.filter(asked_at__lt=now - LIFE).delete()
        kept.save(force_insert=True)
    return replace(asked, token=kept.token, span="")


def kept(token: str, person: Person, address: QueryDict) -> Asked | None:
    """Return a kept question with the page, order and span its address adds.

    None for one that was forgotten, never kept, asked by somebody else, or asked with a clearance that
    ended or does not count in a session without the second proof: the reader cannot tell which, the log can.
    """
    now = timezone.now()
    row = Asking.objects.filter(token=token, asked_at__gte=now - LIFE).first()
    if row is None:
        return None
    if row.person_id != person.pk or row.level > standing(person, now).level:
        hidden = Hidden(object_type="query", object_id=token)
        audit.refused(hidden, actor=person, action="search:asked")
        return None
    added = read(address)
    span = address.get("span", "")
    span = span if _SPAN.fullmatch(span) else ""
    return Asked(
        text=within(row.text, span) if span else row.text,
        filters=_chosen(row.filters),
        order=added.order if "order" in address else Order(row.order),
        page=added.page,
        token=token,
        span=span,
    )


def words_of(request: HttpRequest, person: Person) -> str:
    """Return the words for which a hit is opened: those kept under `asked`, or plain ones where they may stand."""
    if token := request.GET.get("asked", ""):
        found = kept(token, person, QueryDict())
        return found.text if found else ""
    asked = read(request.GET)
    return asked.text if asked.may_stand_in_address(person) else ""


# --- a span of years or months -----------------------------------------------------------------
def within(text: str, span: str) -> str:
    """Return the text narrowed to a span ("2019", "2019..2021", "2024-03..2024-05") instead of its own days and years.

    Where both are more than can be asked the span goes first: what is left out, and said to be, is the end of the text.
    """
    found = _SPAN.fullmatch(span)
    if not found:
        return text
    first, last = found[1], found[2] or found[1]
    name = "nam" if len(first) == len(last) == _YEAR else "ngay"
    said = f"{name}:{first}" if first == last else f"{name}:{first}..{last}"
    query = parse(text)
    pieces = [piece for piece in writing.pieces(query.root) if not _is_span(piece)]
    texts = [writing.said(query, piece) for piece in pieces]
    chosen = writing.pieces(parse(said).root)
    narrowed = writing.joined([*texts, said], [*pieces, *chosen])
    return writing.joined([said, *texts], [*chosen, *pieces]) if parse(narrowed).is_cut else narrowed


def _is_span(node: Node) -> bool:
    """Return whether a piece is a span of its own: "2019" among words is one of them and stays."""
    return (isinstance(node, Year) and not node.in_text) or (
        isinstance(node, Dates) and node.field == "day" and not node.written
    )


def _leaves(node: Node | None) -> Iterable[Node]:
    match node:
        case And() | Or():
            for child in node.children:
                yield from _leaves(child)
        case Not():
            yield from _leaves(node.child)
        case None:
            return
        case _:
            yield node
