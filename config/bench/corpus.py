"""Every file of a corpus through intake: what became of it against what should, by category.

The corpus is a folder with `index.csv` (file, category, kind, expect, text_contains).
One process reads everything with the workers' own code in a scratch installation; a
death of that process fails the bench. Formats that this version does not take in yet
must be refused by their type and are counted apart, as "later".
`python -m config.bench.corpus FOLDER [CATEGORY...]` runs a part.
"""

import argparse
import csv
import json
import os
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final

from config.bench import goals, scratch

NOW: Final = frozenset({"pdf", "pdf (scan)", "pdf (born digital)", "tif", "tiff", "jpg", "jpeg", "png"})
GOAL: Final = 0.9
REFUSED_BY_TYPE: Final = "ING-002"
FAILED: Final = "ING-020"
# What the index calls a mark, and what ours are called.
MARKS: Final = {"embedded_file": "embedded", "external_link": "link", "signature_invalid": "changed_after_signing"}
ALL_SECONDS: Final = 5400


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the corpus, compare, print the table."""
    folder = Path(arguments.corpus)
    if not (folder / "index.csv").exists():
        raise OSError(f"no index.csv in {folder}")
    only = set(getattr(arguments, "categories", ()))
    rows = [row for row in _index(folder) if not only or row["category"] in only]
    with scratch.installation() as environment:
        given = Path(environment["VANKHO_HOME"]) / "given.json"
        given.write_text(json.dumps([str(folder / row["file"]) for row in rows]), encoding="utf-8")
        began = time.monotonic()
        reader = scratch.begin(environment, "-m", "config.bench.corpus", "--read", str(given))
        told, _ = reader.communicate(timeout=ALL_SECONDS)
    if reader.returncode:
        raise RuntimeError(f"the reading process died ({reader.returncode})")
    answer = json.loads(told)
    result = _compared(rows, answer["files"]) | answer["whole"] | {"seconds": round(time.monotonic() - began)}
    _print(result)
    return result


def _index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        return [row | {"folder": str(folder)} for row in csv.DictReader(lines) if (folder / row["file"]).is_file()]


# --- expected against actual ---------------------------------------------------------------------------


def verdict(row: dict[str, str], became: dict[str, Any]) -> str:
    """Return "as expected", "later" (a format of a later version, refused by type), or what is wrong."""
    expect, _, what = row["expect"].partition(":")
    if not became["clean"]:
        return f"not clean: {became['outcome']} {became['code']}"
    if row["kind"] not in NOW and expect.startswith("accept"):
        refused = became["outcome"] == "refused" and became["code"] == REFUSED_BY_TYPE
        return "later" if refused else _kept(became) or "as expected"
    if expect in {"accept", "accept_no_text"}:
        return _kept(became) or "as expected"
    if expect == "accept_flag":
        wanted = {MARKS.get(mark, mark) for mark in what.split("+")}
        missing = f"marks {wanted - set(became['flags'])} missing" if wanted - set(became["flags"]) else ""
        return _kept(became) or missing or "as expected"
    if expect == "refuse":
        refused = became["outcome"] == "refused" or became["code"] == "ING-017"
        return "as expected" if refused else f"should be refused ({what}), is {became['outcome']} {became['code']}"
    return "as expected"  # any clean end is right


def _kept(became: dict[str, Any]) -> str:
    return "" if became["kept"] else f"should be kept, is {became['outcome']} {became['code']}"


def _compared(rows: list[dict[str, str]], became: list[dict[str, Any]]) -> dict[str, Any]:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    surprises = []
    for row, one in zip(rows, became, strict=True):
        said = verdict(row, one)
        line = table[row["category"]]
        line["files"] += 1
        line[said if said in {"as expected", "later"} else "other"] += 1
        if said not in {"as expected", "later"}:
            surprises.append([row["file"], row["expect"], said])
        # A file with a password is kept closed: there is no text to be found.
        if row["kind"] in NOW and one["kept"] and "encrypted" not in one["flags"]:
            _count_phrases(row, one, line, surprises)
    total = sum(table.values(), Counter())
    judged = total["files"] - total["later"]
    return {
        "files": total["files"],
        "later": total["later"],
        "as_expected": total["as expected"],
        "share": round(total["as expected"] / max(judged, 1), 4),
        "phrases": total["phrases"],
        "phrases_found": total["found"],
        "by_category": {name: dict(line) for name, line in sorted(table.items())},
        "surprises": surprises,
    }


def _count_phrases(row: dict[str, str], one: dict[str, Any], line: Counter[str], surprises: list[list[str]]) -> None:
    text = _plain(one["text"])
    for phrase in filter(None, row["text_contains"].split("|")):
        if phrase.startswith("@"):
            line["gold"] += 1
            line["gold_percent"] += round(100 * _recall(_gold(row, phrase[1:]), text))
            continue
        line["phrases"] += 1
        found = _plain(phrase) in text
        line["found"] += found
        if not found:
            surprises.append([row["file"], "text", f"not found: {phrase[:80]}"])


def _gold(row: dict[str, str], name: str) -> str:
    path = (Path(row["folder"]) / row["file"]).parent / name
    if not path.is_file():
        path = Path(row["folder"]) / name
    return _plain(path.read_text(encoding="utf-8")) if path.is_file() else ""


def _recall(gold: str, text: str) -> float:
    wanted, had = Counter(gold.split()), Counter(text.split())
    return sum((wanted & had).values()) / max(1, sum(wanted.values()))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().casefold()


def _print(result: dict[str, Any]) -> None:
    print(f"{'category':22} {'files':>6} {'expected':>9} {'later':>6} {'other':>6} {'phrases':>9} {'gold %':>7}")
    for name, line in result["by_category"].items():
        phrases = f"{line.get('found', 0)}/{line['phrases']}" if line.get("phrases") else ""
        gold = f"{line['gold_percent'] / line['gold']:.0f}" if line.get("gold") else ""
        counts = (line["files"], line.get("as expected", 0), line.get("later", 0), line.get("other", 0))
        print(f"{name:22} {counts[0]:>6} {counts[1]:>9} {counts[2]:>6} {counts[3]:>6} {phrases:>9} {gold:>7}")
    for name in ("files", "later", "as_expected", "share", "phrases", "phrases_found", "lost", "waiting", "pages"):
        print(f"{name:22} {result[name]}")
    for name in ("longest_seconds", "largest_child_mib", "children_above_limit", "worker_peak_mib", "seconds"):
        print(f"{name:22} {result[name]}")
    print("slowest: " + ", ".join(f"{name} {spent} s" for spent, name in result["slowest"][:4]))
    print(f"goal {GOAL:.0%} as expected{goals.verdict(result['share'] >= GOAL, 'files as expected')}")
    for file, expect, said in result["surprises"]:
        print(f"  {file}: {expect}: {said}")


# --- the process that reads --------------------------------------------------------------------------


def read(given: Path) -> None:
    """Hand every file in, read all, print what became of each as one JSON object."""
    import resource

    from archive.models import Person
    from archive.rules.levels import Level
    from ingest import intake, sandbox, worker
    from ingest.models import Channel, Scan, ScanState

    clerk = Person.objects.get(username="clerk")
    batch = intake.open_batch(declared=Level.THUONG, channel=Channel.COMMAND, actor=clerk)
    scans = []
    for name in json.loads(given.read_text(encoding="utf-8")):
        with Path(name).open("rb") as source:
            scan = intake.receive(source, name=Path(name).name, batch=batch, actor=clerk)
        # The corpus has the same bytes under several names: here each is wanted.
        scans.append(intake.retry(scan, actor=clerk) if scan.state == ScanState.ATTENTION else scan)
    children = _watch_children(sandbox)
    seconds = _watch_scans(worker)
    crew = worker.Workers()
    crew.start()
    while Scan.objects.filter(state=ScanState.WAITING).exists():
        time.sleep(0.5)
    alive = all(thread.is_alive() for thread in crew.threads)
    crew.stop()
    files = [_became(Scan.objects.select_related("record", "original").get(pk=scan.pk)) for scan in scans]
    names = json.loads(given.read_text(encoding="utf-8"))
    slowest = sorted(((seconds.get(scan.pk, 0.0), name) for scan, name in zip(scans, names, strict=True)), reverse=True)
    whole = {
        "lost": sum(one["lost"] for one in files),
        "waiting": sum(one["outcome"] == "waiting" for one in files),
        "worker_alive": alive,
        "pages": sum(one["pages"] for one in files),
        "longest_seconds": round(slowest[0][0], 1),
        "slowest": [[round(spent, 1), Path(name).name] for spent, name in slowest[:8]],
        "largest_child_mib": max((used for used, _ in children), default=0),
        "children": len(children),
        "children_above_limit": sum(used > limit for used, limit in children),
        "worker_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps({"files": files, "whole": whole}))


def _watch_children(sandbox: Any) -> list[tuple[int, int]]:
    """Note memory and limit of every child, in MiB."""
    used: list[tuple[int, int]] = []
    judged = sandbox.Cell._judged  # noqa: SLF001 - the one place that hears how a child ended

    def noting(cell: Any, ending: dict[str, Any]) -> Any:
        if "rss_kib" in ending:
            used.append((int(ending["rss_kib"]) // 1024, cell.limits.memory_mib))
        return judged(cell, ending)

    sandbox.Cell._judged = noting  # noqa: SLF001
    return used


def _watch_scans(worker: Any) -> dict[Any, float]:
    """Note the seconds each scan took, from its claim to its end."""
    seconds: dict[Any, float] = {}
    advance = worker.pipeline.advance

    def timed(claim: Any) -> Any:
        began = time.monotonic()
        try:
            return advance(claim)
        finally:
            seconds[claim.scan_id] = max(seconds.get(claim.scan_id, 0.0), time.monotonic() - began)

    worker.pipeline.advance = timed
    return seconds


def _became(scan: Any) -> dict[str, Any]:
    """Return what became of a scan, and whether the original is kept whole or refused whole."""
    import hashlib

    from archive import store
    from ingest import pipeline
    from ingest.models import ScanState

    refused = scan.state == ScanState.REFUSED
    whole = bool(scan.original) and hashlib.sha256(store.read(scan.original.address)).hexdigest() == scan.sha256
    lost = scan.original is not None if refused else not whole
    text = "\n".join(pipeline.text_of(scan, page).text for page in scan.reading.get("pages", ()))
    return {
        "outcome": scan.state,
        "code": scan.code,
        "flags": scan.flags,
        "kept": whole and not refused and scan.code != FAILED,
        "lost": lost,
        "clean": scan.state != ScanState.WAITING and scan.code != FAILED and not lost,
        "pages": scan.page_count,
        "text": text,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1] == "--read":
        import django

        django.setup()
        read(Path(sys.argv[2]))
    else:
        run(argparse.Namespace(corpus=sys.argv[1], categories=sys.argv[2:]))
