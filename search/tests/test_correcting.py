"""Claims about what is offered when little is found: other marks, another letter, and only what finds more."""

from search.correcting import OFFERED, corrections
from search.query import parse
from search.tests.make import READER, entry, fill
from search.units import Names


def offered(engine, text: str) -> list[str]:
    return corrections(engine, parse(text), READER, Names())


def say(engine, *subjects: str, **changes: object) -> None:
    fill(
        engine,
        *(
            entry(n, subject=subject, pages=(), dossier="", signer="", organ_name="", number="", **changes)
            for n, subject in enumerate(subjects, start=1)
        ),
    )


def test_words_without_marks_are_offered_with_the_marks_most_records_give_them(engine):
    say(engine, "sở chỉ huy", "sở chỉ huy mới", "chi huy")
    assert offered(engine, "chi huy")[0] == "chỉ huy"
    assert offered(engine, "chỉ huy") == []


def test_a_mistyped_word_is_offered_as_the_records_write_it(engine):
    say(engine, "diễn tập", "diễn tập lớn")
    assert "diễn tập" in offered(engine, "diễm tập")
    assert "diễn tập" in offered(engine, "diexn tập")


def test_no_word_is_offered_that_would_make_alternatives_of_its_neighbours(engine):
    say(engine, "kế hoạch huấn luyện", "trực ban hoặc trực chiến", "huấn luyện", "kế toán")
    assert offered(engine, "ke hoach huan*") == []
    assert not [text for text in offered(engine, "ban hoac truc") if "hoặc" in text]
    assert 'truc "ban hoặc"' in offered(engine, 'truc "ban hoạc"')


def test_the_marks_of_a_pair_go_before_those_that_each_word_has_most_often(engine):
    say(engine, "diễn tập bắn", "diễn tập", *["điện lực"] * 4, *["tạp vụ"] * 4, *["diện mạo"] * 3, *["tấp nập"] * 3)
    assert offered(engine, "dien tap")[0] == "diễn tập"
    assert offered(engine, "dien tap luc") == []


def test_a_pair_that_only_texts_hold_is_offered_too(engine):
    subjects = ["điện lực", "điện lực", "diện mạo", "tạp vụ", "tạp vụ"]
    say(engine, *subjects)
    fill(engine, entry(9, subject="Kế hoạch", pages=("chuẩn bị diễn tập",), dossier="", number=""))
    assert offered(engine, "dien tap")[0] == "diễn tập"


def test_a_letter_is_mended_together_with_the_marks_of_its_neighbour(engine):
    say(engine, "công văn đến", "công văn đi", *["cộng trừ"] * 3, *["và nay"] * 3, *["ná"] * 4, *["van"] * 5)
    assert offered(engine, "cong vna")[0] == "công văn"
    assert offered(engine, "cogn van")[0] == "công văn"
    assert 'đến "công văn" OR ná' in offered(engine, 'đến "công vna" OR ná')
    assert "công văn nam:2024" in offered(engine, "cong vna nam:2024")


def test_words_that_do_not_stand_side_by_side_as_a_whole_have_the_marks_of_their_pairs(engine):
    say(engine, "báo cáo kết quả diễn tập")
    assert offered(engine, "bao cao dien tap") == ["báo cáo diễn tập"]


def test_a_word_that_stands_in_no_pair_has_no_marks_to_offer(engine):
    say(engine, "báo cáo", "kết quả")
    assert offered(engine, "bao qua") == []


def test_what_finds_enough_is_not_corrected(engine):
    say(engine, *["diễm tập"] * 5, *["diễn tập"] * 20)
    assert offered(engine, "diễm tập") == []


def test_numbers_beginnings_and_near_words_are_never_corrected(engine):
    say(engine, "diễn tập")
    for text in ("123/BC", "diem*", "diem~", "-diễm", "", "mat:mat"):
        assert offered(engine, text) == []


def test_the_rest_of_the_query_stays_as_it_was(engine):
    say(engine, "diễn tập phòng thủ", issued_on=entry(1).issued_on)
    assert 'diễn tập "phòng thủ" nam:2024 -mật' in offered(engine, 'diễm tập "phòng thủ" nam:2024 -mật')


def test_words_of_hidden_records_are_never_offered(engine):
    say(engine, "diễn tập")
    before = offered(engine, "diem tập")
    fill(engine, *(entry(50 + n, subject="diềm tập", pages=(), reach=(99,)) for n in range(5)))
    fill(engine, *(entry(60 + n, subject="diệm tập", pages=(), level=2) for n in range(5)))
    assert offered(engine, "diem tập") == before
    assert offered(engine, "diem tap") == before
    assert len(before) <= OFFERED
