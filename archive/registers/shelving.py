"""Registers of a unit: opened, renamed, closed and reopened by the administrator, who numbers nothing.

A unit has one open register of a kind, so that a dispatch has one series to be numbered in; secret dispatches have their
own. Numbers stay with their register whatever it is called; a reopened one goes on after its last number. One that is
opened in a year of a restore, or the year after, may have been open before, and given numbers that the backup does not
know: it waits for paper. So does one that is reopened then and has no number of this year yet.
"""

import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, restoration
from archive.models import PaperCheck, Person, Register, RegisterKind, Unit
from archive.registers.columns import SECRET
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.units import UnitClosed


class BookThere(Refusal):
    """REG-015: one open register of a kind in a unit."""

    code = "REG-015"
    message = _("“%(unit)s” has the open register “%(register)s” of that kind. Close it first, or choose another unit.")


class BookNamed(Refusal):
    """REG-016: a unit has no two registers of one kind and name, closed ones included."""

    code = "REG-016"
    message = _("“%(unit)s” has a register “%(name)s” of that kind already. Reopen that one, or choose another name.")


class NoSecretBooks(Refusal):
    """REG-017: no register for what the installation may not hold, in whatever form."""

    code = "REG-017"
    message = _(
        "This installation holds nothing above %(ceiling)s and keeps no dispatch on paper alone, so a register of state "
        "secrets would stay empty. Keep that register on paper."
    )


class BookClosed(Refusal):
    """REG-018: only an open register is renamed or closed."""

    code = "REG-018"
    message = _("The register “%(register)s” is closed. Reopen it first.")


class BookOpen(Refusal):
    """REG-019: only a closed register is reopened."""

    code = "REG-019"
    message = _("The register “%(register)s” is open. Look at the page again.")


class BookIncomplete(Refusal):
    """REG-020: a register has a name; what is done to it has a reason."""

    code = "REG-020"
    message = _("Fill in the name, and the order it rests on.")


@dataclass(frozen=True, slots=True)
class New:
    """A register to be opened."""

    kind: RegisterKind
    name: str
    unit: Unit


@transaction.atomic
def begin(new: New, *, reason: str, actor: Person) -> Register:
    """Open a register of a unit; its first number is 1, or what paper says after a restore.

    Raises:
        Forbidden: the actor may not.
        BookIncomplete, NoSecretBooks, UnitClosed, BookThere, BookNamed: as named.
    """
    access.require(actor, Action.BOOK_OPEN)
    name = _clean(new.name, reason)
    if new.kind in SECRET and settings.SITE_MAX_LEVEL < Level.MAT and not settings.PAPER_STUBS:
        raise NoSecretBooks(ceiling=settings.SITE_MAX_LEVEL.label)
    unit = _open_unit(new.unit)
    _require_alone(unit, new.kind)
    _require_free(unit, new.kind, name)
    row = Register.objects.create(kind=new.kind, name=name, unit=unit)
    details = {"name": name, "book": str(new.kind), "unit": unit.name}
    made = [row, *_asked_of_paper(row)]
    audit.write(Action.BOOK_OPEN, actor=actor, subject=row, reason=reason.strip(), details=details, made=made)
    return row


def years_to_ask(register: Register | None = None) -> list[int]:
    """Return of which years paper is asked when a register (None: a new one) is opened: those that a restore left in doubt.

    A year that was asked about, or in which the register gave numbers since, is not asked about again.
    """
    doubtful = restoration.years_in_doubt()
    asked = set(PaperCheck.objects.filter(register=register).values_list("year", flat=True)) if register else set()
    return [
        year for year in sorted(doubtful - asked) if register is None or not restoration.last_number(register, year)
    ]


def _asked_of_paper(register: Register) -> list[PaperCheck]:
    """Let a register wait for its last number on paper if a restore may have taken earlier ones away."""
    now = timezone.now()
    return [
        PaperCheck.objects.create(register=register, year=year, asked_at=now, kept=0) for year in years_to_ask(register)
    ]


@transaction.atomic
def rename(register: Register, *, name: str, reason: str, actor: Person) -> Register:
    """Give a register another name; its numbers stay.

    Raises:
        Forbidden: the actor may not.
        BookIncomplete, BookClosed, BookNamed: as named.
    """
    access.require(actor, Action.BOOK_RENAME)
    name, row = _clean(name, reason), _locked(register)
    if not row.is_open:
        raise BookClosed(register=row.name)
    _require_free(row.unit, RegisterKind(row.kind), name, but=row)
    details = {"before": row.name, "now": name}
    row.name = name
    row.save(update_fields=["name"])
    audit.write(Action.BOOK_RENAME, actor=actor, subject=row, reason=reason.strip(), details=details)
    return row


@transaction.atomic
def close(register: Register, *, reason: str, actor: Person) -> Register:
    """Close a register: it takes no dispatch any more, and stays to be read and printed.

    Raises:
        Forbidden: the actor may not.
        BookIncomplete, BookClosed: as named.
    """
    access.require(actor, Action.BOOK_CLOSE)
    row = _asked_about(register, reason)
    if not row.is_open:
        raise BookClosed(register=row.name)
    row.is_open = False
    row.save(update_fields=["is_open"])
    audit.write(Action.BOOK_CLOSE, actor=actor, subject=row, reason=reason.strip(), details={"name": row.name})
    return row


@transaction.atomic
def reopen(register: Register, *, reason: str, actor: Person) -> Register:
    """Reopen a closed register: it goes on after its last number; after a restore paper is asked first, as of all.

    Raises:
        Forbidden: the actor may not.
        BookIncomplete, BookOpen, UnitClosed, BookThere: as named.
    """
    access.require(actor, Action.BOOK_REOPEN)
    row = _asked_about(register, reason)
    if row.is_open:
        raise BookOpen(register=row.name)
    _open_unit(row.unit)
    _require_alone(row.unit, RegisterKind(row.kind))
    row.is_open = True
    row.save(update_fields=["is_open"])
    told, made = {"name": row.name}, _asked_of_paper(row)
    audit.write(Action.BOOK_REOPEN, actor=actor, subject=row, reason=reason.strip(), details=told, made=made)
    return row


def _asked_about(register: Register, reason: str) -> Register:
    if not reason.strip():
        raise BookIncomplete
    return _locked(register)


def _locked(register: Register) -> Register:
    """Return a register as it is while its unit is locked: two acts at once could open two of a kind."""
    Unit.objects.select_for_update().get(pk=register.unit_id)
    return Register.objects.select_related("unit").get(pk=register.pk)


def _open_unit(unit: Unit) -> Unit:
    found = Unit.objects.select_for_update().get(pk=unit.pk)
    if not found.is_active:
        raise UnitClosed(unit=found.name)
    return found


def _require_alone(unit: Unit, kind: RegisterKind) -> None:
    other = Register.objects.filter(unit=unit, kind=kind, is_open=True).first()
    if other is not None:
        raise BookThere(unit=unit.name, register=other.name)


def _require_free(unit: Unit, kind: RegisterKind, name: str, *, but: Register | None = None) -> None:
    named = Register.objects.filter(unit=unit, kind=kind, name__iexact=name).exclude(pk=but.pk if but else 0)
    if named.exists():
        raise BookNamed(unit=unit.name, name=name)


def _clean(name: str, reason: str) -> str:
    name = unicodedata.normalize("NFC", name).strip()
    if not name or not reason.strip():
        raise BookIncomplete
    return name
