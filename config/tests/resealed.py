"""What must agree before and after files of a dispatch are sealed anew."""

import uuid

import pytest

from archive import digests, manifests, pages, resealing, store
from archive.models import DigitalObject, Page, Record

GROUND = "Quyết định 15/QĐ: nghi lộ khóa của tệp"
ANNEX = b"%PDF-1.4 an annex"


on_a_folder = pytest.mark.parametrize("own", ["local"], indirect=True)
on_a_server = pytest.mark.parametrize("own", [pytest.param("s3", marks=pytest.mark.engine)], indirect=True)


def addresses(record):
    return set(record.sealed_objects.values_list("address", flat=True))


def content(record):
    """Return all that is read of a dispatch by its rows: files, texts and pictures."""
    files = {row.sha256: store.read(row.address) for row in record.sealed_objects.all()}
    shown = [page.text for page in pages.texts(record)]
    pictures = [pages.image(page) for page in Page.objects.filter(record=record)]
    return files, shown, pictures


def agrees(record):
    """Say whether rows, digests, store and vault agree, and nothing is left over."""
    kept, rows = store.configured(), list(DigitalObject.objects.all())
    named = {row.address for row in rows}
    return (
        all(kept.sealed_digest(row.address) == row.sealed_sha256 for row in rows)
        and set(kept.addresses()) == named == {each.hex() for each in kept.vault.object_ids()}
        and manifests.is_whole(Record.objects.get(pk=record.pk))
        and list(manifests.faults()) == []
        and [fault for name in ("record", "attachment") for fault in digests.of_kind(name)] == []
        and not [each for each in kept.vault.resealed.all() if each.is_left]
    )


def reseal(office, record, *files):
    """Have files sealed anew by an order of its own: the same one again would pass over what is done."""
    named = {"files": files} if files else {"records": [record.key]}
    return resealing.reseal(**named, reason=f"{GROUND}, {uuid.uuid4()}", actor=office.security)
