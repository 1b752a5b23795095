"""The invented corpus as entries, and the questions that are asked of it.

The corpus folder holds `vicorpus.py` (a module with `doc(i) -> dict`) and `queries.py`
(a deterministic workload of eight kinds with readers). Both are read, never written.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from search.entry import Entry, Filed, Order, Terms

QUERIES: Final = 100  # of a kind
PERSON: Final = 1_000_000
URGENCIES: Final = ("thuong", "khan", "thuong-khan", "hoa-toc")
GRANTED: Final = 20  # records opened to a reader by dated grants: 17 to 21 were measured
KINDS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "term": lambda asked: str(asked["t"][0]),
    "and3": lambda asked: " ".join(asked["t"]),
    "phrase": lambda asked: f'"{" ".join(asked["t"])}"',
    "prefix": lambda asked: f"{asked['t'][0]}*",
    "fuzzy": lambda asked: f"{asked['t'][0]}~",
    "folded": lambda asked: " ".join(asked["t"]),
    "number": lambda asked: str(asked["raw"]),
    "filter_only": lambda _asked: "",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of one reader."""

    text: str
    terms: Terms
    order: Order


@dataclass(frozen=True)
class Corpus:
    """The generator of dispatches and of questions."""

    doc: Callable[[int], dict[str, Any]]
    made: Callable[..., dict[str, list[dict[str, Any]]]]

    @classmethod
    def of(cls, folder: Path) -> "Corpus":
        """Load it. Raises OSError when it is not there."""
        if not (folder / "vicorpus.py").is_file():
            raise OSError(f"{folder}: no vicorpus.py. Give the folder of the corpus with --search-corpus.")
        sys.path.insert(0, str(folder))
        try:
            return cls(importlib.import_module("vicorpus").doc, importlib.import_module("queries").queries)
        finally:
            sys.path.remove(str(folder))

    def entry(self, place: int, **changes: Any) -> Entry:
        """Return the dispatch at a place as the engine keeps it."""
        return entry_of(self.doc(place), **changes)

    def questions(self, records: int) -> dict[str, list[Asked]]:
        """Return kind -> questions, each with a reader of its own."""
        made = self.made(QUERIES, ndocs=records)
        return {kind: [_asked(kind, one, at, records) for at, one in enumerate(made[kind])] for kind in KINDS}


def _asked(kind: str, one: dict[str, Any], at: int, records: int) -> Asked:
    reach = (*one["units"], PERSON + 1 + at)
    granted = tuple(1 + (at * 7919 + step * 104_729) % records for step in range(GRANTED))
    order = Order.NEWEST if kind == "filter_only" else Order.BEST
    return Asked(KINDS[kind](one), Terms(one["level"], (1,), reach, granted, units=tuple(one["units"])), order)


def entry_of(made: dict[str, Any], **changes: Any) -> Entry:
    """Return one dispatch of the corpus as an entry of two pages."""
    body = made["body"]
    middle = body.find("\n", len(body) // 2) + 1 or len(body)
    day = date.fromisoformat(made["date"])
    dossier = f"{made['units'][0]}.{made['id'] % 400:03d}"  # of one unit, as in an office
    facts: dict[str, Any] = {
        "id": made["id"],
        "version": 1,
        "level": made["level"],
        "marking": 1,
        "reach": tuple(made["units"]),
        "number": made["number"],
        "register_number": str(made["id"] % 5000),
        "register_is": 1 if made["direction"] == "den" else 2,
        "subject": made["title"],
        "type_name": made["type_name"],
        "organ_name": made["agency"],
        "unit": f"Phòng {made['units'][0]}",
        "unit_is": made["units"][0],
        "year": day.year,
        "issued_on": day,
        "arrived_on": day,
        "urgency": URGENCIES.index(made["urgency"]),
        "signer": made["signer"],
        "pages": (body[:middle], body[middle:]),
        "direction": "incoming" if made["direction"] == "den" else "outgoing",
        "filed": (Filed(made["units"][0], dossier, dossier, made["retention"], made["retention"]),),
    }
    return Entry(**(facts | changes))
