"""Does the time of an answer tell that something hidden is there? Pairs of hidden and missing, at every door that the walk finds.

The office, its doors and who may know what are those of the walk (`config.tests.walking`). At each door
somebody asks whose post passes it: for a thing that they may not know of, and for one that is not there,
right after each other, which of them first by lot. In one process with the test client, and without
waiting for the disk: no noise that would cover a difference. A door tells something when the interval
of the middle ratio of its pairs leaves out 1. `python -m config.bench.hidden PAIRS` runs inside the
scratch installation.
"""

import argparse
import json
import logging
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from config.bench import goals, scratch

PAIRS = 250
WARMING = 5
CHANCE = 0.05  # that a run calls any door telling where none is: shared out among the doors
FIRST = ("staff", "clerk", "leader", "archivist")  # of a door that several posts pass, the first of these asks
NOT_THERE, NO_SUCH_METHOD = 404, 405

Ask = Callable[[dict[str, Any]], float]


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure in an office of its own and print, door by door, the middle times in milliseconds and what their pairs say."""
    with scratch.empty() as environment:
        scratch.manage(environment, "migrate")
        asked = scratch.begin(environment, "-m", "config.bench.hidden", str(arguments.times or PAIRS))
        told, _ = asked.communicate(timeout=3600)
    if asked.returncode:
        raise RuntimeError(f"the measuring ended with {asked.returncode}")
    times: dict[str, dict[str, list[float]]] = json.loads(told.splitlines()[-1])
    return {door: _said(door, each, CHANCE / len(times)) for door, each in times.items()}


def _said(door: str, times: dict[str, list[float]], chance: float) -> dict[str, float]:
    """Print the line of a door, and return its figures."""
    hidden, missing = times["hidden"], times["missing"]
    low, ratio, high = interval([one / other for one, other in zip(hidden, missing, strict=True)], chance=chance)
    row = {"hidden": statistics.median(hidden), "missing": statistics.median(missing)}
    row |= {"ratio": ratio, "low": low, "high": high}
    print(
        f"{door:34} hidden {row['hidden']:7.3f}  missing {row['missing']:7.3f}  ratio {ratio:.3f} ({low:.3f} to {high:.3f})"
        + goals.verdict(low <= 1 <= high, f"hidden, {door}"),
        flush=True,
    )
    return row


def interval(ratios: list[float], *, chance: float) -> tuple[float, float, float]:
    """Return the middle ratio between the bounds that leave it out with at most this chance, whatever the spread (sign test).

    Raises:
        RuntimeError: too few pairs to say anything so surely.
    """
    ordered, count = sorted(ratios), len(ratios)
    cut, tail = 0, 0.5**count
    while 2 * tail <= chance:
        cut += 1
        tail += math.comb(count, cut) * 0.5**count
    if not cut:
        raise RuntimeError(f"{count} pairs of a door are too few: at least {math.ceil(math.log2(2 / chance))}")
    return ordered[cut - 1], statistics.median(ordered), ordered[count - cut]


def measure(pairs: int) -> dict[str, dict[str, list[float]]]:
    """Ask at every door and by every method that it answers, and return the milliseconds of each pair."""
    from config.tests.by_hand import found
    from config.tests.doors import DOORS, addresses, filled, verbs
    from config.tests.walking import Walked, furnish, knows, person_of_post

    _without_disk()
    office = found()
    everything = furnish(office, FIRST[0])
    walked = {FIRST[0]: everything}
    walked |= {role: Walked(office, person_of_post(office, role), everything.things) for role in FIRST[1:]}
    caller = cache(lambda role: walked[role].caller())
    views, result = {name: (pattern, view) for name, pattern, view in addresses()}, {}
    for name, door in DOORS.items():
        pattern, view = views[name]
        role = next(each for each in FIRST if each in door.posts)
        # Signed in anew for each door: a proof of who is there, which some ask for first, ages within the run.
        client = caller(role) if name.startswith("api:") else walked[role].browser()
        client.defaults["SERVER_NAME"] = "127.0.0.1"
        hidden = [thing for thing in everything.things[door.of] if not knows(role, door.of, thing)]
        answered = {
            f"{method} {name}": _pairs(ask, hidden, pairs)
            for method in verbs(view)
            if (ask := _asking(client, method, lambda known, pattern=pattern: filled(pattern, known), hidden[0]))
        }
        if not answered:
            raise RuntimeError(f"{name}: answers no method")
        result |= answered
    return result


def _without_disk() -> None:
    """Let no commit wait for the disk: the wait is the same for both of a pair, and only covers a difference."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")


def _asking(client: Any, method: str, address: Callable[[dict[str, Any]], str], thing: Any) -> Ask | None:
    """Return how a door is asked and timed; None if it does not answer the method."""
    from config.tests.walking import body_of

    def answer(known: dict[str, Any]) -> int:
        there = address(known)
        given = client.post(there, body_of(there)) if method == "POST" else client.get(there)
        return int(given.status_code)

    def ask(known: dict[str, Any]) -> float:
        began = time.perf_counter()
        status = answer(known)
        spent = time.perf_counter() - began
        if status != NOT_THERE:
            raise RuntimeError(f"{method} {address(known)}: {status}")
        return spent * 1000

    return None if answer(thing.missing) == NO_SUCH_METHOD else ask


def _pairs(ask: Ask, hidden: list[Any], pairs: int) -> dict[str, list[float]]:
    """Return the times of hidden and of missing, pair by pair; each is first in half of the pairs."""
    for thing in hidden[:WARMING]:
        ask(thing.named), ask(thing.missing)
    times: dict[str, list[float]] = {"hidden": [], "missing": []}
    for thing, names in _lots(hidden, pairs):
        for name in names:
            times[name].append(ask(thing.named if name == "hidden" else thing.missing))
    return times


def _lots(hidden: list[Any], pairs: int) -> Iterator[tuple[Any, tuple[str, str]]]:
    """Yield the thing of each pair and the order in which it is asked, by lot."""
    dice = random.Random(5)
    orders = [("hidden", "missing"), ("missing", "hidden")] * (pairs // 2 + 1)
    dice.shuffle(orders)
    for order in orders[:pairs]:
        yield dice.choice(hidden), order


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    json.dump(measure(int(sys.argv[1])), sys.stdout)
