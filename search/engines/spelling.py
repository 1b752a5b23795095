"""Count how many records of a reader hold each of many words: for the spellings that are offered.

A word that no shelf knows is passed over without asking; of the others only what the
reader's access query lets through is counted, so that nothing of a hidden record shows.
A word stands in no more of a reader's records than of all: once the rest of the words
cannot come among the most frequent ones any more, they are not asked for. What is offered
is the same; a syllable has some fifty ways to be written, and each count cost 0.6 ms.
"""

from collections.abc import Sequence
from heapq import heappush, heappushpop

from tantivy import Occur, Query

from search.engines.compiling import Compiler
from search.engines.listing import View
from search.engines.schema import EXACT, FOLDED

_FIELDS = {"exact": EXACT, "folded": FOLDED}


def counts(compiler: Compiler, views: Sequence[View], form: str, asked: Sequence[str], most: int) -> dict[str, int]:
    """Return the number of visible records that hold each word, in "exact" or "folded" form, of those that may be the `most` frequent."""
    name = _FIELDS[form]
    held = {word: sum(view.searcher.doc_freq(name, word) for view in views) for word in asked}
    allowed = compiler.matching(None)
    counted: dict[str, int] = {}
    best: list[int] = []  # the `most` highest counts so far, the lowest first
    for word in sorted(filter(held.__getitem__, held), key=held.__getitem__, reverse=True):
        if len(best) == most and held[word] < best[0]:
            break
        (query,) = compiler.words([word], name)
        both = Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])
        counted[word] = sum(view.count(both) for view in views)
        (heappush if len(best) < most else heappushpop)(best, counted[word])
    return counted
