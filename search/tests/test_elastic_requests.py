"""Claims about what is sent to an Elasticsearch server: how large a question grows. No server is asked."""

import json
from dataclasses import replace

import pytest

from search.engines.elastic import listing
from search.engines.elastic.compiling import Compiler
from search.engines.elastic.driver import Elastic
from search.entry import FACETS, Order
from search.query import parse
from search.tests.make import READER

UNITS = tuple(range(100_000, 105_000))
OF_MANY = replace(READER, units=UNITS)


def sent(text="", filters=None):
    """Return the question of a page, as it goes to the server."""
    return json.dumps(listing.request(Compiler(OF_MANY), parse(text), filters or {}, Order.BEST, FACETS).to_dict())


def times_named(body):
    return body.count(f'"{UNITS[0]}"')


@pytest.mark.parametrize("facet", ["dossier", "retention"])
def test_each_chosen_value_adds_itself_to_a_question_and_no_units(facet):
    one, many = (sent(filters={facet: [f"key{number}" for number in range(values)]}) for values in (1, 200))
    assert times_named(one) == times_named(many)
    assert len(many) - len(one) < 200 * 2 * len(FACETS) * 20


@pytest.mark.parametrize("words", ["hoso:tap~", "hoso:ta*", 'hoso:"dien tap"', 'hoso:"dien ta*"', "thbq:20"])
def test_words_of_a_dossier_are_asked_for_once_and_not_once_for_each_unit(words):
    body = sent(words)
    assert len(body) < 2 * len(sent("hoso:tap"))
    assert body.count('"nested"') == sent("hoso:tap").count('"nested"') > 0


def test_facets_that_are_counted_together_are_asked_for_once():
    counts = listing.request(Compiler(READER), parse("dien"), {}, Order.BEST, FACETS).to_dict()["aggs"]
    assert set(counts) == {"kind_is", "when_is", "organ", "unit", "register", "dossier", "retention"}
    chosen = listing.request(Compiler(READER), parse("dien"), {"year": ["2024"]}, Order.BEST, FACETS).to_dict()["aggs"]
    assert set(chosen) == {*counts, "year"}  # its own count is not narrowed by itself, those beside it are


def test_what_is_offered_is_proved_without_counting():
    asked = listing.newest(Compiler(READER), parse("dien tap")).to_dict()
    assert asked["track_total_hits"] is False
    assert "aggs" not in asked


def test_no_fewer_are_counted_than_are_listed(monkeypatch):
    """The page is listed, then counted: between the two the follower may take dispatches out."""
    stamp = {"fields": {"id": [1], "version": [1], "level": [0]}}

    class Emptied:
        def search(self, _indices, body):
            return {"hits": {"hits": [stamp] * body["size"], "total": {"value": 0}}}

    engine = Elastic(Emptied(), "vankho")
    monkeypatch.setattr(engine._generations, "aliases", lambda _level: ["all"])
    found = engine.search(parse("dien"), READER, order=Order.BEST, offset=4, limit=3, facets=())
    assert (len(found.hits), found.total) == (3, 7)
