"""The second check: which of a page's records the database opens to a reader, with what a list shows of them.

The condition is `access.Scope.opens` and no other. It is written once for a reader who is nobody, with signs in the
place of records, level, markings, principals and minute, and asked with those of the reader: writing it and making
models of twenty rows took 6 ms of a page of hits, the database 0.3. What is kept between requests names no person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from archive.access import Scope
from archive.models import Attachment
from archive.planning import Written
from archive.rules.numbers import join

SIZES: Final = (20, 200)  # records asked for at once: a page of hits, a batch of a file
# What no record, level, clock, principal or marking can be (levels fit into 16 bits, the others into 32).
_RECORDS: Final = tuple(range(-1, -1 - SIZES[-1], -1))
_LEVEL, _NOW = 32_001, 2_000_000_017
_MARKING, _PRINCIPAL = 2_000_100_000, 2_000_200_000


class Numbered(NamedTuple):
    """The number a record has, and the name of its register."""

    number: int
    register: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a list shows of a record, by the names of the model; `unit` is the unit's name."""

    pk: int
    key: str
    state: str
    direction: str
    level: int
    urgency: int
    code_number: str
    code_notation: str
    issued_date: date | None
    organ_name: str
    parent_organ_name: str
    type_name: str
    subject: str
    signer_name: str
    signer_authority: str
    arrival_date: date | None
    due_date: date | None
    page_amount: int
    unit: str
    number: Numbered | None
    has_attached: bool

    @property
    def symbol(self) -> str:
        """Number and symbol as printed."""
        return join(self.code_number, self.code_notation)


_COLUMNS: Final = (
    "pk", "key", "state", "direction", "level", "urgency", "code_number", "code_notation", "issued_date", "organ_name",
    "parent_organ_name", "type_name", "subject", "signer_name", "signer_authority", "arrival_date", "due_date",
    "page_amount", "unit__name", "number__number", "number__register__name", "attached",
)  # fmt: skip
_DAYS: Final = tuple(place for place, name in enumerate(_COLUMNS) if name.endswith("_date"))


def opened(scope: Scope, ids: Sequence[int]) -> dict[int, Shown]:
    """Return what is shown of those of the records that are open in a scope, by id; the others might as well not be there."""
    found: dict[int, Shown] = {}
    for start in range(0, len(ids), SIZES[-1]):
        found.update({one.pk: one for one in _opened(scope, ids[start : start + SIZES[-1]])})
    return found


def _opened(scope: Scope, ids: Sequence[int]) -> Iterator[Shown]:
    size = next(size for size in SIZES if len(ids) <= size)
    query = _written(connection.vendor, size, len(scope.markings), len(scope.principals))
    instead = {_LEVEL: scope.level, _NOW: scope.now}
    instead |= dict(zip(_RECORDS, [*ids, *[ids[0]] * (size - len(ids))], strict=False))
    instead |= {_MARKING + place: marking for place, marking in enumerate(scope.markings)}
    instead |= {_PRINCIPAL + place: principal for place, principal in enumerate(scope.principals)}
    return map(_shown, query.ask(instead))


@lru_cache(maxsize=200)
def _written(_vendor: str, size: int, markings: int, principals: int) -> Written:
    nobody = Scope(
        level=_LEVEL,
        markings=tuple(range(_MARKING, _MARKING + markings)),
        principals=tuple(range(_PRINCIPAL, _PRINCIPAL + principals)),
        now=_NOW,
    )
    attached = Exists(Attachment.objects.filter(record=OuterRef("pk")))
    return Written.of(nobody.opens(_RECORDS[:size]).annotate(attached=attached).values_list(*_COLUMNS))


def _shown(row: Sequence[Any]) -> Shown:
    """Make one of a row as the database gives it: SQLite keeps a day as text."""
    values: list[Any] = list(row)
    for place in _DAYS:
        if isinstance(values[place], str):
            values[place] = date.fromisoformat(values[place])
    number, register, attached = values[-3:]
    values[-3:] = [None if number is None else Numbered(number, register), bool(attached)]
    return Shown(*values)
