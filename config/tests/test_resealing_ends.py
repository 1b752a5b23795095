"""Sealing anew comes to its end: whatever is locked, killed at any step, or went back to a moment before."""

import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from minio.commonconfig import COMPLIANCE
from minio.retention import Retention

from archive import audit, locking, resealing, store
from archive.models import Attachment, AuditEntry, DigitalObject, Record
from archive.rules.roles import Action
from archive.stores import resealed
from archive.stores.local import LocalDraft, LocalStore
from archive.stores.port import object_id
from archive.stores.refusals import Shredded, StoreAway, StoreFailed
from archive.stores.s3 import S3Draft
from archive.vault import Vault
from config.tests import dying
from config.tests.resealed import GROUND, addresses, agrees, content, on_a_folder, on_a_server, reseal
from ingest import leftovers

pytest_plugins = ("config.tests.resealed_office",)


@on_a_server
def test_a_lock_on_the_server_keeps_the_old_form_until_it_ends_and_holds_the_new_one_as_long(record, office):
    driver, old = store.configured().driver, Attachment.objects.get(record=record).original_id
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(
        seconds=15
    )  # longer than a busy machine takes to come to the look at it
    place = next(place for place in driver._all if driver._has(place, old))
    driver._client.set_object_retention(
        place.bucket, place.key(old), Retention(COMPLIANCE, until)
    )  # nobody may lift it

    done = reseal(office, record)
    assert done.left == [resealing.Left(old, until)]
    assert driver.locked_until(Attachment.objects.get(record=record).original_id) == until
    assert leftovers.sweep(older_than_seconds=-60) == 0
    time.sleep(max(0, (until - datetime.now(UTC)).total_seconds()) + 1)
    assert driver.locked_until(old) is None
    assert resealing.catch_up() == []
    assert agrees(record)


@on_a_server
def test_a_lock_of_ours_is_lifted_because_the_new_form_has_it(record, office):
    driver, old = store.configured().driver, Attachment.objects.get(record=record).original_id
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    driver.retain(old, until)
    assert reseal(office, record).left == []
    assert driver.locked_until(Attachment.objects.get(record=record).original_id) == until
    assert agrees(record)


@on_a_server
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lock_put_on_while_the_old_form_is_removed_holds_the_new_one(record, office, monkeypatch, moment):
    """The sweep of locks read the row before it was switched, and comes to it just before or after the removal."""
    driver, old = store.configured().driver, Attachment.objects.get(record=record).original_id
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    monkeypatch.setattr(locking, "_of_dossiers", lambda: iter([(old, until)]))
    monkeypatch.setattr(locking, "_of_holds", lambda: iter(()))
    step, swept = {"before": "locked_until", "after": "delete"}[moment], []
    real = getattr(driver, step)

    def swept_beside(address):
        answer = real(address)
        if address == old and not swept:
            swept.append(locking.sweep())
        return answer

    monkeypatch.setattr(driver, step, swept_beside)
    assert reseal(office, record, old).left == []
    assert swept == [1]
    assert driver.locked_until(Attachment.objects.get(record=record).original_id) == until
    assert agrees(record)


@on_a_folder
class TestLocked:
    """A medium that lets nobody remove the old form."""

    @pytest.fixture
    def lock(self, monkeypatch):
        """The locks of a folder that has some: address -> end; nobody may lift them."""
        ends, remove = {}, LocalStore.delete

        def delete(driver, address):
            if address in ends and ends[address] > datetime.now(UTC):
                raise StoreFailed(reason="locked")
            remove(driver, address)

        def retain(_driver, address, until):
            ends[address] = until
            return True

        monkeypatch.setattr(LocalStore, "delete", delete)
        monkeypatch.setattr(LocalStore, "retain", retain)
        monkeypatch.setattr(LocalStore, "locked_until", lambda _driver, address: ends.get(address))
        return ends

    def test_what_a_lock_keeps_is_told_and_removed_when_it_ends(self, record, lock, capsys):
        old, until = Attachment.objects.get(record=record).original_id, datetime.now(UTC) + timedelta(days=9)
        lock[old] = until
        before = content(record)
        call_command("reseal_files", old, "--as", "security", "--reason", GROUND)
        assert f"{old}: " in capsys.readouterr().out
        assert resealing.catch_up() == [resealing.Left(old, until)]
        assert leftovers.sweep(older_than_seconds=-60) == 0
        assert store.configured().stat(old).exists
        assert lock[Attachment.objects.get(record=record).original_id] == until  # taken over
        with pytest.raises(Shredded):
            store.configured().vault.get(object_id(old))

        lock.clear()
        call_command("reseal_files")
        assert old not in capsys.readouterr().out
        assert content(record) == before
        assert agrees(record)

    def test_a_lock_put_on_while_the_old_form_is_removed_holds_the_new_one(self, record, office, lock, monkeypatch):
        old, until = Attachment.objects.get(record=record).original_id, datetime.now(UTC) + timedelta(days=9)
        monkeypatch.setattr(locking, "_of_dossiers", lambda: iter([(old, until)]))
        monkeypatch.setattr(locking, "_of_holds", lambda: iter(()))
        shred = Vault.shred

        def swept_beside(vault, address):  # after the look at the old one's lock
            if address == object_id(old):
                assert locking.sweep() == 1
                del lock[old]  # which the removal lifts
            return shred(vault, address)

        monkeypatch.setattr(Vault, "shred", swept_beside)
        reseal(office, record, old)
        assert lock == {Attachment.objects.get(record=record).original_id: until}

    @pytest.mark.usefixtures("lock")
    def test_a_fault_that_is_no_lock_stops_no_other_and_is_tried_again(self, record, office, monkeypatch):
        kept, tried, remove = store.configured(), [], LocalStore.delete

        def away(driver, address):
            tried.append(address)
            if len(tried) <= 2:
                raise StoreAway(reason="x")
            remove(driver, address)

        monkeypatch.setattr(LocalStore, "delete", away)
        with pytest.raises(StoreAway):
            reseal(office, record)
        assert len(tried) == 4
        assert leftovers.sweep() == 0
        assert agrees(record)
        assert len(set(kept.addresses())) == 4

    def test_what_cannot_follow_past_a_locked_form_is_no_leftover(self, record, office, lock):
        before, attached = content(record), Attachment.objects.filter(record=record)
        with transaction.atomic():
            point = transaction.savepoint()
            reseal(office, record, attached.get().original_id)
            lock[attached.get().original_id] = datetime.now(UTC) + timedelta(days=9)
            assert reseal(office, record, attached.get().original_id).left
            transaction.savepoint_rollback(point)
        Record.objects.update(subject="sửa ngoài hệ thống")
        assert leftovers.sweep(older_than_seconds=-60) == 0
        assert content(record) == before


def test_a_database_that_went_back_finds_its_content_and_follows(record, office):
    """Vault and store are of now, the rows of before: as a recovery to a moment leaves them."""
    before, old = content(record), addresses(record)
    with transaction.atomic():
        point = transaction.savepoint()
        reseal(office, record)
        reseal(office, record)
        transaction.savepoint_rollback(point)
    assert addresses(record) == old
    assert content(record) == before
    assert leftovers.sweep(older_than_seconds=-60) == 0

    assert not addresses(record) & old
    assert content(record) == before
    assert agrees(record)
    entry = AuditEntry.objects.filter(action=Action.RECORD_RESEAL).latest("ts")
    assert entry.actor is None


def test_what_cannot_follow_yet_is_no_leftover(record, office, monkeypatch):
    before = content(record)
    with transaction.atomic():
        point = transaction.savepoint()
        reseal(office, record)
        transaction.savepoint_rollback(point)
    with monkeypatch.context() as away:
        away.setattr(resealing, "_follow", lambda *_given: (_ for _ in ()).throw(StoreAway(reason="x")))
        assert leftovers.sweep(older_than_seconds=-60) == 0
    assert content(record) == before
    resealing.catch_up()
    assert agrees(record)


def test_what_follows_while_leftovers_are_looked_for_is_none(record, office, monkeypatch):
    before, waiting = content(record), resealing.waiting
    with transaction.atomic():
        point = transaction.savepoint()
        reseal(office, record)
        transaction.savepoint_rollback(point)

    def followed():
        resealing.catch_up()
        return waiting()

    monkeypatch.setattr(resealing, "tend", lambda: None)
    monkeypatch.setattr(resealing, "waiting", followed)
    assert leftovers.sweep(older_than_seconds=-60) == 0
    assert content(record) == before


def test_what_was_destroyed_after_it_was_sealed_anew_stays_destroyed(record, office):
    old = addresses(record)
    with transaction.atomic():
        point = transaction.savepoint()
        reseal(office, record)
        for address in addresses(record):
            store.shred(address)
        transaction.savepoint_rollback(point)
    assert resealing.catch_up() == []
    for address in old:
        with pytest.raises(Shredded):
            store.read(address)


def test_a_file_that_is_in_no_dispatch_yet_follows_as_well(record, office):
    row = Attachment.objects.get(record=record).original
    with transaction.atomic():
        point = transaction.savepoint()
        reseal(office, record, row.address)
        transaction.savepoint_rollback(point)
    Attachment.objects.all().delete()
    DigitalObject.objects.filter(pk=row.pk).update(record=None)
    resealing.catch_up()
    now = DigitalObject.objects.get(sha256=row.sha256)
    assert now.address != row.address
    assert store.configured().sealed_digest(now.address) == now.sealed_sha256
    assert AuditEntry.objects.get(action=Action.RECORD_RESEAL).object_type == "object"


def test_the_command_says_how_it_ends(record, office, capsys):
    call_command("reseal_files", "--record", record.key, "--as", "security", "--reason", GROUND)
    assert "manage.py backup" in capsys.readouterr().out
    with pytest.raises(CommandError, match="STO-028"):
        call_command("reseal_files", "--record", record.key, "--as", "security")
    assert AuditEntry.objects.get(outcome="denied").action == "command:reseal_files"
    call_command("reseal_files")


@pytest.mark.django_db(transaction=True)
def test_a_run_killed_at_any_step_loses_nothing_and_is_ended_by_the_next(record, office):
    before, sizes = content(record), set()
    for at in count(1):
        old = addresses(record)
        is_killed = killed(lambda: reseal(office, record), at)
        assert content(record) == before
        is_done = not addresses(record) & old
        assert is_done or addresses(record) == old
        assert AuditEntry.objects.filter(action=Action.RECORD_RESEAL).count() == len(sizes) + is_done
        if is_done:
            sizes.add(at)
        resealing.catch_up()
        assert leftovers.sweep(older_than_seconds=-60) <= 1  # sealed, and killed before it was noted
        assert content(record) == before
        assert agrees(record)
        if not is_killed:
            break
    assert len(sizes) > 4  # the kills after the commit
    assert at - len(sizes) > 8  # and those before it


@on_a_folder
@pytest.mark.django_db(transaction=True)
def test_a_run_of_two_dispatches_that_is_killed_and_run_again_seals_each_once(record, office, make_record):
    other, done, kills = make_record(pages=("Một",)), [], 0
    for at in range(1, 60, 4):
        order = {"records": [record.key, other.key], "reason": f"{GROUND} {at}", "actor": office.security}
        old = [addresses(record), addresses(other)]
        kills += killed(lambda order=order: resealing.reseal(**order), at)
        now = [addresses(record), addresses(other)]
        done.append([each != before for each, before in zip(now, old, strict=True)].count(True))
        assert resealing.reseal(**order).passed == done[-1]
        again = [addresses(record), addresses(other)]
        assert [each for each, before in zip(again, old, strict=True) if each & before] == []
        assert sum(each == before for each, before in zip(again, now, strict=True)) == done[-1]
    assert set(done) == {0, 1, 2}
    assert kills > 4
    leftovers.sweep(older_than_seconds=-60)  # sealed, and killed before it was noted
    assert agrees(record)


def killed(act, at):
    """Run an act in a child that is killed at its n-th durable step; return whether it was."""
    driver = type(store.configured().driver)
    draft = LocalDraft if driver is LocalStore else S3Draft
    store.configured().vault.close()
    store._configured.clear()

    def arm():
        steps = count(1)
        for owner, name in (
            (driver, "create"), (Vault, "add"), (draft, "commit"), (resealed.Resealed, "note"), (audit, "write"),
            (transaction.Atomic, "__exit__"), (driver, "locked_until"), (Vault, "shred"), (driver, "delete"),
            (resealed.Resealed, "removed"),
        ):  # fmt: skip
            setattr(owner, name, dying.deadly(getattr(owner, name), steps, at))

    return dying.killed(act, arm)
