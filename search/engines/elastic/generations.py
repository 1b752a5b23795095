"""The generations of indices on the server, the aliases that make one current, and the right to write one.

A generation is `<prefix>-s<schema>-<stamp>`: one index per level and a small one for its
state (position in the log, who may write). All are made at once, before anything is
written: the aliases of all levels then move in one step, and no index appears later
behind an alias. Generations of another schema are never read. The one before the
current is kept until the next is begun; then one that a killed rebuild left half built
goes too. An index that the server made by itself, because somebody deleted ours under a
writer, is never put in use.

The right to write is a lease in the generation's state, taken and renewed by compare
and set. It keeps followers of several machines out of each other's way on any database;
a killed holder is followed after LEASE_SECONDS. It is not what protects the records: a
holder that slept past its lease is turned away by the version of each record.
"""

import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from archive.rules.levels import Level
from search.engine import EngineBusy, IndexBroken
from search.engines.elastic import mapping
from search.engines.elastic.server import Server

LEASE_SECONDS: Final = 10.0
_RENEW_BEFORE_SECONDS: Final = 8.0  # left of a lease that is good enough for one more request
_FIRST: Final = "0" * 20  # a name known beforehand: two processes that begin together begin the same one
_STATE: Final = "state"
_POSITION: Final = "position"
_WRITER: Final = "writer"


class Generation:
    """One generation: its names, its position, its lease."""

    def __init__(self, server: Server, base: str, stamp: str, owner: str) -> None:
        """Name it, and the one who may come to write it; nothing is asked or made."""
        self.stamp = stamp
        self._server = server
        self._name = f"{base}-{stamp}"
        self._owner = owner
        self._held: tuple[int, int] | None = None  # sequence number and term of the lease
        self._until = 0.0

    @property
    def state(self) -> str:
        """The index of its state."""
        return f"{self._name}-{_STATE}"

    def level(self, level: int) -> str:
        """The index of one level."""
        return f"{self._name}-l{level}"

    def levels(self) -> list[str]:
        """The indices of all levels."""
        return [self.level(level) for level in Level]

    def position(self) -> int:
        """Return the position of the last commit that named one."""
        found = self._server.document(self.state, _POSITION)
        return int(found["_source"]["position"]) if found else 0

    def remember(self, position: int) -> None:
        """Write the position."""
        self._server.put(self.state, _POSITION, {"position": position})

    # --- the right to write -----------------------------------------------------------
    def take(self) -> None:
        """Take the right to write, or renew it when it runs out soon.

        Raises:
            EngineBusy: another holds it, or has had it since it was taken here: what waits to be written may be older than theirs.
        """
        if self._held and time.monotonic() < self._until - (LEASE_SECONDS - _RENEW_BEFORE_SECONDS):
            return
        found = self._server.document(self.state, _WRITER)
        held, self._held = self._held, None
        if self._is_of_another(found) or (held and found and held != (found["_seq_no"], found["_primary_term"])):
            raise EngineBusy
        self._put_lease(found, LEASE_SECONDS)

    def is_taken(self) -> bool:
        """Return whether another holds the right to write."""
        return self._is_of_another(self._server.document(self.state, _WRITER))

    def _is_of_another(self, found: dict[str, Any] | None) -> bool:
        lease = found["_source"] if found else {"owner": self._owner}
        return lease["owner"] != self._owner and float(lease["until"]) > time.time()

    def let_go(self) -> None:
        """Give the right back; one that another has taken meanwhile is left to them."""
        if self._held:
            sequence, term = self._held
            self._held = None
            past = {"owner": self._owner, "until": 0.0}
            self._server.put(self.state, _WRITER, past, if_seq_no=sequence, if_primary_term=term)

    def _put_lease(self, found: dict[str, Any] | None, seconds: float) -> None:
        began = time.monotonic()
        lease = {"owner": self._owner, "until": time.time() + seconds}
        state = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]} if found else {}
        is_mine = self._server.put(self.state, _WRITER, lease, **(state or {"op_type": "create"}))
        mine = self._server.document(self.state, _WRITER) if is_mine else None
        if not mine or mine["_source"]["owner"] != self._owner:
            self._held = None
            raise EngineBusy
        self._held, self._until = (mine["_seq_no"], mine["_primary_term"]), began + seconds


class Generations:
    """All generations under one prefix of one server."""

    def __init__(self, server: Server, prefix: str, *, shards: int = 1) -> None:
        """Name them; nothing is asked or made. New ones get so many shards a level, each answered by a processor of its own."""
        self.server = server
        self._shards = shards
        self.prefix = prefix
        self._base = f"{prefix}-s{mapping.SCHEMA}"
        # One owner for as long as this process lives: it takes a lease that it could not give back up again at once.
        self._owner = uuid.uuid4().hex
        self._pattern = re.compile(rf"{re.escape(prefix)}-s(\d+)-(\d{{20}})-(?:l\d|{_STATE})")

    def aliases(self, up_to: int = max(Level)) -> list[str]:
        """Return the names to search for levels up to a rank."""
        return [f"{self._base}-l{int(level)}" for level in Level if level <= up_to]

    def current(self) -> Generation | None:
        """Return the generation that the aliases name, None if there is none that can be read."""
        behind = self.server.behind(f"{self._base}-{_STATE}")
        found = self._pattern.fullmatch(behind[-1]) if behind else None
        return self.named(found[2]) if found else None

    def named(self, stamp: str) -> Generation:
        """Return a generation of this schema by its stamp."""
        return self._of(str(mapping.SCHEMA), stamp)

    def _of(self, schema: str, stamp: str) -> Generation:
        return Generation(self.server, f"{self.prefix}-s{schema}", stamp, self._owner)

    def first(self) -> Generation:
        """Return the current generation, begun now if there is none."""
        current = self.current()
        if current is None:
            current = self.named(_FIRST)
            self._make(current, is_current=True)
        return current

    def begin(self) -> Generation:
        """Make an empty generation aside, and clear away all others but the current one.

        Raises:
            EngineBusy: one is being built at this moment.
        """
        self.server.delete(self._done_with())
        new = self.named(f"{datetime.now(UTC):%Y%m%d%H%M%S%f}")
        self._make(new, is_current=False)
        new.take()
        return new

    def point(self, new: Generation) -> None:
        """Make a generation the current one, for every process, in one step over all levels.

        Raises:
            IndexBroken: its indices are not those that were begun.
        """
        if not self.server.are_ours([*new.levels(), new.state]):
            raise IndexBroken("an index was deleted while it was built")
        self.server.tune([*new.levels(), new.state], mapping.IN_USE)
        self.server.merge(new.levels())
        actions = []
        for index in (*new.levels(), new.state):
            alias = self._alias(index)
            actions += [{"remove": {"index": old, "alias": alias}} for old in self.server.behind(alias) if old != index]
            actions.append({"add": {"index": index, "alias": alias}})
        self.server.move_aliases(actions)

    def clear(self) -> None:
        """Delete everything under the prefix: for tests and for leaving the server."""
        self.server.delete([name for name in self.server.names(f"{self.prefix}-s*") if self._pattern.fullmatch(name)])

    def _make(self, generation: Generation, *, is_current: bool) -> None:
        """Make its indices, the state last: what its alias names is whole."""
        for index in (*generation.levels(), generation.state):
            is_state = index == generation.state
            shards = {"number_of_shards": 1 if is_state else self._shards}
            self.server.create(
                index,
                mappings=mapping.STATE if is_state else mapping.mappings(),
                settings=mapping.BUILDING | shards | (mapping.IN_USE if is_current else {}),
                alias=self._alias(index) if is_current else "",
            )

    def _alias(self, index: str) -> str:
        return f"{self._base}-{index.rsplit('-', 1)[1]}"

    def _done_with(self) -> list[str]:
        """Return the indices of generations before the current one, of whatever schema, and of half-built ones.

        One before the current that somebody writes stays until the next time: its follower has not moved on yet.

        Raises:
            EngineBusy: one is being built at this moment.
        """
        current = self.current()
        since = current.stamp if current else _FIRST
        before: dict[tuple[str, str], list[str]] = {}
        unfinished = set()
        for name in self.server.names(f"{self.prefix}-s*"):
            found = self._pattern.fullmatch(name)
            if found and current and found[2] < since:
                before.setdefault((found[1], found[2]), []).append(name)
            elif found and int(found[1]) == mapping.SCHEMA and found[2] > since:
                unfinished.add(found[2])
        aside = [self.named(stamp) for stamp in sorted(unfinished)]
        if any(generation.is_taken() for generation in aside):
            raise EngineBusy
        old = [names for (schema, stamp), names in before.items() if not self._of(schema, stamp).is_taken()]
        old += [[*generation.levels(), generation.state] for generation in aside]
        return [name for names in old for name in names]
