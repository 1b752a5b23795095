"""What is new in the kept queries that a person is told of, asked at each look and never kept.

The log is followed from the place up to which the person looked to the place up to
which the index has followed: which dispatches came or changed between, which of them
the database opens to this person now, which of those each query finds. A dispatch that
may not be opened is put to no query, so no count can tell of it. Whatever was lost on
the way is found again at the next look: only `search.saving.looked` moves the place.

Bounded: the newest entries of each act, through the log's index of acts and times. An
alert without news is moved on now and then, so that a quiet query costs no more with
the years.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from archive import access
from archive.models import Access, AuditEntry, Person, Record, Source
from archive.rules.roles import Action
from search import filing, finding, saving
from search.entry import Order, Terms
from search.models import Alert, SavedSearch
from search.query import parse

NEWEST: Final = 1000  # entries of each act looked at; more is said as "more than"
LISTED: Final = 50  # new dispatches shown on the page
SLACK: Final = timedelta(minutes=10)  # an entry may be older than its place tells: its act took that long to commit
QUIET: Final = 2000  # places passed without news after which an alert is moved on

# What makes a dispatch new for all who may see it, and what opens it to somebody who could not.
COMING: Final = (Action.RECORD_REGISTER, Action.RECORD_CORRECT, Action.RECORD_LEVEL, Action.RECORD_ATTACHED)
OPENING: Final = (Action.STEP_FORWARD, Action.STEP_DIRECT, Action.GRANT)


@dataclass(frozen=True, slots=True)
class News:
    """How many dispatches are new to one alert, the ids of the newest, and up to which place of the log it was looked.

    `is_capped`: older ones were not looked at; the count is "at least".
    """

    alert: Alert
    count: int
    ids: tuple[int, ...]
    upto: int
    is_capped: bool = False


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
    upto = finding.engine().position()
    came = _came(alerts, upto, person)
    terms = finding.terms_of(person)
    return [_news(alert, came, upto, terms, person) for alert in alerts]


@dataclass(frozen=True, slots=True)
class _Came:
    """Dispatches that came, each with its last place in the log; `capped`: nothing below this place is complete."""

    places: Mapping[int, int]
    capped: int


def _came(alerts: Sequence[Alert], upto: int, person: Person) -> _Came:
    """Return what came since the oldest look and is open to the person now; not what they did themselves."""
    behind = [alert for alert in alerts if alert.seen < upto]
    if not behind:
        return _Came({}, 0)
    since, at = min(alert.seen for alert in behind), min(alert.seen_at for alert in behind) - SLACK
    coming: dict[int, int] = {}
    opening: dict[int, int] = {}
    capped = 0
    for action in (*COMING, *OPENING):
        found = AuditEntry.objects.filter(
            action=action, outcome="ok", ts__gte=at, record_id__isnull=False, leaf__idx__gte=since, leaf__idx__lt=upto
        ).exclude(actor=person)
        rows = list(found.order_by("-ts").values_list("record_id", "leaf__idx")[:NEWEST])
        if len(rows) == NEWEST:
            capped = max(capped, min(place for _record, place in rows))
        kind = coming if action in COMING else opening
        for record, place in rows:
            if record is not None:
                kind[record] = max(place, kind.get(record, 0))
    for record in _given(opening, person):
        coming[record] = max(opening[record], coming.get(record, 0))
    opened = set(access.visible_to(person).opens(coming).values_list("pk", flat=True)) if coming else set()
    return _Came({record: place for record, place in coming.items() if record in opened}, capped)


def _given(opening: Iterable[int], person: Person) -> set[int]:
    """Return those that were handed or granted: not what the person's own units own and they knew of all along."""
    wanted = set(opening)
    if not wanted:
        return set()
    principals = access.visible_to(person).principals
    owned = Access.objects.filter(record__in=wanted, principal__in=principals, source=Source.OWNER)
    return wanted - set(owned.values_list("record_id", flat=True))


def _news(alert: Alert, came: _Came, upto: int, terms: Terms, person: Person) -> News:
    ids = [record for record, place in came.places.items() if place >= alert.seen]
    if not ids:
        return News(alert, 0, (), max(upto, alert.seen))
    # Of these dispatches only: to the engine they are what was granted, within level and markings all the same.
    among = replace(terms, reach=(), ids=tuple(ids))
    kept = alert.search
    found = finding.engine().search(
        parse(kept.text),
        among,
        filters=filing.asked(kept.filters, person),
        order=Order.NEWEST,
        limit=LISTED,
        facets=(),
    )
    newest = tuple(hit.id for hit in found.hits)
    return News(alert, found.total, newest, upto, is_capped=bool(found.total) and alert.seen < came.capped)


def _move_on(told: Iterable[News]) -> None:
    """Move alerts without news on once they are far behind: a look back over months would cost every page."""
    for news in told:
        if news.count == 0 and news.upto - news.alert.seen > QUIET:
            saving.looked(news.alert, upto=news.upto)
