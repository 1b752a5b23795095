"""Moving an installation's sealed objects from one place to another, while the office works.

Copies ciphertext only: no key is touched. Every object is
checked against the digest in its row on the way out and once more as it lies in the new
place; only then is it written into a list on disk, so a killed run goes on where it was.
The source is never touched by a copy; `clear` removes from it only what is on that list.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from archive import audit, settling
from archive.models import DigitalObject
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.rules.sizes import MIB
from archive.stores.port import Driver
from archive.stores.refusals import MissingObject

BATCH: Final = 64  # objects between two writes of the list; what a kill makes check again
THREADS: Final = 4
GOOD: Final = ("copied", "present")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object as its row describes it."""

    address: str
    sealed_sha256: str
    level: Level


@dataclass(slots=True)
class Outcome:
    """What a pass did: how many were copied, how many were there already, and what is wrong with the rest."""

    copied: int = 0
    present: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def verified(self) -> int:
        """Return how many objects lie verified in the new place."""
        return self.copied + self.present


class Move:
    """A move between two places; run `copy` as often as wanted, then `clear` once the office uses the new one."""

    def __init__(self, source: Driver, target: Driver, *, name: str) -> None:
        """Take both places; `name` ("local-to-s3") names the list of what has been verified."""
        self._source, self._target = source, target
        folder = Path(settings.VANKHO_HOME) / "moves"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._list = folder / f"{name}.verified"
        self._verified = set(self._list.read_text(encoding="ascii").split()) if self._list.exists() else set()

    def copy(self) -> Outcome:
        """Copy and verify every object that a row names. Raises StoreFull, StoreFailed: run it again later."""
        outcome = Outcome()
        rows = DigitalObject.objects.order_by("address").values_list("address", "sealed_sha256", "level")
        wanted = (Wanted(address, sha256, Level(level)) for address, sha256, level in rows.iterator(chunk_size=1000))
        with ThreadPoolExecutor(THREADS) as pool:
            while batch := list(islice(wanted, BATCH)):
                self._note(outcome, batch, list(pool.map(self._copied, batch)))
                self._settle(pool, batch)
        self._forgive_the_destroyed(outcome)
        return outcome

    def _settle(self, pool: ThreadPoolExecutor, batch: list[Wanted]) -> None:
        """See that each object lies where its level of now does: that may have moved since it was copied."""
        rows = DigitalObject.objects.filter(address__in=[one.address for one in batch if one.address in self._verified])
        levels = {address: Level(level) for address, level in rows.values_list("address", "level")}
        settled = pool.map(lambda address: self._target.is_settled(address, levels[address]), levels)
        for address, is_settled in zip(levels, settled, strict=True):
            if not is_settled:
                with suppress(MissingObject):  # destroyed meanwhile, or told as a fault by the next pass
                    settling.bring(address, driver=self._target)

    def _note(self, outcome: Outcome, batch: list[Wanted], answers: list[str]) -> None:
        good = [one.address for one, answer in zip(batch, answers, strict=True) if answer in GOOD]
        with self._list.open("a", encoding="ascii") as written:
            written.writelines(f"{address}\n" for address in good if address not in self._verified)
            written.flush()
            os.fsync(written.fileno())
        self._verified.update(good)
        outcome.copied += answers.count("copied")
        outcome.present += answers.count("present")
        outcome.faults |= {
            one.address: answer for one, answer in zip(batch, answers, strict=True) if answer not in GOOD
        }

    def _copied(self, wanted: Wanted) -> str:
        """Bring one object over: "copied", "present", or what is wrong."""
        if self._target.stat(wanted.address) is not None:
            if wanted.address in self._verified or digest(self._target, wanted.address) == wanted.sealed_sha256:
                return "present"
            self._target.delete(wanted.address)  # a damaged copy; the source still has the object
        try:
            return self._bring(wanted)
        except MissingObject:
            return "missing"

    def _bring(self, wanted: Wanted) -> str:
        seen = hashlib.sha256()
        draft = self._target.create(wanted.address, level=wanted.level)
        try:
            with self._source.open(wanted.address) as source:
                while block := source.read(MIB):
                    seen.update(block)
                    draft.write(memoryview(block))
            if seen.hexdigest() != wanted.sealed_sha256:
                return "damaged at its source"
            draft.commit()
        finally:
            draft.abandon()
        return "copied" if digest(self._target, wanted.address) == wanted.sealed_sha256 else "damaged on its way"

    def _forgive_the_destroyed(self, outcome: Outcome) -> None:
        """Drop faults of objects whose rows went while this pass ran: they were destroyed lawfully."""
        still = set(DigitalObject.objects.filter(address__in=outcome.faults).values_list("address", flat=True))
        outcome.faults = {address: fault for address, fault in outcome.faults.items() if address in still}

    def clear(self) -> int:
        """Remove from the source what lies verified in the target; return how many. Call after a pass without faults."""
        gone = 0
        for address in self._named_and_verified():
            if self._source.stat(address) is not None:
                self._source.delete(address)
                gone += 1
        self._list.unlink(missing_ok=True)
        return gone

    def _named_and_verified(self) -> Iterator[str]:
        for address in DigitalObject.objects.order_by("address").values_list("address", flat=True).iterator():
            if address in self._verified and self._target.stat(address) is not None:
                yield address


def digest(driver: Driver, address: str) -> str:
    """Return SHA-256 of the bytes that lie under an address. Raises MissingObject, StoreFailed."""
    seen = hashlib.sha256()
    with driver.open(address) as source:
        while block := source.read(MIB):
            seen.update(block)
    return seen.hexdigest()


@transaction.atomic
def record(outcome: Outcome, *, source: str, target: str, removed: int) -> None:
    """Write a finished pass into the log."""
    details = {"old_place": source, "new_place": target, "copied": outcome.copied, "verified": outcome.verified}
    audit.write(Action.STORE_MOVE, actor=None, details={**details, "faults": len(outcome.faults), "removed": removed})
