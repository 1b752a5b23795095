"""What is shown of a record's pages: image, thumbnail, text - ranges of its sealed pack.

Nothing here checks access: the views and the API open the record first.
"""

from collections.abc import Iterator
from dataclasses import replace

from archive import store
from archive.models import DigitalObject, ObjectRole, Page, Record
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


def original_of(record: Record) -> DigitalObject:
    """Return the sealed original of an opened record.

    Raises:
        Hidden: the record has no file (a paper stub).
    """
    original = DigitalObject.objects.filter(record=record, role=ObjectRole.ORIGINAL).first()
    if original is None:
        raise Hidden(object_type="original", object_id=record.key)
    return original
