"""The registers of all units for the administrator: opened, renamed, closed, reopened. No number and no line of one is shown."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from archive import access, audit
from archive.forms.shelving import OpenForm, RenameForm
from archive.forms.staffing import ReasonForm
from archive.models import PaperCheck, Person, Register
from archive.registers import shelving
from archive.rules.errors import Hidden
from archive.rules.roles import Action
from archive.views.control.deeds import Deed, chosen
from archive.views.doors import person_of
from archive.views.proving import recently_proved

_OPEN_ONCE_PAPER_SPOKE: Final = gettext_lazy(
    "The register stands in the log. This archive was restored, so it takes no dispatch until a clerk of its unit has said "
    "the last number on paper, 0 if there is none."
)


@require_http_methods(["GET", "POST"])
@recently_proved
def shelves(request: HttpRequest) -> HttpResponse:
    """List the registers by unit, and open one."""
    person = person_of(request)
    access.require(person, Action.BOOK_READ)

    def opened(form: OpenForm, actor: Person) -> Register:
        return shelving.begin(form.new(), reason=form.cleaned_data["reason"], actor=actor)

    deeds = {"open": Deed(lambda data, ids: OpenForm(data, auto_id=ids), opened, Action.BOOK_OPEN)}
    asks_paper = bool(shelving.years_to_ask())
    forms, done = chosen(request, deeds)
    if done is not None:
        messages.success(
            request, _OPEN_ONCE_PAPER_SPOKE if asks_paper else _("The register is open and stands in the log.")
        )
        return redirect("archive:shelves")
    rows = list(Register.objects.select_related("unit").order_by("-is_open", "unit__path", "kind", "pk"))
    audit.read(Action.BOOK_READ, actor=person, shown=len(rows))
    context = {"rows": rows, "forms": forms, "asks_paper": asks_paper}
    return render(request, "archive/shelves.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "POST"])
@recently_proved
def shelf(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one register without its numbers, and do one thing to it."""
    person = person_of(request)
    access.require(person, Action.BOOK_READ)
    row = Register.objects.select_related("unit").filter(pk=pk).first()
    if row is None:
        raise Hidden(object_type="register", object_id=str(pk))
    forms, done = chosen(request, _deeds(row), about=row)
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:shelf", pk=pk)
    audit.read(Action.BOOK_READ, actor=person, subject=row)
    context = {"row": row, "forms": forms, "asks_paper": _waits(row)}
    return render(request, "archive/shelf.html", context, status=422 if request.method == "POST" else 200)


def _waits(row: Register) -> bool:
    """Return whether a register takes nothing before paper was asked, or will when it is reopened."""
    return (not row.is_open and bool(shelving.years_to_ask(row))) or PaperCheck.objects.filter(
        register=row, confirmed_at__isnull=True
    ).exists()


def _deeds(row: Register) -> dict[str, Deed]:
    """Return what can be done to a register as it stands."""

    def with_reason(act: Callable[..., Register]) -> Callable[..., Register]:
        return lambda form, actor: act(row, **form.cleaned_data, actor=actor)

    def reason(data: Any, ids: str) -> ReasonForm:
        return ReasonForm(data, auto_id=ids)

    if not row.is_open:
        return {"reopen": Deed(reason, with_reason(shelving.reopen), Action.BOOK_REOPEN)}
    rename = Deed(
        lambda data, ids: RenameForm(data, register=row, auto_id=ids), with_reason(shelving.rename), Action.BOOK_RENAME
    )
    return {"rename": rename, "close": Deed(reason, with_reason(shelving.close), Action.BOOK_CLOSE)}


urlpatterns = [
    path("shelves/", shelves, name="shelves"),
    path("shelves/<int:pk>/", shelf, name="shelf"),
]
