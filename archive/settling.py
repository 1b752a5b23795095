"""Bringing the bytes of sealed objects to where those of their level lie, after the level has moved.

Keys move with the act (`archive.leveling.keys`); bytes can be large and lie on another machine, so
they follow: the act notes the object, and a worker copies it to its new place and then removes it from
the old one. Until then a reader finds it where it is. Where a medium has one place for all, nothing is noted.

A copy is removed only under the lock of the object's row and for the level that stands in it: of two
workers that mean two levels each would remove what the other has kept.
"""

import logging
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from archive import store
from archive.models import DigitalObject, Misplaced
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.stores import chosen
from archive.stores.port import Driver, object_id
from archive.stores.refusals import MissingObject, Shredded

EVERY_SECONDS: Final = 30
MOST: Final = 200  # objects of one look

log = logging.getLogger("vankho.store")


def note(addresses: Iterable[str]) -> None:
    """Note objects whose level moved: in the act's transaction, after their rows were written (`_leave` relies on it)."""
    if chosen.has_places():
        Misplaced.objects.bulk_create([Misplaced(object_id=each) for each in addresses], ignore_conflicts=True)


def sweep() -> int:
    """Bring what was noted to its place; return how many lay elsewhere. What fails stays noted, and stops no other.

    Raises:
        Refusal: the first fault met, after all others were tried.
    """
    moved, faults = 0, list[Refusal]()
    # In no order: what cannot be moved (a lock that our account may not lift) keeps no place before the others.
    for address in list(Misplaced.objects.order_by("?").values_list("object", flat=True)[:MOST]):
        try:
            moved += bring(address)
        except MissingObject as fault:
            if not _is_destroyed(address):
                faults.append(fault)
        except Refusal as fault:
            faults.append(fault)
    if faults:
        log.error("objects that could not be brought to where their level lies: %d, tried again", len(faults))
        raise faults[0]
    return moved


def bring(address: str, *, driver: Driver | None = None) -> bool:
    """Bring one object to where its level of now lies; return whether it lay elsewhere, too.

    Raises:
        MissingObject, StoreFull, StoreFailed: it stays where it was.
    """
    row = DigitalObject.objects.filter(address=address).values_list("level", "sealed_sha256").first()
    if row is None:
        return False  # destroyed meanwhile; its note went with it
    place = driver or store.configured().driver
    place.bring(address, Level(row[0]), sha256=row[1])
    return _leave(address, row[0], place)


@transaction.atomic
def _leave(address: str, level: int, driver: Driver) -> bool:
    """Remove what lies elsewhere and strike the note out, unless the level moved once more while bytes were copied."""
    kept = DigitalObject.objects.select_for_update(of=("self",)).filter(address=address).first()
    if kept is None:
        return False
    if kept.level != level:
        note([address])  # our copy lies astray now
        return False
    moved = driver.leave(address, Level(level))
    Misplaced.objects.filter(object=address).delete()
    return moved


def _is_destroyed(address: str) -> bool:
    """Return whether an object that lies nowhere has no key either, and strike its note out then."""
    try:
        store.configured().vault.level_of(object_id(address))
    except Shredded:
        Misplaced.objects.filter(object=address).delete()
        return True
    return False
