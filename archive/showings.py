"""Which dispatches a page of hits showed: the rows that "who saw it?" is answered from, held against the entries.

An entry's details name every dispatch (`audit.ON_PAGE`), the most secret first, say how many stood at each level
(`audit.LEVELS`), and so hold the level of each; they are bound by its salted digest. `AuditShown` repeats them for finding,
with the entry's person and moment. Reads, never writes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from archive.audit import LEVELS, NOTHING, ON_PAGE
from archive.models import AuditDetail, AuditEntry, AuditShown, Record
from archive.rules.levels import Level
from archive.vouching import Fault

_AT_ONCE: Final = 500  # entries
_LEVELS: Final = frozenset(str(int(level)) for level in Level)  # as details name them
_NONE: Final = b'"details_h":""'  # in the body of an entry without details; within a value its quotes were escaped


def faults() -> Iterator[Fault]:
    """Look whether what was shown stands beside each entry as its details say; destroyed details say nothing of which."""
    told = AuditDetail.objects.filter(payload__has_key=ON_PAGE).order_by("entry_id")
    pairs = told.values_list("entry_id", "payload").iterator(chunk_size=_AT_ONCE)
    while some := dict(islice(pairs, _AT_ONCE)):
        yield from _differing(some)
    for entry in _once(AuditShown.objects.exclude(actor_id=F("entry__actor_id"), ts=F("entry__ts"))):
        yield Fault(
            "entry", str(entry), "the dispatches it showed are kept under another person or moment than its own"
        )
    for entry in _misleveled():
        yield Fault("entry", str(entry), "the highest level of the dispatches it showed is not its own")
    silent = AuditShown.objects.filter(entry__detail__isnull=False).exclude(entry__detail__payload__has_key=ON_PAGE)
    for entry in (*_once(silent), *_without_details()):
        yield Fault("entry", str(entry), "its details name no dispatch that it is said to have shown")


def _once(rows: QuerySet[AuditShown]) -> Iterable[UUID]:
    return rows.order_by("entry_id").values_list("entry_id", flat=True).distinct()


def _misleveled() -> Iterable[UUID]:
    """Yield the entries that stand at another level than the highest they showed; one about a thing of its own may stand above."""
    tops = AuditShown.objects.values("entry_id").annotate(top=Max("level")).order_by("entry_id")
    below = Q(top__lt=F("entry__level"), entry__object_type=NOTHING.type)
    return tops.filter(Q(top__gt=F("entry__level")) | below).values_list("entry_id", flat=True)


def _without_details() -> Iterator[UUID]:
    """Yield the entries that are said to have shown something and were written without details: none were destroyed."""
    shown = AuditShown.objects.filter(entry=OuterRef("pk"))
    bare = AuditEntry.objects.filter(Exists(shown), detail__isnull=True).order_by("pk")
    for entry, body in bare.values_list("pk", "body").iterator(chunk_size=_AT_ONCE):
        if _NONE in bytes(body):  # as text: one that was changed is no JSON, and is named by its leaf
            yield entry


def _differing(told: dict[UUID, Any]) -> Iterator[Fault]:
    rows = list(AuditShown.objects.filter(entry__in=list(told)).values_list("entry_id", "record_id", "level"))
    keys = dict(Record.objects.filter(pk__in={record for _entry, record, _level in rows}).values_list("pk", "key"))
    shown: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    for entry, record, level in rows:
        shown[entry].append((keys.get(record, ""), level))
    for entry, said in told.items():
        named, levels = _named(said)
        if named is None or sorted(named) != sorted(key for key, _level in shown[entry]):
            yield Fault("entry", str(entry), "the dispatches kept as shown are not those that its details name")
        elif levels is None or (levels and sorted(zip(named, levels, strict=True)) != sorted(shown[entry])):
            yield Fault("entry", str(entry), "a dispatch is kept as shown at another level than its details say")


def _named(said: Any) -> tuple[list[str] | None, list[int] | None]:
    """Return the dispatches that details name and the level of each, none in details of before; None where no program wrote it.

    Nobody but SQL writes such: who checks the log names the entry, and goes on to the next.
    """
    keys = said[ON_PAGE] if isinstance(said, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        return None, None
    counted = said.get(LEVELS, {})
    if not isinstance(counted, dict) or not all(level in _LEVELS and type(counted[level]) is int for level in counted):
        return keys, None
    if LEVELS in said and (sum(counted.values()) != len(keys) or min(counted.values(), default=0) < 0):
        return keys, None
    return keys, [int(level) for level in sorted(counted, reverse=True) for _ in range(counted[level])]
