"""The contract of an engine, continued: each page is a part of the one order, however few hits it shows."""

import random
from itertools import product

import pytest

from search.engine import BASE, MARKS_RIGHT, SUBJECT_ALL, TEXT_PHRASE, WORDS_RIGHT
from search.entry import Order
from search.query import parse
from search.tests.make import CLEARED, READER, ask, entry, fill

WORDS = ("diễn", "tập", "phòng", "thủ", "dien", "huyện", "12/QĐ")
ASKED = (
    "diễn tập",
    "dien",
    "phòng thủ",
    "thủ phòng",
    '"diễn tập"',
    "diễn OR huyện",
    "tập -thủ",
    "trichyeu:thủ",
    "12",
    "12/QĐ diễn",
    "",
)
PAGES = ((0, 1), (0, 3), (2, 3), (5, 4), (0, 20), (17, 5), (0, 90), (200, 5), (3, 0))


@pytest.fixture
def filled(engine):
    chance = random.Random(20261128)

    def said(most):
        return " ".join(chance.choices(WORDS, k=chance.randrange(1, most)))

    fill(
        engine,
        *(
            entry(
                n,
                subject=said(7),
                pages=(said(14),),
                level=n % 3,
                number=f"{n}/QĐ-BCH",
                organ_name=chance.choice(("Sở A", "Sở B")),
            )
            for n in range(1, 120)
        ),
    )
    return engine


@pytest.mark.parametrize("text", ASKED)
def test_every_page_is_a_part_of_one_long_page(filled, text):
    for terms, filters in product((READER, CLEARED), ({}, {"organ": ["Sở A"]})):
        whole = ask(filled, text, terms=terms, filters=filters, order=Order.BEST, limit=200)
        assert len(whole.hits) == whole.total
        for offset, limit in PAGES:
            page = ask(filled, text, terms=terms, filters=filters, order=Order.BEST, offset=offset, limit=limit)
            assert page.hits == whole.hits[offset : offset + limit]
            assert (page.total, page.facets) == (whole.total, whole.facets)


def test_a_subject_with_every_word_stands_before_all_that_other_places_say():
    assert SUBJECT_ALL > BASE + WORDS_RIGHT + MARKS_RIGHT + TEXT_PHRASE


@pytest.mark.parametrize("blank", ["", " ", "— * —"])
def test_words_that_a_blank_page_parts_are_found_and_have_their_passage(engine, blank):
    fill(engine, entry(1, subject="Báo cáo", pages=("Diễn tập khu vực", blank, "phòng thủ tỉnh")))
    query = parse('"khu vực phòng thủ"')
    assert [hit.id for hit in engine.search(query, READER).hits] == [1]
    assert engine.excerpts(query, READER, [1])[1].pages == ((1, 1), (3, 1))
