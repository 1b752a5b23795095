"""Count how many records of a reader hold each of many words: for the spellings that are offered.

A word that no shelf knows is passed over without asking; of the others only what the
reader's access query lets through is counted, so that nothing of a hidden record shows.
"""

from collections.abc import Sequence

from tantivy import Occur, Query

from search.engines.compiling import Compiler
from search.engines.listing import View
from search.engines.schema import EXACT, FOLDED

_FIELDS = {"exact": EXACT, "folded": FOLDED}


def counts(compiler: Compiler, views: Sequence[View], form: str, asked: Sequence[str]) -> dict[str, int]:
    """Return the number of visible records that hold each word, in "exact" or "folded" form."""
    allowed = compiler.matching(None)
    counted: dict[str, int] = {}
    for word in asked:
        places = [view for view in views if view.searcher.doc_freq(_FIELDS[form], word)]
        if places:
            (query,) = compiler.words([word], _FIELDS[form])
            both = Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])
            counted[word] = sum(view.count(both) for view in places)
    return counted
