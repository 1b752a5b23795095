"""What did a person see? Each dispatch once, with how it was opened or taken out: the mirror of "who saw it?"."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from archive import access, audit, planning
from archive.models import AuditEntry, AuditShown, Record
from archive.rules.action_words import SEEN
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.control.concerning import Found
from archive.views.control.log import LogFilter, checking, kept
from archive.views.control.oversight import said
from archive.views.doors import person_of

DAYS: Final = 31  # looked at when no day is given
MOST_ENTRIES: Final = 20_000  # read for one page, the newest
PAGES: Final = frozenset({Action.SEARCH_RUN})  # acts whose entry names what was shown; without a hit nothing was
MOST_ROWS: Final = 200  # dispatches shown, those seen last


@dataclass(slots=True)
class Look:
    """One dispatch and what the person did with it; lists stand together, by the act."""

    key: str  # "" for lists
    record: int | None
    first: datetime
    last: datetime
    level: int = 0  # the highest at which it was seen
    name: str = ""
    acts: dict[str, int] = field(default_factory=dict)

    def add(self, action: str, counted: Sequence[Any]) -> None:
        """Count entries of one act more: how many, the first, the last, the highest level."""
        n, first, last, level = counted
        self.first, self.last, self.level = min(self.first, first), max(self.last, last), max(self.level, level)
        self.acts[action] = self.acts.get(action, 0) + n

    @property
    def said(self) -> SafeString:
        """What was done, in words, most frequent first."""
        return said(self.acts)

    @property
    def level_label(self) -> Level:
        """The level for the seal."""
        return Level(self.level)


@require_GET
def seen(request: HttpRequest) -> HttpResponse:
    """Show what one person opened, read, printed or took out in some days; the last month unless days are given."""
    reader = person_of(request)
    access.require(reader, Action.LOG_READ)
    asked = _asked(request.GET)
    form = LogFilter(asked, reader)
    about = form.asked.get("person", "")
    audit.read(Action.LOG_READ, actor=reader, filters=kept(asked) if about else {}, seen=True)
    looks, is_more = _looks(form.found()) if about else ([], False)
    context = {
        "form": form,
        "about": dict(form.fields["person"].choices)[about] if about else "",  # type: ignore[attr-defined]
        "looks": looks[:MOST_ROWS],
        "more": is_more or len(looks) > MOST_ROWS,
        "query": asked.urlencode(),
        "checking": checking(),
    }
    return render(request, "archive/log_seen.html", context)


def _asked(given: QueryDict) -> QueryDict:
    """Return the question as a filter of the log, so that the log and its signed files answer it too."""
    asked = QueryDict(mutable=True)
    for name in ("person", "since", "until"):
        asked[name] = given.get(name, "").strip()
    if not (asked["since"] or asked["until"]):
        asked["since"] = f"{timezone.localdate() - timedelta(days=DAYS):%d/%m/%Y}"
    asked["action"] = SEEN
    return asked


def _looks(found: Found) -> tuple[list[Look], bool]:
    """Return what was seen, the last first, and whether older entries were left out.

    Which dispatches were seen last is asked first: a busy month has thousands. The database then counts what was done with
    those alone, by indexes that hold all that is told.
    """
    cut = found.all().order_by("-ts").values_list("ts", flat=True)[MOST_ENTRIES : MOST_ENTRIES + 1].first()
    newest = found if cut is None else found.after(cut)
    opened = newest.all().order_by().exclude(action__in=PAGES)
    shown = AuditShown.objects.filter(**newest.bounds)
    latest = _latest(opened, shown)
    looks: dict[tuple[int | str | None, str], Look] = {}
    for record, kind, key, action, *counted in _counted(opened, shown, latest):
        about = key if kind == "record" else ""
        which = (record or about, "" if record or about else action)
        looks.setdefault(which, Look(about, record, counted[1], counted[2])).add(action, counted)
    ordered = sorted(looks.values(), key=lambda look: (look.last, look.record or 0), reverse=True)
    _name(ordered[:MOST_ROWS])
    return ordered, cut is not None


def _latest(opened: QuerySet[AuditEntry], shown: QuerySet[AuditShown]) -> list[int]:
    """Return the dispatches seen last, one more than are shown."""
    ways = [
        way.values("record_id")
        .annotate(last=Max("ts"))
        .order_by("-last", "-record_id")
        .values_list("last", "record_id")
        for way in (opened.filter(record_id__isnull=False), shown)
    ]
    both = planning.newest_of([way[: MOST_ROWS + 1] for way in ways], 2 * (MOST_ROWS + 1))
    return list(dict.fromkeys(record for _last, record in sorted(both, reverse=True)))[: MOST_ROWS + 1]


def _counted(opened: QuerySet[AuditEntry], shown: QuerySet[AuditShown], latest: list[int]) -> list[tuple[Any, ...]]:
    """Return dispatch, kind and key where there is none, act, how many, first, last and highest level."""
    counts = {"n": Count("*"), "first": Min("ts"), "last": Max("ts"), "highest": Max("level")}
    none, act = Value(""), Value(str(Action.SEARCH_RUN))
    first, *others = [
        opened.filter(record_id__in=latest).values_list("record_id", none, none, "action"),
        opened.filter(record_id__isnull=True).values_list("record_id", "object_type", "object_id", "action"),
        shown.filter(record_id__in=latest).values_list("record_id", none, none, act),
    ]
    return list(first.annotate(**counts).union(*(way.annotate(**counts) for way in others), all=True))


def _name(looks: list[Look]) -> None:
    """Write key, number and symbol onto the dispatches about to be shown, as the lines of the log do."""
    known = Q(pk__in={look.record for look in looks if look.record}) | Q(
        key__in={look.key for look in looks if look.key}
    )
    records = Record.objects.filter(known).only("key", "code_number", "code_notation")
    by_id = {record.pk: record for record in records}
    by_key = {record.key: record for record in records}
    for look in looks:
        record = by_key.get(look.key) or by_id.get(look.record or 0)
        look.key = look.key or (record.key if record else f"#{look.record}" if look.record else "")
        look.name = (record.symbol if record else "") or look.key


urlpatterns = [path("log/seen/", seen, name="log-seen")]
