"""The thread of one dispatch: read as one story, with the forms of what this reader can do next."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from archive import access, audit
from archive.forms.route import AnswerForm, AssignForm, NoteForm, ReasonForm
from archive.leveling import words
from archive.models import Person, Record, Step
from archive.routing import deadlines
from archive.routing.possible import possible
from archive.routing.story import Event, story
from archive.rules.roles import Action
from archive.rules.steps import Act
from archive.views.doors import person_of

REASONED = (Act.RETURN, Act.SEND_BACK, Act.END)


@dataclass(frozen=True, slots=True)
class Deed:
    """An act on a step with its form, as sent by the reader."""

    step: Step
    act: Act
    form: Form


@require_GET
def show(request: HttpRequest, key: str) -> HttpResponse:
    """Show the thread of one dispatch as one story, with what this reader can do next."""
    return render(request, "archive/thread.html", side(request, key))


@require_GET
def card(request: HttpRequest, key: str) -> HttpResponse:
    """Show the thread as a card, to stand beside a record."""
    return render(request, "archive/thread_card.html", side(request, key, part="card"))


def side(request: HttpRequest, key: str, *, part: str = "thread") -> dict[str, Any]:
    """Return the context of a thread after writing that it was read."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_READ, key)
    audit.read(Action.RECORD_READ, actor=person, subject=record, part=part)
    shown = context(record, person)
    if shown["page_level"] > record.level and part == "thread":
        audit.read(Action.RECORD_LIST, actor=person, lines=shown["replies"], list="replies")
    return shown


def context(record: Record, person: Person, bound: Deed | None = None) -> dict[str, Any]:
    """Return what the thread's templates take; `bound` is a form to show again with its errors."""
    told = story(record, reader=person)
    today, near = timezone.localdate(), deadlines.soon()
    tasks = [task for event in told.now if event.live and (task := _task(event.live, person, bound))]
    forms = [form for task in tasks for form in task["forms"].values()]
    replies = {one.pk: one for form in forms if isinstance(form, AnswerForm) for one in form.offers}
    return {
        "record": record,
        "number": getattr(record, "number", None),
        "past": told.past,
        "now": [(event, *_stands(event, today, near)) for event in told.now],
        "future": told.future,
        "tasks": sorted(tasks, key=lambda task: task["aside"]),
        "replies": list(replies.values()),
        "page_level": access.level_of([record, *replies.values()]),
    }


def _stands(event: Event, today: date, near: date) -> tuple[str, str]:
    return deadlines.nearness(event.live, today=today, near=near) if event.live else ("", "")


def _task(step: Step, person: Person, bound: Deed | None) -> dict[str, Any] | None:
    """Return one step with the acts open to this person and their forms; None when there are none."""
    acts = possible(step, person)
    if not acts:
        return None
    forms = {act.value: form_for(act, step, person) for act in acts}
    opened = ""
    if bound and bound.step.pk == step.pk:
        forms[bound.act.value], opened = bound.form, bound.act.value
    dialogs = [(act, forms[act.value]) for act in acts if act in REASONED]
    aside = acts == (Act.END,)  # only to be withdrawn: nothing is asked of this reader
    return {
        "step": step,
        "acts": {act.value for act in acts},
        "forms": forms,
        "dialogs": dialogs,
        "opened": opened,
        "aside": aside,
    }


def form_for(act: Act, step: Step, person: Person, data: Any = None) -> Form:
    """Return the form of an act; its ids carry the step's line, since a page may show several."""
    auto = f"id_{act.value}_{step.order}_%s"
    if act is Act.ANSWER:
        return AnswerForm(data, person=person, auto_id=auto, initial={"text": _drafted(step, person)})
    if act is Act.ASSIGN:
        return AssignForm(data, step=step, person=person, auto_id=auto)
    if act is Act.APPROVE:
        return NoteForm(data, auto_id=auto)
    return ReasonForm(data, auto_id=auto) if act in REASONED else Form(data, auto_id=auto)


def _drafted(step: Step, person: Person) -> str:
    """Return the newest answer given inside the unit: the head sends it on or rewrites it; none of a higher level."""
    answered = step.children.exclude(answer="").order_by("-answered_at").first()
    if answered is None or words.above(person, step.record)(answered.answered_at):
        return ""
    return answered.answer


urlpatterns = [
    path("records/<str:key>/thread/", show, name="thread"),
    path("records/<str:key>/thread/card/", card, name="thread-card"),
]
