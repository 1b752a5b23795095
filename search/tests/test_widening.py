"""Claims about what an office writes in several ways, and about long words that a scan misread: on every driver."""

from datetime import date

import pytest
from django.core.checks.registry import registry
from hypothesis import given, settings
from hypothesis import strategies as st

from search import synonyms
from search.checks import office_synonyms
from search.chips import describe
from search.marking import find, patterns
from search.nodes import And, Either, Not, Or, Words
from search.query import parse
from search.syllables import is_syllable, misread
from search.tests.make import READER, ask, entry, fill, found
from search.tests.test_query import PIECES, SIGNS
from search.widening import widened


@pytest.fixture
def office(settings, tmp_path):
    """Write the office's own list."""
    settings.SYNONYMS = tmp_path / "words.txt"

    def write(text: str) -> None:
        settings.SYNONYMS.write_text(text, encoding="utf-8")

    return write


def notes(text: str) -> list[str]:
    return [chip.note for chip in describe(parse(text))]


def texts(engine, *bodies: str) -> None:
    fill(
        engine,
        *(
            entry(n, subject="Việc khác", type_name="", organ_name="", unit="", number="", dossier="", pages=(body,))
            for n, body in enumerate(bodies, start=1)
        ),
    )


# --- on every driver ------------------------------------------------------------------
@pytest.mark.parametrize(
    "typed", ["UBND", "ubnd", "ủy ban nhân dân", "uỷ ban nhân dân", "uy ban nhan dan", "UBND xã", "uy ban nhan dan xa"]
)
def test_an_abbreviation_and_its_full_name_find_each_other(engine, typed):
    texts(engine, "họp UBND xã", "họp Ủy ban nhân dân xã", "họp Ủy ban bầu cử xã")
    assert sorted(found(engine, typed)) == [1, 2]


def test_a_name_of_many_ways_finds_them_all(engine):
    texts(engine, "BCHQS tỉnh", "Bộ CHQS tỉnh", "Bộ Chỉ huy quân sự tỉnh", "chỉ huy tỉnh")
    for typed in ("BCHQS", "Bộ CHQS", "bộ chỉ huy quân sự", "bo chi huy quan su tinh"):
        assert sorted(found(engine, typed)) == [1, 2, 3]


def test_a_named_field_knows_the_other_ways(engine):
    fill(engine, entry(1, organ_name="UBND tỉnh Cà Mau"), entry(2, organ_name="Ủy ban nhân dân tỉnh Cà Mau"))
    for typed in ("coquan:UBND", 'coquan:"Ủy ban nhân dân tỉnh"', 'cơ quan:"ubnd tỉnh cà mau"'):
        assert sorted(found(engine, typed)) == [1, 2]


def test_phrases_numbers_and_denials_mean_what_is_written(engine):
    texts(engine, "KH số 5 của UBND", "Kế hoạch số 5 của Ủy ban nhân dân")
    assert found(engine, '"UBND"') == [1]
    assert found(engine, '"ủy ban nhân dân"') == [2]
    assert found(engine, "số -UBND") == [2]
    fill(
        engine, entry(7, number="45/KH-UBND", pages=()), entry(8, number="45/QĐ-UBND", subject="Kế hoạch 45", pages=())
    )
    assert found(engine, "45/KH") == [7]
    assert found(engine, "45 kh 2024") == [7]


def test_another_way_to_write_it_is_as_good_as_the_first(engine):
    day = {"issued_on": date(2024, 1, 1), "type_name": "", "number": "", "dossier": ""}
    fill(engine, entry(1, subject="Kế hoạch huấn luyện", pages=("x",), **day))
    fill(engine, entry(2, subject="Việc khác", pages=("kh về việc huấn, luyện",), **day))
    assert found(engine, "KH huấn luyện") == [1, 2]


def test_an_edit_of_the_list_needs_no_new_index(engine, office):
    texts(engine, "đi BTLTĐ họp", "đi Bộ Tư lệnh Thủ đô họp")
    assert found(engine, "BTLTĐ") == [1]
    office("BTLTĐ = Bộ Tư lệnh Thủ đô\n")
    assert sorted(found(engine, "btltđ")) == [1, 2]
    office("- UBND\n# BTLTĐ = Bộ Tư lệnh Thủ đô\n")
    assert found(engine, "BTLTĐ") == [1]


@pytest.mark.parametrize(("typed", "read"), [("trường", "tnường"), ("truong", "tru0ng"), ("nguyễn", "ngnyễn")])
def test_a_long_word_is_found_misread_but_after_the_right_one(engine, typed, read):
    fill(engine, entry(1, pages=(f"tại {typed} này",), signer="", issued_on=date(2020, 1, 1)))
    fill(engine, entry(2, pages=(f"tại {read} này",), signer="", issued_on=date(2024, 1, 1)))
    assert found(engine, typed) == [1, 2]
    assert found(engine, f'"{typed}"') == [1]
    passage = engine.excerpts(parse(typed), READER, [2])[2]
    assert [passage.text[start:end] for start, end in passage.spans] == [read]


def test_a_long_word_does_not_find_another_word(engine):
    texts(engine, "tình thương", "cây tre trường")
    assert found(engine, "trường") == [2]
    assert ask(engine, "thương").total == 1


# --- the pure half --------------------------------------------------------------------
def test_every_shipped_line_can_be_used():
    _, faults = synonyms.build("", synonyms.SHIPPED.read_text(encoding="utf-8"))
    lines = synonyms.SHIPPED.read_text(encoding="utf-8").splitlines()
    assert [lines[fault.line - 1] for fault in faults] == []


def test_the_chip_says_what_was_added():
    assert "Ủy ban nhân dân" in notes("UBND")[0]
    assert "UBND" in notes("tin ủy ban nhân dân")[0]
    assert "Ủy ban nhân dân" in notes("coquan:UBND")[0]
    assert notes('"UBND"') == notes('"XYZT"')
    assert not any("Kế hoạch" in note for note in (*notes("45/KH"), *notes("45 kh"), *notes("-KH")))


def test_marks_that_are_typed_must_be_those_of_the_list():
    table, _ = synonyms.build("QĐ = Quyết định\nHĐ = Hợp đồng\nHD = Hướng dẫn", "")
    assert [way.shown for way in table.others(("hd",), ("hđ",))] == ["Hợp đồng"]
    assert [way.shown for way in table.others(("hd",), ("hd",))] == ["Hợp đồng", "Hướng dẫn"]
    assert table.others(("quyet", "dinh"), ("quyệt", "định")) == ()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("UBND", "alone"),
        ("UBND =", "empty"),
        ("= ...", "empty"),
        ("TU = Tỉnh ủy", "syllable"),
        ("X = " + "từ " * 9, "long"),
        ("=".join(["một hai"] * 9), "long"),
        ("- ZZZ", "unknown"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_used(office, line, why):
    office(f"# của cơ quan\nBTLTĐ = Bộ Tư lệnh Thủ đô\n{line}\nBTLTĐ2 = Thủ đô hai\n")
    assert synonyms.faults() == (synonyms.Fault(3, why),)
    assert synonyms.current().others(("btltd",), ("btltđ",))
    assert synonyms.current().others(("btltd2",), ("btltđ2",))
    (warning,) = office_synonyms()
    assert "line 3" in warning.msg


def test_the_words_of_the_office_are_read_at_every_start():
    assert office_synonyms in registry.get_checks()


def test_a_file_that_is_no_text_leaves_the_shipped_list(office, settings):
    settings.SYNONYMS.write_bytes(b"\xff\xfe\x00")
    assert synonyms.faults() == (synonyms.Fault(0, "file"),)
    assert synonyms.current().others(("ubnd",), ("ubnd",))
    settings.SYNONYMS.write_text("A1B = Cái gì\n" * 20_000, encoding="utf-8")
    assert synonyms.faults() == (synonyms.Fault(0, "file"),)


def test_every_way_to_say_a_fault_is_known():
    assert {"alone", "empty", "long", "syllable", "unknown", "file"} == set(synonyms.WHY)


def test_what_is_quoted_begun_near_or_denied_is_not_widened():
    table = synonyms.current()
    for text in ('"UBND"', "UBND*", "UBND~", "-UBND", "45/UBND", "trichyeu:UBND", "45 kh 2024"):
        root = parse(text).root
        assert not any(isinstance(one, Either) and one.others for one in _all(widened(root, table)))


NAMED = 'ủy|ban|nhân|dân|UBND|KH|kế|hoạch|QP-AN|OR|-(|)|NOT|coquan:|trường|"|12|BCHQS'


@given(
    st.one_of(
        st.text(max_size=80),
        SIGNS,
        PIECES.map(" ".join),
        st.lists(st.sampled_from(NAMED.split("|")), max_size=20).map(" ".join),
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_typed_can_be_widened_and_keeps_what_was_typed(text):
    query = parse(text)
    wide = widened(query.root, synonyms.current())
    said = [leaf for leaf in _leaves(query.root) if isinstance(leaf, Words)]
    assert [leaf for leaf in _leaves(wide) if leaf in said] == said
    find(text, patterns(query))
    describe(query)


def test_syllables_are_told_from_what_is_none():
    right = "nghieng truong quyen khuya uyen gi gia quoc ynh oanh thuo yeu qua hue xoong".split()  # noqa: SIM905
    wrong = "ubnd tnuong nguyenn bchqs qd kh nghienh trruong".split()  # noqa: SIM905
    assert [word for word in right if not is_syllable(word)] == []
    assert [word for word in wrong if is_syllable(word)] == []
    assert misread("nam") == ()
    assert not any(map(is_syllable, misread("nghieng")))


def _all(node):
    yield node
    if isinstance(node, And | Or):
        for child in node.children:
            yield from _all(child)
    elif isinstance(node, Not):
        yield from _all(node.child)


def _leaves(node):
    for one in _all(node):
        if isinstance(one, Either):
            yield from one.said
        elif not isinstance(one, And | Or | Not):
            yield one
