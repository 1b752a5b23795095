"""Open sessions: one's own on "My account", those of everybody on the desk of the security officer and the administrator."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from archive import access, accounts, audit, identity, sessions
from archive.forms.account import EndSessionsForm, SignInByForm
from archive.models import OpenSession, Person, SignsInBy
from archive.rules.browsers import known_by
from archive.rules.errors import Refusal
from archive.rules.roles import Action, allows
from archive.standing import standing
from archive.views.doors import attempt, heard, person_of
from archive.views.proving import recently_proved


def shown(rows: list[OpenSession], here: str) -> list[dict[str, Any]]:
    """Return what a list says of sessions; `here` is the name of the one that asks."""
    return [
        {
            "row": row,
            "name": sessions.name_in(row),
            "browser": known_by(row.agent),
            "is_here": sessions.name_in(row) == here,
        }
        for row in rows
    ]


def own(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the open sessions of who asks, theirs of now first."""
    rows = shown(sessions.open_now(person_of(request)), here_of(request))
    return sorted(rows, key=lambda each: not each["is_here"])


def here_of(request: HttpRequest) -> str:
    """Return the name of the session that asks."""
    return sessions.name_of(request.session.session_key)


@require_POST
def end_own(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions, or all but this one."""
    person = person_of(request)
    named = request.POST.getlist("session")
    try:
        ended = sessions.end_own(person, names=None if "others" in request.POST else named, but=here_of(request))
    except Refusal as refusal:
        audit.refused(refusal, actor=person, action="archive:session-end")
        messages.error(request, str(refusal))
        return redirect("archive:account")
    messages.success(request, _said(ended))
    return redirect("archive:account")


@require_http_methods(["GET", "POST"])
@recently_proved
def everybodys(request: HttpRequest) -> HttpResponse:
    """Show every open session, and end those of one person."""
    person = person_of(request)
    access.require(person, Action.SESSION_END)
    rows = sessions.open_now()
    form = EndSessionsForm(request.POST or None, people=sorted(sessions.whose() - {person.pk}))
    if request.method == "POST" and heard(request, form):
        whose, reason = form.cleaned_data["person"], form.cleaned_data["reason"]
        ended = attempt(request, form, lambda: sessions.end_for(whose, reason=reason, actor=person))
        if ended is not None:
            messages.success(request, _said(ended))
            return redirect("archive:sessions")
    audit.watched(Action.SESSION_LIST, actor=person, subject=audit.NOTHING)
    may_change = allows(standing(person, timezone.now()).roles, Action.PERSON_CHANGE)
    context = {"form": form, "rows": shown(rows, here_of(request)), "may_change": may_change}
    return render(request, "archive/sessions.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@recently_proved
def ways(request: HttpRequest) -> HttpResponse:
    """Show who signs in by the office's directory or sign-in server, and change it for one person."""
    person = person_of(request)
    access.require(person, Action.PERSON_CHANGE)
    known = [driver.by for driver in identity.drivers()]
    form = SignInByForm(request.POST or None, actor=person, ways=known)
    if request.method == "POST" and heard(request, form):
        whose, by, reason = (form.cleaned_data[name] for name in ("person", "by", "reason"))
        if attempt(request, form, lambda: accounts.sign_in_by(whose, SignsInBy(by), reason=reason, actor=person)):
            messages.success(request, _("%(name)s signs in that way from now on.") % {"name": whose})
            return redirect("archive:ways")
    rows = Person.objects.exclude(signs_in_by=SignsInBy.PASSWORD).filter(is_active=True).select_related("unit")
    context = {"form": form, "rows": rows.order_by("full_name"), "is_set": len(known) > 1}
    return render(request, "archive/ways.html", context, status=422 if form.is_bound else 200)


def _said(ended: int) -> str:
    return ngettext("%(n)s session has ended.", "%(n)s sessions have ended.", ended) % {"n": ended}


urlpatterns = [
    path("account/sessions/end/", end_own, name="session-end"),
    path("sessions/", everybodys, name="sessions"),
    path("sessions/ways/", ways, name="ways"),
]
