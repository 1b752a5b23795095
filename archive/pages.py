"""What is shown of a record: its files, and of its pages image, thumbnail, text - ranges of their sealed packs.

Nothing here checks access: the views and the API open the record first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from archive import store
from archive.leveling import words
from archive.models import Attachment, AttachmentVoid, DigitalObject, LevelChange, ObjectRole, Page, Person, Record
from archive.rules.errors import Hidden
from archive.rules.page import PageText
from archive.standing import clearance


def page_of(record: Record, number: int) -> Page:
    """Return one page of an opened record.

    Raises:
        Hidden: the record has no such page.
    """
    page = Page.objects.filter(record=record, number=number).first()
    if page is None:
        raise Hidden(object_type="page", object_id=f"{record.key}/{number}")
    return page


def image(page: Page) -> bytes:
    """Return the JPEG of a page."""
    return store.read(page.pack_id, start=page.image_start, length=page.image_length)


def thumb(page: Page) -> bytes:
    """Return the small JPEG of a page."""
    return store.read(page.pack_id, start=page.thumb_start, length=page.thumb_length)


def text(page: Page) -> PageText:
    """Return what was read of a page, numbered as in the record: an annex in a pack of its own was read from 1."""
    read = PageText.from_bytes(store.read(page.pack_id, start=page.text_start, length=page.text_length))
    return replace(read, number=page.number)


def texts(record: Record) -> Iterator[PageText]:
    """Yield what was read of each page, in order."""
    for page in Page.objects.filter(record=record).order_by("number"):
        yield text(page)


@dataclass(frozen=True, slots=True)
class File:
    """One file of a record: the main one has the ordinal 0, then the attached ones as they joined.

    `first_page` is the number in the record of its first page; of a file without pages, where the next would stand.
    """

    ordinal: int
    original: DigitalObject
    first_page: int
    page_count: int
    added_by: Person
    added_at: datetime
    reason: str = ""
    flags: Sequence[str] = ()
    void: AttachmentVoid | None = None


def files_of(record: Record) -> list[File]:
    """Return the files of an opened record, the main one first; none of a paper stub."""
    return files_and_voids(record)[0]


def files_and_voids(record: Record, reader: Person | None = None) -> tuple[list[File], list[File]]:
    """Return the files of an opened record, the main one first, and apart the attached ones that were voided.

    For a reader the reasons written at a level above their clearance are taken out.
    """
    # All its files by one query; beside a main file stands no row of an attached one.
    kept = DigitalObject.objects.filter(record=record, role__in=(ObjectRole.ORIGINAL, ObjectRole.ATTACHMENT))
    told = kept.select_related("attachment__added_by", "attachment__void__voided_by")
    levels = LevelChange.objects.filter(record=OuterRef("record")).order_by("-to_level").values("to_level")
    found = list(told.annotate(highest=Subquery(levels[:1])).order_by("attachment__ordinal", "pk"))
    joined = [_attached(original) for original in found if hasattr(original, "attachment")]
    # Asked of a record that ever stood above the reader's clearance; of nearly all the first query says that it did not.
    if reader is not None and joined and (found[0].highest or 0) > clearance(reader, timezone.now()):
        above = words.above(reader, record)
        joined = [_hushed(one, above) for one in joined]
    attached, voided = [one for one in joined if one.void is None], [one for one in joined if one.void is not None]
    main = next((original for original in found if original.role == ObjectRole.ORIGINAL), None)
    if main is None:
        return attached, voided
    own = record.page_amount - sum(one.page_count for one in attached)
    return [File(0, main, 1, own, record.created_by, record.created_at), *attached], voided


def _hushed(file: File, above: words.Above) -> File:
    if file.void is not None and above(file.void.voided_at):
        file.void.reason = str(words.WITHHELD)
    return replace(file, reason=str(words.WITHHELD)) if above(file.added_at) else file


def count_files(record: Record) -> int:
    """Return how many files an opened record has, the main one included."""
    roles = (ObjectRole.ORIGINAL, ObjectRole.ATTACHMENT)
    return DigitalObject.objects.filter(record=record, role__in=roles, attachment__void__isnull=True).count()


def _attached(original: DigitalObject) -> File:
    one = original.attachment
    return File(
        ordinal=one.ordinal,
        original=original,
        first_page=one.first_page,
        page_count=one.page_count,
        added_by=one.added_by,
        added_at=one.added_at,
        reason=one.reason,
        flags=one.flags,
        void=getattr(one, "void", None),
    )


def attached_to(record_ids: Iterable[int]) -> dict[int, list[Attachment]]:
    """Return the attached files of several opened records by record id, in their order; records without are left out."""
    found: dict[int, list[Attachment]] = {}
    for one in Attachment.objects.filter(record__in=list(record_ids), void__isnull=True).select_related("original"):
        found.setdefault(one.record_id, []).append(one)
    return found


def voided_of(record_ids: Iterable[int]) -> dict[int, set[int]]:
    """Return the numbers that the pages of voided files had, by record id; records without are left out."""
    found: dict[int, set[int]] = {}
    rows = Attachment.objects.filter(record__in=list(record_ids), void__isnull=False)
    for record, first, count in rows.values_list("record", "first_page", "page_count"):
        found.setdefault(record, set()).update(range(first, first + count))
    return found


def original_of(record: Record, ordinal: int = 0) -> DigitalObject:
    """Return a sealed file of an opened record as it was handed over: the main one, or an attached one.

    Raises:
        Hidden: the record has no such file.
    """
    files = DigitalObject.objects.filter(record=record)
    main, attached = Q(role=ObjectRole.ORIGINAL), Q(attachment__ordinal=ordinal, attachment__void__isnull=True)
    original = files.filter(attached if ordinal else main).first()
    if original is None:
        raise Hidden(object_type="original", object_id=f"{record.key}/{ordinal}" if ordinal else record.key)
    return original
