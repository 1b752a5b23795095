"""What a person is at a moment: roles, clearance, units in scope - read from dated rows.

Nothing is kept past the call: expiry acts at once, in the middle of a session. This
module reads; it never decides about a record (`archive.access`) and never writes.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from archive.models import Clearance, Person, PersonRole, Unit, UnitScope
from archive.rules.levels import Level
from archive.rules.roles import Role


@dataclass(frozen=True, slots=True)
class Standing:
    """Roles and clearance of a person at one moment; `level` is the lowest when no clearance is valid."""

    roles: frozenset[Role]
    level: Level


def _valid(at: datetime) -> Q:
    return Q(since__lte=at) & (Q(until__isnull=True) | Q(until__gt=at))


def standing(person: Person, at: datetime) -> Standing:
    """Return the roles and clearance valid at an aware moment; an inactive person has none."""
    if not person.is_active:
        return Standing(frozenset(), Level.THUONG)
    roles = PersonRole.objects.filter(_valid(at), person=person).values_list("role", flat=True)
    return Standing(frozenset(Role(role) for role in roles), clearance(person, at))


def clearance(person: Person, at: datetime) -> Level:
    """Return the highest level cleared at a moment; nobody needs a clearance for the lowest."""
    rows = Clearance.objects.filter(_valid(at), person=person).filter(Q(revoked_at__isnull=True) | Q(revoked_at__gt=at))
    return Level(max((row for row in rows.values_list("level", flat=True)), default=Level.THUONG))


def units_in_scope(person: Person, at: datetime) -> list[int]:
    """Return the ids of every unit of the person's valid scopes with all units below them."""
    paths = list(UnitScope.objects.filter(_valid(at), person=person).values_list("unit__path", flat=True))
    if not paths:
        return []
    below = Q()
    for path in paths:
        below |= Q(path__startswith=path)
    return list(Unit.objects.filter(below).values_list("pk", flat=True))


def people_with(role: Role, at: datetime) -> QuerySet[Person]:
    """Return the active people who hold a role at a moment, by name."""
    holders = PersonRole.objects.filter(_valid(at), role=role).values("person")
    return Person.objects.filter(pk__in=holders, is_active=True).order_by("full_name")


def cleared_for(level: Level, at: datetime) -> QuerySet[Clearance, int]:
    """Return the ids of the people cleared to a level above the lowest at a moment."""
    live = Clearance.objects.filter(_valid(at), level__gte=level)
    return live.filter(Q(revoked_at__isnull=True) | Q(revoked_at__gt=at)).values_list("person", flat=True)


def scopes(at: datetime) -> QuerySet[UnitScope]:
    """Return the scope rows valid at a moment."""
    return UnitScope.objects.filter(_valid(at))
