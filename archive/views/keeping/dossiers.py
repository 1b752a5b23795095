"""Dossiers: open, file into, close with contents list; and the dispatches not filed yet."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit, dossiers, retention
from archive.forms.keeping import CloseForm, DossierForm, FileForm
from archive.models import Dossier, Hold, Person, Record
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import attempt, heard, person_of

ROWS = 50


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """List the dossiers this person may see."""
    person = person_of(request)
    access.require(person, Action.DOSSIER_READ)
    wanted = request.GET.get("state", "open")
    seen = dossiers.visible_dossiers(person).select_related("rule", "unit", "record_class")
    shown = list(seen.filter(closed_at__isnull=wanted != "closed")[: ROWS + 1])
    audit.read(Action.DOSSIER_READ, actor=person, lines=shown[:ROWS], state=wanted, shown=len(shown[:ROWS]))
    filed = dossiers.counted(shown[:ROWS], person)
    context = {
        "rows": [{"dossier": each, "items": filed.get(each.pk, 0)} for each in shown[:ROWS]],
        "more": len(shown) > ROWS,
        "wanted": wanted,
        "may_open": access.may(person, Action.DOSSIER_OPEN).allowed,
        "page_level": access.level_of(shown[:ROWS]),
    }
    return render(request, "archive/dossiers.html", context)


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Open a new dossier."""
    person = person_of(request)
    access.require(person, Action.DOSSIER_OPEN)
    form = DossierForm(request.POST or None, person=person)
    if request.method == "POST" and heard(request, form):
        made = attempt(request, form, lambda: dossiers.begin(form.cover(), actor=person))
        if made:
            messages.success(request, _("Dossier %(code)s is open.") % {"code": made.code})
            return redirect("archive:dossier", made.key)
    return render(request, "archive/dossier_new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_GET
def dossier(request: HttpRequest, key: str) -> HttpResponse:
    """Show one dossier with its contents list, as this person may see it."""
    person = person_of(request)
    shown = dossiers.open_dossier(person, Action.DOSSIER_READ, key)
    context = _context(request, shown, CloseForm())
    audit.read(Action.DOSSIER_READ, actor=person, subject=shown, lines=[item.record for item in context["items"]])
    return render(request, "archive/dossier.html", context)


def _context(request: HttpRequest, shown: Dossier, form: CloseForm) -> dict[str, Any]:
    person = person_of(request)
    holds = retention.holds_on(shown, person)
    return {
        "dossier": shown,
        "doubles": list(dossiers.doubles(shown, person)),
        "items": dossiers.contents(shown, person),
        "outcome": retention.outcome_of(shown, is_held=bool(holds)),
        "holds": _told_of(holds, person),
        "form": form,
        "may_close": shown.closed_at is None and access.may(person, Action.DOSSIER_CLOSE).allowed,
        "may_hold": access.may(person, Action.HOLD_PLACE).allowed,
        "page_level": Level(shown.level),
    }


def _told_of(holds: list[Hold], person: Person) -> list[Hold]:
    """Return the holds whose name and reason this person may read; the others show only as "on hold"."""
    if not access.may(person, Action.HOLD_READ).allowed:
        return []
    readable = set(
        retention.visible_holds(person).filter(pk__in=[hold.pk for hold in holds]).values_list("pk", flat=True)
    )
    return [hold for hold in holds if hold.pk in readable]


@require_POST
def close(request: HttpRequest, key: str) -> HttpResponse:
    """Close a dossier; its contents list stands on its page from then on."""
    person = person_of(request)
    shown = dossiers.open_dossier(person, Action.DOSSIER_CLOSE, key)
    form = CloseForm(request.POST)
    if heard(request, form):
        ended_on = form.cleaned_data["ended_on"]
        if attempt(request, form, lambda: dossiers.close(shown, ended_on=ended_on, actor=person)):
            messages.success(
                request, _("Dossier %(code)s is closed; its retention period runs.") % {"code": shown.code}
            )
            return redirect("archive:dossier", key)
    return render(request, "archive/dossier.html", _context(request, shown, form), status=422)


@require_GET
def unfiled(request: HttpRequest) -> HttpResponse:
    """List the registered dispatches that lie in no dossier the reader may know of, newest first."""
    person = person_of(request)
    access.require(person, Action.DOSSIER_FILE)
    rows = list(dossiers.unfiled(person, most=ROWS + 1).records().select_related("number__register"))
    form = FileForm(person=person, into=request.GET.get("into", ""))
    level = max(access.level_of(rows[:ROWS]), form.page_level) if rows else Level.THUONG
    audit.read(Action.RECORD_LIST, actor=person, lines=rows[:ROWS], level=level, unfiled=True, shown=len(rows[:ROWS]))
    context = {"rows": rows[:ROWS], "more": len(rows) > ROWS, "form": form, "page_level": level}
    return render(request, "archive/unfiled.html", context)


@require_http_methods(["GET", "POST"])
def file(request: HttpRequest, key: str) -> HttpResponse:
    """File one dispatch into a dossier; asked first, offer all of them, the more secret ones too."""
    person = person_of(request)
    record = access.open_record(person, Action.DOSSIER_FILE, key)
    if request.method == "GET":
        return _offered(request, record)
    form = FileForm(request.POST, person=person)
    if heard(request, form):
        into = form.cleaned_data["dossier"]
        if attempt(request, form, lambda: dossiers.file(record, dossier=into, actor=person)):
            messages.success(request, _("Filed into %(code)s.") % {"code": into.code})
    for sentence in (each for errors in form.errors.values() for each in errors):
        messages.error(request, str(sentence))
    wanted = request.POST.get("back", "")
    if wanted == "record":
        return redirect("archive:record", key)
    chosen = form.cleaned_data.get("dossier")  # the next one often goes into the same
    return redirect(reverse("archive:dossiers-unfiled") + (f"?into={chosen.pk}" if chosen else ""))


def _offered(request: HttpRequest, record: Record) -> HttpResponse:
    """Show every dossier that a dispatch can be filed into, under the seal of the highest."""
    person = person_of(request)
    form = FileForm(person=person)
    audit.read(Action.RECORD_READ, actor=person, subject=record, part="filing")
    audit.read(Action.DOSSIER_READ, actor=person, lines=form.offers, list="filing", shown=len(form.offers))
    level = max(Level(record.level), form.page_level)
    return render(request, "archive/record_file.html", {"record": record, "form": form, "page_level": level})


urlpatterns = [
    path("dossiers/", listed, name="dossiers"),
    path("dossiers/new/", begin, name="dossier-new"),
    path("dossiers/unfiled/", unfiled, name="dossiers-unfiled"),
    path("dossiers/<str:key>/", dossier, name="dossier"),
    path("dossiers/<str:key>/close/", close, name="dossier-close"),
    path("records/<str:key>/file/", file, name="record-file"),
]
