"""Sixty faults of the big stack while the office works: each server stopped, slowed and cut off, 20 times in all.

Servers of its own (PostgreSQL, Elasticsearch, S3) stand behind a proxy each. Two workers
read, a feeder hands files in and registers drafts without pause and writes down what was
acknowledged; the nemesis stops (SIGKILL), slows and cuts one server after the other. Nobody
helps. Afterwards a checker asks: is every acknowledged file there with its bytes, every
acknowledged number in the book, the book without gap and the log too, and do index and
database agree without a rebuild. The seed is printed: `python -m config.bench.faults [SEED]`.
"""

import argparse
import io
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from config.bench import kills, scratch, stack
from config.bench.between import Between

TIMES = 20
PORTS = {"postgres": 5450, "elasticsearch": 9450, "s3": 7450}
KINDS = ("stopped", "slowed", "cut")
SERVICES = scratch.ROOT.parent / "shared" / "services"
RECOVER_SECONDS = 300


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Start servers, work, hurt them, let it settle, check."""
    seed = getattr(arguments, "seed", None) or random.SystemRandom().randrange(10**6)
    return siege(seed=seed, times=getattr(arguments, "times", TIMES))


def siege(*, seed: int, times: int) -> dict[str, Any]:
    """Return what became of the work while each server failed so many times in each way."""
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    with servers() as stand, scratch.installation(servers=stand.direct, through=stand.seen) as environment:
        environment |= {"VANKHO_WORK_THREADS": "1", "VANKHO_LOG_LEVEL": "ERROR"}
        folder = Path(environment["VANKHO_HOME"]) / "handed-in"
        kills.write_small(folder, 12, chance)
        crew = kills.Crew(environment)
        crew.keep_up()
        began = time.monotonic()
        feeder = scratch.begin(environment, "-m", "config.bench.faults", "feed", str(folder))
        done = stand.hurt(chance, times=times, between=crew.keep_up)
        (Path(environment["VANKHO_HOME"]) / "enough").touch()
        told = json.loads(feeder.communicate(timeout=RECOVER_SECONDS)[0] or "{}")
        recovered = _recover(environment)
        deaths = sum(worker.poll() is not None for worker in crew.workers)
        crew.end()
        (Path(environment["VANKHO_HOME"]) / "told.json").write_text(json.dumps(told))
        state = json.loads(
            scratch.begin(environment, "-m", "config.bench.faults", "check").communicate(timeout=RECOVER_SECONDS)[0]
        )
    result = {"seed": seed, "faults": dict(done), "seconds": round(time.monotonic() - began), **_sums(told)}
    result |= {"settled_after_s": recovered, "workers_that_ended": deaths + crew.replaced, **state}
    result["passed"] = not any(state[name] for name in FAULTS) and recovered is not None
    for name, value in result.items():
        print(f"{name:28} {value}")
    return result


FAULTS = (
    "files_lost",
    "bytes_lost",
    "numbers_lost",
    "numbers_twice",
    "book_gaps",
    "log_gaps",
    "index_differs",
    "stuck",
)


def _sums(told: dict[str, Any]) -> dict[str, int]:
    return {f"{name}_acknowledged": len(told.get(name, ())) for name in ("files", "numbers")} | {
        "turned_away": told.get("turned_away", 0),
        "turned_away_why": told.get("why", {}),
    }


# --- servers and their faults -------------------------------------------------------------------


@dataclass
class Stand:
    """Three servers, a proxy in front of each."""

    direct: stack.Servers
    seen: stack.Servers
    proxies: dict[str, Between]
    done: Counter[str] = field(default_factory=Counter)

    def hurt(self, chance: random.Random, *, times: int, between: Any) -> Counter[str]:
        """Do every fault to every server so many times, in random order."""
        faults = [(name, kind) for name in PORTS for kind in KINDS for _ in range(times)]
        chance.shuffle(faults)
        for name, kind in faults:
            between()
            getattr(self, f"_{kind}")(name, chance.uniform(0.5, 3.0))
            self.done[f"{name} {kind}"] += 1
            time.sleep(chance.uniform(0.2, 1.5))
        return self.done

    def _stopped(self, name: str, seconds: float) -> None:
        kill(name)
        time.sleep(seconds)
        service(name, "start")

    def _slowed(self, name: str, seconds: float) -> None:
        with self.proxies[name].slow(chunk_seconds=0.2):
            time.sleep(2 * seconds)

    def _cut(self, name: str, seconds: float) -> None:
        with self.proxies[name].cut():
            time.sleep(seconds)


def service(name: str, command: str) -> dict[str, str]:
    """Start, stop or wipe one of our own servers; return the lines it prints."""
    asked = [str(SERVICES / name), command, "--port", str(PORTS[name])]
    done = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=900)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def kill(name: str) -> None:
    """End a server without warning, and whatever it started."""
    home = Path(os.environ.get("SERVICES_HOME") or Path.home() / ".cache" / "vankho-services")
    number = int((home / "run" / f"{name}-{PORTS[name]}.pid").read_text())
    for pid in (*kills.descendants(number), number):
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    time.sleep(0.2)


@contextmanager
def servers() -> Iterator[Stand]:
    """Start three servers on ports of their own and a proxy in front of each; wipe them afterwards."""
    if not SERVICES.is_dir():
        raise RuntimeError(f"no scripts that start servers at {SERVICES}")
    proxies: dict[str, Between] = {}
    try:
        told = {name: service(name, "start") for name in PORTS}
        proxies = {name: Between(port).start() for name, port in PORTS.items()}
        direct = stack.Servers(
            told["postgres"]["DATABASE_URL"],
            told["elasticsearch"]["ELASTICSEARCH_URL"],
            told["s3"]["S3_URL"],
            told["s3"]["S3_ACCESS_KEY"],
            told["s3"]["S3_SECRET_KEY"],
        )
        seen = stack.Servers(
            _moved(direct.database, proxies["postgres"].port),
            _moved(direct.elasticsearch, proxies["elasticsearch"].port),
            _moved(direct.s3, proxies["s3"].port),
            direct.s3_access_key,
            direct.s3_secret_key,
        )
        yield Stand(direct, seen, proxies)
    finally:
        for proxy in proxies.values():
            proxy.stop()
        for name in PORTS:
            service(name, "wipe")


def _moved(address: str, port: int) -> str:
    parts = urlsplit(address)
    who = f"{parts.username}@" if parts.username else ""
    return urlunsplit((parts.scheme, f"{who}127.0.0.1:{port}", parts.path, parts.query, ""))


def _recover(environment: dict[str, str]) -> int | None:
    """Wait until no scan waits; return after how many seconds, None if it never came."""
    began = time.monotonic()
    while time.monotonic() - began < RECOVER_SECONDS:
        if not kills.waiting(environment):
            time.sleep(2)
            return round(time.monotonic() - began)
        time.sleep(0.5)
    return None


# --- the feeder: what was acknowledged --------------------------------------------------------------


def feed(folder: Path) -> None:
    """Hand files in and register drafts until told that it is enough; print what was acknowledged."""
    from django.db import close_old_connections

    from archive.models import Person, Register

    files = sorted(folder.iterdir())
    told: dict[str, Any] = {"files": [], "numbers": [], "turned_away": 0, "why": Counter()}
    turn = 0
    while not (Path(os.environ["VANKHO_HOME"]) / "enough").exists():
        turn += 1
        try:
            clerk = Person.objects.select_related("unit").get(username="clerk")
            if turn % 6 == 0:
                told["files"].append(_hand_in(files[turn % len(files)], clerk))
            told["numbers"].append(_register(clerk, Register.objects.get(kind="incoming")))
        except Exception as fault:  # noqa: BLE001 - whatever was not acknowledged is allowed to have happened or not
            told["turned_away"] += 1
            told["why"][type(fault).__name__] += 1
            close_old_connections()
        time.sleep(0.15)
    print(json.dumps(told))


def _hand_in(path: Path, clerk: Any) -> str:
    from archive.rules.levels import Level
    from ingest import intake
    from ingest.models import Channel

    batch = intake.open_batch(declared=Level.THUONG, channel=Channel.COMMAND, actor=clerk)
    with path.open("rb") as source:
        return str(intake.receive(source, name=path.name, batch=batch, actor=clerk).pk)


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
    """Compare what was acknowledged with what stands, as seen by the installation's own doors."""
    from archive.models import AuditLeaf, DigitalObject, RegisterNumber
    from ingest.models import Scan

    told = json.loads((Path(os.environ["VANKHO_HOME"]) / "told.json").read_text())
    scans = {str(scan.pk): scan for scan in Scan.objects.select_related("original")}
    book = list(RegisterNumber.objects.filter(register__kind="incoming").values_list("number", flat=True))
    given = [number for number, _ in told["numbers"]]
    places = list(AuditLeaf.objects.order_by("idx").values_list("idx", flat=True))
    kept = set(DigitalObject.objects.values_list("address", flat=True))
    answer = {
        "files_lost": sum(1 for scan in told["files"] if scan not in scans or scans[scan].original is None),
        "bytes_lost": sum(not kills.is_whole(row) for row in DigitalObject.objects.all())
        + sum(address not in kept for _, address in told["numbers"]),
        "numbers_lost": len(set(given) - set(book)),
        "numbers_twice": len(given) - len(set(given)) + len(book) - len(set(book)),
        "book_gaps": len(set(range(1, len(book) + 1)) ^ set(book)),
        "log_gaps": len(set(range(len(places))) ^ set(places)),
        "index_differs": index_differs(),
        "stuck": sum(scan.state == "waiting" for scan in scans.values()),
        "scans": dict(Counter(f"{scan.state} {scan.code}".strip() for scan in scans.values())),
        "in_the_book": len(book),
    }
    print(json.dumps(answer))


def index_differs() -> int:
    """Count records that the index has wrong, too often or not at all, after following the log to its end."""
    from archive.models import Record
    from search.follow import Follower

    follower = Follower()
    while follower.catch_up():
        continue
    held = Counter((hit.id, hit.level) for hit in follower.engine.stamps())
    wanted = Counter(dict.fromkeys(Record.objects.values_list("pk", "level"), 1))
    return sum(((held - wanted) + (wanted - held)).values())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] in (["feed"], ["check"]):
        import django

        django.setup()
        feed(Path(sys.argv[2])) if sys.argv[1] == "feed" else check()
    else:
        words = [int(word) for word in sys.argv[1:]]
        run(argparse.Namespace(seed=words[0] if words else None, times=words[1] if words[1:] else TIMES))
