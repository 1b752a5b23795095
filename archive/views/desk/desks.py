"""What stands on the desk of each role: figures, the rows to begin with, and what is due this week.

Every number is a link to its rows and counts what this person may see. Reads only; the
page that shows a desk writes the entry.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive import dossiers, registers, retention
from archive.models import AuditEntry, Clearance, Person, Record, Step, StepState
from archive.routing import deadlines, lists
from archive.rules.levels import Level, Urgency
from archive.rules.roles import Action, Role
from archive.templatetags.office import capped
from archive.views.desk.deskrows import Row, draft_row, filing_row, forward_row, step_row

ROWS: Final = 8
URGENT_ROWS: Final = 3
DUE_ROWS: Final = 5
DUE_SOON: Final = timedelta(days=30)
WEEK: Final = timedelta(days=7)
CHART_DAYS: Final = 14
Words = str | Promise


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the desk, and where its rows are."""

    label: Words
    value: int
    url: str
    kind: str = ""
    state: Words = ""
    is_capped: bool = False  # counted no further than CAP + 1


@dataclass(frozen=True, slots=True)
class Link:
    """A button of the desk, with its key; the primary one comes last."""

    url: str
    icon: str
    label: Words
    key: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """One role's desk."""

    figures: Sequence[Figure]
    rows: Sequence[Row] = ()
    title: Words = ""
    empty: Words = ""
    links: Sequence[Link] = ()
    urgent: Record | None = None  # an urgent dispatch that nobody has been handed
    due: Sequence[Step] = ()
    days: dict[date, int] = field(default_factory=dict)  # registered per day, for the chart

    @property
    def records(self) -> Iterator[Record]:
        """Every record that the desk shows."""
        yield from (row.record for row in self.rows)
        yield from (step.record for step in self.due)
        if self.urgent:
            yield self.urgent

    @property
    def chart(self) -> dict[str, Any]:
        """The days as the chart takes them."""
        return {"labels": [f"{day:%d/%m}" for day in self.days], "data": list(self.days.values())}


HAND_IN: Final = Link("ingest:desk", "scan", _("Hand in"), "n")
REGISTER: Final = Link("archive:register", "clipboard-text", _("Register on"), "r")
DIRECT: Final = Link("archive:work", "writing-sign", _("Read and direct"), "r")
WORK: Final = Link("archive:work", "checklist", _("My work"), "r")
SEARCH: Final = Link("search:search", "search", _("Search"))
FILE: Final = Link("archive:dossiers-unfiled", "folder-check", _("File dispatches"), "r")
LOG: Final = Link("archive:log", "list-search", _("Open the log"), "r")


def _clerk(person: Person) -> Desk:
    drafts = lists.drafts(person)
    fresh = lists.to_forward(person)
    days = registers.registered_per_day(person, days=CHART_DAYS)
    glances = lists.glances(person, ("drafts", "to_forward", "returned_to"))
    waiting, submitted = glances["drafts"].total, glances["to_forward"]
    hurried, back = submitted.pressing, glances["returned_to"].total
    urgent = list(fresh.filter(urgency__gt=Urgency.THUONG)[:URGENT_ROWS]) if hurried else []
    figures = [
        Figure(_("to be registered"), waiting, reverse("archive:register"), "soon" if waiting else "done",
               _("today") if waiting else _("nothing waits")),
        Figure(_("to be submitted"), submitted.total, reverse("archive:work"), "late" if hurried else "done",
               _("%(n)s urgent") % {"n": hurried} if hurried else _("none urgent")),
        Figure(_("came back"), back, reverse("archive:work"), is_capped=True),
        Figure(_("registered today"), days.get(timezone.localdate(), 0), reverse("archive:registers")),
    ]  # fmt: skip
    return Desk(
        figures,
        rows=[*map(forward_row, urgent), *map(draft_row, drafts[: ROWS - len(urgent)])],
        title=_("What I have to do"),
        empty=_("Nothing waits to be registered. Hand files in, and they appear here."),
        links=(HAND_IN, REGISTER),
        urgent=urgent[0] if urgent else None,
        due=_due(lists.live(person)),
        days=days,
    )


def _leader(person: Person) -> Desk:
    words = (_("To read and direct"), _("Nothing waits for your direction."))
    return _steps_desk(person, lists.to_direct, words, (SEARCH, DIRECT), _due(lists.of_unit(person)))


def _staff(person: Person) -> Desk:
    words = (_("In your hands"), _("Nothing is in your hands."))
    return _steps_desk(person, lists.mine, words, (SEARCH, WORK), ())


def _steps_desk(
    person: Person,
    mine: Callable[[Person], QuerySet[Step]],
    words: tuple[Words, Words],
    links: Sequence[Link],
    due: Sequence[Step],
) -> Desk:
    own, others = lists.figures(person, mine, lists.of_unit, parts=("late", "soon"))
    here, there = reverse("archive:work"), reverse("archive:work-unit")
    figures = [
        Figure(_("in hand"), own.total, here, is_capped=True),
        Figure(_("late"), own.late, here, "late" if own.late else "done", _("late") if own.late else _("none late"), is_capped=True),
        Figure(_("due soon"), own.soon, here, "soon" if own.soon else "done",
               _("within two working days") if own.soon else _("none soon"), is_capped=True),
        Figure(_("work of my unit"), others.total, there, "late" if others.late else "done",
               _("%(n)s are late") % {"n": capped(others.late)} if others.late else _("none late"), is_capped=True),
    ]  # fmt: skip
    today, near = timezone.localdate(), deadlines.soon()
    rows = [step_row(step, today=today, near=near) for step in lists.first(mine(person), ROWS)]
    return Desk(figures, rows=rows, title=words[0], empty=words[1], links=links, due=due)


def _due(steps: QuerySet[Step]) -> list[Step]:
    """Return the unanswered steps due this week, late ones first."""
    limit = timezone.localdate() + WEEK
    near = steps.filter(due_on__lte=limit).exclude(state=StepState.ANSWERED)
    return lists.first(near.order_by("due_on", "-record__urgency", "record_id", "order"), DUE_ROWS)


def _archivist(person: Person) -> Desk:
    seen = dossiers.visible_dossiers(person)
    unfiled = dossiers.unfiled(person, most=ROWS)
    held = retention.visible_holds(person).filter(lifted_at__isnull=True)
    figures = [
        Figure(_("dispatches not filed yet"), unfiled.total, reverse("archive:dossiers-unfiled"), is_capped=True),
        Figure(_("open dossiers"), seen.filter(closed_at__isnull=True).count(), reverse("archive:dossiers")),
        Figure(_("active holds"), held.count(), reverse("archive:holds")),
    ]
    return Desk(
        figures,
        rows=[filing_row(record) for record in unfiled.records().select_related("number")],
        title=_("Not filed yet"),
        empty=_("Every dispatch lies in a dossier."),
        links=(SEARCH, FILE),
    )


def _auditor(_person: Person) -> Desk:
    day = timezone.now() - timedelta(days=1)
    since = f"since={timezone.localdate() - timedelta(days=1):%d/%m/%Y}"
    recent = AuditEntry.objects.filter(ts__gte=day)
    denied, failed = (
        recent.filter(outcome="denied").count(),
        recent.filter(action=Action.SIGN_IN_FAILED).count(),
    )
    log = reverse("archive:log")
    figures = [
        Figure(_("entries in 24 hours"), recent.count(), f"{log}?{since}"),
        Figure(_("refused"), denied, f"{reverse('archive:log-refused')}?{since}"),
        Figure(_("failed sign-ins"), failed, f"{log}?action={Action.SIGN_IN_FAILED}&{since}"),
    ]
    return Desk(figures, empty=_("The log is read only; begin with a filter."), links=(LOG,))


def _security(_person: Person) -> Desk:
    now, here = timezone.now(), reverse("archive:clearances")
    valid = Clearance.objects.filter(revoked_at__isnull=True, level__gt=Level.THUONG)
    ending = valid.filter(until__gt=now, until__lte=now + DUE_SOON).count()
    figures = [
        Figure(_("valid clearances"), valid.exclude(until__lte=now).count(), here),
        Figure(_("end within 30 days"), ending, here),
    ]
    link = Link("archive:clearances", "shield", _("Clearances"), "r")
    return Desk(figures, empty=_("Clearances are listed with their basis and end."), links=(link,))


def _admin(_person: Person) -> Desk:
    people = Person.objects.filter(is_active=True).count()
    figures = [Figure(_("people who may sign in"), people, reverse("config:status"))]
    link = Link("config:status", "server", _("Status"), "r")
    return Desk(figures, empty=_("The machine's state stands on the status page."), links=(link,))


DESKS: Final[dict[Role, Callable[[Person], Desk]]] = {
    Role.CLERK: _clerk,
    Role.LEADER: _leader,
    Role.STAFF: _staff,
    Role.ARCHIVIST: _archivist,
    Role.AUDITOR: _auditor,
    Role.SECURITY: _security,
    Role.ADMIN: _admin,
}
