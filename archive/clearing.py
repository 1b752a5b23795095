"""Clearances and compartment marks: given, shortened, extended, revoked by somebody else, on a decision.

A clearance row is never changed but for an earlier end; a longer one is a new row, so what a
person was cleared for on a past day can be told. Nobody clears themselves and the
administrator of the machine has no clearance at all. Expiry needs no act and no job:
`archive.standing` compares the clock. Nothing here reads a record or opens a file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import (
    Clearance,
    ClearanceMark,
    Mark,
    MarkGroup,
    Marking,
    MarkingMark,
    MarkRule,
    Person,
    PersonRole,
    Record,
)
from archive.rules.errors import Forbidden, Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.standing import during, marks_held


class NotForTheMachine(Refusal):
    """CLR-001: the duty of running the machine is kept apart from what lies on it."""

    code = "CLR-001"
    message = _("%(person)s administers the machine and can have no clearance. End that post first, or choose another.")


class NoBasis(Refusal):
    """CLR-002: a clearance rests on a decision and a reason."""

    code = "CLR-002"
    message = _("Fill in the number of the decision and the reason: the clearance rests on them.")


class WrongPeriod(Refusal):
    """CLR-003: the end lies before the beginning, or in the past."""

    code = "CLR-003"
    message = _("The clearance must end after it begins, and not in the past. Correct the two days.")


class ClearanceOver(Refusal):
    """CLR-004: revoked or ended already."""

    code = "CLR-004"
    message = _("This clearance has ended already. Give a new one if it is needed.")


class NotShorter(Refusal):
    """CLR-005: a clearance is never made longer by changing its end."""

    code = "CLR-005"
    message = _("The new end must lie before the present one. To go on longer, extend the clearance on a decision.")


class NotLonger(Refusal):
    """CLR-006: an extension must end later."""

    code = "CLR-006"
    message = _(
        "The extension must end after the present end of the clearance, and a clearance without an end needs none."
    )


class MarkKnown(Refusal):
    """CLR-007: a mark of that name is there; names tell marks apart."""

    code = "CLR-007"
    message = _("There is a mark “%(name)s” already. Choose another name.")


class NotWithinOwnMarks(Refusal):
    """CLR-008: nobody sets or takes off a mark they do not hold, nor closes a dispatch to themselves."""

    code = "CLR-008"
    message = _("You can set and take off only marks that your own clearance holds.")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a clearance says and rests on: `until` None means no end; times are aware."""

    level: Level
    since: datetime
    until: datetime | None
    basis: str
    reason: str
    marks: tuple[Mark, ...] = ()


@transaction.atomic
def give(decision: Decision, *, to: Person, actor: Person) -> Clearance:
    """Clear a person for a level and marks for a time.

    Raises:
        Forbidden: the actor may not give clearances, or gives to themselves.
        NotForTheMachine, NoBasis, WrongPeriod: as named.
    """
    access.require(actor, Action.CLEARANCE_GIVE)
    given = _write(decision, to=to, actor=actor)
    details = _told(given, decision)
    audit.write(
        Action.CLEARANCE_GIVE, actor=actor, subject=to, reason=decision.reason, details=details, made=_rows(given)
    )
    return given


@transaction.atomic
def extend(clearance: Clearance, *, until: datetime, basis: str, reason: str, actor: Person) -> Clearance:
    """Let a clearance go on: a new row of the same level and marks begins where this one ends.

    Raises:
        Forbidden: the actor may not, or it is their own clearance.
        ClearanceOver, NotLonger, NoBasis, NotForTheMachine: as named.
    """
    access.require(actor, Action.CLEARANCE_EXTEND)
    old = _live(clearance)
    if old.until is None or until <= old.until:
        raise NotLonger
    marks = tuple(old.marks.order_by("pk"))
    decision = Decision(Level(old.level), old.until, until, basis, reason, marks)
    given = _write(decision, to=old.person, actor=actor)
    details = _told(given, decision)
    audit.write(
        Action.CLEARANCE_EXTEND, actor=actor, subject=old.person, reason=reason, details=details, made=_rows(given)
    )
    return given


def _rows(given: Clearance) -> list[Model]:
    """Return a clearance with its marks, for the digests of the act."""
    return [given, *ClearanceMark.objects.filter(clearance=given)]


def _write(decision: Decision, *, to: Person, actor: Person) -> Clearance:
    if to.pk == actor.pk:
        raise Forbidden(reason=_("nobody clears themselves"), object_type="person", object_id=str(to.pk))
    now = timezone.now()
    Person.objects.select_for_update(of=("self",)).get(pk=to.pk)  # a post given beside this waits, and sees it
    if PersonRole.objects.filter(during(max(decision.since, now), decision.until), person=to, role=Role.ADMIN).exists():
        raise NotForTheMachine(person=to.full_name)
    if not decision.basis.strip() or not decision.reason.strip():
        raise NoBasis
    if decision.until is not None and decision.until <= max(decision.since, now):
        raise WrongPeriod
    given = Clearance.objects.create(
        person=to,
        level=decision.level,
        since=decision.since,
        until=decision.until,
        basis=decision.basis.strip(),
        reason=decision.reason.strip(),
        granted_by=actor,
    )
    ClearanceMark.objects.bulk_create(ClearanceMark(clearance=given, mark=mark) for mark in decision.marks)
    return given


def _told(given: Clearance, decision: Decision) -> dict[str, object]:
    return {
        "clearance": given.pk,
        "level": decision.level.slug,
        "since": decision.since.isoformat(),
        "until": decision.until.isoformat() if decision.until else "",
        "basis": decision.basis,
        "marks": [mark.name for mark in decision.marks],
    }


@transaction.atomic
def shorten(clearance: Clearance, *, until: datetime, reason: str, actor: Person) -> Clearance:
    """Let a clearance end earlier than it said.

    Raises:
        Forbidden: the actor may not.
        ClearanceOver, NotShorter, WrongPeriod, NoBasis: as named.
    """
    access.require(actor, Action.CLEARANCE_SHORTEN)
    old = _live(clearance)
    if old.until is not None and until >= old.until:
        raise NotShorter
    if until <= max(old.since, timezone.now()):
        raise WrongPeriod
    _end(old, reason, actor, until=until)
    details = {"clearance": old.pk, "level": Level(old.level).slug, "until": until.isoformat()}
    audit.write(Action.CLEARANCE_SHORTEN, actor=actor, subject=old.person, reason=reason, details=details, rows=[old])
    return Clearance.objects.get(pk=old.pk)


@transaction.atomic
def revoke(clearance: Clearance, *, reason: str, actor: Person) -> Clearance:
    """End a clearance at once; the next request of its holder is answered without it.

    Raises:
        Forbidden: the actor may not.
        ClearanceOver, NoBasis: as named.
    """
    access.require(actor, Action.CLEARANCE_REVOKE)
    old = _live(clearance)
    _end(old, reason, actor, revoked_at=timezone.now())
    details = {"clearance": old.pk, "level": Level(old.level).slug}
    audit.write(Action.CLEARANCE_REVOKE, actor=actor, subject=old.person, reason=reason, details=details, rows=[old])
    return Clearance.objects.get(pk=old.pk)


def _live(clearance: Clearance) -> Clearance:
    """Return the clearance under its lock, or refuse one that has ended; one of the future is live."""
    found = Clearance.objects.select_for_update(of=("self",)).select_related("person").get(pk=clearance.pk)
    if found.revoked_at is not None or (found.until is not None and found.until <= timezone.now()):
        raise ClearanceOver
    return found


def _end(clearance: Clearance, reason: str, actor: Person, **when: datetime) -> None:
    if not reason.strip():
        raise NoBasis
    Clearance.objects.filter(pk=clearance.pk).update(ended_by=actor, end_reason=reason.strip(), **when)


# --- compartments -------------------------------------------------------------------------------------------


@transaction.atomic
def add_mark(name: str, *, group: str, rule: MarkRule, actor: Person, keeps_level: bool = False) -> Mark:
    """Add a compartment mark to a group; the rule counts when the group is new.

    What carries a mark that keeps its level is never lowered while the mark is on it.

    Raises:
        Forbidden: the actor may not.
        MarkKnown: the name is taken.
    """
    access.require(actor, Action.MARK_ADD)
    if Mark.objects.filter(name=name).exists():
        raise MarkKnown(name=name)
    into, is_new = MarkGroup.objects.get_or_create(name=group, defaults={"rule": rule})
    mark = Mark.objects.create(group=into, name=name, keeps_level=keeps_level)
    details = {"name": name, "group": group, "rule": into.rule, "keeps_level": keeps_level}
    audit.write(Action.MARK_ADD, actor=actor, subject=mark, details=details, made=[mark, *([into] if is_new else [])])
    return mark


@transaction.atomic
def mark(record: Record, *, marks: Iterable[Mark], reason: str, actor: Person) -> Record:
    """Put a record into exactly these compartments; its access rows follow in the same act.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not mark.
        NoBasis: no reason was given.
        NotWithinOwnMarks: a mark set or taken off is not held by the actor, or they would close it to themselves.
    """
    access.require(actor, Action.RECORD_MARK, record)
    if not reason.strip():
        raise NoBasis
    wanted = {each.pk for each in marks}
    locked = Record.objects.select_for_update().get(pk=record.pk)
    before = set(MarkingMark.objects.filter(marking=locked.marking_id).values_list("mark", flat=True))
    if (wanted ^ before) - marks_held(actor, timezone.now()):
        raise NotWithinOwnMarks
    is_new = bool(wanted) and _known(wanted) is None
    locked.marking = combination(wanted)
    locked.save(update_fields=["marking"])
    access.derive(locked)
    names = list(Mark.objects.filter(pk__in=wanted).order_by("name").values_list("name", flat=True))
    combined = [locked.marking, *MarkingMark.objects.filter(marking=locked.marking)] if is_new else []
    audit.write(Action.RECORD_MARK, actor=actor, subject=locked, reason=reason, details={"marks": names}, made=combined)
    return locked


def combination(marks: set[int]) -> Marking:
    """Return the row of exactly these marks, made the first time."""
    if not marks:
        return Marking.objects.get(name="")
    if known := _known(marks):
        return known
    names = Mark.objects.filter(pk__in=marks).order_by("name").values_list("name", flat=True)
    made = Marking.objects.create(name=" + ".join(names))
    MarkingMark.objects.bulk_create(MarkingMark(marking=made, mark_id=each) for each in sorted(marks))
    return made


def _known(marks: set[int]) -> Marking | None:
    """Return the row of exactly these marks, if there is one."""
    held: dict[int, set[int]] = {}
    for marking, each in MarkingMark.objects.values_list("marking", "mark"):
        held.setdefault(marking, set()).add(each)
    found = next((marking for marking, theirs in held.items() if theirs == marks), None)
    return Marking.objects.get(pk=found) if found is not None else None
