"""Dispatches kept on paper alone: registered as stubs, handed on from holder to holder, taken in once their level allows.

A stub is what the register may say of a dispatch above the ceiling of the site: number,
issuer, number and symbol, days, level, urgency, and where the paper lies - never a file,
a page, an abstract or a note, and no line in a search index. It is a record under the same
policy as any other. Levels that the site may hold are no stubs; where `PAPER_STUBS` is
off, nothing above the ceiling is written down at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, manifests
from archive.attachments import Held
from archive.holding import is_held, is_stub
from archive.leveling import history, words
from archive.models import PaperPlace, PaperStub, Person, Record, RecordState, Register, RegisterKind
from archive.models.record import Direction
from archive.registration import (
    Entry,
    LevelTooHigh,
    MissingFields,
    allot,
    check_duplicate,
    check_fields,
    check_register,
)
from archive.rules.errors import Hidden, Refusal
from archive.rules.folding import key
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.standing import clearance, units_open

LOOKED_AT: Final = 5_000  # an office registers some hundreds in a year


class NoStubs(Refusal):
    """PAP-001: this installation writes nothing down above its ceiling."""

    code = "PAP-001"
    message = _(
        "This installation registers nothing above %(ceiling)s, not even on paper. Enter the dispatch in the paper register "
        "and tell the security officer."
    )


class HoldsFiles(Refusal):
    """PAP-002: up to the ceiling a dispatch has its file and its abstract."""

    code = "PAP-002"
    message = _("%(level)s may be held here: hand the file in, and register the dispatch with its abstract.")


class NotOnPaper(Refusal):
    """PAP-003: only a dispatch kept on paper alone has a holder written down."""

    code = "PAP-003"
    message = _("This dispatch is not kept on paper alone any more. Open its page again.")


class StillAbove(Refusal):
    """PAP-004: what stands above the ceiling stays paper; top secret always does."""

    code = "PAP-004"
    message = _(
        "%(level)s is above what this installation may hold (%(ceiling)s): the dispatch stays on paper until its level has "
        "been lowered."
    )


class WrongDay(Refusal):
    """PAP-005: nobody has signed for a paper in the future."""

    code = "PAP-005"
    message = _("The day of the signature cannot lie in the future.")


@dataclass(frozen=True, slots=True)
class Lying:
    """Where a paper lies: copies, who answers for it, in which place, who signed for it on which local day."""

    copies: int
    holder: str
    place: str
    signed_by: str
    signed_on: date


def offered(person: Person) -> list[Level]:
    """Return the levels at which a person may register a stub: above the ceiling, up to their clearance; none if it is off."""
    if not settings.PAPER_STUBS:
        return []
    cleared = clearance(person, timezone.now())
    return [level for level in Level if settings.SITE_MAX_LEVEL < level <= cleared]


def refusal(person: Person) -> Refusal:
    """Return why a person may register no stub at all."""
    cleared = clearance(person, timezone.now())
    if settings.PAPER_STUBS:
        return LevelTooHigh(level=_("What stands above the ceiling of this installation"), ceiling=cleared.label)
    return NoStubs(ceiling=settings.SITE_MAX_LEVEL.label)


def registers(person: Person) -> QuerySet[Register]:
    """Return the open registers of state secrets on a person's desk, those of their own unit first."""
    mine = Register.objects.filter(unit__in=units_open(person, timezone.now()), is_open=True)
    secret = mine.filter(kind__in=[RegisterKind.SECRET_INCOMING, RegisterKind.SECRET_OUTGOING])
    return secret.select_related("unit").order_by("unit__path", "kind", "pk")


@transaction.atomic
def register(
    entry: Entry, lying: Lying, *, register: Register, actor: Person, despite_duplicate: bool = False
) -> Record:
    """Register a dispatch that exists on paper only; its number comes from the register like any other.

    Raises:
        Forbidden: the actor may not register.
        NoStubs, HoldsFiles, LevelTooHigh, WrongRegister, MissingFields, WrongDay, LooksRegistered, RegisterClosed: as named.
    """
    access.require(actor, Action.RECORD_REGISTER)
    _check_level(entry.level, actor)
    if register.unit_id not in units_open(actor, timezone.now()):
        raise Hidden(object_type="register", object_id=str(register.pk))
    check_register(register, entry.direction, entry.level)
    check_fields(entry, without=("subject",))
    _check_lying(lying)
    if not despite_duplicate:
        check_duplicate(entry, actor)
    record = _record(entry, lying, register, actor)
    manifests.settle(record)
    made = [PaperStub.objects.create(record=record), _write(record, lying, actor)]
    access.derive(record)
    made += history.determine(record, actor=actor)
    number = allot(register, record, actor)
    details = {"register": register.pk, "year": number.year, "number": number.number, "paper_only": True}
    audit.write(Action.RECORD_REGISTER, actor=actor, subject=record, details=details, made=[record, number, *made])
    return record


def _check_level(level: Level, actor: Person) -> None:
    ceiling = settings.SITE_MAX_LEVEL
    if level <= ceiling:
        raise HoldsFiles(level=level.label)
    if not settings.PAPER_STUBS:
        raise NoStubs(ceiling=ceiling.label)
    cleared = clearance(actor, timezone.now())
    if level > cleared:
        raise LevelTooHigh(level=level.label, ceiling=cleared.label)


def _check_lying(lying: Lying) -> None:
    names = {"holder": _("who keeps the paper"), "place": _("where it lies"), "signed_by": _("who signed for it")}
    missing = [str(word) for name, word in names.items() if not getattr(lying, name).strip()]
    if lying.copies < 1:
        missing.append(str(_("number of copies")))
    if missing:
        raise MissingFields(names=", ".join(missing))
    if lying.signed_on > timezone.localdate():
        raise WrongDay


def _record(entry: Entry, lying: Lying, register: Register, actor: Person) -> Record:
    now = timezone.now()
    incoming = entry.direction == Direction.INCOMING
    return Record.objects.create(
        state=RecordState.REGISTERED,
        direction=entry.direction,
        level=entry.level,
        initial_level=entry.level,
        declared_level=entry.level,
        proposed_level=entry.level,
        unit=register.unit,
        code_number=entry.code_number,
        code_notation=entry.code_notation,
        issued_date=entry.issued_date,
        organ_name=entry.organ_name,
        type_name=entry.type_name,
        urgency=entry.urgency,
        to_places=entry.to_places,
        arrival_date=entry.arrival_date if incoming else None,
        issued_amount=lying.copies,
        # It was handed over on paper and signed for: it waits on no desk to be submitted.
        is_handed=True,
        created_at=now,
        created_by=actor,
        registered_at=now,
        registered_by=actor,
    )


def _write(record: Record, lying: Lying, actor: Person) -> PaperPlace:
    return PaperPlace.objects.create(
        record=record,
        copies=lying.copies,
        holder=lying.holder.strip(),
        place=lying.place.strip(),
        signed_by=lying.signed_by.strip(),
        signed_on=lying.signed_on,
        written_by=actor,
        written_at=timezone.now(),
    )


@transaction.atomic
def hand_on(record: Record, lying: Lying, *, actor: Person) -> PaperPlace:
    """Write that the paper went to another holder or place, and who signed for it.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or does not keep papers.
        NotOnPaper, MissingFields, WrongDay: as named.
    """
    locked = access.lock(record, Action.PAPER_MOVE, actor)
    if not is_stub(locked) or locked.state != RecordState.REGISTERED:
        raise NotOnPaper
    _check_lying(lying)
    row = _write(locked, lying, actor)
    details = {"holder": row.holder, "place": row.place, "signed_by": row.signed_by}
    audit.write(Action.PAPER_MOVE, actor=actor, subject=locked, details=details, made=[row])
    return row


@transaction.atomic
def take_in(record: Record, *, subject: str, reason: str, actor: Person) -> Record:
    """End a stub whose level came down: from now on it takes an abstract and files like any other dispatch.

    Args:
        record: a stub at or below the ceiling of the site.
        subject: the abstract, which the register line lacks until now.
        reason: why, in the person's words.
        actor: the clerk.

    Raises:
        Hidden, Forbidden: the actor may not see the record, or may not take it in.
        NotOnPaper, StillAbove, MissingFields: as named.
        Held: under a hold it gets no abstract.
    """
    locked = access.lock(record, Action.PAPER_END, actor)
    stub = PaperStub.objects.filter(record=locked, ended_at__isnull=True).first()
    if stub is None or locked.state != RecordState.REGISTERED:
        raise NotOnPaper
    if not may_come_in(locked):
        raise StillAbove(level=Level(locked.level).label, ceiling=settings.SITE_MAX_LEVEL.label)
    missing = [str(word) for word, said in ((_("subject"), subject), (_("reason"), reason)) if not said.strip()]
    if missing:
        raise MissingFields(names=", ".join(missing))
    if is_held(locked):
        raise Held
    stub.ended_at, stub.ended_by, stub.end_reason = timezone.now(), actor, reason.strip()
    stub.save(update_fields=["ended_at", "ended_by", "end_reason"])
    locked.subject = subject.strip()
    locked.save(update_fields=["subject"])
    audit.write(Action.PAPER_END, actor=actor, subject=locked, reason=reason, rows=[stub])
    return locked


def may_come_in(record: Record) -> bool:
    """Return whether the level of a stub has come down to what this site may hold; top secret never has."""
    return bool(record.level <= min(settings.SITE_MAX_LEVEL, Level.TOI_MAT))


def indexed(records: QuerySet[Record]) -> QuerySet[Record]:
    """Return those of a set of records that a search index may hold: a paper stub has no line in any."""
    return records.exclude(stub__isnull=False, stub__ended_at__isnull=True)


def told_to(person: Person, record: Record) -> list[PaperPlace]:
    """Return where the paper of an opened record has been, newest first.

    Words written while it stood above the reader's clearance keep to themselves; never save these rows.
    """
    rows = list(PaperPlace.objects.filter(record=record).select_related("written_by"))
    return _hushed(person, rows)


def newest_places(person: Person, records: Sequence[Record]) -> dict[int, PaperPlace]:
    """Return where the papers of opened records lie now, by record id; words of a higher level are left out as above."""
    rows = PaperPlace.objects.filter(record__in=records).order_by("record_id", "-pk")
    newest: dict[int, PaperPlace] = {}
    for row in rows:
        newest.setdefault(row.record_id, row)
    _hushed(person, list(newest.values()))
    return newest


def _hushed(person: Person, rows: list[PaperPlace]) -> list[PaperPlace]:
    words.hush(person, rows, dict.fromkeys(("holder", "place", "signed_by"), "written_at"))
    return rows


def found(person: Person, *, text: str = "", most: int = 100) -> list[Record]:
    """Return the stubs that a person may know of, newest first; of a text those whose number, symbol, issuer or type hold its words.

    They lie in no search index, so this is how they are found: word by word, with or without marks, among the newest
    of them (`LOOKED_AT`).
    """
    # From the few stubs to their records: a join lets a database walk all records, the newest first.
    stubs = PaperStub.objects.filter(ended_at__isnull=True).values("record_id")
    mine = Record.objects.filter(pk__in=stubs, state=RecordState.REGISTERED)
    seen = access.visible_to(person).among(mine).select_related("number__register", "unit").order_by("-pk")
    wanted = key(text).split()
    shown: list[Record] = []
    for record in seen[: LOOKED_AT if wanted else most + 1]:
        said = key(
            f"{record.number.number} {record.symbol} {record.code_number} {record.organ_name} {record.type_name}"
        )
        if all(word in said for word in wanted):
            shown.append(record)
        if len(shown) > most:
            break
    return shown
