"""A level raised or access taken away is in force within a second in every process, and never found too low."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive import audit
from archive.models import Access, Record
from archive.rules.levels import Level
from archive.rules.roles import Action
from search import follow
from search.entry import Terms
from search.query import parse
from search.tests import make
from search.tests.make import CLEARED, READER, entry, fill, found

# Another process of the office: says "seen" while a reader of open papers finds something, then "gone".
WATCHER = """
import sys, time
from pathlib import Path
kind, where, address, level, reach = sys.argv[1:]
from search.entry import Terms
from search.query import parse
if kind == "embedded":
    from search.engines.embedded import Embedded
    engine = Embedded(Path(where) / "index")
else:
    from search.engines.elastic.driver import Elastic
    from search.engines.elastic.server import Server
    engine = Elastic(Server(address), where)
terms = Terms(int(level), (1,), tuple(map(int, reach.split(","))))
for said, is_there in (("seen", True), ("gone", False)):
    until = time.monotonic() + 20
    while bool(engine.search(parse(""), terms, facets=()).total) is not is_there and time.monotonic() < until:
        time.sleep(0.005)
    print(said, time.time(), flush=True)
"""


@contextmanager
def watching(engine, folder, terms):
    """Another process that looks; yields how to wait until it finds nothing any more, and when that was."""
    kind = "elastic" if type(engine).__name__ == "Elastic" else "embedded"
    where = make.prefix_of(folder) if kind == "elastic" else str(folder)
    address = os.environ.get("VANKHO_TEST_ELASTICSEARCH_URL", "")
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER, kind, where, address, str(terms.level), ",".join(map(str, terms.reach))],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        text=True,
    ) as process:
        assert process.stdout.readline().startswith("seen")
        yield lambda: float(process.stdout.readline().split()[1])


def test_a_raised_level_is_in_force_in_another_process_within_a_second(engine, tmp_path):
    fill(engine, entry(1))
    with watching(engine, tmp_path, READER) as gone:
        began = time.time()
        engine.upsert([entry(1, level=2, version=2)])
        assert gone() - began < 1  # before the commit: it may be missing for a moment, it is never found too low
        engine.commit()
    assert found(engine, "", CLEARED) == [1]


@pytest.mark.parametrize("change", ["level", "access"])
def test_what_the_office_takes_away_is_gone_in_another_process_within_a_second(
    office, make_record, engine, tmp_path, change
):
    """Best of three: the clock is that of the whole machine, which also runs other tests. The bench has the spread."""
    follower = follow.Follower(engine)

    def seconds():
        record = make_record(subject="Kế hoạch huấn luyện")
        while follower.catch_up():
            continue
        follower.close()  # as a worker at rest: the right to write is taken again
        reach = tuple(Access.objects.filter(record=record).values_list("principal", flat=True))
        with watching(engine, tmp_path, Terms(Level.THUONG, (1,), reach)) as gone:
            began = time.time()
            if change == "level":
                Record.objects.filter(pk=record.pk).update(level=Level.TOI_MAT)
            else:
                Access.objects.filter(record=record).delete()
            audit.write(Action.RECORD_LEVEL, subject=record, actor=office.clerk, details={})
            time.sleep(0.3)  # the longest that a worker at rest waits before it looks (config.worker)
            assert follower.catch_up()
            return gone() - began

    assert any(seconds() < 1 for _ in range(3))
    follower.close()


def test_a_rebuild_knows_what_the_old_index_knew_before_it_answers(office, make_record, engine, monkeypatch):
    """A level raised after the record was copied, and followed by the old index, is followed before the swap."""
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    record = make_record(subject="Kế hoạch huấn luyện")
    follower = follow.Follower(engine)
    while follower.catch_up():
        continue
    terms = Terms(Level.THUONG, (1,), tuple(Access.objects.filter(record=record).values_list("principal", flat=True)))
    seen = []
    swap = engine.swap

    def raised_meanwhile(_done):
        Record.objects.filter(pk=record.pk).update(level=Level.TOI_MAT)
        audit.write(Action.RECORD_LEVEL, subject=record, actor=office.clerk, details={})
        while follower.catch_up():
            continue

    def swapped(new):
        seen.append(new.search(parse(""), terms, facets=()).total)
        swap(new)

    monkeypatch.setattr(engine, "swap", swapped)
    assert follow.rebuild(progress=raised_meanwhile) == 1
    assert seen == [0]
    assert [hit.level for hit in engine.stamps()] == [Level.TOI_MAT]
    follower.close()


def test_a_rebuild_that_fails_leaves_the_old_index_in_use_and_the_next_one_goes_through(
    office, make_record, engine, monkeypatch
):
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    make_record()
    follower = follow.Follower(engine)
    while follower.catch_up():
        continue
    follower.close()
    before = list(engine.stamps())

    def killed(_done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow.rebuild(progress=killed)
    assert list(engine.stamps()) == before
    assert follow.rebuild() == 1
    assert [hit.id for hit in engine.stamps()] == [hit.id for hit in before]


def test_an_index_of_another_history_is_built_anew(office, make_record, engine, monkeypatch):
    """A backup was restored under a running index: it says that it has followed more than the log holds."""
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    record = make_record()
    fill(engine, entry(record.pk, version=10_000), entry(9_999_999, version=10_000))
    engine.commit(position=10_000)
    follower = follow.Follower(engine)
    for _ in range(follow.IDLE_LOOKS):
        follower.catch_up()
    assert [hit.id for hit in engine.stamps()] == [record.pk]
    assert engine.position() < 10_000
    follower.close()
