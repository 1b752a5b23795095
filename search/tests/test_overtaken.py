"""Somebody else writes in the middle of what one does: nothing that was newer is undone, and nobody is told what is closed."""

from dataclasses import replace
from functools import partial

import pytest
from django.db import OperationalError, transaction

from archive import sequencing
from archive.rules.levels import Level
from search import drift, finding, follow, news, saving
from search.engine import EngineBusy
from search.engines.elastic import generations
from search.entry import Order
from search.query import parse
from search.tests.make import elastic, entry, fill, found, opened
from search.tests.test_rebuild_in_use import caught_up
from search.tests.test_second_check import close

pytestmark = pytest.mark.django_db(transaction=True)


def one_time(monkeypatch, owner, name, act, *, after=False):
    """Have something done once just before (or after) a function works."""
    plain = getattr(owner, name)

    def overtaken(*asked, **named):
        monkeypatch.setattr(owner, name, plain)
        if after:
            answer = plain(*asked, **named)
            act()
            return answer
        act()
        return plain(*asked, **named)

    monkeypatch.setattr(owner, name, overtaken)


@pytest.fixture
def installed(engine, beside, monkeypatch):
    """The engine of the office's worker; `beside` is that of the pages."""
    monkeypatch.setattr(follow, "open_engine", lambda: engine)
    monkeypatch.setattr(finding, "engine", lambda: beside)
    return follow.Follower(engine)


@pytest.fixture
def built(engine, open_engine, tmp_path):
    """Call it to have a generation built aside with what the log holds now, and how to swap it in."""

    def build():
        rebuilding = open_engine(tmp_path)
        new = rebuilding.open_new_generation()
        replay = follow.Follower(new)
        caught_up(replay)
        return partial(rebuilding.swap, new)

    return build


@pytest.mark.parametrize("how", ["level", "need to know"])
def test_an_index_swapped_in_between_terms_and_search_counts_nothing_that_the_old_one_knew_to_be_closed(
    office, make_record, installed, built, monkeypatch, how
):
    """What has been closed is not on the page asked for: its total and facets alone could tell."""
    monkeypatch.setattr(finding, "PER_PAGE", 1)
    closed = make_record(subject="Chiến dịch Sao Băng")
    make_record(subject="Kế hoạch huấn luyện")
    caught_up(installed)
    swap = built()
    with transaction.atomic():
        close(closed, office, how)
    caught_up(installed)
    ask = partial(finding.find, parse(""), office.archivist, filters={}, order=Order.NEWEST, offset=0)
    before = ask()
    one_time(monkeypatch, finding, "_read", swap, after=True)
    during = ask()
    assert (before.total, during.total, ask().total) == (1, 1, 1)
    assert during.facets == before.facets
    installed.close()


def test_an_alert_looked_at_during_a_swap_passes_over_nothing(office, make_record, installed, built, monkeypatch):
    kept = saving.keep(saving.Wanted("Diễn tập", "diễn tập", Level.THUONG), actor=office.archivist)
    saving.watch(kept, actor=office.archivist)
    swap = built()
    make_record(subject="Diễn tập khu vực phòng thủ")
    caught_up(installed)
    one_time(monkeypatch, news, "_came", swap)
    told = news.of_query(kept, office.archivist)
    saving.looked(told.alert, upto=told.upto, at=told.at)
    caught_up(installed)
    assert told.count + news.of_query(kept, office.archivist).count == 1
    installed.close()


def test_a_step_overtaken_by_another_follower_is_looked_at_anew(
    office, make_record, engine, beside, installed, monkeypatch
):
    make_record(), caught_up(installed), make_record(), make_record()
    sequencing.place_all()
    slow, reached = follow.Follower(beside), []

    def overtaken():
        caught_up(installed)
        engine.release()
        reached.append(engine.position())

    one_time(monkeypatch, beside, "take_up", overtaken, after=True)
    with pytest.raises(EngineBusy):
        slow.follow(limit=1)
    assert engine.position() == reached[0]
    assert drift.check(engine).ids == set()


def test_of_a_step_that_failed_nothing_waits_and_another_may_write(
    office, make_record, engine, beside, installed, monkeypatch
):
    record = make_record()
    sequencing.place_all()

    def cut():
        raise OperationalError

    one_time(monkeypatch, engine, "commit", cut)
    with pytest.raises(OperationalError):
        installed.catch_up()
    fill(beside, *follow.entries([record.pk], version=follow.log_length()))
    beside.release()
    engine.commit()
    assert [hit.id for hit in beside.stamps()] == [record.pk]


def test_a_repair_undoes_nothing_that_a_follower_writes_meanwhile(
    office, make_record, engine, beside, installed, monkeypatch
):
    """Terms read between the two know the record to be closed, from the index or from the log."""
    closed = make_record(subject="Chiến dịch Sao Băng")
    caught_up(installed)
    engine.release()
    terms, entries = [], drift.entries

    def read_then_overtaken(*asked, **named):
        read = list(entries(*asked, **named))
        with transaction.atomic():
            close(closed, office, "level")
        sequencing.place_all()
        installed.catch_up()
        installed.close()
        terms.append(finding.terms_of(office.archivist))
        return iter(read)

    monkeypatch.setattr(drift, "entries", read_then_overtaken)
    drift.repair(beside, drift.Drift(stale={closed.pk}))
    assert beside.search(parse(""), terms[0]).total == 0


def test_a_record_too_low_that_was_written_after_the_position_is_put_in_its_place(make_record, engine, installed):
    """The log is longer than what has been followed of it: reading makes it so."""
    record = make_record()
    caught_up(installed)
    (right,) = follow.entries([record.pk], version=follow.log_length())
    engine.remove([record.pk])
    engine.commit()
    fill(engine, replace(right, level=right.level + 1))
    engine.commit(position=1)
    drift.repair(engine, drift.Drift(misplaced={record.pk}))
    assert [(hit.id, hit.level) for hit in engine.stamps()] == [(record.pk, right.level)]


@pytest.mark.engine
def test_a_writer_that_slept_past_its_right_drops_what_waits(tmp_path, monkeypatch):
    for name in ("LEASE_SECONDS", "_RENEW_BEFORE_SECONDS"):
        monkeypatch.setattr(generations, name, 0.0)
    for engine in opened(elastic, tmp_path):
        fill(engine, entry(1))
        engine.release()
        slow = elastic(tmp_path)
        assert slow.take_up() == 0
        slow.remove([1])
        fill(engine, entry(1, version=2))
        engine.release()
        with pytest.raises(EngineBusy):
            slow.commit(position=1)
        slow.release()
        assert found(engine, "") == [1]
