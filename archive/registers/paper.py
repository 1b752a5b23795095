"""After a restore: which books are closed, and how a clerk opens them with the last number on paper.

A number between the last one in the database and the last one on paper was given by hand
or lost with the restore. It is void, is shown in its book with that reason, and is never
given again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, restoration
from archive.models import PaperCheck, Person, Register, RegisterCounter
from archive.registers.books import Book, Sheet, readable
from archive.registers.lines import Line
from archive.rules.errors import Hidden, Refusal
from archive.rules.roles import Action

# A slip of the finger must not use up a book: more than this is asked again in words.
MOST_LOST: Final = 5_000


class NotClosed(Refusal):
    """REG-011: this register is open, or someone confirmed it in the meantime."""

    code = "REG-011"
    message = _("The register “%(register)s” of %(year)s is not waiting for a number. Open the register and go on.")


class BelowKept(Refusal):
    """REG-012: the archive already holds a higher number."""

    code = "REG-012"
    message = _(
        "The archive holds number %(kept)s in “%(register)s” of %(year)s, so the last number cannot be %(number)s. "
        "Compare the paper register with the archive and give the higher of the two."
    )


class TooFarAhead(Refusal):
    """REG-013: so many numbers cannot have been lost with one restore."""

    code = "REG-013"
    message = _(
        "From number %(kept)s to %(number)s more than %(most)s numbers would become void. "
        "Look at the paper register again; if the number is right, ask the machine's administrator for a newer backup."
    )


def waiting(person: Person) -> Sequence[PaperCheck]:
    """Return the closed books among those a person may open, oldest year first."""
    mine = PaperCheck.objects.filter(register__in=readable(person), confirmed_at__isnull=True)
    return list(mine.select_related("register__unit").order_by("register__unit__path", "register__kind", "year"))


@dataclass(frozen=True, slots=True)
class Lost:
    """Numbers of a book that were given on paper or lost with a restore: void, from the first to the last."""

    first: int
    last: int
    check: PaperCheck

    @property
    def count(self) -> int:
        """How many numbers that is."""
        return self.last - self.first + 1


def lost(book: Book) -> list[Lost]:
    """Return the ranges of void numbers that restores left in a book, in order."""
    found = PaperCheck.objects.filter(register=book.register, year=book.year, on_paper__gt=F("kept"))
    checks = found.select_related("confirmed_by").order_by("kept")
    return [Lost(check.kept + 1, check.on_paper or check.kept, check) for check in checks]


def rows(book: Book, sheet: Sheet, *, oldest_first: bool) -> list[Line | Lost]:
    """Return the lines of a screen with the lost numbers among them, each range on one screen only."""
    low = sheet.lowest if sheet.has_lower else 0
    here = [each for each in lost(book) if each.first > low and (sheet.above is None or each.first <= sheet.above)]
    return merged(sheet.lines, here, oldest_first=oldest_first)


def merged(lines: Sequence[Line], ranges: Sequence[Lost], *, oldest_first: bool = True) -> list[Line | Lost]:
    """Return lines and lost ranges together, by number."""
    return sorted([*lines, *ranges], key=_place, reverse=not oldest_first)


def _place(row: Line | Lost) -> int:
    return row.first if isinstance(row, Lost) else row.number.number


@transaction.atomic
def confirm_last_number(register: Register, number: int, *, actor: Person, year: int | None = None) -> PaperCheck:
    """Open a register again: its last number on paper is this one, and the next will be one higher.

    Args:
        register: a book that a restore closed.
        number: the last number that stands in the paper register of that year, 0 if none.
        actor: the clerk of that register.
        year: of the book; this year if not given.

    Raises:
        Hidden, Forbidden: the actor may not open this register, or may not confirm.
        NotClosed, BelowKept, TooFarAhead: as named.
    """
    if not readable(actor).filter(pk=register.pk).exists():
        raise Hidden(object_type="register", object_id=str(register.pk))
    access.require(actor, Action.REGISTER_CONFIRM)
    now = timezone.now()
    this_year = timezone.localtime(now).year
    asked = year or this_year
    counter, _made = RegisterCounter.objects.select_for_update().get_or_create(register=register, year=asked)
    check = PaperCheck.objects.filter(register=register, year=asked, confirmed_at__isnull=True).first()
    if check is None:
        raise NotClosed(register=register.name, year=asked)
    _plausible(check, number)
    check.on_paper, check.confirmed_at, check.confirmed_by = number, now, actor
    check.save(update_fields=["on_paper", "confirmed_at", "confirmed_by"])
    counter.last = number
    counter.save(update_fields=["last"])
    asked_too = _ask_this_year_too(check, this_year)
    details = {"year": asked, "kept": check.kept, "last": number}
    audit.write(Action.REGISTER_CONFIRM, actor=actor, subject=register, details=details, rows=[check], made=asked_too)
    return check


def _plausible(check: PaperCheck, number: int) -> None:
    facts = {"register": check.register.name, "year": check.year, "kept": check.kept, "number": number}
    if number < check.kept:
        raise BelowKept(**facts)
    if number - check.kept > MOST_LOST:
        raise TooFarAhead(**facts, most=MOST_LOST)


def _ask_this_year_too(check: PaperCheck, this_year: int) -> list[PaperCheck]:
    """A register confirmed in the new year was closed at its turn: paper may have begun the new series."""
    later = PaperCheck.objects.filter(register=check.register, year__gt=check.year, asked_at__gte=check.asked_at)
    if check.year >= this_year or later.exists():
        return []
    kept = restoration.last_number(check.register, this_year)
    return [PaperCheck.objects.create(register=check.register, year=this_year, asked_at=check.asked_at, kept=kept)]
