"""What the index has not followed yet: records that changed after its position, to be asked of the database instead.

An index may be behind. Were its yes believed for a record that has just been closed, the
page of hits would be right after the second check, but the total and the facets would
still count it. So each reader's terms leave out what changed meanwhile and is closed to
them. Reads the log, writes nothing.
"""

import threading
from collections.abc import Iterable
from typing import Final

from django.db import connection

from archive.models import AuditEntry, AuditLeaf, AuditPending
from search.engine import Engine
from search.follow import changed_records

MOST: Final = 2_000  # records asked of the database for one search; of a longer backlog the newest


class Backlog:
    """The records that changed after a position of the index, looked up entry by entry and only once each."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._engine: Engine | None = None
        self._position = -1
        self._looked_at = 0
        self._changed: dict[int, None] = {}
        self._lock = threading.Lock()

    def records(self, engine: Engine) -> list[int]:
        """Return the records that have changed since the position of an index, at most the newest MOST.

        Raises:
            EngineAway: the search server does not answer.
        """
        position = engine.position()
        with self._lock:
            if position != self._position or engine is not self._engine:
                self._engine = engine
                self._position, self._looked_at, self._changed = position, position, {}
            self._look()
            known = dict(self._changed)
        known.update(dict.fromkeys(_unplaced()))
        return list(known)[-MOST:]

    def _look(self) -> None:
        """Read the entries that were placed since the last look."""
        rows = (
            AuditLeaf.objects.filter(idx__gte=self._looked_at)
            .order_by("-idx")
            .values_list("idx", "entry__action", "entry__record_id", "entry__object_type", "entry__object_id")
        )
        leaves = list(rows[: 5 * MOST])[::-1]
        if not leaves:
            return
        for record in changed_records(leaves):
            self._changed.pop(record, None)  # the newest last
            self._changed[record] = None
        self._changed = dict(list(self._changed.items())[-MOST:])
        self._looked_at = leaves[-1][0] + 1


def _unplaced() -> Iterable[int]:
    """Return the records of entries that are committed and have no place in the log yet."""
    if connection.vendor != "postgresql":
        return ()
    waiting = AuditPending.objects.order_by("-pk").values("entry_id")[:MOST]
    rows = AuditEntry.objects.filter(pk__in=list(waiting.values_list("entry_id", flat=True)))
    return changed_records([(0, *row) for row in rows.values_list("action", "record_id", "object_type", "object_id")])
