"""The desk each role starts from: what waits, what is late, what came in.

A person with several roles gets the desk of each.
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from archive import access, audit, restoration
from archive.rules.roles import Action
from archive.standing import standing
from archive.views.desk.desks import DESKS, Desk
from archive.views.doors import person_of

# Until which hour of the day; an office says "trưa" at noon and "chiều" until dusk.
GREETINGS: Final[tuple[tuple[int, Promise], ...]] = (
    (11, _("Good morning, comrade %(name)s")),
    (13, _("Good noon, comrade %(name)s")),
    (18, _("Good afternoon, comrade %(name)s")),
    (24, _("Good evening, comrade %(name)s")),
)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the desk of each of the person's roles."""
    person = person_of(request)
    desks = [DESKS[role](person) for role in sorted(standing(person, timezone.now()).roles)]
    seen = {record.pk: record for desk in desks for record in desk.records}
    audit.read(Action.RECORD_LIST, actor=person, lines=seen.values(), home=True, shown=len(seen))
    context = {
        "desks": desks,
        "links": _links(desks),
        "greeting": _greeting(str(person).split()[-1:]),
        "today": timezone.localdate(),
        "page_level": access.level_of(seen.values()),
    }
    return render(request, "archive/home.html", context)


def _greeting(given_name: list[str]) -> str:
    hour = timezone.localtime().hour
    words = next(words for until, words in GREETINGS if hour < until)
    return str(words) % {"name": "".join(given_name)}


def _links(desks: list[Desk]) -> list[dict[str, Any]]:
    """Return the buttons of all desks, each address once; the last one of the first desk is the primary."""
    primary = desks[0].links[-1] if desks else None
    links = {link.url: link for desk in desks for link in desk.links if link is not primary}
    ordered = [*links.values(), primary] if primary else []
    return [
        {"url": reverse(link.url), "icon": link.icon, "label": link.label, "primary": link is primary,
         "key": link.key if link is primary or link.key == "n" else ""}
        for link in ordered
    ]  # fmt: skip


@require_POST
def restore_seen(request: HttpRequest) -> HttpResponse:
    """Take the banner of a restore down for everybody."""
    restoration.acknowledge(actor=person_of(request))
    return redirect("archive:home")


urlpatterns: list[Any] = [path("", home, name="home"), path("restored/", restore_seen, name="restore-seen")]
