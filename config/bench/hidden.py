"""Does the time of an answer tell that something hidden is there? 500 pairs, hidden and missing, door by door.

In one process, with the test client: no network noise that would cover a difference. The
pairs alternate which is asked first. `python -m config.bench.hidden measure` runs inside
the scratch installation.
"""

import argparse
import json
import logging
import os
import random
import statistics
import sys
import time
from typing import Any

from config.bench import scratch

PAIRS = 500
DISPATCHES = 60
DOORS = (
    "/records/{key}/",
    "/records/{key}/pages/1/image/",
    "/records/{key}/original/",
    "/records/{key}/thread/",
    "/search/open/{key}/",
    "/dossiers/{dossier}/",
)


def run(_arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure in a sample office and print the medians in milliseconds, their ratio, and the noise of missing against missing."""
    with scratch.installation(dispatches=DISPATCHES) as environment:
        told, _ = scratch.begin(environment, "-m", "config.bench.hidden", "measure").communicate(timeout=600)
    result: dict[str, Any] = json.loads(told.splitlines()[-1])
    for door, row in result.items():
        print(
            f"{door:34} hidden {row['hidden']:7.3f}  missing {row['missing']:7.3f}  ratio {row['ratio']:.3f}  noise {row['noise']:.3f}"
        )
    return result


def measure() -> dict[str, dict[str, float]]:
    """Ask as a member of staff for what they may not know, and for what does not exist."""
    from django.test import Client

    from archive import access
    from archive.dossiers import visible_dossiers
    from archive.models import Dossier, Person, Record
    from archive.models.record import new_key
    from archive.rules.roles import Role

    reader = Person.objects.filter(role_rows__role=Role.STAFF).first()
    if reader is None:
        raise RuntimeError("the sample office has no staff")
    hidden = Record.objects.exclude(pk__in=access.visible_to(reader).records().values("pk"))
    dossier = Dossier.objects.exclude(pk__in=visible_dossiers(reader).values("pk"))
    keys, folders = list(hidden.values_list("key", flat=True)), list(dossier.values_list("key", flat=True))
    browser, result = Client(headers={"host": "127.0.0.1"}), {}
    browser.force_login(reader, backend="archive.sign_in.Backend")
    for door in DOORS:
        existing = folders if "{dossier}" in door else keys

        def ask(key: str, door: str = door) -> float:
            began = time.perf_counter()
            status = browser.get(door.format(key=key, dossier=key)).status_code
            spent = time.perf_counter() - began
            if status != 404:  # noqa: PLR2004
                raise RuntimeError(f"{door}: {status}")
            return spent * 1000

        result[door] = _pairs(ask, existing, new_key)
    return result


def _pairs(ask: Any, existing: list[str], invent: Any) -> dict[str, float]:
    """Return the medians of hidden, missing, and of a second series of missing as the noise."""
    dice, times = random.Random(5), {"hidden": [], "missing": [], "again": []}  # type: ignore[var-annotated]
    for _ in range(20):
        ask(invent())
    for _ in range(PAIRS):
        turn = [("hidden", dice.choice(existing)), ("missing", invent()), ("again", invent())]
        dice.shuffle(turn)
        for name, key in turn:
            times[name].append(ask(key))
    middle = {name: statistics.median(each) for name, each in times.items()}
    return {
        "hidden": middle["hidden"],
        "missing": middle["missing"],
        "ratio": middle["hidden"] / middle["missing"],
        "noise": middle["again"] / middle["missing"],
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    json.dump(measure(), sys.stdout)
