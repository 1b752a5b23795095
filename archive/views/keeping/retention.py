"""Due list with its explanation, holds."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit, dossiers, retention
from archive.forms.keeping import HoldForm
from archive.forms.register import ReasonForm
from archive.rules.roles import Action
from archive.views.doors import attempt, heard, person_of

HORIZON_YEARS = (0, 1, 5, 20, 70)
ROWS = 50
LONGEST = 6  # digits of a page number


@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """List what comes up for disposal or hand-over, each with its explanation."""
    person = person_of(request)
    wanted = request.GET.get("years", "1")
    years = int(wanted) if wanted.isdecimal() and int(wanted) in HORIZON_YEARS else 1
    today = timezone.localdate()
    asked = request.GET.get("page", "1")
    page = max(int(asked), 1) if asked.isdecimal() and len(asked) < LONGEST else 1
    first = (page - 1) * ROWS
    found = retention.due_list(person, until=date(today.year + years, 12, 31), offset=first, limit=ROWS + 1)
    lines = found[:ROWS]
    due_ones = [line.dossier for line in lines]
    audit.read(Action.DUE_READ, actor=person, lines=due_ones, years=years, page=page, shown=len(lines))
    context = {
        "lines": [{"line": line, "is_due": line.outcome.is_due(today)} for line in lines],
        "years": years,
        "horizons": HORIZON_YEARS,
        "today": today,
        "first": first + 1,
        "last": first + len(lines),
        "newer_url": f"?years={years}&page={page - 1}" if page > 1 else "",
        "older_url": f"?years={years}&page={page + 1}" if len(found) > ROWS else "",
        "page_level": access.level_of(due_ones),
    }
    return render(request, "archive/due.html", context)


@require_http_methods(["GET", "POST"])
def holds(request: HttpRequest) -> HttpResponse:
    """List holds, and place one."""
    person = person_of(request)
    access.require(person, Action.HOLD_READ)
    form = HoldForm(request.POST or None, person=person, initial=_asked(request))
    if request.method == "POST" and heard(request, form):
        given = form.cleaned_data
        order = retention.Order(given["name"], given["reason"], given["mandate"])
        if attempt(request, form, lambda: retention.place_hold(order, on=given["dossiers"], actor=person)):
            messages.success(request, _("The hold is in force: nothing it covers is due until it is lifted."))
            return redirect("archive:holds")
    told = retention.told_to(person)
    items = [item.dossier or item.record for hold in told for item in hold.items.all()]
    covered = [one for one in items if one]
    level = max(access.level_of(covered), form.page_level)
    audit.read(Action.HOLD_READ, actor=person, lines=covered, level=level, shown=len(told))
    context = {"holds": told, "form": form, "page_level": level}
    return render(request, "archive/holds.html", context, status=422 if form.is_bound else 200)


def _asked(request: HttpRequest) -> dict[str, list[int]]:
    """Return the dossier a link asks to hold, if this person may see it."""
    key = request.GET.get("dossier", "")
    if not key:
        return {}
    found = dossiers.visible_dossiers(person_of(request)).filter(key=key).values_list("pk", flat=True)
    return {"dossiers": list(found)}


@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a hold, with a reason."""
    person = person_of(request)
    hold = retention.open_hold(person, Action.HOLD_LIFT, pk)
    form = ReasonForm(request.POST)
    if heard(request, form):
        reason = form.cleaned_data["reason"]
        if attempt(request, form, lambda: retention.lift_hold(hold, reason=reason, actor=person)):
            messages.success(request, _("The hold is lifted; it stays in the list with both reasons."))
    for sentence in (each for errors in form.errors.values() for each in errors):
        messages.error(request, str(sentence))
    return redirect("archive:holds")


urlpatterns = [
    path("due/", due, name="due"),
    path("holds/", holds, name="holds"),
    path("holds/<int:pk>/lift/", lift, name="hold-lift"),
]
