"""Number and symbol: both grammars, nothing lost, nothing repaired in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rules import numbers

AS_PRINTED = [
    ("123/BC-BCH", "123", "BC-BCH"),
    ("31-NQ/ĐU", "31", "NQ/ĐU"),
    ("214-CV/TU", "214", "CV/TU"),
    ("30/2020/NĐ-CP", "30", "2020/NĐ-CP"),
    ("117/2025/QH15", "117", "2025/QH15"),
    ("1450/UBND-NC", "1450", "UBND-NC"),
    ("02/HD-HĐNVQS", "02", "HD-HĐNVQS"),
    ("3176b/QĐ-SYT", "3176b", "QĐ-SYT"),
    ("45/QĐ/UB", "45", "/QĐ/UB"),
    ("12-TB", "12", "-TB"),
    ("154/CTPH-LĐLĐ-SVH,TT,DL", "154", "CTPH-LĐLĐ-SVH,TT,DL"),
    ("01/2022/TTLT-VKSNDTC-TANDTC-BCA-BQP-BLĐTBXH", "01", "2022/TTLT-VKSNDTC-TANDTC-BCA-BQP-BLĐTBXH"),
    ("7", "7", ""),
]


@pytest.mark.parametrize(("printed", "number", "notation"), AS_PRINTED)
def test_what_was_printed_is_split_and_joined_again(printed, number, notation):
    assert numbers.split(printed) == (number, notation)
    assert numbers.join(number, notation) == printed


@pytest.mark.parametrize(
    ("loose", "tight"), [("45 / KH - BCH", "45/KH-BCH"), ("207/PTM–TC", "207/PTM-TC"), ("290 /QÐ-UBND", "290/QĐ-UBND")]
)
def test_blanks_and_other_dashes_are_evened_out(loose, tight):
    assert numbers.join(*numbers.split(loose)) == tight


@pytest.mark.parametrize(
    "text",
    ["", "/BC-BCH", "Kế hoạch", "BC-BCH/123", "l23/BC-BCH", "1O21/TM-TC", "123/", "12//KH", "5/4 năm 2026", "1" * 500],
)
def test_what_is_no_number_is_not_made_one(text):
    assert numbers.split(text) is None


def test_letters_taken_for_digits_are_only_a_suggestion():
    assert numbers.repair("l23/BC-BCH") == ("123", "BC-BCH", "l23")
    assert numbers.repair("1O21/TM-TC") == ("1021", "TM-TC", "1O21")
    assert numbers.repair("123/BC-BCH") is None
    assert numbers.repair("Ol/BC") is None  # no digit at all: a word, not a number


def test_the_same_number_is_the_same_however_it_was_typed():
    assert numbers.same("3/QĐ-BCH", "03 / QD-BCH")
    assert numbers.same("31-NQ/ĐU", "31/NQ-ĐU")
    assert not numbers.same("3/QĐ-BCH", "30/QĐ-BCH")
    assert not numbers.same("3a/QĐ-BCH", "3/QĐ-BCH")


def test_numbers_under_ten_are_printed_with_a_zero():
    assert [numbers.printed(n) for n in (3, 10, 1021)] == ["03", "10", "1021"]


@given(st.text(max_size=200))
def test_no_text_makes_it_raise_and_what_is_split_joins_to_itself(text):
    found = numbers.split(text)
    numbers.repair(text)
    assert numbers.key(text) == numbers.key(text)
    if found:
        assert numbers.split(numbers.join(*found)) == found


_sign = st.text("ABCDĐGHIKLMNOPQRSTUVXY", min_size=1, max_size=5)


@given(
    st.integers(1, 9999),
    _sign,
    _sign,
    st.sampled_from(["{n}/{a}-{b}", "{n}-{a}/{b}", "{n}/2025/{a}-{b}", "{n}/{a}/{b}", "{n}-{a}"]),
)
def test_every_grammar_survives_the_round_trip(n, a, b, form):
    printed = form.format(n=n, a=a, b=b)
    assert numbers.join(*numbers.split(printed)) == printed
