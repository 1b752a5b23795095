"""The file plan of a year and the retention periods: read, and changed line by line, by the archivist."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from archive import access, audit, outline, withdrawing
from archive import fileplan as acts
from archive.forms.plan import (
    AddLineForm,
    AddPeriodForm,
    BeginYearForm,
    ChangePeriodForm,
    ClosePeriodForm,
    RenameLineForm,
)
from archive.forms.staffing import ReasonForm
from archive.models import Person, RecordClass, RetentionRule
from archive.rules.errors import Hidden
from archive.rules.roles import Action
from archive.views.control.deeds import Deed, chosen
from archive.views.doors import person_of
from archive.views.proving import recently_proved

LONGEST = 5  # figures of a year


@require_http_methods(["GET", "POST"])
@recently_proved
def plan(request: HttpRequest) -> HttpResponse:
    """Show the plan of a year and the periods with their sources; add a line, or a period."""
    person = person_of(request)
    access.require(person, Action.PLAN_READ)
    year = _year(request)
    known = set(RecordClass.objects.order_by().values_list("year", flat=True).distinct())
    forms, done = chosen(request, _adding(year, begins=year not in known and year - 1 in known))
    if done is not None:
        messages.success(request, _("It is added and stands in the log."))
        return redirect(f"{reverse('archive:retention')}?year={year}")
    audit.read(Action.PLAN_READ, actor=person, year=year)
    today, rules = timezone.localdate(), list(RetentionRule.objects.all())
    last = {rule.code: rule for rule in sorted(rules, key=lambda rule: not rule.is_withdrawn)}
    live = last | {rule.code: rule for rule in rules if _is_in_force(rule)}
    lines = outline.as_printed(RecordClass.objects.filter(year=year).select_related("rule"))
    context = {
        "year": year,
        "years": sorted(known | {today.year, today.year + 1}),
        "rows": [{"line": row, "rule": row.rule and live[row.rule.code]} for row in lines],
        "rules": [{"rule": rule, "is_live": _is_in_force(rule)} for rule in live.values()],
        "today": today,
        "forms": forms,
    }
    return render(request, "archive/plan.html", context, status=422 if request.method == "POST" else 200)


def _year(request: HttpRequest) -> int:
    asked = request.GET.get("year", "")
    known = asked.isascii() and asked.isdecimal() and 1900 < int(asked[:LONGEST]) < 2200  # noqa: PLR2004 - years of our time
    return int(asked) if known else timezone.localdate().year


def _is_in_force(rule: RetentionRule) -> bool:
    today = timezone.localdate()
    return rule.valid_from <= today and (rule.valid_to is None or rule.valid_to >= today)


def _adding(year: int, *, begins: bool) -> dict[str, Deed]:
    """Return what can be added: a line, or all those of the year before, to a plan that is open to changes; and a period."""

    def line(form: AddLineForm, actor: Person) -> RecordClass:
        return acts.add_line(form.line(), basis=form.cleaned_data["basis"], actor=actor)

    def begun(form: BeginYearForm, actor: Person) -> list[RecordClass]:
        return acts.begin_year(year, basis=form.cleaned_data["basis"], actor=actor)

    def period(form: AddPeriodForm, actor: Person) -> RetentionRule:
        return acts.add_period(form.cleaned_data["code"], form.period(), actor=actor)

    deeds = {"period": Deed(lambda data, ids: AddPeriodForm(data, auto_id=ids), period, Action.PERIOD_ADD)}
    if acts.is_open_to_change(year):
        deeds["line"] = Deed(lambda data, ids: AddLineForm(data, year=year, auto_id=ids), line, Action.PLAN_ADD)
        if begins:
            deeds["begin"] = Deed(lambda data, ids: BeginYearForm(data, auto_id=ids), begun, Action.PLAN_BEGIN)
    return deeds


@require_http_methods(["GET", "POST"])
@recently_proved
def line(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one line of the plan with what stands under it; rename or close it."""
    person = person_of(request)
    access.require(person, Action.PLAN_READ)
    row = RecordClass.objects.select_related("parent", "rule").filter(pk=pk).first()
    if row is None:
        raise Hidden(object_type="recordclass", object_id=str(pk))
    forms, done = chosen(request, _of_line(row), about=row)
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:plan-line", pk=pk)
    audit.read(Action.PLAN_READ, actor=person, subject=row)
    context = {
        "row": row,
        "rule": row.rule and acts.in_force(row.rule, timezone.localdate()),
        "below": row.children.order_by("code"),
        "forms": forms,
        "is_past": not acts.is_open_to_change(row.year),
    }
    return render(request, "archive/plan_line.html", context, status=422 if request.method == "POST" else 200)


def _of_line(row: RecordClass) -> dict[str, Deed]:
    """Return what can be done to a line as it stands."""

    def renamed(form: RenameLineForm, actor: Person) -> RecordClass:
        return acts.rename_line(row, **form.cleaned_data, actor=actor)

    def closed(form: ReasonForm, actor: Person) -> RecordClass:
        return acts.close_line(row, reason=form.cleaned_data["reason"], actor=actor)

    if row.closed_on is not None or not acts.is_open_to_change(row.year):
        return {}
    return {
        "rename": Deed(lambda data, ids: RenameLineForm(data, row=row, auto_id=ids), renamed, Action.PLAN_CHANGE),
        "close": Deed(lambda data, ids: ReasonForm(data, auto_id=ids), closed, Action.PLAN_CLOSE),
    }


@require_http_methods(["GET", "POST"])
@recently_proved
def period(request: HttpRequest, pk: int) -> HttpResponse:
    """Show every version of a retention period and the lines that rest on it; change it from a day on, or end it."""
    person = person_of(request)
    access.require(person, Action.PLAN_READ)
    asked = RetentionRule.objects.filter(pk=pk).first()
    if asked is None:
        raise Hidden(object_type="retentionrule", object_id=str(pk))
    versions = list(RetentionRule.objects.filter(code=asked.code).order_by("-valid_from", "-pk"))
    last = next((rule for rule in versions if not rule.is_withdrawn), versions[0])
    forms, done = chosen(request, _of_period(last), about=last)
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:plan-period", pk=pk)
    audit.read(Action.PLAN_READ, actor=person, subject=last)
    context: dict[str, Any] = {
        "row": last,
        "versions": [{"rule": rule, "is_live": _is_in_force(rule)} for rule in versions],
        "lines": acts.resting_on(last),
        "today": timezone.localdate(),
        "forms": forms,
    }
    return render(request, "archive/plan_period.html", context, status=422 if request.method == "POST" else 200)


def _of_period(last: RetentionRule) -> dict[str, Deed]:
    """Return what can be done to the last version of a period."""

    def changed(form: ChangePeriodForm, actor: Person) -> RetentionRule:
        return acts.change_period(last, form.period(), actor=actor)

    def closed(form: ClosePeriodForm, actor: Person) -> RetentionRule:
        return acts.close_period(last, **form.cleaned_data, actor=actor)

    def withdrawn(form: ReasonForm, actor: Person) -> RetentionRule:
        return withdrawing.of_retention(last, reason=form.cleaned_data["reason"], actor=actor)

    if last.is_withdrawn:
        return {}
    change = Deed(lambda data, ids: ChangePeriodForm(data, rule=last, auto_id=ids), changed, Action.PERIOD_CHANGE)
    deeds = {"change": change}
    if last.valid_from > timezone.localdate():
        deeds["withdraw"] = Deed(lambda data, ids: ReasonForm(data, auto_id=ids), withdrawn, Action.PERIOD_WITHDRAW)
    if last.valid_to is None:
        deeds["close"] = Deed(lambda data, ids: ClosePeriodForm(data, auto_id=ids), closed, Action.PERIOD_CLOSE)
    return deeds


urlpatterns = [
    path("plan/", plan, name="retention"),
    path("plan/<int:pk>/", line, name="plan-line"),
    path("plan/periods/<int:pk>/", period, name="plan-period"),
]
