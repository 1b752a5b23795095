"""One look decides: what was read of a row, and used, is what its last act left.

A door reads a row, decides by it, and holds it against its digest. Two reads would let SQL show
one thing to the decision and another to the digest; here the values in hand are compared with the
one statement that reads row and digest together. Never writes.
"""

from collections.abc import Collection

from django.db.models import Model

from archive import digests


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


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
