"""The security officer's posts and scopes: who holds what, since when, until when, on what; give, delegate, end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import F, Model, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from archive import access, audit, posting, staffing
from archive.forms.posting import EndForm, GivePostForm, GiveScopeForm
from archive.models import Person, PersonRole, UnitScope
from archive.rules.errors import Hidden
from archive.rules.roles import Action
from archive.views.control.deeds import Deed, chosen
from archive.views.control.paging import page_of
from archive.views.doors import person_of
from archive.views.proving import recently_proved

SOON_DAYS: Final = 30
SHOWN: Final = {
    "all": gettext_lazy("All"),
    "holding": gettext_lazy("With a post"),
    "soon": gettext_lazy("Ending within 30 days"),
    "none": gettext_lazy("Without a post"),
}


@require_http_methods(["GET"])
def posts(request: HttpRequest) -> HttpResponse:
    """List people with their posts and scopes of now."""
    person = person_of(request)
    access.require(person, Action.POST_READ)
    shown = request.GET.get("show", "all")
    shown = shown if shown in SHOWN else "all"
    page = page_of(request, _asked_for(shown), show=shown)
    audit.read(Action.POST_READ, actor=person, list=shown, shown=len(page["rows"]))
    context = page | {"shown": shown, "choices": SHOWN.items(), "now": timezone.now()}
    return render(request, "archive/posts.html", context)


def _not_over() -> Q:
    now = timezone.now()
    return Q(until__isnull=True) | Q(until__gt=now) & Q(until__gt=F("since"))


def _asked_for(shown: str) -> "QuerySet[Person]":
    now = timezone.now()
    live = Prefetch("role_rows", PersonRole.objects.filter(_not_over()).order_by("role", "since"), to_attr="posts_now")
    scopes = UnitScope.objects.filter(_not_over()).select_related("unit").order_by("since")
    rows = Person.objects.filter(is_active=True).select_related("unit").order_by("full_name", "pk")
    rows = rows.prefetch_related(live, Prefetch("scopes", scopes, to_attr="scopes_now"))
    held = PersonRole.objects.filter(_not_over())
    if shown == "soon":
        ending = Q(until__lte=now + timedelta(days=SOON_DAYS))
        over = UnitScope.objects.filter(_not_over(), ending).values("person")
        return rows.filter(Q(pk__in=held.filter(ending).values("person")) | Q(pk__in=over))
    if shown == "holding":
        return rows.filter(pk__in=held.values("person"))
    return rows.exclude(pk__in=held.values("person")) if shown == "none" else rows


@require_http_methods(["GET", "POST"])
@recently_proved
def holder(request: HttpRequest, pk: int) -> HttpResponse:
    """Show every post and scope a person had and has; give one, or end one."""
    actor = person_of(request)
    access.require(actor, Action.POST_READ)
    row = Person.objects.select_related("unit").filter(pk=pk).first()
    if row is None:
        raise Hidden(object_type="person", object_id=str(pk))
    roles = list(row.role_rows.select_related("granted_by", "ended_by", "instead_of").order_by("-since", "-pk"))
    scopes = list(row.scopes.select_related("unit", "granted_by", "ended_by").order_by("-since", "-pk"))
    forms, done = chosen(request, _deeds(row, roles, scopes) if row.pk != actor.pk else {}, about=row)
    if done is not None:
        messages.success(request, _("It is done and stands in the log."))
        return redirect("archive:holder", pk=pk)
    audit.read(Action.POST_READ, actor=actor, subject=row)
    context = {"row": row, "roles": roles, "scopes": scopes, "forms": forms, "now": timezone.now()}
    context |= {"is_own": row.pk == actor.pk, "is_officer": _is_fellow(row, actor)}
    return render(request, "archive/holder.html", context, status=422 if request.method == "POST" else 200)


def _is_fellow(row: Person, actor: Person) -> bool:
    """Return whether the account's password is for this officer to give."""
    return row.is_active and row.pk != actor.pk and staffing.is_given_password_by(actor, row)


def _deeds(row: Person, roles: list[Any], scopes: list[Any]) -> dict[str, Deed]:
    """Return what can be done now."""

    def post(form: GivePostForm, actor: Person) -> Model:
        given = form.cleaned_data
        return posting.give_post(given["role"], term=form.term(), to=row, actor=actor, instead_of=given["instead_of"])

    def scope(form: GiveScopeForm, actor: Person) -> Model:
        return posting.give_scope(form.cleaned_data["unit"], term=form.term(), to=row, actor=actor)

    def ending(end: Callable[..., Model], live: list[Any]) -> Deed:
        by_pk = {each.pk: each for each in live}
        return Deed(
            lambda data, ids: EndForm(data, rows=live, auto_id=ids),
            lambda form, actor: end(
                by_pk[form.cleaned_data["row"]], reason=form.cleaned_data["reason"], until=form.end(), actor=actor
            ),
        )

    now = timezone.now()
    live = [[each for each in rows if not each.until or each.until > max(now, each.since)] for rows in (roles, scopes)]
    deeds: dict[str, Deed] = {}
    if row.is_active:
        deeds["post"] = Deed(lambda data, ids: GivePostForm(data, holder=row, auto_id=ids), post)
        deeds["scope"] = Deed(lambda data, ids: GiveScopeForm(data, auto_id=ids), scope)
    if live[0]:
        deeds["end_post"] = ending(posting.end_post, live[0])
    if live[1]:
        deeds["end_scope"] = ending(posting.end_scope, live[1])
    return deeds


urlpatterns = [
    path("posts/", posts, name="posts"),
    path("posts/<int:pk>/", holder, name="holder"),
]
