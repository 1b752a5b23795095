"""Words that people wrote about a record while it stood above a reader's clearance: they stay at that level.

A record comes down; what was written on its copies, steps, openings and notices while it
was up was written for those cleared then. Whoever shows such words asks here first; the
same rule as for the history of levels (`history.told_to`). Nothing is changed in any row.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.models import LevelChange, Person, Record
from archive.standing import clearance

WITHHELD: Final = _("Written at a higher level than yours; the words stay there.")
OF_STEP: Final = {"instruction": "created_at", "answer": "answered_at", "note": "closed_at"}
OF_COPY: Final = {"reason": "made_at", "end_note": "ended_at"}
OF_GRANT: Final = {"reason": "since"}

Above = Callable[[datetime | None], bool]


def above(person: Person, record: Record) -> Above:
    """Return a question: did the record stand above a reader's clearance at a moment?"""
    return _asked_of(clearance(person, timezone.now()), [record.pk]).get(record.pk, _never)


def above_of(person: Person, records: Iterable[int]) -> dict[int, Above]:
    """Return the question of each of these records that ever stood above a reader's clearance; the others are left out."""
    return _asked_of(clearance(person, timezone.now()), records)


def hush(reader: Person | int, rows: Iterable[Any], words: Mapping[str, str]) -> None:
    """Put a sentence in place of the words that a reader must not see, in rows about to be shown and never to be saved.

    Args:
        reader: whose clearance counts, or that clearance.
        rows: each with `record_id`.
        words: the names of columns of words, each with that of the moment at which they were written.
    """
    shown = [row for row in rows if any(getattr(row, name) for name in words)]
    if not shown:
        return
    cleared = clearance(reader, timezone.now()) if isinstance(reader, Person) else reader
    asked = _asked_of(cleared, {row.record_id for row in shown})
    for row in shown:
        was_above = asked.get(row.record_id, _never)
        for name, moment in words.items():
            if getattr(row, name) and was_above(getattr(row, moment)):
                setattr(row, name, str(WITHHELD))


def _asked_of(cleared: int, records: Iterable[int]) -> dict[int, Above]:
    """Return the question of each record that ever stood above a clearance."""
    told: dict[int, list[tuple[datetime, int, int]]] = {}
    rows = LevelChange.objects.filter(record__in=list(records)).order_by("-pk")
    for record, at, new, old in rows.values_list("record", "done_at", "to_level", "from_level"):
        told.setdefault(record, []).append((at, new, old))
    return {
        record: _question(history, cleared)
        for record, history in told.items()
        if any(max(new, old) > cleared for _at, new, old in history)
    }


def _question(history: list[tuple[datetime, int, int]], cleared: int) -> Above:
    """Return the question of one record; its decisions come newest first."""

    def asked(at: datetime | None) -> bool:
        if at is None:
            return False
        return next((level for done_at, level, _old in history if done_at <= at), history[-1][2]) > cleared

    return asked


def _never(_at: datetime | None) -> bool:
    return False
