"""Turn a query tree, a reader's terms and chosen filters into query objects. Strings are never parsed.

The twin of the embedded compiler: the same clauses on the same words, so both drivers
find the same. Every query that leaves this module holds the access clause: `Compiler`
can only be made with `Terms`, and its public results are built around `_allowed`. All
clauses are filters or constants, so nothing depends on statistics of hidden records.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from elasticsearch.dsl import query as dsl

from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS
from search import engine, fields, ranking, synonyms
from search import nodes as ask
from search.engine import Filters
from search.engines import filings
from search.engines.elastic.mapping import SHARED, key_field
from search.engines.schema import EXACT, FOLDED, WHOLE, day_number
from search.entry import OF_DOSSIER, Terms
from search.widening import widened

MOST_TERMS: Final = 65_000  # values in one list; the server takes 65,536
MOST_ENDINGS: Final = 16_384  # words that the last word of a phrase may begin, as in the embedded index
_RANKS: Final = {
    "level": {slug: int(rank) for rank, slug in LEVEL_SLUGS.items()},
    "urgency": {slug: int(rank) for rank, slug in URGENCY_SLUGS.items()},
}


@dataclass(frozen=True, slots=True)
class Compiler:
    """Builds queries for one reader."""

    terms: Terms

    def matching(self, asked: ask.Node | None, filters: Filters | None = None) -> dsl.Query:
        """Return what must hold, without any order: for counting, facets and newest first."""
        return _all([self._allowed(), *self.chosen(filters or {}), *self._asked(asked)])

    def ranked(self, asked: ask.Node | None, filters: Filters | None = None) -> dsl.Query:
        """Return the same, scored by the bands of `search.engine`."""
        gains = [dsl.ConstantScore(filter=query, boost=float(worth)) for query, worth in self._gains(asked)]
        base = dsl.ConstantScore(filter=self.matching(asked, filters), boost=float(engine.BASE))
        return dsl.Bool(must=[base], should=gains)

    def first_of_all(self, asked: ask.Node | None, filters: Filters) -> dsl.Query | None:
        """Return `ranked` of those hits alone that stand before all others: their subjects have every word.

        None where others may stand among them, by a number that was asked for.
        """
        wish = ranking.wish(widened(asked, synonyms.current()))
        if not wish.runs or wish.numbers or wish.figures:
            return None
        return dsl.Bool(must=[self.ranked(asked, filters)], filter=[_in_subject(wish.runs)])

    def only(self, ids: Sequence[int], *extra: dsl.Query) -> dsl.Query:
        """Return these records as far as the reader may see them, narrowed by extra clauses."""
        return _all([self._allowed(), _one_of("id", ids), *extra])

    def alike(self, weights: dict[str, float], needed: int, but: int) -> dsl.Query:
        """Return records, one left out, that have at least so many of these words, scored by their weights."""
        words = [
            dsl.ConstantScore(filter=query, boost=weight)
            for query, weight in zip(self.words(weights), weights.values(), strict=True)
        ]
        return dsl.Bool(
            filter=[self._allowed()],
            must_not=[_term("id", but)],
            should=words,
            minimum_should_match=needed,
        )

    def words(self, tokens: Iterable[str], name: str = FOLDED) -> list[dsl.Query]:
        """Return one clause per word. Bare: for use inside a query of here."""
        return [_term(name, token) for token in tokens]

    def chosen(self, filters: Filters) -> Iterator[dsl.Query]:
        """Yield one clause for each facet with chosen values. Bare: for use inside a query of here."""
        for name, values in filters.items():
            if values:
                yield self._filed_by(name, values) if name in OF_DOSSIER else _with_one(name, values)

    def known(self) -> dsl.Query:
        """Return what lies in dossiers of one unit of the reader's: whoever sees a record need not know of its dossier."""
        return dsl.Terms("filed_in", [str(unit) for unit in self.terms.units])

    def filed(self) -> dsl.Query:
        """Return what lies in a dossier of any unit of the reader's. Bare as well."""
        shared = [str(unit) for unit in filings.known_among(self.terms.units)]
        return _any([self.known(), dsl.Terms("filed_in", shared)])

    def _filed_by(self, name: str, values: Sequence[str]) -> dsl.Query:
        """Return what lies in a dossier that has one of the values, as far as the reader knows of it."""
        return self._of_dossiers(lambda of: _one_of(of + key_field(name), values))

    def _of_dossiers(self, said: Callable[[str], dsl.Query]) -> dsl.Query:
        """Return what lies in a dossier the reader may know of and of which something holds: alone, or one of several units'.

        The units stand in the question once for each kind, however much is asked of their dossiers.
        """
        units = [str(unit) for unit in self.terms.units]
        one_of_several = _all([dsl.Terms(f"{SHARED}.unit", units), said(f"{SHARED}.")])
        return _any([_all([self.known(), said("")]), dsl.Nested(path=SHARED, query=one_of_several)])

    # --- the access clause ------------------------------------------------------------
    def _allowed(self) -> dsl.Query:
        """Return level, marking, and reach or grant: what `archive.access` said of this reader."""
        terms = self.terms
        if terms.is_empty:
            return dsl.MatchNone()
        standing = [dsl.Terms("reach", [str(one) for one in terms.reach])] if terms.reach else []
        granted = [_one_of("id", terms.ids)] if terms.ids else []
        levels = dsl.Range("level", {"gte": 0, "lte": terms.level})
        markings = dsl.Terms("marking", [str(one) for one in terms.markings])
        allowed = [levels, markings, _any([*standing, *granted])]
        return dsl.Bool(filter=allowed, must_not=[_one_of("id", terms.but)] if terms.but else [])

    # --- the tree ---------------------------------------------------------------------
    def _asked(self, node: ask.Node | None) -> Iterator[dsl.Query]:
        wide = widened(node, synonyms.current())
        if wide is not None:
            yield self._node(wide)

    def _node(self, node: ask.Node) -> dsl.Query:
        match node:
            case ask.And() | ask.Not():
                return self._together(node.children if isinstance(node, ask.And) else [node])
            case ask.Or():
                return _any([self._node(child) for child in node.children])
            case ask.Either():
                return self._either(node)
            case ask.Words():
                return self._words(node)
            case ask.Number():
                month = [self._when(node.month)] if node.month else []
                return _any([self._number(node), *self._said([node.written] if node.in_text else []), *month])
            case ask.Dates() | ask.Year():
                return self._when(node)
            case ask.Choice():
                return _term(node.field, node.value)
            case ask.Kept():
                return _one_of("unit_is", [str(unit) for unit in node.units])
            case ask.Within():
                return self._within(node)

    def _together(self, children: Sequence[ask.Node]) -> dsl.Query:
        wanted = [self._node(child) for child in children if not isinstance(child, ask.Not)]
        unwanted = [self._node(child.child) for child in children if isinstance(child, ask.Not)]
        return dsl.Bool(filter=wanted or [dsl.MatchAll()], must_not=unwanted)

    def _words(self, node: ask.Words) -> dsl.Query:
        if node.is_exact:
            return _run(EXACT, node.typed, is_prefix=node.is_prefix)
        if node.is_fuzzy:
            return _near(FOLDED, node.tokens[0])
        return _run(FOLDED, node.tokens, is_prefix=node.is_prefix)

    def _either(self, node: ask.Either) -> dsl.Query:
        """Return all that was typed, a long word also misread, or another way to write it."""
        said = [
            _any([self._words(word), *([dsl.Terms(FOLDED, list(forms))] if forms else [])])
            for word, forms in zip(node.said, node.misread, strict=True)
        ]
        return _any([_all(said), *(self._words(other) for other in node.others)])

    def _number(self, node: ask.Number) -> dsl.Query:
        """Return the number itself, and its notation word by word (strict) or anywhere (loose)."""
        first, *rest = node.tokens
        clauses = [_run("first_number", (first,), is_prefix=node.is_prefix and not rest)]
        if rest and node.is_strict:
            clauses.append(_run("number", node.tokens, is_prefix=node.is_prefix))
        elif rest:
            clauses += [_term("number", token) for token in rest]
        return _all(clauses)

    def _when(self, node: ask.Dates | ask.Year) -> dsl.Query:
        """Return a span of days or years, or a text that says it."""
        if isinstance(node, ask.Dates):
            return _any([self._dates(node), *self._said(node.written)])
        said = self._said([node.tokens])
        return _any([_range("year", node.first, node.last), *said])

    def _dates(self, node: ask.Dates) -> dsl.Query:
        first = day_number(node.first) if node.first else 0
        return _range(node.field, first, day_number(node.last) if node.last else 99_999_999)

    def _within(self, node: ask.Within) -> dsl.Query:
        words = node.words
        if node.field == "subject" and words.is_exact:
            return _run("subject_x", words.typed, is_prefix=words.is_prefix)
        if node.field in OF_DOSSIER:
            return self._of_dossiers(lambda of: _spoken(of + node.field, words))
        runs = [_spoken(node.field, words)]
        if node.field == "type" and (whole := fields.TYPES.get(words.tokens[0])) and len(words.tokens) == 1:
            runs.append(_run("type", tuple(whole.split())))
        return _any(runs)

    def _said(self, sequences: Iterable[tuple[str, ...]]) -> Iterator[dsl.Query]:
        """Yield the places where a text says the same in words."""
        return (_run(FOLDED, tokens) for tokens in sequences if tokens)

    # --- the order --------------------------------------------------------------------
    def _gains(self, asked: ask.Node | None) -> Iterator[tuple[dsl.Query, int]]:
        """Yield what is worth more, from what every hit has in any case."""
        wish = ranking.wish(widened(asked, synonyms.current()))
        runs = wish.runs
        if runs:
            yield _any([_run("subject", tokens) for tokens, _ in runs]), engine.SUBJECT_PHRASE
            yield _in_subject(runs), engine.SUBJECT_ALL
        if wish.parts > 1:  # a single phrase stands side by side in every hit already
            yield _any([_run(FOLDED, tokens) for tokens, _ in runs]), engine.TEXT_PHRASE
        if wish.is_loose:
            yield _any([_all(self.words(tokens)) for tokens, _ in runs]), engine.WORDS_RIGHT
        if any(tokens != typed for tokens, typed in runs[:1]):
            yield _any([_all(self.words(typed, EXACT)) for _, typed in runs]), engine.MARKS_RIGHT
        if wish.numbers:
            yield _all([self._number(number) for number in wish.numbers]), engine.NUMBER
        elif wish.figures:
            first, *rest = wish.figures
            yield _all([_term("first_number", first), *(_term("number", token) for token in rest)]), engine.NUMBER


def _in_subject(runs: Sequence[ranking.Run]) -> dsl.Query:
    """Return what has every word of one of the runs in its subject."""
    return _any([_all([_term("subject", token) for token in tokens]) for tokens, _ in runs])


# --- the smallest pieces --------------------------------------------------------------
def _run(name: str, tokens: tuple[str, ...], *, is_prefix: bool = False) -> dsl.Query:
    """Return words side by side in one field; with a prefix the last is only a beginning."""
    words = " ".join(tokens)
    if is_prefix and len(tokens) == 1:
        return dsl.Prefix(name, {"value": words, "rewrite": "constant_score"})
    if is_prefix:
        return dsl.MatchPhrasePrefix(name, {"query": words, "max_expansions": MOST_ENDINGS})
    return _term(name, words) if len(tokens) == 1 else dsl.MatchPhrase(name, {"query": words})


def _spoken(name: str, words: ask.Words) -> dsl.Query:
    """Return words as they were asked for in one field: one with a letter wrong, or side by side."""
    return _near(name, words.tokens[0]) if words.is_fuzzy else _run(name, words.tokens, is_prefix=words.is_prefix)


def _near(name: str, token: str) -> dsl.Query:
    """Return words of which one letter may differ: all there are, whatever their number in hidden records."""
    return dsl.Fuzzy(name, {"value": token, "fuzziness": 1, "rewrite": "constant_score"})


def _with_one(name: str, values: Sequence[str]) -> dsl.Query:
    """Return what has one of the values of a facet; a value that cannot be matches nothing."""
    if name in WHOLE:
        return _one_of(f"{name}_is", values)
    if name in _RANKS:
        return _one_of(name, [_RANKS[name][value] for value in values if value in _RANKS[name]])
    years = [int(value) for value in values if re.fullmatch(r"[0-9]{1,4}", value)]
    return _one_of(name, years) if name == "year" else dsl.MatchNone()


def _one_of(name: str, values: Sequence[int] | Sequence[str]) -> dsl.Query:
    """Return documents with one of these values, in as many lists as the server wants."""
    parts = [list(values[start : start + MOST_TERMS]) for start in range(0, len(values), MOST_TERMS)]
    return _any([dsl.Terms(name, part) for part in parts])


def _term(name: str, value: int | str) -> dsl.Query:
    return dsl.Term(name, {"value": value})


def _range(name: str, first: int, last: int) -> dsl.Query:
    return dsl.Range(name, {"gte": first, "lte": last})


def _all(queries: Sequence[dsl.Query]) -> dsl.Query:
    return queries[0] if len(queries) == 1 else dsl.Bool(filter=list(queries))


def _any(queries: Sequence[dsl.Query]) -> dsl.Query:
    """Return what fits any of the queries; nothing fits none."""
    if len(queries) == 1:
        return queries[0]
    return dsl.Bool(should=list(queries), minimum_should_match=1) if queries else dsl.MatchNone()
