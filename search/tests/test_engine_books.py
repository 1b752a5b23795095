"""The contract of an engine, continued: months, registers, dossiers, the order of the books, numbers, spellings."""

from datetime import date

import pytest

from search.entry import FACETS, Bucket, Order
from search.nodes import Kept, Or, Query
from search.tests.make import CLEARED, READER, ask, entry, fill, found


def test_months_are_counted_all_and_in_order(engine):
    days = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 31), date(2019, 7, 1)]
    fill(engine, *(entry(n, issued_on=day) for n, day in enumerate(days, start=1)))
    fill(engine, entry(9, issued_on=None, arrived_on=None), entry(10, issued_on=None, arrived_on=date(2024, 2, 3)))
    assert ask(engine, "").facets["month"] == (
        Bucket("2019-07", 1),
        Bucket("2023-12", 1),
        Bucket("2024-01", 2),
        Bucket("2024-02", 1),
    )
    assert found(engine, "ngay:2023-12..2024-01") == [3, 2, 1]


def test_registers_and_dossiers_are_facets_and_filters(engine):
    fill(engine, entry(1, register_is=1), entry(2, register_is=2, dossier_key="k1"))
    fill(engine, entry(3, register_is=2, dossier_key=""))
    facets = ask(engine, "").facets
    assert facets["register"] == (Bucket("2", 2), Bucket("1", 1))
    assert facets["dossier"] == (Bucket("dientap24", 1), Bucket("k1", 1))
    assert found(engine, "", filters={"register": ["2"]}) == [3, 2]
    assert found(engine, "", filters={"dossier": ["k1"], "register": ["2"]}) == [2]


def test_units_of_one_name_are_two_values_and_one_whose_name_has_changed_is_one(engine):
    kept = [(2, "Ban Tham mưu"), (3, "Ban Tham mưu"), (3, "Ban Tham mưu"), (3, "Phòng Tham mưu")]
    fill(engine, *(entry(n, unit_is=unit, unit=name, level=n % 2) for n, (unit, name) in enumerate(kept, start=1)))
    facets = ask(engine, "", CLEARED).facets
    assert facets["unit"] == (Bucket("3", 3), Bucket("2", 1))
    assert found(engine, "", CLEARED, filters={"unit": ["2"]}) == [1]
    assert sorted(found(engine, "", CLEARED, filters={"unit": ["3"]})) == [2, 3, 4]
    for none in ("Ban Tham mưu", "", "*", "33", "(2|3)", "²"):
        assert found(engine, "", CLEARED, filters={"unit": [none]}) == []
    assert ask(engine, "", CLEARED, filters={"unit": ["2"]}).facets["unit"] == facets["unit"]


def test_a_unit_among_more_than_a_shelf_counts_is_counted_whole_under_all_its_names(engine):
    high = [entry(unit, level=1, unit_is=unit) for unit in range(1, 231)] + [
        entry(230 + unit, level=1, unit_is=unit) for unit in range(1, 231)
    ]
    names = [(0, "Phòng A")] * 6 + [(0, "Phòng B")] * 4 + [(1, "Phòng C")]
    kept = [entry(n, level=level, unit=name, unit_is=900) for n, (level, name) in enumerate(names, start=500)]
    fill(engine, *high, *kept)
    assert ask(engine, "", CLEARED).facets["unit"][0] == Bucket("900", 11)
    assert ask(engine, "", CLEARED, filters={"unit": ["900"]}).total == 11


@pytest.mark.parametrize("size", [1, 1_000, 70_000])
def test_what_very_many_units_keep_is_found(engine, size):
    fill(engine, entry(1), entry(2, unit_is=200_000))
    names = [str(unit) for unit in range(2, 2 + size)]
    assert found(engine, "", filters={"unit": names}) == [1]
    leaf = Kept(tuple(range(2, 2 + size)), (0, 1))
    kept = Or((leaf,) * (60 if size == 1_000 else 1), (0, 1))
    assert [hit.id for hit in engine.search(Query("x", kept), READER).hits] == [1]


def test_only_the_facets_asked_for_are_counted(engine):
    fill(engine, entry(1))
    assert set(ask(engine, "").facets) == set(FACETS)
    assert set(ask(engine, "", facets=("month", "level")).facets) == {"month", "level"}
    assert ask(engine, "", facets=()).facets == {}


def test_the_order_of_the_books_is_newest_year_then_lowest_number(engine):
    fill(
        engine,
        entry(1, register_number="10", year=2023),
        entry(2, register_number="9", year=2024),
        entry(3, register_number="100", year=2024, level=1),
        entry(4, register_number="", year=2024),
        entry(5, register_number="9", year=2024, level=2),
        entry(6, register_number="", year=0, issued_on=None),
        entry(7, register_number="99999999", year=2024),
    )
    assert found(engine, "", CLEARED, order=Order.NUMBER) == [5, 2, 3, 7, 4, 1, 6]
    assert found(engine, "", CLEARED, order=Order.NUMBER, offset=2, limit=2) == [3, 7]


@pytest.mark.parametrize(
    "typed",
    [
        "123",
        "123/BC",
        "123/BC-BCH",
        "123-bc-bch",
        "so 123 bch 2024",
        "so 123 2024",
        "123 2024",
        "123 bc 2024",
        "số 123/BC-BCH ngày 12/3/2024",
        "Số: 123/BC-BCH",
        "so:123",
        "0123/bc–bch",
    ],
)
def test_a_number_is_found_first_however_it_is_typed(holding, typed):
    say = "Trả lời công văn số 123/BC-BCH ngày 12/3/2024, 123 BC BCH năm 2024"
    others = (entry(n, number=f"{n}/KH", subject=say, issued_on=date(2024, 12, n)) for n in range(2, 6))
    engine = holding(entry(1, number="123/BC-BCH", subject="Khác", pages=()), *others)
    assert found(engine, typed)[0] == 1


def test_a_year_said_bare_is_of_the_register_or_in_the_text(engine):
    fill(engine, entry(1, year=2019, issued_on=date(2019, 5, 1), subject="Quyết định nâng lương", dossier="", pages=()))
    fill(engine, entry(2, subject="Quyết định theo kế hoạch 2019", dossier="", pages=()))
    fill(engine, entry(3, subject="Quyết định nâng lương", dossier="", pages=()))
    assert sorted(found(engine, "quyet dinh 2019")) == [1, 2]
    assert found(engine, '"2019"') == [2]


def test_spellings_are_the_other_marks_then_one_letter_away(engine):
    fill(engine, *(entry(n, subject="chỉ huy", pages=(), dossier="") for n in range(1, 4)))
    fill(engine, entry(4, subject="chi phí, chí hướng", pages=(), dossier=""))
    assert [(one.text, one.count) for one in engine.spellings("chi", READER)] == [("chỉ", 3), ("chí", 1), ("phí", 1)]
    assert [one.text for one in engine.spellings("chĩ", READER)] == ["chỉ", "chi", "chí"]
    assert [one.text for one in engine.spellings("hyu", READER)] == ["huy"]
    assert [one.text for one in engine.spellings("phis", READER)] == ["phí"]
    assert engine.spellings("", READER) == []
    assert engine.spellings("zzzzzz", READER) == []
    assert len(engine.spellings("chĩ", READER, limit=1)) == 1


def test_a_spelling_of_many_hidden_records_takes_the_place_of_none_that_the_reader_sees(engine):
    """The frequent ones are counted first: among all records "chỉ" is, among the reader's "chi" and "chị"."""
    forms = {"chỉ": (9, 1), "chí": (8, 2), "chị": (4, 3), "chi": (3, 3), "chì": (1, 1), "chĩa": (5, 0)}
    at = 0
    for form, (hidden, seen) in forms.items():
        made = [(99,)] * hidden + [READER.reach[:1]] * seen
        fill(
            engine, *(entry(at + n, subject=form, reach=reach, pages=(), dossier="") for n, reach in enumerate(made, 1))
        )
        at += len(made)
    said = [("chị", 3), ("chí", 2), ("chì", 1), ("chỉ", 1)]
    for limit in range(1, 5):
        assert [(one.text, one.count) for one in engine.spellings("chi", READER, limit=limit)] == said[:limit]


def test_pairs_are_how_subjects_write_two_words_side_by_side(engine):
    fill(
        engine,
        *(entry(n, subject="Sở chỉ huy", level=n % 2) for n in range(1, 5)),
        entry(5, subject="chi huy và chỉ huỷ"),
        entry(6, subject="chí huy", reach=(99,)),
        entry(7, subject="huy chỉ"),
    )
    told = [(one.text, one.count) for one in engine.pairs("chi", "huy", READER)]
    assert told == [("chỉ huy", 2), ("chi huy", 1), ("chỉ hủy", 1)]
    assert engine.pairs("chi", "huy", READER, limit=1)[0].text == "chỉ huy"
    assert engine.pairs("chi", "hu", READER) == []


def test_a_hint_has_the_marks_before_it_that_its_pairs_have(engine):
    fill(
        engine,
        entry(1, subject="Công an huyện", number=""),
        entry(2, subject="Cổng an ninh", number=""),
        entry(3, subject="Tính quân số", number=""),
        entry(4, subject="Trực ban hoặc trực chiến", number=""),
        entry(5, subject="Cộng ăn chia", number="", reach=(99,)),
        entry(6, subject="Công an huyện", number=""),
        entry(7, subject="an tính", number=""),
    )

    def hints(typed):
        return [one.text for one in engine.suggest(typed, READER)]

    assert hints("cong an huy") == ["công an huyện"]
    assert hints("cong an tinh q") == ["công an tính quân"]
    assert hints("nghe cong an huy") == ["nghe công an huyện"]
    assert hints("cộng an huy") == ["cộng an huyện"]
    assert hints("ban hoac truc c") == ["ban hoac trực chiến"]
    assert hints('"cong an huy') == ['"cong an huyện']
    assert hints("cong NOT an huy") == ["cong NOT an huyện"]
    assert hints("coquan:cong an huy") == ["coquan:cong an huyện"]
