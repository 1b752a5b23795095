"""Who may know of one dispatch: open it to a person, withdraw that, and ask why somebody may or may not."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import access, audit, explaining
from archive.forms.clearing import GrantForm, RevokeForm, WhyForm, end_of
from archive.leveling import words
from archive.models import Grant
from archive.rules.errors import Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.views.doors import attempt, heard, person_of
from archive.views.proving import recently_proved


@require_http_methods(["GET", "POST"])
@recently_proved
def grants(request: HttpRequest, key: str) -> HttpResponse:
    """List to whom a dispatch was opened by name, and open it to one more."""
    person = person_of(request)
    record = access.open_record(person, Action.GRANT, key)
    form = GrantForm(request.POST or None, actor=person)
    if request.method == "POST" and heard(request, form):
        given = form.cleaned_data
        until = end_of(given["until"])
        wanted = {"to": given["person"], "until": until, "reason": given["reason"]}
        if attempt(request, form, lambda: access.grant(record, actor=person, **wanted)):
            messages.success(request, _("%(person)s may open this dispatch now.") % {"person": given["person"]})
            return redirect("archive:grants", key)
    audit.read(Action.RECORD_WHY, actor=person, subject=record, list="grants")
    given_to = Grant.objects.filter(record=record).select_related("person__unit", "granted_by")
    rows = list(given_to.order_by("-since", "-pk"))
    words.hush(person, rows, words.OF_GRANT)
    now = timezone.now()
    context = {
        "record": record,
        "rows": [(row, row.ended_at is None and row.until > now) for row in rows],
        "form": form,
        "now": now,
        "page_level": Level(record.level),
    }
    return render(request, "archive/grants.html", context, status=422 if form.is_bound else 200)


@require_POST
def grant_end(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Withdraw an opening."""
    person = person_of(request)
    record = access.open_record(person, Action.GRANT_END, key)
    given = Grant.objects.filter(pk=pk, record=record).first()
    if given is None:
        raise Hidden(object_type="grant", object_id=str(pk))
    form = RevokeForm(request.POST)
    if heard(request, form):
        access.end_grant(given, actor=person, reason=form.cleaned_data["reason"])
        messages.success(request, _("It is closed to %(person)s again.") % {"person": given.person})
    else:
        messages.error(request, _("Say why it is withdrawn."))
    return redirect("archive:grants", key)


@require_GET
def why(request: HttpRequest, key: str) -> HttpResponse:
    """Say why a person may see a dispatch or may not, now or on a past day; asking is logged."""
    person = person_of(request)
    record = access.open_record(person, Action.RECORD_WHY, key)
    form = WhyForm(request.GET if "person" in request.GET else None)
    context = {"record": record, "form": form, "page_level": Level(record.level)}
    if heard(request, form):
        about, at = form.cleaned_data["person"], form.moment()
        on = form.cleaned_data["on"]
        audit.read(Action.RECORD_WHY, actor=person, subject=record, to=about.full_name, on=on.isoformat() if on else "")
        context |= {"about": about, "answer": explaining.why(about, record, at=at, reader=person)}
    else:
        audit.read(Action.RECORD_WHY, actor=person, subject=record)
    return render(request, "archive/why.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("records/<str:key>/grants/", grants, name="grants"),
    path("records/<str:key>/grants/<int:pk>/end/", grant_end, name="grant-end"),
    path("records/<str:key>/why/", why, name="why"),
]
