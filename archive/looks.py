"""One look decides: what was read of a row, and used, is what its last act left.

A door reads a row, decides by it, and holds it against its digest. Two reads would let SQL show
one thing to the decision and another to the digest; here the values in hand are compared with the
one statement that reads row and digest together. Values that an act before the last had left are
no edit: somebody's lawful act came between, and the door decides again. Never writes.
"""

from collections.abc import Collection
from datetime import timedelta
from itertools import pairwise
from typing import Final

from django.db.models import Model
from django.utils import timezone

from archive import digests
from archive.models import AuditRow

MOMENT: Final = timedelta(minutes=1)  # so long may lie between reading a row and deciding by it
LAST: Final = 5  # acts on one row in that time that are looked through


def is_as_read(row: Model, *, by: Collection[str] = (), needs_digest: bool = False) -> bool:
    """Return whether a row is as its last act left it, and the values in hand are those of that very look.

    Args:
        row: as it was read, and decided by.
        by: the columns that were decided by; none named: every one that is digested.
        needs_digest: whether a row counts of which no digest is kept.
    """
    ((_pk, state, last),) = digests.read(row.__class__, [row.pk])
    if state is None or (last is None and needs_digest):
        return False
    if last is not None and (not last.columns or digests.differing(state, last)):
        return False
    return all(_plain(state[name]) == _plain(getattr(row, name)) for name in by or state)


def is_overtaken(row: Model, *, by: Collection[str] = ()) -> bool:
    """Return whether the row is as its last act left it, and the values in hand as one before: acts of a moment ago came between.

    Args:
        row: as it was read, and decided by.
        by: the columns that were decided by; none named: every one that was digested then.
    """
    if digests.is_moved(row):
        return False
    kept = AuditRow.objects.filter(kind=digests.name_of(row.__class__), row_id=row.pk).order_by("-id")
    for newer, older in pairwise(kept.select_related("entry")[:LAST]):
        if timezone.now() - newer.entry.ts > MOMENT:
            return False
        names = by or str(older.columns).split(" ")
        if older.columns and all(digests.bears_out(older, name, getattr(row, name)) for name in names):
            return True
    return False


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
