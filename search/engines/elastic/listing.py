"""Ask for a page of hits, its total and its facets in one request, and read the answer.

A facet with chosen values of its own is counted as if they were not chosen: all chosen
values narrow the hits after the counting (post filter), and each facet is counted under
those of the others. Only values of matching records ever come back, hidden ones never.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from elasticsearch import dsl
from elasticsearch.dsl import aggs
from elasticsearch.dsl import query as queries

from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS, Level, Urgency
from search.engine import Filters
from search.engines import filings
from search.engines.elastic.compiling import Compiler
from search.engines.elastic.mapping import SPLIT, TOGETHER
from search.engines.listing import buckets
from search.entry import OF_DOSSIER, Hit, Order, Results
from search.nodes import Query

COUNTED_VALUES: Final = 1000  # asked of each facet: merged counts are whole in any office of less agencies
_ORDERS: Final = {
    Order.NEWEST: ("-newest",),
    Order.BEST: ("_score", "-newest"),  # scores run downwards
    Order.NUMBER: ("-book", "-id"),
}
_FIELDS: Final = {name: field for field, names in TOGETHER.items() for name in names}
_NAMED_UNITS: Final = 300  # in one expression; of more the server would refuse to make a machine
_STAMP: Final = ["id", "version", "level"]


def request(
    compiler: Compiler, query: Query, filters: Filters, order: Order | None, facets: Sequence[str]
) -> dsl.Search:
    """Return the request for hits in an order, with total and facets; the page is not yet chosen. No order: nothing is listed."""
    build = compiler.ranked if order is Order.BEST else compiler.matching
    asked = stamps_only(build(query.root)).extra(track_total_hits=True)
    asked = asked.sort(*_ORDERS[order]) if order else asked[:0]
    for name in facets:
        if name in OF_DOSSIER and not compiler.terms.units:
            continue
        values, bucket = _values(name, compiler.terms.units), _counted_in(name, filters)
        if narrowing := _narrowing(compiler, filters, name):
            asked.aggs.bucket(bucket, aggs.Filter(queries.Bool(filter=narrowing))).bucket("values", values)
        else:  # every record that matches: without a filter around it the server counts faster
            asked.aggs.bucket(bucket, values)
    chosen = list(compiler.chosen(filters))
    return asked.post_filter(queries.Bool(filter=chosen)) if chosen else asked


def first_of_all(compiler: Compiler, query: Query, filters: Filters) -> dsl.Search | None:
    """Return the request for those hits alone that stand before all others in the best order; nothing is counted."""
    found = compiler.first_of_all(query.root, filters)
    return stamps_only(found).sort(*_ORDERS[Order.BEST]).extra(track_total_hits=False) if found else None


def newest(compiler: Compiler, query: Query) -> dsl.Search:
    """Return the request for the newest hits alone: the server stops when it has them, for nothing is counted."""
    return stamps_only(compiler.matching(query.root)).sort(*_ORDERS[Order.NEWEST]).extra(track_total_hits=False)


def _narrowing(compiler: Compiler, filters: Filters, name: str) -> list[queries.Query]:
    narrowing = list(compiler.chosen({other: values for other, values in filters.items() if other != name}))
    if name in OF_DOSSIER and len(compiler.terms.units) > _NAMED_UNITS:
        narrowing.append(compiler.filed())
    return narrowing


def _counted_in(name: str, filters: Filters) -> str:
    """Return the name of the count that has a facet: with others of its field, unless it is narrowed by other values than they."""
    return name if name in filters else _FIELDS.get(name, name)


def stamps_only(query: queries.Query) -> dsl.Search:
    """Return a request that reads nothing of a record but its stamp."""
    return dsl.Search().query(query).extra(_source=False, docvalue_fields=_STAMP)


def results(answer: Mapping[str, Any], facets: Sequence[str], filters: Filters, units: Collection[int]) -> Results:
    """Return the answer to a request of here to a reader who knows of the dossiers of these units."""
    counted = answer.get("aggregations", {})  # missing as long as nothing has been indexed
    parts = {name: part.get("values", part)["buckets"] for name, part in counted.items()}
    values = {name: _counted(name, parts.get(_counted_in(name, filters), [])) for name in facets}
    for name in values.keys() & set(OF_DOSSIER):
        values[name] = _known(values[name], units)
    shown = {name: buckets(name, one) for name, one in values.items()}
    return Results(hits(answer), int(answer["hits"]["total"]["value"]), shown)


def hits(answer: Mapping[str, Any]) -> tuple[Hit, ...]:
    """Return the hits of an answer."""
    return tuple(map(hit, answer["hits"]["hits"]))


def hit(one: Mapping[str, Any]) -> Hit:
    """Return one hit."""
    return Hit(*(int(one["fields"][name][0]) for name in _STAMP))


def _values(name: str, units: Collection[int]) -> aggs.Agg[Any]:
    if name in _FIELDS:
        return aggs.Terms(field=_FIELDS[name], size=10 * COUNTED_VALUES)
    if name in OF_DOSSIER and len(units) <= _NAMED_UNITS:
        return aggs.Terms(field=f"{name}_is", size=COUNTED_VALUES, include=filings.known_values(units))
    return aggs.Terms(field=f"{name}_is", size=COUNTED_VALUES)


def _counted(name: str, found: Sequence[Mapping[str, Any]]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for one in found:
        if said := _said(name, str(one["key"])):
            counted[said] += int(one["doc_count"])
    return counted


def _known(counted: Counter[str], units: Collection[int]) -> Counter[str]:
    """Return the counts of dossiers of the reader's units, by what is shown of them."""
    known: Counter[str] = Counter()
    for each, count in counted.items():
        if value := filings.known_value(each, units):
            known[value] += count
    return known


def _said(name: str, key: str) -> str:
    """Return the value of a facet in a counted key, "" if it has none."""
    if name in _FIELDS:
        together = TOGETHER[_FIELDS[name]]
        key = key.split(SPLIT, len(together) - 1)[together.index(name)]
    match name:
        case "level":
            return str(LEVEL_SLUGS[Level(int(key))])
        case "urgency":
            return str(URGENCY_SLUGS[Urgency(int(key))])
        case _:
            return key
