"""Signing in and out; each attempt, good or bad, has its entry in the log."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from archive import audit
from archive.models import Person, PersonRole
from archive.rules.roles import Action, Role


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or sign a person in."""
    form = AuthenticationForm(request, data=request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            return _enter(request, form.get_user())
        _write_failure(str(request.POST.get("username", "")))
    return render(request, "archive/sign_in.html", _context(form), status=200 if request.method == "GET" else 401)


def _enter(request: HttpRequest, person: Any) -> HttpResponse:
    login(request, person)
    with transaction.atomic():
        audit.write(Action.SIGN_IN, actor=person, subject=person)
    wanted = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL))


def _write_failure(name: str) -> None:
    """Keep the attempt; an unknown name is kept only as given, cut short."""
    person = Person.objects.filter(username=name).first()
    subject = person or audit.Subject("person", "unknown")
    with transaction.atomic():
        audit.write(Action.SIGN_IN_FAILED, actor=None, subject=subject, details={"name": name[:60]})


def _context(form: AuthenticationForm) -> dict[str, Any]:
    evaluation = settings.PROFILE == "evaluation"
    people = demo_users() if evaluation else []
    return {"form": form, "demo_users": people, "demo_password": settings.DEMO_PASSWORD}


def demo_users() -> list[dict[str, Any]]:
    """Return the people of the evaluation office for its sign-in page, by role."""
    rows = PersonRole.objects.filter(person__is_active=True, person__is_service=False).select_related("person__unit")
    return [{"person": row.person, "role": Role(row.role).label} for row in rows.order_by("role", "person__username")]


@login_not_required
def locked(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Answer a name with too many failed attempts; the same for known and unknown names."""
    _write_failure(str(request.POST.get("username", "")))
    form = AuthenticationForm(request, data=None)
    locked_out = _("Too many attempts. Wait 15 minutes, or ask the security officer.")
    return render(request, "archive/sign_in.html", {**_context(form), "locked_out": locked_out}, status=429)


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
    path("sign-out/", sign_out, name="sign-out"),
]
