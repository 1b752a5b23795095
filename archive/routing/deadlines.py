"""Deadlines in working days: what is usual for a step. Reads the days of the office, writes nothing."""

from dataclasses import replace
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive import officedays
from archive.models import Record, Step, StepState
from archive.routing.moving import Task
from archive.rules import workdays
from archive.rules.levels import Urgency
from archive.rules.steps import Kind
from archive.standing import remembered

SOON_DAYS = 2  # working days: what a list calls "soon"


def due_in(days: int, *, start: date | None = None) -> date:
    """Return the local day that lies some working days after a day (today when none is given); 0 is that day."""
    first = start or timezone.localdate()
    if days == 0:
        return first
    return workdays.add(first, days, _days(first))


def _days(first: date) -> workdays.Calendar:
    return remembered(f"holidays from {first}", lambda: officedays.calendar(first))


def with_due(record: Record, task: Task) -> Task:
    """Return the task with the usual deadline when none was given; nothing is due that is only for information."""
    if task.due_on or task.kind is Kind.INFORM:
        return task
    usual = for_direction(record) if task.kind is Kind.DIRECT else for_work(record)
    return replace(task, due_on=usual)


def for_direction(record: Record) -> date:
    """Return when a leader should have directed: an urgent dispatch today, others the next working day."""
    return timezone.localdate() if is_urgent(record) else due_in(1)


def for_work(record: Record) -> date | None:
    """Return when work is due if the leader names no day: urgent today, else the dispatch's own day if still to come."""
    today = timezone.localdate()
    if is_urgent(record):
        return today
    return record.due_date if record.due_date and record.due_date >= today else None


def is_urgent(record: Record) -> bool:
    """Return whether a dispatch bears an urgency mark: it is handled at once."""
    return record.urgency > Urgency.THUONG


def soon() -> date:
    """Return the last day that counts as soon."""
    return due_in(SOON_DAYS)


def nearness(step: Step, *, today: date, near: date) -> tuple[str, str]:
    """Return how a live step stands to its deadline: a kind (late, soon, doing, open, done) and the words for it."""
    if step.state == StepState.ANSWERED:
        return "done", _("answered, waiting for approval")
    if step.due_on is None:
        return ("open", _("not signed for")) if step.state == StepState.OPEN else ("doing", _("in hand"))
    passed = (today - step.due_on).days
    if passed > 0:
        return "late", ngettext("%(n)s day late", "%(n)s days late", passed) % {"n": passed}
    if passed == 0:
        return "soon", _("due today")
    return "soon" if step.due_on <= near else "doing", _("due %(day)s") % {"day": f"{step.due_on:%d/%m}"}
