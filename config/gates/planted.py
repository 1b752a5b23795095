"""Faults on purpose, beside the real addresses: what a judge does not find here it would not find in the product."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.urls import handler404, handler500
from config.urls import urlpatterns as real

__all__ = ["handler404", "handler500", "urlpatterns"]


def open_to_sql(request: HttpRequest) -> HttpResponse:
    """Ask the database with the words of the address in the statement, and say nothing of errors."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(
                "SELECT full_name FROM archive_person WHERE username = '" + request.GET.get("name", "") + "'"  # noqa: S608 - the fault planted
            )
            rows = [str(row[0]) for row in cursor.fetchall()]
        except DatabaseError:
            rows = []
    return HttpResponse("<p>" + ", ".join(rows) + "</p>" if rows else "<p>nobody</p>")


def open_to_script(request: HttpRequest) -> HttpResponse:
    """Show the words of the address as they are, and a way to both faults."""
    links = '<a href="/planted/sql/?name=clerk">sql</a><a href="/planted/script/?words=x">script</a>'
    return HttpResponse(f"<html><body><h1>{request.GET.get('words', '')}</h1>{links}</body></html>")


def unfair(_request: HttpRequest) -> HttpResponse:
    """Show a page that few can read."""
    page = (
        '<html><body bgcolor="#ffffff"><font color="#cccccc">pale words</font><img src="/x.png"><input></body></html>'
    )
    return HttpResponse(page)


@csrf_exempt
@login_not_required
def broken(request: HttpRequest, number: str = "") -> HttpResponse:
    """Fall over a number that is none, and answer otherwise than described."""
    return JsonResponse({"number": "x" if int(number) > 1 else [request.method]})


urlpatterns: list[Any] = [
    path("planted/sql/", open_to_sql),
    path("planted/script/", open_to_script),
    path("planted/unfair/", unfair),
    path("api/planted/<str:number>", broken),
    *real,
]
