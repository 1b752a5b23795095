"""Claims about the visual builder and the chips: form, chips and text always say the same."""

from dataclasses import replace

import pytest
from django.http import QueryDict
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.building import FIELDS, Row, rows, write
from search.chips import describe
from search.query import parse
from search.tests.test_query import PIECES, SIGNS
from search.views.rows import shown, written
from search.writing import meaning, pieces

TEXTS = st.one_of(st.text(max_size=80), SIGNS, PIECES.map(" ".join))
OPERATORS = st.sampled_from(["has", "phrase", "begins", "near", "is", "from", "until"])
VALUES = st.one_of(st.text(max_size=30), PIECES.map(" ".join), st.sampled_from(["2024", "12/3/2024", "bộ tư lệnh"]))


def means(text: str) -> list:
    return [meaning(piece) for piece in pieces(parse(text).root)]


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_the_rows_of_a_query_say_the_same(text):
    query = parse(text)
    made = rows(query)
    if made is not None and not query.is_cut:
        assert means(write(made)) == means(text)


@given(st.lists(st.builds(Row, st.sampled_from(list(FIELDS)), OPERATORS, VALUES, st.booleans()), max_size=4))
@example([Row("text", "is", "-("), Row("text", "has", "0"), Row("text", "has", "0")])
@settings(max_examples=200, deadline=None)
def test_what_a_form_writes_can_be_shown_in_the_form_again(lines):
    written = parse(write(lines))
    assert written.is_cut or rows(written) is not None


@given(TEXTS)
@example("-so 123 bch 2024")
@example('-(ke OR hoach) NOT (ke hoach) -cơ quan: "x y"')
@example("ngày 22 tháng 10 năm 2026 năm 2022 5/2026 số đến: 1")
@settings(max_examples=600, deadline=None)
def test_a_chip_taken_out_leaves_all_the_others_as_they_were(text):
    query = parse(text)
    if query.is_cut:
        return
    whole, at = means(text), 0
    for chip in describe(query):
        left = means(chip.without)
        end = at + len(whole) - len(left)
        assert left == whole[:at] + whole[end:]
        assert end > at
        at = end
    assert at == len(whole)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("diễn tập", [Row("text", "has", "diễn"), Row("text", "has", "tập")]),
        ('"diễn tập" -mật', [Row("text", "phrase", "diễn tập"), Row("text", "has", "mật", is_negative=True)]),
        ("phò* tạp~", [Row("text", "begins", "phò"), Row("text", "near", "tạp")]),
        ("ngay:2024-03..2024-07", [Row("day", "between", "2024-03-01..2024-07-31")]),
        ("tu:2024", [Row("day", "from", "2024-01-01")]),
        ("nam:2023", [Row("year", "is", "2023")]),
        ("mat:toi-mat khan:hoa-toc", [Row("level", "is", "toi-mat"), Row("urgency", "is", "hoa-toc")]),
        ('cơ quan:"Bộ Tư lệnh"', [Row("organ", "phrase", "bộ tư lệnh")]),
        ("so:123/BC", [Row("number", "is", "123/BC")]),
        ("so 123 bch 2024", [Row("text", "has", "so 123 bch"), Row("text", "has", "2024")]),
        ("so:23*", [Row("number", "begins", "23")]),
        ("soden:1*", [Row("register", "begins", "1")]),
        ("-(nguoiky:thanh~ nguoiky:vũ~)", [Row("signer", "near", "thanh vũ", is_negative=True)]),
        ("", []),
    ],
)
def test_a_flat_query_has_rows(text, expected):
    assert rows(parse(text)) == expected


@pytest.mark.parametrize("text", ["a OR b", "a -(b c)", "(a hoặc b) c"])
def test_a_query_that_is_not_flat_has_none(text):
    assert rows(parse(text)) is None


def test_lines_do_not_run_into_each_other():
    assert means(write([Row("text", "has", "so"), Row("text", "has", "123")])) == means("so AND 123")
    assert means(write([Row("text", "has", "OR"), Row("text", "has", "mat:mat")])) == means('"OR" "mat:mat"')


def test_taking_out_a_word_between_makes_no_number():
    (_, middle, _) = describe(parse('so "x y" 123'))
    assert middle.without == "so AND 123"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (Row("number", "begins", "23"), "so:23*"),
        (Row("register", "begins", "1"), "soden:1*"),
        (Row("signer", "near", "Thanh Phạm"), "nguoiky:Thanh~ nguoiky:Phạm~"),
        (Row("signer", "near", "Thanh Vũ", is_negative=True), "-(nguoiky:Thanh~ nguoiky:Vũ~)"),
        (Row("subject", "near", "huan luyen"), "trichyeu:huan~ trichyeu:luyen~"),
        (Row("text", "near", "huan (luyen)"), "huan~ luyen~"),
        (Row("text", "near", "huan luyen", is_negative=True), "-(huan~ luyen~)"),
    ],
)
def test_a_line_says_all_its_words(line, text):
    assert write([line]) == text
    if line.operator == "begins" or line.is_negative:
        assert [replace(row, value=row.value.lower()) for row in rows(parse(text))] == [
            replace(line, value=line.value.lower())
        ]


LONG = " ".join(["tham", "mưu"] * 31)


@given(TEXTS)
@example(LONG * 2)
@example(f'"{"nghiêng" * 60}" trichyeu:"{"x" * 400} y" -nguoiky:{"k" * 350}*')
@example("ngay:>2100 a")
@example("so AND 123 a")
@example("ngay:<1900 nam:>2100 ngay:2100 ngay:>=31/12/2100 nam:<=1900")
@settings(max_examples=600, deadline=None)
def test_a_form_that_is_sent_as_it_was_drawn_says_what_the_words_said(text):
    text = text.replace("\x00", "")  # as every door does
    query = parse(text)
    lines = shown(query)
    if lines is None or query.is_cut:
        return
    sent = QueryDict(mutable=True)
    for name in ("field", "operator", "value", "until"):
        sent.setlist(name, [line[name] for line in lines])
    sent.setlist("sign", ["-" if line["is_negative"] else "" for line in lines])
    assert means(written(sent)) == means(text)


def test_near_words_of_one_field_are_one_line_of_the_form():
    (line, blank) = shown(parse("nguoiky:thanh~ nguoiky:phạm~"))
    assert (line["field"], line["operator"], line["value"]) == ("signer", "near", "thanh phạm")
    assert blank["value"] == ""
