"""Measure how often a known record is found: first, and within ten, with and without marks.

    python -m config.bench known_items --corpus DIR

Reads DIR/vn_register: a register of a real province and questions with the rows that
answer them. Each question is asked as typed, and again with its marks taken off. Writes
only a temporary folder (and, when VANKHO_TEST_ELASTICSEARCH_URL names a server, indices
of its own there, removed at the end). Prints shares in hundredths and returns them.
"""

import argparse
import csv
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from config.bench import goals
from search.engine import Engine
from search.engines.elastic.driver import Elastic
from search.engines.elastic.generations import Generations
from search.engines.elastic.server import Server
from search.engines.embedded import Embedded
from search.entry import Entry, Order, Terms
from search.fields import TYPES
from search.leaves import number_tokens
from search.query import parse
from search.text import vi_fold

READER = Terms(level=0, markings=(1,), reach=(1,))
DEEP = 10
# Shares that no change may fall below, first and within ten, by kind of question; measured: all of them first.
FLOORS: Final[dict[str, tuple[float, float]]] = {
    "phrase": (0.95, 1.0),
    "phrase_no_diacritics": (0.95, 1.0),
    "phrase, folded here": (0.95, 1.0),
    "phrase, in quotation marks": (0.95, 1.0),
    "number_exact": (1.0, 1.0),
    "number_and_year": (0.95, 1.0),
}
PREFIX = f"vankho-known-{os.getpid()}"

Question = tuple[str, str, frozenset[int]]


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ask every engine that is at hand; print and return its shares."""
    folder = Path(arguments.corpus) / "vn_register"
    entries, questions = list(register(folder)), list(asked(folder))
    figures: dict[str, Any] = {"records": len(entries), "questions": len(questions)}
    for name, engine in engines():
        with engine as opened:
            figures[name] = shares(opened, entries, questions)
            _print(name, figures[name])
    return figures


def register(folder: Path) -> Iterator[Entry]:
    """Yield the lines of the register as records without text: their subject is all there is to find."""
    with (folder / "register_binh_duong.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _entry(row)


def asked(folder: Path) -> Iterator[Question]:
    """Yield (kind, text, rows that answer it)."""
    with (folder / "known_item_queries.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            answers = frozenset(map(int, row["relevant_rows"].split()))
            yield row["type"], row["query"], answers
            if row["type"] == "phrase":
                yield "phrase, folded here", vi_fold(row["query"]), answers
                yield "phrase, in quotation marks", f'"{row["query"]}"', answers


def shares(engine: Engine, entries: list[Entry], questions: list[Question]) -> dict[str, dict[str, float]]:
    """Fill an empty engine, ask, and return by kind the share answered first and within ten."""
    engine.upsert(entries)
    engine.commit()
    ranks: dict[str, list[int]] = defaultdict(list)
    for kind, text, answers in questions:
        hits = engine.search(parse(text), READER, order=Order.BEST, limit=DEEP, facets=()).hits
        ranks[kind].append(next((place for place, hit in enumerate(hits) if hit.id in answers), DEEP))
    return {kind: _share(found) for kind, found in ranks.items()}


@contextmanager
def _embedded() -> Iterator[Engine]:
    folder = Path(tempfile.mkdtemp(prefix="vankho-known-"))
    engine = Embedded(folder)
    try:
        yield engine
    finally:
        engine.release()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _elastic(address: str) -> Iterator[Engine]:
    server = Server(address)
    engine = Elastic(server, PREFIX)
    try:
        yield engine
    finally:
        engine.release()
        Generations(server, PREFIX).clear()


def engines() -> Iterator[tuple[str, Any]]:
    """Yield each engine at hand, by name, to be opened empty."""
    yield "embedded", _embedded()
    if address := os.environ.get("VANKHO_TEST_ELASTICSEARCH_URL"):
        yield "elastic", _elastic(address)


def _entry(row: dict[str, str]) -> Entry:
    tokens = number_tokens(row["so_ky_hieu"])
    types = [TYPES[token] for token in tokens if token in TYPES]
    day = date.fromisoformat(row["ngay_ban_hanh"]) if row["ngay_ban_hanh"] else None
    return Entry(
        id=int(row["row"]),
        version=1,
        level=0,
        marking=1,
        reach=(1,),
        number=row["so_ky_hieu"],
        register_number="",
        subject=row["trich_yeu"],
        type_name=types[0] if types else "",
        organ_name="",
        unit="",
        year=day.year if day else 0,
        issued_on=day,
        arrived_on=None,
        urgency=0,
        signer="",
        pages=(),
    )


def _share(places: list[int]) -> dict[str, float]:
    return {
        "asked": len(places),
        "first": round(sum(place == 0 for place in places) / len(places), 3),
        "within_ten": round(sum(place < DEEP for place in places) / len(places), 3),
    }


def _print(name: str, figures: dict[str, dict[str, float]]) -> None:
    print(f"  {name:32} {'asked':>6} {'first':>7} {'in ten':>7}")
    for kind, one in figures.items():
        print(f"  {kind:32} {one['asked']:>6} {one['first']:>7.1%} {one['within_ten']:>7.1%}"
              f"{goals.verdict(holds(kind, one), f'known items, {name}, {kind}')}")  # fmt: skip


def holds(kind: str, share: dict[str, float]) -> bool:
    """Return whether the shares of a kind of question are at least its floor; a kind without one holds none."""
    first, within_ten = FLOORS.get(kind, (2.0, 2.0))
    return share["first"] >= first and share["within_ten"] >= within_ten
