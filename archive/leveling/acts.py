"""Who decides what about a level: raise at once, lower and declassify by two people, extend, review.

Nothing here happens by itself: an end of protection makes a task (`archive.leveling.lists`) and a
person decides. Every change of level ends with a signed head of the log, as a change of
clearance does. The initial level never changes.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive import access, audit
from archive.holding import is_held, is_stub
from archive.leveling import history, lists, notices
from archive.leveling.closing import about
from archive.leveling.moving import Change, Order, move, write
from archive.leveling.refusals import (
    AboveCeiling,
    HeldLevel,
    MarkKeepsLevel,
    Moved,
    NoDecision,
    NotByOneself,
    NothingProtected,
    NotInForce,
    ProposalOver,
    ProposalThere,
    WrongDay,
    WrongDirection,
    WrongEnd,
)
from archive.models import (
    ChangeKind,
    LevelChange,
    LevelProposal,
    Mark,
    MarkingMark,
    Person,
    ProposalState,
    Record,
    RecordState,
)
from archive.rules.levels import Level
from archive.rules.protection import last_day
from archive.rules.roles import Action
from archive.standing import clearance

LOWERING: Final = frozenset({ChangeKind.LOWER, ChangeKind.DECLASSIFY})


@transaction.atomic
def raise_level(record: Record, *, to: Level, order: Order, actor: Person) -> LevelChange:
    """Raise a registered record at once: the safe direction needs one person with authority.

    Raises:
        Hidden, Forbidden: the actor may not see it, or may not change levels.
        NoDecision, WrongDay, WrongDirection, AboveCeiling, NotInForce: as named.
        StoreFailed: the key vault is away; nothing was changed.
    """
    locked = _lock(record, Action.RECORD_LEVEL, actor)
    _check_order(order)
    _check_way(locked, ChangeKind.RAISE, to, actor)
    return _change(locked, ChangeKind.RAISE, to, order, actor=actor)


@transaction.atomic
def propose(record: Record, *, kind: ChangeKind, to: Level, order: Order, actor: Person) -> LevelProposal:
    """Ask for another level; a second person with authority confirms. For raising the decision may come later.

    Raises:
        Hidden, Forbidden: the actor may not see it, or may not propose.
        NoDecision, WrongDay, WrongDirection, AboveCeiling, NotInForce, MarkKeepsLevel, HeldLevel, ProposalThere: as named.
    """
    locked = _lock(record, Action.LEVEL_PROPOSE, actor)
    if kind in LOWERING:
        _check_order(order)
    elif not order.reason.strip():
        raise NoDecision
    _check_way(locked, kind, to, actor)
    # A proposal to a level above the actor's clearance is none to them: it may wait beside this one.
    if lists.proposals(actor, of=locked).exists():
        raise ProposalThere
    made = LevelProposal.objects.create(
        record=locked,
        kind=kind,
        from_level=locked.level,
        to_level=to,
        authority=order.authority.strip(),
        basis=order.basis.strip(),
        decided_on=order.decided_on,
        reason=order.reason.strip(),
        proposed_by=actor,
        proposed_at=timezone.now(),
    )
    details = {"proposal": made.pk, "change": str(kind), "old": Level(locked.level).slug, "level": to.slug}
    details |= {"decision": order.basis, "authority": order.authority}
    audit.write(
        Action.LEVEL_PROPOSE,
        actor=actor,
        subject=about(locked, made),
        reason=order.reason,
        details=details,
        rows=[locked],
        made=[made],
    )
    return made


@transaction.atomic
def confirm(proposal: LevelProposal, *, actor: Person, order: Order | None = None) -> LevelChange:
    """Carry out what another person proposed.

    Args:
        proposal: the open proposal.
        actor: a second person with authority.
        order: fills what the proposal to raise left open; what it says already stays.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not change levels.
        NotByOneself, ProposalOver, Moved, NoDecision, WrongDay, WrongDirection, AboveCeiling, MarkKeepsLevel, HeldLevel: as named.
        StoreFailed: the key vault is away and the level goes up; nothing was changed.
    """
    locked = _lock(proposal.record, Action.RECORD_LEVEL, actor)
    held = LevelProposal.objects.select_for_update(of=("self",)).select_related("proposed_by").get(pk=proposal.pk)
    if held.state != ProposalState.OPEN:
        raise ProposalOver
    if held.proposed_by_id == actor.pk:
        raise NotByOneself
    if held.from_level != locked.level:
        raise Moved
    full = _filled(held, order)
    _check_order(full)
    kind, to = ChangeKind(held.kind), Level(held.to_level)
    _check_way(locked, kind, to, actor)
    held.state, held.closed_by, held.closed_at = ProposalState.CONFIRMED, actor, timezone.now()
    held.save(update_fields=["state", "closed_by", "closed_at"])
    return _change(locked, kind, to, full, actor=actor, proposal=held)


@transaction.atomic
def close(proposal: LevelProposal, *, reason: str, actor: Person) -> LevelProposal:
    """Withdraw one's own proposal, or refuse another person's.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or refuses without authority.
        NoDecision: no reason was given.
        ProposalOver: as named.
    """
    own = proposal.proposed_by_id == actor.pk
    record = access.lock(proposal.record, Action.LEVEL_PROPOSE if own else Action.RECORD_LEVEL, actor)
    if not reason.strip():
        raise NoDecision
    state = ProposalState.WITHDRAWN if own else ProposalState.REFUSED
    waiting = LevelProposal.objects.filter(pk=proposal.pk, state=ProposalState.OPEN)
    if not waiting.update(state=state, closed_by=actor, closed_at=timezone.now(), close_reason=reason.strip()):
        raise ProposalOver
    details, closed = {"proposal": proposal.pk, "state": str(state)}, LevelProposal.objects.get(pk=proposal.pk)
    audit.write(
        Action.LEVEL_CLOSE,
        actor=actor,
        subject=about(record, closed),
        reason=reason,
        details=details,
        rows=[record, closed],
    )
    return closed


@transaction.atomic
def extend(record: Record, *, until: date, order: Order, actor: Person) -> LevelChange:
    """Let the protection go on: later than its end, by no more than the period of the level; late ones say so.

    Raises:
        Hidden, Forbidden: the actor may not see it, or may not extend.
        NoDecision, WrongDay, NothingProtected, WrongEnd, NotInForce: as named.
    """
    locked = _lock(record, Action.LEVEL_EXTEND, actor)
    _check_order(order)
    now, level, today = history.latest(locked), Level(locked.level), timezone.localdate()
    found = history.period(level, today)
    if now is None or now.protected_until is None or found is None or now.protected_until < today:
        raise NothingProtected
    latest = last_day(now.protected_until, found.years)
    if not now.protected_until < until <= latest:
        raise WrongEnd(end=f"{now.protected_until:%d/%m/%Y}", latest=f"{latest:%d/%m/%Y}", basis=found.basis)
    change = Change(ChangeKind.EXTEND, level, until, now.review_on)
    row = write(locked, change, order, actor=actor, proposer=None)
    to_tell = notices.begin(row)
    is_late = (now.protected_until - today).days < found.extend_days
    details = {"until": until.isoformat(), "late": is_late, **_told(order)}
    made = [row, *to_tell]
    audit.write(Action.LEVEL_EXTEND, actor=actor, subject=locked, reason=order.reason, details=details, made=made)
    return row


@transaction.atomic
def review(record: Record, *, next_on: date, reason: str, actor: Person) -> LevelChange:
    """Write that the level was looked at and stays, and when it is looked at again.

    Raises:
        Hidden, Forbidden: the actor may not see it, or may not review.
        NoDecision: no reason. WrongDay: the next review is not to come. NothingProtected: unclassified.
        NotInForce: as named.
    """
    locked = _lock(record, Action.LEVEL_REVIEW, actor)
    if not reason.strip():
        raise NoDecision
    if next_on <= timezone.localdate():
        raise WrongDay
    if locked.level == Level.THUONG:
        raise NothingProtected
    now = history.latest(locked)
    change = Change(ChangeKind.REVIEW, Level(locked.level), now.protected_until if now else None, next_on)
    row = write(locked, change, Order("", "", None, reason), actor=actor, proposer=None)
    details = {"review": next_on.isoformat()}
    audit.write(Action.LEVEL_REVIEW, actor=actor, subject=locked, reason=reason, details=details, made=[row])
    return row


def offered(record: Record, person: Person) -> list[tuple[ChangeKind, Level]]:
    """Return the changes that this person could ask for: never one that needs more than they are cleared for."""
    ceiling = ceiling_of(person, record)
    return [
        (kind, level)
        for level in Level
        for kind in (ChangeKind.RAISE, ChangeKind.LOWER, ChangeKind.DECLASSIFY)
        if level <= ceiling and _goes(kind, Level(record.level), level)
    ]


def ceiling_of(person: Person, record: Record) -> Level:
    """Return the highest level which this person may give: clearance and site; top secret never has a file here.

    What is kept on paper alone has none, so the site's ceiling does not bound it.
    """
    cleared, bound = clearance(person, timezone.now()), min(settings.SITE_MAX_LEVEL, Level.TOI_MAT)
    return cleared if cleared > bound and is_stub(record) else Level(min(cleared, bound))


def _lock(record: Record, action: Action, actor: Person) -> Record:
    locked = access.lock(record, action, actor)
    if locked.state != RecordState.REGISTERED:
        raise NotInForce
    return locked


def _check_order(order: Order) -> None:
    if not all(part.strip() for part in (order.authority, order.basis, order.reason)) or order.decided_on is None:
        raise NoDecision
    if order.decided_on > timezone.localdate():
        raise WrongDay


def _goes(kind: ChangeKind, old: Level, to: Level) -> bool:
    return {
        ChangeKind.RAISE: to > old,
        ChangeKind.LOWER: Level.THUONG < to < old,
        ChangeKind.DECLASSIFY: to == Level.THUONG < old,
    }.get(kind, False)


def _check_way(record: Record, kind: ChangeKind, to: Level, actor: Person) -> None:
    old = Level(record.level)
    if not _goes(kind, old, to):
        raise WrongDirection(level=old.label)
    if to > (ceiling := ceiling_of(actor, record)):
        raise AboveCeiling(level=to.label, ceiling=ceiling.label)
    if kind in LOWERING and (keeping := _keeping(record)):
        raise MarkKeepsLevel(mark=", ".join(keeping))
    if kind in LOWERING and is_held(record):
        raise HeldLevel


def _keeping(record: Record) -> Iterable[str]:
    """Return the names of the marks of a record that forbid lowering."""
    on_it = MarkingMark.objects.filter(marking=record.marking_id).values("mark")
    return list(Mark.objects.filter(pk__in=on_it, keeps_level=True).order_by("name").values_list("name", flat=True))


def _filled(proposal: LevelProposal, order: Order | None) -> Order:
    said = Order(proposal.authority, proposal.basis, proposal.decided_on, proposal.reason)
    if order is None or proposal.kind in LOWERING:
        return said
    return replace(
        said,
        authority=said.authority or order.authority,
        basis=said.basis or order.basis,
        decided_on=said.decided_on or order.decided_on,
    )


def _change(  # noqa: PLR0913 - what changes, on what, by whom
    record: Record, kind: ChangeKind, to: Level, order: Order, *, actor: Person, proposal: LevelProposal | None = None
) -> LevelChange:
    """Move a locked record, write the entry, and give back the row of the history."""
    proposer = proposal.proposed_by if proposal else None
    old = Level(record.level)
    change = Change(kind, to, _end(record, kind, to, order))
    moved = move(record, change, order, actor=actor, proposer=proposer)
    details = {"change": str(kind), "old": old.slug, "level": to.slug, **_told(order)}
    if proposer is not None:
        details["proposed_by"] = proposer.pk
    if moved.ended:
        details["gone"] = [grant.pk for grant in moved.ended]
    audit.write(
        Action.RECORD_LEVEL,
        actor=actor,
        subject=record,
        reason=order.reason,
        details=details,
        rows=[*moved.ended, *([proposal] if proposal else [])],
        made=[moved.row, *moved.to_tell],
        obo=proposer,
    )
    return moved.row


def _end(record: Record, kind: ChangeKind, to: Level, order: Order) -> date | None:
    """Return the last day of protection at the new level: raised it runs anew, lowered it never ends later."""
    if order.decided_on is None:
        return None
    ends, now = history.end_of_period(to, order.decided_on), history.latest(record)
    if kind is ChangeKind.LOWER and ends is not None and now is not None and now.protected_until is not None:
        return min(ends, now.protected_until)
    return ends


def _told(order: Order) -> dict[str, object]:
    day = order.decided_on.isoformat() if order.decided_on else ""
    return {"decision": order.basis, "authority": order.authority, "decided_on": day}
