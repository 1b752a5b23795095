"""How a step row is opened, moved and closed: the only writers of `Step`.

Every move is a conditional update on the state just read: who comes second is told who
was first. An act that closes a step closes what was handed on from it inside the unit
(`close_below`). Nothing here asks for access or writes the log: the acts do, around these,
and name every step that they wrote, since the log keeps digests of them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max
from django.utils import timezone

from archive.holding import is_stub
from archive.models import Person, Record, RecordState, Step, StepState, Unit
from archive.models.route import LIVE_STATES
from archive.routing import receivers
from archive.routing.refusals import DuePassed, NotRegistered, NotYours, OnPaper, StepClosed
from archive.rules import steps
from archive.rules.roles import Action, allows
from archive.rules.steps import Act, Kind, Side, State
from archive.standing import standing, units_in_scope


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of whom: `due_on` is a local day, None for no deadline."""

    to: Person | Unit
    kind: Kind = Kind.DIRECT
    instruction: str = ""
    due_on: date | None = None


def lock(record: Record) -> Record:
    """Return the record under lock, so that the lines of its thread get their numbers one by one.

    Raises:
        NotRegistered: a draft, a void number, or returned to its sender.
        OnPaper: it is kept on paper alone.
    """
    held = Record.objects.select_for_update().get(pk=record.pk)
    if held.state != RecordState.REGISTERED:
        raise NotRegistered
    if is_stub(held):
        raise OnPaper
    return held


def open_step(record: Record, task: Task, *, giver: Person, parent: Step | None = None) -> Step:
    """Write a new step after checking that its receiver can take it.

    Raises:
        Unsuitable, DuePassed: as named.
    """
    receivers.check(record, task.kind, task.to, giver=giver)
    if task.due_on and task.due_on < timezone.localdate():
        raise DuePassed(due=f"{task.due_on:%d/%m/%Y}")
    return write(record, task, giver=giver, parent=parent)


def write(record: Record, task: Task, *, giver: Person, parent: Step | None = None) -> Step:
    """Write a new step as the next line of the thread."""
    last = Step.objects.filter(record=record).aggregate(last=Max("order"))["last"] or 0
    if not last:
        Record.objects.filter(pk=record.pk).update(is_handed=True)
    return Step.objects.create(
        record=record,
        order=last + 1,
        parent=parent,
        kind=task.kind,
        from_person=giver,
        to_person=task.to if isinstance(task.to, Person) else None,
        to_unit=task.to if isinstance(task.to, Unit) else None,
        instruction=task.instruction.strip(),
        due_on=task.due_on,
        created_at=timezone.now(),
    )


def move(step: Step, act: Act, actor: Person, **changes: Any) -> Step:
    """Move a step by an act of a person and return it as it is now.

    Raises:
        StepClosed: somebody else closed or moved it first.
        NotNow: the act does not follow on where the step is.
        NotYours: it is the act of somebody else.
    """
    fresh = Step.objects.select_related("record", "to_unit", "to_person__unit", "from_person").get(pk=step.pk)
    if fresh.state not in LIVE_STATES:
        raise closed(fresh)
    target, side = steps.follow(Kind(fresh.kind), State(fresh.state), act)
    if act in came_back(fresh):
        raise steps.NotNow(act=act.label, state=steps.STATE_LABELS[State(fresh.state)], open=Act.DIRECT.label)
    check_side(fresh, side, actor)
    now = timezone.now()
    if side is Side.RECEIVER and fresh.received_at is None:
        changes |= {"received_at": now, "received_by": actor}
    if target not in steps.LIVE:
        changes |= {"closed_at": now, "closed_by": actor}
    if not Step.objects.filter(pk=fresh.pk, state=fresh.state).update(state=target, **changes):
        fresh.refresh_from_db()
        raise closed(fresh)
    fresh.refresh_from_db()
    return fresh


def came_back(step: Step) -> frozenset[Act]:
    """Return the acts barred because a step came back to its leader by a return: only a new direction moves it on."""
    barred = step.kind == Kind.DIRECT and step.parent_id is not None
    return frozenset({Act.RETURN, Act.END}) if barred else frozenset()


def closed(step: Step) -> StepClosed:
    """Return the refusal that tells who was first, when, and with what."""
    at = timezone.localtime(step.closed_at or timezone.now())
    state = steps.STATE_LABELS[State(step.state)]
    return StepClosed(person=step.closed_by or step.from_person, at=f"{at:%H:%M %d/%m/%Y}", state=state)


def close_below(step: Step, actor: Person) -> list[Step]:
    """Close every live step handed on from this one, and return them: its work is no longer asked for."""
    closed_now: list[Step] = []
    above = [step.pk]
    while above:
        below = list(Step.objects.filter(parent__in=above, state__in=LIVE_STATES))
        above = [each.pk for each in below]
        Step.objects.filter(pk__in=above).update(state=StepState.DONE, closed_at=timezone.now(), closed_by=actor)
        closed_now += below
    return closed_now


def check_side(step: Step, side: Side, actor: Person) -> None:
    """Return in silence if a person stands on this side of a step.

    Raises:
        NotYours: naming whose it is.
    """
    if not stands(step, side, actor):
        owner = (step.to_person or step.to_unit) if side is Side.RECEIVER else step.from_person
        raise NotYours(person=owner)


def stands(step: Step, side: Side, actor: Person) -> bool:
    """Return whether a person stands on this side of a step.

    Receiver: the person addressed, or one whose units include the unit addressed; a giver
    whose scope covers the whole office does not thereby receive for the units below.
    Giver: who gave it; for work that a leader or the desk asked for also another leader, since access
    was asked before. What a unit assigned inside itself is for the one who assigned it.
    """
    if side is Side.RECEIVER:
        if step.to_person_id is not None:
            return step.to_person_id == actor.pk
        return step.from_person_id != actor.pk and step.to_unit_id in units_in_scope(actor, timezone.now())
    if step.from_person_id == actor.pk:
        return True
    if step.kind not in steps.WORK or is_inner(step):
        return False
    return allows(standing(actor, timezone.now()).roles, Action.STEP_APPROVE)


def is_inner(step: Step) -> bool:
    """Return whether a step was assigned inside a unit, out of the unit's own step."""
    return step.parent is not None and step.parent.kind in steps.WORK
