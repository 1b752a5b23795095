"""Getting a dispatch into a register: register, void, return.

A draft (see `archive.capture`) is registered by a clerk who confirms every field and the level. The number comes from the register in
the same transaction as the record, gapless, and is never edited; a void number stays
with its reason. Slow work (sealing, reading) is never done here: the number is taken
late, under the counter's lock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, time

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.capture import relevel
from archive.leveling import closing, history
from archive.models import (
    PaperCheck,
    Person,
    Record,
    RecordState,
    Register,
    RegisterCounter,
    RegisterKind,
    RegisterNumber,
)
from archive.models.record import Direction
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance


class NotADraft(Refusal):
    """REG-001: registered, returned or voided by someone else in the meantime."""

    code = "REG-001"
    message = _(
        "This dispatch is no longer on the intake desk: someone has registered or returned it. Open the desk again."
    )


class WrongRegister(Refusal):
    """REG-002: secret dispatches have their own registers, and each direction its own."""

    code = "REG-002"
    message = _(
        "The register “%(register)s” does not take this dispatch (%(level)s). Choose the register of that level and direction."
    )


class LevelTooLow(Refusal):
    """REG-004: a clerk confirms the proposed level or more; lowering needs authority and a decision number."""

    code = "REG-004"
    message = _(
        "The level %(level)s is below what was declared or seen on the paper (%(floor)s). Only a person with authority lowers it, with a decision number."
    )


class LevelTooHigh(Refusal):
    """REG-005: above the clerk's clearance or the site's ceiling."""

    code = "REG-005"
    message = _(
        "The level %(level)s is above what you or this installation may hold (%(ceiling)s). Hand the paper to the security officer."
    )


class LooksRegistered(Refusal):
    """REG-006: number, symbol and issuer are the same as those of a registered dispatch."""

    code = "REG-006"
    message = _(
        "%(symbol)s of %(organ)s is already registered as number %(number)s. Compare the two; register again only if they differ."
    )


class MissingFields(Refusal):
    """REG-007: the register line would be incomplete."""

    code = "REG-007"
    message = _("Fill in first: %(names)s.")


class NoRegister(Refusal):
    """REG-009: the unit has no open register of that kind."""

    code = "REG-009"
    message = _("Your unit has no open “%(kind)s”. Ask the administrator to open one.")


class RegisterClosed(Refusal):
    """REG-010: after a restore nobody knows the last number until it is looked up on paper."""

    code = "REG-010"
    message = _(
        "The register “%(register)s” is closed: the archive was restored from a backup and may not know the newest "
        "numbers. Open Registers, look up the last number in the paper register and confirm it there; then register again."
    )


class NumberNotThere(Refusal):
    """REG-008: only an allotted number that is not void yet can be voided."""

    code = "REG-008"
    message = _("This dispatch has no number that could be voided.")


class FileJoined(Refusal):
    """REG-014: what the clerk has confirmed was said before this file was there; it may be more secret."""

    code = "REG-014"
    message = _(
        "A file joined this dispatch while you were typing. Look at its pages, confirm the level, and register again."
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """The register line as the clerk confirms it (names of the data dictionary)."""

    level: Level
    direction: str = Direction.INCOMING
    code_number: str = ""
    code_notation: str = ""
    issued_date: date | None = None
    organ_name: str = ""
    parent_organ_name: str = ""
    type_name: str = ""
    subject: str = ""
    signer_name: str = ""
    signer_position: str = ""
    signer_authority: str = ""
    urgency: int = 0
    description: str = ""
    to_places: str = ""
    arrival_date: date | None = None
    arrival_time: time | None = None
    due_date: date | None = None
    channel: str = ""
    issued_amount: int | None = None


@transaction.atomic
def register(  # noqa: PLR0913 - what the clerk confirms, and against what
    draft: Record,
    entry: Entry,
    *,
    register: Register,
    actor: Person,
    despite_duplicate: bool = False,
    files_seen: int | None = None,
) -> Record:
    """Give a draft its number and its confirmed fields, in one transaction.

    Args:
        draft: a record on the intake desk.
        entry: every field as the clerk confirms it.
        register: the book of that level and direction.
        actor: the clerk.
        despite_duplicate: register although number, symbol and issuer are known already.
        files_seen: how many attached files the clerk has seen; None where nobody can have joined one.

    Raises:
        Hidden, Forbidden: the actor may not see the draft, or may not register.
        RegisterClosed: the archive was restored and the last number on paper is not confirmed yet.
        NotADraft, FileJoined, WrongRegister, LevelTooLow, LevelTooHigh, MissingFields, LooksRegistered: as named.
    """
    access.require(actor, Action.RECORD_REGISTER, draft)
    record = Record.objects.select_for_update().get(pk=draft.pk)
    if record.state != RecordState.DRAFT:
        raise NotADraft
    if files_seen is not None and record.attachments.count() != files_seen:
        raise FileJoined
    _check_level(record, entry.level, actor)
    check_register(register, entry.direction, entry.level)
    check_fields(entry)
    if not despite_duplicate:
        check_duplicate(entry, actor)
    _confirm(record, entry, actor, register)
    access.derive(record)
    begun = history.determine(record, actor=actor)
    number = allot(register, record, actor)
    details = {"register": register.pk, "year": number.year, "number": number.number}
    made = [number, *begun]
    audit.write(Action.RECORD_REGISTER, actor=actor, subject=record, details=details, made=made)
    return record


def _check_level(record: Record, level: Level, actor: Person) -> None:
    floor = Level(record.proposed_level)
    if level < floor:
        raise LevelTooLow(level=level.label, floor=floor.label)
    ceiling = min(clearance(actor, timezone.now()), settings.SITE_MAX_LEVEL)
    if level > ceiling:
        raise LevelTooHigh(level=level.label, ceiling=Level(ceiling).label)


def check_register(register: Register, direction: str, level: Level) -> None:
    """Refuse a register of another direction or level, or a closed one."""
    wanted = kind_for(direction, level)
    if register.kind != wanted or not register.is_open:
        raise WrongRegister(register=register.name, level=level.label)


def kind_for(direction: str, level: Level) -> RegisterKind:
    """Return which kind of register takes a dispatch of this direction and level."""
    if direction == Direction.OUTGOING:
        return RegisterKind.SECRET_OUTGOING if level > Level.THUONG else RegisterKind.OUTGOING
    return RegisterKind.SECRET_INCOMING if level > Level.THUONG else RegisterKind.INCOMING


REQUIRED = {
    "type_name": _("type"),
    "organ_name": _("issuer"),
    "issued_date": _("date of the dispatch"),
    "subject": _("subject"),
}


def check_fields(entry: Entry, *, without: Collection[str] = ()) -> None:
    """Refuse a line that lacks a field which its register demands, but for those that it may not hold."""
    asked = {name: label for name, label in REQUIRED.items() if name not in without}
    names = [str(label) for name, label in asked.items() if not getattr(entry, name)]
    if entry.direction == Direction.INCOMING and entry.arrival_date is None:
        names.append(str(_("arrival date")))
    if names:
        raise MissingFields(names=", ".join(names))


def check_duplicate(entry: Entry, actor: Person) -> None:
    """Warn on the triple number, symbol, issuer (annex VI) - among what the clerk may see."""
    if not entry.code_number:
        return
    twins = Record.objects.filter(
        code_notation=entry.code_notation,
        code_number=entry.code_number,
        organ_name__iexact=entry.organ_name,
        state=RecordState.REGISTERED,
    )
    year = entry.issued_date.year if entry.issued_date else 0
    known = twins.filter(issued_date__year=year).values_list("pk", flat=True)
    twin = access.visible_to(actor).opens(known).select_related("number").first()
    if twin:
        raise LooksRegistered(symbol=twin.symbol, organ=twin.organ_name, number=twin.number.number)


# The same on SQLite and PostgreSQL.
_NEXT = """
INSERT INTO archive_registercounter (register_id, year, last) VALUES (%s, %s, 1)
ON CONFLICT (register_id, year) DO UPDATE SET last = archive_registercounter.last + 1 RETURNING last
"""


def allot(register: Register, record: Record, actor: Person) -> RegisterNumber:
    """Take the next number of the year.

    The number is taken inside the same transaction as the record: a gap in the register
    must be explained to an inspector, a duplicate cannot be explained. One statement opens
    the year, counts and locks: from here to the commit other clerks of this register wait,
    so it comes after everything else that the act does.

    Raises:
        WrongRegister: it was closed meanwhile.
        RegisterClosed: as named.
    """
    year = timezone.localdate().year
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [register.pk, year])
        number = cursor.fetchone()[0]
    waiting = PaperCheck.objects.filter(register=OuterRef("pk"), confirmed_at__isnull=True)
    # Under its lock: it may have been closed since it was read.
    now = Register.objects.select_for_update(of=("self",)).annotate(waits=Exists(waiting)).get(pk=register.pk)
    if not now.is_open:
        raise WrongRegister(register=now.name, level=Level(record.level).label)
    if now.waits:
        raise RegisterClosed(register=now.name)
    return RegisterNumber.objects.create(
        register=register,
        year=year,
        number=number,
        record=record,
        allotted_at=timezone.now(),
        allotted_by=actor,
    )


def expected_number(register: Register) -> int:
    """Return the number that the next registration would get if nobody comes first."""
    return expected_numbers([register])[register.pk]


def expected_numbers(registers: Sequence[Register]) -> dict[int, int]:
    """Return the same for several registers, by their ids."""
    counters = RegisterCounter.objects.filter(register__in=registers, year=timezone.localdate().year)
    last = dict(counters.values_list("register_id", "last"))
    return {register.pk: last.get(register.pk, 0) + 1 for register in registers}


def _confirm(record: Record, entry: Entry, actor: Person, register: Register) -> None:
    """Write the confirmed fields and say of each who gave it: the machine's reading kept, or the person."""
    origin = {}
    for item in fields(entry):
        value = getattr(entry, item.name)
        if item.name == "level":
            continue
        setattr(record, item.name, value)
        read = record.proposal.get(item.name, {}).get("value")
        if value not in ("", None) and item.name != "direction":
            origin[item.name] = "machine" if str(value) == read else "person"
    old_level = Level(record.level)
    record.field_origin = origin
    record.level = record.initial_level = entry.level
    record.state = RecordState.REGISTERED
    record.unit = register.unit
    record.registered_at = timezone.now()
    record.registered_by = actor
    record.save()
    if entry.level != old_level:
        relevel(record)


@transaction.atomic
def void(record: Record, *, reason: str, actor: Person) -> RegisterNumber:
    """Void a number: the row, the record and the reason stay, the number is never given again.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not void.
        NumberNotThere: it has no number, or a void one.
        MissingFields: no reason was given.
    """
    record = access.lock(record, Action.NUMBER_VOID, actor)  # a proposal that is being made waits, and finds it void
    if not reason.strip():
        raise MissingFields(names=str(_("reason")))
    voided = RegisterNumber.objects.filter(record=record, voided_at__isnull=True).update(
        voided_at=timezone.now(), voided_by=actor, void_reason=reason.strip()
    )
    if not voided:
        raise NumberNotThere
    Record.objects.filter(pk=record.pk).update(state=RecordState.VOID)
    record.refresh_from_db()
    access.derive(record)
    audit.write(
        Action.NUMBER_VOID,
        actor=actor,
        subject=record,
        reason=reason,
        rows=list(RegisterNumber.objects.filter(record=record)),
    )
    closing.close_all(record, reason=reason, actor=actor)
    return RegisterNumber.objects.get(record=record)


@transaction.atomic
def return_draft(draft: Record, *, reason: str, actor: Person) -> Record:
    """Return a dispatch to its sender unregistered; it stays traceable on the intake desk.

    Raises:
        Hidden, Forbidden: the actor may not see the draft, or may not return it.
        NotADraft: it is registered or returned already.
        MissingFields: no reason was given.
    """
    access.require(actor, Action.RECORD_RETURN, draft)
    if not reason.strip():
        raise MissingFields(names=str(_("reason")))
    changed = Record.objects.filter(pk=draft.pk, state=RecordState.DRAFT).update(
        state=RecordState.RETURNED, return_reason=reason.strip()
    )
    if not changed:
        raise NotADraft
    draft.refresh_from_db()
    access.derive(draft)
    audit.write(Action.RECORD_RETURN, actor=actor, subject=draft, reason=reason)
    return draft
