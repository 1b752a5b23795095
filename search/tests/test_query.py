"""Claims about the reading of queries: nothing raises, names are few, limits hold, chips can be taken out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.chips import describe
from search.dates import span
from search.nodes import And, Choice, Dates, Node, Not, Number, Or, Within, Words, Year, wanted
from search.query import MAX_CHARS, MAX_DEPTH, MAX_LEAVES, parse

SIGNS = st.text(alphabet='aăđ1/-"():*~. |ORNTặ“', max_size=80)
PIECE = (
    'so|số|123|bch|2024|OR|hoặc|NOT|-|(|)|"|mat:|tối|mật|ngay:|12/3/2024|123/BC-BCH|level:[0 TO 9]|reach:1|công*|c*|'
    "cong~1|cơ|quan:|tu:2023|:|*|AND|-(|ngày|tháng|10|năm|5/2026|năm 2022|ký:"
)
PIECES = st.lists(st.sampled_from(PIECE.split("|")), max_size=40)


def leaves(text: str) -> list[Node]:
    return list(wanted(parse(text).root))


def tokens(text: str) -> list[str]:
    return [token for leaf in leaves(text) if isinstance(leaf, Words) for token in leaf.tokens]


def depth(node: Node | None) -> int:
    match node:
        case And() | Or():
            return 1 + max(depth(child) for child in node.children)
        case Not():
            return 1 + depth(node.child)
        case _:
            return 0


@given(st.one_of(st.text(max_size=200), SIGNS, PIECES.map(" ".join), PIECES.map("".join)))
def test_nothing_a_person_types_raises(text):
    query = parse(text)
    for chip in describe(query):
        describe(parse(chip.without))


@given(st.one_of(st.text(max_size=100), PIECES.map(" ".join)))
def test_every_leaf_knows_where_it_was_read(text):
    query = parse(text)
    for leaf in wanted(query.root):
        start, end = leaf.span
        assert 0 <= start < end <= len(query.text)


@pytest.mark.parametrize(
    "text", ["", "   ", "()", "(((", '"', '""', "OR", "AND", "NOT", "-", "*", "~", ":", ")", "hoặc OR"]
)
def test_nothing_to_ask_is_an_empty_query(text):
    assert parse(text).root is None


@pytest.mark.parametrize(
    "text",
    ["level:[0 TO 9]", "reach:12", "marking:1", "viewer_id:7", "ids:4", "acl:x", "báo cáo: tình hình", "units:*"],
)
def test_a_name_that_is_not_in_the_table_is_text(text):
    assert all(isinstance(leaf, Words) for leaf in leaves(text))


def test_words_are_joined_by_and():
    assert tokens("kế hoạch diễn tập") == ["ke", "hoach", "dien", "tap"]
    assert isinstance(parse("kế hoạch").root, And)


def test_quoted_words_with_marks_are_exact_and_without_are_not():
    assert parse('"diễn tập"').root.is_exact
    assert not parse('"dien tap"').root.is_exact
    assert not parse("diễn").root.is_exact


def test_or_joins_what_stands_beside_it():
    root = parse("a hoặc b c").root
    assert isinstance(root, Or)
    assert isinstance(root.children[1], And)


@pytest.mark.parametrize("text", ["a -b", "a NOT b", 'a -"b"', "a -(b)"])
def test_what_must_not_be_is_not_wanted(text):
    assert tokens(text) == ["a"]
    assert isinstance(parse(text).root.children[1], Not)


@pytest.mark.parametrize("text", ["máy-tính", "báo cáo - kế hoạch", "báo cáo – kế hoạch"])
def test_a_hyphen_between_words_denies_nothing(text):
    assert not any(isinstance(node, Not) for node in getattr(parse(text).root, "children", ()))


@pytest.mark.parametrize(
    ("text", "expected", "is_strict"),
    [
        ("123/BC", ("123", "bc"), True),
        ("123/BC-BCH", ("123", "bc", "bch"), True),
        ("số 45/QĐ-UBND", ("45", "qd", "ubnd"), True),
        ("so:123", ("123",), True),
        ('số:"045/BC–BCH"', ("45", "bc", "bch"), True),
        ("12-CV/TU", ("12", "cv", "tu"), True),
        ("so 123 bch", ("123", "bch"), False),
        ("123-bc-bch", ("123", "bc", "bch"), True),
        ("Số: 123/BC", ("123", "bc"), True),
        ("SỐ 77 UBND", ("77", "ubnd"), False),
    ],
)
def test_a_dispatch_number_is_understood(text, expected, is_strict):
    (leaf,) = leaves(text)
    assert isinstance(leaf, Number)
    assert (leaf.tokens, leaf.is_strict) == (expected, is_strict)


def test_a_number_said_in_words_takes_the_year_after_it():
    number, year = leaves("so 123 bch 2024")
    assert number.tokens == ("123", "bch")
    assert (year.first, year.last, year.in_text) == (2024, 2024, True)


def test_a_bare_figure_is_a_word_of_any_field():
    assert leaves("123") == [Words(("123",), ("123",), (0, 3))]


def test_a_bare_year_is_of_the_register_or_in_the_text():
    words, year = leaves("quyết 2019")
    assert words.tokens == ("quyet",)
    assert (year.first, year.last, year.in_text) == (2019, 2019, True)
    assert tokens('"2019"') == ["2019"]


@pytest.mark.parametrize("text", ["19-covid", "5-tỉnh", "phòng không không quân", "KHÔNG QUÂN", "Loại: khác"])
def test_what_only_looks_like_the_language_is_words(text):
    assert all(isinstance(leaf, Words) for leaf in leaves(text))


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("thời hạn bảo quản:vĩnh", "retention", ("vinh",)),
        ('cơ quan ban hành:"Bộ"', "organ", ("bo",)),
        ("issuer:bộ", "organ", ("bo",)),
        ("người ký:ánh", "signer", ("anh",)),
        ("số đến:77", "register", ("77",)),
        ("hồ sơ:05", "dossier", ("05",)),
    ],
)
def test_a_name_may_have_several_words(text, field, value):
    (leaf,) = leaves(f"{text}")
    assert (leaf.field, leaf.words.tokens) == (field, value)
    before, same = leaves(f"chữ {text}")
    assert before.tokens == ("chu",)
    assert same.words.tokens == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [("độ mật: tối mật", ("level", 2)), ("khẩn: hoa-toc", ("urgency", 3)), ("mat:mat", ("level", 1))],
)
def test_a_rank_may_follow_its_name_after_a_space(text, expected):
    (leaf,) = leaves(text)
    assert (leaf.field, leaf.value) == expected


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ('người ký: "Phạm Văn Thành"', "signer", ("pham", "van", "thanh")),
        ('Cơ quan ban hành: "Bộ Quốc phòng"', "organ", ("bo", "quoc", "phong")),
        ('thời hạn bảo quản: "20 năm"', "retention", ("20", "nam")),
        ('loại: "báo cáo"', "type", ("bao", "cao")),
        ("số đến: 1", "register", ("1",)),
        ("Số đăng ký: 012,", "register", ("12",)),
        ("số đi: 7b", "register", ("7b",)),
        ("register: 1*", "register", ("1",)),
    ],
)
def test_a_value_may_follow_its_name_after_a_space(text, field, value):
    (leaf,) = leaves(text)
    assert (leaf.field, leaf.words.tokens) == (field, value)
    (_, denied) = parse(f"chữ -{text}").root.children
    assert isinstance(denied, Not)
    assert denied.child.words.tokens == value


@pytest.mark.parametrize("text", ["người ký: Thành", "số đến: mười", "Loại: khác", 'V/v báo cáo: "tình hình"'])
def test_a_bare_word_after_a_name_and_a_space_is_text(text):
    assert all(isinstance(leaf, Words) for leaf in leaves(text))


def test_a_day_and_a_number_may_be_followed_by_a_sign_of_the_sentence():
    number, day = leaves("Số: 123/BC, ngày: 12/3/2024.")
    assert (number.tokens, day.first) == (("123", "bc"), date(2024, 3, 12))
    (quoted,) = leaves('ngày đến: "12/3/2024"')
    assert (quoted.field, quoted.first) == ("arrived", date(2024, 3, 12))


def test_so_before_a_word_is_a_word():
    assert tokens("số quân") == ["so", "quan"]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("02/2023", date(2023, 2, 1), date(2023, 2, 28)),
        ("12/3/2024", date(2024, 3, 12), date(2024, 3, 12)),
        ("2024-03-12", date(2024, 3, 12), date(2024, 3, 12)),
        ("2024..2025", date(2024, 1, 1), date(2025, 12, 31)),
        ("2024..", date(2024, 1, 1), None),
        ("2024-03..2024-07", date(2024, 3, 1), date(2024, 7, 31)),
        ("2023-2024", date(2023, 1, 1), date(2024, 12, 31)),
        ("2025..2024", date(2024, 1, 1), date(2025, 12, 31)),
        ("2024-2023", date(2023, 1, 1), date(2024, 12, 31)),
        ("12/3/2024..05/2023", date(2023, 5, 1), date(2024, 3, 12)),
        ("2024..12/3/2024", date(2024, 1, 1), date(2024, 3, 12)),
        (">=2024-01-01", date(2024, 1, 1), None),
        (">2024", date(2025, 1, 1), None),
        ("<1/2/2024", None, date(2024, 1, 31)),
    ],
)
def test_days_months_years_and_spans_are_read(text, first, last):
    assert span(text) == (first, last)


@pytest.mark.parametrize(
    "text", ["30/2/2024", "2024-13", "1800", "..", "x..2024", "", "12/2024/3", ">2100", ">31/12/2100", "<1900"]
)
def test_no_day_is_no_span(text):
    assert span(text) is None


def test_a_bare_day_may_also_stand_in_the_text():
    (leaf,) = leaves("ngày 12/3/2024")
    assert isinstance(leaf, Dates)
    assert ("ngay", "12", "thang", "3", "nam", "2024") in leaf.written


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("ngày 22 tháng 10 năm 2026", date(2026, 10, 22), date(2026, 10, 22)),
        ("ngay 02 thang 01 nam 2026.", date(2026, 1, 2), date(2026, 1, 2)),
        ("22 tháng 10 năm 2026", date(2026, 10, 22), date(2026, 10, 22)),
        ("Ngày 22/10 năm 2026", date(2026, 10, 22), date(2026, 10, 22)),
        ("ngày 22 tháng 10/2026", date(2026, 10, 22), date(2026, 10, 22)),
        ("ngày: 22 tháng 10 năm 2026", date(2026, 10, 22), date(2026, 10, 22)),
        ("ngày:22 tháng 10 năm 2026", date(2026, 10, 22), date(2026, 10, 22)),
        ("2026-10-22", date(2026, 10, 22), date(2026, 10, 22)),
        ("tháng 5/2026", date(2026, 5, 1), date(2026, 5, 31)),
        ("tháng 02 năm 2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("tu: tháng 5 năm 2026", date(2026, 5, 1), None),
    ],
)
def test_a_day_and_a_month_may_be_said_in_words(text, first, last):
    (leaf,) = leaves(text)
    assert isinstance(leaf, Dates)
    assert (leaf.first, leaf.last, leaf.field) == (first, last, "day")
    before, same, after = leaves(f"chữ {text} khác")
    assert (before.tokens, same.first, after.tokens) == (("chu",), first, ("khac",))
    assert isinstance(parse(f"chữ -{text}").root.children[1].child, Dates)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("từ ngày 1/3/2024 đến ngày 5/4/2024", date(2024, 3, 1), date(2024, 4, 5)),
        ("tu ngay 01 thang 3 nam 2024 den het ngay 05 thang 4 nam 2024.", date(2024, 3, 1), date(2024, 4, 5)),
        ("từ 1/3 đến 5/4/2024", date(2024, 3, 1), date(2024, 4, 5)),
        ("từ ngày 1 đến ngày 5 tháng 4 năm 2024", date(2024, 4, 1), date(2024, 4, 5)),
        ("từ ngày 28/12/2023 đến 2024-01-03", date(2023, 12, 28), date(2024, 1, 3)),
        ("từ tháng 3 đến tháng 5 năm 2024", date(2024, 3, 1), date(2024, 5, 31)),
        ("từ tháng 11/2023 tới tháng 02/2024", date(2023, 11, 1), date(2024, 2, 29)),
        ("từ tháng 3/2024 đến ngày 5/4/2024", date(2024, 3, 1), date(2024, 4, 5)),
    ],
)
def test_a_span_may_be_said_in_words(text, first, last):
    (leaf,) = leaves(text)
    assert isinstance(leaf, Dates)
    assert (leaf.first, leaf.last, leaf.field) == (first, last, "day")
    before, same, after = leaves(f"trực {text} khác")
    assert (before.tokens, same.first, after.tokens) == (("truc",), first, ("khac",))
    assert same.written  # a text that says it in the same words is found as well
    assert isinstance(parse(f"chữ -{text}").root.children[1].child, Dates)


@pytest.mark.parametrize("text", ["từ năm 2020 đến năm 2022", "tu 2020 den 2022", "từ năm 2020 đến hết năm 2022"])
def test_a_span_of_years_is_one_of_years(text):
    (leaf,) = leaves(text)
    assert isinstance(leaf, Year)
    assert (leaf.first, leaf.last) == (2020, 2022)


@pytest.mark.parametrize(
    "text",
    [
        "từ ngày 5/4/2024 đến ngày 1/3/2024",
        "từ xa đến gần",
        "từ ngày 31/2 đến ngày 5/3/2024",
        "từ ngày 1/3/2024",
        "từ 5 đến 7",
    ],
)
def test_what_is_no_span_is_read_piece_by_piece(text):
    assert leaves(text)[0].tokens == ("tu",)


@pytest.mark.parametrize(
    "text", ["ngày 31 tháng 22 năm 2026", "tháng 13 năm 1800", "năm học", "ngày 22 tháng 10", "năm 20"]
)
def test_what_is_no_day_is_words(text):
    assert all(isinstance(leaf, Words | Year) for leaf in leaves(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("năm 2022", ("nam", "2022")),
        ("nam 2022", ("nam", "2022")),
        ("kế hoạch năm 2022", ("nam", "2022")),
        ("viet nam 2022", ("2022",)),
        ("Việt Nam 2022", ("2022",)),
        ("Thành Nam 2022", ("2022",)),
    ],
)
def test_a_year_has_its_word_and_the_south_keeps_its_name(text, expected):
    *_, year = leaves(text)
    assert (year.first, year.last, year.tokens) == (2022, 2022, expected)


def test_a_figure_before_a_year_is_a_number_and_a_month_if_it_can_be_one():
    (number,) = leaves("05/2026")
    assert (number.tokens, number.month.first, number.month.last) == (
        ("5", "2026"),
        date(2026, 5, 1),
        date(2026, 5, 31),
    )
    for text in ("13/2026", "số 5/2026", "so:5/2026", "5/2026/QĐ"):
        (other,) = leaves(text)
        assert (isinstance(other, Number), other.month) == (True, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ngày 22 tháng 10 năm 2026", ("date", "22/10/2026", "")),
        ("tháng 5/2026", ("date", "05/2026", "")),
        ("năm 2022", ("year", "2022", "")),
        ("từ ngày 1/3 đến ngày 5/4/2024", ("date", "01/03/2024-05/04/2024", "")),
        ("5/2026", ("number", "5/2026", "hoặc tháng 05/2026")),
        ("so:23*", ("number", "23*", "phần đầu của số")),
    ],
)
def test_chips_say_how_days_and_numbers_were_understood(text, expected):
    (chip,) = describe(parse(text))
    assert (chip.kind, chip.value, chip.note) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mat:toi-mat", ("level", 2)),
        ("mật:tối mật", ("level", 2)),
        ('độ-mật:"Tuyệt mật"', ("level", 3)),
        ("level:secret", ("level", 2)),
        ("khan:hoa-toc", ("urgency", 3)),
        ("khẩn:thượng khẩn", ("urgency", 2)),
        ("huong:den", ("direction", "incoming")),
    ],
)
def test_ranks_are_named_with_or_without_marks(text, expected):
    (leaf,) = leaves(text)
    assert isinstance(leaf, Choice)
    assert (leaf.field, leaf.value) == expected


@pytest.mark.parametrize(
    "text", ['cơ quan:"Bộ Tư lệnh"', 'coquan:"bộ tư lệnh"', 'cơ-quan:"BỘ TƯ LỆNH"', 'agency:"Bộ Tư lệnh"']
)
def test_a_field_has_its_name_with_or_without_marks_and_in_english(text):
    (leaf,) = leaves(text)
    assert isinstance(leaf, Within)
    assert (leaf.field, leaf.words.tokens) == ("organ", ("bo", "tu", "lenh"))


def test_a_short_prefix_is_a_whole_word():
    assert parse("bá*").root.is_prefix
    assert not parse("b*").root.is_prefix


def test_the_limits_hold_and_are_said():
    assert parse("a " * MAX_CHARS).is_cut
    many = parse(" ".join(f"t{n}" for n in range(MAX_LEAVES + 9)))
    assert many.is_cut
    assert len(many.root.children) == MAX_LEAVES
    long_phrase = parse('"' + "ba " * 200 + '"')
    assert long_phrase.is_cut
    assert len(long_phrase.root.tokens) == MAX_LEAVES
    deep = parse("(a " * 300)
    assert deep.is_cut
    assert depth(deep.root) <= MAX_DEPTH + 1
    assert not parse("a b c").is_cut


def test_a_thousand_denials_are_read():
    assert parse("NOT " * 249 + "a").root is not None
    assert parse("-" * 900 + "a").root is not None


def test_chips_say_what_was_understood():
    said = [
        (chip.kind, chip.value, bool(chip.note)) for chip in describe(parse('"diễn tập" khu vuc phong thu tu:2023'))
    ]
    assert [one[0] for one in said] == ["words", "words", "date"]
    assert said[0] == ("words", "“diễn tập”", False)
    assert said[1] == ("words", "khu vuc phong thu", True)
    assert "2023" in said[2][1]


def test_a_chip_can_be_taken_out():
    chips = describe(parse('"diễn tập" khu vuc tu:2023 -mật'))
    assert [chip.without for chip in chips] == [
        "khu vuc tu:2023 -mật",
        '"diễn tập" tu:2023 -mật',
        '"diễn tập" khu vuc -mật',
        '"diễn tập" khu vuc tu:2023',
    ]
    assert [chip.is_negative for chip in chips] == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-(ke OR hoach)", ("any", "Một trong", "ke OR hoach", True)),
        ("NOT (ke hoach)", ("all", "", "ke hoach", True)),
        ("NOT (a (b OR c))", ("all", "", "a (b OR c)", True)),
        ("(a b) OR (c d)", ("any", "Một trong", "(a b) OR (c d)", False)),
        ('-("a)" OR b)', ("any", "Một trong", '"a)" OR b', True)),
        ("-(ke OR hoach", ("any", "Một trong", "ke OR hoach", True)),
        ("-((ke OR hoach))", ("any", "Một trong", "ke OR hoach", True)),
        ("-(ke)", ("words", "", "ke", True)),
        ("NOT ke", ("words", "", "ke", True)),
        ('-("mật báo")', ("words", "", "“mật báo”", True)),
        ("-(mat:mat)", ("level", "Độ mật", "Mật", True)),
        ("NOT số: 123/BC", ("number", "Số", "123/BC", True)),
        ("nam:2023..", ("year", "Năm", "từ 2023", False)),
        ("nam:..2023", ("year", "Năm", "đến 2023", False)),
        ("nam:2024..2023", ("year", "Năm", "2023-2024", False)),
        ("ngay:2023..", ("date", "Ngày tháng", "từ 2023", False)),
    ],
)
def test_a_chip_says_its_own_piece(text, expected):
    (chip,) = describe(parse(text))
    assert (chip.kind, chip.label, chip.value, chip.is_negative) == expected


def test_years_are_spans_of_the_register():
    (leaf,) = leaves("năm:2023..2024")
    assert isinstance(leaf, Year)
    assert (leaf.first, leaf.last) == (2023, 2024)
