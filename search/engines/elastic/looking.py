"""One reader's look into the indices up to their level: what every question to the server goes through.

Counts of words and listed hints are aggregations under the reader's own query; the
server's suggesters know the words of every record and are never asked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import dsl
from elasticsearch.dsl import aggs
from elasticsearch.dsl import query as queries

from search.engines.elastic.compiling import Compiler
from search.engines.elastic.server import Server
from search.engines.schema import EXACT, FOLDED

_FIELDS = {"exact": EXACT, "folded": FOLDED}


@dataclass(frozen=True, slots=True)
class Look:
    """The server, the indices that may be named, and the compiler that holds the access clause."""

    server: Server
    indices: Sequence[str]
    compiler: Compiler

    def search(self, asked: dsl.Search[Any]) -> dict[str, Any]:
        """Ask a query that the compiler made."""
        return self.server.search(self.indices, asked.to_dict())

    def terms_with_prefix(self, field: str, prefix: str, allowed: queries.Query, limit: int) -> list[tuple[str, int]]:
        """Return the values of a field that begin so in records that match, with the number of these records.

        Values are read record by record ("map"): no table over all values is built anew
        after each commit.
        """
        begins = queries.Prefix(field, {"value": prefix, "rewrite": "constant_score"})
        listed = aggs.Terms(
            field=field, include=f"{_literal(prefix)}.*", size=limit, order={"_key": "asc"}, execution_hint="map"
        )
        asked = dsl.Search().query(queries.Bool(filter=[allowed, begins])).extra(size=0)
        asked.aggs.bucket("terms", listed)
        found = self.search(asked).get("aggregations")
        return [(one["key"], int(one["doc_count"])) for one in found["terms"]["buckets"]] if found else []


def counted(look: Look, asked_for: Mapping[str, queries.Query]) -> tuple[int, dict[str, int]]:
    """Return how many records the reader sees, and how many of them fit each clause, in one request."""
    asked = dsl.Search().query(look.compiler.matching(None)).extra(size=0, track_total_hits=True)
    if asked_for:
        asked.aggs.bucket("each", aggs.Filters(filters=dict(asked_for)))
    found = look.search(asked)
    groups = found.get("aggregations", {"each": {"buckets": {}}})["each"]["buckets"]
    counts = {name: int(groups[name]["doc_count"]) if name in groups else 0 for name in asked_for}
    return int(found["hits"]["total"]["value"]), counts


def holding(look: Look, form: str, words: Iterable[str]) -> dict[str, int]:
    """Return how many of the reader's records hold each word, in "exact" or "folded" form."""
    asked = list(words)
    return counted(look, dict(zip(asked, look.compiler.words(asked, _FIELDS[form]), strict=True)))[1]


def _literal(text: str) -> str:
    """Return a text as an expression of the server that matches the text alone."""
    return re.sub(r"[^\w ]", lambda char: f"\\{char[0]}", text)
