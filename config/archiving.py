"""Whether the PostgreSQL server keeps its log for the way back to a moment (`archive_mode`), and how that stands.

What is told is the server's own view, `pg_stat_archiver`, which every role may read. Nothing
is told on SQLite, where archiving is off, and while the server does not answer: that is told elsewhere.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

LATE_PIECES: Final = 4  # one is being written, one on its way; with archive_timeout=300 so many are 20 minutes
FIRST_WITHIN: Final = timedelta(hours=1)  # after the counting began
PIECES: Final = re.compile(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})(?:$|\.)")  # time line, then number in two parts
_ASKED: Final = """
SELECT last_archived_time, last_failed_time, stats_reset, last_archived_wal, pg_walfile_name(pg_current_wal_lsn()),
       pg_size_bytes(current_setting('wal_segment_size'))
FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'
"""


@dataclass(frozen=True, slots=True)
class Archiver:
    """How archiving stands, by the server's own clock (UTC): last piece kept, last attempt refused, counting since."""

    kept_at: datetime | None
    failed_at: datetime | None
    counted_since: datetime | None
    waiting: int | None  # whole pieces of the log that are not kept yet; None: nobody can tell

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt was refused."""
        return self.failed_at is not None and (self.kept_at is None or self.failed_at > self.kept_at)

    @property
    def is_late(self) -> bool:
        """Whether pieces pile up, or none was kept since the counting began long ago."""
        if self.kept_at is None:
            return self.counted_since is not None and timezone.now() - self.counted_since > FIRST_WITHIN
        return self.waiting is not None and self.waiting >= LATE_PIECES


def standing() -> Archiver | None:
    """Return how archiving stands; None: it is not configured, or the server does not tell."""
    row = _row()
    if row is None:
        return None
    kept_at, failed_at, counted_since, kept, current, piece_bytes = row
    return Archiver(kept_at, failed_at, counted_since, _waiting(kept, current, piece_bytes))


def words(archiver: Archiver) -> str:
    """Return what is wrong and what to do, "" for nothing."""
    if archiver.is_failing:
        said = _("the server refused to keep the last piece of its log at %(at)s") % {"at": _said(archiver.failed_at)}
    elif archiver.kept_at is None and archiver.is_late:
        said = _("no piece of the server's log was kept since %(at)s") % {"at": _said(archiver.counted_since)}
    elif archiver.is_late:
        said = ngettext(
            "%(count)s piece of the server's log waits to be kept",
            "%(count)s pieces of the server's log wait to be kept",
            archiver.waiting or 0,
        ) % {"count": archiver.waiting}
    else:
        return ""
    return _(
        "%(said)s: there is no way back to a later moment, and the log piles up beside the data. Look whether the folder of "
        "archive_command is mounted and has room, then at the server's own log."
    ) % {"said": said}


def _row() -> tuple[Any, ...] | None:
    """Return the server's answer: three moments, the piece kept last, the piece being written, bytes of a piece."""
    if connection.vendor != "postgresql":
        return None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ASKED)
            row: tuple[Any, ...] | None = cursor.fetchone()
    except DatabaseError:
        return None
    return row


def _waiting(kept: str | None, current: str, piece_bytes: int) -> int | None:
    """Count the whole pieces between two names.

    >>> _waiting("0000000100000000000000FE", "000000010000000100000002", 16 * 1024 * 1024)
    3
    >>> _waiting("00000002.history", "000000020000000100000002", 16 * 1024 * 1024)
    """
    numbers = [_number(name, piece_bytes) for name in (kept or "", current)]
    if None in numbers:
        return None
    first, last = (number or 0 for number in numbers)
    return max(0, last - first - 1)


def _number(name: str, piece_bytes: int) -> int | None:
    found = PIECES.match(name)
    return None if found is None else int(found[1], 16) * (2**32 // piece_bytes) + int(found[2], 16)


def _said(moment: datetime | None) -> str:
    return "-" if moment is None else f"{timezone.localtime(moment):%d/%m/%Y %H:%M}"
