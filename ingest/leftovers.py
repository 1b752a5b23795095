"""Removes what killed workers leave: sealed bytes that no row names, unfinished drafts of files.

Bytes are put before their row and shredded after it, so a kill leaves extra bytes and
never a lost file. Only what is a day old goes: a younger piece may belong to a hand-over
that is still under way. Many pieces at once are no leftovers but a database that is older
than its store (a restored copy): then nothing is touched and the administrator is told.
"""

import logging
from collections.abc import Collection
from itertools import islice
from typing import Final

from archive import resealing, store
from archive.models import DigitalObject

SWEEP_SECONDS: Final = 3600.0
MOST: Final = 100  # what a hundred kills in a day may leave
log = logging.getLogger("vankho.leftovers")


def sweep(*, older_than_seconds: float = store.DAY_SECONDS) -> int:
    """Shred leftovers; return how many."""
    store.configured().sweep(older_than_seconds=older_than_seconds)
    resealing.tend()
    found = list(islice(store.orphans(_named, older_than_seconds=older_than_seconds), MOST + 1))
    if len(found) > MOST:
        log.error(
            "more than %s sealed objects have no row: is the database older than the store? Nothing was removed.", MOST
        )
        return 0
    for address in found:
        store.shred(address)
    if found:
        log.info("%s leftovers removed", len(found))
    return len(found)


def _named(addresses: Collection[str]) -> Collection[str]:
    waiting = resealing.waiting()  # before the rows: what follows in between is named by its row
    return {*waiting, *DigitalObject.objects.filter(address__in=addresses).values_list("address", flat=True)}
