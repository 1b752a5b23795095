"""Whether entries of the log bear out what stands beside them: columns, which are copies, and digests of rows.

Pages ask by the columns of an entry, and its bytes are what is hashed and signed: a column
that SQL changed, or emptied, hides an entry from who asks. Never writes, never repairs.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Any, Final

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Substr

from archive.models import AuditEntry, AuditPending, AuditRow, Octets, Record
from archive.verifier.verify import LONGEST_ENTRY

MISCOPIED: Final = "its columns are not what its bytes say"
NO_ENTRY: Final = "digests of rows are kept with it, and it is not there"
_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that is not what the log says: which, in which columns, and what was done to it."""

    kind: str
    row: str
    what: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line for the officer's screen and the command."""
        named = f" ({', '.join(self.columns)})" if self.columns else ""
        return f"{self.kind} {self.row}: {self.what}{named}"


def commitment(rows: Iterable[AuditRow]) -> str:
    """Return what an entry says of the digests kept with it: one hash over them, "" for none."""
    parts = sorted((r.kind, r.row_id, bytes(r.salt).hex(), str(r.columns), bytes(r.digests).hex()) for r in rows)
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest() if parts else ""


def faults() -> Iterator[Fault]:
    """Yield every entry that does not bear out its columns or the digests kept with it, and every digest without its entry."""
    key = Record.objects.filter(pk=OuterRef("record_id")).values("key")[:1]
    begins = Substr("body", 1, LONGEST_ENTRY + 1, output_field=Octets())  # a longer one is not what its hash says
    entries = AuditEntry.objects.order_by("pk").defer("body").annotate(record_key=Subquery(key), begins=begins)
    rows = AuditRow.objects.order_by("entry_id", "id").iterator(chunk_size=_ROWS)
    kept = groupby(rows, key=lambda row: row.entry_id)
    entry, theirs = next(kept, (None, iter(())))
    for one in entries.iterator(chunk_size=_ROWS):
        one.begins = bytes(one.begins or b"")  # type: ignore[assignment,arg-type]  # SQLite: the beginning of an empty one is NULL
        body = _said(one.begins)  # type: ignore[arg-type]
        if columns := _miscopied(one, body):
            yield Fault("entry", str(one.pk), MISCOPIED, columns)
        said, found = body.get("rows_h", ""), ""
        while entry is not None and entry < one.pk:  # both come in the order of their keys
            yield Fault("entry", str(entry), NO_ENTRY)
            entry, theirs = next(kept, (None, iter(())))
        if one.pk == entry:
            found = commitment(theirs)
            entry, theirs = next(kept, (None, iter(())))
        if found != said:
            yield Fault("entry", str(one.pk), "the digests of rows kept with it were changed")
    for each in [entry, *(key for key, _theirs in kept)] if entry is not None else []:
        yield Fault("entry", str(each), NO_ENTRY)
    # Who asks who saw a dispatch is answered by this column: where it is empty the entry is not found.
    known = Record.objects.values("key")
    hidden = AuditEntry.objects.filter(object_type="record", record_id=None, object_id__in=known)
    for pk in hidden.values_list("pk", flat=True):
        yield Fault("entry", str(pk), MISCOPIED, ("record_id",))
    placeless = AuditEntry.objects.filter(leaf=None).exclude(pk__in=AuditPending.objects.values("entry_id"))
    for pk in placeless.values_list("pk", flat=True):
        yield Fault("entry", str(pk), "it has no place in the log, and none awaits it")


def _about(entry: Any, thing: dict[str, Any]) -> tuple[Any, Any]:
    """Return the record of an entry by its column and by its bytes. Those of a scan name the scan, not its record."""
    match thing.get("type"):
        case "record":
            return entry.record_key or thing.get("id"), thing.get("id")
        case "scan":
            return None, None
        case _:
            return entry.record_id, None


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _miscopied(entry: Any, said: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns of an entry, which pages search by, that are not copies of what its bytes say."""
    actor, thing = said.get("actor"), said.get("object")
    actor, thing = actor if isinstance(actor, dict) else {}, thing if isinstance(thing, dict) else {}
    pairs = {
        "id": (str(entry.pk), said.get("id")),
        "ts": (entry.ts.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), said.get("ts")),
        "actor_id": (entry.actor_id or 0, actor.get("id")),
        "action": (entry.action, said.get("action")),
        "outcome": (entry.outcome, said.get("outcome")),
        "object_type": (entry.object_type, thing.get("type")),
        "object_id": (entry.object_id, thing.get("id")),
        "object_seq": (entry.object_seq, said.get("object_seq")),
        "level": (entry.level, thing.get("level")),
        "record_id": _about(entry, thing),
        "leaf_hash": (bytes(entry.leaf_hash), hashlib.sha256(b"\x00" + entry.begins).digest()),
    }
    return tuple(name for name, (column, body) in pairs.items() if column != body)
