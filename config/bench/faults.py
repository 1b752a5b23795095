"""Faults of the big stack while the office works: each server stopped, slowed and cut off, 20 times each.

Servers of its own (PostgreSQL, Elasticsearch, S3) stand behind a proxy each. Two workers
read; a feeder (`config.bench.witness`) hands files in and registers drafts without pause and
writes down what was acknowledged; the nemesis stops (SIGKILL), slows and cuts one server after
the other, each time while a file is being read. Nobody helps: a worker that ended is started
again, as compose or systemd would. Afterwards a checker asks: is every acknowledged file there
with its bytes, every acknowledged number in the book, the book without gap and the log too, and
does the workers' own follower bring the index to the database without a rebuild.
The seed is printed: `python -m config.bench.faults [SEED] [--times 20] [--minutes 120]`.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from config.bench import kills, scratch, stack
from config.bench.between import Between
from config.tests.servers import SERVICES, Own

TIMES = 20
PORTS = {"postgres": 5450, "elasticsearch": 9450, "s3": 7450}
KINDS = ("stopped", "slowed", "cut")
MOST_MINUTES = 120
RECOVER_SECONDS = 300
READING_SECONDS = 10


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Start servers, work, hurt them, let it settle, check."""
    seed = getattr(arguments, "seed", None) or random.SystemRandom().randrange(10**6)
    return siege(
        seed=seed, times=getattr(arguments, "times", TIMES), most_minutes=getattr(arguments, "minutes", MOST_MINUTES)
    )


def siege(*, seed: int, times: int, most_minutes: int = MOST_MINUTES) -> dict[str, Any]:
    """Return what became of the work while each server failed so many times in each way."""
    print(f"seed {seed}, load {os.getloadavg()[0]:.1f}", flush=True)
    chance = random.Random(seed)
    with servers() as stand, scratch.installation(servers=stand.direct, through=stand.seen) as environment:
        environment |= {"VANKHO_WORK_THREADS": "1", "VANKHO_LOG_LEVEL": "ERROR"}
        home = Path(environment["VANKHO_HOME"])
        kills.write_small(home / "handed-in", 18, chance)
        crew = kills.Crew(environment, log=home / "workers.log")
        with crew, scratch.begin(environment, "-m", "config.bench.witness", "feed", str(home / "handed-in")) as feeder:
            began = time.monotonic()
            try:
                blows = stand.hurt(chance, times=times, crew=crew, most_minutes=most_minutes)
            finally:
                (home / "enough").touch()
            seconds_of_faults = round(time.monotonic() - began)
            told = json.loads(feeder.communicate(timeout=RECOVER_SECONDS)[0] or "{}")
            (home / "told.json").write_text(json.dumps(told))
            recovered = _recover(crew)
            state = json.loads(
                scratch.begin(environment, "-m", "config.bench.witness", "check").communicate()[0] or "{}"
            )
        keep_log(home / "workers.log")
    result = {"seed": seed, "faults": dict(Counter(blow.fault for blow in blows)), **_met(blows, told), **_sums(told)}
    result |= {"seconds_of_faults": seconds_of_faults, "settled_after_s": recovered}
    result |= {"workers_that_ended": dict(crew.ends), **state, "load": round(os.getloadavg()[0], 1)}
    result["passed"] = recovered is not None and all(state.get(name) == 0 for name in FAULTS)
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
    "rebuilds",
    "stuck",
    "gave_up",
)


@dataclass(frozen=True)
class Blow:
    """One fault: what, when (monotonic seconds, the same for every process), and how many files were being read."""

    fault: str
    began: float
    ended: float
    in_reading: int


def _met(blows: list[Blow], told: dict[str, Any]) -> dict[str, Any]:
    """Count the faults that met work: files being read, and registrations under way at the moment of the blow."""
    attempts = told.get("attempts", [])
    at_once = [any(began <= blow.began <= ended for began, ended, _ in attempts) for blow in blows]
    during = [sum(began <= blow.ended and ended >= blow.began for began, ended, _ in attempts) for blow in blows]
    return {
        "met_files_being_read": f"{sum(blow.in_reading > 0 for blow in blows)} of {len(blows)}",
        "met_a_registration_at_once": f"{sum(at_once)} of {len(blows)}",
        "registrations_during_faults": sum(during),
        "longest_registration_s": round(max((ended - began for began, ended, _ in attempts), default=0), 1),
    }


def _sums(told: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}_acknowledged": len(told.get(name, ())) for name in ("files", "numbers")} | {
        "turned_away": told.get("why", {}),
    }


def keep_log(log: Path) -> None:
    """Leave what the workers said where VANKHO_BENCH_LOG names a file: the installation is removed."""
    if kept := os.environ.get("VANKHO_BENCH_LOG"):
        shutil.copy(log, kept)


# --- servers and their faults -------------------------------------------------------------------


@dataclass
class Stand:
    """Three servers, a proxy in front of each."""

    direct: stack.Servers
    seen: stack.Servers
    proxies: dict[str, Between]
    own: dict[str, Own]

    def hurt(self, chance: random.Random, *, times: int, crew: kills.Crew, most_minutes: int) -> list[Blow]:
        """Do every fault to every server so many times, in rounds, each while a file is being read."""
        until = time.monotonic() + 60 * most_minutes
        kinds = [(name, kind) for name in PORTS for kind in KINDS]
        # In rounds, each in an order of its own: a run that has to end early has met every kind as often.
        faults = [fault for _ in range(times) for fault in chance.sample(kinds, len(kinds))]
        looking = crew.environment | {
            "VANKHO_DATABASE_URL": _moved(crew.environment["VANKHO_DATABASE_URL"], PORTS["postgres"])
        }
        blows = []
        for name, kind in faults:
            if time.monotonic() > until:
                break
            crew.keep_up()
            in_reading = _await_reading(looking)
            began = time.monotonic()
            getattr(self, f"_{kind}")(name, chance.uniform(0.5, 3.0))
            blows.append(Blow(f"{name} {kind}", began, time.monotonic(), in_reading))
            time.sleep(chance.uniform(0.2, 1.5))
        return blows

    def _stopped(self, name: str, seconds: float) -> None:
        self.own[name].kill()
        time.sleep(seconds)
        self.own[name].start()

    def _slowed(self, name: str, seconds: float) -> None:
        with self.proxies[name].slow(chunk_seconds=0.2):
            time.sleep(2 * seconds)

    def _cut(self, name: str, seconds: float) -> None:
        with self.proxies[name].cut():
            time.sleep(seconds)


@contextmanager
def servers() -> Iterator[Stand]:
    """Start three servers on ports of their own and a proxy in front of each; wipe them afterwards."""
    if not SERVICES.is_dir():
        raise RuntimeError(f"no scripts that start servers at {SERVICES}")
    proxies: dict[str, Between] = {}
    own = {name: Own(name, port=port) for name, port in PORTS.items()}
    try:
        told = {name: one.start() for name, one in own.items()}
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
        yield Stand(direct, seen, proxies, own)
    finally:
        for proxy in proxies.values():
            proxy.stop()
        for one in own.values():
            one.wipe()


def _moved(address: str, port: int) -> str:
    parts = urlsplit(address)
    who = f"{parts.username}@" if parts.username else ""
    return urlunsplit((parts.scheme, f"{who}127.0.0.1:{port}", parts.path, parts.query, ""))


def _await_reading(environment: dict[str, str]) -> int:
    """Wait a moment until a worker has a file in hand; return how many are being read now."""
    until = time.monotonic() + READING_SECONDS
    while True:
        with suppress(Exception), closing(stack.connect(environment)) as rows:
            asked = "SELECT count(*) FROM ingest_scan WHERE state = 'waiting' AND lease_until > now()"
            if count := int(rows.execute(asked).fetchone()[0]):
                return count
        if time.monotonic() > until:
            return 0
        time.sleep(0.05)


def _recover(crew: kills.Crew) -> int | None:
    """Wait until no scan waits; return after how many seconds, None if it never came."""
    began = time.monotonic()
    while time.monotonic() - began < RECOVER_SECONDS:
        crew.keep_up()
        if not kills.waiting(crew.environment):
            return round(time.monotonic() - began)
        time.sleep(0.5)
    return None


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    parser = argparse.ArgumentParser(prog="config.bench.faults", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, help="repeats the order and the lengths of the faults")
    parser.add_argument("--times", type=int, default=TIMES, help="how often each server meets each fault")
    parser.add_argument("--minutes", type=int, default=MOST_MINUTES, help="faults beyond are left out, and not counted")
    sys.exit(not run(parser.parse_args())["passed"])
