"""Holidays and days worked instead: the list of this year and later, added and taken back by the administrator."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from archive import access, audit
from archive import holidays as acts
from archive.forms.holidays import AddDaysForm, TakeBackForm
from archive.models import Holiday, Person
from archive.rules.roles import Action
from archive.views.control.deeds import Deed, chosen
from archive.views.doors import person_of
from archive.views.proving import recently_proved


@require_http_methods(["GET", "POST"])
@recently_proved
def holidays(request: HttpRequest) -> HttpResponse:
    """Show the days that differ from the week; add some, or take one back."""
    person = person_of(request)
    access.require(person, Action.DAY_READ)
    forms, done = chosen(request, _deeds())
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:holidays")
    today = timezone.localdate()
    rows = list(Holiday.objects.filter(day__gte=today.replace(month=1, day=1)).order_by("day", "pk"))
    audit.read(Action.DAY_READ, actor=person, shown=len(rows))
    context = {"rows": rows, "today": today, "forms": forms}
    return render(request, "archive/holidays.html", context, status=422 if request.method == "POST" else 200)


def _deeds() -> dict[str, Deed]:
    """Return what can be done to the list."""

    def added(form: AddDaysForm, actor: Person) -> list[Holiday]:
        return acts.add(form.days(), actor=actor)

    def taken_back(form: TakeBackForm, actor: Person) -> Holiday:
        return acts.take_back(form.cleaned_data["row"], reason=form.cleaned_data["reason"], actor=actor)

    return {
        "add": Deed(lambda data, ids: AddDaysForm(data, auto_id=ids), added, Action.DAY_ADD),
        "take_back": Deed(lambda data, ids: TakeBackForm(data, auto_id=ids), taken_back, Action.DAY_TAKE_BACK),
    }


urlpatterns = [path("holidays/", holidays, name="holidays")]
