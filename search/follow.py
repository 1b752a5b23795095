"""Keeps the index behind the log: reads sequenced entries after its position, loads current state.

An index can be behind, never wrong: whatever an entry says, the state indexed is the
one in the database now, so running twice is harmless and a lost index is rebuilt from
nothing. Reads and searches in the log change nothing and are skipped without a commit.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import repeat
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Min

from archive import audit, manifests, pages, papers, sequencing, store
from archive.access import NO_MARKING
from archive.models import Access, AuditLeaf, Dossier, DossierItem, Page, Record, RegisterNumber, Source
from archive.rules.page import PageText
from archive.rules.roles import READING, Action
from search import periods
from search.engine import SAMPLE, WARMING, Engine, EngineAway, EngineBusy, IndexBroken
from search.engines.embedded import Embedded
from search.entry import Entry, Filed

BATCH: Final = 200  # records loaded and written at once: bounds the memory that page texts take
SKIPPED: Final = {str(action) for action in READING} | {
    str(Action.WORK_READ),
    str(Action.REGISTER_READ),
    str(Action.SCAN_READ),
}
MOST: Final = 1000  # entries of the log taken in one step
LEAST: Final = 50  # after servers failed again and again: a step this short ends between two failures
PERSIST_EVERY: Final = 2000  # skipped entries after which the position is written all the same
COMMIT_EVERY: Final = 20_000  # records of a rebuild between two commits: fewer segments, less merging
EXAMINE_SECONDS: Final = 600.0  # between two looks whether texts can still be read
IDLE_LOOKS: Final = 20  # looks without work after which the writer's memory is let go


log = logging.getLogger("vankho.search")


def open_engine() -> Engine:
    """Return the engine of this installation; no server is called yet."""
    if not settings.ELASTICSEARCH_URL:
        return Embedded(settings.VANKHO_HOME / "index")
    from search.engines.elastic.driver import Elastic  # its client is for offices that have the server
    from search.engines.elastic.server import Server

    server = Server(settings.ELASTICSEARCH_URL, ca_file=settings.ELASTICSEARCH_CA_FILE)
    return Elastic(server, settings.INDEX_PREFIX, shards=settings.INDEX_SHARDS)


class Follower:
    """Follows the log with one engine; one follower writes at a time, others find it busy."""

    def __init__(self, engine: Engine | None = None) -> None:
        """Use the given engine, or open the installation's own at the first look."""
        self._engine = engine
        self._persisted = 0
        self._seen = 0  # skipped ahead of the persisted position
        self._idle = 0
        self._is_away = False
        self._step = MOST
        self._examine_at = 0.0
        self._is_warm = False

    @property
    def engine(self) -> Engine:
        """The engine, opened on demand."""
        if self._engine is None:
            self._engine = open_engine()
        return self._engine

    def catch_up(self) -> int:
        """Index what changed since the last look; return how many entries were passed.

        While the search server is away nothing is passed: the log keeps what is to be
        done, and the first look after its return goes on from there. A step that fails is
        done again whole, so after a failure steps are shorter: servers that come and go
        (of search, of files, of the database) then leave time for one to end.
        """
        tried = self._step
        self._step = max(LEAST, self._step // 4)  # unless this one ends well
        try:
            passed = self._follow_or_rebuild(tried)
        except EngineBusy:
            self._step = tried
            return 0
        except EngineAway:
            if not self._is_away:
                log.warning("the search server is away; the index will catch up by itself")
            self._is_away, self._is_warm = True, False  # it may begin anew
            with suppress(EngineAway):  # what was not committed is written again
                self.engine.release()
            return 0
        if self._is_away:
            log.info("the search server is back")
        self._is_away = False
        self._step = min(MOST, 2 * tried)
        return passed

    def _follow_or_rebuild(self, limit: int) -> int:
        try:
            passed = self.follow(limit=limit)
            self._examine()
        except IndexBroken:
            # Nothing of the commit is trusted: the index is built anew from the database.
            log.exception("the index is rebuilt")
            self.engine.release()
            rebuild_told()
            return 0
        return passed

    def _examine(self) -> None:
        """Look now and then whether texts can be read: nobody may ask for one until it is too late to know since when.

        Raises:
            IndexBroken: they cannot. Where another process builds already, this one goes on until the next look.
        """
        if time.monotonic() >= self._examine_at:
            self._examine_at = time.monotonic() + EXAMINE_SECONDS
            if self.engine.is_damaged():
                raise IndexBroken("texts")

    def follow(self, *, limit: int = MOST) -> int:
        """Do the same, and leave what goes wrong to the caller.

        Raises:
            EngineBusy: another process writes, or builds a new index.
            EngineAway: the search server does not answer.
            IndexBroken: the index does not hold what was written.
        """
        sequencing.place()
        persisted = self.engine.take_up()
        if persisted != self._persisted:  # moved by another follower, or back: the index is a new one
            self._persisted = self._seen = persisted
        start = max(persisted, self._seen)
        leaves = list(
            AuditLeaf.objects.filter(idx__gte=start)
            .order_by("idx")
            .values_list("idx", "entry__action", "entry__record_id", "entry__object_type", "entry__object_id")[:limit]
        )
        if not leaves:
            self._rest(persisted)
            return 0
        following = leaves[-1][0] + 1
        changed = set(changed_records(leaves))
        if not changed and following - persisted < PERSIST_EVERY:
            self._seen = following
            return len(leaves)
        self._write(changed, following, persisted)
        self._persisted = self._seen = following
        self._idle = 0
        return len(leaves)

    def _write(self, changed: Iterable[int], following: int, persisted: int) -> None:
        """Write what changed since a position. Of a step that fails nothing waits on: another may write before the next."""
        try:
            self._put(changed, persisted)
            self.engine.commit(position=following)
        except BaseException:
            with suppress(EngineAway):
                self.engine.release()
            raise

    def _put(self, changed: Iterable[int], persisted: int) -> None:
        if self.engine.claim() != persisted:
            raise EngineBusy  # by another, who was done before the right was had: looked at anew
        # As new as the state that is read now, however long the step: of two attempts the later must never be the older.
        wanted, version = sorted(changed), log_length()
        for start in range(0, len(wanted), BATCH):
            part = wanted[start : start + BATCH]
            found = list(entries(part, version=version))
            self.engine.upsert(found)
            self.engine.remove(set(part) - {entry.id for entry in found})

    def _rest(self, persisted: int) -> None:
        """Warm a server that has just begun; after a while let the writer and its memory go, and look whose index this is."""
        self._idle += 1
        if not self._is_warm:
            self._is_warm = self.engine.warm(_newest())
        if self._idle % IDLE_LOOKS == 0:
            self.engine.release()
            if persisted > log_length():
                log.error("the index has followed more than the log holds: a backup was restored; it is rebuilt")
                rebuild_told()

    @property
    def reached(self) -> int:
        """How much of the log has been looked at."""
        return max(self._persisted, self._seen)

    def close(self) -> None:
        """Let the writer go for good."""
        if self._engine is not None:
            self._engine.release()


def changed_records(leaves: Sequence[tuple[int, str, int | None, str, str]]) -> Iterator[int]:
    """Yield the ids of records whose indexed state the entries may have changed."""
    for _idx, action, record_id, kind, object_id in leaves:
        if action in SKIPPED:
            continue
        if record_id is not None:
            yield record_id
        elif kind == "dossier":
            yield from DossierItem.objects.filter(dossier__key=object_id).values_list("record_id", flat=True)


def entries(ids: Sequence[int], *, version: int) -> Iterator[Entry]:
    """Yield the current state of records as the engine keeps it; a record that is gone, or kept on paper alone, yields nothing."""
    numbers = {number.record_id: number for number in RegisterNumber.objects.filter(record__in=ids)}
    reach: dict[int, set[int]] = {}
    for record_id, principal in (
        Access.objects.filter(record__in=ids).exclude(source=Source.GRANT).values_list("record_id", "principal")
    ):
        reach.setdefault(record_id, set()).add(principal)
    # A dossier may be above what is filed in it: whoever may read the record would find it by the secret title.
    told = DossierItem.objects.filter(record__in=ids, dossier__level__lte=F("record__level"))
    filed: dict[int, list[Filed]] = {}
    for item in told.select_related("dossier__rule").order_by("filed_at", "pk"):
        filed.setdefault(item.record_id, []).append(_filed(item.dossier))
    attached = pages.attached_to(ids)
    records = manifests.with_parts(papers.indexed(Record.objects.filter(pk__in=ids)))
    for record in records.select_related("unit"):
        made = _entry(record, version, numbers.get(record.pk), reach.get(record.pk, set()), filed.get(record.pk, ()))
        files = tuple(file.name for file in attached.get(record.pk, ()))
        yield replace(made, files=files) if files and manifests.is_whole(record) else made


def _entry(
    record: Record, version: int, number: RegisterNumber | None, reach: set[int], filed: Sequence[Filed]
) -> Entry:
    day = record.issued_date or record.arrival_date
    return Entry(
        id=record.pk,
        version=version,
        level=record.level,
        marking=record.marking_id or NO_MARKING,
        reach=tuple(sorted(reach)),
        number=record.symbol,
        register_number=str(number.number) if number else "",
        subject=record.subject,
        type_name=record.type_name,
        organ_name=record.organ_name,
        unit=record.unit.name,
        unit_is=record.unit_id,
        year=day.year if day else record.created_at.year,
        issued_on=record.issued_date,
        arrived_on=record.arrival_date,
        urgency=record.urgency,
        signer=record.signer_name,
        pages=tuple(_by_number(_texts(record))),
        direction=record.direction,
        register_is=number.register_id if number else 0,
        filed=tuple(filed),
    )


def _filed(dossier: Dossier) -> Filed:
    period = periods.slug(dossier.rule)
    return Filed(dossier.unit_id, dossier.key, str(dossier), period, periods.words(period))


def _texts(record: Record) -> Iterator[PageText]:
    """Yield what was read of each page, but of none whose file was destroyed: after a restore its row is there again.

    Of a dispatch whose files are not those that acts gave it nothing is found but its fields: its door is closed, too.
    """
    if not manifests.is_whole(record):
        log.critical("the pages of dispatch %s are not indexed: its files were changed past the office", record.key)
        return
    for page in Page.objects.filter(record=record).order_by("number"):
        try:
            read = pages.text(page)
        except store.Shredded:
            continue
        yield read


def _by_number(read: Iterable[PageText]) -> Iterator[str]:
    """Yield the text of each page at the place of its number: the numbers of a voided file are not given again."""
    place = 1
    for page in read:
        yield from repeat("", page.number - place)
        yield page.text
        place = page.number + 1


def log_length() -> int:
    """Return the place of the next entry of the log."""
    top = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    return 0 if top is None else top + 1


def rebuild(*, progress: Callable[[int], object] | None = None) -> int:
    """Build a new index aside from the database, replay what happened meanwhile, swap it in; return its size.

    The old one answers until then, and goes on if anything fails.

    Raises:
        EngineBusy: another process is building one.
        EngineAway: the search server does not answer.
    """
    engine = open_engine()
    new = engine.open_new_generation(_sample())
    try:
        total = _fill(new, log_length(), progress)
        replay = Follower(new)
        # What the old index knows the new one must know before it answers: a level raised meanwhile above all.
        while replay.follow() or replay.reached < min(engine.position(), log_length()):
            continue
        engine.swap(new)
        with suppress(EngineBusy):  # then the office's follower has it already
            replay.follow()
    finally:
        with suppress(EngineAway):
            new.release()
    return total


def rebuild_told(*, progress: Callable[[int], object] | None = None) -> int:
    """Do the same and write it into the log: whoever did it, a person by a command or a worker by itself."""
    total = rebuild(progress=progress)
    with transaction.atomic():
        audit.write(Action.INDEX_REBUILD, actor=None, details={"records": total})
    return total


def _sample() -> Iterator[Entry]:
    """Yield some of what is to be written, from all over it."""
    reach = Record.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if reach["last"]:
        wanted = range(reach["first"], reach["last"] + 1, max(1, (reach["last"] - reach["first"]) // SAMPLE))
        for start in range(0, len(wanted), BATCH):
            yield from entries(wanted[start : start + BATCH], version=0)


def _newest() -> Iterator[Entry]:
    """Yield the newest records."""
    newest = Record.objects.order_by("-pk").values_list("pk", flat=True)[:WARMING]
    yield from entries(list(newest), version=0)


def _fill(new: Engine, position: int, progress: Callable[[int], object] | None) -> int:
    """Write every record of the database as of a position in the log; return how many."""
    total, last = 0, 0
    while ids := list(Record.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        new.upsert(entries(ids, version=position))
        total, last = total + len(ids), ids[-1]
        if total % COMMIT_EVERY < len(ids):
            new.commit()
        if progress:
            progress(total)
    new.commit(position=position)
    return total
