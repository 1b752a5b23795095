"""Whether the index holds what the database holds, record by record; and the repair of what differs.

Both sides are read in the order of ids and held against each other as they come, so that
the memory does not grow with the archive. An index may be behind the log, which is no
drift: only entries that it says it has followed are held against it. Acts for nobody:
ids and levels alone are looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from typing import Final

from django.db.models import Max

from archive import papers
from archive.models import AuditLeaf, DossierItem, Record
from search.engine import Engine
from search.entry import Hit
from search.follow import BATCH, SKIPPED, entries, log_length

_COMPARED: Final = 2_000  # records of one look into the database


@dataclass
class Drift:
    """Ids of records by what is wrong with them in the index."""

    records: int = 0
    missing: set[int] = field(default_factory=set)  # in the database, not in the index
    stale: set[int] = field(default_factory=set)  # older than an entry the index says it has followed
    orphans: set[int] = field(default_factory=set)  # in the index, not in the database
    misplaced: set[int] = field(default_factory=set)  # of another level, or in two: could be found too low

    @property
    def ids(self) -> set[int]:
        """All of them."""
        return self.missing | self.stale | self.orphans | self.misplaced

    def counts(self) -> dict[str, int]:
        """Return how many of each kind."""
        return {kind.name: len(getattr(self, kind.name)) for kind in fields(self) if kind.name != "records"}


def check(engine: Engine) -> Drift:
    """Return what differs in two looks: what a follower moved under the first one is right in the second.

    Raises:
        EngineAway: the search server does not answer.
    """
    first = scan(engine)
    if not first.ids:
        return first
    second = scan(engine)
    for kind in first.counts():
        getattr(second, kind).intersection_update(first.ids)
    return second


def scan(engine: Engine, *, up_to: int | None = None) -> Drift:
    """Compare everything once.

    Args:
        engine: the index to look at.
        up_to: the place in the log up to which the index must know; by default what it says it has followed.

    Raises:
        EngineAway: the search server does not answer.
    """
    drift = Drift()
    position = engine.position() if up_to is None else up_to
    held = groupby(engine.stamps(), key=lambda one: one.id)
    ahead = next(held, None)
    for levels in _records():
        here: dict[int, list[Hit]] = {}
        while ahead and ahead[0] <= max(levels):
            here[ahead[0]] = list(ahead[1])
            ahead = next(held, None)
        _compare(drift, levels, here, position)
    while ahead:
        drift.orphans.add(ahead[0])
        ahead = next(held, None)
    return drift


def _compare(drift: Drift, levels: Mapping[int, int], held: Mapping[int, Sequence[Hit]], position: int) -> None:
    """Hold the records of a stretch of ids against the stamps of the same stretch."""
    drift.records += len(levels)
    drift.orphans.update(held.keys() - levels.keys())
    changed = _changed(list(levels), position)
    for pk, level in levels.items():
        stamps = held.get(pk, ())
        is_followed = changed.get(pk, position) < position
        if not stamps:
            if is_followed:
                drift.missing.add(pk)
        elif len(stamps) > 1 or (stamps[0].level != level and is_followed):
            drift.misplaced.add(pk)
        elif stamps[0].version <= changed.get(pk, -1):
            drift.stale.add(pk)


def repair(engine: Engine, drift: Drift) -> None:
    """Write what differs again from the database, and take out what is not there. Other records are not touched.

    Raises:
        EngineBusy: another process writes to the index; nothing was changed.
        EngineAway: the search server does not answer.
    """
    engine.take_up()
    position, version, wanted = engine.claim(), log_length(), sorted(drift.ids)
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        found = list(entries(part, version=version))
        engine.remove(part)
        engine.upsert(found)
    engine.commit(position=position)
    engine.release()


def _records() -> Iterator[dict[int, int]]:
    """Yield the level of every record that an index may hold by its id, in parts, in the order of ids."""
    last = 0
    while part := dict(
        papers.indexed(Record.objects.filter(pk__gt=last)).order_by("pk").values_list("pk", "level")[:_COMPARED]
    ):  # fmt: skip
        last = max(part)
        yield part


def _changed(ids: Sequence[int], position: int) -> dict[int, int]:
    """Return the place of the newest entry, among those followed, that may have changed each record's entry."""
    followed = AuditLeaf.objects.filter(idx__lt=position).exclude(entry__action__in=SKIPPED)
    own = followed.filter(entry__record_id__in=ids).values_list("entry__record_id").annotate(top=Max("idx"))
    newest: dict[int, int] = {pk: top for pk, top in own if pk is not None}
    filed = list(DossierItem.objects.filter(record__in=ids).values_list("record_id", "dossier__key"))
    about = followed.filter(entry__object_type="dossier", entry__object_id__in={key for _pk, key in filed})
    by_key = dict(about.values_list("entry__object_id").annotate(top=Max("idx")))
    for pk, key in filed:
        newest[pk] = max(newest.get(pk, -1), by_key.get(key, -1))
    return newest
