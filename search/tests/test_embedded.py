"""Claims about the embedded driver alone: several processes, generations, crashes, memory given back."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from search.engine import EngineBusy
from search.engines import listing, schema
from search.engines.embedded import Embedded
from search.engines.schema import SCHEMA
from search.entry import Bucket, Terms
from search.query import parse
from search.tests.make import CLEARED, FILING, READER, entry, fill, found


def test_another_process_sees_a_commit_at_its_next_search(tmp_path):
    writer, reader = Embedded(tmp_path), Embedded(tmp_path)
    assert reader.count(READER) == 0
    for number in range(1, 5):
        fill(writer, entry(number, level=number % 2))
        assert reader.count(CLEARED) == number


def test_another_process_notices_a_new_generation(tmp_path):
    writer, reader = Embedded(tmp_path), Embedded(tmp_path)
    fill(writer, entry(1))
    assert reader.count(READER) == 1
    new = writer.open_new_generation()
    fill(new, entry(2), entry(3))
    assert reader.count(READER) == 1
    writer.swap(new)
    assert found(reader, "") == [3, 2]


def test_a_writer_moves_to_the_generation_that_has_become_current(tmp_path):
    follower, rebuilder = Embedded(tmp_path), Embedded(tmp_path)
    fill(follower, entry(1))
    new = rebuilder.open_new_generation()
    fill(new, entry(1))
    new.commit(position=3)
    follower.upsert([entry(2)])
    rebuilder.swap(new)
    follower.commit(position=8)  # goes to the generation it was written to
    assert follower.take_up() == 3
    fill(follower, entry(2))
    assert follower.count(READER) == 2
    follower.release()


def test_the_generation_before_is_kept_until_the_next_is_begun(tmp_path):
    engine = Embedded(tmp_path)
    fill(engine, entry(1))
    for _ in range(3):
        new = engine.open_new_generation()
        fill(new, entry(1))
        engine.swap(new)
        assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_a_generation_that_a_follower_still_holds_is_not_cleared_away_under_it(tmp_path):
    follower, rebuilding = Embedded(tmp_path), Embedded(tmp_path)
    follower.upsert([entry(1)])  # in the middle of its work when the next two rebuilds go by
    for _ in range(2):
        new = rebuilding.open_new_generation()
        fill(new, entry(1))
        rebuilding.swap(new)
    follower.commit()
    assert follower.take_up() == 0
    fill(follower, entry(2))
    follower.release()
    assert found(rebuilding, "") == [2, 1]
    new = rebuilding.open_new_generation()
    fill(new, entry(1))
    rebuilding.swap(new)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_an_index_of_another_schema_is_not_read(tmp_path):
    engine = Embedded(tmp_path)
    fill(engine, entry(1))
    engine.commit(position=5)
    engine.release()
    old = next(path for path in tmp_path.iterdir() if path.is_dir())
    old.rename(tmp_path / f"s{SCHEMA + 1}-000001")
    (tmp_path / "current").write_text(f"s{SCHEMA + 1}-000001", encoding="ascii")
    engine = Embedded(tmp_path)
    assert engine.count(READER) == 0
    assert engine.position() == 0
    fill(engine, entry(2))
    assert engine.count(READER) == 1
    engine.release()


def test_the_writer_and_its_threads_are_gone_after_release(tmp_path):
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    engine = Embedded(tmp_path)
    fill(engine, entry(1))
    while_writing = threads()
    engine.release()
    deadline = time.monotonic() + 5
    while threads() >= while_writing and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads() < while_writing


WRITER = """
import sys
from pathlib import Path
from search.engines import listing, schema
from search.engines.embedded import Embedded
from search.tests.make import entry
engine = Embedded(Path(sys.argv[1]))
for version in range(1, 1000):
    engine.upsert([entry(n, version=version, level=(n + version) % 4) for n in range(1, 30)])
    engine.commit(position=version)
    print(version, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path):
    for after in (1, 4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            text=True,
        )
        with process:
            for _ in range(after):
                acknowledged = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        engine = Embedded(tmp_path)
        assert engine.position() >= acknowledged
        stamps = list(engine.stamps())
        assert len({hit.id for hit in stamps}) == len(stamps)
        assert all(hit.version >= acknowledged for hit in stamps)
        fill(engine, *(entry(n, version=2000) for n in range(1, 30)))
        assert engine.count(READER) == 29
        assert len(list(engine.stamps())) == 29
        engine.remove(range(1, 30))
        engine.commit(position=0)
        engine.release()


def test_a_facet_of_more_values_than_a_shelf_gives_is_counted_in_full(tmp_path, monkeypatch):
    monkeypatch.setattr("search.engines.listing._ASKED_VALUES", 3)
    monkeypatch.setattr("search.engines.listing.SHOWN_VALUES", 3)
    engine = Embedded(tmp_path)
    # On shelf 0 "c" is fourth and kept back, on shelf 1 it is first.
    low, high = ["a"] * 5 + ["b"] * 4 + ["e"] * 4 + ["c"] * 3, ["c"] * 6 + ["d"] * 2 + ["a"]
    fill(engine, *(entry(n, level=0, dossier_key=name) for n, name in enumerate(low, start=1)))
    fill(engine, *(entry(n, level=1, dossier_key=name) for n, name in enumerate(high, start=50)))
    results = engine.search(parse(""), CLEARED)
    assert [(one.value, one.count) for one in results.facets["dossier"]] == [("c", 9), ("a", 6), ("b", 4)]


def _dossiers(engine: Embedded, reader: Terms) -> list[tuple[str, int]]:
    return [(one.value, one.count) for one in engine.search(parse(""), reader).facets["dossier"]]


def test_values_that_share_a_key_are_told_apart_and_a_hidden_one_is_not_named(tmp_path, monkeypatch):
    monkeypatch.setattr("search.engines.schema.key_of", lambda value: len(value) // 5)
    schema.term_of.cache_clear()
    engine = Embedded(tmp_path)
    fill(
        engine, *(entry(n, dossier_key=name) for n, name in enumerate(["sao a"] * 3 + ["sao b"] * 2 + ["kho"], start=1))
    )
    fill(
        engine,
        entry(20, dossier_key="sao c", reach=(99,)),
        entry(21, dossier_key="sao d", level=1),
        entry(22, dossier_key="sao a", level=1),
    )
    assert _dossiers(engine, READER) == [("sao a", 3), ("sao b", 2), ("kho", 1)]
    assert _dossiers(engine, CLEARED) == [("sao a", 4), ("sao b", 2), ("kho", 1), ("sao d", 1)]
    assert engine.search(parse(""), CLEARED, filters={"dossier": ["sao b"]}).total == 2
    engine.remove([1, 2, 3])
    engine.commit()
    assert _dossiers(engine, READER) == [("sao b", 2), ("kho", 1)]
    engine.release()
    schema.term_of.cache_clear()


def test_names_are_read_only_of_values_the_reader_has_a_hit_of(tmp_path, monkeypatch):
    asked = []
    read = listing.values_of
    monkeypatch.setattr(
        listing, "values_of", lambda view, name, key: asked.append((name, key)) or read(view, name, key)
    )
    engine = Embedded(tmp_path)
    fill(engine, entry(1, register_is=1), entry(2, register_is=2, reach=(99,)))
    engine.release()
    assert engine.search(parse(""), READER).facets["register"] == (Bucket("1", 1),)
    assert ("register", schema.key_of("1")) in asked
    assert ("register", schema.key_of("2")) not in asked


def test_a_title_that_several_units_use_is_counted_for_the_units_the_reader_knows(tmp_path):
    engine = Embedded(tmp_path)
    filed = [(FILING, "chung"), (FILING, "riêng"), (8, "chung"), (8, "lạ"), (9, "chung")]
    fill(engine, *(entry(n, dossier_key=title, filed_in=unit) for n, (unit, title) in enumerate(filed, start=1)))
    engine.release()
    assert _dossiers(engine, READER) == [("chung", 1), ("riêng", 1)]
    assert _dossiers(engine, replace(READER, units=(FILING, 9))) == [("chung", 2), ("riêng", 1)]
    assert _dossiers(engine, replace(READER, units=())) == []


def test_dossiers_of_other_units_take_no_place_among_the_most_frequent(tmp_path, monkeypatch):
    monkeypatch.setattr("search.engines.listing._ASKED_VALUES", 3)
    monkeypatch.setattr("search.engines.listing.SHOWN_VALUES", 3)
    engine = Embedded(tmp_path)
    titles = [(8, title) for title in "abcd" for _ in range(3)] + [(FILING, "e")] * 2 + [(FILING, "f")]
    fill(engine, *(entry(n, dossier_key=title, filed_in=unit) for n, (unit, title) in enumerate(titles, start=1)))
    engine.release()
    assert _dossiers(engine, READER) == [("e", 2), ("f", 1)]


def test_a_dossier_whose_unit_has_no_room_in_the_key_is_counted_for_nobody(tmp_path):
    engine = Embedded(tmp_path)
    fill(engine, entry(1, dossier_key="xa", filed_in=2**21 + FILING))
    engine.release()
    assert _dossiers(engine, replace(READER, units=(FILING, 2**21 + FILING))) == []


def test_a_generation_that_is_still_learning_is_not_cleared_away_by_another(tmp_path):
    """Right after an update: the office's follower begins an index while a rebuild reads its sample."""
    follower = Embedded(tmp_path)

    def sample():
        fill(follower, entry(1))
        with pytest.raises(EngineBusy):
            Embedded(tmp_path).open_new_generation()
        yield entry(1)

    new = Embedded(tmp_path).open_new_generation(sample())
    fill(new, entry(1), entry(2))
    follower.release()
    Embedded(tmp_path).swap(new)
    assert found(Embedded(tmp_path), "") == [2, 1]


def test_a_sample_that_breaks_off_leaves_nothing_held(tmp_path):
    def broken():
        yield entry(1)
        raise OSError("the store is away")

    engine = Embedded(tmp_path)
    with pytest.raises(OSError, match="away"):
        engine.open_new_generation(broken())
    engine.open_new_generation().release()
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_words_that_cannot_be_among_the_most_frequent_ones_are_not_counted(tmp_path, monkeypatch):
    engine, at = Embedded(tmp_path), 0
    for form, (hidden, seen) in {"chỉ": (0, 5), "chí": (4, 1), "chị": (3, 1), "chì": (2, 1)}.items():
        made = [(99,)] * hidden + [READER.reach[:1]] * seen
        fill(engine, *(entry(at + n, subject=form, reach=reach, pages=()) for n, reach in enumerate(made, 1)))
        at += len(made)
    counted, count = [], listing.View.count
    monkeypatch.setattr(listing.View, "count", lambda view, query: counted.append(query) or count(view, query))
    assert [(one.text, one.count) for one in engine.spellings("chĩ", READER, limit=1)] == [("chỉ", 5)]
    assert len(counted) == 2  # in as many records of all as "chỉ" is "chí" alone
