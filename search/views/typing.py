"""While a question is being typed: what it may become, and the builder in step with it. Sent by POST, so that no address has its words."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from archive import access
from archive.rules.roles import Action
from archive.standing import one_reading
from archive.views.doors import person_of
from search import chips, offering
from search.engine import EngineAway
from search.query import MAX_CHARS, parse
from search.views import asking, rows


@require_POST
@one_reading()
def hints(request: HttpRequest) -> HttpResponse:
    """Offer what the reader may be about to type, from the records they see."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    typed = request.POST.get("q", "")[:MAX_CHARS]
    try:
        offered = offering.suggestions(typed, person) if typed.strip() else []
    except EngineAway:
        offered = []
    return render(request, "search/hints.html", {"hints": offered})


@require_POST
@one_reading()
def build(request: HttpRequest) -> HttpResponse:
    """Draw builder and chips anew: from the words (`by` = "text") or from the lines (`by` = "rows"), both always saying the same."""
    access.require(person_of(request), Action.SEARCH_RUN)
    is_by_rows = request.POST.get("by") == "rows"
    asked = asking.read_form(request.POST)
    query = parse(asked.text)
    lines = rows.drawn(rows.read(request.POST), blanks=0) if is_by_rows else rows.shown(query)
    if is_by_rows and lines is not None and (not lines or "more" in request.POST):
        lines += rows.drawn([])
    context = {
        "asked": asked,
        "lines": lines,
        "written": asked.text if is_by_rows else None,
        "chips": chips.describe(query),
        "is_cut": query.is_cut,
    }
    return render(request, "search/build.html", context)
