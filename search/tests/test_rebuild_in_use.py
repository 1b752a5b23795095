"""A rebuild while the office searches and writes: no search misses what was there, no write is lost."""

import threading
import time
from functools import partial

import pytest
from django.db import connections, transaction

from archive import audit, sequencing
from archive.models import Record
from archive.rules.roles import Action
from search import drift, finding, follow
from search.query import parse
from search.tests.make import entry

BEFORE = 8  # records that every search must find from the first to the last
REBUILDS = 2  # the second clears away the index that the first searches were answered from


class Busy(threading.Thread):
    """Does an act again and again until told to stop; keeps what it answered, and what went wrong."""

    def __init__(self, act):
        super().__init__(daemon=True)
        self.act, self.answers, self.faults = act, [], []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                self.answers.append(self.act())
            except Exception as fault:  # noqa: BLE001 - whatever it was, the test says it
                self.faults.append(fault)
            time.sleep(0.005)
        connections.close_all()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_fault):
        self.stopping.set()
        self.join(20)


def caught_up(follower):
    """Follow to the end of the log; a look that finds the engine busy or slow passes nothing and is done again."""
    until = time.monotonic() + 60
    sequencing.place_all()
    while follower.catch_up() or (follower.reached < follow.log_length() and time.monotonic() < until):
        continue


def test_a_step_is_written_where_its_position_was_read_whatever_is_swapped_in_meanwhile(engine, beside):
    """In the middle of a step a rebuild ends that has followed less: its position must not be told as that of the step."""
    engine.upsert([entry(1), entry(2)])
    engine.commit(position=2)
    new = beside.open_new_generation()
    new.upsert([entry(1)])
    new.commit(position=1)
    assert engine.take_up() == 2
    engine.upsert([entry(3)])
    beside.swap(new)
    engine.remove([])
    engine.commit(position=3)
    assert [hit.id for hit in beside.stamps()] == [1]
    assert engine.take_up() == beside.position() == 1
    engine.upsert([entry(2), entry(3)])
    engine.commit(position=3)
    assert [hit.id for hit in beside.stamps()] == [1, 2, 3]


@pytest.mark.parametrize("moment", ["entries", "log_length"])
@pytest.mark.django_db(transaction=True)
def test_a_follower_overtaken_by_a_rebuild_in_the_middle_of_a_step_leaves_nothing_out(
    office, make_record, engine, beside, open_engine, tmp_path, monkeypatch, moment
):
    monkeypatch.setattr(follow, "open_engine", lambda: open_engine(tmp_path))
    follower = follow.Follower(engine)
    records = [make_record(subject=f"Kế hoạch huấn luyện {number}") for number in range(3)]
    caught_up(follower)
    plain, waiting, swap = getattr(follow, moment), [], type(engine).swap

    def follows_first(self, new):
        """What the old index follows after the new one was last looked at, and before that is the current one."""
        records.append(make_record(subject="Thông báo trực ban"))
        caught_up(follower)
        records.append(make_record(subject="Quyết định khen thưởng"))
        sequencing.place_all()
        waiting.append(partial(swap, self, new))
        monkeypatch.setattr(follow, moment, overtaken)
        follower.catch_up()

    def overtaken(*asked, **named):
        monkeypatch.setattr(follow, moment, plain)
        waiting.pop()()
        return plain(*asked, **named)

    monkeypatch.setattr(type(engine), "swap", follows_first)
    follow.rebuild()
    caught_up(follower)
    assert not waiting
    assert {hit.id for hit in beside.stamps()} == {record.pk for record in records}
    assert drift.check(beside).ids == set()
    follower.close()


@pytest.mark.django_db(transaction=True)
def test_searches_and_writes_go_on_through_the_build_and_the_swap(
    office, make_record, engine, beside, open_engine, tmp_path, monkeypatch
):
    monkeypatch.setattr(follow, "open_engine", lambda: open_engine(tmp_path))
    monkeypatch.setattr(finding, "engine", lambda: beside)  # the web process has an engine of its own
    monkeypatch.setattr(follow, "BATCH", 5)
    follower = follow.Follower(engine)
    first = [make_record(subject=f"Kế hoạch huấn luyện {number}") for number in range(BEFORE)]
    caught_up(follower)
    swaps = []
    changed = iter(range(10**6))

    def search():
        began = time.monotonic()
        answer = finding.find(parse("huan luyen"), office.archivist, filters={}, order=finding.Order.NEWEST, offset=0)
        inside = beside.search(parse("huan luyen"), finding.terms_of(office.archivist), facets=())
        return began, time.monotonic(), answer.total, len(answer.found), inside.total

    def write():
        """Register one and change an old one, and let the follower of a worker index both."""
        number = next(changed)
        record = make_record(subject=f"Kế hoạch huấn luyện mới {number}")
        with transaction.atomic():
            Record.objects.filter(pk=first[number % BEFORE].pk).update(subject=f"Kế hoạch huấn luyện sửa {number}")
            audit.write(Action.RECORD_CORRECT, subject=first[number % BEFORE], actor=office.clerk, details={})
        follower.catch_up()
        return record.pk

    with Busy(search) as reader, Busy(write) as writer:
        for _ in range(REBUILDS):
            began = time.monotonic()
            follow.rebuild(progress=lambda _done: time.sleep(0.02))
            swaps.append((began, time.monotonic()))
            time.sleep(0.1)
    caught_up(follower)
    follower.close()

    assert (reader.faults, writer.faults) == ([], [])
    assert min(min(answer[2:3] + answer[4:]) for answer in reader.answers) >= BEFORE
    assert min(found for *_, found, _inside in reader.answers) >= BEFORE
    during = [answer for answer in reader.answers if any(answer[0] < end and answer[1] > start for start, end in swaps)]
    assert len(during) >= REBUILDS
    assert len(writer.answers) >= REBUILDS
    assert {hit.id for hit in engine.stamps()} == {record.pk for record in first} | set(writer.answers)
    assert drift.check(engine).ids == set()
