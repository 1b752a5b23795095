"""Files in intake, in no dispatch yet, are sealed anew as well; who works with one as it was before loses nothing."""

import hashlib

import pytest

from archive import resealing, store
from archive.models import AuditEntry, DigitalObject
from archive.rules.roles import Action
from archive.stores.port import object_id
from config.tests.resealed import GROUND, agrees, reseal
from ingest import intake, joining, outcomes, pipeline, worker
from ingest.models import Scan, ScanState
from ingest.tests.handing import bare_pdf, drop, read, text_pdf

pytest_plugins = ("config.tests.resealed_office",)


@pytest.fixture
def scan(own, office):
    """A file that was handed in, and that nobody has read."""
    return drop(office, text_pdf())


def is_gone(address):
    """Say whether neither row, key nor bytes of an object are left."""
    kept = store.configured()
    is_named = DigitalObject.objects.filter(address=address).exists()
    return not is_named and not kept.vault.has(object_id(address)) and not kept.stat(address).exists


@pytest.mark.parametrize("name", ["id", "content"])
def test_a_file_that_waits_is_sealed_anew_by_its_id_or_its_content(scan, office, name):
    old = scan.original_id
    done = reseal(office, None, old if name == "id" else scan.sha256)
    assert (done.files, done.records, done.left) == (1, 0, [])
    scan.refresh_from_db()
    assert scan.original_id != old
    assert is_gone(old)
    assert store.read(scan.original_id) == text_pdf()
    entry = AuditEntry.objects.get(action=Action.RECORD_RESEAL)
    assert (entry.actor, entry.object_type, entry.object_id) == (office.security, "object", scan.original_id)
    assert entry.detail.payload["sealed_anew"] == [f"{old} → {scan.original_id}"]

    assert read(scan).state == ScanState.FILED
    assert agrees(scan.record)


def test_all_files_of_one_content_are_meant_and_the_same_order_passes_over_them(scan, office, make_record):
    twice = drop(office, text_pdf())
    order = {"files": [scan.sha256], "reason": GROUND, "actor": office.security}
    assert resealing.reseal(**order).files == 2
    now = set(Scan.objects.values_list("original_id", flat=True))
    assert not now & {scan.original_id, twice.original_id}
    again = resealing.reseal(**order)
    assert (again.files, again.passed) == (0, 2)
    assert set(Scan.objects.values_list("original_id", flat=True)) == now
    assert resealing.reseal(**order | {"reason": GROUND + " khác"}).files == 2


@pytest.mark.parametrize("stage", pipeline.STAGES)
def test_a_worker_that_had_the_file_begins_the_stage_anew(scan, office, monkeypatch, stage):
    run, began = pipeline.STAGES[stage], []

    def sealed_anew_beside(scan, claim):
        if not began:
            began.append(scan.original_id)
            reseal(office, None, *Scan.objects.values_list("original_id", flat=True))
        run(scan, claim)

    monkeypatch.setitem(pipeline.STAGES, stage, sealed_anew_beside)
    with pytest.raises(pipeline.LostClaim):
        pipeline.advance(worker.claim())
    assert read(scan).state == ScanState.FILED
    assert scan.original_id != began[0]
    assert is_gone(began[0])
    assert store.read(scan.original_id) == text_pdf()
    assert scan.original.media_type == "application/pdf"
    assert agrees(scan.record)


def test_a_file_that_is_put_aside_is_destroyed_as_what_it_is_now(scan, office):
    Scan.objects.filter(pk=scan.pk).update(state=ScanState.ATTENTION, code=outcomes.FAILED)
    scan.refresh_from_db()
    old = scan.original_id
    reseal(office, None, old)
    now = DigitalObject.objects.get().address
    intake.dismiss(scan, reason="Nhầm", actor=office.clerk)  # read before it was sealed anew
    assert is_gone(now)
    assert is_gone(old)
    assert AuditEntry.objects.get(action=Action.SCAN_DISMISS).detail.payload["destroyed"] == [now]


def test_a_held_file_joins_its_dispatch_as_what_it_is_now(own, office, make_record):
    record, content = make_record(pages=("Một",)), bare_pdf(pages=2)
    held = drop(office, content)
    Scan.objects.filter(pk=held.pk).update(
        joins=record,
        state=ScanState.ATTENTION,
        code=outcomes.HELD_DOUBT,
        suggested_level=record.level,
        reading={"pages": []},
    )
    held = Scan.objects.select_related("original", "pack", "joins", "batch__actor").get(pk=held.pk)
    old = held.original_id
    reseal(office, None, old)
    joining.accept(held, why="Đã xem", actor=office.clerk)
    attached = record.attachments.get()
    assert attached.original_id != old
    assert hashlib.sha256(store.read(attached.original_id)).hexdigest() == held.sha256
    record.refresh_from_db()
    assert agrees(record)
