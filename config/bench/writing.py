"""What the log costs whoever writes: the same acts with and without their entries, in turns, by eight writers.

Each round does a fixed number of acts by every writer, once audited and once with the writing
of the entry patched out (here alone; the product has no such switch), and begins with the
other one each time. On PostgreSQL a sequencer works beside them in every slot, as the worker
does. `python -m config.bench writing [--database ADDRESS] [--times ROUNDS]`.
"""

import argparse
import io
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from typing import Any, Final
from unittest import mock

from config.bench import scratch

WRITERS: Final = 8
ROUNDS: Final = 8
ACTS: Final = {"registering": 12, "routing step": 12, "one row": 30}  # of each writer in one slot
WANTED: Final = {"registering": 80, "routing step": 80, "one row": 40}  # per cent of the unaudited act
FORK: Final = multiprocessing.get_context("fork")
SEQUENCER_SECONDS: Final = 0.05


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure on SQLite, or on the PostgreSQL server named."""
    with scratch.installation(database=arguments.database) as environment:
        child = scratch.begin(environment, "-m", "config.bench.writing", str(arguments.times or ROUNDS))
        told = child.communicate()[0].splitlines()
    if child.returncode:
        raise RuntimeError(f"the bench ended with {child.returncode}: {told[-5:]}")
    result: dict[str, Any] = json.loads(told[-1])
    for name, value in result.items():
        print(f"{name:20} {value}")
    return result


def work(rounds: int) -> dict[str, Any]:
    """Let the writers go through all slots together, inside the installation; return acts per second by kind."""
    from django.db import connection, connections

    slots = [
        (kind, is_audited)
        for kind in ACTS
        for number in range(rounds)
        for is_audited in ((True, False) if number % 2 else (False, True))
    ]
    vendor, began = connection.vendor, time.monotonic()
    connections.close_all()  # a child must not inherit a conversation with the server
    gate, told = FORK.Barrier(WRITERS), FORK.Queue()
    crew = [FORK.Process(target=writer, args=(number, slots, gate, told)) for number in range(WRITERS)]
    beside = FORK.Process(target=sequencer) if vendor == "postgresql" else None
    for child in (*crew, *([beside] if beside else [])):
        child.start()
    taken = [told.get(timeout=600) for _child in crew]
    for child in crew:
        child.join()
    if beside:
        beside.terminate()
    # A slot lasts until its last writer is done.
    seconds = [max(each[place] for each in taken) for place in range(len(slots))]
    result = {kind: _compared(kind, slots, seconds) for kind in ACTS}
    return {
        "database": vendor,
        "writers": WRITERS,
        **result,
        "load": round(os.getloadavg()[0], 1),
        "seconds": round(time.monotonic() - began),
        "entries": _entries(),
    }


def _compared(kind: str, slots: list[tuple[str, bool]], seconds: list[float]) -> dict[str, Any]:
    """Return acts per second with and without, and the median of what the pairs say."""
    spent = {
        is_audited: [one for slot, one in zip(slots, seconds, strict=True) if slot == (kind, is_audited)]
        for is_audited in (True, False)
    }
    acts = ACTS[kind] * WRITERS
    ratios = [bare / audited for audited, bare in zip(spent[True], spent[False], strict=True)]
    return {
        "audited_per_s": round(acts / statistics.median(spent[True])),
        "unaudited_per_s": round(acts / statistics.median(spent[False])),
        "per_cent": round(100 * statistics.median(ratios)),
        "from_to": [round(100 * min(ratios)), round(100 * max(ratios))],
        "wanted": WANTED[kind],
    }


def sequencer() -> None:
    """Give places as the worker does."""
    from archive import sequencing

    while True:
        sequencing.sweep()
        time.sleep(SEQUENCER_SECONDS)


def writer(number: int, slots: list[tuple[str, bool]], gate: Any, told: Any) -> None:
    """Go through all slots; tell the seconds of each."""
    office = Office(number)
    spent = []
    for kind, is_audited in slots:
        acts = office.prepared(kind, ACTS[kind])
        gate.wait()
        before = time.monotonic()
        with nullcontext() if is_audited else mock.patch("archive.audit._append", return_value=None):
            for act in acts:
                act()
        spent.append(time.monotonic() - before)
        gate.wait()
    told.put(spent)


class Office:
    """One writer's things: what is prepared here is not part of the act."""

    def __init__(self, number: int) -> None:
        from archive.models import Person, RecordClass, Register, RetentionRule

        people = {person.username: person for person in Person.objects.select_related("unit")}
        self._clerk, self._leader, self._archivist = people["clerk"], people["leader"], people["archivist"]
        self._book = Register.objects.get(kind="incoming")
        self._class, self._rule = RecordClass.objects.first(), RetentionRule.objects.filter(valid_to=None).first()
        self._name, self._made = number, 0
        self._record: Any = None
        self._given: list[Any] = []

    def prepared(self, kind: str, count: int) -> list[Callable[[], Any]]:
        """Return so many acts of a kind."""
        make = {"registering": self._registering, "routing step": self._step, "one row": self._one_row}[kind]
        return [make(place) for place in range(count)]

    def _registering(self, _place: int) -> Callable[[], Any]:
        from archive import registration
        from archive.rules.levels import Level

        draft = self._draft()
        entry = registration.Entry(
            level=Level.THUONG, code_number="1", code_notation="BC-BCH", issued_date=date(2026, 11, 1),
            organ_name=draft.key, type_name="Báo cáo", subject="Báo cáo", arrival_date=date(2026, 11, 2),
        )  # fmt: skip
        return lambda: registration.register(draft, entry, register=self._book, actor=self._clerk)

    def _step(self, place: int) -> Callable[[], Any]:
        """Return a step to the leader, then its end, in turn."""
        from archive.routing import acts
        from archive.routing.moving import Task

        if place == 0:
            self._record = self._registering(0)()

        def forward() -> None:
            self._given.append(acts.forward(self._record, Task(self._leader), actor=self._clerk))

        def end() -> None:
            acts.end(self._given.pop(), "Nhầm", actor=self._clerk)

        return end if place % 2 else forward

    def _one_row(self, _place: int) -> Callable[[], Any]:
        from archive import dossiers

        self._made += 1
        code = f"{self._name}-{self._made}"
        cover = dossiers.Cover(code, code, self._class, self._rule, self._archivist.unit, date(2026, 11, 2))
        return lambda: dossiers.begin(cover, actor=self._archivist)

    def _draft(self) -> Any:
        from django.utils import timezone

        from archive import capture, store
        from archive.models import DigitalObject
        from archive.rules.levels import Level
        from archive.rules.proposal import Suggestion

        sealed = store.put(io.BytesIO(os.urandom(2000)), level=Level.THUONG)
        original = DigitalObject.objects.create(
            address=sealed.address, role="original", size=sealed.size, sha256=sealed.sha256,
            sealed_size=sealed.sealed_size, sealed_sha256=sealed.sealed_sha256, level=0, created_at=timezone.now(),
        )  # fmt: skip
        nothing = Suggestion(Level.THUONG, Level.THUONG, Level.THUONG)
        return capture.capture(capture.Captured(self._clerk.unit, nothing, original, None), actor=self._clerk)


def _entries() -> int:
    """Return how many entries the log has, once all have their places."""
    from archive import sequencing
    from archive.models import AuditLeaf

    sequencing.place_all()
    return AuditLeaf.objects.count()


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(work(int(sys.argv[1]))))
