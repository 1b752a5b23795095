"""The leader's page: one dispatch at a time, the page of paper beside the direction. Works by thumb at 390 px."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from archive import audit, routing
from archive.forms.route import DirectForm
from archive.leveling import words
from archive.models import Person, Step
from archive.routing import deadlines, lists
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import attempt, heard, person_of
from archive.views.record.records import viewer_pages
from archive.views.route.steps import step_of
from archive.views.states import overtaken

PHRASES = (
    gettext_lazy("Carry out at once."),
    gettext_lazy("Study and advise me."),
    gettext_lazy("For your information; file it."),
    gettext_lazy("Discuss with me first."),
)
SHORTCUTS = (
    (0, gettext_lazy("Today")),
    (1, gettext_lazy("Tomorrow")),
    (3, gettext_lazy("3 days")),
    (5, gettext_lazy("5 days")),
    (10, gettext_lazy("10 days")),
)


def directing(request: HttpRequest, *, bound: DirectForm | None = None, at: Step | None = None) -> HttpResponse:
    """Show one dispatch at a time to be directed, the page beside the form."""
    person = person_of(request)
    desk = lists.desk(person)
    queue = desk.waiting
    here = _place(queue, at.record.key if at else request.GET.get("at", ""))
    step, undo = desk.steps(person, here)
    if queue and step is None:  # it was taken out of sight just now
        return redirect("archive:work")
    if step is None:
        audit.read(Action.WORK_READ, actor=person, list="direct", count=0)
        return render(request, "archive/direct_empty.html", _follow_up(person) | {"undo": undo})
    words.hush(person, filter(None, (step, step.parent)), words.OF_STEP)
    if bound is None:  # nothing is shown of the others that wait but how many they are
        audit.read(Action.RECORD_READ, actor=person, subject=step.record)
    context = {
        "step": step,
        "record": step.record,
        "number": getattr(step.record, "number", None),
        "pages": viewer_pages(step.record, {}),
        "thumbs": False,
        "form": bound or DirectForm(step=step),
        "position": here + 1,
        "total": len(queue),
        "next_key": queue[(here + 1) % len(queue)][1] if len(queue) > 1 else "",
        "phrases": PHRASES,
        "undo": undo,
        "shortcuts": [(label, deadlines.due_in(days)) for days, label in SHORTCUTS],
        "page_level": Level(step.record.level),
    }
    return render(request, "archive/direct.html", context, status=422 if bound else 200)


def _place(queue: list[tuple[int, str]], key: str) -> int:
    return next((place for place, (_pk, waiting) in enumerate(queue) if waiting == key), 0)


def _follow_up(person: Person) -> dict[str, Any]:
    steps = lists.of_unit(person)
    return {"waiting": lists.some(lists.waiting(person, steps)).count()}


@require_POST
def step_direct(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Direct a dispatch and go on to the next one."""
    step, person = step_of(request, Action.STEP_DIRECT, key, order), person_of(request)
    form = DirectForm(request.POST, step=step)
    if (
        heard(request, form)
        and attempt(request, form, lambda: routing.direct(step, form.direction(), actor=person)) is not None
    ):
        following = request.POST.get("next", "")
        onward = lists.to_direct(person).filter(record__key=following).exists()
        return redirect(reverse("archive:work") + (f"?at={following}" if onward else ""))
    if not lists.to_direct(person).filter(pk=step.pk).exists():
        # Somebody else decided first: the page for it is gone, the sentence and what was typed stay.
        why = " ".join(str(error) for error in form.non_field_errors())
        return overtaken(request, why, level=Level(step.record.level), back="archive:work")
    return directing(request, bound=form, at=step)


@require_POST
def step_take_back(request: HttpRequest, key: str, order: int) -> HttpResponse:
    """Take a direction back and show it again to be changed."""
    step, person = step_of(request, Action.STEP_DIRECT, key, order), person_of(request)
    form = Form(request.POST)
    if attempt(request, form, lambda: routing.take_back(step, actor=person)):
        return redirect(f"{reverse('archive:work')}?at={key}")
    messages.error(request, " ".join(str(error) for error in form.non_field_errors()))
    return redirect("archive:work")


urlpatterns = [
    path("records/<str:key>/steps/<int:order>/direct/", step_direct, name="step-direct"),
    path("records/<str:key>/steps/<int:order>/take-back/", step_take_back, name="step-take-back"),
]
