"""The queue: one worker per scan, late ones lose, the dead are freed, failures pause, repeat and end with a reason."""

import io
import os
import subprocess
import threading
import time
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from archive import store
from archive.rules.levels import Level
from ingest import intake, leftovers, outcomes, pipeline, sandbox, worker
from ingest.models import Scan, ScanState
from ingest.tests.handing import drop, open_batch


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)


@pytest.fixture
def stage(monkeypatch):
    """Replace the first stage: stage(lambda scan, claim: ...)."""

    def replace(run):
        monkeypatch.setitem(pipeline.STAGES, "sniff", run)

    return replace


def ends(code=outcomes.BROKEN):
    def run(scan, claim):
        raise pipeline.Ended(code)

    return run


def fails(fault):
    def run(scan, claim):
        raise fault

    return run


def ready(scan):
    Scan.objects.filter(pk=scan.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def test_a_claimed_scan_is_not_claimed_again(office):
    drop(office, b"1")
    first = worker.claim()
    assert first is not None
    assert worker.claim() is None


def test_the_oldest_that_waits_goes_first(office):
    batch = open_batch(office)
    scans = [drop(office, content, batch=batch) for content in (b"1", b"2", b"3")]
    assert [worker.claim().scan_id for _ in scans] == [scan.pk for scan in scans]


def test_a_claim_says_who_has_it_and_until_when(office):
    scan = drop(office, b"1")
    worker.claim()
    scan.refresh_from_db()
    assert scan.owner.endswith(f":{os.getpid()}")
    assert scan.lease_until > timezone.now() + timedelta(seconds=50)
    assert (scan.fence, scan.attempts) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_each_scan_has_one(office):
    batch = open_batch(office)
    for number in range(20):
        drop(office, str(number).encode(), batch=batch)
    got, lock = [], threading.Lock()

    def work():
        while claimed := worker.claim():
            with lock:
                got.append(claimed.scan_id)
        connections.close_all()

    crew = [threading.Thread(target=work) for _ in range(6)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert len(got) == len(set(got)) == 20


def test_a_lease_that_ran_out_is_taken_over_and_the_late_worker_loses(office):
    scan = drop(office, b"1")
    late = worker.claim()
    Scan.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    current = worker.claim()
    assert current.fence == late.fence + 1
    scan.refresh_from_db()
    with pytest.raises(pipeline.LostClaim):
        pipeline.commit(scan, late, stage="read")
    pipeline.commit(scan, current, stage="read")


def test_the_scan_of_a_dead_worker_is_freed_at_once(office):
    drop(office, b"1")
    worker.claim()
    child = subprocess.Popen(["true"])
    child.wait()
    host = worker.owner().rsplit(":", 1)[0]
    Scan.objects.update(owner=f"{host}:{child.pid}")
    assert worker.free_dead() == 1
    assert worker.claim() is not None


def test_the_scan_of_a_living_worker_is_left_alone(office):
    drop(office, b"1")
    worker.claim()
    assert worker.free_dead() == 0


def test_the_scan_of_another_machine_waits_for_its_lease(office):
    drop(office, b"1")
    worker.claim()
    Scan.objects.update(owner="elsewhere:1")
    assert worker.free_dead() == 0


def test_a_dead_worker_that_was_freed_cannot_commit(office):
    scan = drop(office, b"1")
    claim = worker.claim()
    Scan.objects.update(owner=f"{worker.owner().rsplit(':', 1)[0]}:{2**22 + 5}")
    worker.free_dead()
    with pytest.raises(pipeline.LostClaim):
        pipeline.commit(scan, claim, stage="read")


@pytest.mark.parametrize("fault", [OSError("disk"), sandbox.CellFailed("crash"), RuntimeError("x"), MemoryError()])
def test_a_failure_is_tried_again_after_a_growing_pause_and_then_ends_with_its_reason(office, stage, fault):
    stage(fails(fault))
    scan = drop(office, b"1")
    pauses = []
    for _ in range(worker.TRIES):
        before = timezone.now()
        worker.work_once()
        assert worker.claim() is None
        scan.refresh_from_db()
        pauses.append((scan.not_before - before).total_seconds())
        ready(scan)
    assert pauses[0] < pauses[1] < pauses[2]
    assert (scan.state, scan.code) == (ScanState.ATTENTION, outcomes.FAILED)
    assert store.read(scan.original_id) == b"1"
    assert str(worker.TRIES) in outcomes.sentence(scan.code, scan.reason)


def test_what_failed_for_good_can_be_tried_again_and_then_succeed(office, stage):
    stage(fails(OSError("disk")))
    scan = drop(office, b"1")
    for _ in range(worker.TRIES):
        ready(scan)
        worker.work_once()
    intake.retry(Scan.objects.get(), actor=office.clerk)
    stage(ends())
    worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.code, scan.attempts) == (ScanState.REFUSED, outcomes.BROKEN, 1)


def test_a_file_that_kills_its_worker_each_time_ends_too(office, stage):
    stage(fails(AssertionError("it was run once more")))
    scan = drop(office, b"1")
    Scan.objects.update(attempts=worker.MOST_CLAIMS)
    worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.code) == (ScanState.ATTENTION, outcomes.FAILED)


def test_one_scan_that_fails_does_not_stop_the_next(office, stage):
    batch = open_batch(office)
    first, second = (drop(office, content, batch=batch) for content in (b"1", b"2"))
    stage(lambda scan, claim: (fails(ValueError) if scan.pk == first.pk else ends())(scan, claim))
    worker.work_once()
    worker.work_once()
    second.refresh_from_db()
    assert second.state == ScanState.REFUSED


def test_a_lost_claim_is_no_failure(office, stage):
    stage(fails(pipeline.LostClaim()))
    scan = drop(office, b"1")
    worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.code) == (ScanState.WAITING, "")


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_work_goes_on(office, stage, monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 0.05)
    seen = []

    def slow(scan, claim):
        Scan.objects.update(lease_until=timezone.now())
        until = time.monotonic() + 10
        while time.monotonic() < until and not seen:
            time.sleep(0.05)
            if Scan.objects.get().lease_until > timezone.now() + timedelta(seconds=30):
                seen.append("renewed")
        raise pipeline.Ended(outcomes.BROKEN)

    stage(slow)
    drop(office, b"1")
    worker.work_once()
    assert seen == ["renewed"]


@pytest.mark.django_db(transaction=True)
def test_a_renewal_outlives_a_database_that_is_away_for_a_moment(office, stage, monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 0.02)
    looks, renew = [], worker._Renewal._renew

    def away_at_first(self):
        looks.append(1)
        if len(looks) < 3:
            raise OperationalError("the connection is closed")
        return renew(self)

    monkeypatch.setattr(worker._Renewal, "_renew", away_at_first)

    def slow(scan, claim):
        until = time.monotonic() + 10
        while len(looks) < 5 and time.monotonic() < until:
            time.sleep(0.02)
        raise pipeline.Ended(outcomes.BROKEN)

    stage(slow)
    drop(office, b"1")
    worker.work_once()
    assert len(looks) >= 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", [OperationalError("away"), InterfaceError("the connection is closed")])
def test_a_database_that_is_away_when_a_failure_is_noted_costs_no_try_and_no_lease(office, stage, monkeypatch, fault):
    monkeypatch.setattr(worker, "POLL_SECONDS", 0)
    faults, failed = [fault] * 3, worker._failed

    def away_at_first(claimed, what):
        if faults:
            raise faults.pop()
        failed(claimed, what)

    monkeypatch.setattr(worker, "_failed", away_at_first)
    stage(fails(fault))
    scan = drop(office, b"1")
    worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.attempts, scan.lease_until) == (ScanState.WAITING, 0, None)


@pytest.mark.parametrize("at", ["claim", "free_dead"])
@pytest.mark.django_db(transaction=True)
def test_a_reader_outlives_a_database_that_is_away_and_reads_on_when_it_is_back(office, stage, monkeypatch, at):
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    asked, act = [], getattr(worker, at)

    def away_at_first():
        asked.append(1)
        if len(asked) <= 5:
            raise OperationalError("the connection is closed")
        return act()

    monkeypatch.setattr(worker, at, away_at_first)
    stage(ends())
    crew = worker.Workers(threads=1)
    crew.start()
    until = time.monotonic() + 10
    while len(asked) <= 5 and time.monotonic() < until:
        time.sleep(0.02)
    scan = drop(office, b"1")
    while Scan.objects.get().state == ScanState.WAITING and time.monotonic() < until:
        time.sleep(0.02)
    crew.stop()
    scan.refresh_from_db()
    assert scan.state == ScanState.REFUSED


@pytest.mark.django_db(transaction=True)
def test_workers_stop_after_their_present_scan(office, stage):
    begun = threading.Event()

    def slow(scan, claim):
        begun.set()
        time.sleep(0.3)
        raise pipeline.Ended(outcomes.BROKEN)

    stage(slow)
    scan = drop(office, b"1")
    crew = worker.Workers(threads=2)
    crew.start()
    begun.wait(10)
    crew.stop()
    scan.refresh_from_db()
    assert scan.state == ScanState.REFUSED
    assert not any(thread.is_alive() for thread in crew.threads)


@pytest.fixture
def own_store(settings, tmp_path):
    """A store that no other test has put anything into."""
    settings.VANKHO_HOME = tmp_path
    settings.SITE_KEY_FILES = (tmp_path / "keys" / "1.key", tmp_path / "keys" / "2.key")


def spare():
    return store.put(io.BytesIO(b"nobody's"), level=Level.THUONG).address


def test_leftovers_of_the_killed_are_removed_and_nothing_else(office, own_store):
    scan, left = drop(office, b"1"), spare()
    assert leftovers.sweep() == 0  # it may belong to a hand-over that is under way
    assert leftovers.sweep(older_than_seconds=-60) == 1
    assert not store.stat(left).exists
    assert store.read(scan.original_id) == b"1"


def test_a_store_that_is_newer_than_its_database_is_left_alone(office, own_store, monkeypatch):
    monkeypatch.setattr(leftovers, "MOST", 1)
    kept = [spare(), spare()]
    assert leftovers.sweep(older_than_seconds=-60) == 0
    assert all(store.stat(each).exists for each in kept)
