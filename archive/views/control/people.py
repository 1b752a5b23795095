"""The administrator's people: who has an account in which unit; make, change, close, reopen one, give a first password.

What a person has in hand is not told here, by number or name: the administrator has no door to a record.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from archive import access, audit, staffing
from archive.forms.staffing import AddPersonForm, ParticularsForm, ReasonForm
from archive.models import Person, SignsInBy
from archive.rules.errors import Hidden
from archive.rules.roles import Action, allows
from archive.standing import standing
from archive.views.control.deeds import Deed, chosen
from archive.views.control.paging import page_of
from archive.views.doors import attempt, heard, person_of
from archive.views.proving import recently_proved

SHOWN: Final = {"open": gettext_lazy("In use"), "closed": gettext_lazy("Closed accounts"), "all": gettext_lazy("All")}


@require_http_methods(["GET", "POST"])
@recently_proved
def people(request: HttpRequest) -> HttpResponse:
    """List accounts, and make one."""
    person = person_of(request)
    access.require(person, Action.PERSON_READ)
    form = AddPersonForm(request.POST or None)
    if request.method == "POST" and heard(request, form):
        made = attempt(request, form, lambda: staffing.add(form.newcomer(), actor=person))
        if made is not None:
            return _told(request, *made)
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    rows = Person.objects.select_related("unit").order_by("full_name", "pk")
    rows = rows if shown == "all" else rows.filter(is_active=shown == "open")
    page = page_of(request, rows, show=shown)
    audit.read(Action.PERSON_READ, actor=person, list=shown, shown=len(page["rows"]))
    context = page | {"form": form, "shown": shown, "choices": SHOWN.items()}
    return render(request, "archive/people.html", context, status=422 if form.is_bound else 200)


def _told(request: HttpRequest, person: Person, password: str) -> HttpResponse:
    """Show a first password once, on the answer of the act itself: it is kept nowhere."""
    if not password:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:person", pk=person.pk)
    return render(request, "archive/person_password.html", {"row": person, "password": password})


@require_http_methods(["GET", "POST"])
@recently_proved
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one account, and do one thing to it."""
    actor = person_of(request)
    stands = standing(actor, timezone.now()).roles
    access.require(actor, Action.FIRST_PASSWORD)
    row = Person.objects.select_related("unit").filter(pk=pk).first()
    if row is None:
        raise Hidden(object_type="person", object_id=str(pk))
    deeds = _deeds(row)
    if not staffing.is_given_password_by(actor, row):
        deeds.pop("password", None)
    forms, done = chosen(request, deeds, about=row)
    if done is not None:
        return _told(request, row, done[0] if isinstance(done[0], str) else "")
    audit.read(Action.PERSON_READ, actor=actor, subject=row)
    context = {
        "row": row,
        "forms": forms,
        "is_own": row.pk == actor.pk,
        "may_list": allows(stands, Action.PERSON_READ),
    }
    return render(request, "archive/person.html", context, status=422 if request.method == "POST" else 200)


def _deeds(row: Person) -> dict[str, Deed]:
    """Return what can be done to an account as it stands."""

    def reason(data: Any, ids: str) -> ReasonForm:
        return ReasonForm(data, auto_id=ids)

    def changed(form: ParticularsForm, actor: Person) -> object:
        return staffing.change(row, form.particulars(), reason=form.cleaned_data["reason"], actor=actor)

    def with_reason(act: Callable[..., object]) -> Callable[..., object]:
        return lambda form, actor: act(row, reason=form.cleaned_data["reason"], actor=actor)

    if not row.is_active:
        return {"reopen": Deed(reason, with_reason(staffing.reopen), Action.PERSON_REOPEN)}
    deeds = {
        "change": Deed(lambda data, ids: ParticularsForm(data, person=row, auto_id=ids), changed, Action.PERSON_CHANGE),
        "close": Deed(reason, with_reason(staffing.close), Action.PERSON_CLOSE),
    }
    if row.signs_in_by == SignsInBy.PASSWORD and not row.is_service:
        deeds["password"] = Deed(reason, with_reason(staffing.first_password), Action.FIRST_PASSWORD)
    return deeds


urlpatterns = [
    path("people/", people, name="people"),
    path("people/<int:pk>/", person, name="person"),
]
