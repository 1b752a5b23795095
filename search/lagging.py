"""What the index has not followed yet: records that changed after its position, to be asked of the database instead.

An index may be behind. Were its yes believed for a record that has just been closed, the
page of hits would be right after the second check, but the total and the facets would
still count it. So each reader's terms leave out what changed meanwhile and is closed to
them: everything whose level, marks or need-to-know an act may have changed, however long
the server was away; of what else changed only the newest. Reads the log, writes nothing.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any, Final, cast

from django.db import connection
from django.db.models import BigIntegerField, CharField, Q, QuerySet, Value
from django.utils import timezone

from archive.access import PERSON, Scope
from archive.models import AuditEntry, AuditLeaf, AuditPending
from archive.planning import OneOf, Written
from archive.rules.roles import Action
from search.engine import Engine
from search.entry import Reached
from search.follow import SKIPPED, changed_records

MOST: Final = 2_000  # records asked of the database for one search beside those that an act may have closed: the newest
LATE: Final = timedelta(minutes=5)  # a follower that lives is behind by seconds; by more than this readers are told
READ: Final = 10_000  # entries of one look into the log
# Acts on a dispatch after which whoever knew of it still may. Every other act may have closed it.
LEAVES_OPEN: Final = frozenset(
    map(
        str,
        {
            Action.RECORD_CAPTURE,
            Action.RECORD_CORRECT,
            Action.RECORD_ATTACH,
            Action.RECORD_DETACH,
            Action.RECORD_WHY,
            Action.COPY_END,
            Action.PAPER_MOVE,
            Action.PAPER_END,
            Action.LEVEL_PROPOSE,
            Action.LEVEL_CLOSE,
            Action.LEVEL_EXTEND,
            Action.LEVEL_REVIEW,
            Action.LEVEL_NOTICE,
            Action.LEVEL_READ,
            Action.DOSSIER_FILE,
            Action.DOSSIER_CLOSE,
            Action.HOLD_PLACE,
            Action.HOLD_LIFT,
            Action.SCAN_UPLOAD,
            Action.SCAN_RETRY,
            Action.SCAN_OUTCOME,
            Action.SCAN_DISMISS,
            Action.SCAN_APART,
        },
    )
)
_Line = tuple[int, str, int | None, str, str]
_Row = tuple[int, int, str, int | None, str, str]  # what it is, then a line
GRANT: Final = "grant"
RAISED: Final = "raised"  # records whose dossier was raised: an index that is behind may find them by its words yet
_PLACED, _UNPLACED, _BESIDE = range(3)
# What no place, level, minute or marking can be (levels fit into 16 bits, minutes and markings into 32); people are numbered from PERSON.
_START, _LEVEL, _NOW, _MARKING = 2**62, 32_001, 2_000_000_017, 2_000_100_000
_NOWHERE: Final = Value(0, output_field=BigIntegerField())
_EMPTY: Final = Value("", output_field=CharField())
Beside = QuerySet[Any, _Row]
Told = Mapping[str, Sequence[tuple[int | None, str]]]


def _waiting(engine: Engine) -> Iterator[tuple[datetime, int]]:
    """Yield the changes that an index has not followed, the oldest first: when, and which record."""
    telling = Q(entry__record_id__isnull=False) | Q(entry__object_type="dossier")
    leaves = AuditLeaf.objects.filter(telling, idx__gte=engine.position()).exclude(entry__action__in=SKIPPED)
    names = ("idx", "entry__action", "entry__record_id", "entry__object_type", "entry__object_id", "entry__ts")
    for *line, ts in leaves.order_by("idx").values_list(*names)[:MOST]:
        yield from ((ts, record) for record in changed_records([tuple(line)]))
    unplaced = AuditEntry.objects.filter(pk__in=AuditPending.objects.values("entry_id"), record_id__isnull=False)
    for ts, record in unplaced.exclude(action__in=SKIPPED).order_by("ts").values_list("ts", "record_id")[:MOST]:
        yield ts, cast("int", record)


def waiting_since(engine: Engine) -> datetime | None:
    """Return when the oldest change that an index has not followed was written; None when it has followed all.

    Entries that change nothing in the index count for nothing, as for the follower.

    Raises:
        EngineAway: the search server does not answer.
    """
    return next((ts for ts, _record in _waiting(engine)), None)


def is_late(engine: Engine) -> bool:
    """Return whether what an index does not find may be there all the same: a change has waited longer than LATE.

    So it is after the index was lost, and while no worker follows the log.

    Raises:
        EngineAway: the search server does not answer.
    """
    return bool(late(engine, most=1))


def late(engine: Engine, *, most: int = MOST) -> list[int]:
    """Return the records of which a change has waited longer than LATE, those of the oldest changes.

    Raises:
        EngineAway: the search server does not answer.
    """
    now = timezone.now()
    waited = takewhile(lambda one: now - one[0] > LATE, _waiting(engine))
    return list(islice((record for _ts, record in waited), most))


def beside(what: str, rows: QuerySet[Any], *, number: str = "", word: str = "") -> Beside:
    """Return rows to be read together with the log: of each a number, a word or both, told under `what`."""
    named = Value(what, output_field=CharField())
    told = (number or Value(None, output_field=BigIntegerField()), _EMPTY, word or _EMPTY)
    return rows.order_by().values_list(Value(_BESIDE), _NOWHERE, named, *told)


class Backlog:
    """The records that changed after a position of the index, looked up entry by entry and only once each."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._engine: Engine | None = None
        self._position = 0
        self._looked_at = 0
        self._closing: dict[int, int] = {}  # record -> its last place in the log
        self._others: dict[int, int] = {}  # the same, the newest last
        self._raised: dict[int, int] = {}  # what lies in a dossier that rose, whatever of it was changed since
        self._lock = threading.Lock()

    def records(self, engine: Engine, scope: Scope, *others: Beside) -> tuple[list[int], Told, Reached]:
        """Return the records that have changed since the position of an index, what else is asked, by one query, and that index.

        Told besides under `GRANT`: the records that dated grants open in a scope; under `RAISED`: those that have changed
        whose dossier rose.

        Raises:
            EngineAway: the search server does not answer.
        """
        reached = engine.reached()
        position = reached.position
        with self._lock:
            if engine is not self._engine or position < self._position:
                self._engine, self._looked_at = engine, position
                self._closing, self._others, self._raised = {}, {}, {}
            elif position > self._position:
                self._closing = {record: place for record, place in self._closing.items() if place >= position}
                self._others = {record: place for record, place in self._others.items() if place >= position}
                self._raised = {record: place for record, place in self._raised.items() if place >= position}
            self._position, self._looked_at = position, max(position, self._looked_at)
            rows = _asked(self._looked_at, scope, others)
            placed = sorted(row[1:] for row in rows if row[0] == _PLACED)
            while placed:
                self._keep(placed)
                self._looked_at = placed[-1][0] + 1
                placed = sorted(row[1:] for row in _placed(self._looked_at)) if len(placed) == READ else []
            known, raised = {**self._others, **self._closing}, dict(self._raised)
        unplaced = list(_records(row[1:] for row in rows if row[0] == _UNPLACED))
        known.update((record, 0) for _line, record in unplaced)
        raised.update((record, 0) for line, record in unplaced if _raises(line))
        told: defaultdict[str, list[tuple[int | None, str]]] = defaultdict(list)
        told[RAISED] = [(record, "") for record in raised]
        for kind, _, what, number, _, word in rows:
            if kind == _BESIDE:
                told[what].append((number, word))
        return [*known, *(record for record in raised if record not in known)], told, reached

    @property
    def is_empty(self) -> bool:
        """Whether nothing was behind at the last look."""
        return not (self._closing or self._others)

    def _keep(self, lines: Iterable[_Line]) -> None:
        for line, record in _records(lines):
            place, action, *_ = line
            if _raises(line):
                self._raised[record] = place
            if action in LEAVES_OPEN:
                self._others.pop(record, None)  # the newest last
                self._others[record] = place
            else:
                self._closing[record] = place
        for record in list(self._others)[: max(len(self._others) - MOST, 0)]:
            del self._others[record]


def _asked(start: int, scope: Scope, others: Sequence[Beside]) -> list[Any]:
    """Return the entries placed from a place on, those with none, the grants of a scope, and what is asked beside them."""
    if others:
        return list(_all(start, scope).union(*others, all=True))
    instead = {_START: start, _LEVEL: scope.level, _NOW: scope.now}
    instead |= {_MARKING + place: marking for place, marking in enumerate(scope.markings)}
    instead |= {PERSON + place: person for place, person in enumerate(scope.personal)}
    return _written(connection.vendor, READ, len(scope.markings), len(scope.personal)).ask(instead)


@lru_cache(maxsize=50)
def _written(_vendor: str, _read: int, markings: int, people: int) -> Written:
    """Return the query with signs in the place of what a reader is: Django took 1.5 ms of each search to write it."""
    nobody = Scope(
        level=_LEVEL,
        markings=tuple(range(_MARKING, _MARKING + markings)),
        principals=tuple(range(PERSON, PERSON + people)),
        now=_NOW,
    )
    return Written.of(_all(_START, nobody))


def _all(start: int, scope: Scope) -> QuerySet[Any, _Row]:
    grants = beside(GRANT, scope.grants(), number="record_id")
    return _placed(start).union(*_unplaced(), grants, all=True)


def _raises(line: _Line) -> bool:
    """Return whether an entry tells that a dossier rose to the level of what was filed in it."""
    _place, action, _record, kind, _object = line
    return kind == "dossier" and action == Action.DOSSIER_FILE


def _records(lines: Iterable[_Line]) -> Iterator[tuple[_Line, int]]:
    """Yield each record whose state an entry may have changed, with the entry."""
    for line in lines:
        if line[1] not in SKIPPED:
            yield from ((line, record) for record in changed_records([line]))


def _placed(start: int) -> QuerySet[AuditLeaf, _Row]:
    """Return the entries placed from a place on, READ at most; beyond a place that SQL took out, as the index follows."""
    places = AuditLeaf.objects.filter(idx__gte=start).order_by("idx").values("idx")[:READ]
    rows = AuditLeaf.objects.filter(OneOf("idx", places)).order_by()
    names = ("entry__action", "entry__record_id", "entry__object_type", "entry__object_id")
    return rows.values_list(Value(_PLACED), "idx", *names)


def _unplaced() -> list[QuerySet[AuditEntry, _Row]]:
    """Return the entries that are committed and have no place in the log yet: as many as were written in the last moment."""
    if connection.vendor != "postgresql":
        return []
    rows = AuditEntry.objects.filter(pk__in=AuditPending.objects.values("entry_id")).order_by()
    return [rows.values_list(Value(_UNPLACED), _NOWHERE, "action", "record_id", "object_type", "object_id")]
