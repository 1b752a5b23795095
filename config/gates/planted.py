"""Faults on purpose, beside the real addresses: what a judge does not find here it would not find in the product."""

import io
import secrets
from http import HTTPStatus
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


def paper_open_to_sql(request: HttpRequest) -> HttpResponse:
    """Draw a paper of the pages that a statement built from a word of the form finds: no two are the same bytes."""
    from PIL import Image

    with connection.cursor() as cursor:
        try:
            first = request.POST.get("first", "0")
            cursor.execute("SELECT number FROM archive_page WHERE number = " + first + " LIMIT 2")  # noqa: S608 - the fault planted
            sheets = [Image.effect_noise((300, 400), 64) for _row in cursor.fetchall()]
        except DatabaseError:
            sheets = []
    if not sheets:
        return HttpResponse("<p>no page</p>", status=HTTPStatus.UNPROCESSABLE_ENTITY)
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    return HttpResponse(out.getvalue(), content_type="application/pdf")


def file_open_to_sql(request: HttpRequest) -> HttpResponse:
    """Hand over a file of the people that a statement built from a word of the address finds, with some noise in each line."""
    with connection.cursor() as cursor:
        try:
            after = request.GET.get("after", "0")
            cursor.execute("SELECT username FROM archive_person WHERE id > " + after)  # noqa: S608 - the fault planted
            lines = [f"{row[0]} {secrets.token_hex(4_000)}" for row in cursor.fetchall()]
        except DatabaseError:
            lines = []
    return HttpResponse("\n".join(lines), headers={"Content-Disposition": "attachment", "Content-Type": "text/csv"})


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
    path("planted/paper/", paper_open_to_sql),
    path("planted/file/", file_open_to_sql),
    path("planted/script/", open_to_script),
    path("planted/unfair/", unfair),
    path("api/planted/<str:number>", broken),
    *real,
]
