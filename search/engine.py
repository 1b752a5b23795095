"""The port to a search engine, the same for the embedded driver and for Elasticsearch.

Promises every driver keeps, tested by one suite: the reader's terms are part of the
engine's own query, for hits, counts, facets, suggestions, passages and neighbours
alike; each level lies in an index of its own; a record whose level changes leaves the
old index before it enters the new one; scores are made of constants and never of
statistics, so that a record which may not be seen cannot move one which may.
A driver never reads the database and never decides who may see what.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol, Self

from search.entry import FACETS, Entry, Excerpt, Hit, Order, Reached, Results, Suggestion, Terms
from search.nodes import Query

Filters = Mapping[str, Sequence[str]]  # facet -> accepted values; any of them, in every facet named

DEEPEST: Final = 10_000  # hits beyond are counted, not listed: nobody reads page 500, and each level lists so many
SAMPLE: Final = 2000  # entries from which a driver learns
WARMING: Final = 20  # records whose words a server that has just begun is asked for

# What a hit gains, each once. Sums are the bands of Order.BEST; equal bands are ordered by day, newest first.
BASE: Final = 1
WORDS_RIGHT: Final = 1  # every word stands there as typed, or in another way to write it: none is misread
MARKS_RIGHT: Final = 1  # every word asked for with marks stands there with these marks
TEXT_PHRASE: Final = 4  # the words stand side by side
SUBJECT_ALL: Final = 8  # the subject has every word
SUBJECT_PHRASE: Final = 16  # the subject has them side by side
NUMBER: Final = 32  # it bears the number asked for
TOP_BAND: Final = BASE + WORDS_RIGHT + MARKS_RIGHT + TEXT_PHRASE + SUBJECT_ALL + SUBJECT_PHRASE + NUMBER


class EngineBusy(Exception):  # noqa: N818 - an answer: come back later
    """Another process is writing. Nothing was changed; try again."""


class EngineAway(Exception):  # noqa: N818 - a state of the server
    """The search server does not answer. Nothing else of the office waits for it; the follower catches up later."""


class IndexBroken(Exception):  # noqa: N818 - a state of the index
    """The index does not hold what was written, or a text of it as it was. Rebuild it; until then do not move on."""


class Engine(Protocol):
    """One searchable collection of entries."""

    def upsert(self, entries: Iterable[Entry]) -> None:
        """Put entries in place of their older versions. Visible after `commit`.

        Raises:
            EngineBusy: another process holds the writer.
        """

    def remove(self, ids: Iterable[int]) -> None:
        """Take records out, whatever level they lie in. Unknown ids are no error. Visible after `commit`."""

    def commit(self, *, position: int | None = None) -> None:
        """Make all changes durable and visible, then remember the position in the log they stand for.

        Raises:
            IndexBroken: a changed record is not there exactly once, or a removed one still is.
        """

    def release(self) -> None:
        """Let go of the writer and its memory; uncommitted changes are dropped. Called when there is no work."""

    def position(self) -> int:
        """Return the position of the last commit that named one, 0 for a new index: how far the log has been followed."""

    def reached(self) -> Reached:
        """Return the same with the generation of which it is true: what is asked with terms that name it is asked of it alone.

        Once it is cleared away, by the second rebuild after, nothing is found with such terms.
        """

    def take_up(self) -> int:
        """Take up the generation that is current now for all changes until the next call; return its position.

        Changes are told by what came after a position. Another generation, swapped in meanwhile, has one of its own:
        written there they would leave out what lies between, and nobody would look for it again.
        """

    def claim(self) -> int:
        """Take the right to write what was taken up; return its position, which nobody else can move from now on.

        What is read of the database after this is as new as all that has been written there before.

        Raises:
            EngineBusy: another process holds it, or had it while this one took it to be its own.
        """

    def search(  # noqa: PLR0913 - a page of hits is asked for by name
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
        """Return a page of hits, the exact total and the facets named, all within the reader's terms.

        A facet's own filter does not narrow its own counts, so that another value can be chosen.
        """

    def newest(self, queries: Sequence[Query], terms: Terms, *, limit: int) -> list[tuple[Hit, ...]]:
        """Return the newest hits of each of several questions, asked at once; nothing is counted."""

    def excerpts(self, query: Query, terms: Terms, ids: Sequence[int]) -> dict[int, Excerpt]:
        """Return a passage for each record that the reader may see: ask after the database check.

        Raises:
            IndexBroken: their texts cannot be read as they were written.
        """

    def suggest(self, typed: str, terms: Terms, *, limit: int = 8) -> list[Suggestion]:
        """Return what the reader may be about to type, most frequent among the records they see.

        Of a beginning that very many records have a driver may look at some of the reader's and say so (`is_least`).
        """

    def spellings(self, word: str, terms: Terms, *, limit: int = 3) -> list[Suggestion]:
        """Return other spellings of one typed word that the reader's records hold, most frequent first.

        First the words with other marks and the same bare letters, then words one letter away.
        """

    def pairs(self, first: str, second: str, terms: Terms, *, limit: int = 4) -> list[Suggestion]:
        """Return how subjects of the reader's records write two words, given without marks, side by side; most frequent first."""

    def similar(self, record_id: int, terms: Terms, *, limit: int = 5) -> list[Hit]:
        """Return neighbours of a record, both within the reader's terms; none if the record is not.

        Raises:
            IndexBroken: its text cannot be read as it was written.
        """

    def count(self, terms: Terms) -> int:
        """Return how many records the reader may see."""

    def stamps(self) -> Iterator[Hit]:
        """Yield (id, version, level) of everything held, in the order of ids: for the drift check only."""

    def is_damaged(self) -> bool:
        """Return whether texts cannot be read as they were written: found out by a few of them, at any time, beside a writer."""

    def warm(self, sample: Iterable[Entry]) -> bool:
        """Have a server that has just begun work for a moment, so that its first readers do not wait; return whether it has enough.

        Asked again and again by who keeps the index behind the log, while there is nothing else to do; every answer is dropped.

        Raises:
            EngineAway: the search server does not answer.
        """

    def reload(self) -> None:
        """See what other processes have committed. Searching does so by itself."""

    def open_new_generation(self, sample: Iterable[Entry] = ()) -> Self:
        """Return an empty engine beside this one, to be filled and then swapped in.

        From a sample of what it is to hold a driver may learn how to keep that in little room.

        Raises:
            EngineBusy: another process is filling one.
        """

    def swap(self, new: Self) -> None:
        """Make a filled generation the current one for every process; the old one is kept until the next."""
