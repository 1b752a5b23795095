"""A dispatch in several dossiers is found under each one that the reader may know of, and tells nothing of the others."""

import time
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import periods
from search.entry import Bucket, Filed, Order
from search.query import parse
from search.tests import make
from search.tests.make import FILING, READER, ask, entry, fill, found

OTHER, THIRD = 8, 33  # units of which READER knows no dossier
LIMIT = 40  # seconds of one run: a busy machine draws fewer
EXAMPLES = {make.embedded: 40, make.elastic: 4}


def filed(unit, key, name="", period="years-20"):
    return Filed(unit, key, name or f"01 {key}", period, periods.words(period))


MINE = filed(FILING, "minediff", "01.VT Diễn tập mùa khô")
ALSO = filed(FILING, "alsomine", "02.VT Kế hoạch năm", "years-5")
THEIRS = filed(OTHER, "theirsxx", "03.CT Chiến dịch Sao Hôm", "permanent")
WITH_BOTH = replace(READER, units=(FILING, OTHER))


def told(engine, reader, facet):
    return {bucket.value: bucket.count for bucket in ask(engine, "", reader).facets[facet]}


def test_a_dispatch_in_two_dossiers_of_one_unit_is_found_under_both(engine):
    fill(engine, entry(1, filed=(MINE, ALSO)), entry(2, filed=(MINE,)))
    assert told(engine, READER, "dossier") == {"minediff": 2, "alsomine": 1}
    assert told(engine, READER, "retention") == {"years-20": 2, "years-5": 1}
    assert found(engine, "", filters={"dossier": ["alsomine"]}) == [1]
    assert found(engine, 'hoso:"ke hoach nam"') == found(engine, "thbq:5") == [1]
    assert sorted(found(engine, "hoso:kho")) == [1, 2]
    assert found(engine, 'hoso:"kho 02"') == []  # no phrase reaches from one dossier into the next


@pytest.mark.parametrize("units", [250, 2_000])
def test_a_reader_who_knows_the_dossiers_of_very_many_units_counts_them_too(engine, units):
    reader = replace(READER, units=(FILING, *range(100_001, 100_000 + units)))
    fill(engine, entry(1, filed=(MINE, THEIRS)), entry(2, filed=(MINE,)), entry(3, filed=(THEIRS,)))
    assert told(engine, reader, "dossier") == {"minediff": 2}
    assert told(engine, reader, "retention") == {"years-20": 2}


@pytest.mark.parametrize("values", [1, 100])
def test_chosen_values_times_units_are_never_too_many(engine, values):
    reader = replace(READER, units=(FILING, *range(100_000, 101_000)))
    fill(engine, entry(1, filed=(MINE, THEIRS)), entry(2, filed=(MINE,)), entry(3, filed=(THEIRS,)))
    for facet, value in (("dossier", "minediff"), ("retention", "years-20")):
        chosen = [*(f"key{number}" for number in range(1, values)), value]
        assert sorted(found(engine, "", reader, filters={facet: chosen})) == [1, 2]


def test_a_dispatch_in_dossiers_of_two_units_is_found_under_both_by_who_knows_both(engine):
    fill(engine, entry(1, filed=(MINE, THEIRS)))
    assert told(engine, WITH_BOTH, "dossier") == {"minediff": 1, "theirsxx": 1}
    assert told(engine, WITH_BOTH, "retention") == {"years-20": 1, "permanent": 1}
    for key in ("minediff", "theirsxx"):
        assert found(engine, "", WITH_BOTH, filters={"dossier": [key]}) == [1]
    for words in ("hoso:sao", 'hoso:"diễn tập"', "hoso:mu*", 'hoso:"chien dich sa"', "hoso:hom~", "thbq:20"):
        expected = [] if words == 'hoso:"chien dich sa"' else [1]
        assert found(engine, words, WITH_BOTH) == expected
        assert found(engine, f"-{words}", WITH_BOTH) == ([] if expected else [1])


@pytest.mark.parametrize(
    "words",
    ["hoso:sao", "hoso:hom", 'hoso:"sao hom"', "hoso:sa*", "hoso:sao~", "hoso:hon~", "thbq:vinh", "hoso:theirsxx"],
)
def test_who_knows_one_of_two_dossiers_finds_nothing_by_the_other(engine, words):
    fill(engine, entry(1, filed=(MINE, THEIRS)))
    assert (found(engine, words), found(engine, f"-{words}")) == ([], [1])
    assert told(engine, READER, "dossier") == {"minediff": 1}
    assert told(engine, READER, "retention") == {"years-20": 1}
    assert ask(engine, "", filters={"dossier": ["theirsxx"]}).total == 0
    assert ask(engine, "", filters={"retention": ["permanent"]}).total == 0


@pytest.mark.parametrize(
    "words",
    ["hoso:minediff~", "hoso:xminediff~", "hoso:inediff~", "hoso:mined*", 'hoso:"kho minediff"', "thbq:permanent~"],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_word_near_the_key_of_ones_own_dossier_does_not_tell_that_a_dispatch_lies_in_another_too(engine, words, sign):
    own = (replace(MINE, period="permanent"), ALSO)
    fill(engine, entry(1, filed=own), entry(2, filed=(*own, THEIRS)))
    assert sorted(found(engine, sign + words)) == ([1, 2] if sign else [])


def test_one_period_of_dossiers_of_two_units_counts_a_dispatch_once(engine):
    fill(engine, entry(1, filed=(MINE, replace(THEIRS, period="years-20"))), entry(2, filed=(MINE,)))
    facets = ask(engine, "", WITH_BOTH).facets
    assert facets["retention"] == (Bucket("years-20", 2),)
    chosen = ask(engine, "", WITH_BOTH, filters={"retention": ["years-20"]})
    assert (chosen.total, chosen.facets["retention"]) == (2, facets["retention"])


def test_a_facet_longer_than_a_shelf_gives_is_whole_with_dispatches_in_several_dossiers(engine, monkeypatch):
    monkeypatch.setattr("search.engines.listing._ASKED_VALUES", 3)
    monkeypatch.setattr("search.engines.listing.SHOWN_VALUES", 3)
    a, b, c, d = (filed(FILING, key * 8) for key in "abcd")
    low = [(a,)] * 5 + [(b, d)] * 4 + [(c,)] * 3
    high = [(c, a)] * 6 + [(d,)] * 2
    fill(engine, *(entry(n, filed=each) for n, each in enumerate(low, start=1)))
    fill(engine, *(entry(n, filed=each, level=1) for n, each in enumerate(high, start=50)))
    told = ask(engine, "", make.CLEARED).facets["dossier"]
    assert [(one.value[0], one.count) for one in told] == [("a", 11), ("c", 9), ("d", 6)]


# --- the model: what is written of other units' dossiers must not be told from nothing --------
UNITS, NAMES = (FILING, OTHER, THIRD), ("Diễn tập khu", "Sao hôm", "sap hom", "3 8 33", "kế hoạch 38")
KEYS = [f"{unit}k{number}" for unit in UNITS for number in range(3)]
FILINGS = st.builds(
    lambda key, name, period: filed(int(key.split("k")[0]), key, name, period),
    st.sampled_from(KEYS),
    st.sampled_from(NAMES),
    st.sampled_from(["years-20", "years-5", "permanent"]),
)
RECORDS = st.lists(st.lists(FILINGS, max_size=4, unique_by=lambda one: one.key), min_size=1, max_size=6)
WORDS = ("hoso:dien", "hoso:hom", 'hoso:"sao hom"', "hoso:s*", "hoso:sao~", "hoso:3", "hoso:38", "thbq:20", "thbq:vinh")
# A key or a period is no word of a dossier, though it stands among the words of one that shares a dispatch.
NEAR_KEYS = [form for key in KEYS[::3] for form in (f"{key}~", f"x{key}~", f"{key[:-1]}~", f"{key[:-1]}*")]
NEAR_PERIODS = ("thbq:permanent~", "thbq:xpermanent~", "thbq:permanent*", 'thbq:"nam permanent"')
VALUES = (*(f"hoso:{form}" for form in NEAR_KEYS), f'hoso:"hom {KEYS[0]}"', f'hoso:"khu {KEYS[0]}*"', *NEAR_PERIODS)


def learned(engine, reader):
    """Return what a reader learns of dossiers: by facets, by filters, by words and by their denial."""
    answers = [ask(engine, "", reader, order=Order.NEWEST)]
    for facet, values in (("dossier", KEYS), ("retention", ("years-20", "years-5", "permanent"))):
        answers += [ask(engine, "", reader, filters={facet: [one]}, order=Order.NEWEST) for one in values]
        answers.append(ask(engine, "", reader, filters={facet: values}, order=Order.NEWEST))
    answers += [
        ask(engine, sign + words, reader, order=Order.NEWEST) for words in (*WORDS, *VALUES) for sign in ("", "-")
    ]
    return [([hit.id for hit in one.hits], one.total, one.facets) for one in answers]


def test_dossiers_of_other_units_cannot_be_told_from_none(engine, open_engine):
    until, versions = time.monotonic() + LIMIT, count(10, 10)

    @settings(max_examples=EXAMPLES[open_engine], deadline=None)
    @given(records=RECORDS, known=st.sets(st.sampled_from(UNITS)))
    def look(records, known):
        if time.monotonic() > until:
            return
        reader = replace(READER, units=tuple(sorted(known)))
        _write(engine, records, next(versions))
        with_all = learned(engine, reader)
        told = [[one for one in filings if one.unit in known] for filings in records]
        _write(engine, told, next(versions))
        assert with_all == learned(engine, reader)
        facets = ask(engine, "", reader).facets
        for facet in ("dossier", "retention"):
            expected = Counter(value for filings in told for value in {one.value(facet) for one in filings})
            assert {one.value: one.count for one in facets[facet]} == expected

    look()


def _write(engine, records, version):
    engine.remove(range(1, 7))
    engine.commit()
    fill(engine, *(entry(n, filed=tuple(each), version=version) for n, each in enumerate(records, start=1)))


def test_a_search_by_one_dossier_says_the_same_of_all_its_orders(engine):
    fill(engine, entry(1, filed=(MINE, THEIRS)), entry(2, filed=(THEIRS,)))
    for order in Order:
        assert [hit.id for hit in engine.search(parse("hoso:tap"), READER, order=order).hits] == [1]
