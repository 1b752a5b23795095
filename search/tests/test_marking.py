"""Claims about marks: what is found is marked where it stands, on the page image and in the passage."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rules.page import PageText, Word
from search import marking
from search.entry import PAGE_BREAK
from search.marking import excerpt, find, is_near, mark_page, marks_in, patterns
from search.query import parse


def page(text: str) -> PageText:
    """Return a page on which each word has a box; a line break begins a new line."""
    words, at = [], 0
    for line_number, line in enumerate(text.split("\n")):
        left = 0
        for word in line.split(" "):
            width = 100 * len(word)
            words.append(Word(word, at, (left, 500 * line_number, left + width, 500 * line_number + 400)))
            at, left = at + len(word) + 1, left + width + 100
    return PageText(1, text, tuple(words), "ocr", 90)


def marked(query: str, text: str) -> list[str]:
    made = page(text)
    return [made.words[index].text for index in mark_page(parse(query), made).words]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("diễn tập", "Cuộc DIỄN TẬP và tập sự", ["DIỄN", "TẬP", "tập"]),
        ("dien tap", "Cuộc diễn tập", ["diễn", "tập"]),
        ('"diễn tập"', "diễn tập diên tập tập diễn", ["diễn", "tập"]),
        ('"dien tap"', "diễn tập diên tập", ["diễn", "tập", "diên", "tập"]),
        ('"hoà bình"', "Hòa bình", ["Hòa", "bình"]),
        ("tập", "tập, (tập) tập-huấn", ["tập,", "(tập)", "tập-huấn"]),
        ("an", "toàn an ninh", ["an"]),
        ("phò*", "phòng phong pháo", ["phòng", "phong"]),
        ("phòg~", "phòng phog pháo", ["phòng", "phog"]),
        ("123/BC-BCH", "số 123/BC-BCH ngày", ["123/BC-BCH"]),
        ("so 123 bch", "Số 123 - BCH 123", ["Số", "123", "-", "BCH"]),
        (
            "12/3/2024",
            "Ngày 12 tháng 3 năm 2024 và 12/03/2024",
            ["Ngày", "12", "tháng", "3", "năm", "2024", "12/03/2024"],
        ),
        ("diễn -tập", "diễn tập", ["diễn"]),
        ("a OR b", "b c a", ["b", "a"]),
        ("mat:mat loai:bc", "mật báo cáo bc", []),
        ("trichyeu:diễn", "diễn tập", []),
        ("", "diễn tập", []),
    ],
)
def test_words_are_marked_where_they_stand(query, text, expected):
    assert marked(query, text) == expected


def test_decomposed_text_is_marked_too():
    text = unicodedata.normalize("NFD", "Cuộc diễn tập lớn")
    made = page(text)
    assert [unicodedata.normalize("NFC", made.words[n].text) for n in mark_page(parse("diễn tập"), made).words] == [
        "diễn",
        "tập",
    ]


def test_neighbours_on_a_line_have_one_box_and_a_new_line_another():
    marks = mark_page(parse('"khu vực phòng thủ"'), page("khu vực\nphòng thủ"))
    assert marks.boxes == ((0, 0, 700, 400), (0, 500, 900, 900))
    assert marks.count == 1


BROKEN = ("Báo cáo diễn tập khu vực", "Phòng thủ tỉnh năm nay")


@pytest.mark.parametrize(
    ("asked", "left", "right"),
    [
        ('"khu vực phòng thủ"', ["khu", "vực"], ["Phòng", "thủ"]),
        ('"dien tap khu vuc phong thu tinh"', ["diễn", "tập", "khu", "vực"], ["Phòng", "thủ", "tỉnh"]),
        ('"khu vực phòng thù"', [], []),
        ('"vực phòng" -"khu vực" bao', ["Báo", "vực"], ["Phòng"]),
        ('"năm nay" "cáo diễn"', ["cáo", "diễn"], ["năm", "nay"]),
    ],
)
def test_words_side_by_side_over_a_page_break_are_marked_on_both_pages(asked, left, right):
    made = [replace(page(text), number=number) for number, text in enumerate(BROKEN, start=1)]
    marked = dict(marking.mark_pages(parse(asked), made))
    assert [[one.words[index].text for index in marked[one.number].words] for one in made] == [left, right]


def test_a_phrase_over_a_page_break_has_its_passage_and_both_pages():
    shown = excerpt(patterns(parse('"khu vực phòng thủ"')), PAGE_BREAK.join(("Lời đầu", *BROKEN)))
    assert (shown.text, shown.page, shown.pages) == ("Báo cáo diễn tập khu vực", 2, ((2, 1), (3, 1)))
    assert [shown.text[start:end] for start, end in shown.spans] == ["khu vực"]


BLANK = ("", " \n \n", "— * —")  # the back of a sheet, as a scanner gives it and as it is read


@pytest.mark.parametrize("blank", BLANK)
def test_a_blank_page_between_parts_no_words(blank):
    asked, texts = '"khu vực phòng thủ"', (BROKEN[0], blank, blank, BROKEN[1])
    made = [replace(page(text), number=number) for number, text in enumerate(texts, start=1)]
    marked = dict(marking.mark_pages(parse(asked), made))
    assert sorted(marked) == [1, 2, 3, 4]
    assert [len(marked[number].words) for number in sorted(marked)] == [2, 0, 0, 2]
    shown = excerpt(patterns(parse(asked)), PAGE_BREAK.join(texts))
    assert (shown.page, shown.pages) == (1, ((1, 1), (4, 1)))
    assert [shown.text[start:end] for start, end in shown.spans] == ["khu vực"]


def test_a_subject_is_marked_in_runs():
    subject = "Tổ chức diễn tập khu vực phòng thủ tỉnh"
    (run,) = marks_in(parse('"diễn tập" khu vuc phong thu'), subject)
    assert subject[slice(*run)] == "diễn tập khu vực phòng thủ"
    assert marks_in(parse("trichyeu:tỉnh"), subject) == [(35, 39)]


def test_a_passage_is_taken_where_most_words_stand():
    filler = "Nội dung khác. " * 40
    body = PAGE_BREAK.join([f"diễn ra. {filler}", f"{filler} kết quả diễn tập tốt. {filler}", filler])
    shown = excerpt(patterns(parse("diễn tập")), body)
    assert shown.page == 2
    assert shown.pages == ((1, 1), (2, 1))
    assert [shown.text[start:end] for start, end in shown.spans] == ["diễn tập"]
    assert shown.text.startswith("… ")
    assert shown.text.endswith(" …")
    assert len(shown.text) < 240


def test_without_a_find_the_passage_is_the_beginning():
    shown = excerpt(patterns(parse("xyz")), "Một hai\nba\fbốn")
    assert (shown.text, shown.spans, shown.page, shown.pages) == ("Một hai ba bốn", (), 0, ())


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("phong", "phong", True),
        ("phong", "phog", True),
        ("phog", "phong", True),
        ("phong", "phang", True),
        ("phong", "phnog", True),
        ("phong", "phonga", True),
        ("phong", "pohgn", False),
        ("phong", "pho", False),
        ("ab", "ba", True),
    ],
)
def test_near_words_differ_in_one_letter(left, right, expected):
    assert is_near(left, right) is expected
    assert is_near(right, left) is expected


@given(st.text(alphabet="aăđ 1/-\n\f\u0300\u0323ễN", max_size=120), st.text(alphabet='aăđ1/-"*~ ễ', max_size=20))
def test_spans_lie_in_the_passage_and_never_cross(body, asked):
    shown = excerpt(patterns(parse(asked)), body)
    end = 0
    for start, stop in shown.spans:
        assert end <= start < stop <= len(shown.text)
        end = stop
    mark_page(parse(asked), PageText(1, body, (), "none", 0))


@given(
    st.text(alphabet="abd đễ1/-\n", max_size=80),
    st.lists(st.sampled_from(["a", "ab", "aba", "b1", "d"]), min_size=1, max_size=3),
    st.booleans(),
)
def test_words_are_found_by_their_letters_where_the_expression_finds_them(body, tokens, is_prefix):
    expression = marking._expression(tuple(tokens), is_prefix=is_prefix, has_stray=False)
    folded = marking.fold_chars(body)
    assert list(marking._literal(folded, tokens[0], expression)) == [one.span() for one in expression.finditer(folded)]


@given(st.text(alphabet="abc -", max_size=60))
def test_near_words_are_marked_wherever_they_stand(body):
    marked = {body[start:end] for start, end in find(body, patterns(parse("abc~")))}
    assert marked == {word for word in body.replace("-", " ").split() if is_near(word, "abc")}
