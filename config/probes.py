"""The three addresses for machines: does it live, is it ready, how is it doing.

`/healthz` says that the process answers and asks nobody. `/readyz` asks every part and tells
its name and ok or fault, never why, where or how much: the reason stands in the log. Both are
open. `/metrics` answers listed clients that come directly; for everyone else, and for whatever
came through a proxy, it is an address that does not exist.

They stand before every other layer: a probe knows neither the host name nor TLS, and must not
need a session. Search being away is degraded, not unready: all else works without it.
"""

import ipaddress
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST

from config import metrics as figures
from config import parts

THROUGH_PROXY: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


class Probes:
    """Answers the addresses for machines before anything else looks at the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a probe, or pass the request on."""
        answer = ANSWERS.get(request.path_info)
        if answer is None or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        found = answer(request)
        if found is None:
            return self.get_response(request)
        found.headers["Cache-Control"] = "no-store"
        found.headers["X-Content-Type-Options"] = "nosniff"
        return found


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - one shape for all
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - one shape for all
    """Say which parts answer: 200 when all that pages need do, else 503."""
    up = parts.states()
    unready = [name for name, is_up in up.items() if not is_up and name not in parts.DISPENSABLE]
    status = "fault" if unready else "ok" if all(up.values()) else "degraded"
    told = {name: "ok" if is_up else "fault" for name, is_up in up.items()}
    return JsonResponse({"status": status, **told}, status=503 if unready else 200)


def metrics(request: HttpRequest) -> HttpResponse | None:
    """Return the figures to a listed client that came directly; None for anyone else."""
    if not may_measure(request):
        return None
    return HttpResponse(figures.page(), content_type=CONTENT_TYPE_LATEST)


def may_measure(request: HttpRequest) -> bool:
    """Return whether the figures may be given: a proxy on this machine would make the whole world look like loopback."""
    if any(request.META.get(name) for name in THROUGH_PROXY):
        return False
    try:
        asking = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(asking in network for network in settings.METRICS_CLIENTS)


ANSWERS: Final[dict[str, Callable[[HttpRequest], HttpResponse | None]]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
}
