"""The embedded driver: tantivy in a folder, no service, one index per level.

Searching needs no lock and sees what any process has committed. Writing takes the
generation's lock at the first change and keeps it until `release`; the writer's memory
is gone with it. Never imported by anything but the wiring: others know `search.engine`.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from search import marking
from search.engine import DEEPEST, Filters
from search.engines import faceting, listing, neighbours, schema, spelling, suggesting
from search.engines.compiling import Compiler
from search.engines.faceting import Asked
from search.engines.generations import Generations, WriterLock
from search.engines.holding import Holding
from search.engines.listing import Listed, View
from search.engines.shelf import numbers
from search.entry import FACETS, Entry, Excerpt, Hit, Order, Reached, Results, Suggestion, Terms
from search.nodes import Query
from search.spelling import offered


class Embedded:
    """The engine over the generations in one root folder."""

    def __init__(self, root: Path, *, generation: str | None = None, building: WriterLock | None = None) -> None:
        """Open the current generation, or a named one that is being built aside, with the right to build under the root."""
        self._generations = Generations(root)
        self._pinned = generation
        self._reading: dict[str, Holding] = {}
        self._writing: Holding | None = None
        self._building = building
        self._schema = schema.build()

    # --- writing ----------------------------------------------------------------------
    def upsert(self, entries: Iterable[Entry]) -> None:
        """Put entries in place of their older versions."""
        self._for_writing().upsert(entries)

    def remove(self, ids: Iterable[int]) -> None:
        """Take records out."""
        self._for_writing().remove(ids)

    def commit(self, *, position: int | None = None) -> None:
        """Make changes durable and visible, and remember the position."""
        if self._writing or position is not None:
            self._for_writing().commit(position)

    def release(self) -> None:
        """Let go of the writer, its memory and the locks."""
        self._stop_writing()
        if self._building:
            self._building.release()
            self._building = None

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing.release()
            self._writing = None

    def position(self) -> int:
        """Return where to follow the log from."""
        holding = self._for_reading()
        return holding.position() if holding else 0

    def reached(self) -> Reached:
        """Return the same with the generation."""
        holding = self._for_reading()
        return Reached(holding.name, holding.position()) if holding else Reached()

    def take_up(self) -> int:
        """Take up the current generation for what is written next."""
        name = self._pinned or self._generations.current()
        if name is None:
            self._stop_writing()
            return 0
        return self._write_to(name).position()

    def claim(self) -> int:
        """Take the right to write what was taken up; return its position."""
        return self._for_writing().claim()

    def learn(self, sample: Iterable[Entry]) -> None:
        """Learn from entries how to keep their texts in little room, before the first is put in."""
        self._for_writing().learn(sample)

    # --- searching --------------------------------------------------------------------
    def search(  # noqa: PLR0913 - as the port
        self,
        query: Query,
        terms: Terms,
        *,
        filters: Filters | None = None,
        order: Order = Order.NEWEST,
        offset: int = 0,
        limit: int = 20,
        facets: Sequence[str] = FACETS,
    ) -> Results:
        """Return a page of hits, the total and the facets."""
        compiler = Compiler(self._schema, terms)
        views = self._views(terms)
        chosen = {name: values for name, values in (filters or {}).items() if values}
        wanted = min(max(offset, 0) + max(limit, 0), DEEPEST)
        asked = Asked(compiler, query.root, chosen)
        parts = self._listed(asked, views, order, wanted)
        found = [one for part, _ in parts for one in part]
        hits = listing.page(found, max(offset, 0), min(limit, wanted - max(offset, 0)))
        counts = [count for _, count in parts]
        return Results(hits, sum(counts), faceting.facets(asked, views, facets, counts))

    def newest(self, queries: Sequence[Query], terms: Terms, *, limit: int) -> list[tuple[Hit, ...]]:
        """Return the newest hits of each of several questions."""
        return [self.search(query, terms, limit=limit, facets=()).hits for query in queries]

    def excerpts(self, query: Query, terms: Terms, ids: Sequence[int]) -> dict[int, Excerpt]:
        """Return a passage for each record the reader may see."""
        if not ids:
            return {}
        compiler = Compiler(self._schema, terms)
        bodies = (body for view in self._views(terms) for body in self._bodies(view, compiler, ids))
        looked_for = marking.patterns(query)
        return {record: marking.excerpt(looked_for, body) for record, body in bodies}

    def suggest(self, typed: str, terms: Terms, *, limit: int = 8) -> list[Suggestion]:
        """Return what the reader may be about to type."""
        return suggesting.suggest(self._hints(terms), typed, limit)

    def spellings(self, word: str, terms: Terms, *, limit: int = 3) -> list[Suggestion]:
        """Return other spellings of a word that the reader's records hold."""
        compiler = Compiler(self._schema, terms)
        views = self._views(terms)
        return offered(word, partial(spelling.counts, compiler, views), limit) if views else []

    def pairs(self, first: str, second: str, terms: Terms, *, limit: int = 4) -> list[Suggestion]:
        """Return how subjects write two words side by side."""
        return suggesting.pairs(self._hints(terms), (first, second), limit)

    def _hints(self, terms: Terms) -> suggesting.Lists:
        allowed = Compiler(self._schema, terms).matching(None)
        return suggesting.walked([view.searcher for view in self._views(terms)], allowed)

    def similar(self, record_id: int, terms: Terms, *, limit: int = 5) -> list[Hit]:
        """Return neighbours of a record."""
        compiler = Compiler(self._schema, terms)
        views = self._views(terms)
        source = next((body for view in views for _, body in self._bodies(view, compiler, [record_id])), None)
        return [] if source is None else neighbours.similar(views, compiler, record_id, source, limit)

    def count(self, terms: Terms) -> int:
        """Return how many records the reader may see."""
        allowed = Compiler(self._schema, terms).matching(None)
        return sum(view.count(allowed) for view in self._views(terms))

    def stamps(self) -> Iterator[Hit]:
        """Yield everything held, in the order of ids; only for the drift check, which acts for nobody."""
        holding = self._for_reading()
        views = [View.of(shelf) for shelf in holding.shelves()] if holding else []
        yield from heapq.merge(*(listing.everything(view, self._schema) for view in views), key=lambda one: one.id)

    def is_damaged(self) -> bool:
        """Return whether texts of a level, or what they lean on, are not as they were written."""
        holding = self._for_reading()
        return any(not shelf.is_readable() for shelf in holding.shelves()) if holding else False

    def warm(self, sample: Iterable[Entry]) -> bool:  # noqa: ARG002 - there is nothing that begins slowly
        """Return True."""
        return True

    def reload(self) -> None:
        """Do nothing: every search looks first."""

    # --- generations ------------------------------------------------------------------
    def open_new_generation(self, sample: Iterable[Entry] = ()) -> Self:
        """Return an empty engine aside that has learned how to keep texts."""
        building = WriterLock(self._generations.root)  # two workers may find the same fault
        try:
            generation = self._generations.begin()
        except BaseException:
            building.release()
            raise
        new = type(self)(self._generations.root, generation=generation, building=building)
        try:
            new.learn(sample)
        except BaseException:  # who asked has nothing to release
            new.release()
            raise
        return new

    def swap(self, new: Self) -> None:
        """Make a filled generation current; its writer is closed first."""
        new._stop_writing()
        self.release()
        self._generations.point(str(new._pinned))
        new._pinned = None
        new.release()

    # --- small steps ------------------------------------------------------------------
    def _for_reading(self) -> Holding | None:
        """Return the current generation; another one if the pointer has moved."""
        name = self._pinned or self._generations.current()
        if name is None:
            return None
        return self._named(name)

    def _named(self, name: str) -> Holding:
        """Return a generation; the one before the last stays open for those who began with it."""
        writing = self._writing
        if writing and writing.name == name:
            return writing
        holding = self._reading.get(name)
        if holding is None:
            holding = Holding(self._generations.folder(name))
            self._reading = dict([*self._reading.items(), (name, holding)][-2:])
        return holding

    def _for_writing(self) -> Holding:
        """Return the generation that was taken up, else the current one, begun if there is none."""
        if self._writing:
            return self._writing
        name = self._pinned or self._generations.current()
        if name is None:
            name = self._generations.begin()
            self._generations.point(name)
        return self._write_to(name)

    def _write_to(self, name: str) -> Holding:
        if self._writing is None or self._writing.name != name:
            self._stop_writing()
            self._writing = Holding(self._generations.folder(name))
        return self._writing

    def _views(self, terms: Terms) -> list[View]:
        """Look at the shelves up to the reader's level; none above is touched."""
        holding = None if terms.is_empty else self._asked(terms)
        return [View.of(shelf) for shelf in holding.shelves(terms.level)] if holding else []

    def _asked(self, terms: Terms) -> Holding | None:
        """Return the generation that terms were read for, as long as it is there."""
        name = terms.index.generation
        if not name:
            return self._for_reading()
        return self._named(name) if self._generations.folder(name).is_dir() else None

    @staticmethod
    def _bodies(view: View, compiler: Compiler, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
        result = view.searcher.search(compiler.only(ids), len(ids), count=False)
        addresses = [address for _, address in result.hits]
        for record, address in zip(numbers(view.searcher, "id", addresses), addresses, strict=True):
            stored: Any = view.searcher.doc(address).get_first("text")
            yield record, view.keeping.read(stored)

    @staticmethod
    def _listed(asked: Asked, views: Sequence[View], order: Order, wanted: int) -> list[tuple[list[Listed], int]]:
        """Return the first hits of each view in an order, and how many it has."""
        if order is Order.BEST:
            ranked = asked.ranked()
            return [listing.best(view, ranked, wanted) for view in views]
        matching = asked.matching()
        field = "book" if order is Order.NUMBER else "newest"
        return [listing.by_field(view, matching, wanted, field) for view in views]
