"""Dispatches kept on paper alone: the list that finds them, the form that registers one, the page of one paper."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from archive import access, audit, papers, registration
from archive.forms.papers import FindForm, LyingForm, PaperForm, TakeInForm
from archive.holding import is_stub
from archive.models import Person, Record
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.rules.types import TYPES
from archive.views.doors import attempt, heard, person_of

SHOWN: Final = 100


@require_http_methods(["GET", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """List the papers that the reader may know of, or find some: what is looked for comes in the body, not in the address."""
    person = person_of(request)
    access.require(person, Action.RECORD_LIST)
    form = FindForm(request.POST or None)
    text = form.cleaned_data["text"] if request.method == "POST" and form.is_valid() else ""
    rows = papers.found(person, text=text, most=SHOWN)
    asked = Action.SEARCH_RUN if text else Action.RECORD_LIST  # its words are kept as those of any other search
    audit.read(asked, actor=person, lines=rows[:SHOWN], list="papers", text=text, shown=len(rows[:SHOWN]))
    places = papers.newest_places(person, rows[:SHOWN])
    context = {
        "rows": [(record, places.get(record.pk)) for record in rows[:SHOWN]],
        "more": len(rows) > SHOWN,
        "form": form,
        "text": text,
        "may_register": access.may(person, Action.RECORD_REGISTER).allowed and bool(papers.offered(person)),
        "page_level": access.level_of(rows[:SHOWN]),
    }
    return render(request, "archive/papers.html", context)


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Register a dispatch that exists on paper only."""
    person = person_of(request)
    access.require(person, Action.RECORD_REGISTER)
    levels = papers.offered(person)
    if not levels:
        raise papers.refusal(person)
    form = PaperForm(request.POST or None, person=person, level=request.GET.get("level", ""))
    if request.method == "POST" and heard(request, form):
        record = attempt(request, form, lambda: _register(form, person))
        if record is not None:
            said = _("Registered as number %(number)s in “%(register)s”.")
            messages.success(request, said % {"number": record.number.number, "register": record.number.register})
            return redirect("archive:record", record.key)
        if form.has_error(NON_FIELD_ERRORS, registration.LooksRegistered.code):
            form.fields["despite_duplicate"].widget = forms.CheckboxInput(attrs={"class": "form-check-input"})
    context = {
        "form": form,
        "line": [form[name] for name in form.field_order if name not in LyingForm.base_fields],
        "lying": [form[name] for name in LyingForm.base_fields],
        "types": list(dict.fromkeys(kind.name for kind in TYPES)),
        "page_level": max(levels),
    }
    return render(request, "archive/paper_new.html", context, status=422 if form.is_bound else 200)


def _register(form: PaperForm, person: Person) -> Record:
    given = form.cleaned_data
    return papers.register(
        form.entry(),
        form.lying(),
        register=given["register"],
        actor=person,
        despite_duplicate=given["despite_duplicate"],
    )


@require_http_methods(["GET", "POST"])
def paper(request: HttpRequest, key: str) -> HttpResponse:
    """Show where one paper has been, write that it went on, or take the dispatch in once its level allows."""
    person = person_of(request)
    record = access.open_record(person, Action.PAPER_MOVE, key)
    if not is_stub(record):
        raise Hidden(object_type="paper", object_id=record.key)
    act = request.POST.get("act", "")
    rows = papers.told_to(person, record)
    copies = {"copies": rows[0].copies} if rows else {}  # who keeps them now is what changes
    moving = LyingForm(request.POST if act == "move" else None, auto_id="move-%s", initial=copies)
    taking = TakeInForm(request.POST if act == "take-in" else None, auto_id="take-%s")
    if act == "move" and heard(request, moving):
        if attempt(request, moving, lambda: papers.hand_on(record, moving.lying(), actor=person)):
            messages.success(request, _("Written down: the paper went on."))
            return redirect("archive:record-paper", key)
    elif act == "take-in" and heard(request, taking):
        given = taking.cleaned_data
        if attempt(request, taking, lambda: papers.take_in(record, actor=person, **given)):
            messages.success(request, _("The dispatch has its abstract now and takes files."))
            return redirect("archive:record", key)
    audit.read(Action.RECORD_READ, actor=person, subject=record, part="paper")
    context = {
        "record": record,
        "rows": rows,
        "moving": moving,
        "taking": taking if papers.may_come_in(record) else None,
        "page_level": Level(record.level),
    }
    return render(request, "archive/record_paper.html", context, status=422 if request.method == "POST" else 200)


urlpatterns = [
    path("papers/", listed, name="papers"),
    path("papers/new/", register, name="paper-new"),
    path("records/<str:key>/paper/", paper, name="record-paper"),
]
