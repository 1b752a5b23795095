"""The forms: a volume of a register, the contents list of a dossier, a part of the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive import office
from archive.models import Dossier, DossierItem
from archive.printing.paper import Print, draw
from archive.registers import Book, Line, Lost, merged


@dataclass(frozen=True, slots=True)
class Volume:
    """What is bound together: the numbers of a book from the first to the last, under a volume number."""

    book: Book
    first: int
    last: int
    ordinal: int
    lines: Sequence[Line]
    lost: Sequence[Lost] = ()  # numbers void after a restore; a range may begin before or end after this volume

    @property
    def rows(self) -> list[Line | Lost]:
        """Lines and lost numbers, by number."""
        return merged(self.lines, self.lost)

    @property
    def voided(self) -> int:
        """How many of its numbers are void."""
        return self._struck + sum(min(each.last, self.last) - max(each.first, self.first) + 1 for each in self.lost)

    @property
    def valid(self) -> int:
        """How many of its lines stand."""
        return len(self.lines) - self._struck

    @property
    def _struck(self) -> int:
        return sum(line.is_void for line in self.lines)


@dataclass(frozen=True, slots=True)
class Contents:
    """A dossier and what its reader may see in it, in order."""

    dossier: Dossier
    items: Sequence[DossierItem]


def register_volume(volume: Volume, *, made: Print) -> bytes:
    """Return a volume of a register as PDF: cover, lines in the legal columns, sum and signatures."""
    days = [line.number.allotted_at for line in volume.lines]
    context = {
        "volume": volume,
        "book": volume.book,
        "begun": min(days, default=None),
        "ended": max(days, default=None),
        "valid": volume.valid,
        **_about(made),
    }
    return draw("archive/printing/register.html", context)


def contents_list(contents: Contents, *, made: Print) -> bytes:
    """Return the contents list of a dossier as PDF: seven columns, pages counted through."""
    rows, before = [], 0
    for item in contents.items:
        amount = item.record.page_amount
        rows.append({"item": item, "record": item.record, "first": before + 1, "last": before + amount})
        before += amount
    context = {"dossier": contents.dossier, "rows": rows, "pages": before, **_about(made)}
    return draw("archive/printing/contents.html", context)


def log_rows(rows: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any], *, made: Print) -> bytes:
    """Return a part of the log as PDF: what was asked, what it proves and what not, then the rows."""
    lines = [{"it": row, "at": datetime.fromisoformat(row["at"])} for row in rows]
    return draw("archive/printing/log.html", {"lines": lines, "about": manifest, **_about(made)})


def _about(made: Print) -> dict[str, object]:
    """Return what every form says of the office and of its own making."""
    called = office.called()
    return {"made": made, "parent": called.parent, "office": called.name}
