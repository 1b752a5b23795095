"""The chain of one object in the log: where it ends, and who may write its next entry. Knows no entry's words."""

from typing import Final

from django.db import connection

from archive import merkle
from archive.rules.written import octets

# SQLite takes any value into any column: what is no whole number is none that an act goes on from.
WHOLE: Final = "typeof(object_seq) = 'integer'"
LOCK: Final = 0x564B01  # the family of advisory locks; the second number is the object's hash

_ROWS: Final = "SELECT object_seq, leaf_hash FROM archive_auditentry WHERE object_type = %s AND object_id = %s"
_LAST: Final = "ORDER BY object_seq DESC LIMIT 1"
# Two statements in one message: the second has a snapshot of its own, taken after the lock was had.
_LOCKED_END: Final = f"""
SELECT pg_advisory_xact_lock(%s, hashtext(%s));
{_ROWS} {_LAST}
"""
_END: Final = f"{_ROWS} AND {WHOLE} {_LAST}"


def last_of(object_type: str, object_id: str) -> tuple[int, bytes]:
    """Return the highest object_seq of an object and its leaf hash; (0, 32 zero bytes) for a new one.

    On PostgreSQL the chain of this object is the caller's from here until its transaction
    ends: ask late, when everything else of the act is done.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_LOCKED_END, [LOCK, f"{object_type}:{object_id}", object_type, object_id])
            cursor.nextset()
        else:
            cursor.execute(_END, [object_type, object_id])
        row = cursor.fetchone()
    return (row[0], merkle.as_hash(octets(row[1]))) if row else (0, bytes(32))
