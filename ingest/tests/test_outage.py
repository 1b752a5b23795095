"""The store is away: the clerk is told, what was taken in waits without losing a try, and goes on by itself afterwards."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from archive import store
from archive.models import DigitalObject
from archive.rules.levels import Level
from archive.store import StoreAway, StoreFull
from archive.stores.refusals import StoreFailed
from config.tests import buckets
from config.tests.unsteady import Fault, Unsteady
from ingest import folder, intake, leftovers, outcomes, pipeline, worker
from ingest.models import Scan, ScanState
from ingest.tests.handing import drop, open_batch, read, text_pdf


def due(scan):
    Scan.objects.filter(pk=scan.pk).update(not_before=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("fault", [StoreAway(reason="no connection"), StoreFull()])
def test_an_outage_however_long_costs_a_file_no_try(office, monkeypatch, fault):
    def away(scan, claim):
        raise fault

    scan = drop(office, b"1")
    with monkeypatch.context() as patch:
        patch.setitem(pipeline.STAGES, "sniff", away)
        for _ in range(3 * worker.MOST_CLAIMS):
            due(scan)
            worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.code, scan.attempts) == (ScanState.WAITING, outcomes.STORE_AWAITED, 0)
    assert timezone.now() < scan.not_before <= timezone.now() + worker.OUTAGE_PAUSE
    with override("en"):
        assert "nothing needs to be done" in outcomes.sentence(scan.code, scan.reason)

    due(scan)
    assert worker.claim() is not None
    scan.refresh_from_db()
    assert scan.code == ""


def test_a_bad_sector_is_no_outage(office, monkeypatch):
    def failing(scan, claim):
        raise StoreFailed(reason="Input/output error")

    monkeypatch.setitem(pipeline.STAGES, "sniff", failing)
    scan = drop(office, b"1")
    for _ in range(worker.TRIES):
        due(scan)
        worker.work_once()
    scan.refresh_from_db()
    assert (scan.state, scan.code) == (ScanState.ATTENTION, outcomes.FAILED)


@pytest.fixture
def away(monkeypatch):
    """The store of the installation takes nothing in until `away()` is called."""

    def put(source, *, level):
        raise StoreAway(reason="no connection")

    patch = pytest.MonkeyPatch()
    patch.setattr(store, "put", put)
    yield patch.undo
    patch.undo()


def test_the_watched_folder_keeps_its_files_until_the_store_is_back(office, tmp_path, monkeypatch, away):
    monkeypatch.setattr(folder, "STABLE_SECONDS", 0)
    inbox = folder.Inbox(tmp_path / "inbox", username="clerk")
    inbox.sweep()
    (tmp_path / "inbox" / "thuong" / "cong-van.pdf").write_bytes(b"1")
    for _ in range(3):
        inbox.sweep()
    assert Scan.objects.count() == 0
    assert [path.read_bytes() for path in tmp_path.rglob("*.file")] == [b"1"]

    away()
    inbox.sweep()
    assert store.read(Scan.objects.get().original_id) == b"1"


def test_the_command_says_of_each_file_that_it_was_not_taken_in(office, tmp_path, away, capsys):
    (tmp_path / "cong-van.pdf").write_bytes(b"1")
    call_command("ingest", str(tmp_path), "--level", "thuong", "--as", "clerk", "--json")
    told = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (told["outcome"], told["code"]) == ("refused", outcomes.STORE_AWAY)
    assert DigitalObject.objects.count() == 0


def test_the_clerk_at_the_screen_is_told_and_can_hand_in_again(office, signed_in, away):
    browser = signed_in("clerk")
    answer = browser.post(reverse("ingest:upload"), {"level": "thuong", "file": io.BytesIO(b"1")})
    assert answer.status_code == 409
    assert str(StoreAway(reason="no connection")) in answer.json()["message"]
    assert Scan.objects.count() == 0

    away()
    answer = browser.post(reverse("ingest:upload"), {"level": "thuong", "file": io.BytesIO(b"1")})
    assert answer.status_code == 200
    assert Scan.objects.get().state == ScanState.WAITING


@pytest.mark.engine
class TestOnARealServer:
    @pytest.fixture
    def proxy(self, settings, tmp_path):
        """The installation keeps its files in a bucket behind a proxy."""
        settings.VANKHO_HOME = tmp_path
        settings.SITE_KEY_FILES = (tmp_path / "keys" / "1.key", tmp_path / "keys" / "2.key")
        with buckets.fresh() as account, Unsteady(account.url) as running:
            settings.STORE_DRIVER, settings.S3_URL, settings.S3_BUCKET = "s3", running.url, account.bucket
            settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = account.access_key, account.secret_key
            yield running

    @pytest.mark.parametrize("fault", [Fault("refuse"), Fault("answer", status=503), Fault("cut_request", after=300)])
    def test_a_file_handed_in_during_the_outage_is_refused_and_the_next_try_is_read(self, office, proxy, fault):
        batch = open_batch(office)
        proxy.wrong(fault)
        with pytest.raises(StoreAway):
            drop(office, text_pdf(), batch=batch)
        assert DigitalObject.objects.count() == Scan.objects.count() == 0

        proxy.heal()
        scan = read(drop(office, text_pdf(), batch=batch))
        assert scan.state in {ScanState.FILED, ScanState.ATTENTION}
        assert scan.record is not None

    @pytest.mark.parametrize("on", ["GET", "PUT"])
    def test_a_file_whose_reading_meets_the_outage_waits_and_is_read_afterwards(self, office, proxy, on):
        scan = drop(office, text_pdf())
        proxy.wrong(Fault("refuse", on=on))
        for _ in range(worker.TRIES + 1):
            due(scan)
            read(scan)
        assert (scan.state, scan.code) == (ScanState.WAITING, outcomes.STORE_AWAITED)

        proxy.heal()
        due(scan)
        scan = read(scan)
        assert scan.record is not None
        assert scan.code != outcomes.STORE_AWAITED

    def test_putting_a_file_aside_during_the_outage_destroys_its_key_and_leaves_the_bytes_to_the_sweep(
        self, office, proxy
    ):
        scan = drop(office, b"1")
        address = scan.original_id
        Scan.objects.filter(pk=scan.pk).update(state=ScanState.ATTENTION, code=outcomes.FAILED)
        proxy.wrong(Fault("refuse"))
        intake.dismiss(scan, reason="Không cần", actor=office.clerk)
        assert list(store.configured().vault.object_ids()) == []

        proxy.heal()
        assert store.stat(address).exists
        assert leftovers.sweep(older_than_seconds=-60) == 1
        assert not store.stat(address).exists


def test_a_file_that_was_turned_away_has_a_row_that_closes_the_sum(office):
    batch = open_batch(office, level=Level.THUONG)
    scan = intake.turn_away(batch, name="cong-van.pdf", actor=office.clerk)
    assert (scan.state, scan.code, scan.original_id) == (ScanState.REFUSED, outcomes.STORE_AWAY, None)
