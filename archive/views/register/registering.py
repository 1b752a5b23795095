"""The intake desk's list of drafts and the registering screen."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit, pages, papers, registration
from archive.forms.register import NUMBERED, ReasonForm, RegisterForm, registers_for
from archive.models import DigitalObject, Record, RecordState, Register
from archive.models.record import Direction
from archive.routing import lists
from archive.rules.levels import Level
from archive.rules.proposal import SURE
from archive.rules.roles import Action
from archive.rules.types import TYPES
from archive.standing import clearance
from archive.views.doors import attempt, person_of
from archive.views.record.records import viewer_pages
from archive.views.states import overtaken

SHOWN = 100


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """List the drafts on this person's intake desk, oldest first."""
    person = person_of(request)
    access.require(person, Action.RECORD_REGISTER)
    waiting = list(_waiting(request)[: SHOWN + 1])
    drafts = waiting[:SHOWN]
    audit.read(Action.RECORD_LIST, actor=person, lines=drafts, desk=True, shown=len(drafts))
    context = {
        "drafts": _draft_lines(drafts),
        "more": len(waiting) > SHOWN,
        "may_paper": bool(papers.offered(person)),
        "page_level": access.level_of(drafts),
    }
    return render(request, "archive/register_desk.html", context)


def _waiting(request: HttpRequest) -> Any:
    return lists.drafts(person_of(request))


def _draft_lines(drafts: Sequence[Record]) -> list[dict[str, Any]]:
    names = _originals(drafts)
    return [_draft_line(draft, names.get(draft.pk, "")) for draft in drafts]


def _originals(drafts: Sequence[Record]) -> dict[int, str]:
    """Return the file name of each draft's original, by its id; of several the first."""
    originals = DigitalObject.objects.filter(record__in=drafts, role="original").order_by("-pk")
    return {record_id: name for record_id, name in originals.values_list("record_id", "name") if record_id}


def _draft_line(draft: Record, original: str) -> dict[str, Any]:
    read = {name: guess["value"] for name, guess in draft.proposal.items()}
    doubtful = [name for name, guess in draft.proposal.items() if guess["confidence"] < SURE]
    return {"record": draft, "read": read, "doubtful": len(doubtful), "original": original}


@require_http_methods(["GET", "POST"])
def register_draft(request: HttpRequest, key: str) -> HttpResponse:
    """Show a draft beside its page, or register it and go on to the next."""
    person = person_of(request)
    draft = access.open_record(person, Action.RECORD_REGISTER, key)
    if draft.state != RecordState.DRAFT:
        # Who pressed the button twice did it themself; who comes second to a colleague is told, and keeps what was typed.
        is_second = request.method == "POST" and draft.registered_by_id != person.pk
        return _too_late(request, draft) if is_second else redirect("archive:record", key)
    form = RegisterForm(request.POST or None, draft=draft, levels=_levels(draft, person))
    if request.method == "POST" and form.is_valid():
        record = attempt(request, form, lambda: _register(form, draft, person))
        if record is not None:
            return _after(request, record)
        _offer_duplicate(form)
    audit.read(Action.RECORD_READ, actor=person, subject=draft, desk=True)
    return render(
        request,
        "archive/register_draft.html",
        _context(request, draft, form),
        status=200 if request.method == "GET" else 422,
    )


def _too_late(request: HttpRequest, draft: Record) -> HttpResponse:
    refusal = registration.NotADraft()
    audit.refused(refusal, actor=person_of(request), action="archive:register-draft", subject=draft)
    return overtaken(request, refusal, level=Level(draft.level), back="archive:register")


def _levels(draft: Record, person: Any) -> list[Level]:
    ceiling = min(clearance(person, timezone.now()), settings.SITE_MAX_LEVEL)
    return [level for level in Level if draft.proposed_level <= level <= ceiling]


def _register(form: RegisterForm, draft: Record, person: Any) -> Record:
    entry = form.entry()
    return registration.register(
        draft,
        entry,
        register=_register_of(draft, entry),
        actor=person,
        despite_duplicate=form.cleaned_data["despite_duplicate"],
        files_seen=form.cleaned_data["files_seen"] or 0,
    )


def _register_of(draft: Record, entry: registration.Entry) -> Register:
    kind = registration.kind_for(entry.direction, entry.level)
    register = registers_for(draft).filter(kind=kind).first()
    if register is None:
        raise registration.NoRegister(kind=kind.label)
    return register


def _offer_duplicate(form: RegisterForm) -> None:
    """After a duplicate warning, let the clerk say that both were compared."""
    if form.has_error(NON_FIELD_ERRORS, registration.LooksRegistered.code):
        form.fields["despite_duplicate"].widget = forms.CheckboxInput(attrs={"class": "form-check-input"})


def _after(request: HttpRequest, record: Record) -> HttpResponse:
    number = record.number
    messages.success(
        request,
        _("Registered as number %(number)s in “%(register)s”.")
        % {"number": number.number, "register": number.register},
    )
    following = _waiting(request).filter(pk__gt=record.pk).first() or _waiting(request).first()
    return redirect("archive:register-draft", following.key) if following else redirect("archive:register")


def _context(request: HttpRequest, draft: Record, form: RegisterForm) -> dict[str, Any]:
    registers = _registers(draft, form.fields["level"].choices)  # type: ignore[attr-defined]
    waiting = list(_waiting(request).values_list("key", flat=True)[:SHOWN])
    confirmed = set(request.POST.getlist("confirmed"))
    place = waiting.index(draft.key) if draft.key in waiting else 0
    return {
        "record": draft,
        "form": form,
        "rows": [
            _row(form, name, confirmed) for name in form.fields if name not in {"despite_duplicate", "files_seen"}
        ],
        "files_seen": _files_seen(form, draft),
        "pages": viewer_pages(draft, {}, pages.files_of(draft)),
        "current": 1,
        "registers": registers,
        "register": registers.get(f"{form['direction'].value()} {form['level'].value()}", _told(None)),
        "types": list(dict.fromkeys(kind.name for kind in TYPES)),
        "page_level": Level(draft.level),
        "place": place + 1,
        "waiting": len(waiting),
        "following": waiting[place + 1] if place + 1 < len(waiting) else None,
        "evidence": draft.evidence,
        "original": _originals([draft]).get(draft.pk, ""),
        "return_form": ReasonForm(),
    }


def _registers(draft: Record, levels: Iterable[tuple[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what stands at the head and on the button for each direction and level that can be chosen.

    The page must not promise the number of one register while the level chosen leads to another.
    """
    registers = list(registers_for(draft))
    expected, by_kind = registration.expected_numbers(registers), {one.kind: one for one in reversed(registers)}
    told = {}
    for direction in Direction.values:
        for slug, _label in levels:
            found = by_kind.get(registration.kind_for(direction, Level.parse(slug)))
            told[f"{direction} {slug}"] = _told(found, expected[found.pk]) if found else _told(None)
    return told


def _told(register: Register | None, number: int = 0) -> dict[str, Any]:
    """Return the register's name, its next number and the words of the button; without a register, that none is open."""
    if register is None:
        return {"name": _("No register of this level is open"), "expected": None, "act": _("Register")}
    act = _("Give number %(n)s and go on") % {"n": number}
    return {"name": f"{register.name} {timezone.localdate().year}", "expected": number, "act": act}


def _files_seen(form: RegisterForm, draft: Record) -> Any:
    """Return how many attached files the clerk has been told of; a form that comes back for another fault tells none."""
    if form.is_bound and not form.has_error(NON_FIELD_ERRORS, registration.FileJoined.code):
        return form["files_seen"].value() or 0
    return draft.attachments.count()


def _row(form: RegisterForm, name: str, confirmed: set[str]) -> dict[str, Any]:
    guess = form.guesses.get(name)
    return {
        "field": form[name],
        "guess": guess,
        "others": form.readings(name),
        "n": NUMBERED.index(name) + 1 if name in NUMBERED and guess and guess.box else None,
        "confirmed": name in confirmed,
        "arrival": name in {"arrival_date", "arrival_time", "to_places", "due_date", "description", "issued_amount"},
    }


@require_POST
def return_draft(request: HttpRequest, key: str) -> HttpResponse:
    """Return a draft to its sender, with a reason."""
    draft = access.open_record(person_of(request), Action.RECORD_RETURN, key)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(request, form, lambda: registration.return_draft(draft, reason=reason, actor=person_of(request))):
            messages.success(request, _("Returned to the sender; it stays traceable on the desk."))
            return redirect("archive:register")
    for sentence in form.errors.get("__all__", form.errors.get("reason", [])):
        messages.error(request, str(sentence))
    return redirect("archive:register-draft", key)


@require_POST
def void_number(request: HttpRequest, key: str) -> HttpResponse:
    """Void the number of a record, with a reason."""
    record = access.open_record(person_of(request), Action.NUMBER_VOID, key)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        voided = attempt(request, form, lambda: registration.void(record, reason=reason, actor=person_of(request)))
        if voided:
            messages.success(
                request,
                _("Number %(number)s is void; it stays in the register with its reason.") % {"number": voided.number},
            )
    for sentence in form.errors.get("__all__", form.errors.get("reason", [])):
        messages.error(request, str(sentence))
    return redirect("archive:record", key)


urlpatterns = [
    path("register/", desk, name="register"),
    path("register/<str:key>/", register_draft, name="register-draft"),
    path("register/<str:key>/return/", return_draft, name="register-return"),
    path("records/<str:key>/void/", void_number, name="number-void"),
]
