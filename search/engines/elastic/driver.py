"""The driver over an Elasticsearch server: one index per level behind an alias, one request for a page.

Searching names the aliases of the levels up to the reader's, and no other. Changes wait
in this process until `commit` and are then seen by every process at its next search.
Never imported by anything but the wiring: others know `search.engine`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Self

from elasticsearch import dsl

from search import marking
from search.engine import DEEPEST, Filters
from search.engines import suggesting
from search.engines.elastic import listing, looking, neighbours, warming
from search.engines.elastic.compiling import Compiler
from search.engines.elastic.generations import Generation, Generations
from search.engines.elastic.looking import Look
from search.engines.elastic.mapping import BODY
from search.engines.elastic.server import Server
from search.engines.elastic.writing import Writer
from search.entry import FACETS, Entry, Excerpt, Hit, Order, Reached, Results, Suggestion, Terms
from search.nodes import Query
from search.spelling import offered

_SCANNED: Final = 5_000  # stamps of one look


class Elastic:
    """The engine over the generations under one prefix of one server."""

    def __init__(self, server: Server, prefix: str, *, shards: int = 1, generation: Generation | None = None) -> None:
        """Use the current generation, or one that is being built aside; a new one gets so many shards a level. Nothing is called yet."""
        self._server = server
        self._generations = Generations(server, prefix, shards=shards)
        self._pinned = generation
        self._writer: Writer | None = None

    # --- writing ----------------------------------------------------------------------
    def upsert(self, entries: Iterable[Entry]) -> None:
        """Put entries in place of their older versions."""
        self._for_writing().upsert(entries)

    def remove(self, ids: Iterable[int]) -> None:
        """Take records out."""
        self._for_writing().remove(ids)

    def commit(self, *, position: int | None = None) -> None:
        """Make changes durable and visible, and remember the position."""
        if self._writer or position is not None:
            self._for_writing().commit(position)

    def release(self) -> None:
        """Drop uncommitted changes and give the right to write back."""
        if self._writer:
            writer, self._writer = self._writer, None
            writer.release()

    def position(self) -> int:
        """Return where to follow the log from."""
        generation = self._pinned or self._generations.current()
        return generation.position() if generation else 0

    def reached(self) -> Reached:
        """Return the same with the generation."""
        generation = self._pinned or self._generations.current()
        return Reached(generation.stamp, generation.position()) if generation else Reached()

    def take_up(self) -> int:
        """Take up the current generation for what is written next."""
        generation = self._pinned or self._generations.current()
        if generation is None:
            self.release()
            return 0
        self._write_to(generation)
        return generation.position()

    def claim(self) -> int:
        """Take the right to write what was taken up; return its position."""
        return self._for_writing().claim()

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
        look = self._look(terms)
        if look is None:
            return Results()
        chosen = {name: values for name, values in (filters or {}).items() if values}
        start = min(max(offset, 0), DEEPEST)
        page = slice(start, min(start + max(limit, 0), DEEPEST))
        if order is Order.BEST and (hits := self._first_of_all(look, query, chosen, page)):
            counted = listing.results(
                look.search(listing.request(look.compiler, query, chosen, None, facets)), facets, chosen, terms.units
            )
            # Some may have gone between the two requests: never fewer than are listed.
            return replace(counted, hits=hits, total=max(counted.total, page.stop))
        asked = listing.request(look.compiler, query, chosen, order, facets)[page]
        return listing.results(look.search(asked), facets, chosen, terms.units)

    def newest(self, queries: Sequence[Query], terms: Terms, *, limit: int) -> list[tuple[Hit, ...]]:
        """Return the newest hits of each of several questions."""
        look = self._look(terms)
        if look is None or not queries:
            return [()] * len(queries)
        asked = [listing.newest(look.compiler, query)[:limit] for query in queries]
        return [listing.hits(one) for one in look.search_each(asked)]

    def excerpts(self, query: Query, terms: Terms, ids: Sequence[int]) -> dict[int, Excerpt]:
        """Return a passage for each record the reader may see."""
        looked_for = marking.patterns(query)
        return {record: marking.excerpt(looked_for, body) for record, body in self._bodies(terms, ids)}

    def suggest(self, typed: str, terms: Terms, *, limit: int = 8) -> list[Suggestion]:
        """Return what the reader may be about to type."""
        look = self._look(terms)
        return suggesting.suggest(look.hints, typed, limit) if look else []

    def spellings(self, word: str, terms: Terms, *, limit: int = 3) -> list[Suggestion]:
        """Return other spellings of a word that the reader's records hold."""
        look = self._look(terms)
        return offered(word, partial(looking.holding, look), limit) if look else []

    def pairs(self, first: str, second: str, terms: Terms, *, limit: int = 4) -> list[Suggestion]:
        """Return how subjects write two words side by side."""
        look = self._look(terms)
        return suggesting.pairs(look.hints, (first, second), limit) if look else []

    def similar(self, record_id: int, terms: Terms, *, limit: int = 5) -> list[Hit]:
        """Return neighbours of a record."""
        look = self._look(terms)
        body = dict(self._bodies(terms, [record_id])).get(record_id)
        return [] if look is None or body is None else neighbours.similar(look, record_id, body, limit)

    def count(self, terms: Terms) -> int:
        """Return how many records the reader may see."""
        look = self._look(terms)
        return looking.counted(look, {})[0] if look else 0

    def stamps(self) -> Iterator[Hit]:
        """Yield everything held, in the order of ids; only for the drift check, which acts for nobody."""
        indices = self._pinned.levels() if self._pinned else self._generations.aliases()
        asked = listing.stamps_only(dsl.query.MatchAll()).sort("id", "level").extra(size=_SCANNED)
        after: list[Any] | None = None
        while True:
            body = asked.to_dict() | ({"search_after": after} if after else {})
            found = self._server.search(indices, body)["hits"]["hits"]
            yield from map(listing.hit, found)
            if len(found) < _SCANNED:
                return
            after = found[-1]["sort"]

    def is_damaged(self) -> bool:
        """Return False: the server checks what it keeps by itself, and says so where it cannot answer."""
        return False

    def warm(self, sample: Iterable[Entry]) -> bool:
        """Ask for a moment what nobody asked, words of these records; return whether the server has been asked enough since it began."""
        asked = self._server.asked(self._generations.aliases(0))
        records = () if asked is None or asked >= warming.ENOUGH else tuple(sample)
        for query, terms, order in warming.questions(records, asked or 0):
            hits = self.search(query, terms, order=order).hits
            self.excerpts(query, terms, [hit.id for hit in hits])
        return not records

    def reload(self) -> None:
        """Do nothing: what is committed is seen by every search."""

    # --- generations ------------------------------------------------------------------
    def open_new_generation(self, sample: Iterable[Entry] = ()) -> Self:  # noqa: ARG002 - the server learns by itself
        """Return an empty engine aside."""
        return type(self)(self._server, self._generations.prefix, generation=self._generations.begin())

    def swap(self, new: Self) -> None:
        """Make a filled generation current; the right to write it is given back after, so that none clears it away."""
        if new._pinned is None:
            raise ValueError("not a generation that was built aside")
        self.release()
        self._generations.point(new._pinned)
        new.release()
        new._pinned.let_go()  # taken when it was begun, and still held if nothing was written
        new._pinned = None

    # --- small steps ------------------------------------------------------------------
    @staticmethod
    def _first_of_all(look: Look, query: Query, filters: Filters, page: slice) -> tuple[Hit, ...]:
        """Return a page of the best order if it is filled by hits that stand before all others: the rest is then in no order."""
        asked = listing.first_of_all(look.compiler, query, filters)
        hits = listing.hits(look.search(asked[page])) if asked and page.start < page.stop else ()
        return hits if len(hits) == page.stop - page.start else ()

    def _look(self, terms: Terms) -> Look | None:
        """Return the reader's look at the levels up to theirs, of the index they were read for; none above is named.

        None: they see nothing.
        """
        if terms.is_empty:
            return None
        stamp = terms.index.generation
        generation = self._generations.named(stamp) if stamp else self._pinned
        pinned = generation.levels()[: terms.level + 1] if generation else None
        return Look(self._server, pinned or self._generations.aliases(terms.level), Compiler(terms))

    def _for_writing(self) -> Writer:
        """Return the writer of the generation that was taken up, else of the current one, begun if there is none."""
        return self._writer or self._write_to(self._pinned or self._generations.first())

    def _write_to(self, generation: Generation) -> Writer:
        if self._writer is None or self._writer.generation.stamp != generation.stamp:
            self.release()
            self._writer = Writer(self._server, generation)
        return self._writer

    def _bodies(self, terms: Terms, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
        look = self._look(terms)
        if look is None or not ids:
            return
        asked = dsl.Search().query(look.compiler.only(ids)).extra(size=min(len(ids), DEEPEST))
        for one in look.search(asked)["hits"]["hits"]:
            yield int(one["_id"]), one["_source"].get(BODY, "")
