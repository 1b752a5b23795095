"""Kept queries: list, keep, forget."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from archive import access, audit
from archive.rules.roles import Action
from archive.views.doors import person_of
from search.entry import Order
from search.models import SavedSearch
from search.query import MAX_CHARS


class SaveForm(forms.Form):
    """A name for a query that is kept."""

    name = forms.CharField(max_length=120)
    q = forms.CharField(max_length=MAX_CHARS)
    order = forms.ChoiceField(choices=[(order.value, order.value) for order in Order], required=False)


@require_GET
def saved(request: HttpRequest) -> HttpResponse:
    """List the kept queries of this person."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    return render(request, "search/saved.html", {"saved": SavedSearch.objects.filter(person=person)})


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a query under a name; the same name is overwritten."""
    person = person_of(request)
    access.require(person, Action.SEARCH_SAVE)
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the query a name of at most 120 characters."))
        return redirect("search:search")
    asked = form.cleaned_data
    with transaction.atomic():
        SavedSearch.objects.update_or_create(
            person=person,
            name=asked["name"],
            defaults={"text": asked["q"], "order": asked["order"] or Order.NEWEST, "created_at": timezone.now()},
        )
        audit.write(
            Action.SEARCH_SAVE, actor=person, subject=person, details={"name": asked["name"], "text": asked["q"]}
        )
    messages.success(request, _("Kept as “%(name)s”.") % {"name": asked["name"]})
    return redirect("search:saved")


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a kept query away."""
    person = person_of(request)
    kept = get_object_or_404(SavedSearch, pk=pk, person=person)
    with transaction.atomic():
        kept.delete()
        audit.write(Action.SEARCH_SAVE, actor=person, subject=person, details={"name": kept.name, "gone": True})
    return redirect("search:saved")
