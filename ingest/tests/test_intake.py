"""Handing in: sealed first, then the row; nothing is half taken, nothing is told that may not be known."""

import hashlib
import io

import pytest
from django.utils import timezone

from archive import store
from archive.models import AuditEntry, DigitalObject
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from ingest import intake, outcomes
from ingest.models import Channel, Scan, ScanState
from ingest.tests.handing import bare_pdf, drop, open_batch


@pytest.fixture
def kept():
    """The addresses the store gained since the test began."""
    before = set(store.addresses())
    return lambda: set(store.addresses()) - before


def test_what_is_handed_in_is_sealed_and_can_be_read_back(office, kept):
    scan = drop(office, b"noi dung", name="Cong van.pdf")
    assert kept() == {scan.original.address}
    assert store.read(scan.original.address) == b"noi dung"
    assert scan.sha256 == scan.original.sha256 == hashlib.sha256(b"noi dung").hexdigest()
    assert (scan.state, scan.stage, scan.name, scan.size) == (ScanState.WAITING, "sniff", "Cong van.pdf", 8)
    assert AuditEntry.objects.filter(action="scan.upload", object_id=scan.pk.hex).count() == 1


def test_the_bytes_are_in_the_store_before_there_is_a_row(office, kept, monkeypatch):
    seen = []
    take = intake._take

    def look_first(sealed, **line):
        seen.append((sealed.address in kept(), Scan.objects.exists(), DigitalObject.objects.exists()))
        return take(sealed, **line)

    monkeypatch.setattr(intake, "_take", look_first)
    drop(office, b"noi dung")
    assert seen == [(True, False, False)]


def test_a_crash_between_bytes_and_row_leaves_extra_bytes_and_no_row(office, kept, monkeypatch):
    def crash(*_args, **_line):
        raise KeyboardInterrupt

    monkeypatch.setattr(intake, "_take", crash)
    with pytest.raises(KeyboardInterrupt):
        drop(office, b"noi dung")
    [spare] = kept()
    assert not Scan.objects.exists()
    assert list(store.orphans(lambda _: (), older_than_seconds=0)).count(spare) == 1


def test_a_crash_while_bytes_come_in_leaves_nothing(office, kept):
    class Broken(io.BytesIO):
        def read(self, *_size):
            raise OSError("the wire was pulled")

    with pytest.raises(OSError, match="wire"):
        intake.receive(Broken(), name="a.pdf", batch=open_batch(office), actor=office.clerk)
    assert kept() == set()
    assert not Scan.objects.exists()


def test_the_audit_entry_and_the_row_are_one(office, monkeypatch):
    def fails(*_args, **_more):
        raise RuntimeError("no entry, no act")

    monkeypatch.setattr(intake.audit, "write", fails)
    with pytest.raises(RuntimeError):
        drop(office, b"noi dung")
    assert not Scan.objects.exists()
    assert not DigitalObject.objects.exists()


def test_a_level_above_the_ceiling_is_refused_before_any_byte(office, kept, settings):
    settings.SITE_MAX_LEVEL = Level.THUONG
    with pytest.raises(intake.LevelRefused) as refusal:
        open_batch(office, level=Level.MAT)
    assert refusal.value.code == "ING-005"
    assert kept() == set()


def test_a_level_above_the_persons_clearance_is_refused_before_any_byte(office):
    _uncleared(office.clerk)
    with pytest.raises(intake.NotCleared) as refusal:
        open_batch(office, level=Level.MAT)
    assert refusal.value.code == "ING-022"
    assert str(refusal.value)


def _uncleared(person):
    from archive.models import Clearance

    Clearance.objects.filter(person=person).update(until=timezone.now())


def test_who_may_not_hand_in_hands_nothing_in(office, kept):
    batch = open_batch(office)
    for person in (office.auditor, office.admin, office.security, office.stranger):
        with pytest.raises(Forbidden):
            open_batch(office, actor=person)
        with pytest.raises(Forbidden):
            intake.receive(io.BytesIO(b"x"), name="a.pdf", batch=batch, actor=person)
    assert kept() == set()


def test_nothing_is_not_a_file(office, kept):
    scan = drop(office, b"")
    assert (scan.state, scan.code, scan.original) == (ScanState.REFUSED, outcomes.EMPTY, None)
    assert kept() == set()


def test_a_file_beyond_the_limit_is_refused_and_nothing_of_it_stays(office, kept, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 1000)
    scan = drop(office, b"x" * 1001)
    assert (scan.state, scan.code) == (ScanState.REFUSED, outcomes.TOO_LARGE)
    assert kept() == set()
    assert drop(office, b"x" * 1000).state == ScanState.WAITING


def test_a_full_disk_refuses_whole_and_says_so(office, kept, settings):
    settings.FREE_DISK_FLOOR = 2**62
    scan = drop(office, b"noi dung")
    assert (scan.state, scan.code) == (ScanState.REFUSED, outcomes.DISK_FULL)
    assert kept() == set()


def test_the_same_bytes_again_wait_for_a_person_and_name_the_first(office):
    first = drop(office, bare_pdf(), name="goc.pdf")
    again = drop(office, bare_pdf(), name="ban sao.pdf")
    assert (again.state, again.code, again.duplicate_of) == (ScanState.ATTENTION, outcomes.DUPLICATE, first)
    assert again.original_id not in {None, first.original_id}
    assert "goc.pdf" in outcomes.sentence(again.code, again.reason)


def test_a_twin_that_the_person_may_not_see_is_not_told(office, make_draft):
    hidden = drop(office, bare_pdf(), level=Level.TOI_MAT)
    _uncleared(office.clerk)
    again = drop(office, bare_pdf())
    assert (again.state, again.duplicate_of) == (ScanState.WAITING, None)
    assert again.sha256 == hidden.sha256


def test_a_twin_on_another_units_desk_is_not_told(office):
    other = intake.open_batch(declared=Level.THUONG, channel=Channel.WEB, actor=office.clerk, unit=office.other_unit)
    drop(office, bare_pdf(), batch=other)
    assert drop(office, bare_pdf()).state == ScanState.WAITING


def test_a_refused_twin_does_not_stand_in_the_way(office):
    drop(office, bare_pdf()).__class__.objects.update(state=ScanState.REFUSED, code=outcomes.BROKEN)
    assert drop(office, bare_pdf()).state == ScanState.WAITING


def test_a_duplicate_that_is_wanted_all_the_same_goes_into_the_queue(office):
    drop(office, bare_pdf())
    again = intake.retry(drop(office, bare_pdf()), actor=office.clerk)
    assert (again.state, again.code) == (ScanState.WAITING, "")


def test_what_is_put_aside_keeps_its_row_and_loses_its_bytes(office, kept, last_entry):
    first, twin = drop(office, bare_pdf()), drop(office, bare_pdf())
    address = twin.original_id
    gone = intake.dismiss(twin, reason="nộp nhầm", actor=office.clerk)
    assert last_entry().detail.payload == {"destroyed": [address]}  # a restore goes by it
    assert (gone.state, gone.code, gone.original) == (ScanState.REFUSED, outcomes.DISMISSED, None)
    assert kept() == {first.original_id}
    assert "nộp nhầm" in outcomes.sentence(gone.code, gone.reason)
    with pytest.raises(intake.NothingToDo):
        intake.dismiss(gone, reason="lần nữa", actor=office.clerk)


def test_a_waiting_scan_is_neither_retried_nor_put_aside(office):
    scan = drop(office, bare_pdf())
    for act in (
        lambda: intake.retry(scan, actor=office.clerk),
        lambda: intake.dismiss(scan, reason="x", actor=office.clerk),
    ):
        with pytest.raises(intake.NothingToDo):
            act()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Temp\\công văn.pdf", "công văn.pdf"),
        ("công văn.pdf", "công văn.pdf"),
        ("a\x00b\nc.pdf", "a_b_c.pdf"),
        ("hop\u202efdp.exe", "hop_fdp.exe"),
        ("\ud800.pdf", "_.pdf"),
        ("..", ".."),
        ("", "_"),
        ("/", "_"),
        ("x" * 400 + ".pdf", "x" * 255),
        ("<script>alert(1)</script>.pdf", "script>.pdf"),
    ],
)
def test_a_name_is_shown_harmless_and_never_used(office, given, shown):
    assert intake.clean_name(given) == shown
    scan = drop(office, bare_pdf(), name=given)
    assert scan.name == shown
    assert scan.original.address not in scan.name


def test_files_of_a_batch_stand_in_the_order_they_came(office):
    batch = open_batch(office)
    for content in (b"1", b"", b"2", b"3"):
        drop(office, content, batch=batch)
    assert list(batch.scans.values_list("order", flat=True)) == [1, 2, 3, 4]


def test_the_sum_of_a_batch_closes_whatever_is_handed_in(office):
    from ingest import batches

    batch = open_batch(office)
    for content in (b"1", b"", b"1", b"2", b""):
        drop(office, content, batch=batch)
    total = batches.sum_of(batches.scans_of(batch, office.clerk))
    assert (total.handed_in, total.waiting, total.attention, total.refused, total.filed) == (5, 2, 1, 2, 0)
    assert total.closes
