"""The auditor's page: list and filter. Nothing here can change anything; reading is logged too."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet, Subquery, Value
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from archive import access, audit, logkey, officedays, planning, publishing, selections, sequencing
from archive.forms.choosing import LongSelect
from archive.forms.days import day_field
from archive.log_lines import line_of, place_of
from archive.models import AuditEntry, AuditLeaf, KeptLogFilter, Person, Unit
from archive.models.entry import CLASSIFIED, NOT_DONE
from archive.rules import action_words, officehours
from archive.rules.levels import Level
from archive.rules.roles import SEEING, Action
from archive.standing import clearance
from archive.verifier.verify import Tampered
from archive.views.control import bars
from archive.views.control.concerning import Found, about
from archive.views.doors import person_of

PAGE: Final = 50
COUNTED: Final = 1000
SPAN_DAYS: Final = 31  # looked through when a unit or the hours are asked for without a day
LONGEST_SPAN_DAYS: Final = 92
TIMES: Final = [("", _("any time")), ("outside", _("out of hours"))]
LEVELS: Final = [("", _("any level")), *((str(int(level)), level.label) for level in Level)]
OUTCOMES: Final = [("", _("any outcome")), ("ok", _("done")), ("denied", _("refused")), ("error", _("failed"))]
_SEEING: Final = sorted(map(str, SEEING))
Moments = list[tuple[datetime, str]]  # of entries, with their outcome, the newest first


class LogFilter(forms.Form):
    """What the auditor asks: by person, record, act, outcome and time."""

    person = forms.ChoiceField(required=False, label=_("Person"), widget=LongSelect(attrs={"class": "form-select"}))
    record = forms.CharField(
        required=False, max_length=60, label=_("Dispatch"),
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "123/BC-BCH"}),
    )  # fmt: skip
    action = forms.ChoiceField(required=False, label=_("Act"), widget=LongSelect(attrs={"class": "form-select"}))
    unit = forms.ChoiceField(required=False, label=_("Unit"), widget=LongSelect(attrs={"class": "form-select"}))
    level = forms.ChoiceField(
        required=False, choices=LEVELS, label=_("Level then"), widget=forms.Select(attrs={"class": "form-select"})
    )
    hours = forms.ChoiceField(
        required=False, choices=TIMES, label=_("Hours"), widget=forms.Select(attrs={"class": "form-select"})
    )
    outcome = forms.ChoiceField(
        required=False, choices=OUTCOMES, label=_("Outcome"), widget=forms.Select(attrs={"class": "form-select"})
    )
    since = day_field(_("From"), required=False)
    until = day_field(_("To"), required=False)

    def __init__(self, asked: QueryDict, reader: Person) -> None:
        """List people, units, acts by their words, and the filters that the reader keeps."""
        super().__init__(asked)
        names = _names(reader)
        self.kept = sorted(names["kept"], key=lambda one: one.name)
        people = sorted((one.name, one.pk) for one in names["person"])
        units = sorted((one.more, one.name, one.pk) for one in names["unit"])
        self._paths = {str(pk): path for path, _name, pk in units}
        acts = sorted((str(word), str(act)) for act, word in action_words.WORDS.items())
        self._choose("person", _("anybody"), [(str(pk), name) for name, pk in people])
        self._choose("unit", _("all units"), [(str(pk), name) for _path, name, pk in units])
        seen = (action_words.SEEN, action_words.SEEN_WORD)
        self._choose("action", _("any act"), [seen, *((act, word) for word, act in acts)])

    def _choose(self, name: str, empty: Promise | str, choices: list[tuple[str, str | Promise]]) -> None:
        self.fields[name].choices = [("", empty), *choices]  # type: ignore[attr-defined]

    @property
    def asked(self) -> dict[str, Any]:
        """What could be read of the question: a field with a fault narrows nothing, the others still do."""
        self.is_valid()
        return self.cleaned_data

    def found(self) -> Found:
        """Return the entries asked for."""
        asked = self.asked
        found = every = AuditEntry.objects.select_related("leaf", "detail")
        for name in ("action", "outcome", "level"):
            if asked.get(name) and asked[name] != action_words.SEEN:
                found = found.filter(**{name: asked[name]})
        found = _seen(found, asked)
        if asked.get("outcome") not in {None, "", "ok"}:
            found = found.filter(planning.Known(NOT_DONE))
        if asked.get("level") not in {None, "", "0"}:
            found = found.filter(planning.Known(CLASSIFIED))
        if asked.get("unit"):
            found = found.filter(actor__in=_people_below(self._paths[asked["unit"]]))
        since, until = self.span()
        if asked.get("hours") and since and until:
            found = found.filter(_out_of_hours(since, until))
        bounds: dict[str, Any] = {"actor_id": asked["person"]} if asked.get("person") else {}
        if since:
            bounds["ts__gte"] = _start_of(since)
        if until:
            bounds["ts__lt"] = _start_of(until + timedelta(days=1))
        dispatch = about(asked["record"].strip()) if asked.get("record") else None
        return Found(found, is_narrowed=found is not every, about=dispatch, bounds=bounds)

    def span(self) -> tuple[date | None, date | None]:
        """Return the first and last day looked at; unit and hours are looked for in a limited time only."""
        asked = self.asked
        since, until = asked.get("since"), asked.get("until")
        if not (asked.get("unit") or asked.get("hours")):
            return since, until
        until = until or (
            min(timezone.localdate(), since + timedelta(days=SPAN_DAYS)) if since else timezone.localdate()
        )
        since = since or until - timedelta(days=SPAN_DAYS)
        return max(since, until - timedelta(days=LONGEST_SPAN_DAYS)), until

    def in_words(self) -> list[str]:
        """Return what is asked as a person says it, one part after another, the days looked through at the end."""
        asked = self.asked
        said = []
        for name, asks in self.fields.items():
            if asked.get(name) and name not in {"since", "until"}:
                choices: Any = asks.choices if isinstance(asks, forms.ChoiceField) else ()
                shown = dict(choices).get(asked[name], asked[name])
                said.append(f"{asks.label}: {shown}")
        since, until = self.span()
        for label, day in ((_("From"), since), (_("To"), until)):
            if day:
                said.append(f"{label}: {day:%d/%m/%Y}")
        return said

    @property
    def is_narrowed(self) -> bool:
        """Whether less is looked through than the days that were asked for."""
        asked = self.asked
        return self.span() != (asked.get("since"), asked.get("until"))


class _Name(NamedTuple):
    pk: int
    name: str
    more: str  # the path of a unit, what a kept filter asks


def _names(reader: Person) -> dict[str, list[_Name]]:
    """Return the names that the form offers: people, units, the reader's kept filters. One question for all."""
    people = Person.objects.values_list(Value("person"), "pk", "full_name", Value(""))
    units = Unit.objects.order_by().values_list(Value("unit"), "pk", "name", "path")
    kept = KeptLogFilter.objects.filter(person=reader).values_list(Value("kept"), "pk", "name", "asked")
    found: dict[str, list[_Name]] = {"person": [], "unit": [], "kept": []}
    for kind, *row in people.union(units, kept, all=True):
        found[kind].append(_Name(*row))
    return found


def _seen(found: QuerySet[AuditEntry], asked: dict[str, Any]) -> QuerySet[AuditEntry]:
    """Return those by which somebody saw a dispatch or took it out, if that is asked: what was refused is not seen."""
    if asked.get("action") != action_words.SEEN:
        return found
    return found.alias(act=planning.ByItself("action")).filter(act__in=_SEEING, outcome="ok")


def _people_below(path: str) -> list[int]:
    """Return the people of a unit and of all below it, as they are placed today."""
    return list(Person.objects.filter(unit__path__startswith=path).values_list("pk", flat=True))


def _out_of_hours(since: date, until: date) -> planning.InSpans:
    """Return the filter for nights, days of rest and holidays: spans of time, held against the index of the timeline."""
    spans = officehours.closed_spans(since, until, settings.OFFICE_HOURS, officedays.calendar(since, until))
    return planning.InSpans("ts", [(timezone.make_aware(start), timezone.make_aware(end)) for start, end in spans])


def _start_of(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """List entries, newest first, a page at a time by the place of the last one shown."""
    return _list(request, request.GET.copy())


@require_GET
def refused(request: HttpRequest) -> HttpResponse:
    """List refusals."""
    return _list(request, _with(request, outcome="denied"))


@require_GET
def outside(request: HttpRequest) -> HttpResponse:
    """List what was done at night, on days of rest and on holidays."""
    return _list(request, _with(request, hours="outside"))


def _with(request: HttpRequest, **more: str) -> QueryDict:
    asked = request.GET.copy()
    for name, value in more.items():
        asked[name] = value
    return asked


def _list(request: HttpRequest, asked: Any) -> HttpResponse:
    person = person_of(request)
    access.require(person, Action.LOG_READ)
    form = LogFilter(asked, person)
    found = form.found()
    audit.read(Action.LOG_READ, actor=person, filters=kept(asked))
    sequencing.place()
    before = int(asked["before"]) if asked.get("before", "").isdecimal() else None
    newest_place, moment = _places(before)
    newest = found.moments(COUNTED + 1)
    total = len(newest)
    rows = list(_first(found, newest) if before is None else _older(found, newest, before, moment))
    context = {
        "form": form,
        "rows": [line_of(entry, clearance(person, timezone.now())) for entry in rows[:PAGE]],
        "older": place_of(rows[PAGE - 1]) if len(rows) > PAGE else None,
        "total": min(total, COUNTED),
        "more": total > COUNTED,
        "left_out": found.left_out,
        "query": _query(asked),
        "filtered": any(value for name, value in asked.items() if name != "before"),
        "last": newest_place,
        "chart": bars.by_hour(newest[:COUNTED]),
        "head": _signed(),
        "keepable": _keepable(asked),
        "checking": checking(),
    }
    return render(request, "archive/log.html", context)


def _signed() -> dict[str, Any]:
    """Return the newest signed head of this machine: how many entries it stands for, or that its files were changed."""
    try:
        head = publishing.newest()
    except Tampered as fault:
        return {"fault": str(fault)}
    return {"size": head.size, "root": head.root.hex()[:8]} if head else {}


def checking() -> dict[str, Any]:
    """Return what the auditor's pages say of signed files: the public key, the limits, what they leave open."""
    key = logkey.signer().public if logkey.has_key() else "NAME+HASH+KEY"
    return {"key": key, "does_not_prove": selections.does_not_prove(), "most": selections.MOST}


def _keepable(asked: QueryDict) -> str:
    """Return what of the question can be kept under a name: the chosen filters, no place in the list."""
    return urlencode([(name, asked[name]) for name in LogFilter.base_fields if asked.get(name)])


def kept(asked: Any) -> dict[str, str]:
    """Return what was asked as the entry of the look keeps it."""
    return {name: str(value)[:100] for name, value in asked.items() if value}


def _query(asked: Any) -> str:
    rest = asked.copy()
    rest.pop("before", None)
    return str(rest.urlencode())


def _places(index: int | None) -> tuple[int | None, datetime | None]:
    """Return the newest place in the log, and the moment of the entry at a place (None when there is none)."""
    moment = AuditLeaf.objects.filter(idx=-1 if index is None else index).values("entry__ts")[:1]
    newest = AuditLeaf.objects.order_by("-idx").values_list("idx", Subquery(moment)).first()
    return newest or (None, None)


def _first(found: Found, newest: Moments) -> QuerySet[AuditEntry]:
    """Return the first page, by the moments of its lines."""
    return found.at([moment for moment, _outcome in newest[: PAGE + 1]]).newest(PAGE + 1)


def _older(found: Found, newest: Moments, index: int, last: datetime | None) -> QuerySet[AuditEntry]:
    """Return the entries after a line of the list: by their moments where these are known, else by the moment of that line."""
    if last is None:
        return found.within(Q(leaf__idx__lt=index)).newest(PAGE + 1)
    after = found.within(Q(ts__lt=last) | Q(leaf__idx__lt=index), ts__lte=last)
    moments = [moment for moment, _outcome in newest if moment <= last]
    wanted = PAGE + 1 + moments.count(last)  # any of its own moment may stand above it
    if len(moments) >= wanted or len(newest) <= COUNTED:
        after = after.at(moments[:wanted])
    return after.newest(PAGE + 1)


urlpatterns = [
    path("log/", log, name="log"),
    path("log/refused/", refused, name="log-refused"),
    path("log/outside/", outside, name="log-outside"),
]
