"""Take out what was found as a file, and the dispatches like one that is open.

The page asks for form, columns and reason; sending it makes the file. The question is
named as everywhere: by the id it is kept under, or in plain words where they may stand
in an address.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from archive import access, audit
from archive.models import Person
from archive.printing import Print
from archive.printing.paper import TONGUE
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import attempt, person_of
from search import exporting, finding, labels
from search.engine import EngineAway, IndexBroken
from search.exporting import COLUMNS, Form, Rows, Wanted
from search.printing import comma, paper, sheet
from search.printing.heading import Heading
from search.views import asking
from search.views.asking import Asked
from search.views.keeping import words_of_filters

MEDIA: Final = {
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.PDF: "application/pdf",
    Form.CSV: "text/csv; charset=utf-8",
}
FORMS: Final = [
    (Form.XLSX.value, _("Spreadsheet (XLSX)")),
    (Form.PDF.value, _("Paper, A4 landscape (PDF)")),
    (Form.CSV.value, _("Lines for another program (CSV)")),
]

log = logging.getLogger("vankho.search")


class ExportForm(forms.Form):
    """How the file is written, what stands in it, what it is for."""

    form = forms.ChoiceField(
        label=_("Kind of file"), choices=FORMS, initial=Form.XLSX.value,
        widget=forms.RadioSelect(attrs={"class": "form-check-input m-0"}),
    )  # fmt: skip
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        choices=[(name, column.label) for name, column in COLUMNS.items()],
        initial=list(exporting.USUAL),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input m-0"}),
    )
    reason = forms.CharField(
        label=_("What it is for"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
        help_text=_("Required as soon as the list names a classified dispatch or dossier. It stands in the log."),
    )  # fmt: skip


def address(asked: Asked) -> str:
    """Return the address that takes out what a question finds."""
    _place, _sign, rest = asked.address().partition("?")
    named = urlencode({"asked": asked.token}) if asked.token else ""
    return f"{reverse('search:export')}?{'&'.join(filter(None, (named, rest)))}"


@require_http_methods(["GET", "POST"])
def export(request: HttpRequest) -> HttpResponseBase:
    """Ask how the list shall be taken out, then send it."""
    person = person_of(request)
    access.require(person, Action.SEARCH_EXPORT)
    asked = _asked(request, person)
    if asked is None or asked.is_empty:
        return redirect("search:search")
    form = ExportForm(request.POST or None)
    try:
        sent = _sent(request, form, asked, person) if form.is_valid() else None
        total = (
            0 if sent else finding.find(asked.query, person, filters=asked.filters, order=asked.order, offset=0).total
        )
    except EngineAway:
        finding.missed(person)
        return render(request, "search/export.html", {"is_away": True, "asked": asked}, status=503)
    if sent:
        return sent
    # The total tells what a page of hits would: it is asked for by name as well.
    audit.read(Action.SEARCH_RUN, actor=person, text=asked.text, filters=dict(asked.filters), total=total)
    chosen = labels.of(asked.filters, person)
    labels.note(chosen, (), person)
    context = {
        "form": form, "asked": asked, "total": total, "words": _words(asked, chosen), "back_url": asked.address(),
        "most": [(Form.XLSX.most, "XLSX, CSV"), (Form.PDF.most, "PDF")], "page_level": asked.level(person),
    }  # fmt: skip
    return render(request, "search/export.html", context, status=422 if form.is_bound else 200)


def _asked(request: HttpRequest, person: Person) -> Asked | None:
    """Return the question named in the address; None when it is gone or may not stand there."""
    if token := request.GET.get("asked", ""):
        return asking.kept(token, person, request.GET)
    asked = asking.read(request.GET)
    return asked if asked.may_stand_in_address(person) else None


def _words(asked: Asked, chosen: labels.Labels) -> str:
    return "; ".join(part for part in (asked.text, words_of_filters(asked.filters, chosen)) if part)


def _sent(request: HttpRequest, form: ExportForm, asked: Asked, person: Person) -> HttpResponseBase | None:
    """Return the file, or None when it was refused and the form says why."""
    given = form.cleaned_data
    wanted = Wanted(
        asked.text, asked.filters, asked.order, Form(given["form"]),
        [name for name in COLUMNS if name in given["columns"]], given["reason"],
    )  # fmt: skip
    rows = exporting.rows_for(wanted, person)
    made = attempt(request, form, lambda: exporting.begin(wanted, rows, actor=person))
    return _file(wanted, rows, made, _heading(asked, rows, made, person), person) if made else None


def _heading(asked: Asked, rows: Rows, made: Print, person: Person) -> Heading:
    with translation.override(TONGUE):
        return Heading(made, _words(asked, labels.of(asked.filters, person)), len(rows.ids), rows.total)


def _file(wanted: Wanted, rows: Rows, made: Print, heading: Heading, person: Person) -> HttpResponseBase:
    heads, lines = exporting.heads(wanted.columns), exporting.lines(rows, wanted.columns, person)
    widths = [COLUMNS[name].width for name in wanted.columns]
    name = f"van-ban-{made.at:%Y%m%d}-ban-so-{made.copy}.{wanted.form}"
    match wanted.form:
        case Form.CSV:
            return _closed(StreamingHttpResponse(_whole(comma.written(heading, heads, lines))), wanted.form, name)
        case Form.XLSX:
            return _closed(HttpResponse(sheet.written(heading, heads, widths, lines).getvalue()), wanted.form, name)
        case Form.PDF:
            return _closed(HttpResponse(paper.written(heading, heads, widths, lines)), wanted.form, name)


def _whole(parts: Iterable[bytes]) -> Iterable[bytes]:
    """Yield the parts in pieces worth sending: a line alone is a hundred bytes."""
    kept: list[bytes] = []
    for part in parts:
        kept.append(part)
        if len(kept) == exporting.BATCH:
            yield b"".join(kept)
            kept = []
    if kept:
        yield b"".join(kept)


def _closed(response: HttpResponseBase, form: Form, name: str) -> HttpResponseBase:
    response.headers["Content-Type"] = MEDIA[form]
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or "attachment"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


# --- more like this ----------------------------------------------------------------------------
@require_GET
def similar(request: HttpRequest, key: str) -> HttpResponse:
    """Draw the card of dispatches like one that the reader may see; an engine that is away leaves it saying so."""
    person = person_of(request)
    record = access.open_record(person, Action.SEARCH_RUN, key)
    context: dict[str, Any] = {"record": record, "is_away": False, "found": []}
    try:
        context["found"] = found = finding.similar(record, person)
    except EngineAway:
        return render(request, "search/similar.html", context | {"is_away": True})
    except IndexBroken:
        log.exception("similar dispatches are not shown")
        return render(request, "search/similar.html", context | {"is_damaged": True})
    # About no one dispatch: the page's own stands among those shown, each at its own level.
    audit.read(Action.SEARCH_RUN, actor=person, records=[record, *found], similar=len(found))
    highest = max(access.level_of(found), Level(record.level))
    # The page's seal was drawn before these stood on it.
    return render(
        request, "search/similar.html", context | {"page_level": highest, "is_higher": highest > record.level}
    )


urlpatterns = [
    path("export/", export, name="export"),
    path("similar/<str:key>/", similar, name="similar"),
]
