"""Measure the auditor's pages over a long log: p50, p95 and the ratio to the limit.

    python -m config.bench log_pages --entries 10000000 [--database URL] [--keep FOLDER]

The log of `config.bench.log_fill` is written into a scratch installation, then each page
is asked thirty times through Django's own client, each time for another person, dispatch,
unit or place. Milliseconds of one request by the clock and of this process (SQLite works in
it, PostgreSQL does not), all middleware and the page's own entry in the log included. With --keep what was loaded stays for the next run.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from config.bench import pages
from config.bench.goals import verdict

ENTRIES: Final = 1_000_000
ROUNDS: Final = 30
GOAL_MS: Final = 150.0  # p95
OK: Final = 200


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Load the log or take the kept one, ask every page, print and return the figures."""
    entries = arguments.entries or ENTRIES
    where = pages.installation(entries, arguments.database, arguments.keep, filler="config.bench.log_fill")
    with where as environment:
        figures = json.loads(pages.child(environment, "config.bench.log_pages"))
    load = [round(one, 1) for one in os.getloadavg()]
    database = "postgresql" if arguments.database else "sqlite"
    print(f"{entries:,} entries, {database}; load {load}; limit: p95 {GOAL_MS:.0f} ms")
    print(f"  {'page':38} {'p50':>8} {'p95':>8} {'of limit':>9} {'cpu p50':>8} {'p95':>8}")
    for name, one in figures.items():
        one["of_limit"] = round(one["wall_p95"] / GOAL_MS, 2)
        missed = verdict(one["wall_p95"] <= GOAL_MS, name)
        print(
            f"  {name:38} {one['wall_p50']:>8} {one['wall_p95']:>8} {one['of_limit']:>9} "
            f"{one['cpu_p50']:>8} {one['cpu_p95']:>8}{missed}"
        )
    return {"entries": entries, "database": database, "load": load, "pages": figures}


# --- in the installation ------------------------------------------------------------------------------------


def ask() -> dict[str, dict[str, float]]:
    """Ask every page as the auditor and return the times."""
    import django

    django.setup()
    from django.test import Client

    from archive.models import Person

    browser = Client()
    browser.force_login(Person.objects.get(username="l-auditor"), backend="archive.sign_in.Backend")
    return {name: _measured(browser, address) for name, address in _pages().items()}


def _measured(browser: Any, address: Callable[[], str]) -> dict[str, float]:
    wall, cpu = [], []
    for turn in range(ROUNDS + 1):
        asked = address()
        began, spent = time.perf_counter(), time.process_time()
        answer = browser.get(asked, headers={"host": "127.0.0.1"})
        if answer.status_code != OK:
            raise RuntimeError(f"{asked}: {answer.status_code}")
        if turn:  # the first one loads templates
            wall.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - spent) * 1000)
    return pages.spread("wall", wall) | pages.spread("cpu", cpu)


def _pages() -> dict[str, Callable[[], str]]:
    """Return what is asked by its name: each call gives another address of that kind."""
    from django.utils import timezone

    from archive.models import AuditEntry, AuditLeaf, Person, Unit
    from config.bench.log_fill import ACTS, DAYS

    chance = random.Random(7)
    last = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True)[0]
    people = list(Person.objects.filter(username__startswith="l-").order_by("pk").values_list("pk", flat=True))
    units = list(Unit.objects.filter(code__startswith="L").order_by("pk").values_list("pk", flat=True))
    keys = list(
        AuditEntry.objects.filter(object_type="record").order_by("-ts").values_list("object_id", flat=True)[:500]
    )
    hot = max(set(keys), key=keys.count)
    acts, today = [act for act, _share in ACTS], timezone.localdate()

    def log(**asked: Callable[[], Any] | str) -> Callable[[], str]:
        return lambda: "/log/?" + urlencode({name: one() if callable(one) else one for name, one in asked.items()})

    def person() -> int:
        return chance.choice(people)

    def place() -> int:
        return chance.randrange(last)

    def day() -> str:
        return (today - timedelta(days=chance.randrange(40, DAYS))).isoformat()

    return {
        "first page": log(), "a deep page": log(before=place),
        "by person": log(person=person), "by person, deep": log(person=person, before=place),
        "by dispatch": log(record=lambda: chance.choice(keys)), "by the most read dispatch": log(record=hot),
        "by unit": log(unit=lambda: chance.choice(units)), "by act": log(action=lambda: chance.choice(acts)),
        "by act, deep": log(action=lambda: chance.choice(acts), before=place),
        "by person and act": log(person=person, action=lambda: chance.choice(acts)),
        "saw or took out": log(action="seen"), "by person, saw or took out": log(person=person, action="seen"),
        "by person, saw or took out, deep": log(person=person, action="seen", before=place),
        "by person and level, saw or took out": log(person=person, level="2", action="seen"),
        "by act, refused": log(action=lambda: chance.choice(acts), outcome="denied"),
        "by person, refused": log(person=person, outcome="denied"),
        "by person and dispatch": log(person=person, record=lambda: chance.choice(keys)),
        "by person and level": log(person=person, level="3"),
        "by act and level": log(action=lambda: chance.choice(acts), level="3"),
        "by unit, act, refused": log(unit=lambda: chance.choice(units), action=lambda: chance.choice(acts), outcome="denied"),
        "failed": log(outcome="error"), "by level": log(level=lambda: chance.choice("0123")),
        "since a day": log(since=day), "until a day": log(until=day), "until a day, refused": log(until=day, outcome="denied"),
        "refused": lambda: "/log/refused/", "refused, deep": lambda: f"/log/refused/?before={place()}",
        "out of hours": lambda: "/log/outside/", "out of hours, 92 days": lambda: f"/log/outside/?until={day()}",
        "out of hours, a unit": lambda: f"/log/outside/?unit={chance.choice(units)}",
        "out of hours, a person": lambda: f"/log/outside/?person={person()}",
        "a kept filter": log(person=person, outcome="denied", since=day),
        "who saw it?": lambda: f"/log/who/?record={chance.choice(keys)}",
        "who saw the most read?": lambda: f"/log/who/?record={hot}",
        "what did this person see?": lambda: f"/log/seen/?person={person()}",
        "what did the busiest see?": lambda: f"/log/seen/?person={people[0]}",
        "what stands out": lambda: "/log/unusual/", "what stands out, 90 days": lambda: "/log/unusual/?days=90",
    }  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(ask()))
