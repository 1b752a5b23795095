"""What becomes of a log that somebody changes: random mutations of a database and of an export, each caught or not.

An insider with every right over the database (its fences are taken away first) edits, deletes,
swaps, cuts, rolls back and signs again with the log's own key; what he cannot reach is
one head that was kept elsewhere. Each mutation is undone before the next; clean copies
between them must be found in order. The seed is printed: the same seed does the same.
`python -m config.bench tampering [--records MUTATIONS] [--database ADDRESS] [--seed N]`.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from config.bench import scratch

MUTATIONS: Final = 1_000  # half of them of the database, half of an export
DISPATCHES: Final = 12


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Found an office, change its log again and again, and say what was caught."""
    seed = int(getattr(arguments, "seed", 0) or time.time_ns() % 1_000_000)
    return measure(int(arguments.records or MUTATIONS), seed=seed, database=arguments.database)


def measure(mutations: int, *, seed: int, database: str = "", dispatches: int = DISPATCHES) -> dict[str, Any]:
    """Return what was tried, caught and missed, by kind; clean copies are a tenth of the mutations."""
    print(f"seed {seed}, {mutations} mutations, {'PostgreSQL' if database else 'SQLite'}", flush=True)
    with scratch.installation(dispatches=dispatches, database=database) as environment:
        environment["VANKHO_LOG_SECOND_PLACE"] = f"{environment['VANKHO_HOME']}-elsewhere-{seed}"
        child = scratch.begin(environment, "-m", "config.bench.tampering", str(mutations), str(seed))
        told = child.communicate()[0].splitlines()
        if child.returncode:
            raise RuntimeError(f"the bench ended with {child.returncode}: {told[-5:]}")
    result: dict[str, Any] = json.loads(told[-1])
    for name, value in result.items():
        print(f"{name:12} {value}")
    return result


def work(mutations: int, seed: int) -> dict[str, Any]:
    """Change and check, inside the installation; return counts by kind and every miss with what was said."""
    from config.bench import export_tampers, tampers

    chance = random.Random(seed)
    tried: Counter[str] = Counter()
    missed: list[str] = []
    unnamed: list[str] = []
    false_alarms: list[str] = []
    with tampers.Office() as office:
        for number in range(mutations):
            kinds: dict[str, Callable[..., Any]] = tampers.ROWS if number % 2 else export_tampers.FILES
            name = chance.choice(sorted(kinds))
            said, wanted = (office.database if number % 2 else office.export)(kinds[name], chance)
            kind = f"{'database' if number % 2 else 'export'}: {name}"
            tried[kind] += 1
            if not said:
                missed.append(f"{number} {kind} {wanted}")
            elif not any(word in said for word in wanted):
                unnamed.append(f"{number} {kind}: {said} (wanted: {wanted})")
            if number % 10 == 0 and (said := office.clean(of_export=number % 20 == 0)):
                false_alarms.append(said)
    return {
        "mutations": mutations,
        "missed": missed,
        "unnamed": unnamed,
        "clean": (mutations + 9) // 10,
        "false_alarms": false_alarms,
        "tried": dict(sorted(tried.items())),
    }


if __name__ == "__main__":
    import django
    from django.utils import translation

    django.setup()
    with translation.override("en"):
        print(json.dumps(work(int(sys.argv[1]), int(sys.argv[2])), ensure_ascii=False))
