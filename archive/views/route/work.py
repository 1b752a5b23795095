"""Work lists: what a leader has to direct, what lies in staff's hands, what the desk has to submit, what is late.

Each list read is one entry in the log; the dispatch shown beside a list is a reading of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.leveling import words
from archive.models import Person, Record, Step
from archive.routing import deadlines, lists
from archive.routing.lists import CAP
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.standing import standing
from archive.views.doors import person_of
from archive.views.route import directing, steps, thread

ROWS = 25
Narrow = Callable[[QuerySet[Step]], QuerySet[Step]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: the step, and how it stands to its deadline."""

    step: Step
    kind: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter with its count."""

    name: str
    label: str | Promise
    count: int
    icon: str = ""


def work(request: HttpRequest) -> HttpResponse:
    """Show what a person has to do, by post: direct, submit, or work."""
    person = person_of(request)
    access.require(person, Action.WORK_READ)
    roles = standing(person, timezone.now()).roles
    if Role.LEADER in roles:
        return directing.directing(request)
    if Role.CLERK in roles:
        return desk(request)
    return listed(request, lists.mine, _("My work"), "mine")


def unit(request: HttpRequest) -> HttpResponse:
    """Show the work of one's units, and what one gave to others."""
    person = person_of(request)
    access.require(person, Action.WORK_READ)
    leads = Role.LEADER in standing(person, timezone.now()).roles
    title = _("Follow up") if leads else _("Work of my unit")
    return listed(request, lists.of_unit, title, "unit")


# --- the desk ---------------------------------------------------------------------------------------


def desk(request: HttpRequest) -> HttpResponse:
    """Show a clerk what was registered and handed to nobody yet, and what came back."""
    person = person_of(request)
    back, fresh = list(lists.returned_to(person)[:ROWS]), lists.to_forward(person)
    words.hush(person, back, words.OF_STEP)
    page = _page(request, fresh, lists.glances(person, ["to_forward"])["to_forward"].total)
    shown: list[Record] = [*page.object_list, *(step.record for step in back)]
    _note_read(person, "submit", shown)
    context = {"page": page, "back": back, "page_level": access.level_of(shown), **_turns(request, page)}
    return render(request, "archive/work_desk.html", context)


# --- staff and units --------------------------------------------------------------------------------


def listed(
    request: HttpRequest, of: Callable[[Person], QuerySet[Step]], title: str | Promise, name: str
) -> HttpResponse:
    """Show a list of live steps, late first, and at its side the thread of the chosen dispatch."""
    person = person_of(request)
    given, [counts] = of(person), lists.figures(person, of)
    chosen = request.GET.get("only", "")
    filters: dict[str, Narrow] = {"late": lists.late, "soon": lists.soon, "waiting": partial(lists.waiting, person)}
    narrowed = filters[chosen](given) if chosen in filters else given
    known = {"late": counts.late, "soon": counts.soon, "waiting": counts.waiting}
    total = known.get(chosen, counts.total)
    page = _page(request, narrowed, min(total, CAP))
    page.object_list = lists.first(narrowed, ROWS, after=page.start_index() - 1 if page.paginator.count else 0)
    _note_read(person, name, [step.record for step in page.object_list])
    at = request.GET.get("at", "")
    side = thread.side(request, at) if at else {}
    today, near = timezone.localdate(), deadlines.soon()
    rows = [
        Row(one, *deadlines.nearness(one, today=today, near=near), one.record.key == at) for one in page.object_list
    ]
    level = max(access.level_of(row.step.record for row in rows), side.get("page_level", Level.THUONG))
    context = side | {
        "title": title,
        "list_name": name,
        "counts": counts,
        "chips": _chips(counts, name),
        "only": chosen if chosen in filters else "",
        "page": page,
        "is_cut": total > CAP and not page.has_next(),
        "rows": rows,
        "page_level": level,
        **_turns(request, page),
    }
    return render(request, "archive/work_list.html", context)


def _page(request: HttpRequest, rows: QuerySet[Any], count: int | None) -> Any:
    """Return the page that is asked for; nothing is read yet. A count that is known is not counted again."""
    pages = Paginator(rows, ROWS)
    if count is not None:
        pages.count = count
    return pages.get_page(request.GET.get("page"))


def _chips(counts: lists.Counts, name: str) -> list[Chip]:
    chips = [
        Chip("", _("All open"), counts.total),
        Chip("late", _("Late"), counts.late, "alert-triangle"),
        Chip("soon", _("Due soon"), counts.soon),
    ]
    return [*chips, Chip("waiting", _("Waiting for approval"), counts.waiting)] if name == "unit" else chips


def _turns(request: HttpRequest, page: Any) -> dict[str, str]:
    """Return the addresses of the pages before and after, keeping the filter."""

    def address(number: int) -> str:
        asked: QueryDict = request.GET.copy()
        asked["page"] = str(number)
        return f"?{asked.urlencode()}"

    return {
        "newer_url": address(page.number - 1) if page.has_previous() else "",
        "older_url": address(page.number + 1) if page.has_next() else "",
    }


def _note_read(person: Person, name: str, shown: list[Record]) -> None:
    audit.read(Action.WORK_READ, actor=person, lines=shown, list=name, count=len(shown))


urlpatterns = [
    path("work/", work, name="work"),
    path("work/unit/", unit, name="work-unit"),
    *thread.urlpatterns,
    *steps.urlpatterns,
    *directing.urlpatterns,
]
