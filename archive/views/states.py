"""The pages for what did not work: hidden and missing alike, forbidden, refused, failed."""

import logging
import secrets
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from archive.rules.errors import Forbidden, Hidden, Refusal

log = logging.getLogger("vankho.request")


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return the page of a refusal: 404 for hidden, 403 for forbidden, 409 for the rest."""
    if isinstance(refusal, Hidden):
        return not_found(request)
    status = 403 if isinstance(refusal, Forbidden) else 409
    return render(request, "403.html", {"refusal": refusal}, status=status)


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
    return render(request, "403.html", {"stale_form": True}, status=403)
