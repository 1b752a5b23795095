"""My account: password, authenticator, own sign-ins; and the reset of an authenticator that somebody lost."""

import base64
import binascii
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit, second_factor, sessions
from archive.forms.account import CodeForm, PasswordForm, ResetForm
from archive.models import AuditEntry, Person, SecondFactor, SignsInBy
from archive.rules import totp, written
from archive.rules.action_words import WORDS
from archive.rules.errors import Forbidden
from archive.rules.roles import Action
from archive.standing import is_cleared
from archive.views import proving
from archive.views.doors import attempt, heard, person_of
from archive.views.signing_in.sessions import here_of, own

SHOWN: Final = 20
SIGN_INS: Final = (
    *(Action.SIGN_IN, Action.SIGN_IN_FAILED, Action.CODE_FAILED, Action.PROOF_FAILED, Action.CODE_RECOVERY),
    Action.SESSION_END,
)
PENDING: Final = "second_factor"  # of a session: the sealed key that is being set up


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show what a person may know and change of their own account."""
    person = person_of(request)
    factor = SecondFactor.objects.filter(pk=person.pk).first()
    context = {
        "factor": factor,
        "codes_left": len(factor.recovery) if factor else 0,
        "is_wanted": factor is None and settings.TOTP == "required" and is_cleared(person, timezone.now()),
        "sign_ins": _sign_ins(person),
        "sessions": own(request),
    }
    return render(request, "archive/account.html", context)


def _sign_ins(person: Person) -> list[dict[str, Any]]:
    """Return the newest sign-ins and failures of a person, as the log has them."""
    rows = AuditEntry.objects.filter(object_type__in=audit.PEOPLE, object_id=str(person.pk), action__in=SIGN_INS)
    return [
        {
            "at": row.ts,
            "word": _("Sign-in refused") if _is_refused(row) else WORDS[row.action],
            "ip": told["src"]["ip"] if (told := written.said(bytes(row.body))) else "",
            "is_bad": _is_refused(row) or row.action not in {Action.SIGN_IN, Action.SESSION_END},
        }
        for row in rows.order_by("-ts")[:SHOWN]
    ]


def _is_refused(row: AuditEntry) -> bool:
    """Return whether somebody proved to be this person, and was not let in."""
    return row.action == Action.SIGN_IN and row.outcome == "denied"


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; every other session of the person ends."""
    person = person_of(request)
    if person.signs_in_by != SignsInBy.PASSWORD:
        raise Forbidden(reason=_("your password is kept by the office's directory; change it there"))
    form = PasswordForm(person, request.POST or None)
    is_right = request.method == "POST" and second_factor.bounded(person, lambda: "old_password" not in form.errors)
    if is_right and form.is_valid():
        _keep_password(person, form.cleaned_data["new_password1"], here=here_of(request))
        update_session_auth_hash(request, person)
        messages.success(request, _("The password is changed. Your other sessions have ended."))
        return redirect("archive:account")
    context = {"form": form, "is_first": person.has_first_password}
    return render(request, "archive/password.html", context, status=422 if form.is_bound else 200)


@transaction.atomic
def _keep_password(person: Person, new: str, *, here: str) -> None:
    """Keep a password in place of the one that was proved, and of no other; a closed account stays closed."""
    now = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if not now.is_active or (now.password, now.signs_in_by) != (person.password, person.signs_in_by):
        raise Forbidden(reason=_("your account was changed meanwhile; sign in again"))
    person.set_password(new)
    person.has_first_password = False
    person.save(update_fields=["password", "has_first_password"])
    sessions.end_quietly(person, but=here)
    audit.write(Action.PASSWORD, actor=person, subject=person, rows=[person])


@require_http_methods(["GET", "POST"])
@proving.recently_proved
def enrol(request: HttpRequest) -> HttpResponse:
    """Show the key of a new authenticator, and keep it once it has shown a right code."""
    person = person_of(request)
    if second_factor.is_enrolled(person):
        return redirect("archive:account")
    secret = _pending(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        codes = attempt(request, form, lambda: second_factor.enrol(person, secret, code))
        if codes is not None:
            del request.session[PENDING]
            request.session.cycle_key()
            proving.stamp(request.session, with_code=True)
            return render(request, "archive/second_factor_codes.html", {"codes": codes})
    context = {
        "form": form,
        "key": totp.groups(secret),
        "address": totp.address(secret, issuer="Văn Khố", account=person.username),
    }
    return render(request, "archive/second_factor.html", context, status=422 if form.is_bound else 200)


def _pending(request: HttpRequest) -> bytes:
    """Return the key being set up in this session, sealed there too; a new one if there is none."""
    person = person_of(request)
    try:
        secret = second_factor.unseal(base64.b64decode(request.session.get(PENDING, "")), person)
    except (binascii.Error, ValueError):
        secret = None
    if secret is None:
        secret = second_factor.new_secret()
        request.session[PENDING] = base64.b64encode(second_factor.seal(secret, person)).decode()
    return secret


@require_POST
@proving.recently_proved
def remove(request: HttpRequest) -> HttpResponse:
    """Take one's own authenticator off."""
    person = person_of(request)
    second_factor.remove(person, here=here_of(request))
    request.session.pop(proving.CODE_GIVEN, None)
    messages.success(request, _("The authenticator is removed."))
    return redirect("archive:account")


@require_http_methods(["GET", "POST"])
@proving.recently_proved
def reset(request: HttpRequest) -> HttpResponse:
    """Let the security officer or the administrator take off an authenticator that somebody else lost."""
    person = person_of(request)
    access.require(person, Action.CODE_RESET)
    form = ResetForm(request.POST or None, actor=person)
    if request.method == "POST" and heard(request, form):
        whose, reason = form.cleaned_data["person"], form.cleaned_data["reason"]
        if attempt(request, form, lambda: second_factor.reset(whose, reason=reason, actor=person) or True):
            messages.success(request, _("The authenticator is reset; its owner sets up a new one."))
            return redirect("archive:code-reset")
    return render(request, "archive/second_factor_reset.html", {"form": form}, status=422 if form.is_bound else 200)


urlpatterns = [
    path("account/", account, name="account"),
    path("account/password/", password, name="password"),
    path("account/authenticator/", enrol, name="second-factor"),
    path("account/authenticator/remove/", remove, name="second-factor-remove"),
    path("account/authenticator/reset/", reset, name="code-reset"),
]
