"""Write one generation: in parts, with the version of each record, and proved at the end.

Keeps the order that matters for secrecy: the index of every other level is told that a
version of the record is not there, and that is visible, before the record is added to
its own. It may be missing for a moment; it is never found too low. Each level's index
so hears of every version, and refuses an older one that comes late.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from search.engine import EngineBusy, IndexBroken
from search.engines.elastic.generations import Generation
from search.engines.elastic.mapping import document
from search.engines.elastic.server import Action, Server
from search.entry import Entry

PART_RECORDS: Final = 500  # of one request: bounds its memory and its time
PART_LETTERS: Final = 8_000_000
WAITING_LETTERS: Final = 32_000_000  # held back for the commit; what lies beyond is sent before, not yet visible
_PROVED: Final = 5_000
_CONFLICT: Final = 409


class Writer:
    """Changes of one generation between two commits."""

    def __init__(self, server: Server, generation: Generation) -> None:
        """Prepare; the right to write is taken at the first change."""
        self.generation = generation
        self._server = server
        self._waiting: dict[int, Entry] = {}
        self._letters = 0
        self._expected: dict[int, int | None] = {}  # record -> level it must be found in at the commit
        self._versions: dict[int, int] = {}
        # A writer before this one may have been cut off between a change and its being visible: once all are looked at.
        self._touched: set[str] = set(generation.levels())
        self._is_sure = False
        self._lock = threading.RLock()

    def claim(self) -> int:
        """Take the right to write; return the position."""
        with self._lock:
            self.generation.take()
            return self.generation.position()

    def upsert(self, entries: Iterable[Entry]) -> None:
        """Put entries in place; one older than what is held is passed over."""
        latest: dict[int, Entry] = {}
        for entry in entries:
            if entry.version >= latest.get(entry.id, entry).version:
                latest[entry.id] = entry
        fresh = [entry for entry in latest.values() if entry.version >= self._versions.get(entry.id, 0)]
        with self._lock:
            self.generation.take()
            for part in _parts(fresh):
                self._wait_for_commit(self._cleared(part))

    def remove(self, ids: Iterable[int]) -> None:
        """Take records out of every index at the commit; an older version that comes late is refused."""
        with self._lock:
            self.generation.take()
            for record in ids:
                self._forget_waiting(record)
                self._expected[record] = None
                self._versions.pop(record, None)

    def commit(self, position: int | None) -> None:
        """Send what waits, make it visible, count it, then write the position."""
        with self._lock:
            self.generation.take()
            self._send()
            self._delete([record for record, level in self._expected.items() if level is None])
            self._server.refresh(sorted(self._touched))
            self._prove()
            self._clean()
            if position is not None:
                self.generation.remember(position)

    def release(self) -> None:
        """Drop what waits and give the right to write back."""
        with self._lock:
            self._clean()
            self.generation.let_go()

    # --- steps ------------------------------------------------------------------------
    def _cleared(self, part: Sequence[Entry]) -> list[Entry]:
        """Take a part out of the other levels, visibly; return those of which no newer version is held."""
        asked = [(entry, index) for entry in part for index in self._others(entry)]
        was_sure, self._is_sure = self._is_sure, False
        outcomes = self._bulk(_deletion(index, entry.id, entry.version) for entry, index in asked)
        newer = {entry.id: entry for (entry, _), outcome in zip(asked, outcomes, strict=True) if _is_older(outcome)}
        moved = {outcome["_index"] for outcome in outcomes if outcome.get("result") == "deleted"}
        self._server.refresh(sorted(moved) if was_sure else self.generation.levels())
        self._is_sure = True
        self._require_held(newer.values())
        return [entry for entry in part if entry.id not in newer]

    def _others(self, entry: Entry) -> Iterator[str]:
        own = self.generation.level(entry.level)
        return (index for index in self.generation.levels() if index != own)

    def _wait_for_commit(self, part: Iterable[Entry]) -> None:
        for entry in part:
            self._forget_waiting(entry.id)
            self._waiting[entry.id] = entry
            self._letters += _letters(entry)
            self._expected[entry.id] = entry.level
            self._versions[entry.id] = entry.version
        if self._letters > WAITING_LETTERS:
            self._send()

    def _send(self) -> None:
        for part in _parts(list(self._waiting.values())):
            outcomes = self._bulk(
                _addition(self.generation.level(entry.level), entry.version, document(entry)) for entry in part
            )
            older = [entry for entry, outcome in zip(part, outcomes, strict=True) if _is_older(outcome)]
            self._require_held(older)
            for entry in older:  # a newer one was counted when it was written
                self._expected.pop(entry.id, None)
        self._waiting.clear()
        self._letters = 0

    def _require_held(self, refused: Iterable[Entry]) -> None:
        """Make sure that what was refused for a newer one is held as a newer one.

        A writer that was cut off may have told levels that its version is not there, and never have put it where it
        belongs. Passed over, the record would be missing for good.

        Raises:
            EngineBusy: it is not: to be read again from the database and written as newer than that.
        """
        wanted = {entry.id: entry.version for entry in refused}
        held = self._server.versions(self.generation.levels(), sorted(wanted))
        if set(wanted) - {record for _index, record, version in held if version >= wanted[record]}:
            self._clean()
            raise EngineBusy

    def _delete(self, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), PART_RECORDS):
            held = self._server.versions(self.generation.levels(), ids[start : start + PART_RECORDS])
            self._bulk([_deletion(index, record, version) for index, record, version in held])

    def _bulk(self, actions: Iterable[Action]) -> list[dict[str, Any]]:
        self.generation.take()
        outcomes = self._server.bulk(actions)
        self._touched.update(
            one["_index"] for one in outcomes if one.get("result") in {"created", "updated", "deleted"}
        )
        return outcomes

    def _prove(self) -> None:
        """Count every changed record at each level: the guard against changes that silently did nothing."""
        changed = list(self._expected)
        for start in range(0, len(changed), _PROVED):
            part = changed[start : start + _PROVED]
            query = {"terms": {"id": part}}
            groups = {"index": {"terms": {"field": "_index", "size": 10}}}
            found = self._server.search(self.generation.levels(), {"size": 0, "query": query, "aggs": groups})
            counted = {one["key"]: one["doc_count"] for one in found["aggregations"]["index"]["buckets"]}
            for level, index in enumerate(self.generation.levels()):
                expected = sum(self._expected[record] == level for record in part)
                if counted.get(index, 0) != expected:
                    raise IndexBroken(f"{counted.get(index, 0)} records where {expected} were written, level {level}")

    def _forget_waiting(self, record: int) -> None:
        if before := self._waiting.pop(record, None):
            self._letters -= _letters(before)

    def _clean(self) -> None:
        self._waiting.clear()
        self._letters = 0
        self._expected.clear()
        self._versions.clear()
        self._touched.clear()


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield entries in parts that one request can take."""
    part: list[Entry] = []
    letters = 0
    for entry in entries:
        if part and (len(part) == PART_RECORDS or letters + _letters(entry) > PART_LETTERS):
            yield part
            part, letters = [], 0
        part.append(entry)
        letters += _letters(entry)
    if part:
        yield part


def _letters(entry: Entry) -> int:
    return sum(map(len, entry.pages)) + 1000


def _addition(index: str, version: int, made: dict[str, Any]) -> Action:
    return {"index": _of(index, made["id"], version)}, made


def _deletion(index: str, record: int, version: int) -> Action:
    return {"delete": _of(index, record, version)}, None


def _of(index: str, record: int, version: int) -> dict[str, Any]:
    return {"_index": index, "_id": str(record), "version": version, "version_type": "external_gte"}


def _is_older(outcome: dict[str, Any]) -> bool:
    return int(outcome["status"]) == _CONFLICT
