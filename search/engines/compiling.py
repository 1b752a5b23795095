"""Turn a query tree, a reader's terms and chosen filters into one engine query. Strings are never parsed.

Every query that leaves this module holds the access clause: `Compiler` can only be made
with `Terms`, and its two public results are built around `_allowed`. All clauses score
constants (see `search.engine`), so nothing depends on statistics of hidden records.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import tantivy
from tantivy import FieldType, Occur, Query

from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS
from search import engine, fields, ranking, synonyms
from search import nodes as ask
from search.engine import Filters
from search.engines import filings
from search.engines.schema import EXACT, FOLDED, WHOLE, day_number, term_of
from search.entry import OF_DOSSIER, Terms
from search.widening import widened

FEW: Final = 12
FEW_IDS: Final = 500  # each is in one segment at most: to look up 20 costs a seventh of making a set of them
_LONG: Final = (FOLDED, EXACT)
_RANKS: Final = {
    "level": {slug: int(rank) for rank, slug in LEVEL_SLUGS.items()},
    "urgency": {slug: int(rank) for rank, slug in URGENCY_SLUGS.items()},
}


@dataclass(frozen=True, slots=True)
class Compiler:
    """Builds queries for one reader over one schema."""

    schema: tantivy.Schema
    terms: Terms
    _begun: dict[tuple[str, tuple[str, ...]], Query] = field(default_factory=dict, init=False, repr=False)

    def matching(self, asked: ask.Node | None, filters: Filters | None = None, *extra: Query) -> Query:
        """Return what must hold, without any order: for counting, facets and newest first; narrowed by extra clauses."""
        also = [*extra, *self._filters(filters or {}), *self._asked(asked)]
        return Query.boolean_query([*self._allowed(), *((Occur.Must, query) for query in also)])

    def ranked(self, asked: ask.Node | None, filters: Filters | None = None) -> Query:
        """Return the same, scored by the bands of `search.engine`."""
        clauses = [(Occur.Must, Query.const_score_query(self.matching(asked, filters), float(engine.BASE)))]
        for query, worth in self._gains(asked):
            clauses.append((Occur.Should, Query.const_score_query(query, float(worth))))
        return Query.boolean_query(clauses)

    def only(self, ids: Sequence[int], *extra: Query) -> Query:
        """Return these records as far as the reader may see them, narrowed by extra clauses."""
        also = [self._one_of("id", ids, FEW_IDS), *extra]
        return Query.boolean_query([*self._allowed(), *((Occur.Must, query) for query in also)])

    def words(self, tokens: Iterable[str], name: str = FOLDED) -> list[Query]:
        """Return one query per word."""
        return [self._term(name, token) for token in tokens]

    def filed(self) -> Query:
        """Return what lies in a dossier that the reader may know of. Bare: for use inside a query of here."""
        return self._any([self._known(), self.shared()])

    def shared(self) -> Query:
        """Return what lies in dossiers of several units of which the reader knows one. Bare as well."""
        units = filings.known_among(self.terms.units)
        return self._one_of("filed_in", units) if units else Query.empty_query()

    # --- the access clause ------------------------------------------------------------
    def _allowed(self) -> list[tuple[Occur, Query]]:
        """Return level, marking, and reach or grant: what `archive.access` said of this reader.

        Clauses, to stand beside those of the question: a query around them made every search a tenth slower.
        """
        terms = self.terms
        if terms.is_empty:
            return [(Occur.Must, Query.empty_query())]
        levels = self._one_of("level", range(terms.level + 1))
        allowed = [levels, self._one_of("marking", terms.markings), self._reached()]
        closed = [(Occur.MustNot, self._one_of("id", terms.but, FEW_IDS))] if terms.but else []
        return [*((Occur.Must, query) for query in allowed), *closed]

    def _reached(self) -> Query:
        """Return need-to-know alone: a standing reason or a grant."""
        terms = self.terms
        standing = [self._one_of("reach", terms.reach)] if terms.reach else []
        granted = [self._one_of("id", terms.ids, FEW_IDS)] if terms.ids else []
        return self._any([*standing, *granted])

    def _filters(self, filters: Filters) -> Iterator[Query]:
        for name, values in filters.items():
            if values:
                chosen = self._any([self._filter(name, value) for value in values])
                yield self._filed_by(name, values, chosen) if name in OF_DOSSIER else chosen

    def _known(self) -> Query:
        """Return what lies in dossiers of one unit of the reader's: whoever sees a record need not know of its dossier."""
        return self._one_of("filed_in", self.terms.units) if self.terms.units else Query.empty_query()

    def _filed_by(self, name: str, values: Sequence[str], chosen: Query) -> Query:
        """Return what lies in a dossier that has one of the values, as far as the reader knows of it."""
        shared = self._words_of(name, filings.chosen(values, self.terms.units))
        return self._any([self._all([self._known(), chosen]), shared])

    def _filter(self, name: str, value: str) -> Query:
        """Return one value of a facet; a value that cannot be matches nothing."""
        if name in _RANKS:
            rank = _RANKS[name].get(value)
            return Query.empty_query() if rank is None else self._term(name, rank)
        if name == "year":
            return self._term("year", int(value)) if re.fullmatch(r"[0-9]{1,4}", value) else Query.empty_query()
        if name in WHOLE:
            return self._term(f"{name}_is", term_of(value))
        return Query.empty_query()

    # --- the tree ---------------------------------------------------------------------
    def _asked(self, node: ask.Node | None) -> Iterator[Query]:
        wide = widened(node, synonyms.current())
        if wide is not None:
            yield self._node(wide)

    def _node(self, node: ask.Node) -> Query:
        match node:
            case ask.And() | ask.Not():
                return self._together(node.children if isinstance(node, ask.And) else [node])
            case ask.Or():
                return self._any([self._node(child) for child in node.children])
            case ask.Either():
                return self._either(node)
            case ask.Words():
                return self._words(node)
            case ask.Number():
                month = [self._when(node.month)] if node.month else []
                return self._any([self._number(node), *self._said([node.written] if node.in_text else []), *month])
            case ask.Dates() | ask.Year():
                return self._when(node)
            case ask.Choice():
                return self._term(node.field, node.value)
            case ask.Kept():
                return self._words_of("unit_is", [term_of(str(unit)) for unit in node.units])
            case ask.Within():
                return self._within(node)

    def _together(self, children: Sequence[ask.Node]) -> Query:
        clauses = []
        for child in children:
            if isinstance(child, ask.Not):
                clauses.append((Occur.MustNot, self._node(child.child)))
            else:
                clauses.append((Occur.Must, self._node(child)))
        if all(occur is Occur.MustNot for occur, _ in clauses):
            clauses.append((Occur.Must, Query.all_query()))
        return Query.boolean_query(clauses)

    def _words(self, node: ask.Words) -> Query:
        if node.is_exact:
            return self._run(EXACT, node.typed, is_prefix=node.is_prefix)
        if node.is_fuzzy:
            return self._near(FOLDED, node.tokens[0])
        return self._run(FOLDED, node.tokens, is_prefix=node.is_prefix)

    def _either(self, node: ask.Either) -> Query:
        """Return all that was typed, a long word also misread, or another way to write it."""
        said = [
            self._any([self._words(word), *([self._words_of(FOLDED, forms)] if forms else [])])
            for word, forms in zip(node.said, node.misread, strict=True)
        ]
        return self._any([self._all(said), *(self._words(other) for other in node.others)])

    def _number(self, node: ask.Number) -> Query:
        """Return the number itself, and its notation word by word (strict) or anywhere (loose)."""
        first, *rest = node.tokens
        clauses = [self._run("first_number", (first,), is_prefix=node.is_prefix and not rest)]
        if rest and node.is_strict:
            clauses.append(self._run("number", node.tokens, is_prefix=node.is_prefix))
        elif rest:
            clauses += [self._term("number", token) for token in rest]
        return self._all(clauses)

    def _when(self, node: ask.Dates | ask.Year) -> Query:
        """Return a span of days or years, or a text that says it."""
        if isinstance(node, ask.Dates):
            return self._any([self._dates(node), *self._said(node.written)])
        said = self._said([node.tokens])
        return self._any([self._range("year", node.first, node.last), *said])

    def _dates(self, node: ask.Dates) -> Query:
        first = day_number(node.first) if node.first else 0
        return self._range(node.field, first, day_number(node.last) if node.last else 99_999_999)

    def _within(self, node: ask.Within) -> Query:
        words = node.words
        if node.field == "subject" and words.is_exact:
            return self._run("subject_x", words.typed, is_prefix=words.is_prefix)
        if words.is_fuzzy:
            runs = [self._near(node.field, words.tokens[0])]
        else:
            runs = [self._run(node.field, words.tokens, is_prefix=words.is_prefix)]
        if node.field == "type" and (whole := fields.TYPES.get(words.tokens[0])) and len(words.tokens) == 1:
            runs.append(self._run("type", tuple(whole.split())))
        if node.field in OF_DOSSIER:
            return self._any([self._all([self._known(), *runs]), *self._within_shared(node.field, words)])
        return self._any(runs)

    def _within_shared(self, name: str, words: ask.Words) -> Iterator[Query]:
        """Yield where dossiers of several units have the words side by side, in one of them that the reader knows."""
        said = [tuple(filings.tagged(unit, token) for token in words.tokens) for unit in self.terms.units]
        if words.is_fuzzy:
            yield from (self._near(name, tokens[0]) for tokens in said)
        elif words.is_prefix or len(words.tokens) > 1:
            yield from (self._run(name, tokens, is_prefix=words.is_prefix) for tokens in said)
        else:
            yield self._words_of(name, [token for (token,) in said])

    def _said(self, sequences: Iterable[tuple[str, ...]]) -> Iterator[Query]:
        """Yield the places where a text says the same in words."""
        return (self._run(FOLDED, tokens) for tokens in sequences if tokens)

    # --- the order --------------------------------------------------------------------
    def _gains(self, asked: ask.Node | None) -> Iterator[tuple[Query, int]]:
        """Yield what is worth more, from what every hit has in any case."""
        wish = ranking.wish(widened(asked, synonyms.current()))
        runs = wish.runs
        if runs:
            yield self._any([self._run("subject", tokens) for tokens, _ in runs]), engine.SUBJECT_PHRASE
            everywhere = [self._all([self._term("subject", token) for token in tokens]) for tokens, _ in runs]
            yield self._any(everywhere), engine.SUBJECT_ALL
        if wish.parts > 1:  # a single phrase stands side by side in every hit already
            yield self._any([self._run(FOLDED, tokens) for tokens, _ in runs]), engine.TEXT_PHRASE
        if wish.is_loose:
            yield self._any([self._all(self.words(tokens)) for tokens, _ in runs]), engine.WORDS_RIGHT
        if any(tokens != typed for tokens, typed in runs[:1]):
            yield self._any([self._all(self.words(typed, EXACT)) for _, typed in runs]), engine.MARKS_RIGHT
        if wish.numbers:
            yield self._all([self._number(number) for number in wish.numbers]), engine.NUMBER
        elif wish.figures:
            first, *rest = wish.figures
            figures = [self._term("first_number", first), *(self._term("number", token) for token in rest)]
            yield self._all(figures), engine.NUMBER

    # --- the smallest pieces ----------------------------------------------------------
    def _run(self, name: str, tokens: tuple[str, ...], *, is_prefix: bool = False) -> Query:
        """Return words side by side in one field; with a prefix the last is only a beginning."""
        if is_prefix:
            return self._beginning(name, tokens)
        if len(tokens) == 1:
            return self._term(name, tokens[0])
        phrase = Query.phrase_query(self.schema, name, list(tokens))
        # The order of words is looked up in every text that has them all. Inside an alternative the
        # clause around it does not spare the texts of others; this one does: half the time of the slowest.
        return self._all([self._reached(), phrase]) if name in _LONG else phrase

    def _beginning(self, name: str, tokens: tuple[str, ...]) -> Query:
        """Return words of which the last is only a beginning: made once, for the hits and for every count of a page."""
        if (name, tokens) not in self._begun:
            spelled: list[Any] = [re.escape(token) for token in tokens]
            spelled[-1] += ".*"
            if len(tokens) == 1:
                self._begun[name, tokens] = Query.regex_query(self.schema, name, spelled[0])
            else:
                self._begun[name, tokens] = Query.regex_phrase_query(self.schema, name, spelled)
        return self._begun[name, tokens]

    def _words_of(self, name: str, words: Sequence[str]) -> Query:
        """Return documents in which one of many words stands."""
        return Query.term_set_query(self.schema, name, list(words)) if words else Query.empty_query()

    def _near(self, name: str, token: str) -> Query:
        """Return words of which one letter may differ."""
        return Query.fuzzy_term_query(self.schema, name, token, distance=1)

    def _one_of(self, name: str, numbers: Sequence[int], few: int = FEW) -> Query:
        """Return documents with one of these numbers.

        A few are looked up as the search goes; many are cheaper collected at once.
        """
        if len(numbers) > few:
            return Query.term_set_query(self.schema, name, list(numbers))
        return self._any([self._term(name, number) for number in numbers])

    def _term(self, name: str, value: int | str) -> Query:
        return Query.term_query(self.schema, name, value, "basic")

    def _range(self, name: str, first: int, last: int) -> Query:
        return Query.range_query(self.schema, name, FieldType.Integer, first, last)

    @staticmethod
    def _all(queries: Sequence[Query]) -> Query:
        return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Must, query) for query in queries])

    @staticmethod
    def _any(queries: Sequence[Query]) -> Query:
        return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, query) for query in queries])
