"""One line of a register: a number, its dispatch, and what stands in each legal column.

Pure words over rows that were read already: no query but what the rows hold, no decision
about access.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from archive.models import PaperPlace, Record, RegisterKind, RegisterNumber, Step
from archive.models.route import StepKind, StepState
from archive.registers.columns import COLUMNS, KEPT
from archive.rules.levels import Level

SHAPES: Final = {"subject": " wide"} | dict.fromkeys(("number", "arrived", "issued", "moved", "copies"), " num")
ORDINARY: Final = frozenset({RegisterKind.INCOMING, RegisterKind.OUTGOING})
DRAWN: Final = frozenset({"subject", "number", "level", "note"})  # columns that show more than words


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one column of one line."""

    name: str
    text: str

    # Five hundred cells stand on a screen: asked in the template, these two took a fifth of the page.
    @property
    def shape(self) -> str:
        """The class that sets the cell's width or figures, with a blank before it."""
        return SHAPES.get(self.name, "")

    @property
    def is_words(self) -> bool:
        """Whether the cell is its words and nothing else."""
        return self.name not in DRAWN


@dataclass(frozen=True)
class Line:
    """One number of a book as its reader sees it."""

    number: RegisterNumber
    record: Record
    steps: Sequence[Step]
    kind: str
    papers: Sequence[PaperPlace] = ()  # of a dispatch kept on paper alone: its holders, the first one first

    @property
    def is_void(self) -> bool:
        """Whether the number was voided; its line stays with the reason."""
        return self.number.voided_at is not None

    @property
    def cells(self) -> list[Cell]:
        """The cells in the order of the columns; of a void line only those before its reason."""
        columns = COLUMNS[self.kind][: KEPT[self.kind] if self.is_void else None]
        return [Cell(column.name, CELLS[column.name](self)) for column in columns]

    @property
    def rest(self) -> int:
        """How many columns the reason of a void line takes."""
        return len(COLUMNS[self.kind]) - KEPT[self.kind]

    @property
    def struck(self) -> str:
        """What is struck out in a void line."""
        return ", ".join(part for part in (self.record.organ_name, self.record.symbol, subject(self)) if part)

    @cached_property
    def handed(self) -> list[Step]:
        """The hand-overs that the book names: to whom it went for work or notice, else for direction."""
        standing = [step for step in self.steps if step.state != StepState.RETURNED]
        directed = {step.pk for step in standing if step.kind == StepKind.DIRECT}
        outer = [step for step in standing if step.pk not in directed and step.parent_id in {None, *directed}]
        return outer or [step for step in standing if step.pk in directed]


def day(moment: date | datetime | None) -> str:
    """Return a day as an office writes it."""
    if moment is None:
        return ""
    return f"{timezone.localtime(moment) if isinstance(moment, datetime) else moment:%d/%m/%Y}"


def symbol(line: Line) -> str:
    """Return number and symbol; in the book of outgoing dispatches they also are the place in the book."""
    printed, place = line.record.symbol, line.number.number
    if line.kind != RegisterKind.OUTGOING or line.record.code_number.lstrip("0") == str(place):
        return printed
    return f"{place} ({printed})" if printed else str(place)


def subject(line: Line) -> str:
    """Return type and subject; of a top secret dispatch the type only (decree 63/2026/ND-CP)."""
    about = "" if line.record.level == Level.TUYET_MAT else line.record.subject
    return _joined(": ", (line.record.type_name, about))


def receivers(line: Line) -> str:
    """Return to whom it was handed; before any hand-over, whom the clerk noted."""
    names = dict.fromkeys(str(step.to_person or step.to_unit) for step in line.handed)
    names |= dict.fromkeys(paper.holder for paper in line.papers)
    return ", ".join(names) or line.record.to_places


def moved(line: Line) -> str:
    """Return the day of the first hand-over that the line names."""
    return day(min((step.created_at for step in line.handed), default=None))


def receipts(line: Line) -> str:
    """Return who signed for it, and when."""
    signed = [f"{step.received_by}, {day(step.received_at)}" for step in line.handed if step.received_by]
    signed += [f"{paper.signed_by}, {day(paper.signed_on)}" for paper in line.papers]
    return "; ".join(dict.fromkeys(signed))


def note(line: Line) -> str:
    """Return the clerk's note; in an ordinary book also the level that a dispatch was raised to: it keeps its number there."""
    raised = line.kind in ORDINARY and line.record.level > Level.THUONG
    said = _("Raised to %(level)s, keeps its number") % {"level": Level(line.record.level).label} if raised else ""
    return _joined("; ", (line.record.description, said))


def _joined(between: str, parts: Iterable[str]) -> str:
    return between.join(part for part in parts if part)


CELLS: Final[dict[str, Callable[[Line], str]]] = {
    "arrived": lambda line: day(line.record.arrival_date),
    "number": lambda line: str(line.number.number),
    "author": lambda line: line.record.organ_name,
    "symbol": symbol,
    "issued": lambda line: day(line.record.issued_date),
    "subject": subject,
    "receiver": receivers,
    "moved": moved,
    "signed": receipts,
    "taken": lambda line: _joined("; ", (receivers(line), receipts(line))),
    "note": note,
    "signer": lambda line: line.record.signer_name,
    "to": lambda line: line.record.to_places,
    "to_signed": lambda line: _joined("; ", (line.record.to_places, receipts(line))),
    "keeper": lambda line: str(line.record.unit),
    "copies": lambda line: str(line.record.issued_amount or ""),
    "level": lambda line: str(Level(line.record.level).label),
}
