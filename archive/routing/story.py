"""The thread of one dispatch as one readable story: who did what, in whose words, when, and what is awaited.

Built from the rows alone: registration, steps in their order, replies that the reader
may see. Reads only; it neither asks for access to the record nor writes that it was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive import access
from archive.leveling import words
from archive.models import AuditEntry, Person, Record, Step, StepState
from archive.routing.moving import is_inner
from archive.rules.roles import Action
from archive.rules.steps import LIVE, WORK, Kind

# Rows of one act bear moments a few milliseconds apart: what lies closer is one event of the story.
ONE_ACT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the thread; `shape` is done, now or "" (to come), `live` the step that is awaited."""

    at: datetime | None
    icon: str
    who: object
    did: str | Promise
    whom: object = ""
    quote: str = ""
    parts: Sequence[Step] = ()
    reply: Record | None = None
    shape: str = "done"
    live: Step | None = None
    note: str | Promise = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """The events so far, what is in hand, and what is to come."""

    past: list[Event] = field(default_factory=list)
    now: list[Event] = field(default_factory=list)
    future: list[Event] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """Return all events in reading order."""
        return [*self.past, *self.now, *self.future]


def story(record: Record, *, reader: Person) -> Story:
    """Return the thread of a record for a reader who may see it."""
    steps = list(
        record.steps.select_related(
            "from_person", "to_unit", "to_person__unit", "received_by", "answered_by", "closed_by"
        )
    )
    words.hush(reader, steps, words.OF_STEP)
    parents = {step.pk: step for step in steps}
    for step in steps:  # the row that a step came from is read beside it a second time
        step.parent = parents.get(step.parent_id or 0)
    past = [*_registered(record)]
    replies = _replies(record, reader)
    for step in steps:
        past += [*_given(step, steps), *_taken(step, steps), *_answered(step, replies), *_closed(step, steps)]
    past.sort(key=lambda event: (event.at is None, event.at))
    reads = _first_reads(record, steps)
    live = [step for step in steps if step.state in LIVE]
    return Story(past, [_awaited(step, reads) for step in live], [*_to_come(live)])


def receiver(step: Step) -> object:
    """Return the person or unit a step is addressed to."""
    return step.to_person or step.to_unit


def _registered(record: Record) -> Iterator[Event]:
    number = getattr(record, "number", None)
    if record.registered_at and number:
        what = _("registered it as number %(n)s") % {"n": f"{number.number}/{number.year}"}
        yield Event(record.registered_at, "clipboard-text", record.registered_by, what)


def _given(step: Step, steps: Sequence[Step]) -> Iterator[Event]:
    """Tell who handed a step on; the steps of one direction are told once, by the leader's own step."""
    parent = step.parent
    if parent and step.kind == parent.kind == Kind.DIRECT:
        yield Event(step.created_at, "arrow-back-up", step.from_person, _("took the direction back"))
        return
    if _is_rework(step, steps) or (parent and Kind.DIRECT in {step.kind, parent.kind}):
        return
    if parent:
        yield Event(
            step.created_at, "user-plus", step.from_person, _("assigned it to"), receiver(step), step.instruction
        )
    elif step.kind == Kind.DIRECT:
        yield Event(step.created_at, "send", step.from_person, _("submitted it to"), receiver(step), step.instruction)
    else:
        did = _("forwarded it to")
        yield Event(step.created_at, "arrow-forward-up", step.from_person, did, "", step.instruction, [step])


def _taken(step: Step, steps: Sequence[Step]) -> Iterator[Event]:
    """Tell who signed for a step, unless that went with an act that is told anyway."""
    if step.received_at is None:
        return
    moments = [step.answered_at, None if step.kind == Kind.INFORM else step.closed_at]
    moments += [child.created_at for child in steps if child.parent_id == step.pk]
    if any(moment and abs(moment - step.received_at) < ONE_ACT for moment in moments):
        return
    unit = step.to_unit if step.to_unit_id else ""
    did = _("signed for it on behalf of") if unit else _("signed for it")
    yield Event(step.received_at, "signature", step.received_by, did, unit)


def _answered(step: Step, replies: dict[int, Record]) -> Iterator[Event]:
    if step.answered_at:
        reply = replies.get(step.order)
        yield Event(step.answered_at, "message", step.answered_by, _("answered"), "", step.answer, reply=reply)


def _closed(step: Step, steps: Sequence[Step]) -> Iterator[Event]:
    """Tell how a step ended; steps that ended together with another one are told by that one."""
    if step.closed_at is None:
        return
    if step.state == StepState.RETURNED:
        did = _("asked for rework by") if step.answered_at else _("returned it to")
        whom = receiver(step) if step.answered_at else step.from_person
        yield Event(step.closed_at, "arrow-back-up", step.closed_by, did, whom, step.note)
    elif step.kind == Kind.DIRECT and step.closed_by_id != step.from_person_id:
        given = [one for one in steps if one.parent_id == step.pk and one.kind != Kind.DIRECT]
        given = [one for one in given if not _is_rework(one, steps)]
        yield Event(step.closed_at, "writing-sign", step.closed_by, _("directed"), "", step.note, given)
    elif _was_approved(step, steps):
        yield Event(
            step.closed_at, "circle-check", step.closed_by, _("approved the answer of"), receiver(step), step.note
        )
    elif step.note:
        yield Event(step.closed_at, "ban", step.closed_by, _("withdrew it from"), receiver(step), step.note)


def _was_approved(step: Step, steps: Sequence[Step]) -> bool:
    """Return whether an answer was approved for itself, not ended by the answer or approval of another step."""
    if not step.answered_at or step.closed_at is None:
        return False
    if step.parent and step.parent.answered_at and abs(step.closed_at - step.parent.answered_at) < ONE_ACT:
        return False
    together = [
        one
        for one in steps
        if one.kind == Kind.LEAD
        and one.pk != step.pk
        and one.closed_at
        and abs(one.closed_at - step.closed_at) < ONE_ACT
    ]
    return step.kind == Kind.LEAD or not together


def _awaited(step: Step, reads: dict[int, datetime]) -> Event:
    who = receiver(step)
    if step.state == StepState.ANSWERED:
        return Event(
            None, "hourglass-empty", step.from_person, _("has the answer to approve:"), who, shape="now", live=step
        )
    if step.kind == Kind.DIRECT:
        did, icon = _("has it for direction"), "writing-sign"
    elif step.kind == Kind.INFORM:
        did, icon = _("has it to read"), "eye"
    elif step.state == StepState.OPEN:
        did, icon = _("has not signed for it yet"), "circle-dashed"
    else:
        did, icon = _("is working on it"), "progress"
    read_at = reads.get(step.to_person_id or 0) or _unit_read(step, reads)
    return Event(None, icon, who, did, shape="now", live=step, read_at=read_at)


def _unit_read(step: Step, reads: dict[int, datetime]) -> datetime | None:
    return reads.get(step.received_by_id or 0) if step.to_unit_id else None


def _to_come(live: Sequence[Step]) -> Iterator[Event]:
    if any(step.kind == Kind.DIRECT for step in live):
        yield Event(None, "circle-dashed", _("Direction, then the work of the units"), "", shape="")
    asked = [step for step in live if step.kind in WORK and not is_inner(step)]
    if any(step.state != StepState.ANSWERED for step in asked):
        givers = {str(step.from_person) for step in asked if step.kind == Kind.LEAD} or {
            str(step.from_person) for step in asked
        }
        yield Event(None, "circle-dashed", _("Answer, then approval by"), "", ", ".join(sorted(givers)), shape="")


def _is_rework(step: Step, steps: Sequence[Step]) -> bool:
    """Return whether a step was opened by asking the same receiver for rework."""
    return any(
        one.state == StepState.RETURNED
        and one.answered_at
        and one.order < step.order
        and (one.parent_id, one.kind, one.to_unit_id, one.to_person_id)
        == (step.parent_id, step.kind, step.to_unit_id, step.to_person_id)
        and one.closed_at
        and abs(one.closed_at - step.created_at) < ONE_ACT
        for one in steps
    )


def _replies(record: Record, reader: Person) -> dict[int, Record]:
    """Return the dispatches that answer this one and that the reader may see, by the line they were sent with."""
    known = list(record.replies.values_list("pk", flat=True))
    if not known:
        return {}
    shown = {reply.key: reply for reply in access.visible_to(reader).opens(known)}
    entries = AuditEntry.objects.filter(record_id=record.pk, action=Action.STEP_ANSWER, outcome="ok")
    told = [entry.detail.payload for entry in entries.select_related("detail")]
    return {kept["step"]: shown[kept["reply"]] for kept in told if kept.get("reply") in shown}


def _first_reads(record: Record, steps: Sequence[Step]) -> dict[int, datetime]:
    """Return when the receivers of live steps first opened the dispatch, from the log."""
    people = {step.to_person_id or step.received_by_id for step in steps if step.state in LIVE} - {None}
    reads = AuditEntry.objects.filter(
        record_id=record.pk, action__in=(Action.RECORD_READ, Action.RECORD_PAGE), outcome="ok", actor__in=people
    )
    return dict(reads.order_by().values("actor").annotate(first=Min("ts")).values_list("actor", "first"))
