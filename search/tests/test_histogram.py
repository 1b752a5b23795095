"""Claims about the bars over time: every year has its place, and a bar leads to what it says."""

from datetime import date
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict

from search.entry import Bucket
from search.nodes import Year
from search.query import MAX_CHARS, MAX_LEAVES, parse
from search.views import asking, narrowing
from search.views.asking import Asked


def test_of_many_years_ten_are_one_bar_and_none_is_left_out():
    counted = {"year": tuple(Bucket(str(year), year - 1940) for year in range(1945, 2027))}
    histogram = narrowing.histogram(Asked(text="kế hoạch"), counted)
    assert histogram["unit"] == "decade"
    assert [bar["first"] for bar in histogram["bars"]] == [str(year) for year in range(1940, 2030, 10)]
    assert sum(bar["count"] for bar in histogram["bars"]) == sum(bucket.count for bucket in counted["year"])
    bar = histogram["bars"][1]
    assert (bar["label"], bar["span"], bar["count"]) == ("1950–1959", "1950..1959", sum(range(10, 20)))
    assert asking.read(QueryDict(urlsplit(bar["url"]).query)).text == "kế hoạch nam:1950..1959"
    few = {"year": counted["year"][: narrowing.BARS]}
    assert [bar["span"] for bar in narrowing.histogram(Asked(), few)["bars"]] == [str(y) for y in range(1945, 1981)]


def test_a_year_that_no_query_can_name_has_no_bar():
    counted = {"year": [Bucket("0", 1), Bucket("1066", 1), Bucket("2019", 2), Bucket("2020", 1), Bucket("3019", 1)]}
    assert [bar["span"] for bar in narrowing.histogram(Asked(), counted)["bars"]] == ["2019", "2020"]


def test_a_decade_opens_to_its_years_and_a_year_to_its_months(make_record, indexed, signed_in, monkeypatch):
    monkeypatch.setattr(narrowing, "BARS", 4)
    for year in (1946, 1954, 1955, 1957, 1957, 1958, 2026):
        make_record(issued_date=date(year, 3, 3))
    make_record(issued_date=date(1957, 5, 3))
    indexed()
    browser = signed_in("archivist")
    page = browser.post("/search/", {"q": "huan luyen"}, follow=True)
    bars = page.context["histogram"]["bars"]
    assert [(bar["label"], bar["count"]) for bar in bars] == [("1940–1949", 1), ("1950–1959", 6), ("2020–2029", 1)]
    page = browser.get(bars[1]["url"])
    bars = page.context["histogram"]["bars"]
    assert (page.context["answer"].total, page.context["histogram"]["unit"]) == (6, "year")
    assert [(bar["label"], bar["count"]) for bar in bars] == [("1954", 1), ("1955", 1), ("1957", 3), ("1958", 1)]
    page = browser.get(bars[2]["url"])
    assert [bar["label"] for bar in page.context["histogram"]["bars"]] == ["03/1957", "05/1957"]


@pytest.mark.parametrize("count", [MAX_LEAVES - 1, MAX_LEAVES, MAX_LEAVES + 9])
@pytest.mark.parametrize("word", ["từ", "nghiêng" * 3])
def test_a_span_beside_as_many_words_as_can_be_asked_narrows_them(count, word):
    """The end of what was typed is left out instead, and that is said."""
    text = " ".join(f"{word}{n}" for n in range(count))
    address = QueryDict(mutable=True)
    address.update({"q": text, "span": "2019..2021"})
    query = asking.read(address).query
    assert [(leaf.first, leaf.last) for leaf in query.root.children if isinstance(leaf, Year)] == [(2019, 2021)]
    assert query.is_cut == (count >= MAX_LEAVES or len(text) > MAX_CHARS)
    kept = [child for child in query.root.children if not isinstance(child, Year)]
    assert len(kept) >= min(count, MAX_LEAVES) - 1 or len(text) > MAX_CHARS
    assert [child.tokens for child in kept[:-1]] == [
        child.tokens for child in parse(text).root.children[: len(kept) - 1]
    ]
