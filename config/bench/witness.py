"""What runs inside an installation under attack: a feeder that writes down what was acknowledged, and a checker.

The feeder hands files in and registers drafts without pause, as several clerks do, and notes
when each registration began and ended: only so is it known which of them a fault met. The
checker waits for the index, which nobody helps, and holds what was acknowledged against what
stands. Both speak JSON on their standard output; `config.bench.faults` starts them.
"""

import contextlib
import io
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

CLERKS: Final = 2
READY: Final = 4  # files that stand ready to be read: the feeder adds none beyond
PAUSE_SECONDS: Final = 0.1
INDEX_SECONDS: Final = 90  # without a step forward: then the index does not come by itself


def home() -> Path:
    """Return the folder of the installation."""
    return Path(os.environ["VANKHO_HOME"])


# --- the feeder -------------------------------------------------------------------------------------


def feed(folder: Path) -> None:
    """Work until the file `enough` lies in the installation; print what was acknowledged."""
    files = sorted(folder.glob("*.pdf"))
    told: dict[str, Any] = {"files": [], "numbers": [], "attempts": [], "why": Counter()}
    turns = iter(range(10**9))

    def hand_in(clerk: Any) -> None:
        if _ready() < READY:
            told["files"].append(_hand_in(files[next(turns) % len(files)], clerk))

    def register(clerk: Any) -> None:
        from archive.models import Register

        began = time.monotonic()
        is_given = False
        try:
            told["numbers"].append(_register(clerk, Register.objects.get(kind="incoming")))
            is_given = True
        finally:
            told["attempts"].append((began, time.monotonic(), is_given))

    acts = [hand_in, *[register] * CLERKS]
    people = [threading.Thread(target=_work, args=(act, told["why"])) for act in acts]
    for person in people:
        person.start()
    for person in people:
        person.join()
    print(json.dumps(told))


def _work(act: Callable[[Any], None], why: Counter[str]) -> None:
    """Do an act again and again; what was not acknowledged may have happened or not."""
    from django.db import close_old_connections

    from archive.models import Person

    while not (home() / "enough").exists():
        try:
            act(Person.objects.select_related("unit").get(username="clerk"))
        except Exception as fault:  # noqa: BLE001 - every refusal counts, and the clerk tries again
            why[type(fault).__name__] += 1
        close_old_connections()  # as at the end of each request
        time.sleep(PAUSE_SECONDS)


def _ready() -> int:
    from django.utils import timezone

    from ingest.models import Scan

    return Scan.objects.filter(state="waiting", lease_until__isnull=True, not_before__lte=timezone.now()).count()


def _hand_in(path: Path, clerk: Any) -> str:
    from archive.rules.levels import Level
    from ingest import intake
    from ingest.models import Channel

    batch = intake.open_batch(declared=Level.THUONG, channel=Channel.COMMAND, actor=clerk)
    # A comment after the end of a PDF: bytes that were handed in before would be taken for a twin and not be read.
    fresh = io.BytesIO(path.read_bytes() + b"\n%% %s\n" % os.urandom(16).hex().encode())
    return str(intake.receive(fresh, name=path.name, batch=batch, actor=clerk).pk)


def _register(clerk: Any, register: Any) -> list[Any]:
    from datetime import date

    from django.utils import timezone

    from archive import capture, registration, store
    from archive.models import DigitalObject
    from archive.rules.levels import Level
    from archive.rules.proposal import Suggestion

    nothing = Suggestion(Level.THUONG, Level.THUONG, Level.THUONG)
    sealed = store.put(io.BytesIO(os.urandom(2000)), level=Level.THUONG)
    original = DigitalObject.objects.create(
        address=sealed.address, role="original", size=sealed.size, sha256=sealed.sha256, sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256, level=0, created_at=timezone.now(),
    )  # fmt: skip
    draft = capture.capture(capture.Captured(clerk.unit, nothing, original, None), actor=clerk)
    entry = registration.Entry(
        level=Level.THUONG, code_number="1", code_notation="BC-BCH", issued_date=date(2026, 11, 1),
        organ_name=draft.key, type_name="Báo cáo", subject="Báo cáo", arrival_date=date(2026, 11, 2),
    )  # fmt: skip
    return [registration.register(draft, entry, register=register, actor=clerk).number.number, sealed.address]


# --- the checker ------------------------------------------------------------------------------------


def check() -> None:
    """Print what differs between what was acknowledged and what stands, as seen by the installation's own doors."""
    from archive.models import AuditLeaf, DigitalObject, RegisterNumber
    from ingest.models import Scan

    told = json.loads((home() / "told.json").read_text())
    index = settled_index()
    scans = {str(scan.pk): scan for scan in Scan.objects.select_related("original")}
    book = list(RegisterNumber.objects.filter(register__kind="incoming").values_list("number", flat=True))
    given = [number for number, _ in told["numbers"]]
    places = list(AuditLeaf.objects.order_by("idx").values_list("idx", flat=True))
    kept = set(DigitalObject.objects.values_list("address", flat=True))
    answer = {
        "files_lost": sum(1 for scan in told["files"] if scan not in scans or scans[scan].original is None),
        "bytes_lost": sum(not is_whole(row) for row in DigitalObject.objects.all())
        + sum(address not in kept for _, address in told["numbers"]),
        "numbers_lost": len(set(given) - set(book)),
        "numbers_twice": len(given) - len(set(given)) + len(book) - len(set(book)),
        "book_gaps": len(set(range(1, len(book) + 1)) ^ set(book)),
        "log_gaps": len(set(range(len(places))) ^ set(places)),
        **index,
        "stuck": sum(scan.state == "waiting" for scan in scans.values()),
        "gave_up": sum(scan.code == "ING-020" for scan in scans.values()),
        "scans": dict(Counter(f"{scan.state} {scan.code}".strip() for scan in scans.values())),
        "most_attempts": max((scan.attempts for scan in scans.values()), default=0),
        "in_the_book": len(book),
        "in_the_log": len(places),
    }
    print(json.dumps(answer))


def is_whole(row: Any) -> bool:
    """Say whether an object can be read and is what its row says."""
    import hashlib

    from archive import store
    from archive.rules.errors import Refusal

    try:
        return hashlib.sha256(store.read(row.address)).hexdigest() == row.sha256
    except Refusal:
        return False


def settled_index() -> dict[str, Any]:
    """Wait until the workers' own follower has brought the index to the log's end; this process writes nothing.

    Returns:
        Records that differ (missing, stale, orphans, misplaced) when it came or after INDEX_SECONDS without progress,
        entries of the log that it had still to follow at first and at last, rebuilds that were needed, and the seconds it took.
    """
    from archive import sequencing
    from archive.models import AuditLeaf
    from search import drift, follow

    sequencing.place_all()
    last = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    end = 0 if last is None else last + 1
    began = moved = time.monotonic()
    engine = follow.open_engine()
    first = reached = engine.position()
    while True:
        found = drift.scan(engine, up_to=end)
        if engine.position() != reached:
            reached, moved = engine.position(), time.monotonic()
        if not found.ids or time.monotonic() - moved > INDEX_SECONDS:
            break
        time.sleep(0.5)
    return {
        "index_behind_at_first": max(0, end - first),
        "index_behind_at_last": max(0, end - reached),
        "index_differs": len(found.ids),
        "index_how": found.counts(),
        "index_records": found.records,
        "index_after_s": round(time.monotonic() - began, 1),
        "rebuilds": _generations(engine) - 1,
    }


def _generations(engine: Any) -> int:
    """Count the generations of an index: a rebuild leaves the one before it."""
    made = engine._generations  # noqa: SLF001 - asked of nobody else
    if hasattr(made, "root"):
        return len([path for path in made.root.iterdir() if path.is_dir()])
    named = [name.rsplit("-", 1)[0] for name in made.server.names(f"{made.prefix}-s*")]
    return len(set(named))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    with contextlib.suppress(BrokenPipeError):
        feed(Path(sys.argv[2])) if sys.argv[1] == "feed" else check()
