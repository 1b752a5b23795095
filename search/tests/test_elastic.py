"""Claims about the Elasticsearch driver alone: a server that misbehaves, generations, rebuilds that are cut off."""

import json
import time

import pytest

from config.tests.unsteady import Fault, Unsteady
from search import follow
from search.engine import EngineAway, EngineBusy, IndexBroken
from search.engines.elastic import looking, warming
from search.engines.elastic import server as calling
from search.engines.elastic.driver import Elastic
from search.engines.elastic.generations import Generations
from search.engines.elastic.server import EngineRefused, Server
from search.entry import Order, Suggestion
from search.query import parse
from search.tests import make
from search.tests.make import CLEARED, READER, ask, entry, fill, found

pytestmark = pytest.mark.engine

JSON = {"Content-Type": "application/vnd.elasticsearch+json;compatible-with=8", "X-Elastic-Product": "Elasticsearch"}


@pytest.fixture
def engine(tmp_path):
    """The engine with the server itself."""
    yield from make.opened(make.elastic, tmp_path)


@pytest.fixture
def generations(engine, tmp_path):
    """What lies on the server for this test."""
    return Generations(make.elasticsearch(), make.prefix_of(tmp_path))


@pytest.fixture
def proxy(monkeypatch):
    """A proxy before the server; those behind it who wait for a page wait two seconds instead of five."""
    with Unsteady(address()) as proxy:
        monkeypatch.setattr(calling._BriefNode, "seconds", 2.0)
        monkeypatch.setattr(calling, "PAUSE_SECONDS", 0.3)
        yield proxy


@pytest.fixture
def through(proxy, engine, tmp_path):
    """An engine of the same place whose calls go through the proxy."""
    fill(engine, entry(1))
    engine.release()
    server = Server(proxy.url)
    other = Elastic(server, make.prefix_of(tmp_path))
    yield other
    proxy.heal()
    time.sleep(calling.PAUSE_SECONDS)
    other.release()
    server.close()


def address():
    make.elasticsearch()  # skips or fails without one
    return make.os.environ["VANKHO_TEST_ELASTICSEARCH_URL"]


def healed(proxy):
    proxy.heal()
    time.sleep(calling.PAUSE_SECONDS)


# --- a server that is away, slow, cut off ---------------------------------------------------
AWAY = [
    Fault("refuse"),
    Fault("silent"),
    Fault("slow", seconds=4.0),
    Fault("cut_answer", after=20),
    Fault("lose_answer"),
    Fault("answer", status=503, body=b"{}", headers=JSON),
    Fault("answer", status=429, body=b"{}", headers=JSON),
    Fault("answer", status=502, body=b"<html>a proxy speaks</html>"),
    Fault("answer", status=301, headers={"Location": "http://127.0.0.1:9/"}),
]


@pytest.mark.parametrize("fault", AWAY, ids=lambda one: f"{one.kind}-{one.status}")
def test_a_search_says_that_the_server_is_away_and_finds_again_when_it_is_back(through, proxy, fault):
    proxy.wrong(fault)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(EngineAway):
            ask(through, "diễn tập")
    assert time.monotonic() - began < 8
    healed(proxy)
    assert found(through, "diễn tập") == [1]


def test_a_silent_server_is_not_called_again_for_a_moment_by_anybody(through, proxy):
    proxy.wrong(Fault("refuse"))
    with pytest.raises(EngineAway):
        ask(through, "diễn tập")
    seen, began = len(proxy.seen), time.monotonic()
    for act in (lambda: through.count(READER), through.position, lambda: through.suggest("die", READER)) * 10:
        with pytest.raises(EngineAway):
            act()
    assert len(proxy.seen) == seen
    assert time.monotonic() - began < calling.PAUSE_SECONDS


def test_one_answer_that_was_slow_keeps_nobody_else_from_asking(through, proxy):
    proxy.wrong(Fault("slow", on="search", seconds=4.0, times=1))
    with pytest.raises(EngineAway):
        ask(through, "diễn tập")
    assert found(through, "diễn tập") == [1]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("refuse", on="_bulk"),
        Fault("cut_request", on="_bulk", after=100),
        Fault("lose_answer", on="_bulk"),  # the work was done
        Fault("answer", on="_bulk", status=429, body=b"{}", headers=JSON),
        Fault("refuse", on="_refresh"),
        Fault("lose_answer", on="position"),
    ],
    ids=lambda one: f"{one.kind}-{one.on}",
)
def test_changes_that_were_cut_off_are_written_again_and_each_record_is_there_once(through, proxy, fault):
    fill(through, entry(1, level=1), entry(2))
    proxy.wrong(fault)
    with pytest.raises(EngineAway):
        _write_again(through)
    healed(proxy)
    through.release()
    _write_again(through)
    assert [(hit.id, hit.version, hit.level) for hit in through.stamps()] == [(1, 2, 2), (2, 2, 0), (3, 2, 0)]
    assert through.position() == 9


def _write_again(engine):
    engine.upsert([entry(1, level=2, version=2), entry(2, version=2), entry(3, version=2)])
    engine.commit(position=9)


def test_a_bulk_of_which_a_part_is_rejected_is_not_done(through, proxy):
    fill(through, entry(1))
    rejected = {"status": 429, "error": {"type": "es_rejected_execution_exception"}}
    items = [{"index": {"_index": "x", "_id": "2", "result": "created", "status": 201}}, {"index": rejected}]
    body = json.dumps({"took": 1, "errors": True, "items": items}).encode()
    through.upsert([entry(2), entry(3)])
    proxy.wrong(Fault("answer", on="_bulk", status=200, body=body, headers=JSON))
    with pytest.raises(EngineAway, match="429"):
        through.commit(position=5)
    assert through.position() == 0
    healed(proxy)
    through.release()
    through.upsert([entry(2), entry(3)])
    through.commit(position=5)
    assert found(through, "", limit=5) == [3, 2, 1]


def test_an_older_writer_passes_nothing_over_that_a_newer_one_never_put_in_its_place(engine):
    """The newer one told the other levels of its version and was cut off: the record is nowhere."""
    engine.upsert([entry(1, version=9)])
    engine.release()
    with pytest.raises(EngineBusy):
        fill(engine, entry(1, version=5), entry(2, version=5))
    assert engine.position() == 0
    fill(engine, entry(1, version=9), entry(2, version=9))
    fill(engine, entry(1, version=5))  # this newer one is held: passed over, as it should be
    assert [(hit.id, hit.version) for hit in engine.stamps()] == [(1, 9), (2, 9)]


def test_a_right_that_could_not_be_given_back_is_taken_up_again_at_once(through, proxy):
    through.upsert([entry(1)])
    proxy.wrong(Fault("refuse"))
    with pytest.raises(EngineAway):
        through.release()
    healed(proxy)
    fill(through, entry(1))
    assert through.count(READER) == 1


def test_an_error_never_repeats_what_was_asked(through, proxy):
    fill(through, entry(1))
    body = json.dumps({"error": {"type": "parsing_exception", "reason": "sao băng"}, "status": 400}).encode()
    proxy.wrong(Fault("answer", on="_search", status=400, body=body, headers=JSON))
    with pytest.raises(EngineRefused) as refused:
        ask(through, "sao băng")
    assert "băng" not in repr(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_follower_waits_for_a_server_that_is_away_and_catches_up_by_itself(office, make_record, through, proxy):
    through.remove([1])
    through.commit()
    follower = follow.Follower(through)
    while follower.catch_up():
        continue
    make_record(subject="Kế hoạch bắn đạn thật")
    for fault in (Fault("refuse"), Fault("silent"), Fault("lose_answer", on="_bulk"), Fault("refuse", on="position")):
        proxy.wrong(fault)
        assert [follower.catch_up() for _ in range(2)] == [0, 0]
        healed(proxy)
    until = time.monotonic() + 20
    while not follower.catch_up() and time.monotonic() < until:
        time.sleep(0.1)
    assert len(list(through.stamps())) == 1
    follower.close()


# --- generations ----------------------------------------------------------------------------
def test_a_rebuild_that_was_killed_leaves_the_old_index_serving_and_is_cleared_away(engine, generations, monkeypatch):
    monkeypatch.setattr("search.engines.elastic.generations.LEASE_SECONDS", 2.0)
    fill(engine, entry(1))
    half = engine.open_new_generation()
    fill(half, entry(2), entry(3))
    assert found(engine, "") == [1]
    rebuilder = Elastic(make.elasticsearch(), generations.prefix)
    with pytest.raises(EngineBusy):
        rebuilder.open_new_generation()  # as far as it can know the other is still at work
    time.sleep(2.1)  # it was killed: its right runs out
    new = rebuilder.open_new_generation()
    assert not set(half._pinned.levels()) & set(_names(generations))
    fill(new, entry(4))
    rebuilder.swap(new)
    assert found(engine, "") == [4]


def test_the_generation_before_is_kept_until_the_next_is_begun(engine, generations):
    fill(engine, entry(1))
    for _ in range(3):
        new = engine.open_new_generation()
        fill(new, entry(1))
        engine.swap(new)
        stamps = {name.rsplit("-", 2)[1] for name in _names(generations)}
        assert len(stamps) == 2


def test_a_generation_that_a_follower_still_writes_is_not_cleared_away_under_it(engine, generations):
    follower = Elastic(make.elasticsearch(), generations.prefix)
    follower.upsert([entry(1)])  # in the middle of its work when the next two rebuilds go by
    for _ in range(2):
        new = engine.open_new_generation()
        fill(new, entry(1))
        engine.swap(new)
    follower.commit()
    assert follower.take_up() == 0
    fill(follower, entry(2))
    follower.release()
    assert found(engine, "") == [2, 1]
    new = engine.open_new_generation()
    fill(new, entry(1))
    engine.swap(new)
    assert len({name.rsplit("-", 2)[1] for name in _names(generations)}) == 2


def test_an_index_in_several_shards_answers_as_one_in_one(engine, tmp_path):
    parts = Elastic(make.elasticsearch(), f"{make.prefix_of(tmp_path)}parts", shards=3)
    entries = [entry(number, year=2000 + number % 7, urgency=number % 3) for number in range(1, 41)]
    try:
        for one in (engine, parts):
            fill(one, *entries)
        for order in Order:
            asked = [one.search(parse("diễn tập"), READER, order=order, limit=15) for one in (engine, parts)]
            assert asked[0].total == 40
            assert asked[0] == asked[1]
    finally:
        parts.release()
        Generations(make.elasticsearch(), f"{make.prefix_of(tmp_path)}parts").clear()


def test_an_index_that_was_deleted_while_it_was_filled_is_never_put_in_use(engine):
    fill(engine, entry(1))
    new = engine.open_new_generation()
    fill(new, entry(2))
    make.elasticsearch().delete([new._pinned.level(0)])
    fill(new, entry(2, version=2))  # the server makes an index by itself
    with pytest.raises(IndexBroken):
        engine.swap(new)
    assert found(engine, "") == [1]


def test_no_index_above_the_level_is_named_in_a_request(through, proxy):
    fill(through, entry(1), entry(2, level=2))
    proxy.seen.clear()
    ask(through, "diễn tập", READER)
    through.suggest("diễ", READER)
    through.similar(1, READER)
    through.excerpts(make.parse("diễn"), READER, [1, 2])
    assert proxy.seen
    assert not any("-l1" in line or "-l2" in line for line in proxy.seen)
    ask(through, "diễn tập", CLEARED)
    assert "-l3" in proxy.seen[-1]


def test_a_shard_that_fails_one_of_several_questions_is_no_answer(through, proxy):
    whole = {"status": 200, "hits": {"hits": []}}
    half = {"status": 503, "error": {"type": "search_phase_execution_exception"}}
    body = json.dumps({"took": 1, "responses": [whole, half]}).encode()
    proxy.wrong(Fault("answer", on="_msearch", status=200, body=body, headers=JSON))
    with pytest.raises(EngineAway, match="503"):
        through.newest([parse("diễn"), parse("tập")], READER, limit=5)


# --- what a beginning of very many records costs --------------------------------------------
def test_a_suggestion_looks_at_some_records_of_a_beginning_and_says_so(engine, monkeypatch):
    monkeypatch.setitem(looking.SAMPLED, "hint", 3)
    fill(engine, *(entry(number, subject="Kế hoạch năm") for number in range(1, 11)), entry(11, subject="Kê khai"))
    (offered,) = engine.suggest("ke ho", READER)
    assert (offered.text, offered.is_least) == ("kế hoạch", True)
    assert 1 <= offered.count < 10
    assert engine.suggest("ke kh", READER) == [Suggestion("kê khai", 1)]  # few: each was looked at


def test_a_suggestion_of_a_part_of_the_records_never_looks_at_hidden_ones(engine, monkeypatch):
    monkeypatch.setitem(looking.SAMPLED, "hint", 3)
    hidden = [entry(number, subject="Kế hoạch sao băng", reach=(99,)) for number in range(1, 30)]
    fill(engine, *hidden, entry(30, subject="Kế hoạch năm"), entry(31, subject="Kế hoạch quý"))
    assert [(one.text, one.count) for one in engine.suggest("ke hoa", READER)] == [("Kế hoạch".lower(), 2)]
    assert {one.text for one in engine.suggest("hoach", READER)} == {"hoạch năm", "hoạch quý"}


def _names(generations):
    return generations.server.names(f"{generations.prefix}-s*")


def test_a_server_that_has_just_begun_is_asked_until_it_has_answered_enough(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(warming, "ENOUGH", 12)
    monkeypatch.setattr(warming, "SLICE_SECONDS", 0.02)
    assert engine.warm([entry(1)])  # no index yet
    fill(engine, entry(1, subject="Kế hoạch huấn luyện"), entry(2, subject=""))
    assert engine.warm([])  # nobody has anything to ask for
    aliases, asked = Generations(make.elasticsearch(), make.prefix_of(tmp_path)).aliases(0), []
    sample = [entry(1, subject="Kế hoạch huấn luyện"), entry(2, subject="")]
    while not engine.warm(iter(sample)):
        asked.append(make.elasticsearch().asked(aliases))
    assert asked == sorted(set(asked))
    assert asked[-1] >= 12
    assert make.elasticsearch().asked(aliases) == asked[-1]  # of a server at work nothing is asked


def test_what_a_server_is_warmed_with_names_no_index_above_the_record(through, proxy):
    proxy.seen.clear()
    through.warm([entry(1, level=1)])
    searches = [line for line in proxy.seen if "_search" in line]
    assert searches
    assert not any("-l2" in line or "-l3" in line for line in searches)
