"""A hundred kills during a batch of sixty: every scan ends, none twice, none lost.

Real workers read small files in a scratch installation while SIGKILL hits a random one
of them, or of the processes they started, at random moments; a killed worker is
replaced. Afterwards everything is checked from outside: the sum closes, one record per
scan, every row's bytes have the right digest, the log has no gap, nothing is left
running. The seed is printed and repeats the choices: `python -m config.bench.kills [SEED]`.
"""

import argparse
import contextlib
import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Self

from config.bench import scratch, stack
from config.tests.servers import descendants

FILES = 60
KILLS = 100
WORKERS = 2
SETTLE_SECONDS = 240
CHILD_SECONDS = 4
PR_SET_CHILD_SUBREAPER = 36


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Hand in, kill, let it settle, check."""
    seed = getattr(arguments, "seed", None) or random.SystemRandom().randrange(10**6)
    servers = stack.Servers.given() if getattr(arguments, "big", False) else None
    return siege(seed=seed, files=FILES, kills=KILLS, servers=servers)


def siege(*, seed: int, files: int, kills: int, servers: stack.Servers | None = None) -> dict[str, Any]:
    """Return what became of so many files under so many kills."""
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    # Whatever a killed process leaves behind becomes a child of this one and is found at the end.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with scratch.installation(servers=servers) as environment:
        environment |= {"VANKHO_WORK_THREADS": "1", "VANKHO_LOG_LEVEL": "ERROR"}
        folder = Path(environment["VANKHO_HOME"]) / "handed-in"
        write_small(folder, files, chance)
        scratch.manage(environment, "ingest", str(folder), "--level", "thuong", "--as", "clerk")
        began = time.monotonic()
        with Crew(environment) as crew:
            killed = _attack(crew, chance, kills=kills, files=files)
            seconds_of_kills = time.monotonic() - began
            settle(environment)
            state = _asked(environment, "check")  # while the workers live: nobody else brings the index to the log
        left = descendants(os.getpid())
    result = {
        "stack": "PostgreSQL, Elasticsearch, S3" if servers else "SQLite, embedded, local",
        "seed": seed,
        "files": files,
        "kills": sum(killed.values()),
        "killed": dict(killed),
        "kills_with_work_left": crew.in_work,
        "load": round(os.getloadavg()[0], 1),
        "seconds_of_kills": round(seconds_of_kills),
        "seconds": round(time.monotonic() - began),
        **state,
        "left_running": len(left),
    }
    result["passed"] = passed(result)
    for name, value in result.items():
        print(f"{name:22} {value}")
    return result


def passed(result: dict[str, Any]) -> bool:
    """Say whether nothing was lost, doubled, unreadable or left over."""
    faults = ("lost", "twice", "unreadable", "log_gaps", "loose_records", "left_running", "index_differs", "rebuilds")
    return (
        result["in"] == result["files"] and result["sum"] == result["in"] and not any(result[name] for name in faults)
    )


def write_small(folder: Path, count: int, chance: random.Random) -> None:
    """Write one-page scans (PDF, JPEG, PNG, TIFF) and text PDFs, half and half."""
    from config.sample import ageing, letters, paper

    folder.mkdir(parents=True)
    # A letter takes 0.3 s to draw: each third is drawn, and its siblings differ by the ageing alone.
    drawn = [paper.draw(letter) for letter in letters.dispatches(max(1, count // 3), today=date(2026, 11, 20))]
    for index in range(count):
        pdf = drawn[index % len(drawn)]
        if index < len(drawn):
            (folder / f"{index:03d}-text.pdf").write_bytes(pdf)
            continue
        sheet = next(iter(ageing.sheets(pdf, rng=chance, strength=chance.choice(("light", "office")))))
        kind = chance.choice(("pdf", "pdf", "jpg", "png", "tif"))
        (folder / f"{index:03d}-scan.{kind}").write_bytes(_as(kind, sheet))


def _as(kind: str, sheet: bytes) -> bytes:
    from config.sample import ageing

    if kind == "tif":
        return ageing.as_tiff([sheet, sheet])
    return {"pdf": lambda: ageing.as_pdf([sheet]), "png": lambda: ageing.as_png(sheet)}.get(kind, lambda: sheet)()


@dataclass
class Crew:
    """The workers of the installation; a dead one is replaced."""

    environment: dict[str, str]
    log: Path | None = None  # takes what the workers say
    in_work: int = 0
    ends: Counter[int] = field(default_factory=Counter)  # status -> workers that ended and were replaced
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start them."""
        self.keep_up()
        return self

    def __exit__(self, *_fault: object) -> None:
        """End them, whatever happened."""
        self.end()

    def keep_up(self) -> None:
        """Collect the dead and start as many new ones."""
        self.ends.update(worker.returncode for worker in self.workers if worker.poll() is not None)
        self.workers = [worker for worker in self.workers if worker.returncode is None]
        while len(self.workers) < WORKERS:
            command = [sys.executable, "manage.py", "work"]
            with (self.log or Path(os.devnull)).open("ab") as told:
                self.workers.append(
                    subprocess.Popen(command, cwd=scratch.ROOT, env=self.environment, stdout=told, stderr=told)
                )

    def targets(self) -> list[int]:
        """Return every worker and every process it started."""
        return [pid for worker in self.workers for pid in (worker.pid, *descendants(worker.pid))]

    def end(self) -> None:
        """Ask the workers to stop, as an administrator does, and give orphans a moment to end by themselves."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)
        until = time.monotonic() + 10
        while descendants(os.getpid()) and time.monotonic() < until:
            collect()
            time.sleep(0.2)


def _attack(crew: Crew, chance: random.Random, *, kills: int, files: int) -> Counter[str]:
    """Kill so often; the pace follows the work, so that there is work to kill until the end."""
    killed: Counter[str] = Counter()
    done = 0
    while done < kills:
        crew.keep_up()
        left = waiting(crew.environment)
        ahead = (files - left) / files > done / kills
        time.sleep(chance.expovariate(1 / (0.8 if ahead else 2.5)))
        target, kind = _chosen(crew, chance)
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            continue
        done += 1
        killed[kind] += 1
        crew.in_work += left > 0
        collect()
    crew.keep_up()
    return killed


def _chosen(crew: Crew, chance: random.Random) -> tuple[int, str]:
    """Return a random process: half of the blows meet a worker, which is the follower too, half a child at work.

    A child lives for one second: such a blow waits for one, and meets whatever there is when none comes.
    """
    wanted = {"worker"} if chance.random() < 0.5 else {"child", "tesseract"}  # noqa: PLR2004
    until = time.monotonic() + CHILD_SECONDS
    while True:
        kinds: dict[str, list[int]] = {}
        for pid in crew.targets():
            kinds.setdefault(kind_of(pid), []).append(pid)
        kinds.pop("gone", None)
        found = sorted(kinds.keys() & wanted) or (sorted(kinds) if time.monotonic() >= until else [])
        if found:
            kind = chance.choice(found)
            return chance.choice(kinds[kind]), kind
        crew.keep_up()
        time.sleep(0.02)


def collect() -> None:
    """Collect processes that were left to this one and have ended; the workers are collected by their handles."""
    with contextlib.suppress(ChildProcessError):
        for pid in descendants(os.getpid()):
            if kind_of(pid) != "worker":
                os.waitpid(pid, os.WNOHANG)


def kind_of(pid: int) -> str:
    """Name a process by its command line."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "gone"
    if b"manage.py" in words:
        return "worker"
    if b"tesseract" in words.split(b"\0")[0]:
        return "tesseract"
    # The children of the fork server carry its words: a child is one whose parent does too.
    return "child" if b"-I" in _words(_parent(pid)) else "fork server"


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def waiting(environment: dict[str, str]) -> int:
    """Count the scans that wait, by a reader that asks nobody."""
    with contextlib.closing(stack.connect(environment)) as rows:
        return int(rows.execute("SELECT count(*) FROM ingest_scan WHERE state = 'waiting'").fetchone()[0])


def settle(environment: dict[str, str]) -> None:
    """Wait until no scan waits."""
    until = time.monotonic() + SETTLE_SECONDS
    while waiting(environment) and time.monotonic() < until:
        time.sleep(0.5)
    time.sleep(2)  # the index follows within a second


def _asked(environment: dict[str, str], question: str) -> dict[str, Any]:
    asked = scratch.begin(environment, "-m", "config.bench.kills", question)
    return dict(json.loads(asked.communicate(timeout=240)[0] or "{}"))


def check() -> None:
    """Print what stands in the installation, as seen by its own doors."""
    from archive.models import AuditLeaf, DigitalObject, Record
    from config.bench.witness import is_whole, settled_index
    from ingest.models import Scan, ScanState

    index = settled_index()
    scans = list(Scan.objects.select_related("record", "original"))
    states = Counter(scan.state for scan in scans)
    records = [scan.record_id for scan in scans if scan.record_id]
    places = list(AuditLeaf.objects.order_by("idx").values_list("idx", flat=True))
    answer = {
        "in": len(scans),
        "sum": sum(states.values()),
        "states": dict(states),
        "codes": dict(Counter(scan.code for scan in scans if scan.code)),
        "refused": {scan.name: scan.reason for scan in scans if scan.state == ScanState.REFUSED},
        "waiting_without_reason": states["waiting"],
        "most_attempts": max(scan.attempts for scan in scans),
        "lost": sum(scan.original_id is None for scan in scans),
        "twice": Record.objects.count() - len(set(records)) + _doubled_entries(),
        "loose_records": Record.objects.filter(scan__isnull=True).count(),
        "unreadable": sum(not is_whole(row) for row in DigitalObject.objects.all()),
        "log_gaps": len(set(range(len(places))) ^ set(places)),
        **index,
        "spare_objects": _spare_objects(),
    }
    print(json.dumps(answer))


def _doubled_entries() -> int:
    """Count captures beyond one per record in the log."""
    from archive.models import AuditEntry

    taken = AuditEntry.objects.filter(action="record.capture").values_list("record_id", flat=True)
    return sum(count - 1 for count in Counter(taken).values())


def _spare_objects() -> int:
    """Count sealed objects that no row names: what killed workers leave, swept later."""
    from archive import store
    from archive.models import DigitalObject

    def known(addresses: Any) -> list[str]:
        return list(DigitalObject.objects.filter(address__in=addresses).values_list("address", flat=True))

    return sum(1 for _ in store.orphans(known, older_than_seconds=0))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:] == ["check"]:
        import django

        django.setup()
        check()
    else:
        words = [word for word in sys.argv[1:] if word != "--big"]
        run(argparse.Namespace(seed=int(words[0]) if words else None, big="--big" in sys.argv))
