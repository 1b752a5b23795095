"""The desk each role starts from: what waits, what is late, what came in - every number a link to its rows.

What is counted is what this person may see; a person with several roles gets the desk
of each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from archive import access, audit, dossiers, retention
from archive.models import AuditEntry, Clearance, Person, Record, RecordState, Step
from archive.routing import lists
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.standing import standing
from archive.views.doors import person_of

ROWS: Final = 8
DUE_SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the desk, and where its rows are."""

    label: str | Promise
    value: int
    url: str
    kind: str = ""
    state: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """One role's desk: figures, and the rows to begin with."""

    figures: list[Figure]
    records: list[Record] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    title: str | Promise = ""
    empty: str | Promise = ""
    act_url: str = ""
    act_label: str | Promise = ""


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the desk of each of the person's roles."""
    person = person_of(request)
    roles = sorted(standing(person, timezone.now()).roles)
    desks = [DESKS[role](person) for role in roles]
    seen = [record for desk in desks for record in desk.records] + [
        step.record for desk in desks for step in desk.steps
    ]
    audit.read(Action.RECORD_LIST, actor=person, subject=None, home=True, shown=len(seen))
    context = {"desks": desks, "today": timezone.localdate(), "page_level": access.level_of(seen)}
    return render(request, "archive/home.html", context)


def _clerk(person: Person) -> Desk:
    visible = access.visible_to(person).records()
    drafts = visible.filter(state=RecordState.DRAFT)
    today = timezone.localdate()
    figures = [
        Figure(_("to be registered"), drafts.count(), reverse("archive:register")),
        Figure(_("registered today"), visible.filter(registered_at__date=today).count(), reverse("archive:registers")),
        Figure(_("to be submitted"), lists.to_forward(person).count(), reverse("archive:work")),
    ]
    return Desk(
        figures,
        records=list(drafts.order_by("pk")[:ROWS]),
        title=_("Waiting to be registered"),
        empty=_("Nothing waits to be registered. Hand files in, and they appear here."),
        act_url=reverse("ingest:desk"),
        act_label=_("Hand in"),
    )


def _leader(person: Person) -> Desk:
    return _steps_desk(person, lists.to_direct(person), _("To read and direct"), _("Nothing waits for your direction."))


def _staff(person: Person) -> Desk:
    return _steps_desk(person, lists.mine(person), _("In your hands"), _("Nothing is in your hands."))


def _steps_desk(person: Person, mine: QuerySet[Step], title: str | Promise, empty: str | Promise) -> Desk:
    late = lists.late(mine).count()
    figures = [
        Figure(_("in hand"), mine.count(), reverse("archive:work")),
        Figure(
            _("late"), late, reverse("archive:work"), "late" if late else "done", _("late") if late else _("none late")
        ),
        Figure(_("work of my unit"), lists.of_unit(person).count(), reverse("archive:work-unit")),
    ]
    rows = list(mine[:ROWS])
    return Desk(figures, steps=rows, title=title, empty=empty, act_url=reverse("search:search"), act_label=_("Search"))


def _archivist(person: Person) -> Desk:
    seen = dossiers.visible_dossiers(person)
    unfiled = access.visible_to(person).records().filter(state=RecordState.REGISTERED, filings__isnull=True)
    figures = [
        Figure(_("open dossiers"), seen.filter(closed_at__isnull=True).count(), reverse("archive:dossiers")),
        Figure(_("dispatches not filed yet"), unfiled.count(), reverse("archive:dossiers-unfiled")),
        Figure(_("active holds"), retention.visible_holds(person).filter(lifted_at__isnull=True).count(), reverse("archive:holds")),
    ]
    return Desk(
        figures,
        records=list(unfiled.order_by("-pk")[:ROWS]),
        title=_("Not filed yet"),
        empty=_("Every dispatch lies in a dossier."),
        act_url=reverse("archive:dossiers"),
        act_label=_("Dossiers"),
    )


def _auditor(_person: Person) -> Desk:
    day = timezone.now() - timedelta(days=1)
    since = (timezone.localdate() - timedelta(days=1)).strftime("%d/%m/%Y")
    recent = AuditEntry.objects.filter(ts__gte=day)
    denied = recent.filter(outcome="denied").count()
    figures = [
        Figure(_("entries in 24 hours"), recent.count(), reverse("archive:log") + f"?since={since}"),
        Figure(_("refused"), denied, reverse("archive:log-refused") + f"?since={since}"),
        Figure(
            _("failed sign-ins"),
            recent.filter(action=Action.SIGN_IN_FAILED).count(),
            reverse("archive:log") + f"?action={Action.SIGN_IN_FAILED}&since={since}",
        ),
    ]
    return Desk(
        figures,
        empty=_("The log is read only; begin with a filter."),
        act_url=reverse("archive:log"),
        act_label=_("Open the log"),
    )


def _security(_person: Person) -> Desk:
    now = timezone.now()
    valid = Clearance.objects.filter(revoked_at__isnull=True, level__gt=Level.THUONG)
    figures = [
        Figure(_("valid clearances"), valid.exclude(until__lte=now).count(), reverse("archive:clearances")),
        Figure(
            _("end within 30 days"),
            valid.filter(until__gt=now, until__lte=now + DUE_SOON).count(),
            reverse("archive:clearances"),
        ),
    ]
    return Desk(
        figures,
        empty=_("Clearances are listed with their basis and end."),
        act_url=reverse("archive:clearances"),
        act_label=_("Clearances"),
    )


def _admin(_person: Person) -> Desk:
    figures = [
        Figure(_("people who may sign in"), Person.objects.filter(is_active=True).count(), reverse("config:status"))
    ]
    return Desk(
        figures,
        empty=_("The machine's state stands on the status page."),
        act_url=reverse("config:status"),
        act_label=_("Status"),
    )


DESKS: Final[dict[Role, Callable[[Person], Desk]]] = {
    Role.CLERK: _clerk,
    Role.LEADER: _leader,
    Role.STAFF: _staff,
    Role.ARCHIVIST: _archivist,
    Role.AUDITOR: _auditor,
    Role.SECURITY: _security,
    Role.ADMIN: _admin,
}

urlpatterns: list[Any] = [path("", home, name="home")]
