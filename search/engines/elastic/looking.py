"""One reader's look into the indices up to their level: what every question to the server goes through.

Counts of words and listed hints are aggregations under the reader's own query; the
server's suggesters know the words of every record and are never asked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from elasticsearch import dsl
from elasticsearch.dsl import aggs
from elasticsearch.dsl import query as queries

from search.engines.elastic.compiling import Compiler
from search.engines.elastic.server import Server
from search.engines.schema import EXACT, FOLDED
from search.engines.suggesting import Beginning, Listed

# Records of a shard whose hints are read, by the field: the words of one cost 7 microseconds, its pairs of words 70 or more,
# for their dictionary is a hundred times as large.
SAMPLED: Final = {"start": 100, "hint": 40}
LISTED: Final = 100  # hints of a beginning, most frequent first
_FIELDS: Final = {"exact": EXACT, "folded": FOLDED}


@dataclass(frozen=True, slots=True)
class Look:
    """The server, the indices that may be named, and the compiler that holds the access clause."""

    server: Server
    indices: Sequence[str]
    compiler: Compiler

    def search(self, asked: dsl.Search[Any]) -> dict[str, Any]:
        """Ask a query that the compiler made."""
        return self.server.search(self.indices, asked.to_dict())

    def search_each(self, asked: Sequence[dsl.Search[Any]]) -> list[dict[str, Any]]:
        """Ask several at once."""
        return self.server.search_each(self.indices, [one.to_dict() for one in asked])

    def hints(self, beginnings: Sequence[Beginning]) -> list[Listed]:
        """Return the hints that begin so in records that the reader sees: of each shard the first records, no more than SAMPLED.

        A beginning of three letters stands in a great part of all subjects, and hints are read record by record: the
        work must not grow with the records. All that is looked at matches the access clause, so what is passed over
        or shown depends on nothing hidden.
        """
        found = self.search_each([self._beginning(*one) for one in beginnings]) if beginnings else []
        return [
            Listed(
                [(one["key"], int(one["doc_count"])) for one in _buckets(answer)], bool(answer.get("terminated_early"))
            )
            for answer in found
        ]

    def _beginning(self, field: str, prefix: str) -> dsl.Search[Any]:
        # Values are read record by record ("map"): no table over all values is built anew after each commit.
        listed = aggs.Terms(field=field, include=f"{_literal(prefix)}.*", size=LISTED, execution_hint="map")
        begins = queries.Prefix(field, {"value": prefix, "rewrite": "constant_score_blended"})
        query = queries.Bool(filter=[self.compiler.matching(None), begins])
        # Without the total the server passes over the limit and reads them all.
        asked = dsl.Search().query(query).extra(size=0, track_total_hits=True, terminate_after=SAMPLED[field])
        asked.aggs.bucket("terms", listed)
        return asked


def _buckets(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = answer.get("aggregations")  # missing as long as nothing has been indexed
    return found["terms"]["buckets"] if found else []


def counted(look: Look, asked_for: Mapping[str, queries.Query]) -> tuple[int, dict[str, int]]:
    """Return how many records the reader sees, and how many of them fit each clause, in one request."""
    asked = dsl.Search().query(look.compiler.matching(None)).extra(size=0, track_total_hits=True)
    if asked_for:
        asked.aggs.bucket("each", aggs.Filters(filters=dict(asked_for)))
    found = look.search(asked)
    groups = found.get("aggregations", {"each": {"buckets": {}}})["each"]["buckets"]
    counts = {name: int(groups[name]["doc_count"]) if name in groups else 0 for name in asked_for}
    return int(found["hits"]["total"]["value"]), counts


def holding(look: Look, form: str, words: Sequence[str], _most: int) -> dict[str, int]:
    """Return how many of the reader's records hold each word, in "exact" or "folded" form: all by one request."""
    return counted(look, dict(zip(words, look.compiler.words(words, _FIELDS[form]), strict=True)))[1]


def _literal(text: str) -> str:
    """Return a text as an expression of the server that matches the text alone."""
    return re.sub(r"[^\w ]", lambda char: f"\\{char[0]}", text)
