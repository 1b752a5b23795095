"""What goes into an engine and what comes out: plain frozen values, the same for every driver.

`Entry` is the current state of one record, built from the archive by the follower.
`Terms` is what one reader may see now, made by `archive.access` for one request and
never kept. A score never comes out: only an order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from search.text import vi_clean

PAGE_BREAK: Final = "\f"
FACETS: Final = (
    "type", "organ", "unit", "year", "month", "level", "urgency", "register", "dossier", "retention",
)  # fmt: skip
OF_DOSSIER: Final = ("dossier", "retention")  # fields that speak of the dossier, not of the record that lies in it
NO_NUMBER: Final = 2**20 - 1  # of an entry without a register number, and all beyond: last in its year
LAST_YEAR: Final = 2**12 - 1  # a book key has 32 bits, so that an engine may set an id beside it


class Order(StrEnum):
    """How hits are ordered: by day; by how well they match, then by day; as in the books (`Entry.book_key`)."""

    NEWEST = "newest"
    BEST = "best"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Filed:
    """One dossier in which a record lies: the dossier's unit, its key, its words, and how long it is kept.

    Only who has `unit` in scope may know that the record lies there; `period` is a slug
    (`search.periods`), `retention` the words of it.
    """

    unit: int
    key: str
    name: str = ""
    period: str = ""
    retention: str = ""

    def value(self, facet: str) -> str:
        """What it is counted under in a facet of OF_DOSSIER."""
        return self.key if facet == "dossier" else self.period

    def words(self, field: str) -> str:
        """What it is found by in a field of OF_DOSSIER."""
        return self.name if field == "dossier" else self.retention


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as the engine keeps it.

    `version` rises with every change; an older version never replaces a newer one.
    `reach` holds the principals with a standing reason to know, without dated grants.
    `pages` is the text of each page; `files` the names of the files beside the main one;
    `organ_name` issued it, `unit` keeps it. Names that several may bear, and that may change, are counted by what
    each has alone: the numbers `unit_is` and `register_is` (0: none), the keys of `filed`, the dossiers that may be told of.
    """

    id: int
    version: int
    level: int
    marking: int
    reach: tuple[int, ...]
    number: str
    register_number: str
    subject: str
    type_name: str
    organ_name: str
    unit: str
    year: int
    issued_on: date | None
    arrived_on: date | None
    urgency: int
    signer: str
    pages: tuple[str, ...]
    direction: str = ""
    unit_is: int = 0
    register_is: int = 0
    files: tuple[str, ...] = ()
    filed: tuple[Filed, ...] = ()

    @property
    def book_key(self) -> int:
        """The key of Order.NUMBER, highest first: the newest year, in it the lowest register number."""
        number = int(self.register_number) if self.register_number.isdecimal() else NO_NUMBER
        return min(max(self.year, 0), LAST_YEAR) * (NO_NUMBER + 1) + NO_NUMBER - min(number, NO_NUMBER)

    @property
    def named(self) -> dict[str, str]:
        """What the names of a query are looked for in, by field: words. Those of dossiers: `search.engines.filings`."""
        return {
            "organ": self.organ_name,
            "signer": self.signer,
            "type": self.type_name,
            "unit": self.unit,
        }

    @property
    def values(self) -> dict[str, str]:
        """What it is counted under, by facet: whole clean values, a number for a unit and a register; only those that it has.

        What is counted of its dossiers is written by `search.engines.filings`.
        """
        values = {
            "type": vi_clean(self.type_name),
            "organ": vi_clean(self.organ_name),
            "unit": str(self.unit_is or ""),
            "register": str(self.register_is or ""),
        }
        return {name: value for name, value in values.items() if value}

    @property
    def month(self) -> str:
        """The month it is counted in, as 2024-03; empty without a day."""
        return f"{self.day:%Y-%m}" if self.day else ""

    @property
    def day(self) -> date | None:
        """The day it is ordered and found by: of issue, or of arrival."""
        return self.issued_on or self.arrived_on

    @property
    def body(self) -> str:
        """The pages in one clean text, a form feed between two."""
        return vi_clean(self.raw_body)

    @property
    def raw_body(self) -> str:
        """The same as the pages were read: for who sees by other means that it is clean."""
        return PAGE_BREAK.join([page.replace(PAGE_BREAK, "\n") for page in self.pages])


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a generation of the index has followed the log; without a name there is none yet."""

    generation: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What one reader may see: level, markings opened, principals, records by dated grant, units whose dossiers they know.

    `but` are records that the index still opens and the database closes: it is behind, or wrong. They were read for the
    generation in `index`: another, swapped in since, may be further behind, and is not asked with them.
    Closed by default: without a marking, or without a principal and a grant, nothing is seen.
    """

    level: int
    markings: tuple[int, ...]
    reach: tuple[int, ...]
    ids: tuple[int, ...] = ()
    but: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    index: Reached = Reached()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all can be seen."""
        return self.level < 0 or not self.markings or not (self.reach or self.ids)


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found: to be checked against the database before anything of it is shown."""

    id: int
    version: int
    level: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One value of a facet and how many of the reader's hits have it.

    Levels, urgencies and periods are slugs; units, registers and dossiers stand under what they
    have alone. `label` is the value in words, which `search.labels` writes.
    """

    value: str
    count: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits; `total` and `facets` count only what the reader may see."""

    hits: tuple[Hit, ...] = ()
    total: int = 0
    facets: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage of one hit: plain text, the spans to mark in it, its page, and every hit page with its count.

    Page numbers start at 1; `page` is 0 and `pages` empty when the hit is not in the text.
    """

    text: str
    spans: tuple[tuple[int, int], ...] = ()
    page: int = 0
    pages: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A whole query text that would find `count` records the reader may see, or more, if `is_least`."""

    text: str
    count: int
    is_least: bool = False
