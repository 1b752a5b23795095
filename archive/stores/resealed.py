"""Which objects were sealed anew under other addresses: kept beside the data keys, because it must outlive the main database.

A database that goes back to a moment before an object was sealed anew names an address that has no key any more. What
its content lies under now is told here and nowhere else. An address is never sealed anew as itself, so a way from
one to the next always ends. Knows no keys and no rows of the office.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from archive.stores.keyrows import Rows


@dataclass(frozen=True, slots=True)
class Anew:
    """One object that was sealed anew, by object ids; digest of the new sealed bytes, 64 hexadecimal digits."""

    old: bytes
    new: bytes
    sealed_sha256: str
    is_left: bool  # bytes or key of the old one may still lie


class Resealed:
    """The table of a vault."""

    def __init__(self, rows: Rows) -> None:
        """Read and write through the vault's rows."""
        self._rows = rows

    def note(self, old: bytes, new: bytes, *, sealed_sha256: str) -> None:
        """Write durably as what an object is sealed anew, before any row says so; a later try takes the place of one cut off."""
        with self._rows.changing() as db:
            db.execute("DELETE FROM resealed WHERE object_id = ?", (old,))
            db.execute("INSERT INTO resealed VALUES (?, ?, ?, ?, 1)", (old, new, sealed_sha256, int(time.time())))

    def forget(self, old: bytes) -> None:
        """Strike out what was noted and never done."""
        with self._rows.changing() as db:
            db.execute("DELETE FROM resealed WHERE object_id = ?", (old,))

    def removed(self, old: bytes) -> None:
        """Write that neither bytes nor key of the old object lie any more."""
        with self._rows.changing() as db:
            db.execute("UPDATE resealed SET is_left = 0 WHERE object_id = ?", (old,))

    def next_of(self, object_id: bytes) -> bytes | None:
        """Return as what an object was sealed anew, None if it was not."""
        with self._rows.lend() as db:
            row = db.execute("SELECT now_id FROM resealed WHERE object_id = ?", (object_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def since(self, moment: datetime) -> set[bytes]:
        """Return what objects were sealed anew as from a moment on (UTC), to the second."""
        with self._rows.lend() as db:
            rows = db.execute("SELECT now_id FROM resealed WHERE noted_at >= ?", (int(moment.timestamp()),)).fetchall()
        return {bytes(row[0]) for row in rows}

    def all(self) -> Iterator[Anew]:
        """Yield every object that was sealed anew, the newest last."""
        with self._rows.lend() as db:
            rows = db.execute(
                "SELECT object_id, now_id, sealed_sha256, is_left FROM resealed ORDER BY noted_at, object_id"
            ).fetchall()
        yield from (Anew(bytes(old), bytes(new), sha256, bool(is_left)) for old, new, sha256, is_left in rows)
