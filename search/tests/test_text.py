"""Claims about the one normal form: the golden table of forty cases, in both Unicode forms."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import packing
from search.text import (
    _CHARS,
    LONGEST_WORD,
    _both_by_pieces,
    both,
    exact_words,
    fold_chars,
    vi_clean,
    vi_exact,
    vi_fold,
    vi_norm,
    words,
)

GOLDEN = [
    ("công văn", "cong van"),
    (unicodedata.normalize("NFD", "công văn"), "cong van"),
    ("CÔNG VĂN", "cong van"),
    ("Đ", "d"),
    ("đ", "d"),
    ("Đảng ủy", "dang uy"),
    (unicodedata.normalize("NFD", "Đảng ủy"), "dang uy"),
    ("ĐẢNG UỶ", "dang uy"),
    ("uỷ ban", "uy ban"),
    ("ủy ban", "uy ban"),
    ("hoà bình", "hoa binh"),
    ("hòa bình", "hoa binh"),
    ("Nguyễn Thị Ánh", "nguyen thi anh"),
    ("nghĩa vụ", "nghia vu"),
    ("ưu tiên", "uu tien"),
    ("Ứng Hòa", "ung hoa"),
    (unicodedata.normalize("NFD", "ứng"), "ung"),
    ("quyết", "quyet"),
    ("QUYẾT ĐỊNH", "quyet dinh"),
    ("đường", "duong"),
    ("ĐƯỜNG", "duong"),
    (unicodedata.normalize("NFD", "đường"), "duong"),
    ("ượ", "uo"),
    ("ặ ậ ệ ộ ợ ự ỵ", "a a e o o u y"),
    ("ẵ ẫ ễ ỗ ỡ ữ ỹ", "a a e o o u y"),
    ("123/BC-BCH", "123 bc bch"),
    ("CV-2024/TT", "cv 2024 tt"),
    ("số 45/QĐ-UBND", "so 45 qd ubnd"),
    ("12/03/2024", "12 03 2024"),
    ("12-3-2024", "12 3 2024"),
    ("2024", "2024"),
    ("QĐ", "qd"),
    ("TP.HCM", "tp hcm"),
    ("U.B.N.D", "u b n d"),
    ('"công văn đến"', "cong van den"),
    ("A4/B5", "a4 b5"),
    ("25%", "25"),
    ("email@bqp.vn", "email bqp vn"),
    ("máy-tính", "may tinh"),
    ("ð Ð", "d d"),  # eth is read as đ: readers and old keyboards write one for the other
]


def test_the_table_has_forty_cases():
    assert len(GOLDEN) == 40


@pytest.mark.parametrize(("written", "expected"), GOLDEN)
def test_words_are_cut_and_folded_as_the_table_says(written, expected):
    assert " ".join(words(written)) == expected
    assert both(vi_clean(written))[0].split() == expected.split()


@pytest.mark.parametrize("written", [case[0] for case in GOLDEN])
def test_the_unicode_form_makes_no_difference(written):
    assert words(unicodedata.normalize("NFD", written)) == words(unicodedata.normalize("NFC", written))
    assert exact_words(unicodedata.normalize("NFD", written)) == exact_words(unicodedata.normalize("NFC", written))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hoà", "hòa"),
        ("uỷ", "ủy"),
        ("thuỷ", "thủy"),
        ("khoẻ", "khỏe"),
        ("HOẢ", "hỏa"),
        ("quý", "quý"),
        ("hoàn", "hoàn"),
    ],
)
def test_both_places_of_a_tone_are_one_word(old, new):
    assert vi_exact(old) == new


def test_dashes_and_quotation_marks_are_one_each():
    assert vi_norm("“123/BC–BCH”") == '"123/BC-BCH"'


def test_signs_without_width_do_not_cut_a_word():
    assert words("quy\u200bết đ\u00adịnh") == ["quyet", "dinh"]


@given(st.text(max_size=200))
def test_folding_keeps_every_offset(text):
    assert len(fold_chars(text)) == len(text)


@given(st.text(alphabet="aăâeêioôơuưyđĐ\u0300\u0301\u0303\u0309\u0323 /-.1ỷÀ", max_size=60))
def test_folding_twice_changes_nothing(text):
    assert vi_fold(vi_fold(text)) == vi_fold(text)
    assert vi_clean(vi_clean(text)) == vi_clean(text)


@given(st.text(max_size=200))
def test_folded_characters_say_what_folded_words_say(text):
    clean = vi_clean(text)
    if clean.isascii() or all(char.lower() == char and len(vi_fold(char)) == 1 for char in clean):
        assert fold_chars(clean) == vi_fold(clean) or "-" in vi_fold(clean) or '"' in vi_fold(clean)


# --- one byte for each character: the short way says what the long way says ------------------------------
LETTERS = [char for char in packing.ALPHABET if char != "\ufffe"]


def test_each_character_of_the_alphabet_is_told_apart_and_clean():
    assert len(set(LETTERS)) == len(LETTERS) == 255
    for first in LETTERS:
        for second in LETTERS:
            assert vi_clean(first + second) == first + second


def test_every_pair_of_characters_is_cut_and_folded_as_by_the_long_way():
    for first in LETTERS:
        text = " ".join(f"{first}{second} {first}{second}n q{first}{second}" for second in LETTERS)
        short, long = both(text), _both_by_pieces(text)
        assert [words.split() for words in short] == [words.split() for words in long]


@given(st.text(alphabet=LETTERS, max_size=200))
def test_a_packed_text_says_what_the_long_way_says(text):
    packed = packing.pack(text)
    assert packed is not None
    assert packing.unpacked(packed) == text
    assert [words.split() for words in both(text)] == [words.split() for words in _both_by_pieces(text)]
    assert fold_chars(text) == text.translate(_CHARS)


def test_a_letter_beyond_the_alphabet_goes_the_long_way():
    assert packing.pack("Москва") is None
    assert both("Bộ Москва") == ("bo москва", "bộ москва")


def test_a_run_of_letters_is_cut_at_the_longest_word_either_way():
    run = "hòa" * 40
    assert both(run)[1].split() == [run[:LONGEST_WORD]]
    assert both(run)[0].split() == words(run)
