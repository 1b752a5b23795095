"""Reading every stored object again, slowly, before somebody needs it: bytes rot, disks lie.

Compares the ciphertext with the digest in its row; no key is touched. A run goes on where
the last one stopped, at a pace that leaves the disk to the office. What is damaged can be
written back from a backup, if the backup's copy is right. What was found goes into the log.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from archive import audit, store
from archive.models import DigitalObject
from archive.rules.roles import Action
from archive.rules.sizes import MIB
from archive.stores.port import Driver
from archive.stores.refusals import MissingObject
from config.backup import durable, objects
from config.backup.destroyed import Destroyed
from config.backup.manifest import Backup, Named
from config.backup.refusals import ObjectsMissing
from config.backup.trailing import Forms

CURSOR: Final = "scrub.json"
REMEMBERED: Final = 200  # objects between two notes of the place


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long: MiB a second, seconds in all; 0 means without limit."""

    mib_per_second: float = 20.0
    seconds: float = 3600.0


@dataclass
class Seen:
    """What a run found."""

    objects: int = 0
    size: int = 0  # bytes read
    destroyed: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    is_whole: bool = False  # reached the last object

    @property
    def wrong(self) -> list[str]:
        """Addresses that are still missing or damaged."""
        return [address for address in (*self.missing, *self.damaged) if address not in self.repaired]


def scrub(pace: Pace, *, everything: bool = False, source: Backup | None = None) -> Seen:
    """Check stored objects and write what was found into the log.

    Args:
        pace: the limits; a run without a limit of time reads to the end.
        everything: begin with the first object, not where the last run stopped.
        source: a backup from which to write back what is missing or damaged.

    Raises:
        StoreFailed, StoreAway: the store does not answer; what was seen until then is remembered.
    """
    began, seen = time.monotonic(), Seen()
    kept = store.configured()
    destroyed, forms = Destroyed(kept.vault), Forms(kept.vault)
    cursor = Path(settings.VANKHO_HOME) / CURSOR
    for each in _rows("" if everything else _remembered(cursor)):
        if pace.seconds and time.monotonic() - began > pace.seconds:
            break
        _look(each, forms.of(each), kept.driver, seen, destroyed)
        if seen.objects % REMEMBERED == 0:
            _remember(cursor, each.address)
        _wait(pace, seen.size, began)
    else:
        seen.is_whole = True
    _remember(cursor, "" if seen.is_whole else _last(seen, cursor, each.address))
    if source is not None:
        _repair(seen, forms, source, kept.driver)
    _record(seen, time.monotonic() - began)
    return seen


def _last(seen: Seen, cursor: Path, stopped_before: str) -> str:
    """Return the address before the one that was not looked at any more."""
    if not seen.objects:
        return _remembered(cursor)
    before = DigitalObject.objects.filter(address__lt=stopped_before).order_by("-address")
    return before.values_list("address", flat=True).first() or ""


def _rows(after: str) -> Iterator[Named]:
    rows = DigitalObject.objects.filter(address__gt=after).order_by("address")
    for row in rows.values_list("address", "sealed_size", "sealed_sha256").iterator(chunk_size=1000):
        yield Named(*row)


def _look(each: Named, now: Named, driver: Driver, seen: Seen, destroyed: Destroyed) -> None:
    """Read what a row names, as it lies now."""
    seen.objects += 1
    try:
        with driver.open(now.address) as stream:
            found = durable.pour(stream, lambda _data: None)
    except MissingObject:
        if destroyed.has(each.address):
            seen.destroyed += 1
        elif DigitalObject.objects.filter(address=each.address).exists():
            seen.missing.append(each.address)
        return
    seen.size += found[0]
    if found != (now.size, now.sha256):
        seen.damaged.append(each.address)


def _wait(pace: Pace, size: int, began: float) -> None:
    if pace.mib_per_second:
        time.sleep(max(0.0, size / (pace.mib_per_second * MIB) - (time.monotonic() - began)))


def _remembered(cursor: Path) -> str:
    try:
        return str(json.loads(cursor.read_bytes())["after"])
    except (FileNotFoundError, ValueError, KeyError):
        return ""


def _remember(cursor: Path, address: str) -> None:
    durable.write(cursor, json.dumps({"after": address}).encode())


def _repair(seen: Seen, forms: Forms, source: Backup, driver: Driver) -> None:
    """Write back, one by one, what a backup holds with the digest that our own row asks for."""
    wanted = {*seen.missing, *seen.damaged}
    rows = {forms.of(row): row.address for row in _named(wanted)}
    for each in source.listed():
        if (address := rows.get(each)) is None:
            continue
        try:
            objects.put_back(each, source, driver)
        except ObjectsMissing:
            continue  # the backup's own copy is no better
        seen.repaired.append(address)
        with transaction.atomic():
            subject = audit.Subject("object", address)
            audit.write(Action.REPAIR, actor=None, subject=subject, details={"backup": source.manifest.name})


def _named(addresses: set[str]) -> Iterator[Named]:
    rows = DigitalObject.objects.filter(address__in=addresses)
    for row in rows.values_list("address", "sealed_size", "sealed_sha256"):
        yield Named(*row)


@transaction.atomic
def _record(seen: Seen, seconds: float) -> None:
    details = {
        "verified": seen.objects,
        "damaged": seen.damaged,
        "missing": seen.missing,
        "repaired": len(seen.repaired),
        "seconds": round(seconds),
    }
    audit.write(Action.SCRUB, actor=None, details=details)
