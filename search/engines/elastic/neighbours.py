"""Find records like one record, by the words that are frequent in it and rare among what the reader sees.

Own work, the same as in the embedded index: the server's own likeness weighs words by
statistics that include hidden records. Here every count is taken under the access query.
"""

from search.engines.elastic import listing
from search.engines.elastic.looking import Look, counted
from search.engines.neighbours import NEEDED, candidates, weighed
from search.entry import Hit


def similar(look: Look, record_id: int, body: str, limit: int) -> list[Hit]:
    """Return the nearest records, the record itself left out. The caller has read the body within the terms."""
    often = candidates(body)
    total, seen = counted(look, dict(zip(often, look.compiler.words(often), strict=True)))
    weights = weighed(often, seen, total)
    if len(weights) < NEEDED or limit < 1:
        return []
    asked = listing.stamps_only(look.compiler.alike(weights, NEEDED, record_id)).sort("_score", "-id")[:limit]
    found = look.search(asked)
    scored = [(round(float(one["_score"]), 3), listing.hit(one)) for one in found["hits"]["hits"]]
    return [hit for _, hit in sorted(scored, key=lambda one: (-one[0], -one[1].id))]
