"""The tree of units: made, renamed, closed and reopened by the administrator, put under another by the security officer."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from archive import access, audit
from archive import units as acts
from archive.forms.staffing import AddUnitForm, MoveUnitForm, ReasonForm, RenameUnitForm
from archive.models import Person, Unit
from archive.rules.errors import Forbidden, Hidden
from archive.rules.roles import Action, allows
from archive.standing import standing
from archive.views.control.deeds import Deed, chosen
from archive.views.doors import attempt, heard, person_of
from archive.views.proving import recently_proved

READERS: Final = (Action.PERSON_READ, Action.POST_READ)


def _may_read(person: Person) -> frozenset[Any]:
    """Return the posts of somebody who may look at units, or refuse."""
    roles = standing(person, timezone.now()).roles
    if not any(allows(roles, action) for action in READERS):
        raise Forbidden(reason=access.may(person, Action.PERSON_READ).reason)
    return roles


@require_http_methods(["GET", "POST"])
@recently_proved
def units(request: HttpRequest) -> HttpResponse:
    """Show the tree, and make a unit."""
    person = person_of(request)
    roles = _may_read(person)
    form = AddUnitForm(request.POST or None) if allows(roles, Action.UNIT_ADD) else None
    if request.method == "POST" and form is None:
        access.require(person, Action.UNIT_ADD)
    if form is not None and request.method == "POST" and heard(request, form):
        under = form.cleaned_data["under"]
        if attempt(request, form, lambda: acts.add(form.called(), under=under, actor=person)):
            messages.success(request, _("The unit is made and stands in the log."))
            return redirect("archive:units")
    at_work = Count("people", filter=Q(people__is_active=True))
    rows = [
        {"unit": row, "set_in": "\u2003" * (row.path.count("/") - 2)}
        for row in Unit.objects.annotate(at_work=at_work).order_by("path")
    ]
    audit.read(Action.PERSON_READ, actor=person, list="units", shown=len(rows))
    context = {"rows": rows, "form": form}
    return render(request, "archive/units.html", context, status=422 if form is not None and form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@recently_proved
def unit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one unit with its people and the units below it, and do one thing to it."""
    person = person_of(request)
    roles = _may_read(person)
    row = Unit.objects.select_related("parent").filter(pk=pk).first()
    if row is None:
        raise Hidden(object_type="unit", object_id=str(pk))
    forms, done = chosen(request, _deeds(row), about=row)
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:unit", pk=pk)
    audit.read(Action.PERSON_READ, actor=person, subject=row)
    context = {
        "row": row,
        "forms": forms,
        "members": row.people.filter(is_active=True).order_by("full_name"),
        "below": row.children.order_by("path"),
        "may_open_people": allows(roles, Action.PERSON_READ),
    }
    return render(request, "archive/unit.html", context, status=422 if request.method == "POST" else 200)


def _deeds(row: Unit) -> dict[str, Deed]:
    """Return what can be done to a unit as it stands."""

    def reason(data: Any, ids: str) -> ReasonForm:
        return ReasonForm(data, auto_id=ids)

    def renamed(form: RenameUnitForm, actor: Person) -> Unit:
        return acts.rename(row, form.called(), reason=form.cleaned_data["reason"], actor=actor)

    def moved(form: MoveUnitForm, actor: Person) -> Unit:
        return acts.move(row, under=form.cleaned_data["under"], reason=form.cleaned_data["reason"], actor=actor)

    def with_reason(act: Callable[..., Unit]) -> Callable[..., Unit]:
        return lambda form, actor: act(row, reason=form.cleaned_data["reason"], actor=actor)

    if not row.is_active:
        return {"reopen": Deed(reason, with_reason(acts.reopen), Action.UNIT_REOPEN)}
    return {
        "rename": Deed(lambda data, ids: RenameUnitForm(data, unit=row, auto_id=ids), renamed, Action.UNIT_CHANGE),
        "move": Deed(lambda data, ids: MoveUnitForm(data, auto_id=ids), moved, Action.UNIT_MOVE),
        "close": Deed(reason, with_reason(acts.close), Action.UNIT_CLOSE),
    }


urlpatterns = [
    path("units/", units, name="units"),
    path("units/<int:pk>/", unit, name="unit"),
]
