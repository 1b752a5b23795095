"""The pages for what did not work: hidden and missing alike, forbidden, refused, failed."""

import logging
import re
import secrets
import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level

log = logging.getLogger("vankho.request")
_PROOF: Final = re.compile("password|code|otp|token|secret", re.IGNORECASE)


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return the page of a refusal: 404 for hidden, 403 for forbidden, 409 for the rest."""
    if isinstance(refusal, Hidden):
        return not_found(request)
    status = 403 if isinstance(refusal, Forbidden) else 409
    return render(request, "403.html", {"refusal": refusal, "typed": typed(request)}, status=status)


def overtaken(request: HttpRequest, why: Refusal | str, *, level: Level, back: str) -> HttpResponse:
    """Return the page for an act whose form is gone, because somebody else did it first: what was typed stands on it."""
    context = {"refusal": why, "typed": typed(request), "page_level": level, "back_url": reverse(back)}
    return render(request, "403.html", context, status=409)


def session_ended(request: HttpRequest, *, sign_in: str) -> HttpResponse:
    """Return the page for a form that was sent after its session had ended: what was typed stands on it, to be copied."""
    return render(request, "403.html", {"ended": sign_in, "typed": typed(request)}, status=401)


def typed(request: HttpRequest) -> list[str]:
    """Return the words that a form brought: what is several words was typed, the rest is chosen or typed again at once.

    They are given back to the browser that sent them and kept nowhere. Nothing that proves who somebody is among them.
    """
    if request.method != "POST":
        return []
    named = ((name, value) for name, values in request.POST.lists() for value in values)
    return [value for name, value in named if len(value.split()) > 1 and not _PROOF.search(name)]


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Return the one page for "hidden" and "missing"."""
    return render(request, "404.html", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Return the page of an unexpected error; it needs no database and says nothing was written.

    A database that is away, or keeps a lock or a statement longer than its limit, is no fault of ours: 503, and the
    reader is asked to try again.
    """
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        log.error("the database did not answer at %s", view_of(request))
        return HttpResponse(render_to_string("500.html", {"busy": True}), status=503, headers={"Retry-After": "10"})
    code = secrets.token_hex(3).upper()
    log.error("fault %s at %s", code, view_of(request))
    # Rendered without the request: the context processors ask the database who is there, and it may be what failed.
    return HttpResponse(render_to_string("500.html", {"code": code}), status=500)


def view_of(request: HttpRequest) -> str:
    """Return the name of a request's view: an address may name a record."""
    return (request.resolver_match.view_name if request.resolver_match else "") or "none"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Return the page for a form sent from a stale or foreign page."""
    # Words from a foreign page are not shown as the office's own.
    is_own = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    return render(request, "403.html", {"stale_form": True, "typed": typed(request) if is_own else []}, status=403)
