from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone
from minio.deleteobjects import DeleteObject

from archive import dossiers, locking, retention
from archive.models import DigitalObject, Dossier, RecordClass, RetentionRule
from archive.stores import bucket
from archive.stores.local import LocalStore
from archive.stores.refusals import MissingObject
from config.tests import buckets


@pytest.fixture
def close(office, make_record):
    """Return a maker of closed dossiers: close("01.TM", years=10, ended_on=date(2026, 5, 4))."""

    def closed(code, *, years=10, ended_on=date(2026, 5, 4)):
        rule = RetentionRule.objects.create(
            code=code, title="Lưu", kind="years" if years else "permanent", years=years or None, basis="TT", valid_from="2023-02-15"
        )  # fmt: skip
        line = RecordClass.objects.create(year=2026, code=code, title="Huấn luyện", rule=rule)
        cover = dossiers.Cover(code, "Huấn luyện", line, rule, office.staff_unit, date(2020, 1, 5))
        dossier = dossiers.begin(cover, actor=office.archivist)
        dossiers.file(make_record(), dossier=dossier, actor=office.archivist)
        dossier.refresh_from_db()
        dossiers.close(dossier, ended_on=ended_on, actor=office.archivist)
        dossier.refresh_from_db()
        return dossier

    return closed


@pytest.fixture
def locks(monkeypatch):
    """The locks that were asked for, by address, of a medium that has locks."""
    asked = {}

    def retain(self, address, until):
        asked[address] = until
        return True

    monkeypatch.setattr(LocalStore, "retain", retain)
    return asked


def addresses(dossier):
    return set(DigitalObject.objects.filter(record__filings__dossier=dossier).values_list("address", flat=True))


def test_a_closed_dossier_is_locked_until_the_day_it_may_be_proposed(close, locks):
    dossier = close("01.TM")
    locking.sweep()
    # Midnight of the first day in Vietnam is the evening before in UTC.
    assert locks == dict.fromkeys(addresses(dossier), datetime(2036, 12, 31, 17, tzinfo=UTC))
    assert locks


def test_a_permanent_dossier_is_locked_for_years_that_are_renewed(close):
    until = locking.until_of(close("02.TM", years=0))
    assert timezone.localtime(until).date() == date(timezone.localdate().year + locking.PERMANENT_YEARS, 1, 1)


def test_a_dossier_whose_day_has_come_gets_no_lock(close, locks):
    close("03.TM", years=1, ended_on=date(2020, 5, 4))
    assert locking.sweep() == 0
    assert locks == {}


def test_every_dossier_comes_up_within_a_month(close, locks):
    dossier = close("04.TM")
    Dossier.objects.update(closed_at=timezone.now() - timedelta(days=400))
    now, days = timezone.now(), 0
    for day in range(locking.PARTS):
        locks.clear()
        with time_machine.travel(now + timedelta(days=day)):
            locking.sweep()
        days += set(locks) == addresses(dossier)
    assert days == 1


def test_an_open_dossier_has_no_lock(close, locks):
    close("05.TM")
    Dossier.objects.update(closed_at=None)
    assert locking.sweep() == 0


def test_a_missing_file_stops_no_other(close, monkeypatch, caplog):
    dossier, done = close("06.TM"), []
    missing = min(addresses(dossier))

    def retain(self, address, until):
        if address == missing:
            raise MissingObject(address=address)
        done.append(address)
        return True

    monkeypatch.setattr(LocalStore, "retain", retain)
    assert locking.sweep() == len(done) == len(addresses(dossier)) - 1
    assert missing in caplog.text


def test_a_medium_without_locks_is_asked_once(close, monkeypatch):
    close("07.TM")
    asked = []
    monkeypatch.setattr(LocalStore, "retain", lambda _self, *given: asked.append(given))
    assert locking.sweep() == 0
    assert len(asked) == 1


def hold(office, *things):
    return retention.place_hold(retention.Order("Thanh tra", "Vì thanh tra"), on=things, actor=office.archivist)


def renewed(locks):
    """Return the addresses locked within a month, as sweeps come to every part."""
    now, found = timezone.now(), set()
    for day in range(locking.PARTS):
        locks.clear()
        with time_machine.travel(now + timedelta(days=day)):
            locking.sweep()
        found |= set(locks)
    return found


def test_a_hold_locks_what_the_schedule_would_let_go_until_it_is_lifted(office, close, locks):
    dossier = close("08.TM", years=1, ended_on=date(2020, 5, 4))
    placed = hold(office, dossier)
    locking.sweep()
    assert set(locks) == addresses(dossier)
    assert min(locks.values()) > timezone.now() + locking.HELD - timedelta(days=1)
    assert renewed(locks) == addresses(dossier)
    retention.lift_hold(placed, reason="Xong", actor=office.archivist)
    assert renewed(locks) == set()


def test_a_hold_on_one_dispatch_locks_its_files_though_it_lies_in_no_dossier(office, make_record, locks):
    record = make_record()
    make_record()
    hold(office, record)
    locking.sweep()
    assert set(locks) == set(DigitalObject.objects.filter(record=record).values_list("address", flat=True))
    assert locks


# --- on a real server with object lock ----------------------------------------------------------------------


class Server:
    """The bucket of an office, as whoever holds its account sees it."""

    def __init__(self, account):
        self.client, self.bucket = bucket.connect(account), account.bucket

    def versions(self, address):
        whole = self.client.list_objects(self.bucket, recursive=True, include_version=True)
        return [one for one in whole if one.object_name.endswith(f"/{address}.vkso")]

    def locked_until(self, address):
        (version,) = self.versions(address)
        kept = self.client.get_object_retention(self.bucket, version.object_name, version.version_id)
        return kept and kept.retain_until_date

    def refusals(self, address):
        """Try to remove every version; return why it was refused."""
        plain = [DeleteObject(one.object_name, one.version_id) for one in self.versions(address)]
        assert plain
        return {fault.code for fault in self.client.remove_objects(self.bucket, plain)}


@pytest.fixture
def server(settings, tmp_path):
    with buckets.fresh(object_lock=True) as lent:
        settings.VANKHO_HOME = tmp_path / "home"
        settings.STORE_DRIVER, settings.S3_URL, settings.S3_BUCKET = "s3", lent.url, lent.bucket
        settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = lent.access_key, lent.secret_key
        yield Server(lent)


@pytest.mark.engine
def test_on_the_server_a_closed_dossier_is_locked_until_its_day_and_no_version_goes(close, server, make_record):
    dossier, free = close("09.TM"), make_record()
    assert locking.sweep() == len(addresses(dossier))
    for address in addresses(dossier):
        assert server.locked_until(address) == datetime(2036, 12, 31, 17, tzinfo=UTC)
        assert server.refusals(address) == {"AccessDenied"}
        assert len(server.versions(address)) == 1
    for address in DigitalObject.objects.filter(record=free).values_list("address", flat=True):
        assert server.locked_until(address) is None
        assert server.refusals(address) == set()


@pytest.mark.engine
def test_on_the_server_a_hold_locks_beyond_the_due_day_and_shortens_no_lock(office, close, server):
    past, ahead = close("10.TM", years=1, ended_on=date(2020, 5, 4)), close("11.TM")
    near = close("12.TM", years=1, ended_on=date(timezone.localdate().year - 1, 5, 4))
    locking.sweep()
    assert {server.locked_until(address) for address in addresses(past)} == {None}
    due = {locking.until_of(near)}
    assert {server.locked_until(address) for address in addresses(near)} == due

    hold(office, past, ahead, near)
    locking.sweep()

    for address in addresses(past) | addresses(near):
        assert server.locked_until(address) > max(*due, timezone.now() + locking.HELD - timedelta(days=1))
        assert server.refusals(address) == {"AccessDenied"}
    for address in addresses(ahead):
        assert server.locked_until(address) == datetime(2036, 12, 31, 17, tzinfo=UTC)
        assert server.refusals(address) == {"AccessDenied"}
