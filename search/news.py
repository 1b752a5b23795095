"""What is new in the kept queries that a person is told of, asked at each look and never kept.

The log is followed from the place up to which the person looked to the place up to
which the index has followed: which dispatches came or changed between, which of them
the database opens to this person now, which of those each query finds. A dispatch that
may not be opened is put to no query, so no count can tell of it. Whatever was lost on
the way is found again at the next look: only `search.saving.looked` moves the place.

What a clearance, a mark, a post or a scope has opened since that look is new as well: the
rows are dated, so the person of then is asked what they could see of the hits of now.

Bounded: the newest entries of each act, through the log's index of acts and times. An
alert without news is moved on now and then, so that a quiet query costs no more with
the years.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q
from django.utils import timezone

from archive import access
from archive.models import Access, AuditEntry, DossierItem, Person, Record, Source
from archive.planning import OneOf
from archive.rules.roles import Action
from archive.standing import is_withheld
from search import filing, finding, saving, units
from search.entry import Order, Results, Terms
from search.models import Alert, SavedSearch
from search.query import parse

NEWEST: Final = 1000  # entries of each act looked at; more is said as "more than"
LISTED: Final = 50  # new dispatches shown on the page
SLACK: Final = timedelta(minutes=10)  # an entry may be older than its place tells: its act took that long to commit
QUIET: Final = 2000  # places passed without news after which an alert is moved on

# What makes a dispatch new for all who may see it (it came, or what a query looks at has changed), and what opens it
# to somebody who could not. A test holds that every other act does neither.
COMING: Final = (
    Action.RECORD_CAPTURE,
    Action.RECORD_REGISTER,
    Action.RECORD_CORRECT,
    Action.RECORD_RETURN,
    Action.RECORD_LEVEL,
    Action.RECORD_MARK,
    Action.RECORD_ATTACHED,
    Action.RECORD_DETACH,
    Action.NUMBER_VOID,
    Action.PAPER_END,
    Action.DOSSIER_FILE,
)
OPENING: Final = (Action.STEP_FORWARD, Action.STEP_DIRECT, Action.STEP_RETURN, Action.GRANT)


@dataclass(frozen=True, slots=True)
class News:
    """How many dispatches are new to one alert, the ids of the newest, up to which place of the log it was looked, and when.

    `is_capped`: older ones were not looked at; the count is "at least". `has_grown`: the person may see more than then.
    """

    alert: Alert
    count: int
    ids: tuple[int, ...]
    upto: int
    at: datetime
    is_capped: bool = False
    has_grown: bool = False


def of(person: Person) -> list[News]:
    """Return the news of every alert whose query the person may still read, those with news first.

    Raises:
        EngineAway: the search server does not answer.
    """
    alerts = list(
        Alert.objects.filter(person=person, search__in=saving.readable(person))
        .select_related("search__person")
        .order_by("search__name")[: saving.MOST_ALERTS]
    )
    told = _told(alerts, person) if alerts else []
    if not is_withheld(person, timezone.now()):  # who has not proved who they are has not looked at all of it
        _move_on(told)
    return sorted(told, key=lambda news: news.count == 0)


def of_query(kept: SavedSearch, person: Person) -> News | None:
    """Return the news of one query; None when the person is not told of it.

    Raises:
        EngineAway: the search server does not answer.
    """
    alert = Alert.objects.filter(person=person, search=kept).select_related("search__person").first()
    return _told([alert], person)[0] if alert else None


def records(news: News, person: Person) -> list[Record]:
    """Return the newest of the new dispatches, each opened by the database once more."""
    opened = access.visible_to(person).opens(news.ids).select_related("unit", "number__register").in_bulk(news.ids)
    return [opened[pk] for pk in news.ids if pk in opened]


def _told(alerts: Sequence[Alert], person: Person) -> list[News]:
    terms, now = finding.terms_of(person), timezone.now()
    upto = terms.index.position
    behind = [alert for alert in alerts if alert.seen < upto]
    came = _came(behind, upto, person)
    has_grown = _has_grown(min(alert.looked_at for alert in alerts), person)
    return [_news(_Look(alert, terms, now, person, has_grown), came) for alert in alerts]


@dataclass(frozen=True, slots=True)
class _Came:
    """Dispatches that came, each with its last place in the log; `capped`: nothing below this place is complete."""

    places: Mapping[int, int]
    capped: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One entry of the log: its act, its place, the record it is about, or the dossier and its level."""

    action: str
    place: int
    record: int | None
    dossier: str
    level: int


def _came(behind: Sequence[Alert], upto: int, person: Person) -> _Came:
    """Return what came since the oldest look and is open to the person now; not what they did themselves."""
    if not behind:
        return _Came({}, 0)
    lines = _lines(min(alert.seen for alert in behind), min(alert.seen_at for alert in behind), upto, person)
    capped = 0
    for action, count in Counter(line.action for line in lines).items():
        if count >= NEWEST:
            capped = max(capped, min(line.place for line in lines if line.action == action))
    coming = _latest(line for line in lines if line.action in COMING)
    opening = _latest(line for line in lines if line.action in OPENING)
    for record in _given(opening, person):
        coming[record] = max(opening[record], coming.get(record, 0))
    for record, place in _risen([line for line in lines if line.dossier], person).items():
        coming[record] = max(place, coming.get(record, 0))
    opened = set(access.visible_to(person).opens(coming).values_list("pk", flat=True)) if coming else set()
    return _Came({record: place for record, place in coming.items() if record in opened}, capped)


def _lines(since: int, at: datetime, upto: int, person: Person) -> list[_Line]:
    """Return the newest entries of each act, in one query: each is found by the index of acts and times."""
    newest = Q()
    for action in (*COMING, *OPENING):
        found = AuditEntry.objects.filter(
            action=action, outcome="ok", ts__gte=at - SLACK, leaf__idx__gte=since, leaf__idx__lt=upto
        ).exclude(actor=person)
        newest |= Q(OneOf("pk", found.order_by("-ts").values("pk")[:NEWEST]))
    rows = AuditEntry.objects.filter(newest).values_list(
        "action", "leaf__idx", "record_id", "object_type", "object_id", "level"
    )
    return [
        _Line(action, place, record, name if kind == "dossier" else "", level)
        for action, place, record, kind, name, level in rows
    ]


def _latest(lines: Iterable[_Line]) -> dict[int, int]:
    """Return the last place of each record that the entries are about."""
    places: dict[int, int] = {}
    for line in lines:
        if line.record is not None:
            places[line.record] = max(line.place, places.get(line.record, 0))
    return places


def _risen(lines: Sequence[_Line], person: Person) -> dict[int, int]:
    """Return what lies in a dossier that rose above it, and so lost its words: a query that denies them finds it now.

    Only for whoever is cleared for the dossier: to others it would tell that something secret was filed there.
    """
    cleared = access.visible_to(person).level
    places = {line.dossier: line.place for line in lines if line.level <= cleared}
    if not places:
        return {}
    below = DossierItem.objects.filter(dossier__key__in=places, record__level__lt=F("dossier__level"))
    return {
        record: places[key]
        for record, key in below.order_by("-filed_at").values_list("record", "dossier__key")[:NEWEST]
    }


def _given(opening: Iterable[int], person: Person) -> set[int]:
    """Return those that were handed or granted: not what the person's own units own and they knew of all along."""
    wanted = set(opening)
    if not wanted:
        return set()
    principals = access.visible_to(person).principals
    owned = Access.objects.filter(record__in=wanted, principal__in=principals, source=Source.OWNER)
    return wanted - set(owned.values_list("record_id", flat=True))


@dataclass(frozen=True, slots=True)
class _Look:
    """One look of a person at one alert; `has_grown`: they may see more than at some look before."""

    alert: Alert
    terms: Terms
    at: datetime
    person: Person
    has_grown: bool

    @property
    def upto(self) -> int:
        """Up to where the index had followed that is asked: the one of the terms, whatever is swapped in meanwhile."""
        return max(self.terms.index.position, self.alert.seen)

    def ask(self, terms: Terms, limit: int) -> Results:
        """Put the query to the engine."""
        kept = self.alert.search
        filters = filing.asked(kept.filters, self.person)
        return finding.engine().search(
            units.known().resolved(parse(kept.text)), terms, filters=filters, order=Order.NEWEST, limit=limit, facets=()
        )


def _news(look: _Look, came: _Came) -> News:
    alert, terms = look.alert, look.terms
    ids = {record for record, place in came.places.items() if place >= alert.seen}
    is_short = False
    if look.has_grown:
        hits = look.ask(terms, NEWEST)
        ids |= _opened_since(alert.looked_at, [hit.id for hit in hits.hits], look.person)
        is_short = hits.total > NEWEST
    if not ids:
        return News(alert, 0, (), look.upto, look.at, has_grown=look.has_grown)
    # Of these dispatches only: to the engine they are what was granted, within level and markings all the same.
    found = look.ask(replace(terms, reach=(), ids=tuple(ids)), LISTED)
    newest = tuple(hit.id for hit in found.hits)
    is_capped = bool(found.total) and (is_short or alert.seen < came.capped)
    return News(alert, found.total, newest, look.upto, look.at, is_capped)


def _has_grown(at: datetime, person: Person) -> bool:
    """Return whether a person may see more than at a moment before: a clearance, a mark, a post or a scope since then."""
    now, then = access.visible_to(person), access.visible_to(person, at=at)
    more = set(now.principals) - set(then.principals) or set(now.markings) - set(then.markings)
    return now.level > then.level or bool(more)


def _opened_since(at: datetime, hits: Sequence[int], person: Person) -> set[int]:
    """Return those of the hits that the database opens to a person now, and did not open to who they were then."""
    then = set(access.visible_to(person, at=at).opens(hits).values_list("pk", flat=True))
    return set(access.visible_to(person).opens(set(hits) - then).values_list("pk", flat=True))


def _move_on(told: Iterable[News]) -> None:
    """Move alerts without news on once they are far behind, or of a person who was less: looking back would cost every page."""
    for news in told:
        if news.count == 0 and (news.has_grown or news.upto - news.alert.seen > QUIET):
            saving.looked(news.alert, upto=news.upto, at=news.at)
