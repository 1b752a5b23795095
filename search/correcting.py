"""What may have been meant: the query with other marks, or with one word written as the reader's records have it.

Every word and every count comes from the engine under the reader's terms. Offered is
only what finds more: more records at all, or - when the bare letters find the same
anyway - more records that hold the words with exactly these marks, side by side.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from search.engine import Engine
from search.entry import Terms
from search.nodes import Query, Words, wanted
from search.query import is_or, parse

OFFERED: Final = 3
FEW_HITS: Final = 5  # with more, nobody has mistyped
_MARKED_WORDS: Final = 4  # of a longer run the reader has said enough
_FORMS: Final = 2  # per word; so at most 16 ways to write a run are counted
_TRIED_WORDS: Final = 6


def corrections(engine: Engine, query: Query, terms: Terms) -> list[str]:
    """Return whole query texts, the likeliest first, at most OFFERED."""
    words = [leaf for leaf in wanted(query.root) if isinstance(leaf, Words) and _can_be_wrong(leaf)]
    if not words:
        return []
    offered = [*_marked(engine, query, terms, words), *_mended(engine, query, terms, words)]
    return list(dict.fromkeys(offered))[:OFFERED]


def _can_be_wrong(leaf: Words) -> bool:
    return not (leaf.is_prefix or leaf.is_fuzzy or any(token.isdigit() for token in leaf.tokens))


def _marked(engine: Engine, query: Query, terms: Terms, words: Sequence[Words]) -> Iterator[str]:
    """Yield the run of words with the marks that most records give it; nothing if it has its marks."""
    tokens = [token for leaf in words for token in leaf.typed]
    is_run = all(not leaf.is_quoted for leaf in words) and _covers(query, words)
    if not is_run or len(tokens) > _MARKED_WORDS or any(leaf.has_marks for leaf in words):
        return
    forms = [[token, *_other_marks(engine, token, terms)] for token in tokens]
    counted = {
        " ".join(form): _total(engine, f'"{" ".join(form)}"', terms)
        for form in product(*(each[: _FORMS + 1] for each in forms))
        if any(a != b for a, b in zip(form, tokens, strict=True))
    }
    best = max(counted, key=lambda text: (counted[text], text), default="")
    if best and counted[best]:
        yield best


def _other_marks(engine: Engine, token: str, terms: Terms) -> list[str]:
    """Return a word with the marks it has most often."""
    bare = parse(token).root
    offered = engine.spellings(token, terms, limit=_FORMS)
    same = [one.text for one in offered if isinstance(bare, Words) and _tokens(one.text) == bare.tokens]
    return [text for text in same if not is_or(text)]


def _tokens(text: str) -> tuple[str, ...]:
    root = parse(text).root
    return root.tokens if isinstance(root, Words) else ()


def _covers(query: Query, words: Sequence[Words]) -> bool:
    """Return whether the query says nothing but these words."""
    said = " ".join(query.text[slice(*leaf.span)] for leaf in words)
    return said.split() == query.text.split()


def _mended(engine: Engine, query: Query, terms: Terms, words: Sequence[Words]) -> Iterator[str]:
    """Yield the query with one word replaced, if it finds little and the other finds more."""
    found = engine.search(query, terms, limit=1, facets=()).total
    if found >= FEW_HITS:
        return
    ranked: list[tuple[int, str]] = []
    for leaf in words[:_TRIED_WORDS]:
        for token in leaf.typed:
            for other in engine.spellings(token, terms, limit=OFFERED):
                if is_or(other.text) and not leaf.is_quoted:  # it would no longer be a word that is looked for
                    continue
                text = _replaced(query.text, leaf, token, other.text)
                if (more := _total(engine, text, terms)) > found:
                    ranked.append((more, text))
    yield from (text for _, text in sorted(ranked, key=lambda one: (-one[0], one[1])))


def _replaced(text: str, leaf: Words, token: str, other: str) -> str:
    """Return the query text with one word of a leaf written otherwise."""
    start, end = leaf.span
    said = " ".join(other if typed == token else typed for typed in leaf.typed)
    return text[:start] + (f'"{said}"' if leaf.is_quoted else said) + text[end:]


def _total(engine: Engine, text: str, terms: Terms) -> int:
    return engine.search(parse(text), terms, limit=1, facets=()).total
