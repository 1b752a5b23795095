"""The security officer's desk: who is cleared for what; give, shorten, extend, revoke; compartment marks."""

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from archive import access, audit, clearing
from archive.forms.clearing import ExtendForm, GiveForm, MarkForm, RevokeForm, ShortenForm, end_of
from archive.models import Clearance, Mark
from archive.rules.errors import Hidden
from archive.rules.roles import Action
from archive.views.doors import attempt, heard, person_of
from archive.views.proving import recently_proved

PAGE: Final = 50
SOON_DAYS: Final = 30
SHOWN: Final = {
    "valid": gettext_lazy("In force"),
    "soon": gettext_lazy("Ending within 30 days"),
    "over": gettext_lazy("Ended or revoked"),
    "all": gettext_lazy("All"),
}
LONGEST: Final = 6  # digits of a page number


@require_http_methods(["GET", "POST"])
@recently_proved
def clearances(request: HttpRequest) -> HttpResponse:
    """List clearances, and give one."""
    person = person_of(request)
    access.require(person, Action.CLEARANCE_READ)
    form = GiveForm(request.POST or None, actor=person)
    if request.method == "POST" and heard(request, form):
        to = form.cleaned_data["person"]
        if attempt(request, form, lambda: clearing.give(form.decision(), to=to, actor=person)):
            messages.success(request, _("The clearance is given and stands in the log."))
            return redirect("archive:clearances")
    shown = request.GET.get("show", "valid")
    shown = shown if shown in SHOWN else "valid"
    asked = request.GET.get("page", "1")
    page = max(int(asked), 1) if asked.isdecimal() and len(asked) < LONGEST else 1
    rows = list(_asked_for(shown)[(page - 1) * PAGE : page * PAGE + 1])
    audit.read(Action.CLEARANCE_READ, actor=person, list=shown, page=page, shown=len(rows[:PAGE]))
    context = {
        "rows": rows[:PAGE],
        "form": form,
        "now": timezone.now(),
        "shown": shown,
        "choices": SHOWN.items(),
        "newer_url": f"?show={shown}&page={page - 1}" if page > 1 else "",
        "older_url": f"?show={shown}&page={page + 1}" if len(rows) > PAGE else "",
    }
    return render(request, "archive/clearances.html", context, status=422 if form.is_bound else 200)


def _asked_for(shown: str) -> QuerySet[Clearance]:
    now = timezone.now()
    over = Q(revoked_at__lte=now) | Q(until__lte=now)
    rows = _with_facts(Clearance.objects.order_by("person__full_name", "-since", "-pk"))
    if shown == "over":
        return rows.filter(over)
    if shown == "soon":
        return rows.exclude(over).filter(until__lte=now + timedelta(days=SOON_DAYS)).order_by("until")
    return rows if shown == "all" else rows.filter(Q(revoked_at__isnull=True)).exclude(until__lte=now)


def _with_facts(rows: QuerySet[Clearance]) -> QuerySet[Clearance]:
    names = Prefetch("marks", Mark.objects.order_by("name"))
    return rows.select_related("person__unit", "granted_by", "ended_by").prefetch_related(names)


@require_http_methods(["GET", "POST"])
@recently_proved
def clearance(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one clearance with all others of its holder; shorten, extend or revoke it."""
    person = person_of(request)
    access.require(person, Action.CLEARANCE_READ)
    shown = _with_facts(Clearance.objects.filter(pk=pk)).first()
    if shown is None:
        raise Hidden(object_type="clearance", object_id=str(pk))
    act = request.POST.get("act", "")
    forms_ = {
        name: made(request.POST if act == name else None, auto_id=f"{name}-%s") for name, (made, _do) in ACTS.items()
    }
    if act in ACTS and forms_[act].is_valid():
        form, do = forms_[act], ACTS[act][1]
        if attempt(request, form, lambda: do(shown, form.cleaned_data, person)):
            messages.success(request, DONE[act])
            return redirect("archive:clearances")
    audit.read(Action.CLEARANCE_READ, actor=person, subject=shown.person)
    now = timezone.now()
    context = {
        "row": shown,
        "forms": forms_,
        "others": _with_facts(Clearance.objects.filter(person=shown.person_id).order_by("-since", "-pk")),
        "now": now,
        "is_live": not (shown.revoked_at or (shown.until and shown.until <= now)),
        "is_own": shown.person_id == person.pk,
    }
    return render(request, "archive/clearance.html", context, status=422 if request.method == "POST" else 200)


def _shorten(row: Clearance, given: dict[str, Any], actor: Any) -> object:
    return clearing.shorten(row, until=end_of(given["until"]), reason=given["reason"], actor=actor)


def _extend(row: Clearance, given: dict[str, Any], actor: Any) -> object:
    until = end_of(given["until"])
    return clearing.extend(row, until=until, basis=given["basis"], reason=given["reason"], actor=actor)


def _revoke(row: Clearance, given: dict[str, Any], actor: Any) -> object:
    return clearing.revoke(row, reason=given["reason"], actor=actor)


ACTS: Final[dict[str, tuple[Any, Any]]] = {
    "shorten": (ShortenForm, _shorten),
    "extend": (ExtendForm, _extend),
    "revoke": (RevokeForm, _revoke),
}
DONE: Final = {
    "shorten": gettext_lazy("The clearance ends earlier now."),
    "extend": gettext_lazy("The clearance goes on by a new line."),
    "revoke": gettext_lazy("The clearance is revoked; the holder's next page is answered without it."),
}


@require_http_methods(["GET", "POST"])
def marks(request: HttpRequest) -> HttpResponse:
    """List the compartment marks by group, and add one."""
    person = person_of(request)
    access.require(person, Action.MARK_ADD)
    form = MarkForm(request.POST or None)
    if request.method == "POST" and heard(request, form) and attempt(request, form, lambda: bool(_add(form, person))):
        messages.success(request, _("The mark can be given with a clearance from now on."))
        return redirect("archive:marks")
    audit.read(Action.CLEARANCE_READ, actor=person, list="marks")
    rows = Mark.objects.select_related("group").order_by("group__name", "name")
    return render(request, "archive/marks.html", {"rows": rows, "form": form}, status=422 if form.is_bound else 200)


def _add(form: MarkForm, person: Any) -> Mark:
    given = form.cleaned_data
    return clearing.add_mark(
        given["name"], group=given["group"], rule=given["rule"], keeps_level=given["keeps_level"], actor=person
    )


urlpatterns = [
    path("clearances/", clearances, name="clearances"),
    path("clearances/<int:pk>/", clearance, name="clearance"),
    path("clearances/marks/", marks, name="marks"),
]
