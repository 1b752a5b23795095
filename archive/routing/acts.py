"""The acts on a dispatch's way: hand on, direct, assign, sign for, answer, return, approve, withdraw.

One transaction each: access is asked, rows change, need-to-know is derived anew, one
entry is written. A live step gives need-to-know to its receiver, and work also to its
giver, who must approve it; the end of the step ends both. What ends what:

- direction ends the leader's own step and opens the units' steps;
- an answer ends what was assigned inside the unit for it;
- approval of the lead's answer ends the cooperating steps of the same giver, answered
  or not: their part was asked for in aid of the lead. Steps for information stay until signed for;
- rework closes the answered step and opens one to the same receiver;
- a return ends the step; the leader who directed gets a new one to direct again, a
  receiver who had assigned it goes on with their own, and the desk finds it among the returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import Person, Record, Step, StepState, Unit
from archive.models.route import LIVE_STATES
from archive.routing import deadlines, receivers
from archive.routing.moving import Task, close_below, lock, move, open_step, write
from archive.routing.refusals import (
    NamedTwice,
    NobodyNamed,
    NotYours,
    OwnAnswer,
    ReplyTaken,
    TooLate,
    Unsuitable,
    WordsMissing,
)
from archive.rules.errors import Forbidden
from archive.rules.roles import Action, Role
from archive.rules.steps import Act, Kind
from archive.standing import standing


@dataclass(frozen=True, slots=True)
class Direction:
    """A leader's direction: one lead, any cooperating and informed; `due_on` counts for lead and cooperating."""

    instruction: str = ""
    lead: Unit | None = None
    cooperating: Sequence[Unit] = ()
    inform: Sequence[Unit] = ()
    due_on: date | None = None

    def tasks(self) -> list[Task]:
        """Return what is asked of each unit, the lead first."""
        lead = [self.lead] if self.lead else []
        asked = [(Kind.LEAD, lead), (Kind.COOPERATE, self.cooperating), (Kind.INFORM, self.inform)]
        return [
            Task(unit, kind, self.instruction, None if kind is Kind.INFORM else self.due_on)
            for kind, units in asked
            for unit in units
        ]


@transaction.atomic
def forward(record: Record, task: Task, *, actor: Person) -> Step:
    """Hand a registered dispatch to a leader for direction, or to a unit or person for work or information.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or is neither desk nor leader.
        NotRegistered, Unsuitable, DuePassed: as named.
    """
    access.require(actor, Action.STEP_FORWARD, record)
    if not standing(actor, timezone.now()).roles & {Role.CLERK, Role.LEADER}:
        reason = _("the desk and the leaders hand dispatches on; from your own step you assign inside your unit")
        raise Forbidden(reason=reason, object_type="record", object_id=record.key)
    held = lock(record)
    step = open_step(held, deadlines.with_due(held, task), giver=actor)
    access.derive(held)
    audit.write(Action.STEP_FORWARD, actor=actor, subject=held, details=_given([step]), made=[step])
    return step


@transaction.atomic
def direct(step: Step, direction: Direction, *, actor: Person) -> list[Step]:
    """Close the leader's step with a direction and open the steps of the units it names.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or is no leader.
        StepClosed, NotNow, NotYours, NobodyNamed, NamedTwice, Unsuitable, DuePassed: as named.
    """
    access.require(actor, Action.STEP_DIRECT, step.record)
    held = lock(step.record)
    tasks = [deadlines.with_due(held, task) for task in _checked(direction).tasks()]
    own = move(step, Act.DIRECT, actor, note=direction.instruction.strip())
    below = close_below(own, actor)
    given = [open_step(held, task, giver=actor, parent=own) for task in tasks]
    access.derive(held)
    details = {"step": own.order} | _given(given)
    audit.write(Action.STEP_DIRECT, actor=actor, subject=held, details=details, rows=[own, *below], made=given)
    return given


@transaction.atomic
def take_back(step: Step, *, actor: Person) -> Step:
    """Take a direction back while nobody has signed for any part of it; return the new step to direct anew.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or is no leader.
        NotYours: the direction is somebody else's, or there is none.
        TooLate: one of the units has signed for it.
    """
    access.require(actor, Action.STEP_DIRECT, step.record)
    held = lock(step.record)
    given = list(step.children.exclude(kind=Kind.DIRECT).select_related("to_unit", "to_person"))
    if not given or Step.objects.filter(pk=step.pk, kind=Kind.DIRECT, closed_by=actor).first() is None:
        raise NotYours(person=step.closed_by or step.from_person)
    signed = next((child for child in given if child.state != StepState.OPEN), None)
    if signed:
        raise TooLate(receiver=signed.to_unit or signed.to_person)
    now = timezone.now()
    step.children.filter(state=StepState.OPEN).update(state=StepState.DONE, closed_at=now, closed_by=actor)
    again = write(held, Task(actor, Kind.DIRECT, "", deadlines.for_direction(held)), giver=actor, parent=step)
    access.derive(held)
    details = {"step": step.order, "taken_back": [child.order for child in given]} | _given([again])
    audit.write(Action.STEP_END, actor=actor, subject=held, details=details, rows=given, made=[again])
    return again


@transaction.atomic
def assign(step: Step, task: Task, *, actor: Person) -> Step:
    """Hand one's own step on to a person or unit inside the unit; the own step stays open above it.

    Raises:
        Hidden, Forbidden, StepClosed, NotNow, NotYours, Unsuitable, DuePassed: as named.
    """
    access.require(actor, Action.STEP_FORWARD, step.record)
    held = lock(step.record)
    own = move(step, Act.ASSIGN, actor)
    home = task.to.unit if isinstance(task.to, Person) else task.to
    if not home.path.startswith(receivers.inside(own).path):
        raise Unsuitable(receiver=task.to, reason=_("it is not of your unit"))
    inner = Task(task.to, Kind(own.kind), task.instruction, task.due_on or own.due_on)
    child = write_inner(held, inner, own, actor)
    access.derive(held)
    details = {"step": own.order} | _given([child])
    audit.write(Action.STEP_FORWARD, actor=actor, subject=held, details=details, rows=[own], made=[child])
    return child


def write_inner(record: Record, task: Task, own: Step, actor: Person) -> Step:
    """Write an assigned step; a deadline that has passed is passed on as it is, not refused."""
    if task.due_on == own.due_on:
        receivers.check(record, task.kind, task.to, giver=actor)
        return write(record, task, giver=actor, parent=own)
    return open_step(record, task, giver=actor, parent=own)


@transaction.atomic
def receive(step: Step, *, actor: Person) -> Step:
    """Sign for a step; one for information ends with that.

    Raises:
        Hidden, Forbidden, StepClosed, NotNow, NotYours: as named.
    """
    access.require(actor, Action.STEP_RECEIVE, step.record)
    taken = move(step, Act.RECEIVE, actor)
    below = close_below(taken, actor) if taken.closed_at else []
    access.derive(taken.record)
    audit.write(Action.STEP_RECEIVE, actor=actor, subject=taken, details={"step": taken.order}, rows=below)
    return taken


@transaction.atomic
def answer(step: Step, text: str, *, actor: Person, reply: Record | None = None) -> Step:
    """Report what was done, with the dispatch that replies if there is one; it waits for approval.

    Raises:
        Hidden, Forbidden: record or reply may not be seen, or the act is not of this post.
        StepClosed, NotNow, NotYours, WordsMissing, ReplyTaken: as named.
    """
    access.require(actor, Action.STEP_ANSWER, step.record)
    words = _words(text, _("what was done"))
    told = move(step, Act.ANSWER, actor, answer=words, answered_at=timezone.now(), answered_by=actor)
    below = close_below(told, actor)
    if reply is not None:
        _link(reply, told.record, actor)
    access.derive(told.record)
    details = {"step": told.order} | ({"reply": reply.key} if reply else {})
    rows = [*below, *([reply] if reply else [])]
    audit.write(Action.STEP_ANSWER, actor=actor, subject=told, details=details, rows=rows)
    return told


@transaction.atomic
def approve(step: Step, note: str = "", *, actor: Person) -> Step:
    """Approve an answer: the step is done, and with a lead's the cooperating steps of the same giver.

    Raises:
        Hidden, Forbidden, StepClosed, NotNow, NotYours: as named.
        OwnAnswer: the actor wrote the answer.
    """
    access.require(actor, Action.STEP_APPROVE, step.record)
    done = move(step, Act.APPROVE, actor, note=note.strip())
    if done.answered_by_id == actor.pk:
        raise OwnAnswer
    below = close_below(done, actor)
    ended = _end_cooperating(done, actor) if done.kind == Kind.LEAD else []
    for each in ended:
        below += close_below(each, actor)
    access.derive(done.record)
    details = {"step": done.order} | ({"ended": [each.order for each in ended]} if ended else {})
    rows = [*below, *ended]
    audit.write(Action.STEP_APPROVE, actor=actor, subject=done, reason=done.note, details=details, rows=rows)
    return done


@transaction.atomic
def send_back(step: Step, reason: str, *, actor: Person) -> Step:
    """Ask for rework of an answer, with a reason; return the new step to the same receiver.

    The answered step closes as returned, so that every answer stays in the thread as it was given.

    Raises:
        Hidden, Forbidden, StepClosed, NotNow, NotYours, WordsMissing: as named.
    """
    access.require(actor, Action.STEP_RETURN, step.record)
    held = lock(step.record)
    back = move(step, Act.SEND_BACK, actor, note=_words(reason, _("reason")))
    rows = [back, *close_below(back, actor)]
    to = back.to_person or back.to_unit
    assert to is not None  # noqa: S101 - the row's constraint: one receiver
    again = write(held, Task(to, Kind(back.kind), back.note, back.due_on), giver=back.from_person, parent=back.parent)
    access.derive(held)
    details = {"step": back.order, "to": "receiver"} | _given([again])
    reason = back.note
    audit.write(Action.STEP_RETURN, actor=actor, subject=held, reason=reason, details=details, rows=rows, made=[again])
    return again


@transaction.atomic
def return_step(step: Step, reason: str, *, actor: Person) -> Step:
    """Return a step to who gave it, with a reason; a leader who directed gets it back to direct again.

    Raises:
        Hidden, Forbidden, StepClosed, NotNow, NotYours, WordsMissing: as named.
    """
    access.require(actor, Action.STEP_RETURN, step.record)
    held = lock(step.record)
    back = move(step, Act.RETURN, actor, note=_words(reason, _("reason")))
    rows, made = [back, *close_below(back, actor)], []
    details: dict[str, object] = {"step": back.order, "to": "giver"}
    if back.parent and back.parent.kind == Kind.DIRECT:
        # A leader who is not in the scope of the owning unit would lose the dispatch otherwise.
        again = Task(back.from_person, Kind.DIRECT, "", deadlines.for_direction(held))
        made = [write(held, again, giver=actor, parent=back)]
        details |= _given(made)
    access.derive(held)
    reason = back.note
    audit.write(Action.STEP_RETURN, actor=actor, subject=held, reason=reason, details=details, rows=rows, made=made)
    return back


@transaction.atomic
def end(step: Step, reason: str, *, actor: Person) -> Step:
    """Withdraw a step one gave, with a reason: nothing is asked of its receiver any more.

    Raises:
        Hidden, Forbidden, StepClosed, NotNow, NotYours, WordsMissing: as named.
    """
    access.require(actor, Action.STEP_END, step.record)
    gone = move(step, Act.END, actor, note=_words(reason, _("reason")))
    below = close_below(gone, actor)
    access.derive(gone.record)
    details = {"step": gone.order}
    audit.write(Action.STEP_END, actor=actor, subject=gone, reason=gone.note, details=details, rows=below)
    return gone


def _checked(direction: Direction) -> Direction:
    units = [unit for unit in (direction.lead, *direction.cooperating, *direction.inform) if unit]
    twice = next((unit for unit in units if units.count(unit) > 1), None)
    if twice:
        raise NamedTwice(unit=twice)
    if direction.cooperating and not direction.lead:
        raise NobodyNamed
    if not units and not direction.instruction.strip():
        raise NobodyNamed
    return direction


def _words(text: str, name: object) -> str:
    if not text.strip():
        raise WordsMissing(name=name)
    return text.strip()


def _given(given: Sequence[Step]) -> dict[str, object]:
    """Return what the log keeps of steps given: their line, kind, receiver and deadline."""
    return {
        "given": [
            {
                "step": step.order,
                "kind": str(step.kind),
                "to": f"unit {step.to_unit_id}" if step.to_unit_id else f"person {step.to_person_id}",
                "due": step.due_on.isoformat() if step.due_on else "",
            }
            for step in given
        ]
    }


def _link(reply: Record, record: Record, actor: Person) -> None:
    """Note which dispatch a reply answers; it must be in the actor's view."""
    access.require(actor, Action.RECORD_READ, reply)
    free = Record.objects.filter(pk=reply.pk, reply_to__isnull=True).exclude(pk=record.pk)
    if reply.reply_to_id != record.pk and not free.update(reply_to=record):
        raise ReplyTaken(reply=reply)


def _end_cooperating(lead: Step, actor: Person) -> list[Step]:
    """Close the live cooperating steps of the same giver and return them."""
    live = Step.objects.filter(
        record=lead.record, from_person=lead.from_person, kind=Kind.COOPERATE, state__in=LIVE_STATES
    )
    helping = list(live)
    live.update(state=StepState.DONE, closed_at=timezone.now(), closed_by=actor)
    return helping
