"""Who can take a step: able by post, cleared to the level, and somebody there to open it.

A step sent to a person who may not see the dispatch, or to a unit where nobody may,
would lie unread: it is refused when given, and never offered on a form. Reads only.
"""

from datetime import datetime
from typing import Final

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.models import Person, Record, Step, Unit
from archive.models.route import LIVE_STATES
from archive.routing.refusals import Unsuitable
from archive.rules.levels import Level
from archive.rules.roles import Action, Role, allows
from archive.rules.steps import Kind
from archive.standing import cleared_for, people_with, scopes

NEEDS: Final = {
    Kind.DIRECT: Action.STEP_DIRECT,
    Kind.LEAD: Action.STEP_ANSWER,
    Kind.COOPERATE: Action.STEP_ANSWER,
    Kind.INFORM: Action.STEP_RECEIVE,
}


def people_for(record: Record, kind: Kind, *, at: datetime | None = None) -> QuerySet[Person]:
    """Return the people whose post and clearance let them take a step of this kind, by name."""
    return _able(record, NEEDS[kind], at or timezone.now())


def units_for(record: Record, kind: Kind, *, at: datetime | None = None) -> QuerySet[Unit]:
    """Return the active units in which somebody can take a step of this kind, in the order of the tree.

    For information counts staff only: a leader's scope covers every unit below, and would read for none of them.
    """
    now = at or timezone.now()
    needed = Action.STEP_ANSWER if kind is Kind.INFORM else NEEDS[kind]
    able = _able(record, needed, now)
    # A unit lies in a scope when the scope's unit stands at the beginning of its path.
    path = ExpressionWrapper(OuterRef("path"), output_field=CharField())
    over = scopes(now).filter(person__in=able).annotate(below=path).filter(below__startswith=F("unit__path"))
    return Unit.objects.filter(Exists(over), is_active=True).order_by("path")


def inside(step: Step) -> Unit:
    """Return the unit within which the receiver of a step may assign it."""
    if step.to_unit is not None:
        return step.to_unit
    assert step.to_person is not None  # noqa: S101 - the row's constraint: one receiver
    return step.to_person.unit


def colleagues(step: Step, person: Person) -> QuerySet[Person]:
    """Return the people of the unit to whom the receiver of a step may assign it."""
    able = people_for(step.record, Kind(step.kind))
    return able.filter(unit__path__startswith=inside(step).path).exclude(pk=person.pk)


def check(record: Record, kind: Kind, to: Person | Unit, *, giver: Person) -> None:
    """Return in silence if this receiver can take the step.

    Raises:
        Unsuitable: with the reason: not cleared, not their post, the giver, or has it already.
    """
    if to == giver:
        raise Unsuitable(receiver=to, reason=_("nobody hands a dispatch to themselves"))
    able = people_for(record, kind) if isinstance(to, Person) else units_for(record, kind)
    if not able.filter(pk=to.pk).exists():
        raise Unsuitable(receiver=to, reason=_why_not(to))
    receiver = {"to_person": to} if isinstance(to, Person) else {"to_unit": to}
    if Step.objects.filter(record=record, kind=kind, state__in=LIVE_STATES, **receiver).exists():
        raise Unsuitable(receiver=to, reason=_("it is already with them"))


def _why_not(to: Person | Unit) -> object:
    if isinstance(to, Person):
        return _("their post or their clearance does not cover it")
    return _("nobody there has the post and the clearance for it")


def _able(record: Record, needed: Action, at: datetime) -> QuerySet[Person]:
    holders = Q(pk__in=[])
    for role in Role:
        if allows({role}, needed):
            holders |= Q(pk__in=people_with(role, at).order_by().values("pk"))
    able = Person.objects.filter(holders, is_active=True, is_service=False)
    if record.level > Level.THUONG:
        able = able.filter(pk__in=cleared_for(Level(record.level), at))
    return able.order_by("full_name")
