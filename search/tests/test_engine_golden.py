"""The contract of an engine, run against every driver: what is found, in which order, counted how."""

from dataclasses import replace
from datetime import date

import pytest

from search import periods
from search.engine import EngineBusy
from search.entry import Bucket, Hit, Order
from search.query import parse
from search.tests.make import CLEARED, EVERYONE, PLAIN, READER, ask, entry, fill, found
from search.tests.test_text import GOLDEN


def test_an_empty_engine_finds_nothing(engine):
    results = ask(engine, "diễn tập")
    assert (results.hits, results.total) == ((), 0)
    assert engine.count(READER) == 0
    assert engine.suggest("di", READER) == []
    assert engine.position() == 0


@pytest.mark.parametrize(("number", "written", "typed"), [(n, *case) for n, case in enumerate(GOLDEN, 1)])
def test_what_the_golden_table_folds_is_found(holding, number, written, typed):
    """Each case stands in a record of its own, and a record beside it that says something else."""
    plain = {"number": "", "dossier": "", "issued_on": date(2020, 1, 1), "year": 2020}
    pages = [f"Nội dung {written} ở đây" for written, _ in GOLDEN]
    engine = holding(*(entry(n, pages=(text,), **plain) for n, text in enumerate([*pages, "không"], 1)))
    for asked in (f'"{typed}"', written):
        ids = found(engine, asked, limit=100)
        assert number in ids
        assert len(GOLDEN) + 1 not in ids


def test_a_record_is_found_by_the_name_of_a_file_beside_it(holding):
    engine = holding(entry(1, files=("phu-luc-sung-phao.pdf", "bản đồ.tif")), entry(2))
    assert found(engine, "phu luc sung phao") == [1]
    assert found(engine, '"bản đồ"') == [1]
    assert found(engine, '"pdf bản"') == []  # no phrase reaches from one name into the next


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("diễn tập", True),
        ("dien tap", True),
        ("DIỄN TẬP hoàn thành", True),
        ("diễn tập -hoàn", False),
        ("diễn tập -khác", True),
        ("khác OR diễn", True),
        ("khác hoặc nữa", False),
        ('"khu vực phòng thủ"', True),
        ('"vực khu"', False),
        ('"diên tập"', False),
        ('"dien tap"', True),
        ("phò*", True),
        ('"khu vực ph"', False),
        ("tham mưu~", False),
        ("diem~", True),
        ("123", True),
        ("123/BC", True),
        ("123/BC-BCH", True),
        ("123/BCH", False),
        ("23/BC", False),
        ("so 123 bch 2024", True),
        ("so 123 bch 2023", False),
        ("so 124 bch", False),
        ("so:123", True),
        ("so:77", False),
        ("so:123/B*", True),
        ("so:12*", True),
        ("so:1*", True),
        ("so:23*", False),
        ("so:123b*", False),
        ("số:bc*", False),
        ("1*", True),
        ("9*", False),
        ("số:0123/BC–BCH", True),
        ("soden:77", True),
        ("soden:077", True),
        ("soden:7*", True),
        ("số đến: 77", True),
        ("số đến: 7", False),
        ('người ký: "Nguyễn Văn Ánh"', True),
        ('người ký: "Phòng Tham mưu"', False),
        ('chữ -người ký: "Văn Ánh"', False),
        ('diễn -người ký: "Văn An"', True),
        ("soden:1*", False),
        ("45/KH-BTL", True),
        ("so:45", False),
        ("12/3/2024", True),
        ("1/2/2024", True),
        ("2/2/2024", False),
        ("ngày 12 tháng 3 năm 2024", True),
        ("ngày 13 tháng 3 năm 2024", False),
        ("ngay 1 thang 2 nam 2024", True),
        ("12 tháng 3 năm 2024", True),
        ("ngày: 12 tháng 3 năm 2024", True),
        ("tháng 3/2024", True),
        ("tháng 3 năm 2024", True),
        ("tháng 4/2024", False),
        ("03/2024", True),
        ("3/2024", True),
        ("4/2024", False),
        ("số 3/2024", False),
        ("tu: tháng 4 năm 2024", False),
        ("năm 2024", True),
        ("nam 2024", True),
        ("năm 2023", False),
        ("năm 2024-2025", True),
        ("báo cáo năm 2024", True),
        ("ngay:2024", True),
        ("ngay:2024-03", True),
        ("ngay:>12/3/2024", False),
        ("tu:2024 den:2024", True),
        ("tu:2025", False),
        ("ngayden:15/3/2024", True),
        ("nam:2024", True),
        ("nam:2025", False),
        ("mat:thuong", True),
        ("mat:mat", False),
        ("khan:thuong", True),
        ("khan:hoa-toc", False),
        ('coquan:"Vĩnh Long"', True),
        ("cơ quan:long", True),
        ("coquan:tham", False),
        ("nguoiky:ánh", True),
        ("nguoiky:ánf~ nguoiky:nguyen~", True),
        ("nguoiky:trần~ nguoiky:nguyen~", False),
        ("hoso:diem~", True),
        ("loai:bc", True),
        ("loai:báo", True),
        ("loai:kh", False),
        ('donvi:"tham mưu"', True),
        ("hoso:2024.05", True),
        ("trichyeu:diễn", True),
        ("trichyeu:hoàn", False),
        ('trichyeu:"diên"', False),
        ("nguyễn văn ánh", True),
        ("-khác", True),
        ("NOT diễn", False),
        ("(diễn OR x) (tập OR y)", True),
        ("", True),
    ],
)
def test_a_query_finds_what_it_says(holding, typed, is_found):
    engine = holding(PLAIN)
    assert found(engine, typed) == ([1] if is_found else [])
    assert ask(engine, typed, order=Order.NEWEST).total == int(is_found)


def test_words_of_dossier_and_period_are_asked_only_of_dossiers_that_the_reader_knows(holding):
    engine = holding(entry(1, retention=periods.words("years-20"), period="years-20"))
    stranger = replace(READER, units=())
    for typed in ("thbq:20", 'thbq:"20 năm"', "hoso:2024.05"):
        assert (found(engine, typed), found(engine, typed, stranger)) == ([1], [])
        assert found(engine, f"-{typed}", stranger) == [1]


def test_facets_of_dossier_and_period_count_only_dossiers_that_the_reader_knows(holding):
    engine = holding(entry(1, retention=periods.words("years-20"), period="years-20"))
    stranger = replace(READER, units=())
    for reader, counted in ((READER, 1), (stranger, 0)):
        told = engine.search(parse(""), reader).facets
        assert [sum(bucket.count for bucket in told[name]) for name in ("retention", "dossier", "type")] == [
            counted, counted, 1,
        ]  # fmt: skip
        chosen = engine.search(parse(""), reader, filters={"retention": ["years-20"]})
        assert (chosen.total, sum(bucket.count for bucket in chosen.facets["retention"])) == (counted, counted)


def test_the_better_match_comes_first_and_then_the_newer(engine):
    texts = {
        10: ("Báo cáo tổng kết", ("nội dung vạn sự, công việc", "x")),
        11: ("Báo cáo tổng kết", ("phát hành công vạn đi",)),
        12: ("Báo cáo tổng kết", ("phát hành công văn đi",)),
        13: ("Xử lý văn thư, công tác", ("x",)),
        14: ("Xử lý công vạn", ("x",)),
        15: ("Xử lý công văn", ("x",)),
    }
    day = date(2024, 1, 1)
    for number, (subject, pages) in texts.items():
        fill(engine, entry(number, subject=subject, pages=pages, number="1/X", issued_on=day, dossier=""))
    fill(engine, entry(16, subject="Sổ công văn", number="2/X", issued_on=date(2025, 1, 1), pages=(), dossier=""))
    assert found(engine, "công văn") == [16, 15, 14, 13, 12, 11, 10]


def test_a_year_with_its_word_stands_side_by_side_with_what_is_before_it(holding):
    engine = holding(
        entry(1, subject="Kế hoạch năm 2024 của sở", pages=()),
        entry(2, subject="Năm 2024, kế hoạch của sở", pages=(), issued_on=date(2024, 9, 9)),
        entry(3, subject="Kế hoạch của sở", pages=("năm 2023",), year=2023, issued_on=date(2023, 9, 9)),
    )
    assert found(engine, "kế hoạch năm 2024") == [1, 2]


def test_what_may_be_a_number_or_a_month_finds_both_and_the_number_first(holding):
    plain = {"subject": "Báo cáo", "pages": ()}
    engine = holding(
        entry(1, number="3/2024/BC", issued_on=date(2023, 1, 1), **plain),
        entry(2, number="7/BC", issued_on=date(2024, 3, 31), **plain),
        entry(3, number="7/BC", issued_on=date(2024, 4, 1), **plain),
    )
    assert found(engine, "03/2024") == [1, 2]


def test_the_number_asked_for_comes_first(engine):
    fill(engine, entry(1, number="9/BC-BCH", subject="Trả lời 123/BC-BCH", issued_on=date(2026, 1, 1)))
    fill(engine, entry(2, number="123/BC-BCH", subject="khác"))
    assert found(engine, "123/BC-BCH") == [2, 1]
    assert found(engine, "so 123 bch") == [2]
    assert found(engine, "123") == [2, 1]


def test_newest_first_is_by_day_then_by_id(engine):
    fill(engine, *(entry(number, issued_on=date(2024, 1, number % 3 + 1)) for number in range(1, 10)))
    fill(engine, entry(20, issued_on=None, arrived_on=date(2024, 1, 2)), entry(21, issued_on=None, arrived_on=None))
    expected = [8, 5, 2, 20, 7, 4, 1, 9, 6, 3, 21]
    assert found(engine, "", order=Order.NEWEST) == expected
    assert found(engine, "diễn tập", order=Order.BEST) == expected


@pytest.mark.parametrize("order", list(Order))
def test_pages_of_hits_neither_overlap_nor_leave_out(engine, order):
    days = [date(2024, 1, 1 + number % 2) for number in range(60)]
    fill(engine, *(entry(n + 1, level=n % 3, issued_on=day) for n, day in enumerate(days)))
    whole = found(engine, "diễn tập", CLEARED, order=order, limit=100)
    pages = [found(engine, "diễn tập", CLEARED, order=order, offset=at, limit=7) for at in range(0, 63, 7)]
    assert [number for page in pages for number in page] == whole
    assert sorted(whole) == list(range(1, 61))
    assert found(engine, "diễn tập", CLEARED, order=order, offset=999) == []


def test_facets_count_the_hits_and_not_their_own_filter(engine):
    fill(
        engine,
        entry(1),
        entry(2, type_name="Kế hoạch", urgency=1),
        entry(3, type_name="Kế hoạch", year=2023, level=1),
        entry(4, subject="khác", pages=(), dossier=""),
    )
    facets = ask(engine, "diễn tập", CLEARED).facets
    assert facets["type"] == (Bucket("Kế hoạch", 2), Bucket("Báo cáo", 1))
    assert facets["level"] == (Bucket("thuong", 2), Bucket("mat", 1))
    assert facets["urgency"] == (Bucket("thuong", 2), Bucket("khan", 1))
    assert facets["year"] == (Bucket("2023", 1), Bucket("2024", 2))
    assert facets["unit"] == (Bucket("2", 3),)
    assert facets["organ"] == (Bucket("Bộ CHQS tỉnh Vĩnh Long", 3),)
    narrowed = ask(engine, "diễn tập", CLEARED, filters={"type": ["Kế hoạch"], "level": []})
    assert narrowed.total == 2
    assert narrowed.facets["type"] == facets["type"]
    assert narrowed.facets["year"] == (Bucket("2023", 1), Bucket("2024", 1))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"level": ["mat"]}, [3]),
        ({"type": ["Kế hoạch", "Báo cáo"]}, [1, 2, 3]),
        ({"type": ["Kế hoạch"], "year": ["2023"]}, [3]),
        ({"urgency": ["khan"]}, [2]),
        ({"level": ["x"]}, []),
        ({"year": ["hai nghìn"]}, []),
        ({"reach": ["7"]}, []),
    ],
)
def test_filters_narrow(engine, filters, expected):
    fill(
        engine, entry(1), entry(2, type_name="Kế hoạch", urgency=1), entry(3, type_name="Kế hoạch", year=2023, level=1)
    )
    assert sorted(found(engine, "", CLEARED, filters=filters)) == expected


# --- changes --------------------------------------------------------------------------
def test_a_change_is_seen_after_the_commit_and_not_before(engine):
    engine.upsert([PLAIN])
    assert engine.count(READER) == 0
    engine.commit(position=41)
    assert engine.count(READER) == 1
    assert engine.position() == 41


def test_an_entry_put_twice_is_there_once(engine):
    fill(engine, PLAIN)
    fill(engine, entry(1, version=2, subject="Mới"))
    engine.upsert([entry(1, version=3, subject="Hai")])
    engine.upsert([entry(1, version=4, subject="Ba"), entry(1, version=5, subject="Bốn")])
    engine.commit()
    assert list(engine.stamps()) == [Hit(1, 5, 0)]
    assert found(engine, "bốn") == [1]
    assert found(engine, "mới OR hai OR ba") == []


def test_an_older_version_never_comes_back(engine):
    fill(engine, entry(1, version=5, subject="Mới"))
    fill(engine, entry(1, version=4, subject="Xóa", level=2))
    assert list(engine.stamps()) == [Hit(1, 5, 0)]
    engine.upsert([entry(2, version=9, subject="Mới")])
    engine.upsert([entry(2, version=8, subject="Xóa")])
    engine.commit()
    assert found(engine, "xóa") == []


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (1, 3)])
def test_a_record_that_changes_its_level_lies_in_one_index_only(engine, before, after):
    fill(engine, entry(1, level=before), entry(2, level=before))
    fill(engine, entry(1, level=after, version=2))
    assert sorted(engine.stamps(), key=lambda hit: hit.id) == [Hit(1, 2, after), Hit(2, 1, before)]


def test_a_level_changed_twice_before_a_commit_lies_in_one_index_only(engine):
    for version, level in enumerate((0, 2, 1, 3), start=1):
        engine.upsert([entry(1, level=level, version=version)])
    engine.commit()
    assert list(engine.stamps()) == [Hit(1, 4, 3)]


def test_a_raised_record_is_not_found_low_even_before_the_commit(engine):
    fill(engine, entry(1, level=0))
    engine.upsert([entry(1, level=2, version=2)])
    assert engine.count(READER) == 0
    engine.commit()
    assert engine.count(CLEARED) == 1


def test_what_is_removed_is_gone_from_every_index(engine):
    fill(engine, entry(1, level=0), entry(2, level=2), entry(3))
    engine.upsert([entry(4)])
    engine.remove([1, 2, 4, 99])
    engine.commit()
    assert [hit.id for hit in engine.stamps()] == [3]
    assert engine.count(CLEARED) == 1


def test_uncommitted_changes_are_dropped_with_the_writer(engine):
    fill(engine, entry(1))
    engine.upsert([entry(2)])
    engine.release()
    assert [hit.id for hit in engine.stamps()] == [1]
    fill(engine, entry(3))
    assert engine.count(READER) == 2


def test_many_changes_leave_each_record_once(engine):
    for version in range(1, 6):
        engine.upsert(entry(n, version=version, level=(n + version) % 4) for n in range(1, 200))
        engine.commit()
    assert sorted(hit.id for hit in engine.stamps()) == list(range(1, 200))
    assert engine.count(CLEARED) == 199


# --- generations ----------------------------------------------------------------------
def test_a_new_generation_replaces_the_old_at_once(engine):
    fill(engine, entry(1), entry(2))
    engine.commit(position=5)
    new = engine.open_new_generation()
    fill(new, entry(3))
    new.commit(position=9)
    assert engine.count(READER) == 2
    engine.swap(new)
    assert [hit.id for hit in engine.stamps()] == [3]
    assert engine.position() == 9
    fill(engine, entry(4))
    assert engine.count(READER) == 2


# --- passages, suggestions, neighbours --------------------------------------------------
def test_a_passage_shows_the_words_and_their_pages(engine):
    fill(engine, PLAIN, entry(2, pages=("x",)))
    shown = engine.excerpts(parse("diễn tập"), READER, [1, 2, 3])
    assert set(shown) == {1, 2}
    passage = shown[1]
    assert passage.page == 2
    assert passage.pages == ((2, 1),)
    assert [passage.text[start:end] for start, end in passage.spans] == ["diễn tập"]
    assert shown[2].pages == ()


def test_suggestions_continue_what_is_typed(engine):
    fill(engine, entry(1), entry(2), entry(3, subject="Kế hoạch diễn văn", number="124/KH"))
    texts = [one.text for one in engine.suggest("dien t", READER)]
    assert texts[0] == "diễn tập"
    assert engine.suggest("kế hoạch diễn v", READER)[0].text == "kế hoạch diễn văn"
    assert "124/KH" in [one.text for one in engine.suggest("124", READER)]
    assert engine.suggest("", READER) == []
    assert engine.suggest("?!", READER) == []


def test_three_letters_are_answered_by_words_and_by_what_follows_the_word_they_are(engine):
    fill(engine, entry(1, subject="Sao băng rơi"), entry(2, subject="Sáo trúc"), entry(3, subject="Saoma", reach=(99,)))
    assert {(one.text, one.count) for one in engine.suggest("sao", READER)} == {
        ("sao băng", 1),
        ("sáo", 1),
        ("sáo trúc", 1),
    }
    assert {one.text for one in engine.suggest("sáo", READER)} == {"sáo trúc"}


def test_neighbours_share_the_words_that_tell(engine):
    about = ("huấn luyện chiến sĩ pháo binh bắn đạn thật tại trường bắn",)
    others = ("lịch trực tuần của cơ quan văn phòng",)
    fill(engine, entry(1, pages=about), entry(2, pages=about), entry(3, pages=others), entry(4, pages=others))
    assert [hit.id for hit in engine.similar(1, READER)][:1] == [2]
    assert engine.similar(99, READER) == []


def test_neighbours_are_found_after_deletions(engine):
    text = ("huấn luyện chiến sĩ pháo binh bắn đạn thật tại trường bắn",)
    fill(engine, *(entry(n, pages=text) for n in range(1, 100)))
    engine.remove(range(2, 90))
    engine.commit()
    assert len(engine.similar(1, READER, limit=5)) == 5


def test_two_writers_do_not_meet(engine, beside):
    engine.upsert([PLAIN])
    with pytest.raises(EngineBusy):
        beside.upsert([entry(2)])
    engine.commit()
    engine.release()
    fill(beside, entry(2))
    beside.release()
    assert engine.count(READER) == 2
    assert EVERYONE in READER.reach
