"""The stages, with the real cell and the real store: each commits once, a kill between two loses nothing."""

import hashlib

import pytest

from archive import access, store
from archive.models import AuditEntry, DigitalObject, Page, Record, RecordState
from archive.rules.levels import Level
from archive.rules.proposal import Evidence, Suggestion
from ingest import batches, outcomes, pipeline, worker
from ingest.models import Scan, ScanState
from ingest.pipeline import Ended, LostClaim
from ingest.tests.handing import bare_pdf, drop, read, text_pdf


class Killed(BaseException):
    """Stands for kill -9: nothing of the program may catch it and tidy up."""


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """A lease is not renewed from another thread while a test holds the database."""
    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)


def test_a_letter_becomes_a_draft_with_pages_text_and_proposals(office):
    scan = read(drop(office, text_pdf()))
    assert (scan.state, scan.media_type, scan.page_count) == (ScanState.FILED, "application/pdf", 1)
    record = scan.record
    assert (record.state, record.unit, record.page_amount) == (RecordState.DRAFT, office.registry, 1)
    page = Page.objects.get(record=record)
    image = store.read(page.pack_id, start=page.image_start, length=page.image_length)
    thumb = store.read(page.pack_id, start=page.thumb_start, length=page.thumb_length)
    assert image[:3] == thumb[:3] == b"\xff\xd8\xff"
    assert "Vĩnh Long" in pipeline.text_of(scan, scan.reading["pages"][0]).text
    assert scan.proposal["code_number"]["value"] == "214"


def test_every_object_of_a_filed_scan_is_what_its_row_says(office):
    scan = read(drop(office, text_pdf()))
    for row in DigitalObject.objects.filter(record=scan.record):
        content = store.read(row.address)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (row.size, row.sha256)
        assert store.sealed_digest(row.address) == row.sealed_sha256
    assert store.read(scan.original_id) == text_pdf()


@pytest.mark.parametrize("stage", ["sniff", "read", "propose", "file"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_before_or_after_any_stage_is_made_good_by_the_next_worker(office, monkeypatch, stage, moment):
    run = pipeline.STAGES[stage]

    def killed(scan, claim):
        if moment == "after":
            run(scan, claim)
        raise Killed

    scan = drop(office, text_pdf())
    monkeypatch.setitem(pipeline.STAGES, stage, killed)
    with pytest.raises(Killed):
        worker.work_once()
    monkeypatch.setitem(pipeline.STAGES, stage, run)
    Scan.objects.filter(pk=scan.pk).update(lease_until=None)  # its owner is dead
    assert read(scan).state == ScanState.FILED
    assert Record.objects.count() == 1
    assert AuditEntry.objects.filter(action="record.capture").count() == 1


@pytest.mark.parametrize("name", ["_row_of_pack", "_pack_page", "text_of", "captured_of"])
def test_a_kill_in_the_middle_of_a_stage_leaves_the_scan_where_it_was(office, monkeypatch, name):
    def killed(*_args, **_more):
        raise Killed

    scan = drop(office, text_pdf())
    with monkeypatch.context() as change:
        change.setattr(pipeline, name, killed)
        with pytest.raises(Killed):
            worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.record, scan.fence) == (ScanState.WAITING, None, 1)
    Scan.objects.update(lease_until=None)
    assert read(scan).state == ScanState.FILED
    assert Record.objects.count() == 1


def test_a_record_and_the_end_of_its_scan_are_one_transaction(office, monkeypatch):
    scan = drop(office, text_pdf())
    commit = pipeline.commit

    def killed_at_the_end(scan, claim, **changes):
        if "record" in changes:
            raise Killed
        commit(scan, claim, **changes)

    with monkeypatch.context() as change:
        change.setattr(pipeline, "commit", killed_at_the_end)
        with pytest.raises(Killed):
            worker.work_once()
    assert not Record.objects.exists()
    Scan.objects.update(lease_until=None)
    assert read(scan).record == Record.objects.get()


@pytest.mark.parametrize("stage", ["sniff", "read", "propose", "file"])
def test_a_late_worker_changes_nothing(office, monkeypatch, stage):
    scan = drop(office, text_pdf())
    run = pipeline.STAGES[stage]

    def overtaken(scan, claim):
        Scan.objects.filter(pk=scan.pk).update(fence=claim.fence + 1)
        run(scan, claim)

    monkeypatch.setitem(pipeline.STAGES, stage, overtaken)
    claim = worker.claim()
    before = set(store.addresses())
    with pytest.raises(LostClaim):
        pipeline.advance(claim)
    scan.refresh_from_db()
    assert (scan.state, scan.stage) == (ScanState.WAITING, stage)
    assert not Record.objects.exists()
    assert DigitalObject.objects.exclude(address__in=[scan.original_id, scan.pack_id]).count() == 0
    assert set(store.addresses()) >= before


def test_pages_count_up_while_they_are_read(office, monkeypatch):
    seen = []
    commit = pipeline.commit

    def watching(scan, claim, **changes):
        seen.append(changes.get("pages_read"))
        commit(scan, claim, **changes)

    monkeypatch.setattr(pipeline, "commit", watching)
    scan = read(drop(office, text_pdf(pages=3)))
    assert [each for each in seen if each][:3] == [1, 2, 3]
    assert (scan.pages_read, scan.page_count) == (3, 3)


# --- above the ceiling ---------------------------------------------------------------------------------


@pytest.fixture
def secret_signs(monkeypatch):
    """Let every scan show a sure sign of a level."""

    def show(level):
        def suggest(pages, *, stamps, bits, declared, **_more):
            return Suggestion(declared, level, level, (Evidence("stamp", level, 95, 1, (1, 1, 9, 9)),))

        monkeypatch.setattr(pipeline.classify, "suggest", suggest)

    return show


def test_a_sign_above_the_ceiling_ends_in_quarantine(office, settings, secret_signs):
    settings.SITE_MAX_LEVEL = Level.THUONG
    secret_signs(Level.MAT)
    before = set(store.addresses())
    scan = read(drop(office, text_pdf()))
    assert (scan.state, scan.code, scan.level) == (ScanState.ATTENTION, outcomes.QUARANTINED, Level.MAT)
    assert (scan.record, scan.pack, scan.reading, scan.proposal) == (None, None, {}, {})
    assert not Record.objects.exists()
    assert set(store.addresses()) - before == {scan.original_id}


def test_what_is_in_quarantine_is_known_only_to_the_cleared(office, settings, secret_signs):
    settings.SITE_MAX_LEVEL = Level.THUONG
    secret_signs(Level.MAT)
    scan = read(drop(office, text_pdf(), name="Sao Mai.pdf"))
    assert batches.open_scan(office.clerk, scan.pk) == scan
    from archive.models import Clearance
    from archive.rules.errors import Hidden

    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    with pytest.raises(Hidden):
        batches.open_scan(office.clerk, scan.pk)
    assert list(batches.scans_of(scan.batch, office.clerk)) == []


def test_what_is_in_quarantine_is_not_read_again(office, settings, secret_signs):
    from ingest import intake

    settings.SITE_MAX_LEVEL = Level.THUONG
    secret_signs(Level.MAT)
    scan = read(drop(office, text_pdf()))
    with pytest.raises(intake.NothingToDo):
        intake.retry(scan, actor=office.clerk)


@pytest.mark.parametrize("name", ["shred", "finish"])
def test_a_kill_during_quarantine_never_makes_a_record(office, settings, secret_signs, monkeypatch, name):
    settings.SITE_MAX_LEVEL = Level.THUONG
    secret_signs(Level.MAT)
    scan = drop(office, text_pdf())

    def killed(*_args, **_more):
        raise Killed

    with monkeypatch.context() as change:
        change.setattr(pipeline.store if name == "shred" else pipeline, name, killed)
        with pytest.raises(Killed):
            worker.work_once()
    Scan.objects.filter(pk=scan.pk).update(lease_until=None)
    scan = read(scan)
    assert (scan.state, scan.code) == (ScanState.ATTENTION, outcomes.QUARANTINED)
    assert not Record.objects.exists()


def test_a_sign_raises_the_level_and_says_so(office, secret_signs):
    secret_signs(Level.MAT)
    scan = read(drop(office, text_pdf()))
    assert (scan.state, scan.code, scan.record.level) == (ScanState.ATTENTION, outcomes.RAISED, Level.MAT)
    assert not access.visible_to(office.stranger).records().exists()


def test_evidence_never_lowers_what_was_declared(office):
    scan = read(drop(office, text_pdf(), level=Level.TOI_MAT))
    assert (scan.suggested_level, scan.level, scan.record.level) == (Level.TOI_MAT,) * 3


# --- ends ------------------------------------------------------------------------------------------------


def test_a_refused_file_keeps_its_row_and_loses_its_bytes(office):
    before = set(store.addresses())
    dropped = drop(office, b"PK\x03\x04 an archive", name="thu.pdf")
    address = dropped.original_id
    scan = read(dropped)
    assert (scan.state, scan.code) == (ScanState.REFUSED, outcomes.NOT_ACCEPTED)
    assert (scan.original, scan.record) == (None, None)
    assert set(store.addresses()) == before
    told = AuditEntry.objects.get(action="scan.outcome", object_id=scan.pk.hex).detail.payload
    assert told["destroyed"] == [address]  # a restore goes by it


def test_bytes_are_shredded_only_after_the_refusal_is_written(office, monkeypatch):
    seen = []
    scan = drop(office, b"PK\x03\x04 an archive", name="thu.pdf")
    shred = store.shred
    monkeypatch.setattr(
        pipeline.store, "shred", lambda address: (seen.append(Scan.objects.get(pk=scan.pk).state), shred(address))
    )
    read(scan)
    assert seen == [ScanState.REFUSED]


def test_a_name_that_lies_is_marked(office):
    assert "type_mismatch" in read(drop(office, text_pdf(), name="cong-van.docx")).flags


def test_an_end_without_a_sentence_cannot_be_written(office):
    scan = drop(office, bare_pdf())
    claim = worker.claim()
    with pytest.raises(KeyError):
        pipeline.finish(scan, claim, Ended("ING-999"))
    scan.refresh_from_db()
    assert scan.state == ScanState.WAITING
