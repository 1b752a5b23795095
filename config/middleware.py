"""What surrounds every request: who asks from where, which language, what a refusal looks like.

`RequestContext` gives each request an id, tells the log where it came from and closes
the page by headers. `Refusals` turns a refusal that left a view into its page and
writes it to the log, after the act's transaction has rolled back.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from archive import audit, standing
from archive.rules import whole_text
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.views import proving
from archive.views.states import refusal_page, session_ended, typed
from config import logs, metrics
from config.api import refused

Answer = Callable[[HttpRequest], HttpResponseBase]
log = logging.getLogger("vankho.request")

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


# What who still has a first password may ask for.
FREELY: Final = frozenset(
    {"archive:password", "archive:sign-out", "archive:sign-in", "archive:sign-in-code", "set_language"}
)


class RequestContext:
    """Gives the request its id and its place of origin, and closes the answer by headers."""

    def __init__(self, get_response: Answer) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        client, began = client_of(request), time.perf_counter()
        token, told = audit.CLIENT.set(client), logs.REQUEST.set(client.request)
        try:
            response = self.get_response(request)
            observe(request, response, time.perf_counter() - began)
        finally:
            logs.REQUEST.reset(told)
            audit.CLIENT.reset(token)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers["Cache-Control"] = "no-store"
        return response


METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count an answer and tell it to the operators' log by the name of its view: an address may name a record."""
    if request.path_info.startswith(settings.STATIC_URL):
        return
    match = request.resolver_match
    view = (match.view_name if match else "") or "none"
    method = request.method if request.method in METHODS else "other"
    metrics.answered(view, method, response.status_code, seconds)
    # Only a person whom the request has already asked for: the log must not touch the session by itself.
    person = getattr(getattr(request, "_cached_user", None), "pk", None) or getattr(
        getattr(request, "auth", None), "pk", None
    )
    facts = {
        "method": method,
        "view": view,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000),
        "person": person,
    }
    log.info("answered", extra=facts)


def address_of(request: HttpRequest) -> str:
    """Return the address a request came from; a forwarded one counts only from a trusted proxy."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if address in settings.TRUSTED_PROXIES:
        address = request.META.get("HTTP_X_FORWARDED_FOR", address).split(",")[-1].strip()
    return address


def client_of(request: HttpRequest) -> audit.Client:
    """Return where a request came from; a forwarded address counts only from a trusted proxy."""
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return audit.Client(
        ip=address_of(request)[:45],
        agent=request.META.get("HTTP_USER_AGENT", ""),
        session=hashlib.sha256(session.encode()).hexdigest()[:16] if session else "",
        request=uuid.uuid4().hex[:16],
    )


class Language:
    """Vietnamese unless the reader chose otherwise; the browser's own wish is not asked."""

    def __init__(self, get_response: Answer) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request in the reader's language."""
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
        known = {code for code, _name in settings.LANGUAGES}
        code = wanted if wanted in known else settings.LANGUAGE_CODE
        with translation.override(code):
            request.LANGUAGE_CODE = code
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", code)
        return response


_HEAD_WAITS: Final = {
    audit.Waits.PLACE: _(
        "What you did stands and is in the log, but the signed head over it could not be published: a disk is full or "
        "away. Tell the administrator; it is published by itself once the disk takes it."
    ),
    audit.Waits.LOG: _(
        "What you did stands and is in the log, but the log does not continue its last signed head: the database was "
        "rolled back, or history was changed. Tell the security officer at once, and do nothing more until they answer."
    ),
}


class Refusals:
    """Shows a refusal that left a view, and writes it to the log; says when an act stands whose signed head waits."""

    def __init__(self, get_response: Answer) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        token = audit.HEAD_WAITS.set(audit.Waits.NO)
        try:
            response = self.get_response(request)
            if waits := audit.HEAD_WAITS.get():
                messages.warning(request, _HEAD_WAITS[waits])
        finally:
            audit.HEAD_WAITS.reset(token)
        return response

    def process_view(self, request: HttpRequest, *_rest: Any) -> HttpResponse | None:
        """Refuse text in another alphabet than UTF-8 before any of it is read: some spell what no place can keep."""
        try:
            whole_text.require_utf8(request.encoding or settings.DEFAULT_CHARSET)
        except whole_text.ForeignAlphabet as refusal:
            request.encoding = settings.DEFAULT_CHARSET
            if request.resolver_match and request.resolver_match.namespace == "api":
                return refused(request, refusal)
            return self.process_exception(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal; every other error goes on to the 500 page."""
        if not isinstance(error, Refusal):
            return None
        actor = request.user if request.user.is_authenticated else None
        match = request.resolver_match
        audit.refused(error, actor=actor, action=match.view_name if match else "unknown")
        return refusal_page(request, error)


class SignInRequired(LoginRequiredMiddleware):
    """Closes every address to strangers; the API has its own token door, checked by a walk over all addresses."""

    def process_view(self, request: HttpRequest, *rest: Any) -> HttpResponseBase | None:
        """Leave the API to its token; ask everybody else to sign in."""
        if request.resolver_match and request.resolver_match.namespace == "api":
            return None
        answer = super().process_view(request, *rest)
        return answer if answer is None or request.method in {"GET", "HEAD"} else _form_of_nobody(request)


def _form_of_nobody(request: HttpRequest) -> HttpResponse:
    """Ask to sign in and lead on to the page on which a form stood: its own address answers no page.

    Half an hour of typing ends a session: the words come back on the page that says so.
    """
    came = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came, {request.get_host()}, require_https=request.is_secure())
    sign_in = reverse(settings.LOGIN_URL)
    if is_ours:
        sign_in += f"?{urlencode({'next': urlsplit(came)._replace(scheme='', netloc='').geturl()})}"
    if typed(request) and "HX-Request" not in request.headers:
        return session_ended(request, sign_in=sign_in)
    return redirect(sign_in)


class SessionLimits:
    """Ends a session that was left alone for too long, or has lasted too long."""

    def __init__(self, get_response: Answer) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request; after a limit, as that of a stranger."""
        if not request.path.startswith(settings.STATIC_URL) and request.user.is_authenticated:
            passed = proving.limit_passed(request.session)
            if passed:
                with transaction.atomic():
                    audit.write(Action.SIGN_OUT, actor=request.user, subject=request.user, details={"limit": passed})
                logout(request)
        return self.get_response(request)


class SecondProof:
    """Where the office asks for it, lets no clearance count in a session that was opened with the password alone."""

    def __init__(self, get_response: Answer) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        if settings.TOTP != "required" or request.path.startswith(settings.STATIC_URL):
            return self.get_response(request)
        if not request.user.is_authenticated or request.session.get(proving.CODE_GIVEN):
            return self.get_response(request)
        with standing.unproved(request.user):
            return self.get_response(request)


class FirstPassword:
    """Opens to who signed in by a first password, which somebody else knows, the page of a new one and nothing else."""

    def __init__(self, get_response: Answer) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def process_view(self, request: HttpRequest, *_rest: Any) -> HttpResponseBase | None:
        """Send them to that page."""
        match = request.resolver_match
        if not getattr(request.user, "has_first_password", False) or (match and match.view_name in FREELY):
            return None
        return redirect("archive:password")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        return self.get_response(request)
