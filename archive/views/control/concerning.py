"""The entries of the log that a filter finds, and how the newest of them are had: by a dispatch, three ways lead there.

Entries about the dispatch, pages of hits that showed it, refusals of its key while no dispatch was known under it: each
way has its index in the order of time. Asked as one OR, a database reads all that it finds before it has the newest fifty.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext

from archive import planning
from archive.models import AuditEntry, AuditShown, Record
from archive.models.entry import KEY_REFUSED
from archive.rules import numbers
from archive.templatetags.office import number

MOST_SHOWN: Final = 20_000  # pages of hits with one dispatch on them, the newest
_OF_A_DISPATCH: Final = ("record", "original")  # what a refusal names by the key of a dispatch


@dataclass(frozen=True, slots=True)
class About:
    """One dispatch as it was asked for: by its key, or by a number and symbol that several may bear."""

    asked: str
    known: list[int]
    has_key: bool  # whether it was asked for by its key
    cut: datetime | None  # the moment of the first page of hits that is left out

    @property
    def left_out(self) -> str:
        """What is not looked through, in a sentence; "" where nothing is left out."""
        if self.cut is None:
            return ""
        return gettext(
            "Of the pages of search hits with this dispatch on them only the newest %(most)s are looked through. "
            "Who saw it on older ones alone is missing here, whatever days are chosen."
        ) % {"most": number(MOST_SHOWN)}

    @property
    def itself(self) -> Q:
        """The entries about the dispatch."""
        return Q(record_id__in=self.known)

    @property
    def shown(self) -> QuerySet[AuditShown]:
        """What pages of hits showed of it."""
        rows = AuditShown.objects.filter(record_id__in=self.known)
        return rows if self.cut is None else rows.filter(ts__gt=self.cut)

    def on_pages(self, bounds: dict[str, Any]) -> Q:
        """The entries of those pages, by the index of what they showed: it holds the person and the moment, too."""
        after = {} if self.cut is None else {"shown__ts__gt": self.cut}
        again = {f"shown__{name}": value for name, value in bounds.items()}
        return Q(shown__record_id__in=self.known, **after) & Q(**again)

    @property
    def refused(self) -> Q:
        """The refusals of its key. A dispatch that is there stands in every entry but those of before it was known here."""
        if self.has_key:
            return Q(planning.Known(KEY_REFUSED), object_id=self.asked)
        return Q(object_type__in=_OF_A_DISPATCH, object_id=self.asked)

    def entries(self) -> Q:
        """All of them in one filter, for who reads all: the pages are named one by one, or PostgreSQL reads the whole log."""
        return self.itself | Q(pk__in=list(self.shown.values_list("entry_id", flat=True))) | self.refused


def about(asked: str) -> About:
    """Return the dispatch named by its key or by number and symbol. A refused key has no dispatch."""
    named = Q(key=asked)
    if parts := numbers.split(asked):
        named |= Q(code_number=parts[0], code_notation=parts[1])
    found = dict(Record.objects.filter(named).values_list("pk", "key"))
    shown = AuditShown.objects.filter(record_id__in=found).order_by("-ts").values_list("ts", flat=True)
    cut = shown[MOST_SHOWN : MOST_SHOWN + 1].first() if found else None
    return About(asked, list(found), asked in found.values(), cut)


@dataclass(frozen=True, slots=True)
class Found:
    """What a filter finds: all it asks but for the dispatch, the dispatch, and what of the rest bounds its pages of hits."""

    rows: QuerySet[AuditEntry]
    is_narrowed: bool  # whether not every entry is among the rows
    about: About | None = None
    bounds: dict[str, Any] = field(default_factory=dict)

    def within(self, *also: Q, **bounds: Any) -> "Found":
        """Return those of a person (`actor_id`) or a span of time (`ts__...`), and whatever else is asked.

        A bound takes the place of a wider one: of two SQLite walks its index down to the first that it is given.
        """
        is_narrowed = self.is_narrowed or bool(also)
        return replace(self, rows=self.rows.filter(*also), is_narrowed=is_narrowed, bounds=self.bounds | bounds)

    def at(self, moments: Collection[datetime]) -> "Found":
        """Return those of these moments, the newest that it finds."""
        if not moments:
            return replace(self, rows=self.rows.none(), is_narrowed=True)
        return self.within(**planning.at_moments("ts", moments))

    def after(self, moment: datetime) -> "Found":
        """Return those after a moment, which takes the place of an earlier bound."""
        return replace(
            self, bounds={name: each for name, each in self.bounds.items() if name != "ts__gte"} | {"ts__gt": moment}
        )

    @property
    def _within_bounds(self) -> QuerySet[AuditEntry]:
        return self.rows.filter(**self.bounds)

    @property
    def left_out(self) -> str:
        """What is not looked through though it was asked for, in a sentence; "" where nothing is left out."""
        return self.about.left_out if self.about else ""

    def all(self) -> QuerySet[AuditEntry]:
        """Return all of them, the newest first."""
        rows = self._within_bounds if self.about is None else self._within_bounds.filter(self.about.entries())
        return rows.order_by("-ts", "-leaf__idx")

    def newest(self, most: int) -> QuerySet[AuditEntry]:
        """Return at most so many of them, the newest first."""
        rows = self._within_bounds
        if self.about is not None:
            first, *others = self._ways(self.about, most)
            rows = rows.filter(pk__in=first.values("pk").union(*(each.values("pk") for each in others)))
        return rows.order_by("-ts", "-leaf__idx")[:most]

    def moments(self, most: int) -> list[tuple[datetime, str]]:
        """Return moment and outcome of at most so many of them, the newest first: told by indexes alone where nothing else is asked."""
        if self.about is None:
            return list(self._within_bounds.order_by("-ts").values_list("ts", "outcome")[:most])
        ways = [self._within_bounds.filter(way).order_by("-ts") for way in (self.about.itself, self.about.refused)]
        told = [way.values_list("ts", "outcome")[:most] for way in ways]
        rows = planning.newest_of([*told, self._pages(self.about, most)], most)
        return [(moment, outcome) for moment, outcome in rows]

    def _pages(self, about: About, most: int) -> QuerySet[Any, Any]:
        """Return moment and outcome of the pages of hits. An entry may have shown each of several that bear the number: it counts once."""
        if not self.is_narrowed and len(about.known) == 1:  # no more is asked than stands beside what was shown
            return about.shown.filter(**self.bounds).order_by("-ts").values_list("ts", Value("ok"))[:most]
        pages = self._within_bounds.filter(about.on_pages(self.bounds)).order_by("-shown__ts")
        entries = AuditEntry.objects.filter(pk__in=pages.values("pk")[: most * len(about.known)])
        return entries.order_by("-ts").values_list("ts", "outcome")[:most]

    def _ways(self, about: About, most: int) -> list[QuerySet[AuditEntry]]:
        """Return the newest by each way; sliced within, as SQLite takes no limit in a part of a union."""
        rows = self._within_bounds
        ways = [rows.filter(way).order_by("-ts", "-leaf__idx") for way in (about.itself, about.refused)]
        ways.append(rows.filter(about.on_pages(self.bounds)).order_by("-shown__ts", "-leaf__idx"))
        most *= max(1, len(about.known))  # an entry may have shown each of them
        return [AuditEntry.objects.filter(pk__in=way.values("pk")[:most]).order_by() for way in ways]
