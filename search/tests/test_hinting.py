"""What is shown of a hint is what the subject says, letter by letter, whatever the letters are."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engines import hinting
from search.leaves import number_tokens
from search.tests import make
from search.text import exact_words, vi_clean, words

VIETNAMESE = "aàảãáạăằắâầậđeèêềệiìịoòôồộơờợuùưừựyỳỵbcghklmnprtv"
TEXTS = st.text(st.sampled_from(VIETNAMESE + VIETNAMESE.upper() + "0123456789  -/.~=") | st.characters(), max_size=120)


def entry(subject: str, number: str = ""):
    return make.entry(1, subject=subject, number=number)


@given(TEXTS)
def test_the_words_and_pairs_of_a_subject_come_back_as_they_are_written(subject):
    folded, exact = words(subject), exact_words(subject)

    starts = {one.split(hinting.SPLIT)[0]: hinting.shown(one) for one in hinting.starts(entry(subject))}
    pairs = {(one.split(hinting.SPLIT)[0], hinting.shown(one)) for one in hinting.hints(entry(subject))}

    assert set(starts) == set(folded)
    assert set(starts.values()) <= set(exact)
    if len(folded) > 1:
        typed = (" ".join(pair) for pair in pairwise(folded))
        assert pairs == set(zip(typed, (" ".join(pair) for pair in pairwise(exact)), strict=True))


@pytest.mark.parametrize(
    "number",
    ["45/QĐ-UBND", "1098/BC-PTM", "7/CV", "045/BC-BCH", "45/Qđ-UBND", "45/QĐ/UBND", "12", "12/", "BC-1", "한/한", "45/BC-, bản ~2", "/"],
)  # fmt: skip
def test_a_number_is_shown_as_it_was_given(number):
    (hint,) = hinting.hints(entry("", number))

    assert hint.split(hinting.SPLIT)[0] == " ".join(number_tokens(number))
    assert hinting.shown(hint) == number


@given(TEXTS)
def test_any_number_is_shown_as_it_was_given(number):
    shown = " ".join(vi_clean(number).split())
    assert [hinting.shown(hint) for hint in hinting.hints(entry("", number))] == [shown] * bool(number)


@given(TEXTS, TEXTS)
def test_hints_as_one_text_are_a_word_each_and_come_back(subject, number):
    hints = sorted(hinting.hints(entry(subject, number)) | hinting.starts(entry(subject)))
    text = hinting.joined(hints)
    assert not any(sign.isspace() and sign not in " \x1e\x1f" for sign in text)
    assert [hinting.parted(word) for word in text.split(" ") if text] == hints


def test_a_usual_number_is_kept_without_its_figures_again():
    (hint,) = hinting.hints(entry("", "1098/QĐ-UBND"))

    assert "1098" not in hint.split(hinting.SPLIT)[1]


def test_a_word_whose_letters_become_more_when_folded_is_kept_whole():
    (pair,) = hinting.hints(entry("한국 quyết"))

    assert hinting.shown(pair) == "한국 quyết"
    assert len(pair.split(hinting.SPLIT)[0]) > len("한국 quyết")
