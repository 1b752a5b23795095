"""Measure how long a raised level takes to be in force everywhere: from the act to the search of another process.

    python -m config.bench level_change [--engine embedded,elastic] [--database URL]

A leader raises dispatches of an office through the real act. Its worker places the entry
in the log and follows it; a third process asks the index over and over, under terms that
were good before, until the dispatch is gone. That is the index alone: a page of hits is
checked against the database besides and closes at once. The longest time is judged, for
the goal says always (SEARCH.md, section 4).
"""

import argparse
import io
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from config.bench import pages, scratch
from config.bench.goals import verdict
from config.bench.spread import spread

TIMES: Final = 20
GOAL_MS: Final = 1_000.0
WAIT_SECONDS: Final = 60.0


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Raise levels on every engine asked for; print and return the figures."""
    results = {}
    for kind in (getattr(arguments, "engine", "") or "embedded").split(","):
        try:
            with _settings(kind) as settings, scratch.installation(database=arguments.database) as environment:
                results[kind] = _measured(environment | settings)
        except RuntimeError as fault:
            print(f"{kind}: not run: {fault}")
            results[kind] = {"not_run": str(fault)}
            continue
        one = results[kind]
        print(f"{kind:9} {one['p50']:>8} p50 {one['p95']:>8} p95 {one['longest']:>8} longest, ms; limit {GOAL_MS:.0f}, load "
              f"{one['load']}{verdict(one['longest'] <= GOAL_MS, f'level change in every process, {kind}')}")  # fmt: skip
    return results


@contextmanager
def _settings(kind: str) -> Iterator[dict[str, str]]:
    """Yield what an installation needs to search by an engine; its indexes are gone afterwards."""
    if kind == "embedded":
        yield {}
        return
    address = os.environ.get("VANKHO_TEST_ELASTICSEARCH_URL", "")
    if not address:
        raise RuntimeError("VANKHO_TEST_ELASTICSEARCH_URL names no server")
    from search.engines.elastic.generations import Generations
    from search.engines.elastic.server import Server

    prefix = f"vankhobench{uuid.uuid4().hex[:10]}"
    try:
        yield {"VANKHO_ELASTICSEARCH_URL": address, "VANKHO_INDEX_PREFIX": prefix}
    finally:
        Generations(Server(address), prefix).clear()


def _measured(environment: dict[str, str]) -> dict[str, float]:
    working = scratch.begin(environment, "manage.py", "work")
    try:
        spent = json.loads(pages.child(environment, "config.bench.level_change"))
    finally:
        working.terminate()
        working.wait(60)
    return spread(spent) | {"longest": round(max(spent), 2), "times": len(spent), "load": round(os.getloadavg()[0], 1)}


# --- in the installation ------------------------------------------------------------------------------------


def act() -> list[float]:
    """Raise one dispatch after the other; return milliseconds from the act until the other process found it no more."""
    import django

    django.setup()
    from django.utils import timezone

    from archive.leveling import acts
    from archive.leveling.moving import Order
    from archive.models import Person
    from archive.rules.levels import Level

    leader = Person.objects.get(username="leader")
    order = Order("Chỉ huy trưởng", "QĐ 45/QĐ-BCH", timezone.localdate(), "đo")
    spent = []
    with subprocess.Popen(
        [sys.executable, "-m", "config.bench.level_change", "watch"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
    ) as watcher:  # fmt: skip
        assert watcher.stdin  # noqa: S101 - asked for
        assert watcher.stdout  # noqa: S101 - asked for
        for number in range(1, TIMES + 1):
            record = _registered(number)
            print(record.pk, file=watcher.stdin, flush=True)
            _expect(watcher.stdout.readline(), "seen")
            began = time.perf_counter()
            acts.raise_level(record, to=Level.MAT, order=order, actor=leader)
            _expect(watcher.stdout.readline(), "gone")
            spent.append((time.perf_counter() - began) * 1000)
        watcher.stdin.close()
    return spent


def _registered(number: int) -> Any:
    """Return a dispatch of the clerk's desk, registered by the acts of the office."""
    from django.utils import timezone

    from archive import capture, registration, store
    from archive.models import DigitalObject, Person, Register
    from archive.rules.levels import Level
    from archive.rules.proposal import Suggestion

    clerk = Person.objects.select_related("unit").get(username="clerk")
    sealed = store.put(io.BytesIO(os.urandom(2000)), level=Level.THUONG)
    original = DigitalObject.objects.create(
        address=sealed.address, role="original", size=sealed.size, sha256=sealed.sha256, sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256, level=0, created_at=timezone.now(),
    )  # fmt: skip
    nothing = Suggestion(Level.THUONG, Level.THUONG, Level.THUONG)
    draft = capture.capture(capture.Captured(clerk.unit, nothing, original, None), actor=clerk)
    entry = registration.Entry(
        level=Level.THUONG, code_number=str(number), code_notation="BC-BCH", issued_date=date(2026, 11, 1),
        organ_name=draft.key, type_name="Báo cáo", subject="Báo cáo", arrival_date=date(2026, 11, 2),
    )  # fmt: skip
    register = Register.objects.filter(kind="incoming", is_open=True).order_by("pk").first()
    assert register  # noqa: S101 - the sample office has one
    return registration.register(draft, entry, register=register, actor=clerk)


def _expect(said: str, word: str) -> None:
    if said.strip() != word:
        raise RuntimeError(f"the watching process said {said!r} instead of {word!r}")


def watch() -> None:
    """Look for each record named on the input until the index has it at the lowest level, then until it has not."""
    import django

    django.setup()
    from search import follow
    from search.entry import Terms

    engine = follow.open_engine()
    for line in sys.stdin:
        terms = Terms(0, (1,), (), (int(line),))
        for said, is_there in (("seen", True), ("gone", False)):
            until = time.monotonic() + WAIT_SECONDS
            while bool(engine.count(terms)) is not is_there:
                if time.monotonic() > until:
                    return
                time.sleep(0.002)
            print(said, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:] == ["watch"]:
        watch()
    else:
        print(json.dumps(act()))
