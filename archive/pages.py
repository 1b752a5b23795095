"""What is shown of a record: its files, and of its pages image, thumbnail, text - ranges of their sealed packs.

Nothing here checks access: the views and the API open the record first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from archive import store
from archive.models import Attachment, DigitalObject, ObjectRole, Page, Person, Record
from archive.rules.errors import Hidden
from archive.rules.page import PageText


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


def files_of(record: Record) -> list[File]:
    """Return the files of an opened record, the main one first; none of a paper stub."""
    # All its files by one query; beside a main file stands no row of an attached one.
    kept = DigitalObject.objects.filter(record=record, role__in=(ObjectRole.ORIGINAL, ObjectRole.ATTACHMENT))
    found = list(kept.select_related("attachment__added_by").order_by("attachment__ordinal", "pk"))
    attached = [_attached(original) for original in found if hasattr(original, "attachment")]
    main = next((original for original in found if original.role == ObjectRole.ORIGINAL), None)
    if main is None:
        return attached
    own = record.page_amount - sum(one.page_count for one in attached)
    return [File(0, main, 1, own, record.created_by, record.created_at), *attached]


def count_files(record: Record) -> int:
    """Return how many files an opened record has, the main one included."""
    roles = (ObjectRole.ORIGINAL, ObjectRole.ATTACHMENT)
    return DigitalObject.objects.filter(record=record, role__in=roles).count()


def _attached(original: DigitalObject) -> File:
    one = original.attachment
    return File(
        one.ordinal, original, one.first_page, one.page_count, one.added_by, one.added_at, one.reason, one.flags
    )


def attached_to(record_ids: Iterable[int]) -> dict[int, list[Attachment]]:
    """Return the attached files of several opened records by record id, in their order; records without are left out."""
    found: dict[int, list[Attachment]] = {}
    for one in Attachment.objects.filter(record__in=list(record_ids)).select_related("original"):
        found.setdefault(one.record_id, []).append(one)
    return found


def original_of(record: Record, ordinal: int = 0) -> DigitalObject:
    """Return a sealed file of an opened record as it was handed over: the main one, or an attached one.

    Raises:
        Hidden: the record has no such file.
    """
    files = DigitalObject.objects.filter(record=record)
    main, attached = {"role": ObjectRole.ORIGINAL}, {"attachment__ordinal": ordinal}
    original = files.filter(**(attached if ordinal else main)).first()
    if original is None:
        raise Hidden(object_type="original", object_id=f"{record.key}/{ordinal}" if ordinal else record.key)
    return original
