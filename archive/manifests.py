"""Which files and pages a dispatch has, as one digest in its row, so that its door tells what was moved past the office.

No act changes a sealed object, and the seal binds bytes, level and key. Which dispatch an object belongs to, and where its
pages lie in a pack, stand in rows of their own - about a dozen a dispatch, too many for a digest each. Their digest is the
column `manifest` of the dispatch, which lies under the digest of its row (`archive.digests`). An act that adds or takes
away files or pages writes it anew before its entry. A dispatch older than manifests has none until `adopt_rows`; its files
say nothing, for or against.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Final

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL

from archive.models import Record
from archive.vouching import Fault

_AT_ONCE: Final = 500
# Left out of an object is what moves without an act on what the dispatch holds: its level, its keys and its sealed form.
_OBJECT: Final = ("address", "role", "media_type", "name", "sha256", "size", "signatures")
_PAGE: Final = (
    "number", "pack_id", "width", "height", "image_start", "image_length", "thumb_start", "thumb_length", "text_start",
    "text_length", "source", "confidence", "flags",
)  # fmt: skip
_TOLD: Final = {"told_files": ("archive_digitalobject", _OBJECT), "told_pages": ("archive_page", _PAGE)}


def settle(record: Record) -> None:
    """Write the digest of a dispatch's files and pages of now into its row: before the entry of the act that changed them."""
    ((_pk, _kept, record.manifest),) = _read([record.pk])
    record.save(update_fields=["manifest"])


def with_parts(records: QuerySet[Record]) -> QuerySet[Record]:
    """Let a query of records bring along which files and pages each has now: `is_whole` asks nothing then."""
    told = {name: RawSQL(_told(name), [], output_field=TextField()) for name in _TOLD}  # noqa: S611 - our own names
    return records.annotate(**told)


def is_whole(record: Record) -> bool:
    """Return whether a dispatch has the files and pages that acts gave it."""
    if all(hasattr(record, name) for name in _TOLD):
        return record.manifest in (None, _digest(*(getattr(record, name) for name in _TOLD)))
    return all(kept in (None, now) for _pk, kept, now in _read([record.pk]))


def faults() -> Iterator[Fault]:
    """Yield every dispatch whose files or pages are not those that acts gave it."""
    records = Record.objects.order_by("pk").values_list("pk", flat=True)
    last = 0
    while ids := list(records.filter(pk__gt=last)[:_AT_ONCE]):
        moved = [pk for pk, kept, now in _read(ids) if kept not in (None, now)]
        for key in Record.objects.filter(pk__in=moved).order_by("pk").values_list("key", flat=True):
            yield Fault("record", key, "its files or pages were changed past the office")
        last = ids[-1]


def _read(ids: Sequence[int]) -> Iterator[tuple[int, str | None, str]]:
    """Yield id, kept digest and digest of now of records that there are.

    All of one record by one statement: an act that comes between shows in both or in neither.
    """
    for pk, kept, *told in with_parts(Record.objects.filter(pk__in=ids)).values_list("pk", "manifest", *_TOLD):
        yield pk, kept, _digest(*told)


def _told(name: str) -> str:
    """Return the statement for the rows of a record as one JSON list."""
    table, columns = _TOLD[name]
    is_postgresql = connection.vendor == "postgresql"
    values = ", ".join("json(t.flags)" if each == "flags" and not is_postgresql else f"t.{each}" for each in columns)
    listed = (
        f"json_agg(json_build_array({values}))::text" if is_postgresql else f"json_group_array(json_array({values}))"
    )
    return f"SELECT {listed} FROM {table} t WHERE t.record_id = archive_record.id"  # noqa: S608 - our own names


def _digest(*told: str | None) -> str:
    """Return the digest of files and pages in hexadecimal; a stub of paper has that of none."""
    rows = [sorted(json.loads(rows or "[]"), key=lambda row: row[0]) for rows in told]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
