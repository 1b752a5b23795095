"""What is missing is destroyed only if an act says so; everything else is a loss and stops a backup."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from archive import audit, resealing, store
from archive.models import DigitalObject
from archive.rules.roles import Action
from config.backup.destroyed import Destroyed
from config.backup.refusals import ObjectsMissing, SealedAnew
from config.tests.office import seal


@pytest.fixture
def gone(office):
    """An object that somebody took away, row, key and bytes."""
    address = seal(b"content", level=0, role="original").address
    DigitalObject.objects.filter(address=address).delete()
    store.shred(address)
    return address


def asked():
    return Destroyed(store.configured().vault, since=timezone.now())


def told(address):
    with transaction.atomic():
        audit.write(Action.SCAN_DISMISS, actor=None, details={"destroyed": [address]})


def test_what_vanished_without_an_entry_is_lost(gone):
    with pytest.raises(ObjectsMissing):
        asked().require([gone])


def test_what_an_act_destroyed_is_told_by_its_entry(gone):
    told(gone)
    assert asked().require([gone]) == [gone]


def test_the_entry_of_another_object_does_not_help(gone):
    told(seal(b"other", level=0, role="original").address)
    assert not asked().has(gone)


def test_an_entry_from_long_before_the_snapshot_does_not_help(gone):
    told(gone)
    assert not Destroyed(store.configured().vault, since=timezone.now() + timedelta(days=1)).has(gone)


def test_what_still_has_its_key_or_its_row_is_not_destroyed(office):
    kept = seal(b"content", level=0, role="original").address
    told(kept)
    assert not asked().has(kept)
    store.shred(kept)
    assert not asked().has(kept)


def test_what_was_sealed_anew_is_not_lost_and_the_backup_is_to_be_run_again(office, make_record):
    old = make_record().sealed_objects.first().address
    asked().require_as_named([old])
    resealing.reseal(files=[old], reason="QĐ 1", actor=office.security)
    with pytest.raises(SealedAnew):
        asked().require([old])
    with pytest.raises(SealedAnew):
        asked().require_as_named([old])


def test_what_was_destroyed_after_it_was_sealed_anew_hinders_no_backup_once_a_restore_has_found_so(office, make_record):
    row = make_record().sealed_objects.first()
    old, before = row.address, transaction.savepoint()
    resealing.reseal(files=[old], reason="QĐ 1", actor=office.security)
    store.shred(row.record.sealed_objects.get(role=row.role).address)
    transaction.savepoint_rollback(before)  # the database went back to a moment before both
    with pytest.raises(SealedAnew):
        asked().require_as_named([old])
    with transaction.atomic():
        audit.write(Action.RESTORE, actor=None, details={"addresses": [old]})
    asked().require_as_named([old])
    assert asked().require([old]) == [old]


def test_a_scrub_that_does_not_know_since_when_believes_the_row(gone):
    assert Destroyed(store.configured().vault).has(gone)
