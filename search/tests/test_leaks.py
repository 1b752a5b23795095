"""What may not be seen moves nothing: no count, facet, order, suggestion, passage or neighbour.

Each channel is looked at twice, before and after hidden records are put in: records of
a higher level, of another unit, of a marking that the reader does not open. The answers
that are held against the database are in `test_second_check`.
"""

import os
import random
import stat
import time
from dataclasses import replace
from datetime import date
from itertools import count

import pytest
import tantivy
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from search import periods
from search.correcting import corrections
from search.engine import IndexBroken
from search.engines import schema
from search.engines.compiling import Compiler
from search.engines.embedded import Embedded
from search.engines.keeping import Keeping
from search.entry import Excerpt, Order, Terms
from search.query import parse
from search.tests import make
from search.tests.make import CLEARED, EVERYONE, READER, ask, entry, fill, found
from search.units import Names

SECRET = "Chiến dịch Sao Băng"
QUERIES = [
    "diễn tập",
    "sao băng",
    "chiến dịch",
    "báo cáo",
    "vĩnh*",
    "diem~",
    "123",
    "",
    '"sao băng"',
    "-băng",
    "sao OR tập",
]


def seen_by(engine, terms: Terms) -> list[object]:
    """Return everything a reader can learn through any door."""
    learned: list[object] = [engine.count(terms)]
    for text in QUERIES:
        for order in Order:
            results = ask(engine, text, terms, order=order)
            learned += [results.hits, results.total, results.facets]
        learned.append(ask(engine, text, terms, filters={"type": ["Báo cáo"]}))
        learned.append(engine.excerpts(parse(text), terms, list(range(1, 60))))
    learned += [engine.suggest(typed, terms) for typed in ("sao", "sao b", "diễ", "chien d", "kế h", "12", "120")]
    learned += [engine.similar(number, terms) for number in (1, 2, 50, 51)]
    return learned


def visible() -> list[object]:
    bodies = ["Chiến dịch trồng cây của đoàn thanh niên cơ quan", "Tổng kết diễn tập khu vực phòng thủ", "Ngôi sao nhỏ"]
    return [
        entry(
            n,
            pages=(bodies[n % 3],) * 2,
            subject=f"Báo cáo {bodies[n % 3]}",
            issued_on=date(2024, 1, n),
            dossier="",
            dossier_key="",
        )
        for n in range(1, 10)
    ]


def hidden(**changes: object) -> list[object]:
    return [
        entry(
            50 + n,
            subject=f"{SECRET} diễn tập",
            pages=(f"{SECRET} chiến dịch trồng cây, đoàn thanh niên",) * 3,
            type_name="Kế hoạch mật",
            organ_name="Cục Z",
            unit="Phòng Z",
            unit_is=9,
            year=1999,
            number=f"12{n}/KH",
            **changes,
        )
        for n in range(6)
    ]


@pytest.mark.parametrize("why", [{"level": 1}, {"level": 3}, {"reach": (99,)}, {"marking": 2}, {"reach": ()}])
def test_hidden_records_change_nothing_that_can_be_seen(engine, why):
    fill(engine, *visible())
    before = seen_by(engine, READER)
    fill(engine, *hidden(**why))
    assert seen_by(engine, READER) == before
    engine.remove(range(50, 56))
    engine.commit()
    assert seen_by(engine, READER) == before


def test_the_hidden_records_are_there_for_those_who_may(engine):
    fill(engine, *visible(), *hidden(level=3, marking=2))
    assert ask(engine, "sao băng", CLEARED).total == 6
    assert "sao băng" in [one.text for one in engine.suggest("sao b", CLEARED)]


def test_one_hidden_record_with_a_code_word_does_not_move_the_one_that_is_seen(engine):
    """The published attack on shared indexes: the score of a visible hit falls with each hidden one."""
    fill(engine, entry(1, pages=("sao băng",), subject="x"), entry(2, pages=("băng qua sao",), subject="x"))
    before = found(engine, "sao băng")
    fill(engine, *(entry(100 + n, pages=("sao băng sao băng",), reach=(99,)) for n in range(200)))
    assert found(engine, "sao băng") == before


@pytest.mark.parametrize(
    "terms",
    [
        Terms(0, (), (EVERYONE,)),
        Terms(0, (1,), ()),
        Terms(-1, (1,), (EVERYONE,)),
        Terms(3, (2,), (EVERYONE,)),
        Terms(0, (1,), (8,)),
    ],
)
def test_without_level_marking_or_reach_nothing_is_seen(engine, terms):
    fill(engine, entry(1), entry(2, level=1))
    assert engine.count(terms) == 0
    assert ask(engine, "", terms).total == 0
    assert all(not values for values in ask(engine, "", terms).facets.values())
    assert engine.excerpts(parse("diễn tập"), terms, [1, 2]) == {}
    assert engine.suggest("dien", terms) == []
    assert engine.similar(1, terms) == []


def test_a_dated_grant_opens_one_record_and_never_a_higher_level(engine):
    fill(engine, entry(1, reach=(99,)), entry(2, reach=(99,)), entry(3, level=2), entry(4, marking=2))
    assert found(engine, "", Terms(0, (1,), (), ids=(1, 3, 4))) == [1]
    assert found(engine, "", Terms(0, (1,), (5,), ids=(1,))) == [1]


def test_a_level_lies_in_a_folder_of_its_own_for_the_owner_alone(tmp_path):
    engine = Embedded(tmp_path / "index")
    fill(engine, entry(1, level=0), entry(2, level=2, subject=SECRET))
    engine.release()
    (generation,) = (path for path in (tmp_path / "index").iterdir() if path.is_dir())
    levels = sorted(path.name for path in generation.iterdir() if path.is_dir())
    assert levels == ["level-0", "level-2"]
    for folder in (tmp_path / "index", generation, generation / "level-0", generation / "level-2"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    low = b"".join(path.read_bytes() for path in (generation / "level-0").iterdir() if path.is_file())
    assert b"Sao B" not in low
    assert b"bang" not in low


def test_a_reader_never_opens_an_index_above_the_level(tmp_path, monkeypatch):
    fill(Embedded(tmp_path / "index"), entry(1), entry(2, level=2))
    opened = []
    real = tantivy.Index
    monkeypatch.setattr(tantivy, "Index", lambda kept, path: opened.append(path) or real(kept, path=path))
    seen_by(Embedded(tmp_path / "index"), READER)
    assert [path.rsplit("-", 1)[1] for path in opened] == ["0"]


class Spy:
    """Counts the access clauses that a compiler puts into its queries."""

    def __init__(self, monkeypatch):
        self.times = 0
        real = Compiler._allowed

        def counted(compiler):
            self.times += 1
            return real(compiler)

        monkeypatch.setattr(Compiler, "_allowed", counted)


@given(st.text(alphabet='aăđ1/-"():*~. |ORNTặ', max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_query_leaves_without_the_access_clause(monkeypatch, text):
    with monkeypatch.context() as patched:
        spy = Spy(patched)
        compiler = Compiler(schema.build(), READER)
        root = parse(text).root
        for times, build in enumerate((compiler.matching, compiler.ranked), start=1):
            build(root)
            assert spy.times == times
        compiler.only([1])
        assert spy.times == 3


@given(st.text(alphabet='adep báocáodiễntập1/-"():*~ OR', max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
def test_no_query_text_reaches_past_the_terms(filled, text):
    for order in Order:
        hits = filled.search(parse(text), READER, order=order, limit=100).hits
        assert {hit.id for hit in hits} <= set(range(1, 10))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    engine = Embedded(tmp_path_factory.mktemp("leaks") / "index")
    fill(engine, *visible(), *hidden(level=2), *(entry(70 + n, reach=(99,)) for n in range(5)))
    engine.release()
    return engine


# --- the two traps of the library ---------------------------------------------------------
def test_deleting_by_term_deletes_nothing_and_so_is_never_used(tmp_path):
    """tantivy-py 0.27.0: an unsigned field, a silent no-op. If this fails the library has been mended."""
    index = tantivy.Index(schema.build(), path=str(tmp_path))
    writer = index.writer(15_000_000, 1)
    writer.add_document(schema.document(entry(1), Keeping(tmp_path)))
    writer.commit()
    writer.delete_documents_by_term("id", 1)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    assert index.searcher().num_docs == 1


def test_a_deletion_that_does_nothing_is_noticed(tmp_path, monkeypatch):
    engine = Embedded(tmp_path / "index")
    fill(engine, entry(1))
    monkeypatch.setattr("search.engines.shelf.Shelf.delete", lambda _shelf, _ids: None)
    engine.upsert([entry(1, version=2)])
    with pytest.raises(IndexBroken):
        engine.commit(position=9)
    assert engine.position() == 0
    engine.release()


def test_a_copy_left_behind_at_a_lower_level_is_noticed(tmp_path, monkeypatch):
    engine = Embedded(tmp_path / "index")
    fill(engine, entry(1))
    monkeypatch.setattr("search.engines.shelf.Shelf.delete", lambda _shelf, _ids: None)
    engine.upsert([entry(1, level=2, version=2)])
    with pytest.raises(IndexBroken):
        engine.commit()
    engine.release()


def test_a_passage_is_made_of_an_authorised_hit_only(engine):
    fill(engine, entry(1), entry(2, level=1), entry(3, reach=(99,)))
    shown = engine.excerpts(parse("diễn tập"), READER, [1, 2, 3])
    assert list(shown) == [1]
    assert isinstance(shown[1], Excerpt)


# --- random hidden records, every way in which a record can be hidden --------------------
TOPICS = ["diễn tập", "sao băng", "trồng cây", "UBND xã", "kế hoạch trường", "tnường ngọc", "2019", "báo cáo 123"]
WAYS = {
    "level": {"level": 1},
    "highest level": {"level": 3},
    "marking": {"marking": 2},
    "need to know": {"reach": (99,)},
    "nobody": {"reach": ()},
    "both": {"level": 2, "reach": (99,), "marking": 2},
}
HIDDEN = st.builds(
    lambda number, way, topics, name, year: entry(
        50 + number,
        number=f"12{number}/{name}-BCH",
        subject=f"{SECRET} {' '.join(topics)}",
        pages=(f"{' '.join(topics)} {name} chiến dịch",) * 2,
        type_name=f"Loại {name}",
        organ_name=f"Cục {name}",
        unit=f"Phòng {name}",
        unit_is=9,
        register_is=90 + number,
        retention=periods.words(f"years-{number + 1}"),
        period=f"years-{number + 1}",
        dossier=f"{year}.{number} {name}",
        dossier_key=f"{name}{number}",
        register_number=str(number),
        year=year,
        issued_on=date(year, 1 + number % 12, 1),
        urgency=number % 4,
        direction="outgoing",
        **WAYS[way],
    ),
    st.integers(0, 9),
    st.sampled_from(sorted(WAYS)),
    st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3),
    st.sampled_from(["kh", "bc", "zz", "diễn"]),
    st.integers(1999, 2030),
)
ASKED = [
    *QUERIES,
    "UBND",
    "kế hoạch",
    "trường",
    "12*",
    "loai:zz",
    "nam:2019",
    "123/BC",
    "hoso:kh",
    "thbq:9",
    "donvi:zz",
]


def learned_by(engine, terms: Terms) -> list[object]:
    """Return every answer of the port to one reader, corrections and errors of queries included."""
    learned = seen_by(engine, terms)
    for text in ASKED:
        query = parse(text)
        for order in Order:
            results = ask(engine, text, terms, order=order, offset=2, limit=3)
            learned += [results.hits, results.total, results.facets]
        learned += [corrections(engine, query, terms, Names()), engine.excerpts(query, terms, list(range(1, 60)))]
    learned += [engine.pairs(*pair, terms) for pair in (("sao", "bang"), ("bao", "cao"), ("dien", "tap"))]
    learned += [engine.suggest(typed, terms) for typed in ("bao cao ngoi s", "sao bang dien t", "tong ket dien t")]
    learned += [engine.spellings(word, terms) for word in ("bang", "băn", "sao", "tnuong", "truong", "dein", "zz")]
    learned += [ask(engine, "", terms, filters={"type": ["Loại zz"]}), ask(engine, "", terms, filters={"x": ["1"]})]
    return learned


@pytest.fixture
def before(engine):
    """The engine with what is visible, and everything that its reader can learn."""
    fill(engine, *visible())
    return learned_by(engine, READER)


@pytest.fixture
def versions():
    """Versions that only rise, as the log's length does: what an older one says of a removed record is refused."""
    return count(1)


EXAMPLES = {make.embedded: 36, make.elastic: 4}  # on a server each example is a dozen refreshes
LEAST = {make.embedded: 6, make.elastic: 2}  # asked however busy the machine is
LONGEST = 40  # seconds of one run: a busy machine draws fewer


def test_no_random_hidden_records_can_be_told_from_none(engine, open_engine, before, versions):
    """Drawn anew at every run; VANKHO_TEST_LEAK_SEED draws again what a failure names."""
    chance = int(os.environ.get("VANKHO_TEST_LEAK_SEED", "") or random.SystemRandom().getrandbits(32))
    until = time.monotonic() + LONGEST
    done: list[int] = []

    @seed(chance)
    @settings(max_examples=EXAMPLES[open_engine], deadline=None, derandomize=False, database=None)
    @given(secrets=st.lists(HIDDEN, min_size=1, max_size=6, unique_by=lambda one: one.id), step=st.integers(1, 2**20))
    def look(secrets, step):
        if time.monotonic() > until and len(done) >= LEAST[open_engine]:
            return
        version = next(versions) * 2**20 + step
        fill(engine, *(replace(one, version=version) for one in secrets))
        try:
            assert learned_by(engine, READER) == before
            done.append(step)
        finally:
            engine.remove(range(50, 60))
            engine.commit()

    try:
        look()
    except (AssertionError, ExceptionGroup) as told:
        told.add_note(f"VANKHO_TEST_LEAK_SEED={chance} draws these records again")
        raise
    assert len(done) >= LEAST[open_engine]


def test_what_a_stale_index_opens_and_the_database_closes_is_left_out_everywhere(engine, before):
    """`Terms.but`: what the database closes moves nothing, though level, marking and reach of the index open it."""
    fill(engine, *(replace(one, id=one.id + 10) for one in hidden()))
    closed = replace(READER, but=tuple(range(60, 66)))
    assert engine.count(READER) > engine.count(closed)
    assert learned_by(engine, closed) == before
