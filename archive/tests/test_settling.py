"""The bytes of an object follow its level to another place: noted with the act, brought by the worker, never lost."""

from collections import defaultdict
from datetime import date

import pytest
from django.db import transaction

from archive import settling, store
from archive.leveling import acts
from archive.leveling.moving import Order
from archive.models import DigitalObject, Misplaced
from archive.rules.levels import Level
from archive.stores import chosen
from archive.stores.port import object_id
from archive.stores.refusals import MissingObject, StoreAway

ORDER = Order(authority="Chỉ huy trưởng", basis="QĐ 12/QĐ-BCH", decided_on=date(2026, 11, 1), reason="lộ bí mật")


class Placed:
    """The installation's driver as one with a place for each level."""

    def __init__(self, driver):
        self.driver, self.lying, self.fault = driver, defaultdict(set), None

    def bring(self, address, level, *, sha256):
        assert sha256 == DigitalObject.objects.get(address=address).sealed_sha256
        self.lying[address].add(level)
        if self.fault:
            self.fault(address)

    def leave(self, address, level):
        assert level in self.lying[address]
        moved = self.lying[address] != {level}
        self.lying[address] = {level}
        return moved

    def __getattr__(self, name):
        return getattr(self.driver, name)


@pytest.fixture
def placed(monkeypatch, office):
    kept = store.configured()
    made = Placed(kept.driver)
    monkeypatch.setattr(kept, "driver", made)
    monkeypatch.setattr(chosen, "has_places", lambda: True)
    return made


def of(record):
    return set(record.sealed_objects.values_list("address", flat=True))


def noted():
    return set(Misplaced.objects.values_list("object", flat=True))


def test_on_a_medium_with_one_place_for_all_nothing_is_noted(make_record):
    make_record(level=Level.MAT)
    assert noted() == set()
    assert settling.sweep() == 0


def test_what_is_registered_at_another_level_than_it_was_sealed_at_is_brought_to_its_place(placed, make_draft, office):
    draft = make_draft(level=Level.THUONG, plausible=Level.MAT)
    assert noted() == of(draft)
    settling.sweep()
    assert [placed.lying[address] for address in of(draft)] == [{Level.MAT}] * 2
    assert noted() == set()
    assert settling.sweep() == 0


def test_a_raised_dispatch_is_brought_along(placed, make_record, office):
    record = make_record(level=Level.MAT)
    settling.sweep()
    acts.raise_level(record, to=Level.TOI_MAT, order=ORDER, actor=office.leader)
    assert noted() == of(record)
    settling.sweep()
    assert [placed.lying[address] for address in of(record)] == [{Level.TOI_MAT}] * 2


def test_an_act_that_is_rolled_back_notes_nothing(placed, make_record):
    record = make_record()
    settling.sweep()
    with transaction.atomic():
        settling.note(of(record))
        transaction.set_rollback(True)
    assert noted() == set()


def test_what_fails_stays_noted_and_stops_no_other(placed, make_record):
    bad, good = make_record(level=Level.MAT), make_record(level=Level.MAT)
    settling.note(of(bad) | of(good))

    def fault(address):
        if address in of(bad):
            raise StoreAway(reason="no connection")

    placed.fault = fault
    with pytest.raises(StoreAway):
        settling.sweep()
    assert noted() == of(bad)
    placed.fault = None
    settling.sweep()
    assert noted() == set()


def test_a_level_that_moves_once_more_meanwhile_is_followed(placed, make_record):
    record = make_record(level=Level.MAT)
    settling.note(of(record))

    def raise_meanwhile(address):
        placed.fault = None
        DigitalObject.objects.filter(address=address).update(level=Level.TOI_MAT)
        settling.note([address])

    placed.fault = raise_meanwhile
    settling.sweep()
    (left,) = noted()
    assert placed.lying[left] == {Level.MAT}  # nothing is removed for a level of before
    settling.sweep()
    assert placed.lying[left] == {Level.TOI_MAT}
    assert noted() == set()


def test_two_workers_that_mean_two_levels_leave_the_bytes(placed, make_record):
    record = make_record()
    (address, *_rest) = of(record)
    placed.lying[address] = {Level.THUONG}
    settling.note([address])

    def the_other(_address):
        placed.fault = None
        DigitalObject.objects.filter(address=address).update(level=Level.THUONG)
        settling.bring(address)  # the level went back, and another worker has looked meanwhile

    DigitalObject.objects.filter(address=address).update(level=Level.MAT)
    placed.fault = the_other
    settling.sweep()
    assert Level.THUONG in placed.lying[address]
    assert noted() == {address}
    settling.sweep()
    assert placed.lying[address] == {Level.THUONG}
    assert noted() == set()


def test_what_lies_nowhere_is_work_as_long_as_it_has_a_key(placed, make_record):
    record = make_record()
    settling.note(of(record))

    def gone(address):
        raise MissingObject(address=address)

    placed.fault = gone
    with pytest.raises(MissingObject):  # the wrong bucket, perhaps
        settling.sweep()
    assert noted() == of(record)
    for address in of(record):
        store.configured().vault.shred(object_id(address))
    assert settling.sweep() == 0
    assert noted() == set()
