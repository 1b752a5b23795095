"""The sealed objects of a record under the key of its level: up before the commit, down after it.

The vault is a database of its own, so a change can be cut off between the two. Whenever that
happens, an object lies under a key of its record's level or above, never below, and stays
readable by who may read the record. What is left to bring down stands in the history
(`keys_at` is empty) until `sweep` has done it. The objects themselves are never touched.
"""

import logging
from typing import Final

from django.db import transaction
from django.utils import timezone

from archive import store
from archive.models import DigitalObject, LevelChange, Record
from archive.rules.levels import Level
from archive.stores.refusals import Shredded

EVERY_SECONDS: Final = 30  # how often the worker looks for what a fault has left

log = logging.getLogger("vankho.levels")


def lift(record: Record) -> None:
    """Bring every sealed object of a raised record under the higher key, before the commit.

    Raises:
        StoreFailed: the vault is away; the act rolls back, and keys already moved lie too high, which harms nothing.
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
    """Settle every change that a fault cut off before its keys; return how many."""
    waiting = LevelChange.objects.filter(keys_at__isnull=True).order_by("pk").values_list("pk", flat=True)
    done = [settle(change) for change in list(waiting[:500])]
    if any(done):
        log.info("keys brought to the level of their records after a fault: %d changes", sum(done))
    return sum(done)


def _bring(record: Record) -> None:
    level = Level(record.level)
    addresses = list(DigitalObject.objects.filter(record=record).order_by("address").values_list("address", flat=True))
    for address in addresses:
        try:
            store.relevel(address, to=level)
        except Shredded:
            log.warning("object %s has no key any more: nothing to bring to a level", address)
