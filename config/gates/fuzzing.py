"""atheris on everything that reads strange bytes or words: each for a while, `--minutes` longer before a release.

A finding is kept as a line of base64 in `config/tests/fuzz_finds.txt`, which a test reads to every reader again.
"""

import base64
import os
import sys
from pathlib import Path
from typing import Final

from config.gates.desk import Desk
from config.gates.outcome import ROOT, Outcome, judged, toothless
from config.gates.reading import READERS
from config.gates.tools import run

PLANTED: Final = "planted"


def gate(desk: Desk) -> Outcome:
    """Find the planted fault, then try every reader."""
    if not _tried(desk, PLANTED, 20)[1]:
        return toothless("a reader that falls over four bytes")
    seconds, runs, found = int(60 * desk.minutes), [], []
    for name in READERS:
        done, faults = _tried(desk, name, seconds)
        runs.append(f"{name} {done:,}")
        found += faults
    return judged(f"{seconds} s each, runs: {', '.join(runs)}; {len(found)} finds", found)


def _tried(desk: Desk, name: str, seconds: int) -> tuple[int, list[str]]:
    """Return how often a reader was tried, and what it fell over."""
    place = desk.folder / "fuzz" / name
    seeds = place / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "config.gates.reading", name, str(seeds), f"-max_total_time={seconds}"]
    command += [
        "-timeout=20",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={place}/",
        "-print_final_stats=1",
        "-max_len=4096",
    ]
    atheris = {"VANKHO_GATE_ATHERIS": str(desk.tools.packages("atheris")), "VANKHO_HOME": str(place)}
    kept = {word: value for word, value in os.environ.items() if not word.startswith("VANKHO_")}
    done = run(command, seconds=seconds + desk.within(120), env=kept | atheris, cwd=ROOT)
    said = done.stdout + done.stderr
    (place / "said.txt").write_text(said, encoding="utf-8")
    tried = [line for line in said.splitlines() if line.startswith("stat::number_of_executed_units:")]
    finds = [f"{name}: {base64.b64encode(one.read_bytes()).decode()}" for one in sorted(_finds(place))]
    if done.returncode and not finds:
        finds = [f"{name}: {said.strip()[-300:]}"]
    return int(tried[-1].split()[-1]) if tried else 0, finds


def _finds(place: Path) -> list[Path]:
    return [one for kind in ("crash", "timeout", "oom", "leak") for one in place.glob(f"{kind}-*")]
