"""What every page shows around its content: office, rail by role, person, site profile.

Counts in the rail count only what this person may see, are asked only by pages that draw
the rail, and are at most three. Facts of intake and search are not known here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from archive import office, restoration
from archive.models import Person
from archive.routing import lists
from archive.routing.lists import Glance
from archive.rules.roles import Action, Role, allows
from archive.standing import is_withheld, standing, was_restored

COUNTED: Final = 3  # counts on one page, all in one query


def _late(glance: Glance) -> bool:
    return bool(glance.pressing)


def _any(glance: Glance) -> bool:
    return bool(glance.total)


def _never(_glance: Glance) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the rail; `tab` puts it among the four of the phone's bar."""

    name: str  # name of the address
    icon: str
    label: str | Promise
    tab: bool = False
    count: str = ""  # the list of `archive.routing.lists` that lies behind it
    attention: Callable[[Glance], bool] = _late  # whether its count is drawn in brass


DESK = Item("archive:home", "home", _("Desk"), tab=True)
SEARCH = Item("search:search", "search", _("Search"), tab=True)
DOSSIERS = Item("archive:dossiers", "folders", _("Dossiers"))
REGISTERS = Item("archive:registers", "book", _("Registers"))
SAVED = Item("search:saved", "bookmark", _("Saved queries"))
LEVELS = Item("archive:levels", "clock-shield", _("Secrecy levels"))
MINE = Item("archive:work", "checklist", _("My work"), tab=True, count="mine")
UNIT = Item("archive:work-unit", "users", _("Work of my unit"), tab=True, count="of_unit")

SESSIONS = Item("archive:sessions", "device-desktop", _("Open sessions"))
UNITS = Item("archive:units", "sitemap", _("Units"), tab=True)
CODES = Item("archive:code-reset", "key", _("Lost authenticators"))
RAIL: dict[Role, list[tuple[str | Promise, list[Item]]]] = {
    Role.CLERK: [
        ("", [DESK]),
        (
            _("Dispatches"),
            [
                Item("ingest:desk", "scan", _("Intake, scanning"), tab=True),
                Item("archive:register", "clipboard-text", _("Register"), tab=True, count="drafts", attention=_any),
                REGISTERS,
                LEVELS,
            ],
        ),
        (_("Find"), [SEARCH, DOSSIERS, SAVED]),
        (_("Mine"), [Item("archive:work", "checklist", _("My work"), count="to_forward", attention=_never)]),
    ],
    Role.LEADER: [
        ("", [DESK]),
        (
            _("To direct"),
            [
                Item("archive:work", "writing-sign", _("Read and direct"), tab=True, count="to_direct", attention=_any),
                Item("archive:work-unit", "eye-check", _("Follow up"), tab=True, count="of_unit"),
                LEVELS,
            ],
        ),
        (_("Find"), [SEARCH, DOSSIERS, REGISTERS, SAVED]),
    ],
    Role.STAFF: [
        ("", [DESK]),
        (_("Work"), [MINE, UNIT]),
        (_("Find"), [SEARCH, Item("archive:dossiers", "folders", _("Dossiers of my unit")), SAVED]),
    ],
    Role.ARCHIVIST: [
        ("", [DESK]),
        (
            _("Keeping"),
            [
                Item("archive:dossiers", "folders", _("Dossiers"), tab=True),
                Item("archive:due", "hourglass", _("Due list"), tab=True),
                Item("archive:holds", "lock-pause", _("Holds")),
                Item("archive:retention", "list-tree", _("File plan and retention")),
                LEVELS,
            ],
        ),
        (_("Find"), [SEARCH, REGISTERS, SAVED]),
    ],
    Role.AUDITOR: [
        ("", [DESK]),
        (
            _("Log"),
            [
                Item("archive:log", "list-search", _("Log"), tab=True),
                Item("archive:log-who", "eye-search", _("Who saw it?"), tab=True),
                Item("archive:log-seen", "user-search", _("Who saw what?")),
                Item("archive:log-refused", "ban", _("Refused"), tab=True),
                Item("archive:log-outside", "moon", _("Out of hours")),
                Item("archive:log-unusual", "chart-dots", _("What stands out")),
            ],
        ),
    ],
    Role.SECURITY: [
        ("", [DESK]),
        (
            _("Security"),
            [
                Item("archive:clearances", "shield", _("Clearances"), tab=True),
                Item("archive:posts", "id-badge-2", _("Posts and scopes"), tab=True),
                Item("archive:protection", "clock-shield", _("Protection periods")),
                UNITS,
                SESSIONS,
                CODES,
            ],
        ),
    ],
    Role.ADMIN: [
        ("", [DESK]),
        (
            _("Office"),
            [
                Item("archive:people", "users", _("People"), tab=True),
                UNITS,
                Item("archive:shelves", "books", _("Registers of the units")),
                Item("archive:holidays", "calendar-event", _("Holidays")),
            ],
        ),
        (_("Machine"), [Item("config:status", "server", _("Status"), tab=True), SESSIONS, CODES]),
    ],
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the shell (context processor)."""
    ceiling = settings.SITE_MAX_LEVEL
    context: dict[str, Any] = {
        "office": office.shown(),
        "site": {"profile": settings.PROFILE, "ceiling": ceiling, "evaluation": settings.PROFILE == "evaluation"},
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return context
    stands = standing(user, timezone.now())
    return context | {
        "person": user,
        "person_roles": [role.label for role in sorted(stands.roles)],
        "person_clearance": stands.level,
        "is_withheld": is_withheld(user, timezone.now()),
        "roles": stands.roles,
        "search_closed": not allows(stands.roles, Action.SEARCH_RUN),
        # Asked for by the page that draws it: a part of a page, sent by htmx, costs no count.
        "rail": SimpleLazyObject(lambda: rail(request, stands.roles)),
        "restored": SimpleLazyObject(lambda: restored(user, stands.roles)),
    }


def restored(person: Person, roles: frozenset[Role]) -> dict[str, Any]:
    """Return what the banner after a restore says, until an administrator has acknowledged it."""
    found = restoration.banner() if was_restored(person, timezone.now()) else None
    if found is None:
        return {"happened": False}
    return {
        "happened": True,
        "taken_at": found.taken_at,
        "restored_at": found.restored_at,
        "lost": found.lost,
        "may_acknowledge": allows(roles, Action.RESTORE_SEEN),
    }


def rail(request: HttpRequest, roles: frozenset[Role]) -> list[dict[str, Any]]:
    """Return the groups of the rail for these roles; an address stands once."""
    seen: set[str] = set()
    groups: list[dict[str, Any]] = []
    for role in sorted(roles):
        for label, items in RAIL[role]:
            fresh = [item for item in items if item.name not in seen]
            seen.update(item.name for item in fresh)
            if fresh:
                groups.append({"label": label, "items": [_line(item) for item in fresh]})
    lines = [line for group in groups for line in group["items"]]
    _mark_here(lines, request.path)
    _count(lines, request)
    return groups


def _line(item: Item) -> dict[str, Any]:
    return {"url": reverse(item.name), "icon": item.icon, "label": item.label, "tab": item.tab, "list": item.count,
            "presses": item.attention}  # fmt: skip


def _mark_here(lines: list[dict[str, Any]], path: str) -> None:
    """Mark the line under whose address this page lies: the longest one that fits."""
    fitting = [line for line in lines if path == line["url"] or (line["url"] != "/" and path.startswith(line["url"]))]
    here = max(fitting, key=lambda line: len(line["url"]), default=None)
    for line in lines:
        line["active"] = line is here


def _count(lines: list[dict[str, Any]], request: HttpRequest) -> None:
    """Put the counts on the first lines that have one."""
    counted = [line for line in lines if line["list"]][:COUNTED]
    found = lists.glances(request.user, [line["list"] for line in counted])  # type: ignore[arg-type]
    for line in counted:
        glance = found[line["list"]]
        line["count"] = glance.total
        line["attention"] = line["presses"](glance)
