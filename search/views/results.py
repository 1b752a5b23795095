"""The page of hits: ask by a form, see the answer at an address without words, open a hit with its words marked."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit
from archive.models import Person
from archive.rules.roles import Action
from archive.standing import one_reading
from archive.views.doors import person_of
from archive.views.record.records import record_page
from search import chips, finding, labels, offering, saving
from search.engine import EngineAway
from search.query import parse
from search.views import asking, exporting, keeping, narrowing, rows, showing
from search.views.asking import Asked

OFFERED: Final = 12  # kept queries on the empty page


@require_http_methods(["GET", "HEAD", "POST"])
@one_reading()  # by POST for its words alone
def search(request: HttpRequest) -> HttpResponse:
    """Take a question from a form and answer it, or send its asker to the answer; show a plain address, or the empty page."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    if request.method == "POST":
        return _taken(request, person)
    asked = asking.read(request.GET)
    if not asked.is_empty and not asked.may_stand_in_address(person):
        messages.warning(
            request,
            _("The words in this address were not read: an address stays in histories and logs. Type them here."),
        )
        return redirect("search:search")
    return _page(request, asked, person)


def _taken(request: HttpRequest, person: Person) -> HttpResponse:
    """Send the asker of a form to the answer, or give it at once to a page that names its address itself; keep how it is shown.

    The second way is that of a page with script: it saves a request, which was a fifth of the wait.
    """
    asked = asking.read_form(request.POST)
    if "show" in request.POST:
        showing.choose(request)
    if asked.is_empty:
        return redirect("search:search")
    asked = asking.addressed(asked, person)
    return _page(request, asked, person) if "at_once" in request.POST else redirect(asked.at)


@require_GET
def asked_before(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a kept question for the person who asked it."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    asked = asking.kept(token, person, request.GET)
    if asked is None:
        return _page(request, Asked(), person, is_gone=True)
    return _page(request, asked, person)


@require_POST
@one_reading()
def meant(request: HttpRequest) -> HttpResponse:
    """Offer what may have been meant by a question: its page asks for it by itself, as it takes longer than all hits.

    Without script it is asked for by a button, and answered by a page.
    """
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    asked, is_away = asking.read_form(request.POST), False
    is_part = "HX-Request" in request.headers
    if asked.is_empty and not is_part:
        return redirect("search:search")  # which shows kept queries, and writes that it did
    try:
        offered = offering.meant(asked.query, person)
    except EngineAway:
        offered, is_away = [], True
    if is_part:
        return render(request, "search/meant.html", {"meant": offered})
    context = _about(asked) | _kept(asked, person) | {"page_level": access.level_of(offered)}
    if is_away:
        finding.missed(person)
    context |= {"is_away": True} if is_away else {"is_spelled": True, "meant": offered}
    return render(request, "search/search.html", context, status=503 if is_away else 200)


def _about(asked: Asked) -> dict[str, Any]:
    """Return what stands on the page of a question before it is answered."""
    return {
        "asked": asked,
        "chips": chips.describe(asked.query),
        "lines": rows.shown(asked.query),
        "orders": narrowing.orders(asked),
        "is_cut": asked.query.is_cut,
    }


def _page(request: HttpRequest, asked: Asked, person: Person, *, is_gone: bool = False) -> HttpResponse:
    at = asked.at if request.method == "POST" else ""
    context = _about(asked) | _kept(asked, person) | {"is_gone": is_gone, "at": at}
    status = 404 if is_gone else 200
    if not asked.is_empty:
        try:
            context |= _answer(asked, person) | showing.chosen(request)
        except EngineAway:
            finding.missed(person)
            words = labels.of(asked.filters, person)
            labels.note(words, (), person)
            context |= {"is_away": True, "facets": narrowing.facets(asked, {}, words), "page_level": words.level}
            status = 503
    return render(request, "search/search.html", context, status=status)


def _kept(asked: Asked, person: Person) -> dict[str, Any]:
    """Return the kept queries to begin with while nothing is asked, else the levels under which this one may be kept."""
    if not asked.is_empty:
        # Drawn by hand: as a form two fields took as long as all hits.
        levels = keeping.levels(person)
        return {
            "keep_levels": {str(level): label for level, label in levels.items()},
            "keep_level": str(max(levels)),
        }
    saved = list(saving.readable(person)[:OFFERED])
    level = access.level_of(saved)
    saving.told_of(saved, level=level, actor=person)
    return {"saved": saved, "page_level": level}


def _answer(asked: Asked, person: Person) -> dict[str, Any]:
    """Return a page of hits and all that stands around it."""
    first = (asked.page - 1) * finding.PER_PAGE
    answer = finding.find(asked.query, person, filters=asked.filters, order=asked.order, offset=first)
    shown = [found.record for found in answer.found]
    audit.read(
        Action.SEARCH_RUN, actor=person, records=shown, text=asked.text, filters=asked.filters, total=answer.total
    )
    labels.note(answer.chosen, shown, person)
    last = first + len(answer.found)
    is_deepest = asked.page == asking.DEEPEST_PAGE
    return {
        "answer": answer,
        "is_late": finding.is_late(person),
        "is_damaged": answer.is_damaged,
        "hits": [narrowing.hit(asked, found) for found in answer.found],
        "first": first + 1,
        "last": last,
        "facets": narrowing.facets(asked, answer.facets, answer.chosen),
        "histogram": narrowing.histogram(asked, answer.facets),
        "older": asked.address(page=asked.page + 1) if last < answer.total and answer.found and not is_deepest else "",
        "is_deepest": is_deepest and last < answer.total,
        "newer": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "export_url": exporting.address(asked) if answer.found else "",
        "page_level": max(access.level_of(shown), answer.chosen.level),
    }


@require_GET
def open_hit(request: HttpRequest, key: str) -> HttpResponse:
    """Open a hit: its record, with the words asked for marked on its pages."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_READ, key)
    text = asking.words_of(request, person)
    return record_page(request, key, hits=finding.marks(parse(text), record), found=text)
