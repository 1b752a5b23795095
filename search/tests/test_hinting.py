"""What is shown of a hint is what the subject says, letter by letter, whatever the letters are."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from search.engines import hinting
from search.tests import make
from search.text import exact_words, words

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


def test_a_number_is_shown_as_it_was_given():
    (number,) = hinting.hints(entry("", "045/BC-BCH, bản ~2"))

    assert number.startswith("45 bc bch ban 2" + hinting.SPLIT)
    assert hinting.shown(number) == "045/BC-BCH, bản ~2"


def test_a_word_whose_letters_become_more_when_folded_is_kept_whole():
    (pair,) = hinting.hints(entry("한국 quyết"))

    assert hinting.shown(pair) == "한국 quyết"
    assert len(pair.split(hinting.SPLIT)[0]) > len("한국 quyết")
