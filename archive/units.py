"""Units: made, renamed, closed and reopened by the administrator, put under another unit by the security officer.

A scope is a unit with all below it, so a unit that moves in the tree changes who may know of its papers: that is
no matter of the machine. A closed unit keeps its papers and whoever has it in scope; nothing new comes to it.
"""

import unicodedata
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import Person, Unit
from archive.rules.errors import Refusal
from archive.rules.roles import Action


class CodeTaken(Refusal):
    """UNI-001: a code names one unit for good."""

    code = "UNI-001"
    message = _("The code “%(code_given)s” belongs to “%(unit)s”. Choose another one.")


class UnitInUse(Refusal):
    """UNI-002: a unit with people, open units below or open registers is not closed."""

    code = "UNI-002"
    message = _(
        "“%(unit)s” still has %(people)s people, %(units)s units below it and %(registers)s open registers. Move or "
        "close these first."
    )


class UnitClosed(Refusal):
    """UNI-003: nothing is put under a closed unit, and only an open one is changed."""

    code = "UNI-003"
    message = _("“%(unit)s” is closed. Reopen it first, or choose another unit.")


class UnderItself(Refusal):
    """UNI-004: a tree has no circle."""

    code = "UNI-004"
    message = _("“%(unit)s” cannot be put under itself or a unit below it. Choose another one.")


class UnitOpen(Refusal):
    """UNI-005: only a closed unit is reopened."""

    code = "UNI-005"
    message = _("“%(unit)s” is open. Look at the page again.")


class UnitIncomplete(Refusal):
    """UNI-006: a unit has a code and a name; what is done to it later has a reason."""

    code = "UNI-006"
    message = _("Fill in code and name, and for a change the order it rests on.")


@dataclass(frozen=True, slots=True)
class Called:
    """Code and name of a unit; the code is short and unique."""

    code: str
    name: str


@transaction.atomic
def add(called: Called, *, under: Unit, actor: Person) -> Unit:
    """Make a unit below another one.

    Raises:
        Forbidden: the actor may not make units.
        CodeTaken, UnitClosed, UnitIncomplete: as named.
    """
    access.require(actor, Action.UNIT_ADD)
    above = _locked(under)
    if not above.is_active:
        raise UnitClosed(unit=above.name)
    unit = enter(called, under=above)
    details = {"code": unit.code, "name": unit.name, "under": above.name}
    audit.write(Action.UNIT_ADD, actor=actor, subject=unit, details=details, made=[unit])
    return unit


def enter(called: Called, *, under: Unit | None) -> Unit:
    """Write the row of a unit; inside an act that has its own entry: `add`, or the founding of an office."""
    code, name = _clean(called)
    _require_free(code)
    unit = Unit.objects.create(code=code, name=name, parent=under, path=f"new:{code}")
    unit.path = f"{under.path if under else '/'}{unit.pk}/"
    unit.save(update_fields=["path"])
    return unit


@transaction.atomic
def rename(unit: Unit, to: Called, *, reason: str, actor: Person) -> Unit:
    """Change code and name of a unit.

    Raises:
        Forbidden: the actor may not.
        CodeTaken, UnitClosed, UnitIncomplete: as named.
    """
    found = _asked_about(unit, Action.UNIT_CHANGE, reason, actor)
    if not found.is_active:
        raise UnitClosed(unit=found.name)
    code, name = _clean(to)
    _require_free(code, but=found)
    details = {"before": f"{found.code} {found.name}", "now": f"{code} {name}"}
    found.code, found.name = code, name
    found.save(update_fields=["code", "name"])
    audit.write(Action.UNIT_CHANGE, actor=actor, subject=found, reason=reason.strip(), details=details, rows=[found])
    return found


@transaction.atomic
def close(unit: Unit, *, reason: str, actor: Person) -> Unit:
    """Close a unit that has nobody and nothing open in it.

    Raises:
        Forbidden: the actor may not.
        UnitInUse, UnitClosed, UnitIncomplete: as named.
    """
    found = _asked_about(unit, Action.UNIT_CLOSE, reason, actor)
    if not found.is_active:
        raise UnitClosed(unit=found.name)
    people = found.people.filter(is_active=True).count()
    below = found.children.filter(is_active=True).count()
    registers = found.registers.filter(is_open=True).count()
    if people or below or registers:
        raise UnitInUse(unit=found.name, people=people, units=below, registers=registers)
    found.is_active = False
    found.save(update_fields=["is_active"])
    audit.write(Action.UNIT_CLOSE, actor=actor, subject=found, reason=reason.strip(), rows=[found])
    return found


@transaction.atomic
def reopen(unit: Unit, *, reason: str, actor: Person) -> Unit:
    """Reopen a closed unit.

    Raises:
        Forbidden: the actor may not.
        UnitOpen, UnitClosed (the one above), UnitIncomplete: as named.
    """
    found = _asked_about(unit, Action.UNIT_REOPEN, reason, actor)
    if found.is_active:
        raise UnitOpen(unit=found.name)
    if found.parent is not None and not found.parent.is_active:
        raise UnitClosed(unit=found.parent.name)
    found.is_active = True
    found.save(update_fields=["is_active"])
    audit.write(Action.UNIT_REOPEN, actor=actor, subject=found, reason=reason.strip(), rows=[found])
    return found


@transaction.atomic
def move(unit: Unit, *, under: Unit, reason: str, actor: Person) -> Unit:
    """Put a unit with all below it under another one: from the commit on, scopes over the new one reach its papers.

    Raises:
        Forbidden: the actor may not.
        UnderItself, UnitClosed, UnitIncomplete: as named.
    """
    found = _asked_about(unit, Action.UNIT_MOVE, reason, actor)
    above = Unit.objects.get(pk=under.pk)
    if not above.is_active:
        raise UnitClosed(unit=above.name)
    if above.path.startswith(found.path):
        raise UnderItself(unit=found.name)
    before, was = found.path, found.parent.name if found.parent else ""
    moved = list(Unit.objects.filter(path__startswith=before))
    for each in moved:
        each.path = f"{above.path}{found.pk}/{each.path.removeprefix(before)}"
        each.parent_id = above.pk if each.pk == found.pk else each.parent_id
    Unit.objects.bulk_update(moved, ["path", "parent"])
    details = {"before": was, "now": above.name, "units": len(moved)}
    audit.write(Action.UNIT_MOVE, actor=actor, subject=found, reason=reason.strip(), details=details, rows=moved)
    return Unit.objects.get(pk=found.pk)


def _asked_about(unit: Unit, action: Action, reason: str, actor: Person) -> Unit:
    access.require(actor, action)
    if not reason.strip():
        raise UnitIncomplete
    return _locked(unit)


def _locked(unit: Unit) -> Unit:
    """Return a unit while the whole tree is locked: a few hundred rows, and two moves at once could close a circle."""
    list(Unit.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    return Unit.objects.select_related("parent").get(pk=unit.pk)


def _clean(called: Called) -> tuple[str, str]:
    code, name = (unicodedata.normalize("NFC", part).strip() for part in (called.code, called.name))
    if not code or not name:
        raise UnitIncomplete
    return code, name


def _require_free(code: str, *, but: Unit | None = None) -> None:
    taken = Unit.objects.filter(code__iexact=code).exclude(pk=but.pk if but else 0).first()
    if taken is not None:
        raise CodeTaken(code_given=code, unit=taken.name)
