"""What every page shows around its content: office, rail by role, person, site profile.

Counts in the rail count only what this person may see.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.rules.roles import Role
from archive.standing import standing


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the rail."""

    name: str  # name of the address
    icon: str
    label: str | Promise


DESK = Item("archive:home", "home", _("Desk"))
SEARCH = Item("search:search", "search", _("Search"))
DOSSIERS = Item("archive:dossiers", "folders", _("Dossiers"))
REGISTERS = Item("archive:registers", "book", _("Registers"))
SAVED = Item("search:saved", "bookmark", _("Saved queries"))
MINE = Item("archive:work", "checklist", _("My work"))
UNIT = Item("archive:work-unit", "users", _("Work of my unit"))

RAIL: dict[Role, list[tuple[str | Promise, list[Item]]]] = {
    Role.CLERK: [
        ("", [DESK]),
        (
            _("Dispatches"),
            [
                Item("ingest:desk", "scan", _("Intake, scanning")),
                Item("archive:register", "clipboard-text", _("Register")),
                REGISTERS,
            ],
        ),
        (_("Find"), [SEARCH, DOSSIERS, SAVED]),
        (_("Mine"), [MINE]),
    ],
    Role.LEADER: [
        ("", [DESK]),
        (
            _("To direct"),
            [
                Item("archive:work", "writing-sign", _("Read and direct")),
                Item("archive:work-unit", "eye-check", _("Follow up")),
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
                DOSSIERS,
                Item("archive:due", "hourglass", _("Due list")),
                Item("archive:holds", "lock-pause", _("Holds")),
                Item("archive:retention", "list-tree", _("File plan and retention")),
            ],
        ),
        (_("Find"), [SEARCH, REGISTERS, SAVED]),
    ],
    Role.AUDITOR: [
        ("", [DESK]),
        (
            _("Log"),
            [
                Item("archive:log", "list-search", _("Log")),
                Item("archive:log-refused", "ban", _("Refused")),
            ],
        ),
    ],
    Role.SECURITY: [("", [DESK]), (_("Security"), [Item("archive:clearances", "shield", _("Clearances"))])],
    Role.ADMIN: [("", [DESK]), (_("Machine"), [Item("config:status", "server", _("Status"))])],
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the shell (context processor)."""
    ceiling = settings.SITE_MAX_LEVEL
    context: dict[str, Any] = {
        "office": {"parent": settings.OFFICE_PARENT, "name": settings.OFFICE_NAME},
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
        "roles": stands.roles,
        "rail": rail(request, stands.roles),
    }


def rail(request: HttpRequest, roles: frozenset[Role]) -> list[dict[str, Any]]:
    """Return the groups of the rail for these roles; an address stands once."""
    seen: set[str] = set()
    groups = []
    for role in sorted(roles):
        for label, items in RAIL[role]:
            fresh = [item for item in items if item.name not in seen]
            seen.update(item.name for item in fresh)
            lines = [line for item in fresh if (line := _line(request, item))]
            if lines:
                groups.append({"label": label, "items": lines})
    return groups


def _line(request: HttpRequest, item: Item) -> dict[str, Any] | None:
    try:
        url = reverse(item.name)
    except NoReverseMatch:
        return None
    return {"url": url, "icon": item.icon, "label": item.label, "active": request.path == url}
