"""Claims about the texts an index keeps: none is lost, few bytes are taken, and no text can be read out of what is learned."""

import zlib

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from search import packing
from search.engines import holding
from search.engines.embedded import Embedded
from search.engines.keeping import COMMON, FILE, LEAST, Keeping, learned
from search.engines.schema import SCHEMA
from search.query import parse
from search.tests.make import CLEARED, entry, fill

SENTENCE = (
    "Căn cứ Kế hoạch số 45/KH-BTL ngày 01/02/2024; thực hiện chỉ đạo của đồng chí Chỉ huy trưởng, các đơn vị báo cáo"
)


def packed(*texts: str) -> list[bytes]:
    return [packing.pack(text) or b"" for text in texts]


def office(number: int) -> str:
    return f"{SENTENCE} lần thứ {number} về việc sẵn sàng chiến đấu dịp lễ, kèm danh sách {number * 7919}"


@pytest.fixture
def taught(tmp_path) -> Keeping:
    (tmp_path / FILE).write_bytes(learned(packed(*map(office, range(LEAST)))))
    return Keeping(tmp_path)


@pytest.fixture
def untaught(tmp_path_factory) -> Keeping:
    return Keeping(tmp_path_factory.mktemp("untaught"))


@given(text=st.text(max_size=200) | st.text(alphabet=SENTENCE, max_size=200))
def test_any_text_is_kept_whole(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    for content in (b"", learned(packed(*map(office, range(LEAST))))):
        if content:
            (folder / FILE).write_bytes(content)
        one = Keeping(folder)
        assert one.read(one.kept(text, packing.pack(text))) == text


def test_what_an_office_writes_is_kept_in_half_of_its_bytes_and_those_of_a_check(untaught):
    assert len(untaught.kept(SENTENCE, packing.pack(SENTENCE))) < len(SENTENCE.encode()) / 2 + 4


def test_what_was_learned_makes_the_next_text_shorter(taught, untaught):
    text = office(LEAST + 5)
    assert len(taught.kept(text, packing.pack(text))) < len(untaught.kept(text, packing.pack(text))) * 0.8


def test_nothing_is_learned_that_few_texts_say():
    texts = [office(number) + (" mật khẩu kho đạn" if number < COMMON - 1 else "") for number in range(LEAST)]
    content = learned(packed(*texts))

    assert packing.pack("sẵn sàng") in content
    for word in ("mật khẩu", "khẩu kho", "kho đạn", *(str(number * 7919) for number in range(20, LEAST))):
        assert packing.pack(word) not in content


def test_few_texts_teach_nothing():
    assert learned(packed(*map(office, range(LEAST - 1)))) == b""


def test_a_change_of_the_frequent_words_raises_the_schema():
    """What was kept with other words is not read any more: an index of another schema is built anew."""
    assert (SCHEMA, zlib.crc32(packing.FREQUENT)) == (15, 4103169556)


# --- within an index ----------------------------------------------------------------------------------
def several(level: int, words: str, first: int):
    return [entry(number, level=level, pages=(f"{words} {office(number)}",)) for number in range(first, first + LEAST)]


def test_each_level_learns_from_its_own_texts_and_another_process_reads_them(tmp_path):
    low, high = several(0, "diễn tập phòng thủ", 1), several(1, "kho tàu ngầm", 1001)
    new = Embedded(tmp_path).open_new_generation(low + high)
    fill(new, *low, *high)
    Embedded(tmp_path).swap(new)

    files = {path.parent.name: zstd.ZstdDict(path.read_bytes()).dict_content for path in tmp_path.rglob(FILE)}
    assert packing.pack("phòng thủ") in files["level-0"]
    assert packing.pack("tàu ngầm") in files["level-1"]
    assert packing.pack("tàu ngầm") not in files["level-0"]
    assert set(files) == {"level-0", "level-1"}
    (one,) = Embedded(tmp_path).excerpts(parse("ngầm"), CLEARED, [1001]).values()
    assert "kho tàu ngầm" in one.text


def test_an_index_that_has_begun_learns_no_more(tmp_path):
    new = Embedded(tmp_path).open_new_generation(several(0, "diễn tập", 1))
    fill(new, *several(0, "diễn tập", 1))
    (file,) = tmp_path.rglob(FILE)
    before = file.read_bytes()
    new.release()

    holding.Holding(file.parent.parent).learn(several(0, "khác hẳn", 1))

    assert file.read_bytes() == before


def test_an_index_begun_without_a_sample_keeps_texts_as_every_office_writes(tmp_path):
    engine = Embedded(tmp_path)
    fill(engine, *several(0, "diễn tập", 1))

    assert list(tmp_path.rglob(FILE)) == []
    (one,) = engine.excerpts(parse("dien"), CLEARED, [7]).values()
    assert "diễn tập" in one.text
