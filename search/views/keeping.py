"""Kept queries: list, keep, change, share, take away, ask again; what is new in them, and the bell of the top bar."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit
from archive.models import Person
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.standing import clearance, is_withheld
from archive.views.doors import attempt, person_of
from search import finding, labels, news, saving
from search.engine import EngineAway, Filters
from search.entry import Order
from search.models import Alert, SavedSearch
from search.query import MAX_CHARS
from search.views import asking, narrowing
from search.views.asking import Asked

TEXT: Final = {"class": "form-control"}
SELECT: Final = {"class": "form-select"}


class KeepForm(forms.Form):
    """A name for a query, and how secret name and words are: at first as much as their owner is cleared to."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs=TEXT))
    # Not "level": the question sent beside it may have chosen levels under that name.
    secrecy = forms.TypedChoiceField(
        label=gettext_lazy("Level of name and words"),
        coerce=lambda value: Level(int(value)),
        widget=forms.Select(attrs=SELECT),
        help_text=gettext_lazy("A name and a few words can tell what is secret. Nobody reads them without this level."),
    )

    def __init__(self, data: Any = None, *, person: Person, **more: Any) -> None:
        """Offer the levels the person is cleared to."""
        offered = levels(person)
        more["initial"] = {"secrecy": max(offered)} | more.get("initial", {})
        super().__init__(data, **more)
        self.fields["secrecy"].choices = list(offered.items())  # type: ignore[attr-defined]


def levels(person: Person) -> dict[int, str | Promise]:
    """Return the levels that a name and its words can have: those the person is cleared to."""
    cleared = clearance(person, timezone.now())
    return {int(level): level.label for level in Level if level <= cleared}


class ChangeForm(KeepForm):
    """All of a kept query."""

    text = forms.CharField(
        label=gettext_lazy("Words"),
        max_length=MAX_CHARS,
        required=False,
        widget=forms.Textarea(attrs=TEXT | {"rows": 2}),
    )
    order = forms.ChoiceField(label=gettext_lazy("Order"), widget=forms.Select(attrs=SELECT))
    shared_with = forms.TypedChoiceField(
        label=gettext_lazy("Shared with"),
        coerce=lambda value: Role(int(value)),
        empty_value=None,
        required=False,
        widget=forms.Select(attrs=SELECT),
        help_text=gettext_lazy("They read name and words and ask with their own rights; they never see your hits."),
    )
    is_sure = forms.BooleanField(
        label=gettext_lazy("Neither name nor words tell anything above the level chosen."),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )
    field_order = ("name", "text", "order", "shared_with", "secrecy", "is_sure")

    def __init__(self, data: Any = None, *, person: Person, kept: SavedSearch) -> None:
        """Show it as it is; its chosen facet values stay."""
        now = {name: getattr(kept, name) for name in ("name", "text", "order", "shared_with")} | {"secrecy": kept.level}
        super().__init__(data, person=person, initial=now)
        self.filters = kept.filters
        self.fields["order"].choices = list(narrowing.ORDERS.items())  # type: ignore[attr-defined]
        roles = [(int(role), role.label) for role in saving.SHARED_WITH]
        self.fields["shared_with"].choices = [("", _("nobody: only I read it")), *roles]  # type: ignore[attr-defined]

    def wanted(self) -> saving.Wanted:
        """Return the query as it shall be."""
        given = self.cleaned_data
        return saving.Wanted(
            given["name"], given["text"], given["secrecy"], self.filters, Order(given["order"]), given["shared_with"]
        )


# --- the list ----------------------------------------------------------------------------------
@require_GET
def saved(request: HttpRequest) -> HttpResponse:
    """List the queries this person may read: their own, then those of their roles."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    told = _told(person)
    watched = set(Alert.objects.filter(person=person).values_list("search", flat=True))
    kept_queries = list(saving.readable(person))
    words = labels.of(_together(kept.filters for kept in kept_queries), person)  # of all in one reading
    rows = [_row(kept, watched, told, words) for kept in kept_queries]
    page_level = max(access.level_of(kept_queries), words.level)
    saving.told_of(kept_queries, level=page_level, actor=person)
    context = {
        "mine": [row for row in rows if row["kept"].person_id == person.pk],
        "given": [row for row in rows if row["kept"].person_id != person.pk],
        "is_away": told is None,
        "page_level": page_level,
    }
    return render(request, "search/saved.html", context)


def _told(person: Person) -> dict[int, news.News] | None:
    """Return the news by query; None while the search server is away."""
    try:
        return {each.alert.search_id: each for each in news.of(person)}
    except EngineAway:
        return None


def _together(all_filters: Iterable[Filters]) -> Filters:
    """Return every value that any of the filters has chosen, by facet."""
    chosen: dict[str, dict[str, None]] = {}
    for filters in all_filters:
        for name, values in filters.items():
            chosen.setdefault(name, {}).update(dict.fromkeys(values))
    return {name: list(values) for name, values in chosen.items()}


def _row(
    kept: SavedSearch, watched: set[int], told: dict[int, news.News] | None, words: labels.Labels
) -> dict[str, Any]:
    return {
        "kept": kept,
        "filters": words_of_filters(kept.filters, words),
        "role": Role(kept.shared_with).label if kept.shared_with is not None else "",
        "is_watched": kept.pk in watched,
        "news": (told or {}).get(kept.pk),
    }


def words_of_filters(filters: Filters, words: labels.Labels) -> str:
    """Return chosen facet values in words: "Type: Plan, Report; Year: 2024", names as far as their reader may know them."""
    said = [
        f"{narrowing.FACETS[name]}: {', '.join(words.get(name, {}).get(value, value) for value in values)}"
        for name, values in filters.items()
        if name in narrowing.FACETS
    ]
    return "; ".join(said)


# --- keep, change, take away ----------------------------------------------------------------------
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the question of the page under a name."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    asked = asking.read(request.POST)
    form = KeepForm(request.POST, person=person)
    kept = attempt(request, form, lambda: saving.keep(_wanted(form, asked), actor=person)) if form.is_valid() else None
    if kept:
        messages.success(request, _("Kept as “%(name)s”.") % {"name": kept.name})
        return redirect("search:saved")
    context = {"form": form, "asked": asked, "page_level": asked.level(person)}
    return render(request, "search/saved_form.html", context, status=422)


def _wanted(form: KeepForm, asked: Asked) -> saving.Wanted:
    given = form.cleaned_data
    return saving.Wanted(given["name"], asked.text[:MAX_CHARS], given["secrecy"], asked.filters, asked.order)


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a query of one's own, and with whom it is shared."""
    person = person_of(request)
    kept = saving.own_query(person, Action.SEARCH_SAVE, pk)
    level = Level(kept.level)  # of what is on the page now, whatever the form says
    form = ChangeForm(request.POST or None, person=person, kept=kept)
    changed = attempt(request, form, lambda: _change(kept, form, person)) if form.is_valid() else None
    if changed:
        messages.success(request, _("Changed."))
        return redirect("search:saved")
    words = labels.of(kept.filters, person)
    page_level = max(level, words.level)
    saving.told_of([kept], level=page_level, actor=person)
    context = {"form": form, "kept": kept, "filters": words_of_filters(kept.filters, words), "page_level": page_level}
    return render(request, "search/saved_form.html", context, status=422 if form.is_bound else 200)


def _change(kept: SavedSearch, form: ChangeForm, person: Person) -> SavedSearch:
    return saving.change(kept, form.wanted(), is_sure=form.cleaned_data["is_sure"], actor=person)


@require_POST
def unshare(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a shared query for oneself again."""
    person = person_of(request)
    kept = saving.own_query(person, Action.SEARCH_SHARE, pk)
    saving.stop_sharing(kept, actor=person)
    messages.success(request, _("“%(name)s” is yours alone again.") % {"name": kept.name})
    return redirect("search:saved")


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a query of one's own away."""
    person = person_of(request)
    kept = saving.own_query(person, Action.SEARCH_SAVE, pk)
    saving.take_away(kept, actor=person)
    messages.success(request, _("“%(name)s” was taken away.") % {"name": kept.name})
    return redirect("search:saved")


@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a kept query anew; its words go where any question of this person goes."""
    person = person_of(request)
    kept = saving.open_query(person, Action.SEARCH_RUN, pk)
    order = Order(kept.order) if kept.order in set(Order) else Order.NEWEST
    asked = Asked(text=kept.text, filters={name: tuple(values) for name, values in kept.filters.items()}, order=order)
    return redirect(asking.addressed(asked, person).at)


# --- being told -------------------------------------------------------------------------------------
@require_POST
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the person of what is new in a query from now on, or no more (`on` is empty)."""
    person = person_of(request)
    kept = saving.open_query(person, Action.SEARCH_SAVE, pk)
    if not request.POST.get("on"):
        saving.stop_watching(kept, actor=person)
        return redirect("search:saved")
    form = forms.Form(request.POST)
    form.is_valid()
    if not attempt(request, form, lambda: saving.watch(kept, actor=person)):
        messages.error(request, " ".join(map(str, form.non_field_errors())))
    return redirect("search:saved")


@require_http_methods(["GET", "POST"])
def fresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is new in a query; a POST says that one has looked, up to where the page was drawn."""
    person = person_of(request)
    kept = saving.open_query(person, Action.SEARCH_RUN, pk)
    alert = Alert.objects.filter(person=person, search=kept).first()
    if alert is None:
        return redirect("search:saved")
    if request.method == "POST":
        upto, at = (_figures(request.POST.get(name, "")) for name in ("upto", "at"))
        if upto is not None and at is not None and not is_withheld(person, timezone.now()):
            saving.looked(alert, upto=upto, at=datetime.fromtimestamp(min(at, timezone.now().timestamp()), UTC))
        return redirect("search:saved")
    return _fresh(request, kept, person)


def _figures(given: str) -> int | None:
    is_number = given.isascii() and given.isdecimal() and len(given) < 19  # noqa: PLR2004 - figures of a big integer
    return int(given) if is_number else None


def _fresh(request: HttpRequest, kept: SavedSearch, person: Person) -> HttpResponse:
    try:
        told = news.of_query(kept, person)
    except EngineAway:
        finding.missed(person)
        saving.told_of([kept], level=Level(kept.level), actor=person)
        return render(request, "search/saved_new.html", {"kept": kept, "is_away": True}, status=503)
    records = news.records(told, person) if told else []
    audit.read(
        Action.SEARCH_RUN, actor=person, subject=saving.subject_of(kept), records=records, text=kept.text, filters=kept.filters,
        total=told.count if told else 0,
    )  # fmt: skip
    level = max(access.level_of(records), Level(kept.level))
    # In a session without the second proof not all of it is shown, so it cannot have been looked at.
    may_look = not is_withheld(person, timezone.now())
    context = {"kept": kept, "told": told, "records": records, "may_look": may_look, "page_level": level}
    return render(request, "search/saved_new.html", context)


@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Draw the bell of the top bar. It stands on every page, so names above the lowest level are not said here."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    news_of = _told(person)
    told = [each for each in (news_of or {}).values() if each.count]
    saving.rung_for([each.alert.search for each in told], actor=person)
    shown = [
        {
            "url": reverse("search:new", args=[each.alert.search_id]),
            "name": each.alert.search.name if each.alert.search.level == Level.THUONG else "",
            "level": Level(each.alert.search.level),
            "count": each.count,
            "is_capped": each.is_capped,
        }
        for each in told
    ]
    return render(request, "search/notices.html", {"told": shown, "is_away": news_of is None})


urlpatterns = [
    path("saved/", saved, name="saved"),
    path("saved/keep/", save, name="save"),
    path("saved/<int:pk>/", change, name="change"),
    path("saved/<int:pk>/run/", run, name="run"),
    path("saved/<int:pk>/new/", fresh, name="new"),
    path("saved/<int:pk>/watch/", watch, name="watch"),
    path("saved/<int:pk>/unshare/", unshare, name="unshare"),
    path("saved/<int:pk>/forget/", forget, name="forget"),
    path("notices/", notices, name="notices"),
]
