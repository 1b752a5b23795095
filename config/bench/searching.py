"""Measure search: index rate, and the whole result page, over an invented corpus, against the goals.

    python -m config.bench searching --generators DIR --records 20000

The corpus is DIR/search_corpus/vicorpus.py, a module with `doc(i) -> dict` (see `_entry`); nothing of
it is kept. Reads and writes only a temporary folder. Prints a table and returns the figures.
A page is hits, exact total, seven facets and twenty passages; times are of this thread.
"""

import argparse
import importlib.util
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from search.engines.embedded import Embedded
from search.entry import Entry, Order, Terms
from search.query import parse
from search.text import vi_fold, words

RECORDS = 20_000
QUERIES = 100
BATCH = 5_000
UNITS = 60
GOAL_PAGE_MS = 50.0  # p95 at 200,000 records
GOAL_SUGGEST_MS = 5.0
GOAL_RATE = 2_000.0  # records per processor second
GOAL_SIZE = 1.3  # index bytes per byte of text
URGENCIES = ("thuong", "khan", "thuong-khan", "hoa-toc")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Build the index, ask every kind of query, print and return the figures."""
    corpus = _corpus(Path(arguments.generators) / "search_corpus" / "vicorpus.py")
    records = int(arguments.records or RECORDS)
    folder = Path(tempfile.mkdtemp(prefix="vankho-bench-"))
    try:
        engine = Embedded(folder)
        figures: dict[str, Any] = {"records": records, **_build(engine, corpus, records, folder)}
        reader = Embedded(folder)
        figures["pages"] = {kind: _times(reader, made) for kind, made in _workload(corpus, records).items()}
        figures["suggest"] = _suggest_times(reader, corpus, records)
        figures["level_change_ms"] = _level_changes(engine, corpus, records)
        figures["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _print(figures)
    return figures


def _corpus(path: Path) -> Callable[[int], dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("corpus", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: not a Python file. Give the path of the corpus generator.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    doc: Callable[[int], dict[str, Any]] = module.doc
    return doc


def _entry(made: dict[str, Any], *, level: int | None = None, version: int = 1) -> Entry:
    body = made["body"]
    middle = body.find("\n", len(body) // 2) + 1 or len(body)
    day = date.fromisoformat(made["date"])
    return Entry(
        id=made["id"],
        version=version,
        level=made["level"] if level is None else level,
        marking=1,
        reach=tuple(made["units"]),
        number=made["number"],
        register_number=str(made["id"] % 5000),
        subject=made["title"],
        type_name=made["type_name"],
        organ_name=made["agency"],
        unit=f"Phòng {made['units'][0]}",
        year=day.year,
        issued_on=day,
        arrived_on=day,
        urgency=URGENCIES.index(made["urgency"]),
        signer=made["signer"],
        dossier="",
        pages=(body[:middle], body[middle:]),
        direction="incoming" if made["direction"] == "den" else "outgoing",
        retention=made["retention"],
    )


def _build(engine: Embedded, corpus: Callable[[int], dict[str, Any]], records: int, folder: Path) -> dict[str, Any]:
    """Index all records; the making of the corpus is outside the clock."""
    spent = wall = 0.0
    text_bytes = 0
    for start in range(0, records, BATCH):
        entries = [_entry(corpus(number)) for number in range(start, min(start + BATCH, records))]
        text_bytes += sum(len(page.encode()) for entry in entries for page in entry.pages)
        began, began_wall = time.process_time(), time.perf_counter()
        engine.upsert(entries)
        engine.commit(position=start)
        spent += time.process_time() - began
        wall += time.perf_counter() - began_wall
    began = time.process_time()
    engine.release()
    spent += time.process_time() - began
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "records_per_cpu_second": round(records / spent),
        "records_per_second": round(records / wall),
        "index_mib": round(size / 2**20),
        "index_per_text_byte": round(size / text_bytes, 2),
    }


def _terms(chance: random.Random) -> Terms:
    level = chance.choices((0, 1, 2, 3), (50, 25, 15, 10))[0]
    reach = sorted(chance.sample(range(1, UNITS + 1), chance.randint(1, 5)))
    return Terms(level, (1,), (*reach, 1_000_000 + chance.randint(1, 500)), tuple(chance.sample(range(1, 5000), 20)))


def _workload(corpus: Callable[[int], dict[str, Any]], records: int) -> dict[str, list[tuple[str, Terms, Order]]]:
    """Return queries taken from the corpus itself, kind by kind."""
    chance = random.Random(7)
    made: dict[str, list[tuple[str, Terms, Order]]] = {}
    for _ in range(QUERIES):
        record = corpus(chance.randrange(records))
        terms = _terms(chance)
        for kind, text in _texts(record, chance):
            made.setdefault(kind, []).append((text, terms, Order.BEST))
        made.setdefault("filter only, newest", []).append(("", terms, Order.NEWEST))
        made.setdefault("one word, newest", []).append((made["one word"][-1][0], terms, Order.NEWEST))
    return made


def _texts(record: dict[str, Any], chance: random.Random) -> Iterator[tuple[str, str]]:
    written = [word.strip(".,;") for word in record["body"].split() if word.strip(".,;").isalpha()]
    long_words = [word for word in written if len(word) > 3]  # noqa: PLR2004
    at = chance.randrange(len(written) - 4)
    yield "one word", chance.choice(written)
    yield "three words", " ".join(chance.sample(written, 3))
    yield "phrase", f'"{" ".join(written[at : at + chance.randint(2, 3)])}"'
    yield "phrase without marks", f'"{vi_fold(" ".join(written[at : at + 2]))}"'
    yield "two words without marks", vi_fold(" ".join(written[at : at + 2]))
    yield "prefix of three", vi_fold(chance.choice(long_words))[:3] + "*"
    yield "one letter wrong", vi_fold(chance.choice(long_words))[:-1] + "x~"
    yield "number", record["number"]
    yield "words and year", f"{chance.choice(written)} {chance.choice(written)} nam:{record['date'][:4]}"


def _times(engine: Embedded, asked: list[tuple[str, Terms, Order]]) -> dict[str, float]:
    """Return milliseconds of processor time for the whole page, the second time each is asked."""
    spent, totals = [], []
    for is_counted in (False, True):
        for text, terms, order in asked:
            began = time.thread_time()
            query = parse(text)
            results = engine.search(query, terms, order=order)
            engine.excerpts(query, terms, [hit.id for hit in results.hits])
            if is_counted:
                spent.append((time.thread_time() - began) * 1000)
                totals.append(results.total)
    return {**_spread(spent), "hits": statistics.median(totals)}


def _suggest_times(engine: Embedded, corpus: Callable[[int], dict[str, Any]], records: int) -> dict[str, float]:
    """Return milliseconds for each key pressed while the words of a subject are typed."""
    chance = random.Random(11)
    spent = []
    for _ in range(QUERIES):
        subject = " ".join(words(corpus(chance.randrange(records))["title"])[-3:])
        terms = _terms(chance)
        for length in range(3, min(len(subject), 12)):
            began = time.thread_time()
            engine.suggest(subject[:length], terms)
            spent.append((time.thread_time() - began) * 1000)
    return _spread(spent)


def _level_changes(engine: Embedded, corpus: Callable[[int], dict[str, Any]], records: int) -> dict[str, float]:
    """Return wall milliseconds until a raised level is in force for every process."""
    chance = random.Random(13)
    spent = []
    for _ in range(30):
        made = corpus(chance.randrange(records))
        began = time.perf_counter()
        engine.upsert([_entry(made, level=(made["level"] + 1) % 4, version=2)])
        engine.commit()
        spent.append((time.perf_counter() - began) * 1000)
    engine.release()
    return _spread(spent)


def _spread(spent: list[float]) -> dict[str, float]:
    ordered = sorted(spent)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95) - 1], 2)}


def _print(figures: dict[str, Any]) -> None:
    rate, size = figures["records_per_cpu_second"], figures["index_per_text_byte"]
    print(f"{figures['records']:,} records; peak memory {figures['peak_mib']} MiB; index {figures['index_mib']} MiB")
    print(f"  {'records per processor second':32} {rate:>8,}   goal >= {GOAL_RATE:,.0f} {_verdict(rate >= GOAL_RATE)}")
    print(f"  {'index bytes per text byte':32} {size:>8}   goal <= {GOAL_SIZE} {_verdict(size <= GOAL_SIZE)}")
    print(f"  {'result page, ms':32} {'p50':>8} {'p95':>8} {'hits':>8}")
    for kind, one in figures["pages"].items():
        goal = _verdict(one["p95"] <= GOAL_PAGE_MS)
        print(
            f"  {kind:32} {one['p50']:>8} {one['p95']:>8} {one['hits']:>8.0f}   goal p95 <= {GOAL_PAGE_MS:.0f} {goal}"
        )
    for name, goal_ms in (("suggest", GOAL_SUGGEST_MS), ("level_change_ms", 250.0)):
        one = figures[name]
        verdict = _verdict(one["p95"] <= goal_ms)
        print(f"  {name:32} {one['p50']:>8} {one['p95']:>8}            goal p95 <= {goal_ms:.0f} {verdict}")


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"
