"""Pages far down a list: every hit stands on one page, in the order said, whatever is hidden between."""

from datetime import date

import pytest

from search.engine import DEEPEST
from search.engines import listing
from search.entry import Order
from search.tests.make import READER, ask, entry, fill

DAY = date(2024, 1, 1)
WAYS = ({"reach": (99,)}, {"level": 2}, {"marking": 2})


def alike(number: int, **changes):
    """Return a record that matches as well as every other, of the same day."""
    return entry(number, pages=("diễn tập",), subject="diễn tập", issued_on=DAY, register_number="", **changes)


def listed(engine, order, *, size):
    """Return the ids of all pages of one size, page after page."""
    pages = [ask(engine, "dien tap", READER, order=order, offset=at, limit=size) for at in range(0, 60, size)]
    return [hit.id for page in pages for hit in page.hits]


@pytest.mark.parametrize("order", Order)
def test_many_of_one_day_stand_on_one_page_each_the_newest_first(engine, monkeypatch, order):
    """Beyond a number of ties the first to be written came first, which merging of hidden ones moved."""
    monkeypatch.setattr(listing, "_TIES", 1)
    monkeypatch.setattr(listing, "_MANY_TIES", 2)
    for first in range(1, 49, 12):  # a segment each
        fill(engine, *(alike(number) for number in range(first, first + 12)))
    expected = list(range(48, 0, -1))
    assert listed(engine, order, size=5) == expected
    hidden = [alike(100 + number, **WAYS[number % 3]) for number in range(60)]
    fill(engine, *hidden)
    fill(engine, *(alike(number, version=2) for number in range(1, 49, 2)), *hidden[::2])
    assert [listed(engine, order, size=size) for size in (7, 20)] == [expected, expected]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize(
    "at", [(0, 0), (3, 0), (-5, 3), (8, 20), (9, 1), (DEEPEST - 1, 20), (DEEPEST, 20), (10**12, 20)]
)
def test_odd_places_and_sizes_say_the_same_with_hidden_records(holding, order, at):
    seen = tuple(alike(number) for number in range(1, 10))
    hidden = tuple(alike(100 + number, **WAYS[number % 3]) for number in range(30))
    offset, limit = at
    few, many = (
        ask(one, "dien tap", READER, order=order, offset=offset, limit=limit)
        for one in (holding(*seen), holding(*seen, *hidden))
    )
    assert few == many
    assert few.total == 9
    assert [hit.id for hit in few.hits] == list(range(9, 0, -1))[max(offset, 0) : max(offset, 0) + limit]
