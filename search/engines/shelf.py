"""One level's index on disk: its reader, and its writer while there is something to write.

Reads are always fresh: before each search the index's own list of segments is looked
at, and reread only if another process has committed. The writer's memory (HEAP_BYTES,
one thread) exists between the first change and `close`. Not for use by several
writers: the generation's lock comes first (`search.engines.generations`).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import tantivy
from tantivy import Query

from search.engine import EngineBusy
from search.engines import schema
from search.engines.keeping import Keeping
from search.entry import Entry

_READ: Final = 20  # texts of one look; one without words is read with any list
HEAP_BYTES: Final = 128_000_000  # per level in use; filled only by what is written between two commits
_Stamp = tuple[int, int]


@dataclass(frozen=True)
class Look:
    """What was committed when one looked, and what has been read of its dictionary so far: term's field and key -> values."""

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    values: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def has_shared(self) -> bool:
        """Whether any record lies in dossiers of several units: as a rule none does, and a page need not ask which."""
        return count_of(self.searcher, schema.of_several(self.schema)) > 0


def numbers(searcher: tantivy.Searcher, name: str, addresses: Sequence[tantivy.DocAddress]) -> list[int]:
    """Return a whole-number field of these documents, 0 where it is not set."""
    return [int(number or 0) for number in searcher.fast_field_values(name, list(addresses))]


def count_of(searcher: tantivy.Searcher, query: Query) -> int:
    """Return how many documents match."""
    found: Any = searcher.search(query, 1)
    return int(found.count)


class Shelf:
    """The index of one level in one generation."""

    def __init__(self, folder: Path, level: int) -> None:
        """Open the index, made empty if it is not there yet."""
        folder.mkdir(exist_ok=True, mode=0o700)
        self.level = level
        self.keeping = Keeping(folder)
        self._folder = folder
        self.schema = schema.build()
        self._segments = folder / "meta.json"
        self._index = tantivy.Index(self.schema, path=str(folder))
        self._index.config_reader("manual")
        self._writer: tantivy.IndexWriter | None = None
        self._lock = threading.Lock()
        self._seen: _Stamp | None = None
        self._look = Look(self._index.searcher(), self.schema)

    def searcher(self) -> tantivy.Searcher:
        """Return a view of everything committed so far, by any process."""
        return self.look().searcher

    def look(self) -> Look:
        """Return the same with what has been read of it."""
        stamp = self._stamp()
        if stamp != self._seen:
            with self._lock:
                self._index.reload()
                self._look = Look(self._index.searcher(), self.schema)
                self._seen = stamp
        return self._look

    @property
    def is_writing(self) -> bool:
        """Whether the writer is open."""
        return self._writer is not None

    def add(self, entry: Entry) -> None:
        """Add an entry; its older version has been deleted before."""
        self._open_writer().add_document(schema.document(entry, self.keeping))

    def delete(self, ids: Sequence[int]) -> None:
        """Delete records, uncommitted ones included. By query: by term nothing would be deleted (0.27.0)."""
        self._open_writer().delete_documents_by_query(Query.term_set_query(self.schema, "id", list(ids)))

    def commit(self) -> None:
        """Make changes durable."""
        if self._writer:
            self._writer.commit()

    def close(self) -> None:
        """Drop what is not committed, wait for merges, and let go of the writer's memory."""
        writer, self._writer = self._writer, None  # one that fails here is never asked again: it would panic
        if writer:
            writer.rollback()
            writer.wait_merging_threads()

    def holding(self, ids: Sequence[int]) -> int:
        """Return how many committed documents bear these ids."""
        return count_of(self.searcher(), Query.term_set_query(self.schema, "id", list(ids)))

    def is_readable(self) -> bool:
        """Return whether texts can be read with what lies on the disk now, whatever was read when the index was opened."""
        searcher = self.searcher()
        found = searcher.search(Query.all_query(), _READ, count=False).hits
        stored: list[Any] = [searcher.doc(address).get_first("text") for _, address in found]
        return Keeping(self._folder).is_sound(stored)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(HEAP_BYTES, 1)
            except ValueError as error:  # LockBusy
                raise EngineBusy from error
        return self._writer

    def _stamp(self) -> _Stamp:
        status = self._segments.stat()
        return status.st_mtime_ns, status.st_ino
