"""What did a person see? Each dispatch once, with how it was opened or taken out: the mirror of "who saw it?"."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from archive import access, audit
from archive.models import AuditShown, Record
from archive.rules.action_words import SEEN
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.control.log import LogFilter, checking, kept
from archive.views.control.oversight import said
from archive.views.doors import person_of

DAYS: Final = 31  # looked at when no day is given
MOST_ENTRIES: Final = 20_000  # read for one page, the newest
AT_ONCE: Final = 2_000  # pages of hits looked into by one query
PAGES: Final = frozenset({Action.SEARCH_RUN})  # acts whose entry names what was shown; without a hit nothing was
MOST_ROWS: Final = 200  # dispatches shown, those seen last


@dataclass(slots=True)
class Look:
    """One dispatch and what the person did with it; lists stand together, by the act."""

    key: str  # "" for lists
    first: datetime
    last: datetime
    level: int = 0  # the highest at which it was seen
    name: str = ""
    acts: dict[str, int] = field(default_factory=dict)

    def add(self, moment: datetime, action: str, level: int) -> None:
        """Count one entry more; they come newest first."""
        self.first, self.level = moment, max(self.level, level)
        self.acts[action] = self.acts.get(action, 0) + 1

    @property
    def said(self) -> list[tuple[str, int]]:
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
    looks, is_more = _looks(form) if about else ([], False)
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


def _looks(form: LogFilter) -> tuple[list[Look], bool]:
    """Return what was seen, the last first, and whether older entries were left out."""
    columns = ("pk", "object_type", "object_id", "ts", "action", "level")
    rows: list[Any] = list(form.entries().order_by("-ts").values_list(*columns)[: MOST_ENTRIES + 1])
    on_pages = _on_pages([row[0] for row in rows[:MOST_ENTRIES] if row[4] in PAGES])
    found: dict[tuple[str, str], Look] = {}
    for pk, kind, key, moment, action, level in rows[:MOST_ENTRIES]:
        own = [] if action in PAGES else [(key if kind == "record" else "", level)]
        for about, seen_at in on_pages.get(pk, own):
            one = (about, "" if about else action)
            found.setdefault(one, Look(about, moment, moment)).add(moment, action, seen_at)
    looks = list(found.values())
    _name(looks[:MOST_ROWS])
    return looks, len(rows) > MOST_ENTRIES


def _on_pages(entries: list[UUID]) -> dict[UUID, list[tuple[str, int]]]:
    """Return key and level of each dispatch that pages of hits showed, by entry."""
    found: dict[UUID, list[tuple[str, int]]] = {}
    for start in range(0, len(entries), AT_ONCE):
        some = entries[start : start + AT_ONCE]
        rows = list(AuditShown.objects.filter(entry__in=some).values_list("entry", "record_id", "level"))
        keys = dict(Record.objects.filter(pk__in={row[1] for row in rows}).values_list("pk", "key"))
        for entry, record, level in rows:
            found.setdefault(entry, []).append((keys.get(record, f"#{record}"), level))
    return found


def _name(looks: list[Look]) -> None:
    """Write number and symbol onto the dispatches about to be shown, as the lines of the log do."""
    keys = [look.key for look in looks if look.key]
    records = Record.objects.filter(key__in=keys).only("key", "code_number", "code_notation")
    names = {record.key: record.symbol for record in records}
    for look in looks:
        look.name = names.get(look.key, "") or look.key


urlpatterns = [path("log/seen/", seen, name="log-seen")]
