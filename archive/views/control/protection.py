"""Protection periods: how long each level protects, since when and by which text; a new one from a day on."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from archive import access, audit, withdrawing
from archive.forms.protection import AddTermForm, WithdrawForm, to_come
from archive.leveling import periods
from archive.models import Person, ProtectionPeriod
from archive.rules.levels import Level
from archive.rules.protection import period_on
from archive.rules.roles import Action
from archive.views.control.deeds import Deed, chosen
from archive.views.doors import person_of
from archive.views.proving import recently_proved


@require_http_methods(["GET", "POST"])
@recently_proved
def protection(request: HttpRequest) -> HttpResponse:
    """Show the periods of every level; add one, or withdraw one whose day has not come."""
    person = person_of(request)
    access.require(person, Action.PROTECTION_READ)
    forms, done = chosen(request, _deeds())
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:protection")
    today = timezone.localdate()
    rows = list(_rows(today))
    audit.read(Action.PROTECTION_READ, actor=person, shown=len(rows))
    context = {"rows": rows, "today": today, "forms": forms}
    return render(request, "archive/protection.html", context, status=422 if request.method == "POST" else 200)


def _deeds() -> dict[str, Deed]:
    def added(form: AddTermForm, actor: Person) -> ProtectionPeriod:
        return periods.add(form.term(), actor=actor)

    def withdrawn(form: WithdrawForm, actor: Person) -> ProtectionPeriod:
        return withdrawing.of_protection(form.cleaned_data["period"], reason=form.cleaned_data["reason"], actor=actor)

    deeds = {"add": Deed(lambda data, ids: AddTermForm(data, auto_id=ids), added, Action.PROTECTION_ADD)}
    if to_come().exists():
        deeds["withdraw"] = Deed(
            lambda data, ids: WithdrawForm(data, auto_id=ids), withdrawn, Action.PROTECTION_WITHDRAW
        )
    return deeds


def _rows(today: date) -> Iterator[dict[str, Any]]:
    """Yield the periods of each level, the highest first and the newest first, each with its last day."""
    found = list(ProtectionPeriod.objects.order_by("-level", "-valid_from"))
    later: ProtectionPeriod | None = None
    for row in found:
        if row.is_withdrawn:
            yield {"period": row, "until": None, "is_live": False}
            continue
        until = row.valid_to
        if later is not None and later.level == row.level:
            until = until or later.valid_from - timedelta(days=1)
        yield {"period": row, "until": until, "is_live": period_on(found, Level(row.level), today) == row}
        later = row


urlpatterns = [path("protection/", protection, name="protection")]
