"""Measure search against its goals, on both engines, and through a real web server.

    python -m config.bench searching --records 200000,1000000 --engine embedded,elastic [--keep FOLDER]

Index rate, size, the whole result page (hits, exact total, all facets with the months,
twenty passages) kind by kind with the reader's terms inside, suggestions, and how long
a raised level takes to be in force in another process once it is written (from the act
on: `config.bench.level_change`), of which the longest is judged. Where the indexes lie, and what
--keep does: `config.bench.places`. With --http also the page as an office asks it.
"""

import argparse
import gc
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from config.bench import places
from config.bench.goals import verdict
from config.bench.places import Place
from config.bench.spread import spread
from config.bench.workload import Asked, Corpus
from search.engine import SAMPLE, WARMING, Engine
from search.entry import Terms
from search.query import parse
from search.text import words

RECORDS: Final = "200000"
BATCH: Final = 20_000  # records between two commits, as a rebuild has them (`search.follow`)
SMALL: Final = 200_000  # up to here the page goal of the small office holds
LEVEL_CHANGES: Final = 20
SUGGESTED: Final = 60
# The goal of a suggestion holds up to SMALL.
GOALS: Final = {"rate": 2_000.0, "size": 1.3, "suggest": 5.0, "level_change": 1_000.0, "http": 40.0}
PAGE_GOALS: Final = {"embedded": (50.0, 150.0), "elastic": (100.0, 100.0)}  # p95 ms: small, large


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure every engine at every size asked for; print and return the figures."""
    folder = Path(getattr(arguments, "search_corpus", None) or arguments.generators / "search_corpus")
    corpus = Corpus.of(folder)
    keep: Path | None = getattr(arguments, "keep", None)
    results: dict[str, Any] = {}
    for records in (int(one) for one in str(arguments.records or RECORDS).split(",")):
        for kind in (getattr(arguments, "engine", "") or "embedded").split(","):
            name = f"{kind} {records}"
            try:
                with places.place(kind, records, keep) as (place, notes):
                    results[name] = _measured(place, notes, corpus, records)
            except RuntimeError as fault:
                print(f"{name}: not run: {fault}")
                results[name] = {"not_run": str(fault)}
                continue
            _print(name, kind, results[name])
    if getattr(arguments, "http", False):
        from config.bench import searching_http

        results["http"] = searching_http.measured(folder)
    return results


def _measured(place: Place, notes: Path, corpus: Corpus, records: int) -> dict[str, Any]:
    engine = place.open()
    figures: dict[str, Any] = {"records": records, "load": round(os.getloadavg()[0], 1)}
    cost = places.built(notes)
    if cost is None:
        cost = _build(engine, place, corpus, records)
        (notes / places.BUILT).write_text(json.dumps(cost), encoding="utf-8")
    figures |= cost
    place.forget()
    reader = place.open()
    figures["warming_seconds"] = _warmed(reader, corpus, records)
    figures["pages"] = {kind: _times(reader, asked) for kind, asked in corpus.questions(records).items()}
    figures["suggest"] = _suggest_times(reader, corpus, records)
    figures["level_change_ms"] = _level_changes(engine, place, corpus, records)
    figures["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def _warmed(engine: Engine, corpus: Corpus, records: int) -> float:
    """Have a server that has just begun work as the follower of an office does; return for how long."""
    began, newest = time.perf_counter(), [corpus.entry(number) for number in range(records - WARMING, records)]
    while not engine.warm(newest):
        pass
    return round(time.perf_counter() - began, 1)


def _build(engine: Engine, place: Place, corpus: Corpus, records: int) -> dict[str, Any]:
    """Index all records aside as a rebuild does; the making of the corpus is outside the clock."""
    sample = [corpus.entry(number) for number in range(0, records, max(1, records // SAMPLE))]
    before, began_here = place.processor_seconds(), time.process_time()
    new = engine.open_new_generation(sample)
    here, spent = time.process_time() - began_here, place.processor_seconds() - before
    wall, text_bytes = 0.0, 0
    for start in range(0, records, BATCH):
        entries = [corpus.entry(number) for number in range(start, min(start + BATCH, records))]
        text_bytes += sum(len(page.encode()) for entry in entries for page in entry.pages)
        gc.freeze()  # a rebuild holds 200 entries at once: the rest is the bench's, and not looked through for garbage
        before, began, began_here = place.processor_seconds(), time.perf_counter(), time.process_time()
        new.upsert(entries)
        new.commit(position=start + 1)
        wall += time.perf_counter() - began
        here += time.process_time() - began_here
        spent += place.processor_seconds() - before
        gc.unfreeze()
    before = place.processor_seconds()
    engine.swap(new)
    place.settle()
    spent += place.processor_seconds() - before
    size = place.bytes()
    return {
        "records_per_cpu_second": round(records / spent),
        "records_per_cpu_second_here": round(records / here),
        "records_per_second": round(records / wall),
        "index_mib": round(size / 2**20),
        "index_per_text_byte": round(size / text_bytes, 2),
    }


def _times(engine: Engine, questions: list[Asked]) -> dict[str, float]:
    """Return milliseconds for the whole page, wall and processor of this thread, the second time each is asked."""
    wall, cpu, totals = [], [], []
    for is_counted in (False, True):
        for asked in questions:
            began, spent = time.perf_counter(), time.thread_time()
            query = parse(asked.text)
            results = engine.search(query, asked.terms, order=asked.order)
            engine.excerpts(query, asked.terms, [hit.id for hit in results.hits])
            if is_counted:
                cpu.append((time.thread_time() - spent) * 1000)
                wall.append((time.perf_counter() - began) * 1000)
                totals.append(results.total)
    return {**spread(wall), "cpu_p50": spread(cpu)["p50"], "cpu_p95": spread(cpu)["p95"],
            "hits": statistics.median(totals)}  # fmt: skip


def _suggest_times(engine: Engine, corpus: Corpus, records: int) -> dict[str, float]:
    """Return milliseconds for each key pressed while the words of a subject are typed."""
    chance, spent = random.Random(11), []
    for asked in corpus.questions(records)["term"][:SUGGESTED]:
        subject = " ".join(words(corpus.doc(chance.randrange(records))["title"])[-3:])
        for length in range(3, min(len(subject), 12)):
            began = time.perf_counter()
            engine.suggest(subject[:length], asked.terms)
            spent.append((time.perf_counter() - began) * 1000)
    return spread(spent)


# --- a level in another process -------------------------------------------------------------------------


def _level_changes(engine: Engine, place: Place, corpus: Corpus, records: int) -> dict[str, float]:
    """Return milliseconds from raising a record's level until another process no longer finds it for old readers."""
    chance, spent, version = random.Random(13), [], int(time.time())  # newer than those of a run on a kept index
    with _watching(place) as gone:
        for turn in range(LEVEL_CHANGES):
            entry = corpus.entry(chance.randrange(records), level=0, version=version + 2 * turn)
            engine.upsert([entry])
            engine.commit()
            wait = gone(entry.id, entry.subject)
            began = time.perf_counter()
            engine.upsert([corpus.entry(entry.id - 1, level=2, version=version + 2 * turn + 1)])
            engine.commit()
            wait()
            spent.append((time.perf_counter() - began) * 1000)
        engine.release()
    return spread(spent) | {"longest": round(max(spent), 2)}


@contextmanager
def _watching(place: Place) -> Iterator[Callable[[int, str], Callable[[], None]]]:
    """Start a process that searches; yield how to have it see a record and then wait until it is gone."""
    watcher = subprocess.Popen(
        [sys.executable, "-m", "config.bench.searching", place.kind, place.where],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    assert watcher.stdin  # noqa: S101 - asked for

    def expect(word: str) -> None:
        said = watcher.stdout.readline().strip() if watcher.stdout else ""
        if said != word:
            raise RuntimeError(f"the watching process said {said!r} instead of {word!r}")

    def see(record: int, subject: str) -> Callable[[], None]:
        print(json.dumps([record, subject]), file=watcher.stdin, flush=True)
        expect("seen")
        return lambda: expect("gone")

    try:
        yield see
    finally:
        watcher.stdin.close()
        watcher.wait(timeout=20)


def watch(place: Place) -> None:
    """Search for each record named on the input until it is found, then until it is not."""
    engine = place.open()
    for line in sys.stdin:
        record, subject = json.loads(line)
        query, terms = parse(f'"{subject}"'), Terms(0, (1,), (), (record,))
        for said, is_there in (("seen", True), ("gone", False)):
            until = time.monotonic() + 30
            while any(hit.id == record for hit in engine.search(query, terms, facets=()).hits) is not is_there:
                if time.monotonic() > until:
                    return
            print(said, flush=True)


# --- what is printed --------------------------------------------------------------------------------------


def _print(name: str, kind: str, figures: dict[str, Any]) -> None:
    goal = PAGE_GOALS[kind][figures["records"] > SMALL]
    print(
        f"\n{name} records; load {figures['load']}; peak memory {figures['peak_mib']} MiB; index {figures['index_mib']} MiB"
        f"; warmed for {figures['warming_seconds']} s"
    )
    rate = figures["records_per_cpu_second"]
    if kind == "embedded":
        print(f"  {'records per processor second':32} {rate:>8,}   {rate / GOALS['rate']:.2f} of goal (at least 1)"
              f"{verdict(rate >= GOALS['rate'], f'{name} records: index rate')}")  # fmt: skip
    else:
        print(f"  {'records per server cpu second':32} {rate:>8,}   here {figures['records_per_cpu_second_here']:,},"
              f" wall {figures['records_per_second']:,}/s")  # fmt: skip
    size = figures["index_per_text_byte"]
    print(f"  {'index bytes per text byte':32} {size:>8}   {size / GOALS['size']:.2f} of limit"
          f"{verdict(size <= GOALS['size'], f'{name} records: size of the index')}")  # fmt: skip
    print(f"  {'result page, ms':20} {'p50':>8} {'p95':>8} {'p99':>8} {'cpu p95':>8} {'hits':>8}  of limit {goal:.0f}")
    for each, one in figures["pages"].items():
        one["of_limit"] = round(one["p95"] / goal, 2)
        print(f"  {each:20} {one['p50']:>8} {one['p95']:>8} {one['p99']:>8} {one['cpu_p95']:>8} {one['hits']:>8.0f}"
              f"  {one['of_limit']:.2f}{verdict(one['p95'] <= goal, f'{name} records: page, {each}')}")  # fmt: skip
    for each, judged, limit in (
        ("suggest", "p95", GOALS["suggest"]),
        ("level_change_ms", "longest", GOALS["level_change"]),
    ):
        one = figures[each]
        is_met = one[judged] <= limit or (each == "suggest" and figures["records"] > SMALL)
        print(f"  {each:20} {one['p50']:>8} {one['p95']:>8} {one['p99']:>8}  {judged} {one[judged] / limit:.2f} of {limit:.0f}"
              f"{verdict(is_met, f'{name} records: {each}')}")  # fmt: skip


if __name__ == "__main__":
    watch(Place(sys.argv[1], sys.argv[2]))
