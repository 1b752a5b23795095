"""The sealed objects of a record under the key of its level: up before the commit, down after it.

The vault is a database of its own, so a change can be cut off between the two. Whenever that
happens, an object lies under a key of its record's level or above, never below, and stays
readable by who may read the record. What is left to bring down stands in the history
(`keys_at` is empty) until `sweep` has done it; what a raise lifted that then rolled back, in no
row, is found by comparing the vault with the rows. The objects themselves are never touched.
"""

import logging
from typing import Final

from django.db import transaction
from django.utils import timezone

from archive import settling, store
from archive.models import DigitalObject, LevelChange, Record
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.stores.port import object_id
from archive.stores.refusals import Shredded

EVERY_SECONDS: Final = 30  # how often the worker looks for what a fault has left
LOOKED_AT: Final = 2_000  # keys at each look: half a million in two hours

log = logging.getLogger("vankho.levels")


def lift(record: Record) -> None:
    """Bring every sealed object of a raised record under the higher key, before the commit.

    Raises:
        StoreFailed: the vault is away; the act rolls back, and `look_over` brings down what was moved already.
    """
    _bring(record)


def settle(change: int) -> bool:
    """Bring the keys of the record of a change to its present level; return whether there was something to do.

    Under the record's lock: a change in progress has lifted keys for a level that is not committed yet.

    Raises:
        StoreFailed: the vault is away; the next sweep tries again.
    """
    with transaction.atomic():
        left = LevelChange.objects.filter(pk=change, keys_at__isnull=True)
        record = Record.objects.select_for_update().filter(pk__in=left.values("record")).first()
        if record is None:
            return False
        _bring(record)
        left.update(keys_at=timezone.now())
    return True


def settle_after_commit(change: int) -> None:
    """Settle a change when its transaction has committed; a vault that is away then fails no act: the sweep comes later."""

    def settle_now() -> None:
        settle(change)

    transaction.on_commit(settle_now, robust=True)


def sweep() -> int:
    """Settle every change that a fault cut off before its keys, then look over some keys; return how many were moved.

    One that fails stops no other.

    Raises:
        Refusal: the first fault met (the vault is away, an object's key does not open), after all others were tried.
    """
    done, faults = 0, []
    for change in LevelChange.objects.filter(keys_at__isnull=True).order_by("pk").values_list("pk", flat=True):
        try:
            done += settle(change)
        except Refusal as fault:
            faults.append(fault)
    try:
        done += look_over()
    except Refusal as fault:
        faults.append(fault)
    if done:
        log.info("keys brought to the level of their records after a fault: %d", done)
    if faults:
        log.error("keys that could not be brought to the level of their records: %d changes, tried again", len(faults))
        raise faults[0]
    return done


class _Place:
    """Up to which object the keys were looked over; another process, or a new start, begins with the first."""

    after = ""


def look_over(*, most: int = LOOKED_AT) -> int:
    """Bring keys to their objects' level; return how many lay elsewhere. Each call goes on where the last one ended.

    A raise lifts keys before its commit: if it rolls back or is killed, they stay too high, and no row tells of it. A
    database that was brought back to an earlier moment leaves them too low.

    Raises:
        StoreFailed: the vault is away.
    """
    vault = store.configured().vault
    lying = [(each.hex(), level) for each, level in vault.levels(after=bytes.fromhex(_Place.after), most=most)]
    if not lying:
        _Place.after = ""
        return 0
    run = DigitalObject.objects.filter(address__gt=_Place.after, address__lte=lying[-1][0], record__isnull=False)
    levels = dict(run.values_list("address", "level"))
    done = sum(_level_out(address) for address, level in lying if level != levels.get(address, level))
    _Place.after = lying[-1][0] if len(lying) == most else ""
    return done


def _level_out(address: str) -> bool:
    """Bring one key to its object's level, if it still lies elsewhere once no act holds its record; bytes go after it."""
    with transaction.atomic():
        Record.objects.select_for_update(of=("self",)).filter(sealed_objects=address).first()
        kept = DigitalObject.objects.filter(address=address).first()
        if kept is None:
            return False  # sealed anew meanwhile, or put aside
        try:
            if store.configured().vault.level_of(object_id(address)) == kept.level:
                return False
            store.relevel(address, to=Level(kept.level))
            settling.note([address])
        except Shredded:
            return False
    return True


def _bring(record: Record) -> None:
    level = Level(record.level)
    addresses = list(DigitalObject.objects.filter(record=record).order_by("address").values_list("address", flat=True))
    for address in addresses:
        try:
            store.relevel(address, to=level)
        except Shredded:
            log.warning("object %s has no key any more: nothing to bring to a level", address)
