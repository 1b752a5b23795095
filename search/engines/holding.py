"""One generation on disk: a shelf for each level, and the one right to write them.

Keeps the order that matters for secrecy: a record that changes its level is deleted
from the old shelf, and that is committed, before it is added to the new one. It may be
missing for a moment; it is never found too low. After each commit every changed record
is counted: once if it was put, never if it was removed.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tantivy import Query

from archive.rules.levels import Level
from search.engine import IndexBroken
from search.engines.generations import WriterLock, write_durably
from search.engines.keeping import READ, files, learned
from search.engines.shelf import Shelf, numbers
from search.entry import Entry
from search.packing import pack

_Place = tuple[int, int]  # level, version
_BATCH: Final = 2000


class Holding:
    """The shelves of one generation."""

    def __init__(self, folder: Path) -> None:
        """Look at a generation; nothing is made or locked until something is written."""
        self.folder = folder
        self._shelves: dict[int, Shelf] = {}
        self._pending: dict[int, _Place | None] = {}
        self._right: WriterLock | None = None
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The generation's name."""
        return self.folder.name

    def shelves(self, up_to: int = max(Level)) -> list[Shelf]:
        """Return the shelves that exist, of levels up to a rank; no other is opened or looked at."""
        found = (self._shelf(level) for level in Level if level <= up_to)
        return [shelf for shelf in found if shelf]

    def position(self) -> int:
        """Return the position of the last commit that named one."""
        try:
            return int((self.folder / "position").read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    # --- writing ----------------------------------------------------------------------
    def claim(self) -> int:
        """Take the right to write; return the position."""
        with self._lock:
            self._take_right()
            return self.position()

    def learn(self, sample: Iterable[Entry]) -> None:
        """Have the shelves that are not there yet learn from entries of their levels how to keep texts.

        The right to write is taken first: a sample takes a while, and what nobody holds is cleared away.
        """
        with self._lock:
            self._take_right()
        texts: dict[int, list[bytes]] = {}
        for entry in sample:
            packed = pack(entry.raw_body)
            if packed:
                texts.setdefault(entry.level, []).append(packed[:READ])
        with self._lock:
            for level, of_level in texts.items():
                common = learned(of_level) if self._shelf(level) is None else b""
                if common:
                    self._folder(level).mkdir(exist_ok=True, mode=0o700)
                    for name, content in files(common).items():
                        write_durably(self._folder(level) / name, content)

    def upsert(self, entries: Iterable[Entry]) -> None:
        """Put entries in place; one older than what is held is passed over."""
        latest: dict[int, Entry] = {}
        for entry in entries:
            if entry.id not in latest or entry.version >= latest[entry.id].version:
                latest[entry.id] = entry
        with self._lock:
            self._take_right()
            held = self._places(list(latest))
            fresh = [entry for entry in latest.values() if entry.version >= held.get(entry.id, (0, 0))[1]]
            self._delete({entry.id: held[entry.id][0] for entry in fresh if entry.id in held}, moving=fresh)
            for entry in fresh:
                self._pending[entry.id] = (entry.level, entry.version)
                self._made(entry.level).add(entry)

    def remove(self, ids: Iterable[int]) -> None:
        """Take records out of every shelf that has them."""
        wanted = list(dict.fromkeys(ids))
        with self._lock:
            self._take_right()
            self._delete({record: level for record, (level, _) in self._places(wanted).items()})
            self._pending.update(dict.fromkeys(wanted))

    def commit(self, position: int | None) -> None:
        """Make changes durable, count them, then write the position."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.commit()
            self._prove()
            self._pending.clear()
            if position is not None:
                self.folder.mkdir(exist_ok=True, mode=0o700)
                write_durably(self.folder / "position", str(position).encode())

    def release(self) -> None:
        """Let go of writers, their memory and the lock."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.close()
            self._pending.clear()
            if self._right:
                self._right.release()
                self._right = None

    def _take_right(self) -> None:
        if self._right is None:
            self._right = WriterLock(self.folder)

    def _delete(self, where: Mapping[int, int], moving: Sequence[Entry] = ()) -> None:
        """Delete records from the shelves that hold them; shelves that lose one to another level commit now."""
        goes_to = {entry.id: entry.level for entry in moving}
        for level in sorted(set(where.values())):
            shelf = self._made(level)
            shelf.delete([record for record, held in where.items() if held == level])
            if any(held == level and goes_to.get(record, level) != level for record, held in where.items()):
                shelf.commit()

    def _places(self, ids: Sequence[int]) -> dict[int, _Place]:
        """Return where each record lies and in which version, uncommitted changes included."""
        places: dict[int, _Place] = {}
        for shelf in self.shelves():
            for start in range(0, len(ids), _BATCH):
                places.update(self._in_shelf(shelf, ids[start : start + _BATCH]))
        for record in ids:
            if record in self._pending:
                place = self._pending[record]
                places.pop(record, None)
                if place:
                    places[record] = place
        return places

    @staticmethod
    def _in_shelf(shelf: Shelf, ids: Sequence[int]) -> Iterable[tuple[int, _Place]]:
        searcher = shelf.searcher()
        query = Query.term_set_query(shelf.schema, "id", list(ids))
        addresses = [address for _, address in searcher.search(query, len(ids), count=False).hits]
        versions = numbers(searcher, "version", addresses)
        held = numbers(searcher, "id", addresses)
        return [(record, (shelf.level, version)) for record, version in zip(held, versions, strict=True)]

    def _prove(self) -> None:
        """Count every changed record: the guard against deletions that silently did nothing."""
        changed = list(self._pending)
        for shelf in self._shelves.values():
            for start in range(0, len(changed), _BATCH):
                batch = changed[start : start + _BATCH]
                expected = sum(1 for record in batch if (place := self._pending[record]) and place[0] == shelf.level)
                if shelf.holding(batch) != expected:
                    raise IndexBroken(
                        f"{shelf.holding(batch)} records where {expected} were written, level {shelf.level}"
                    )

    # --- shelves ----------------------------------------------------------------------
    def _shelf(self, level: int) -> Shelf | None:
        """Return a level's shelf if it has been made, by any process."""
        if level not in self._shelves and (self._folder(level) / "meta.json").exists():
            with self._lock, suppress(FileNotFoundError):
                self._shelves.setdefault(level, Shelf(self._folder(level), level))
        return self._shelves.get(level)

    def _made(self, level: int) -> Shelf:
        """Return a level's shelf, made now if need be: only levels that are used lie on the disk."""
        if level not in self._shelves:
            self._shelves[level] = Shelf(self._folder(level), level)
        return self._shelves[level]

    def _folder(self, level: int) -> Path:
        return self.folder / f"level-{level}"
