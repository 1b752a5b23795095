"""Signing in and out; each attempt, good or bad, has its entry in the log."""

import time
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import path
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from archive import audit, identity, second_factor, sessions
from archive.forms.account import CodeForm
from archive.models import Person, PersonRole
from archive.rules.errors import Refusal
from archive.rules.roles import Action, Role
from archive.second_factor import Found
from archive.sessions import HALF
from archive.standing import is_cleared
from archive.views import proving

CODE_SECONDS: Final = 300


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or sign a person in."""
    if request.method == "GET":
        return render(request, "archive/sign_in.html", context_of(AuthenticationForm(request)))
    forms = []

    def by_form() -> HttpResponse | None:
        forms.append(form := AuthenticationForm(request, data=request.POST))
        return let_in(request, form.get_user(), wanted=request.GET.get("next", "")) if form.is_valid() else None

    if answer := decided(request, by_form):
        return answer
    write_failure(str(request.POST.get("username", "")))
    return render(request, "archive/sign_in.html", context_of(forms[-1]), status=401)


def decided(request: HttpRequest, decide: Callable[[], HttpResponse | None]) -> HttpResponse | None:
    """Decide who is let in, and once more where a lawful act changed the account meanwhile; refuse one that was edited."""
    try:
        try:
            return decide()
        except identity.Overtaken:
            return decide()
    except identity.AccountMoved as moved:
        return refuse(request, moved)


def let_in(request: HttpRequest, person: Any, *, wanted: str) -> HttpResponse:
    """Sign in somebody whose first proof was right; who has an authenticator is asked for its code before.

    One that is not what the log says is asked for none: the account is refused.
    """
    found = second_factor.look(person)
    if found is not Found.THERE:
        return _enter(request, person, found, wanted=wanted)
    request.session.flush()
    half = {"pk": person.pk, "hash": person.get_session_auth_hash(), "at": time.time(), "next": wanted}
    request.session[HALF] = half
    return redirect("archive:sign-in-code")


@login_not_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of an authenticator after the password, within five minutes."""
    half = request.session.get(HALF)
    person = _half_signed_in(half)
    if half is None or person is None:
        return redirect("archive:sign-in")
    form = CodeForm(request.POST or None)
    trouble = ""
    if request.method == "POST" and form.is_valid():
        try:
            if second_factor.prove(person, form.cleaned_data["code"]):
                if answer := decided(request, lambda: _by_half(request, half)):
                    return answer
                request.session.flush()  # who closed the account has ended it, too
                return redirect("archive:sign-in")
            trouble = _("The code is not right. Wait for the next one; each counts once.")
        except Refusal as refusal:
            audit.refused(refusal, actor=person, action="session.sign_in")
            trouble = str(refusal)
    return render(
        request, "archive/sign_in_code.html", {"form": form, "trouble": trouble}, status=401 if form.is_bound else 200
    )


def _by_half(request: HttpRequest, half: dict[str, Any]) -> HttpResponse | None:
    """Enter after the right code, by the account as it is now; None where it was closed or its password is another one."""
    person = _half_signed_in(half)
    return _enter(request, person, Found.THERE, wanted=half["next"]) if person else None


def _half_signed_in(half: dict[str, Any] | None) -> Person | None:
    if half is None or not 0 <= time.time() - half["at"] <= CODE_SECONDS:
        return None
    person = Person.objects.filter(pk=half["pk"], is_active=True).first()
    return person if person and constant_time_compare(person.get_session_auth_hash(), half["hash"]) else None


def _enter(request: HttpRequest, person: Any, found: Found, *, wanted: str) -> HttpResponse:
    """Open the session by what one look at the authenticator found: of one that is there the code was right."""
    with_code = found is Found.THERE
    request.session.pop(HALF, None)
    identity.require_as_left(person, found)
    sessions.forget_expired()
    login(request, person, backend="archive.sign_in.Backend")
    proving.opened(request.session, with_code=with_code, by=person.signs_in_by)
    with transaction.atomic():
        audit.write(Action.SIGN_IN, actor=person, subject=person, details={"way": person.signs_in_by})
    if settings.TOTP == "required" and not with_code and is_cleared(person, timezone.now()):
        return redirect("archive:account")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL))


def refuse(request: HttpRequest, moved: identity.AccountMoved) -> HttpResponse:
    """Tell somebody who has proved who they are that the account opens nothing, with the entry of it."""
    audit.refused(moved, actor=moved.person, action=Action.SIGN_IN, subject=moved.person)
    form = AuthenticationForm(request, data=None)
    return render(request, "archive/sign_in.html", {**context_of(form), "failed": str(moved)}, status=409)


def write_failure(name: str, *, by: str = "") -> None:
    """Keep the attempt with the driver that was asked; an unknown name is kept only as given, cut short."""
    name = name.replace("\x00", "\ufffd")  # PostgreSQL looks for no text with it
    person = Person.objects.filter(username=name).first()
    subject = person or audit.Subject("person", "unknown")
    told: dict[str, Any] = {"name": name[:60], "way": by or (person.signs_in_by if person else "unknown")}
    if identity.is_away():
        told["away"] = True
    with transaction.atomic():
        audit.write(Action.SIGN_IN_FAILED, actor=None, subject=subject, details=told)


def context_of(form: AuthenticationForm) -> dict[str, Any]:
    """Return the context of the sign-in page."""
    evaluation = settings.PROFILE == "evaluation"
    people = demo_users() if evaluation else []
    return {
        "form": form,
        "demo_users": people,
        "demo_password": settings.DEMO_PASSWORD,
        "by_provider": bool(settings.OIDC_ISSUER),
        "is_away": identity.is_away(),
    }


def demo_users() -> list[dict[str, Any]]:
    """Return the people of the evaluation office for its sign-in page, by role."""
    rows = PersonRole.objects.filter(person__is_active=True, person__is_service=False).select_related("person__unit")
    return [{"person": row.person, "role": Role(row.role).label} for row in rows.order_by("role", "person__username")]


@login_not_required
def locked(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Answer a name with too many failed attempts; the same for known and unknown names."""
    write_failure(str(request.POST.get("username", "")))
    form = AuthenticationForm(request, data=None)
    locked_out = _("Too many attempts. Wait 15 minutes, or ask the security officer.")
    return render(request, "archive/sign_in.html", {**context_of(form), "locked_out": locked_out}, status=429)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign the person out and clear what the browser kept."""
    with transaction.atomic():
        audit.write(Action.SIGN_OUT, actor=request.user, subject=request.user)  # type: ignore[arg-type]
    logout(request)
    response = redirect("archive:sign-in")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/code/", code, name="sign-in-code"),
    path("sign-out/", sign_out, name="sign-out"),
]
