"""Bringing the bytes of sealed objects to where those of their level lie, after the level has moved.

Keys move with the act (`archive.leveling.keys`); bytes can be large and lie on another machine, so
they follow: the act notes the object, and a worker copies it to its new place and then removes it from
the old one. Until then a reader finds it where it is. Where a medium has one place for all, nothing is noted.
"""

import logging
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from archive import store
from archive.models import DigitalObject, Misplaced
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.stores.refusals import MissingObject

EVERY_SECONDS: Final = 30
MOST: Final = 200  # objects of one look

log = logging.getLogger("vankho.store")


def note(addresses: Iterable[str]) -> None:
    """Note objects whose level moved: in the act's transaction, after their rows were written (`_done` relies on it)."""
    if store.configured().driver.has_places:
        Misplaced.objects.bulk_create([Misplaced(object_id=each) for each in addresses], ignore_conflicts=True)


def sweep() -> int:
    """Bring what was noted to its place; return how many lay elsewhere. What fails stays noted, and stops no other.

    Raises:
        Refusal: the first fault met, after all others were tried.
    """
    moved, faults = 0, []
    for address in list(Misplaced.objects.order_by("object").values_list("object", flat=True)[:MOST]):
        try:
            moved += _settle(address)
        except Refusal as fault:
            faults.append(fault)
    if faults:
        log.error("objects that could not be brought to where their level lies: %d, tried again", len(faults))
        raise faults[0]
    return moved


def _settle(address: str) -> bool:
    level = DigitalObject.objects.filter(address=address).values_list("level", flat=True).first()
    if level is None:
        return False  # destroyed meanwhile; its note went with it
    try:
        moved = store.configured().driver.settle(address, Level(level))
    except MissingObject:
        log.warning("object %s lies nowhere: nothing to bring to its place", address)
        moved = False
    _done(address, level)
    return moved


@transaction.atomic
def _done(address: str, level: int) -> None:
    """Strike the note out, unless the level moved once more while bytes were copied: under the row's lock, which that act takes."""
    kept = DigitalObject.objects.select_for_update(of=("self",)).filter(address=address).first()
    if kept is not None and kept.level == level:
        Misplaced.objects.filter(object=address).delete()
