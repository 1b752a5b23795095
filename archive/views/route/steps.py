"""The acts on the steps of a dispatch. A step is addressed by its record and line, never by a global id."""

from collections.abc import Callable
from typing import TypeVar, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from archive import access, audit, routing
from archive.forms.route import AssignForm, ForwardForm
from archive.models import Record, Step
from archive.routing import deadlines
from archive.routing.possible import ACTIONS
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.rules.steps import Act
from archive.views.doors import attempt, heard, person_of
from archive.views.route import thread
from archive.views.route.thread import Deed

T = TypeVar("T")


def step_of(request: HttpRequest, action: Action, key: str, order: int) -> Step:
    """Return a step of a record that this person may see and act on.

    Raises:
        Hidden, Forbidden: as `access.open_record`; a line that is not there is hidden like a record.
    """
    record = access.open_record(person_of(request), action, key)
    step = (
        record.steps.select_related("record", "to_unit", "to_person__unit", "from_person").filter(order=order).first()
    )
    if step is None:
        raise Hidden(object_type="record", object_id=key)
    return step


def carry_out(request: HttpRequest, deed: Deed, do: Callable[[], T], done: str | Promise) -> HttpResponse:
    """Do an act with a valid form and go on; otherwise show the thread with the form and its errors."""
    if heard(request, deed.form) and attempt(request, deed.form, do) is not None:
        messages.success(request, str(done))
        return redirect(_after(request, deed.step.record))
    person = person_of(request)
    fresh = access.open_record(person, Action.RECORD_READ, deed.step.record.key)
    shown = thread.context(fresh, person, deed) | {"form": deed.form}
    return render(request, "archive/thread.html", shown, status=422)


def _after(request: HttpRequest, record: Record) -> str:
    """Return where to go on: back to the list the form came from, else the thread while it may be seen."""
    still = access.visible_to(person_of(request)).opens([record.pk]).exists()
    places = {"mine": "archive:work", "unit": "archive:work-unit"}
    if place := places.get(request.POST.get("from", "")):
        return reverse(place) + (f"?at={record.key}" if still and place == "archive:work-unit" else "")
    return reverse("archive:thread", args=[record.key]) if still else reverse("archive:work")


@require_POST
def step_receive(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Sign for a step."""
    deed, person = _deed(request, Act.RECEIVE, key, order), person_of(request)
    return carry_out(request, deed, lambda: routing.receive(deed.step, actor=person), _("Signed for."))


@require_POST
def step_answer(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Answer a step."""
    deed, person = _deed(request, Act.ANSWER, key, order), person_of(request)

    def answer() -> Step:
        told = deed.form.cleaned_data
        return routing.answer(deed.step, told["text"], reply=told["reply"], actor=person)

    return carry_out(request, deed, answer, _("Answered. It waits for approval."))


@require_POST
def step_approve(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Approve an answer."""
    deed, person = _deed(request, Act.APPROVE, key, order), person_of(request)

    def approve() -> Step:
        return routing.approve(deed.step, deed.form.cleaned_data["note"], actor=person)

    return carry_out(request, deed, approve, _("Approved."))


@require_POST
def step_assign(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Assign a step inside the unit."""
    deed, person = _deed(request, Act.ASSIGN, key, order), person_of(request)

    def assign() -> Step:
        return routing.assign(deed.step, cast("AssignForm", deed.form).task(), actor=person)

    return carry_out(request, deed, assign, _("Assigned."))


@require_POST
def step_return(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Return a step to who gave it."""
    return _reasoned(request, _deed(request, Act.RETURN, key, order), routing.return_step, _("Returned."))


@require_POST
def step_rework(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Ask for rework of an answer."""
    return _reasoned(request, _deed(request, Act.SEND_BACK, key, order), routing.send_back, _("Sent back for rework."))


@require_POST
def step_end(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Withdraw a step."""
    return _reasoned(request, _deed(request, Act.END, key, order), routing.end, _("Withdrawn."))


def _reasoned(request: HttpRequest, deed: Deed, do: Callable[..., Step], done: str | Promise) -> HttpResponse:
    person = person_of(request)
    return carry_out(request, deed, lambda: do(deed.step, deed.form.cleaned_data["reason"], actor=person), done)


def _deed(request: HttpRequest, act: Act, key: str, order: int) -> Deed:
    step = step_of(request, ACTIONS[act], key, order)
    return Deed(step, act, thread.form_for(act, step, person_of(request), request.POST))


@require_http_methods(["GET", "POST"])
def forward(request: HttpRequest, key: str) -> HttpResponse:
    """Hand a dispatch on: ask to whom and for what, then do it."""
    person = person_of(request)
    record = access.open_record(person, Action.STEP_FORWARD, key)
    form = ForwardForm(request.POST or None, record=record, person=person)
    came_from = request.POST.get("from", request.GET.get("from", ""))
    if form.is_bound and heard(request, form):
        task = form.task()
        if attempt(request, form, lambda: routing.forward(record, task, actor=person)):
            messages.success(request, _("Sent to %(receiver)s.") % {"receiver": task.to})
            return redirect("archive:work" if came_from == "desk" else reverse("archive:thread", args=[key]))
    if not form.is_bound:
        audit.read(Action.RECORD_READ, actor=person, subject=record, part="forward")
    shown = thread.context(record, person) | {
        "form": form,
        "urgent": deadlines.is_urgent(record),
        "came_from": came_from,
        "page_level": Level(record.level),  # no form of the thread is drawn here
    }
    template = (
        "archive/thread_forward_form.html" if request.headers.get("HX-Request") else "archive/thread_forward.html"
    )
    return render(request, template, shown, status=422 if form.is_bound else 200)


urlpatterns = [
    path("records/<str:key>/forward/", forward, name="record-forward"),
    path("records/<str:key>/steps/<int:order>/receive/", step_receive, name="step-receive"),
    path("records/<str:key>/steps/<int:order>/assign/", step_assign, name="step-assign"),
    path("records/<str:key>/steps/<int:order>/answer/", step_answer, name="step-answer"),
    path("records/<str:key>/steps/<int:order>/approve/", step_approve, name="step-approve"),
    path("records/<str:key>/steps/<int:order>/return/", step_return, name="step-return"),
    path("records/<str:key>/steps/<int:order>/rework/", step_rework, name="step-rework"),
    path("records/<str:key>/steps/<int:order>/end/", step_end, name="step-end"),
]
