"""Find records like one record, by the words that are frequent in it and rare among what the reader sees.

Own work instead of tantivy's: its `more_like_this_query` panics after deletions
(0.27.0), and weighs words by statistics that include hidden records. Here every count
is taken under the reader's access query.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from tantivy import Occur, Query

from search.engines.compiling import Compiler
from search.engines.listing import View
from search.entry import Hit
from search.text import words

_CANDIDATES: Final = 24
_WEIGHED: Final = 10
NEEDED: Final = 3  # of the weighed words: one shared word is no likeness
_MIN_LETTERS: Final = 3


def similar(views: Sequence[View], compiler: Compiler, record_id: int, body: str, limit: int) -> list[Hit]:
    """Return the nearest records, the record itself left out. The caller has read the body within the terms."""
    weights = _weights(views, compiler, body)
    if len(weights) < NEEDED:
        return []
    clauses = [
        (Occur.Should, Query.const_score_query(query, weight))
        for query, weight in zip(compiler.words(weights), weights.values(), strict=True)
    ]
    alike = Query.boolean_query(clauses, minimum_number_should_match=NEEDED)
    asked = Query.boolean_query(
        [
            (Occur.Must, alike),
            (Occur.Must, Query.const_score_query(compiler.matching(None), 0.0)),
            (Occur.MustNot, compiler.only([record_id])),
        ]
    )
    scored = chain.from_iterable(_scored(view, asked, limit) for view in views)
    return [hit for _, hit in sorted(scored, key=lambda one: (-one[0], -one[1].id))[:limit]]


def _scored(view: View, asked: Query, limit: int) -> list[tuple[float, Hit]]:
    found = view.searcher.search(asked, max(limit, 1), count=False).hits
    hits = view.hits([address for _, address in found])
    return [(round(score, 3), hit) for (score, _), hit in zip(found, hits, strict=True)]


def _weights(views: Sequence[View], compiler: Compiler, body: str) -> dict[str, float]:
    """Return the words that tell most, with their weight."""
    allowed = compiler.matching(None)
    often = candidates(body)
    seen = {}
    for word in often:
        (query,) = compiler.words([word])
        both = Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])
        seen[word] = sum(view.count(both) for view in views)
    return weighed(often, seen, sum(view.count(allowed) for view in views))


def candidates(body: str) -> dict[str, int]:
    """Return the words that are most frequent in a text, with how often they stand there."""
    often = Counter(word for word in words(body) if len(word) >= _MIN_LETTERS and not word.isdigit())
    return dict(often.most_common(_CANDIDATES))


def weighed(often: Mapping[str, int], seen: Mapping[str, int], total: int) -> dict[str, float]:
    """Return the words that tell most with their weight, from how many of the reader's records have each."""
    weights = {
        word: (1 + math.log(times)) * math.log((total + 1) / seen[word])
        for word, times in often.items()
        if seen[word] > 1
    }
    best = sorted(weights, key=lambda word: (-weights[word], word))[:_WEIGHED]
    return {word: round(weights[word], 3) for word in best}
