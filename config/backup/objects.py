"""Sealed objects on their way into a backup and out of it; no key is needed for either.

An object that an earlier backup of the folder lists is kept without reading it again, so a
nightly backup costs what is new; one that a killed backup left is compared by digest.
"""

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from archive.models import DigitalObject
from archive.rules.levels import Level
from archive.stores.disk import sync_folder
from archive.stores.port import Driver
from archive.stores.refusals import MissingObject
from config.backup import durable
from config.backup.manifest import Backup, Named, place
from config.backup.refusals import ObjectsMissing

BATCH: Final = 64
THREADS: Final = 4  # a server far away is waited for by several at once
SAID: Final = 5  # addresses named in a refusal


class State(Enum):
    """What became of one object."""

    KEPT = "kept"
    FRESH = "fresh"
    MISSING = "missing"


@dataclass
class Copied:
    """What became of the objects of a snapshot."""

    count: int = 0
    size: int = 0
    fresh: int = 0
    missing: list[str] = field(default_factory=list)


class Known:
    """The list of an earlier backup, asked in the order of addresses."""

    def __init__(self, lines: Iterator[Named]) -> None:
        """Read along a list that is sorted by address."""
        self._lines = lines
        self._next = next(lines, None)

    def has(self, each: Named) -> bool:
        """Say whether the list holds this object with this digest; ask by rising address."""
        while self._next is not None and self._next.address < each.address:
            self._next = next(self._lines, None)
        return self._next == each


def copy_all(named: Iterable[Named], driver: Driver, target: Path, listing: Path, known: Known) -> Copied:
    """Copy every object that is not there yet, write the list of all; missing ones are named, not listed.

    Raises:
        StoreFailed, StoreAway, OSError: the store or the medium does not answer.
    """
    done, folders, rest = Copied(), set(), iter(named)
    with durable.writing(listing) as lines, ThreadPoolExecutor(THREADS) as pool:
        while batch := [(each, known.has(each)) for each in itertools.islice(rest, BATCH)]:
            states = pool.map(lambda pair: _bring(pair[0], pair[1], driver, place(target, pair[0].address)), batch)
            for (each, _is_known), state in zip(batch, states, strict=True):
                if state is State.MISSING:
                    done.missing.append(each.address)
                    continue
                if state is State.FRESH:
                    done.fresh += 1
                    folders.add(place(target, each.address).parent)
                done.count, done.size = done.count + 1, done.size + each.size
                lines.write(each.line)
    for folder in folders:
        sync_folder(folder)
    return done


def _bring(each: Named, is_known: bool, driver: Driver, path: Path) -> State:
    if is_known and path.is_file() and path.stat().st_size == each.size:
        return State.KEPT
    if is_there(path, each):
        return State.KEPT
    return State.FRESH if _copy(each, driver, path) else State.MISSING


def is_there(path: Path, each: Named) -> bool:
    """Say whether a file has the digest that the list gives it."""
    try:
        return path.stat().st_size == each.size and durable.digest_of(path) == (each.size, each.sha256)
    except FileNotFoundError:
        return False


class _Wrong(Exception):  # noqa: N818 - tells `writing` to leave nothing
    """What the store gave is not what the row says."""


def _copy(each: Named, driver: Driver, path: Path) -> bool:
    """Copy one object; return whether the store had it whole."""
    try:
        with driver.open(each.address) as source:
            durable.make_folder(path.parent)
            with durable.writing(path, sync_name=False) as file:
                _pour_whole(each, source, file)
    except (MissingObject, _Wrong):
        return False
    return True


def _pour_whole(each: Named, source: durable.Source, file: durable.Sink) -> None:
    if durable.pour(source, file.write) != (each.size, each.sha256):
        raise _Wrong


def damaged(backup: Backup) -> Iterator[str]:
    """Yield the address of every object of a backup that is missing or is not what the list says."""
    for each in backup.listed():
        if not is_there(backup.place(each.address), each):
            yield each.address


def put_back(each: Named, backup: Backup, driver: Driver) -> bool:
    """Write one object into the store unless it is there whole; return whether it was written.

    Raises:
        ObjectsMissing: the backup's own copy is missing or damaged.
        StoreFull, StoreFailed, StoreAway: the store cannot take it.
    """
    is_kept = driver.stat(each.address) is not None
    if is_kept and is_whole(each, driver):
        return False
    if not is_there(backup.place(each.address), each):
        raise ObjectsMissing(count=1, addresses=each.address)
    if is_kept:
        driver.delete(each.address)
    draft = driver.create(each.address, level=_level_of(each.address))
    try:
        with backup.place(each.address).open("rb") as source:
            durable.pour(source, lambda data: draft.write(memoryview(data)))
        draft.commit()
    finally:
        draft.abandon()
    return True


def _level_of(address: str) -> Level:
    """Return the level in an object's row; the highest of one that no row names."""
    level = DigitalObject.objects.filter(address=address).values_list("level", flat=True).first()
    return max(Level) if level is None else Level(level)


def is_whole(each: Named, driver: Driver) -> bool:
    """Say whether the store holds an object with the right digest. Raises StoreFailed, StoreAway."""
    try:
        with driver.open(each.address) as source:
            return durable.pour(source, lambda _data: None) == (each.size, each.sha256)
    except MissingObject:
        return False
