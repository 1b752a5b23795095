"""The auditor's other pages: who saw a dispatch, what stands out, filters kept under a name. Reading is logged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from archive import access, audit, notable, tallies
from archive.models import AuditEntry, KeptLogFilter, Person
from archive.rules import action_words
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.templatetags.office import number, plain, state, vndatetime
from archive.views.control import bars
from archive.views.control.concerning import About, about
from archive.views.control.log import checking
from archive.views.doors import person_of

DAYS: Final = (7, 30, 90)
MOST_ENTRIES: Final = 20_000  # of one dispatch
MOST_KEPT: Final = 40


class Asked(forms.Form):
    """Which dispatch."""

    record = forms.CharField(
        required=False, max_length=60, label=gettext_lazy("Dispatch"),
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "123/BC-BCH", "autofocus": True}),
    )  # fmt: skip


@dataclass(slots=True)
class Seer:
    """One person and what they did with a dispatch, from the first time to the last."""

    person: str
    person_id: int
    first: datetime
    last: datetime
    acts: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    def add(self, action: str, outcome: str, n: int, span: tuple[datetime, datetime]) -> None:
        """Count entries of one act and outcome more."""
        self.first, self.last = min(self.first, span[0]), max(self.last, span[1])
        if outcome == "ok":
            self.acts[action] = self.acts.get(action, 0) + n
        else:
            self.refused += n

    @property
    def said(self) -> SafeString:
        """What was done, in words, most frequent first."""
        return said(self.acts)


def _lines(seers: Sequence[Seer], query: str) -> SafeString:
    """Draw the table's lines: the most read dispatch has six hundred, and a template took half of its page for them."""
    entries, others = reverse("archive:log"), reverse("archive:log-seen")
    other = escape(_("What else did they see?"))
    drawn = []
    for one in seers:
        times = ngettext("%(n)s time", "%(n)s times", one.refused) % {"n": number(one.refused)}
        drawn.append(
            f'<tr data-row><td class="tight"><a href="{entries}?{escape(query)}&amp;person={one.person_id}">{plain(one.person)}</a>'
            f'<span class="sub"><a href="{others}?person={one.person_id}">{other}</a></span></td>'
            f'<td class="wide">{one.said}</td><td class="num">{vndatetime(one.first)}</td><td class="num">{vndatetime(one.last)}</td>'
            f"<td>{state('late', times) if one.refused else ''}</td></tr>"
        )
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString("\n".join(drawn))


def said(acts: dict[str, int]) -> SafeString:
    """Return how often each act was done, in words, most frequent first: drawn here, for hundreds of people or dispatches."""
    ordered = sorted(((action_words.word(act), n) for act, n in acts.items()), key=lambda one: (-one[1], one[0]))
    # nosemgrep: unescaped - every part is escaped or a word of ours
    return SafeString(" · ".join(f'{escape(word)} <span class="num">×&nbsp;{number(n)}</span>' for word, n in ordered))


@require_GET
def who(request: HttpRequest) -> HttpResponse:
    """Show who opened, read, printed, took out or was refused one dispatch."""
    person = person_of(request)
    access.require(person, Action.LOG_READ)
    form = Asked(request.GET or None)
    asked = form.cleaned_data["record"].strip() if form.is_valid() else ""
    audit.read(Action.LOG_READ, actor=person, filters={"record": asked} if asked else {}, who=True)
    found = about(asked) if asked else None
    seers, is_more = _seers(found) if found else ([], False)
    context = {"form": form, "asked": asked, "seers": seers, "more": is_more, "most": MOST_ENTRIES}
    context |= {"left_out": f"{found.left_out} {_refusals_left_out(found)}".strip() if found else ""}
    query = urlencode({"record": asked})
    context |= {"query": query, "lines": _lines(seers, query), "checking": checking()}
    return render(request, "archive/log_who.html", context)


def _seers(about: About) -> tuple[list[Seer], bool]:
    """Return whose entries there are of a dispatch, the latest first, and whether older entries were left out.

    The database counts them, person by person and act by act: each of its ways there is read in an index alone.
    """
    itself = AuditEntry.objects.filter(about.itself, actor__isnull=False)
    cut = itself.order_by("-ts").values_list("ts", flat=True)[MOST_ENTRIES : MOST_ENTRIES + 1].first()
    newest = itself if cut is None else itself.filter(ts__gt=cut)
    counts = {"n": Count("*"), "first": Min("ts"), "last": Max("ts")}
    ways = [
        newest.values_list("actor_id", "action", "outcome"),
        AuditEntry.objects.filter(pk__in=_refusals(about)[:MOST_ENTRIES]).values_list("actor_id", "action", "outcome"),
        about.shown.values_list("actor_id", Value(str(Action.SEARCH_RUN)), Value("ok")),
    ]
    itself_rows, *others = [way.annotate(**counts) for way in ways]
    if len(about.known) > 1:  # a page of hits may have shown several that bear the number
        others[-1] = ways[-1].annotate(**counts | {"n": Count("entry", distinct=True)})
    found: dict[int, Seer] = {}
    for pk, action, outcome, n, first, last in itself_rows.union(*others, all=True):
        found.setdefault(pk, Seer("", pk, first, last)).add(action, outcome, n, (first, last))
    for pk, name in Person.objects.filter(pk__in=found).values_list("pk", "full_name"):
        found[pk].person = name
    return sorted(found.values(), key=lambda one: one.last, reverse=True), cut is not None


def _refusals(about: About) -> QuerySet[AuditEntry, Any]:
    return AuditEntry.objects.filter(about.refused, actor__isnull=False).order_by("-ts").values("pk")


def _refusals_left_out(about: About) -> str:
    """Return in a sentence that older refusals of the key are not counted, "" where all are: anybody can ask for a key without end."""
    if not _refusals(about)[MOST_ENTRIES : MOST_ENTRIES + 1]:
        return ""
    return _(
        "Of the refusals under this key only the newest %(most)s are counted. Who was refused before them alone is missing "
        "here; the list of entries has them all."
    ) % {"most": number(MOST_ENTRIES)}


@require_GET
def unusual(request: HttpRequest) -> HttpResponse:
    """Show what stands out, each kind with its rule in words."""
    person = person_of(request)
    access.require(person, Action.LOG_READ)
    days = days_of(request)
    audit.read(Action.LOG_READ, actor=person, unusual=True, days=days)
    today = timezone.localdate()
    since = today - timedelta(days=days)
    context = {
        "kinds": list(_kinds(notable.notable(since, today))),
        "days": days,
        "choices": DAYS,
        "chart": bars.by_day(tallies.by_day(since, today), since, today),
        "query": urlencode({"days": days}),
        "checking": checking(),
    }
    return render(request, "archive/log_unusual.html", context)


def _kinds(found: list[notable.Notable]) -> Iterator[dict[str, Any]]:
    for kind in notable.Kind:
        ones = [one for one in found if one.kind is kind]
        shown = ones[: notable.MOST]
        yield {"kind": kind, "rows": [_line(one) for one in shown], "more": len(ones) > len(shown)}


def days_of(request: HttpRequest) -> int:
    """Return how many days are looked at: one of those offered."""
    asked = request.GET.get("days", "")
    return int(asked) if asked in {str(one) for one in DAYS} else DAYS[0]


def _line(one: notable.Notable) -> dict[str, Any]:
    """Return one thing that stands out as the page shows it, with the way to its entries."""
    narrowed = {"person": one.person_id, "since": one.day.isoformat(), "until": one.day.isoformat()}
    if one.kind is notable.Kind.READMITTED:
        del narrowed["person"]  # nobody who is signed in did it
        narrowed["action"] = Action.READMIT
    elif one.kind is notable.Kind.REFUSED:
        narrowed["outcome"] = "denied"
    elif one.kind is notable.Kind.OUTSIDE:
        narrowed["hours"] = "outside"
    elif one.kind is notable.Kind.FIRST:
        narrowed["action"] = one.action
    url = reverse("archive:log", query=narrowed)
    word = action_words.word(one.action) if one.action else ""
    return {"it": one, "url": url, "word": word, "level": Level(one.level)}


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep a filter under a name; one of the same name is replaced."""
    person = person_of(request)
    access.require(person, Action.LOG_READ)
    name, asked = request.POST.get("name", "").strip()[:80], request.POST.get("asked", "")[:600]
    if not name or not asked:
        messages.error(request, _("Give the filter a name, and choose something to filter by first."))
    elif KeptLogFilter.objects.filter(person=person).exclude(name=name).count() >= MOST_KEPT:
        messages.error(request, _("You keep %(n)s filters already. Drop one you no longer use.") % {"n": MOST_KEPT})
    else:
        with transaction.atomic():
            KeptLogFilter.objects.update_or_create(person=person, name=name, defaults={"asked": asked})
            audit.write(Action.LOG_KEEP, actor=person, details={"name": name, "filters": asked})
        messages.success(request, _("The filter is kept."))
    return redirect(reverse("archive:log") + f"?{asked}")


@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a kept filter of one's own; somebody else's is as if it were not there."""
    person = person_of(request)
    access.require(person, Action.LOG_READ)
    with transaction.atomic():
        kept = KeptLogFilter.objects.filter(person=person, pk=pk).first()
        if kept:
            audit.write(Action.LOG_KEEP, actor=person, details={"name": kept.name, "dropped": True})
            kept.delete()
    return redirect("archive:log")


urlpatterns = [
    path("log/who/", who, name="log-who"),
    path("log/unusual/", unusual, name="log-unusual"),
    path("log/keep/", keep, name="log-keep"),
    path("log/drop/<int:pk>/", drop, name="log-drop"),
]
