"""The search page, opening a hit with its words marked, and kept queries."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from archive import access, audit
from archive.rules.levels import LEVEL_LABELS, URGENCY_LABELS, Level, Urgency
from archive.rules.roles import Action
from archive.views.doors import person_of
from archive.views.records import record_page
from search import chips, finding
from search.entry import FACETS, Bucket, Order
from search.models import SavedSearch
from search.query import MAX_CHARS, parse

DEEPEST_PAGE: Final = 500
FACET_NAMES: Final = {
    "type": gettext_lazy("Type"), "level": gettext_lazy("Level"), "urgency": gettext_lazy("Urgency"),
    "organ": gettext_lazy("Issuer"), "unit": gettext_lazy("Unit"), "year": gettext_lazy("Year"),
    "retention": gettext_lazy("Retention period"),
}  # fmt: skip


class Asked:
    """What the address asks for: text, order, chosen facet values, page."""

    def __init__(self, request: HttpRequest) -> None:
        """Read the address; anything odd is left out."""
        given = request.GET
        self.text = given.get("q", "")[:MAX_CHARS]
        self.order = Order.BEST if given.get("order") == "best" else Order.NEWEST
        self.filters = {name: given.getlist(name)[:20] for name in FACETS if given.getlist(name)}
        page = given.get("page", "1")
        self.page = min(max(int(page), 1), DEEPEST_PAGE) if page.isdecimal() and len(page) < 5 else 1  # noqa: PLR2004

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked yet."""
        return not self.text.strip() and not self.filters


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Show the search page, with hits when something was asked."""
    person = person_of(request)
    access.require(person, Action.SEARCH_RUN)
    asked = Asked(request)
    query = parse(asked.text)
    context: dict[str, Any] = {"asked": asked, "chips": chips.describe(query), "is_cut": query.is_cut, "orders": Order}
    if not asked.is_empty:
        answer = finding.find(
            query, person, filters=asked.filters, order=asked.order, offset=(asked.page - 1) * finding.PER_PAGE
        )
        audit.read(Action.SEARCH_RUN, actor=person, text=asked.text, filters=asked.filters, total=answer.total)
        context |= _page_of(request, asked, answer)
    context["saved"] = list(SavedSearch.objects.filter(person=person))
    return render(request, "search/search.html", context)


def _page_of(request: HttpRequest, asked: Asked, answer: finding.Answer) -> dict[str, Any]:
    first = (asked.page - 1) * finding.PER_PAGE + 1
    last = first + len(answer.found) - 1
    return {
        "answer": answer,
        "first": first,
        "last": last,
        "facets": [_facet(name, answer.facets.get(name, ()), asked) for name in FACETS if answer.facets.get(name)],
        "years": _years(request, answer.facets.get("year", ())),
        "older": asked.page + 1 if last < answer.total and answer.found else None,
        "newer": asked.page - 1 if asked.page > 1 else None,
        "page_level": access.level_of([found.record for found in answer.found]),
    }


def _facet(name: str, buckets: tuple[Bucket, ...], asked: Asked) -> dict[str, Any]:
    chosen = set(asked.filters.get(name, ()))
    return {
        "name": name,
        "label": FACET_NAMES[name],
        "values": [
            {"value": b.value, "label": _value_label(name, b.value), "count": b.count, "chosen": b.value in chosen}
            for b in buckets[:12]
        ],
    }


def _value_label(facet: str, value: str) -> str:
    if facet == "level":
        return str(LEVEL_LABELS[Level.parse(value)])
    if facet == "urgency":
        return str(URGENCY_LABELS[Urgency.parse(value)])
    return value


def _years(request: HttpRequest, buckets: tuple[Bucket, ...]) -> list[dict[str, Any]]:
    """Return the bars of the years: each a link that narrows to its year (figures per 46 px)."""
    ordered = sorted((b for b in buckets if b.value.isdecimal()), key=lambda b: b.value)[-16:]
    top = max((b.count for b in ordered), default=1)
    bars = []
    for place, bucket in enumerate(ordered):
        address = request.GET.copy()
        address["year"] = bucket.value
        address.pop("page", None)
        height = max(2, round(42 * bucket.count / top))
        bars.append({"x": 4 + 64 * place, "middle": 31 + 64 * place, "y": 46 - height, "height": height,
                     "year": bucket.value, "count": bucket.count, "query": address.urlencode()})  # fmt: skip
    return bars


@require_GET
def open_hit(request: HttpRequest, key: str) -> HttpResponse:
    """Open a hit: its record, with the words asked for marked on its pages."""
    text = request.GET.get("q", "")[:MAX_CHARS]
    record = access.open_record(person_of(request), Action.RECORD_READ, key)
    return record_page(request, key, hits=finding.marks(parse(text), record), found=text)


class SaveForm(forms.Form):
    """A name for a query that is kept."""

    name = forms.CharField(max_length=120)
    q = forms.CharField(max_length=MAX_CHARS)
    order = forms.ChoiceField(choices=[(order.value, order.value) for order in Order], required=False)


@require_GET
def saved(request: HttpRequest) -> HttpResponse:
    """List the kept queries of this person."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    return render(request, "search/saved.html", {"saved": SavedSearch.objects.filter(person=person)})


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a query under a name; the same name is overwritten."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the query a name of at most 120 characters."))
        return redirect("search:search")
    asked = form.cleaned_data
    with transaction.atomic():
        SavedSearch.objects.update_or_create(
            person=person,
            name=asked["name"],
            defaults={"text": asked["q"], "order": asked["order"] or Order.NEWEST, "created_at": timezone.now()},
        )
        audit.write(
            Action.SEARCH_SAVE, actor=person, subject=person, details={"name": asked["name"], "text": asked["q"]}
        )
    messages.success(request, _("Kept as “%(name)s”.") % {"name": asked["name"]})
    return redirect("search:saved")


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a kept query away."""
    person = person_of(request)
    kept = get_object_or_404(SavedSearch, pk=pk, person=person)
    with transaction.atomic():
        kept.delete()
        audit.write(Action.SEARCH_SAVE, actor=person, subject=person, details={"name": kept.name, "gone": True})
    return redirect("search:saved")
