"""Registers as books: legal columns on screen and on paper; the contents list of a dossier on paper.

Every look and every print is an entry in the log; the copy number of a print comes from
it (`archive.lists_out`). A line that a reader may not know of is not there. Drawing runs after the entry is
written, outside any transaction.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit, dossiers, lists_out, papers, printing, registers
from archive.audit import Subject
from archive.forms.books import ContentsForm, LastNumberForm, PlaceForm, VolumeForm
from archive.models import PaperCheck, Person, Register
from archive.registers import Book, Line
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import was_restored
from archive.views.doors import attempt, person_of
from archive.views.paper import paper


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """List the registers this person may open, with their years."""
    person = person_of(request)
    access.require(person, Action.REGISTER_READ)
    rows = _shelves(person)
    audit.read(Action.REGISTER_READ, actor=person, listed=len(rows))
    return render(request, "archive/books.html", {"rows": rows, **_closed(person), "has_papers": _has_papers(person)})


def _has_papers(person: Person) -> bool:
    """Return whether the reader is led to the dispatches kept on paper alone: where they are registered, or some are."""
    return settings.PAPER_STUBS or bool(papers.found(person, most=0))


def _shelves(person: Person) -> list[dict[str, Any]]:
    """Return the registers a person may open, each with its years."""
    found = registers.shelf(person)
    years = registers.years_of(found, access.visible_to(person))
    return [_shelf(register, years[register.pk]) for register in found]


def _closed(person: Person, tried: tuple[int, LastNumberForm] | None = None) -> dict[str, Any]:
    """Return the books that a restore closed, each with its form; `tried`: register and form that was refused."""
    may_confirm = access.may(person, Action.REGISTER_CONFIRM).allowed
    return {"closed": [_question(check, tried) for check in registers.waiting(person)], "may_confirm": may_confirm}


def _question(check: PaperCheck, tried: tuple[int, LastNumberForm] | None) -> dict[str, Any]:
    form = LastNumberForm(initial={"year": check.year}, auto_id=f"id_{check.pk}_%s")
    if tried and tried[0] == check.register_id and tried[1].data.get("year") == str(check.year):
        form = tried[1]
    return {"check": check, "form": form}


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a register again that a restore closed, with the last number on paper."""
    person = person_of(request)
    register = registers.open_register(person, Action.REGISTER_CONFIRM, pk)
    form = LastNumberForm(request.POST, auto_id=f"id_{pk}_again_%s")
    confirmed = attempt(request, form, lambda: _confirm(register, form, person)) if form.is_valid() else None
    if confirmed:
        messages.success(request, _("“%(register)s” is open again.") % {"register": register.name})
        return redirect("archive:registers")
    return render(request, "archive/books.html", {"rows": _shelves(person), **_closed(person, (pk, form))}, status=422)


def _confirm(register: Register, form: LastNumberForm, person: Person) -> PaperCheck:
    asked = form.cleaned_data
    return registers.confirm_last_number(register, asked["number"], actor=person, year=asked["year"])


def _shelf(register: Register, years: dict[int, int | None]) -> dict[str, Any]:
    books = [{"book": Book(register, year), "newest": newest} for year, newest in years.items()]
    return {"register": register, "now": books[0], "past": books[1:]}


@require_GET
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one register in one year in its legal columns."""
    person = person_of(request)
    shown = _book(request, pk, Action.REGISTER_READ)
    scope = access.visible_to(person)
    form = PlaceForm(request.GET)
    place = form.place() if form.is_valid() else registers.Place()
    sheet = registers.sheet(shown, scope, place)
    level = _level(sheet.lines)
    audit.read(
        Action.REGISTER_READ,
        actor=person,
        subject=_subject(shown, level),
        lines=[line.record for line in sheet.lines],
        year=shown.year,
        first=sheet.lowest,
        last=sheet.highest,
        shown=len(sheet.lines),
    )
    context = {
        "book": shown,
        "sheet": sheet,
        "rows": _rows(person, shown, sheet, place),
        "form": form,
        "filtered": bool(place.since or place.until),
        "years": registers.years(shown.register, scope),
        "books": registers.shelf(person),
        "may_print": access.may(person, Action.REGISTER_PRINT).allowed,
        "page_level": level,
        **_turns(request, sheet, place),
    }
    return render(request, "archive/books_book.html", context)


def _rows(person: Person, shown: Book, sheet: registers.Sheet, place: registers.Place) -> list[Line | registers.Lost]:
    """Return the rows of a screen; numbers lost with a restore have no day, so a choice of days leaves them out."""
    if place.since or place.until or not was_restored(person, timezone.now()):
        return list(sheet.lines)
    return registers.rows(shown, sheet, oldest_first=place.oldest_first)


def _book(request: HttpRequest, pk: int, action: Action) -> Book:
    register = registers.open_register(person_of(request), action, pk)
    asked = request.GET.get("year", "")
    known = asked.isascii() and asked.isdecimal() and 1900 < int(asked[:5]) < 2200  # noqa: PLR2004 - years of our time
    return Book(register, int(asked) if known else timezone.localdate().year)


def _level(lines: Sequence[Line]) -> Level:
    return access.level_of([line.record for line in lines])


def _subject(shown: Book, level: Level) -> Subject:
    return replace(audit.subject_of(shown.register), number=str(shown.year), kind=shown.register.kind, level=int(level))


def _turns(request: HttpRequest, sheet: registers.Sheet, place: registers.Place) -> dict[str, str]:
    """Return the addresses of the screens before and after, keeping year, order and days."""

    def address(name: str, number: int) -> str:
        asked: QueryDict = request.GET.copy()
        for old in ("above", "below", "at"):
            asked.pop(old, None)
        asked[name] = str(number)
        return f"?{asked.urlencode()}"

    lower = address("below", sheet.lowest) if sheet.has_lower else ""
    higher = address("above", sheet.highest) if sheet.has_higher else ""
    before, after = (lower, higher) if place.oldest_first else (higher, lower)
    return {"before_url": before, "after_url": after}


# --- paper --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def print_book(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask which numbers to print, then draw the volume as a numbered copy."""
    person = person_of(request)
    shown = _book(request, pk, Action.REGISTER_PRINT)
    scope = access.visible_to(person)
    lost = registers.lost(shown)
    newest = max([registers.newest_number(shown, scope) or 0, *(each.last for each in lost)]) or None
    form = VolumeForm(request.POST or None, initial={"first": 1, "last": newest, "ordinal": 1})
    volume = _volume(form, shown, scope, newest or 0) if form.is_valid() else None
    context = {"book": shown, "form": form, "newest": newest}
    if volume is None:
        return render(request, "archive/books_print.html", context, status=422 if form.is_bound else 200)
    made = attempt(request, form, lambda: _printed(shown, volume, form.cleaned_data["reason"], person))
    if made is None:
        return render(request, "archive/books_print.html", context, status=422)
    name = f"{shown.register.name} {shown.year}, {volume.first}-{volume.last}.pdf"
    return paper(printing.register_volume(volume, made=made), name)


def _printed(shown: Book, volume: printing.Volume, reason: str, person: Person) -> printing.Print:
    return lists_out.printed(
        Action.REGISTER_PRINT,
        about=_subject(shown, _level(volume.lines)),
        lines=[line.record for line in volume.lines],
        actor=person,
        reason=reason,
        details={"year": shown.year, "first": volume.first, "last": volume.last, "volume": volume.ordinal},
    )


def _volume(form: VolumeForm, shown: Book, scope: access.Scope, newest: int) -> printing.Volume | None:
    """Return what was asked for, up to the newest number the reader sees; None when there is no line in it."""
    first, last = form.cleaned_data["first"], min(form.cleaned_data["last"], newest)
    lines = registers.span(shown, scope, first, last)
    lost = [each for each in registers.lost(shown) if each.first <= last and each.last >= first]
    if not lines and not lost:
        form.add_error("first", _("There is no line to print between these numbers."))
        return None
    return printing.Volume(shown, first, last, form.cleaned_data["ordinal"], lines, lost)


@require_http_methods(["GET", "POST"])
def print_dossier(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for a reason where dossier or line is classified, then draw the contents list of a dossier as a numbered copy."""
    person = person_of(request)
    shown = dossiers.open_dossier(person, Action.DOSSIER_PRINT, key)
    items = dossiers.contents(shown, person)
    lines = [item.record for item in items]
    form = ContentsForm(request.POST if request.method == "POST" else None, level=access.level_of([shown, *lines]))
    if form.is_valid():
        told: dict[str, Any] = {"reason": form.cleaned_data["reason"], "details": {"contents": len(items)}}
        about = audit.subject_of(shown)
        made = attempt(
            request,
            form,
            lambda: lists_out.printed(Action.DOSSIER_PRINT, about=about, lines=lines, actor=person, **told),
        )
        if made:
            drawn = printing.contents_list(printing.Contents(shown, items), made=made)
            return paper(drawn, f"{shown.code} {shown.year}.pdf")
    audit.read(Action.DOSSIER_READ, actor=person, subject=shown, form="print")
    context = {"dossier": shown, "form": form, "page_level": Level(shown.level)}
    return render(request, "archive/dossier_print.html", context, status=422 if form.is_bound else 200)


urlpatterns = [
    path("registers/", listed, name="registers"),
    path("registers/<int:pk>/", book, name="register-book"),
    path("registers/<int:pk>/confirm/", confirm, name="register-confirm"),
    path("registers/<int:pk>/print/", print_book, name="register-print"),
    path("dossiers/<str:key>/print/", print_dossier, name="dossier-print"),
]
