"""Many clerks at once: no gap, no double, and nobody waits for ever.

Each clerk is a process of its own that hands a draft in and registers it, over and
over, in one scratch installation on SQLite or PostgreSQL. `python -m config.bench.registering clerk
SECONDS` is one clerk.
"""

import argparse
import io
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from config.bench import scratch

CLERKS = 20
SECONDS = 30


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Let 20 clerks register for 30 seconds and look at the book."""
    return at_once(clerks=getattr(arguments, "clerks", CLERKS), seconds=getattr(arguments, "seconds", SECONDS))


def at_once(*, clerks: int, seconds: float, database: str = "") -> dict[str, Any]:
    """Register with so many clerks for so long, on SQLite or a PostgreSQL server; return what the book shows."""
    with scratch.installation(database=database) as environment:
        crew = [
            scratch.begin(environment, "-m", "config.bench.registering", "clerk", str(seconds)) for _ in range(clerks)
        ]
        for each in crew:
            each.stdout.readline()  # "ready": nobody begins before the last has started
        (Path(environment["VANKHO_HOME"]) / "go").touch()
        told = [json.loads(clerk.communicate(timeout=seconds + 120)[0] or "{}") for clerk in crew]
        book = json.loads(
            scratch.begin(environment, "-m", "config.bench.registering", "book").communicate(timeout=60)[0]
        )
    given = sorted(number for each in told for number in each.get("numbers", ()))
    waits = sorted(wait for each in told for wait in each.get("waits", ()))
    result = {
        "clerks": clerks,
        "seconds": seconds,
        "registered": len(given),
        "in_the_book": len(book),
        "gaps": len(set(range(1, len(book) + 1)) - set(book)),
        "doubles": len(book) - len(set(book)),
        "not_in_the_book": len(set(given) - set(book)),
        "faults": [fault for each in told for fault in each.get("faults", ["a clerk fell"])],
        "fewest_and_most": [min(len(e.get("numbers", ())) for e in told), max(len(e.get("numbers", ())) for e in told)],
        "wait_ms_p50": round(statistics.median(waits) * 1000, 1) if waits else None,
        "wait_ms_p95": round(waits[int(len(waits) * 0.95)] * 1000, 1) if waits else None,
        "wait_ms_max": round(waits[-1] * 1000, 1) if waits else None,
    }
    for name, value in result.items():
        print(f"{name:20} {value}")
    return result


def clerk(seconds: float) -> None:
    """Register drafts until the time is over; say which numbers were given."""
    office = _office()
    print("ready", flush=True)
    while not (Path(os.environ["VANKHO_HOME"]) / "go").exists():
        time.sleep(0.05)
    numbers, waits, faults = [], [], []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = time.monotonic()
        try:
            draft = office.draft()
            before = time.monotonic()
            numbers.append(office.register(draft))
        except Exception as fault:  # noqa: BLE001 - every fault counts against us
            faults.append(repr(fault))
        waits.append(time.monotonic() - before)
    print(json.dumps({"numbers": numbers, "waits": waits, "faults": faults}))


def book() -> None:
    """Print the numbers that stand in the incoming register."""
    from archive.models import RegisterNumber

    print(json.dumps(list(RegisterNumber.objects.order_by("number").values_list("number", flat=True))))


def _office() -> Any:
    from datetime import date

    from django.utils import timezone

    from archive import capture, registration, store
    from archive.models import DigitalObject, Person, Register
    from archive.rules.levels import Level
    from archive.rules.proposal import Suggestion

    person = Person.objects.select_related("unit").get(username="clerk")
    register = Register.objects.get(kind="incoming")
    nothing = Suggestion(Level.THUONG, Level.THUONG, Level.THUONG)

    class Office:
        def draft(self) -> Any:
            sealed = store.put(io.BytesIO(os.urandom(2000)), level=Level.THUONG)
            original = DigitalObject.objects.create(
                address=sealed.address, role="original", size=sealed.size, sha256=sealed.sha256,
                sealed_size=sealed.sealed_size, sealed_sha256=sealed.sealed_sha256, level=0, created_at=timezone.now(),
            )  # fmt: skip
            return capture.capture(capture.Captured(person.unit, nothing, original, None), actor=person)

        def register(self, draft: Any) -> int:
            entry = registration.Entry(
                level=Level.THUONG, code_number="1", code_notation="BC-BCH", issued_date=date(2026, 11, 1),
                organ_name=draft.key, type_name="Báo cáo", subject="Báo cáo", arrival_date=date(2026, 11, 2),
            )  # fmt: skip
            return registration.register(draft, entry, register=register, actor=person).number.number

    return Office()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if sys.argv[1] == "clerk":
        clerk(float(sys.argv[2]))
    else:
        book()
