"""Claims about a damaged list of what texts have in common: no wrong passage is shown, and nothing else is down."""

import random
import re

import pytest
from django.core.management import CommandError, call_command

from archive import sequencing
from archive.models import AuditEntry, Record
from archive.rules.roles import Action
from config import parts, status
from search import finding, follow, packing
from search.engine import IndexBroken
from search.engines import keeping
from search.engines.embedded import Embedded
from search.engines.keeping import DIGEST, FILE, LEAST, Keeping, learned
from search.entry import Order
from search.query import parse
from search.tests.make import CLEARED, entry, fill, found
from search.tests.test_kept_texts import office as said
from search.tests.test_kept_texts import packed, several

WORDS = "Tin được đưa lên trang"


def lost(file):
    file.unlink()


def cut(file):
    file.write_bytes(file.read_bytes()[:5])


def overwritten(file):
    file.write_bytes(bytes(len(file.read_bytes())))


def another(file):
    file.write_bytes(learned(packed(*(f"hoàn toàn khác {number} những lời khác" for number in range(LEAST)))))


DAMAGES = [lost, cut, overwritten, another]


def test_no_text_is_ever_read_wrong(tmp_path):
    content = learned(packed(*map(said, range(LEAST))))
    (tmp_path / FILE).write_bytes(content)
    text = f"{said(500)} hoàn toàn khác"
    stored = Keeping(tmp_path).kept(text, packing.pack(text))
    chance, told = random.Random(20261128), set()
    for _ in range(200):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        (tmp_path / FILE).write_bytes(damaged)
        try:
            assert Keeping(tmp_path).read(stored) == text
        except IndexBroken as broken:
            told.add(str(broken).rpartition(": ")[2])
    assert told == {"run manage.py rebuild_index"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_all_but_passages_is_answered_and_other_levels_have_theirs(tmp_path, damage):
    low, high = several(0, "diễn tập", 1), [entry(number, level=1, pages=("Kho tàu",)) for number in range(1001, 1004)]
    new = Embedded(tmp_path).open_new_generation(low + high)
    fill(new, *low, *high)
    Embedded(tmp_path).swap(new)
    damage(next(tmp_path.rglob(FILE)))

    engine = Embedded(tmp_path)
    assert len(found(engine, "dien tap", CLEARED, limit=200)) == LEAST + 3  # of the subject
    assert engine.suggest("dien", CLEARED)
    with pytest.raises(IndexBroken, match="rebuild_index"):
        engine.excerpts(parse("dien"), CLEARED, [7])
    with pytest.raises(IndexBroken, match="rebuild_index"):
        engine.similar(7, CLEARED)
    (one,) = engine.excerpts(parse("tau"), CLEARED, [1001]).values()
    assert "Kho tàu" in one.text


def shelf_of(folder, damage=None):
    """Build an index that learned, do something to its list, open it anew."""
    records = several(0, "diễn tập", 1)
    new = Embedded(folder).open_new_generation(records)
    fill(new, *records)
    Embedded(folder).swap(new)
    file = next(folder.rglob(FILE))
    if damage:
        damage(file)
    return file, Embedded(folder)


def bent(file):
    """One bit, in a pair that few texts have: most of them are still read."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [*DAMAGES, bent])
def test_the_engine_knows_of_damage_though_nobody_asks_for_a_text(tmp_path, damage):
    file, engine = shelf_of(tmp_path)
    assert not engine.is_damaged()
    damage(file)
    assert engine.is_damaged()  # that has its list in memory yet
    opened = Embedded(tmp_path)
    assert opened.is_damaged()
    with pytest.raises(IndexBroken):
        opened.upsert(several(0, "mới", 5000))  # nothing more is written with it
    opened.release()


def test_of_an_index_without_digests_its_texts_tell(tmp_path):
    file, engine = shelf_of(tmp_path, lambda file: file.with_name(DIGEST).unlink())
    assert not engine.is_damaged()
    fill(engine, *several(0, "diễn tập", 5000))
    assert not engine.is_damaged()
    engine.release()
    lost(file)
    assert Embedded(tmp_path).is_damaged()


@pytest.fixture
def taught(office, make_record, installed, monkeypatch):
    """An index that was rebuilt, its list; `finding` asks it as another process does."""
    monkeypatch.setattr(keeping, "LEAST", 3)
    monkeypatch.setattr(keeping, "COMMON", 2)
    for number in range(6):
        make_record(subject=f"Kế hoạch {number}", pages=(f"{WORDS} {said(number)}",))
    follow.rebuild()
    return next(installed._generations.root.rglob(FILE))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    engine = Embedded(tmp_path / "index")
    monkeypatch.setattr(follow, "open_engine", lambda: Embedded(tmp_path / "index"))
    finding.engine.cache_clear()
    yield engine
    engine.release()
    finding.engine.cache_clear()


def test_the_page_and_the_interface_say_that_passages_are_missing(office, taught, signed_in):
    browser = signed_in("archivist")

    def page():
        return re.sub(r"<[^>]*>", "", browser.post("/search/", {"q": "ke hoach"}, follow=True).content.decode())

    assert WORDS in page()
    assert "rebuild_index" not in page()
    overwritten(taught)
    finding.engine.cache_clear()  # a process that starts after it
    assert WORDS not in page()
    assert "rebuild_index" in page()
    assert "Kế hoạch 3" in page()
    similar = browser.get(f"/search/similar/{Record.objects.all()[0].key}/")
    assert similar.status_code == 200
    assert "rebuild_index" in similar.content.decode()


def test_a_follower_that_cannot_keep_a_text_builds_the_index_anew(office, taught, make_record, installed):
    overwritten(taught)
    make_record(subject="Kế hoạch mới", pages=(WORDS,))
    follower = follow.Follower(Embedded(installed._generations.root))
    while follower.catch_up():
        continue
    follower.close()
    finding.engine.cache_clear()
    answer = finding.find(parse("ke hoach"), office.archivist, filters={}, order=Order.NEWEST, offset=0)
    assert answer.total == 7
    assert all(WORDS in one.excerpt.text for one in answer.found)


def passages(office):
    finding.engine.cache_clear()
    answer = finding.find(parse("ke hoach"), office.archivist, filters={}, order=Order.NEWEST, offset=0)
    return [WORDS in one.excerpt.text for one in answer.found]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_worker_that_has_nothing_to_write_mends_it_by_itself_and_once(office, taught, installed, damage):
    damage(taught)
    assert passages(office) == [False] * 6
    follower = follow.Follower(Embedded(installed._generations.root))
    for _ in range(3):
        follower.catch_up()
    follower.close()
    assert passages(office) == [True] * 6
    assert AuditEntry.objects.filter(action=Action.INDEX_REBUILD).count() == 1


def test_a_worker_looks_again_and_goes_on_following_while_another_builds(office, taught, make_record, installed):
    follower = follow.Follower(Embedded(installed._generations.root))
    while follower.catch_up():
        continue
    lost(taught)
    follower.catch_up()
    assert passages(office) == [False] * 6  # not yet time to look again
    building = Embedded(installed._generations.root).open_new_generation()
    follower._examine_at = 0.0
    assert follower.catch_up() == 0  # another builds
    make_record(subject="Kế hoạch mật", level=1)
    while follower.catch_up():
        continue
    assert len(passages(office)) == 7
    building.release()
    follower._examine_at = 0.0
    follower.catch_up()
    follower.close()
    assert passages(office)[1:] == [True] * 6


def test_who_keeps_the_machine_is_told(office, taught, installed, capsys):
    assert status.facts()["is_index_damaged"] is False
    parts.forget()
    assert parts.states()["search"]
    call_command("check_index")
    lost(taught)
    assert status.facts()["is_index_damaged"] is True
    parts.forget()
    assert not parts.states()["search"]
    with pytest.raises(CommandError, match="--repair"):
        call_command("check_index")
    assert "damaged" in capsys.readouterr().out
    call_command("check_index", "--repair")
    assert "built anew" in capsys.readouterr().out
    assert passages(office) == [True] * 6
    told = AuditEntry.objects.filter(action=Action.INDEX_CHECK).order_by("ts")
    assert [entry.detail.payload["unreadable"] for entry in told] == [False, True, True]


def test_a_repair_that_cannot_keep_a_text_ends_in_words(office, taught, make_record, installed, monkeypatch):
    monkeypatch.setattr(Embedded, "is_damaged", lambda _engine: False)  # it was found whole, and is not
    overwritten(taught)
    make_record(subject="Kế hoạch mới", pages=(WORDS,))
    sequencing.place_all()
    installed.commit(position=follow.log_length())  # it says that it has followed all of it
    installed.release()
    with pytest.raises(CommandError, match="rebuild_index"):
        call_command("check_index", "--repair")
