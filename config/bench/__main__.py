"""Run the benches and print their tables: `python -m config.bench [NAME...] [--corpus DIR] [--generators DIR]`."""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

from config.bench import goals

NAMES = ("reading", "store", "searching", "registering", "corpus", "kills", "idle", "hidden", "level_change")


def main() -> int:
    """Run the benches named, or all; a bench that cannot run says so and why. 1: a goal was missed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    beside = Path(__file__).resolve().parents[3] / "shared"
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of: {', '.join(NAMES)} (all)")
    parser.add_argument(
        "--corpus", type=Path, default=beside / "corpus", help="folder of real files with expected outcomes"
    )
    parser.add_argument("--generators", type=Path, default=beside / "bench", help="folder of page and text generators")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--records", default="", help="pages, searching: how many records (a list: 200000,1000000)")
    parser.add_argument("--entries", type=int, default=0, help="log_pages: how many entries of the log (1000000)")
    parser.add_argument("--seed", type=int, default=0, help="tampering, log_kills: the same seed does the same")
    parser.add_argument(
        "--times",
        type=int,
        default=0,
        help="log_kills: how many kills (100); writing: rounds (8); hidden: pairs of a door (250)",
    )
    parser.add_argument(
        "--database", default="", help="PostgreSQL address for a database of its own, where a bench takes one (SQLite)"
    )
    parser.add_argument(
        "--keep", type=Path, help="pages, searching: folder in which what was loaded stays for the next run"
    )
    parser.add_argument(
        "--engine", default="embedded", help="searching, level_change: embedded, elastic, or both (a list)"
    )
    parser.add_argument("--search-corpus", type=Path, help="searching: folder of the corpus (GENERATORS/search_corpus)")
    parser.add_argument("--http", action="store_true", help="searching: also the page as an office asks it")
    parser.add_argument("--pages", type=int, default=8, help="pages per class of the reading bench")
    arguments = parser.parse_args()
    results = {
        "machine": {"processors": os.cpu_count(), "python": platform.python_version()},
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    for name in arguments.names or NAMES:
        print(f"\n== {name}", flush=True)
        results[name] = run_one(name, arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    target = arguments.out / f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps(results, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    print(f"\n{target}")
    for what in goals.missed():
        print(f"goal missed: {what}")
    return 1 if goals.missed() else 0


def run_one(name: str, arguments: argparse.Namespace) -> dict:
    """Run one bench; what stops it is its result, never silence."""
    try:
        return importlib.import_module(f"config.bench.{name}").run(arguments)
    except (ImportError, OSError, RuntimeError) as fault:
        print(f"not run: {fault}")
        return {"not_run": str(fault)}


if __name__ == "__main__":
    sys.exit(main())
