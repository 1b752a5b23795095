"""Numbered copies on paper: print pages of a dispatch, and account for the paper later."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from archive import access, audit, copies, pages, printing
from archive.forms.copies import EndForm, PrintForm
from archive.models import Copy, CopyFate, Page
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import attempt, heard, person_of
from archive.views.paper import paper

SHOWN: Final = 20  # newest ones on the page of a record


@require_GET
def card(request: HttpRequest, key: str) -> HttpResponse:
    """Show the part of a record's page that tells of its numbered copies, as far as the reader may know of them."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_READ, key)
    audit.watched(Action.RECORD_READ, actor=person, subject=record)
    context = {
        "record": record,
        "copies": copies.known(record, person, most=SHOWN + 1),
        "may_end": access.may(person, Action.COPY_END).allowed,
        "page_level": Level(record.level),
    }
    return render(request, "archive/record_copies.html", context)


@require_http_methods(["GET", "POST"])
def print_record(request: HttpRequest, key: str) -> HttpResponse:
    """Ask which pages to print, then draw them as a numbered copy."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_PRINT, key)
    numbers = list(Page.objects.filter(record=record).order_by("number").values_list("number", flat=True))
    form = PrintForm(request.POST or None, record=record, numbers=numbers)
    if request.method == "POST" and heard(request, form):
        first, last, reason = (form.cleaned_data[name] for name in ("first", "last", "reason"))
        span = f"{first}-{last}"
        copy = attempt(request, form, lambda: copies.printed(record, pages=span, reason=reason, actor=person))
        if copy is not None:
            chosen = Page.objects.filter(record=record, number__gte=first, number__lte=last).select_related("pack")
            sheets = ((page.number, pages.image(page), (page.width, page.height)) for page in chosen.order_by("number"))
            mark, stamp = copies.mark_of(copy), copies.stamp_of(copy.record)
            drawn = printing.record_pages(sheets, mark=mark, level=Level(copy.record.level), stamp=stamp)
            return paper(drawn, f"{record.symbol or record.key} {copy.number}.pdf".replace("/", "-"))
    audit.read(Action.RECORD_READ, actor=person, subject=record, form="print")
    context = {"record": record, "form": form, "page_level": Level(record.level)}
    return render(request, "archive/record_print.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
def end_copy(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Write down that a paper was given back or destroyed."""
    person = person_of(request)
    record = access.open_record(person, Action.COPY_END, key)
    copy = Copy.objects.filter(record=record, number=number).select_related("holder").first()
    if copy is None:
        raise Hidden(object_type="copy", object_id=f"{record.key}/{number}")
    if request.method == "GET" and not copy.is_out:
        raise copies.NotInHand(number=number)
    form = EndForm(request.POST or None)
    if request.method == "POST" and heard(request, form):
        told = {"fate": CopyFate(form.cleaned_data["fate"]), "note": form.cleaned_data["note"]}
        if attempt(request, form, lambda: copies.end(record, number, actor=person, **told)):
            messages.success(request, _("Copy %(n)s is accounted for.") % {"n": number})
            return redirect("archive:record", key)
    audit.read(Action.RECORD_READ, actor=person, subject=record, form="copy", copy=number)
    context = {"record": record, "copy": copy, "form": form, "page_level": Level(record.level)}
    return render(request, "archive/copy_end.html", context, status=422 if form.is_bound else 200)


urlpatterns = [
    path("records/<str:key>/copies/", card, name="copies"),
    path("records/<str:key>/print/", print_record, name="record-print"),
    path("records/<str:key>/copies/<int:number>/end/", end_copy, name="copy-end"),
]
