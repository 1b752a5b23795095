"""`/api/v1`: the routers of the packages behind one token door, with a page served from this machine.

A refusal has the status of its page (404, 403, 409) and a stable code; it is written to
the log like one on screen.
"""

import logging
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from ninja import NinjaAPI, Swagger
from ninja.security import HttpBearer

from archive import audit, tokens
from archive.api import router as records
from archive.models import Person
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.views import states
from archive.views.states import view_of
from ingest.api import router as intake
from search.api import router as searching

log = logging.getLogger("vankho.request")


class Token(HttpBearer):
    """The token of a service account; from here on the request acts as that account."""

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:
        """Return the account of a valid token."""
        person = tokens.holder(token)
        if person is not None:
            request.user = person
        return person


api = NinjaAPI(
    title="Văn Khố",
    version="1.0.0",
    description="Hand dispatches in, follow their reading, list, read and search them.",
    auth=Token(),
    docs=Swagger(settings={"persistAuthorization": False}),
    docs_decorator=login_required,
    urls_namespace="api",
)
for router in (intake, records, searching):
    api.add_router("", router)


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal and write it to the log."""
    actor = request.user if isinstance(request.user, Person) else None
    audit.refused(refusal, actor=actor, action=f"api:{request.method} {request.path}"[:40])
    status = 404 if isinstance(refusal, Hidden) else 403 if isinstance(refusal, Forbidden) else 409
    return api.create_response(request, {"code": refusal.code, "message": str(refusal)}, status=status)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def busy(request: HttpRequest, _fault: Exception) -> HttpResponse:
    """Answer when the database is away, or keeps a lock or statement longer than its limit: nothing was written."""
    log.error("the database did not answer at %s", view_of(request))
    message = gettext("The database is busy or away, nothing was written")
    answer = api.create_response(request, {"code": "DB-005", "message": message}, status=503)
    answer.headers["Retry-After"] = "10"
    return answer


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an address that nobody serves: below the API in its own form, elsewhere by the page."""
    if not request.path_info.startswith("/api/"):
        return states.not_found(request, exception)
    problem = {"code": Hidden.code, "message": str(Hidden(object_type="address", object_id=""))}
    return api.create_response(request, problem, status=404)


def schema_file() -> dict[str, Any]:
    """Return the OpenAPI description, for tests and tools."""
    return dict(api.get_openapi_schema())
