"""What stands around the hits: facets with their counts, the histogram, orders. Figures and addresses, no words of records but facet values."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from search import dates
from search.entry import Bucket, Order
from search.finding import Found
from search.labels import Labels
from search.views import places
from search.views.asking import Asked

SHOWN: Final = 12  # values of a facet before "more"
FACETS: Final[dict[str, str | Promise]] = {
    "type": _("Type"),
    "level": _("Level"),
    "urgency": _("Urgency"),
    "organ": _("Issuer"),
    "unit": _("Unit"),
    "year": _("Year"),
    "register": pgettext_lazy("book", "Register"),
    "dossier": _("Dossier"),
    "retention": _("Retention period"),
}
ORDERS: Final[dict[Order, str | Promise]] = {
    Order.BEST: _("Best match"),
    Order.NEWEST: _("Newest"),
    Order.NUMBER: _("Register number"),
}
BARS: Final = 36  # years drawn one by one; of more each ten are one bar, which opens to its years
LABELS: Final = 12  # under the bars of a desk
LABELS_ON_PHONE: Final = 4
TALLEST: Final = 44
_DECADE: Final = 10
YEARS_BY_MONTH: Final = 3  # a span of so many years is drawn by month


def orders(asked: Asked) -> list[dict[str, Any]]:
    """Return the orders with their addresses."""
    return [
        {"value": order, "label": label, "url": asked.address(order=order), "is_chosen": order == asked.order}
        for order, label in ORDERS.items()
    ]


def hit(asked: Asked, found: Found) -> dict[str, Any]:
    """Return one hit with the addresses that open it: at its passage, and at each hit page."""
    key = found.record.key
    return {
        "record": found.record,
        "excerpt": found.excerpt,
        "subject_marks": found.subject_marks,
        "name": found.name,
        "url": asked.hit_address(key, found.excerpt.page),
        "thumb": places.thumb(key, found.excerpt.page or 1),
        "pages": [
            {"count": count, "url": asked.hit_address(key, page)} | place(found, page)
            for page, count in found.excerpt.pages
        ],
        "passage_at": place(found, found.excerpt.page),
    }


def place(found: Found, page: int) -> dict[str, Any]:
    """Return where a page of a hit stands: its number in the record, and the attached file with its number there."""
    file = found.file_of(page)
    if file is None:
        return {"number": page, "file": "", "file_page": page}
    return {"number": page, "file": file.name, "file_page": page - file.first_page + 1}


# --- facets --------------------------------------------------------------------------------
def facets(asked: Asked, counted: Mapping[str, Sequence[Bucket]], words: Labels) -> list[dict[str, Any]]:
    """Return every facet that has a value: chosen values always (with the words given), the first twelve, the rest behind "more"."""
    drawn = [_facet(name, label, counted.get(name, ()), asked, words.get(name, {})) for name, label in FACETS.items()]
    return [facet for facet in drawn if facet["parts"][0]]


def _facet(
    name: str, label: str | Promise, buckets: Sequence[Bucket], asked: Asked, uncounted: Mapping[str, str]
) -> dict[str, Any]:
    chosen = asked.filters.get(name, ())
    counts = {bucket.value: bucket.count for bucket in buckets}
    words = {**uncounted, **{bucket.value: bucket.label for bucket in buckets}}
    # A chosen value stays to be taken out, even where nothing has it any more.
    ordered = [*(value for value in chosen if value not in counts), *counts]
    values = [
        {"value": value, "label": words.get(value, value), "count": counts.get(value, 0), "is_chosen": value in chosen}
        for value in ordered
        if value
    ]
    first, more = values[:SHOWN], values[:0]
    for value in values[SHOWN:]:
        (first if value["is_chosen"] else more).append(value)
    return {
        "name": name,
        "label": label,
        "parts": [first, more] if more else [first],
        "chosen": [value for value in first if value["is_chosen"]],
    }


# --- histogram --------------------------------------------------------------------------------
def histogram(asked: Asked, counted: Mapping[str, Sequence[Bucket]]) -> dict[str, Any] | None:
    """Return the bars of the hits over time, each with its address: months when few years remain, decades when many do, else years.

    Every hit of a year that can be asked for is in a bar: what is not drawn could not be narrowed to.
    """
    years = _ordered(counted.get("year", ()), width=4)
    months = _ordered(counted.get("month", ()), width=7)
    unit, buckets = "year", years
    if len({bucket.value[:4] for bucket in months}) <= YEARS_BY_MONTH and len(months) > 1:
        unit, buckets = "month", months
    elif len(years) > BARS:
        unit, buckets = "decade", _decades(years)
    if len(buckets) < 2:  # noqa: PLR2004 - one bar compares nothing
        return None
    top = max(bucket.count for bucket in buckets)
    labelled = [bucket.value for bucket in buckets[:: -(-len(buckets) // LABELS)]]
    on_phone = labelled[:: -(-len(labelled) // LABELS_ON_PHONE)]
    bars = [_bar(asked, bucket, top) for bucket in buckets]
    for bar in bars:
        bar |= {"on_desk": bar["span"] in labelled, "on_phone": bar["span"] in on_phone}
    return {"bars": bars, "unit": unit}


def _ordered(buckets: Sequence[Bucket], *, width: int) -> list[Bucket]:
    """Return the years or months that a query can name, in their order."""
    fitting = [bucket for bucket in buckets if len(bucket.value) == width and dates.year(bucket.value[:4])]
    return sorted(fitting, key=lambda bucket: bucket.value)


def _decades(years: Sequence[Bucket]) -> list[Bucket]:
    """Return years in their order, ten together."""
    decades = groupby(years, key=lambda bucket: int(bucket.value) // _DECADE * _DECADE)
    return [
        Bucket(f"{first}..{min(first + _DECADE - 1, dates.LAST_YEAR)}", sum(bucket.count for bucket in of_it))
        for first, of_it in decades
    ]


def _bar(asked: Asked, bucket: Bucket, top: int) -> dict[str, Any]:
    """Return one bar; its height is in a drawing 44 units high."""
    height = max(2, round(TALLEST * bucket.count / top))
    first, _dots, last = bucket.value.partition("..")
    return {
        "y": TALLEST - height,
        "height": height,
        "span": bucket.value,
        "first": first,
        "last": last or first,
        "label": f"{first}–{last}" if last else f"{first[5:7]}/{first[:4]}" if "-" in first else first,
        "tick": first if last else "",
        "count": bucket.count,
        "url": asked.address(span=bucket.value),
    }
