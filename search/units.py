"""Find units by the names they bear now: a dispatch may have been indexed under an earlier one.

Reads the names of all units, which are a few hundred at most; that a unit is there is told
to nobody, for what it keeps is found only within the reader's terms.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from archive.models import Unit
from archive.standing import remembered
from search import synonyms
from search.marking import is_near
from search.nodes import And, Kept, Node, Not, Or, Query, Within, Words
from search.text import words as cut
from search.widening import widened

FIELD: Final = "unit"
_Words = Sequence[tuple[int, list[str]]]  # number of the unit, words of its name


class Names:
    """The names that units bear now, read when the first query asks by one, and once only."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._words: _Words | None = None

    @property
    def is_read(self) -> bool:
        """Whether the names are known."""
        return self._words is not None

    def take(self, rows: Iterable[tuple[int, str]]) -> _Words:
        """Keep number and name of every unit."""
        self._words = [(pk, cut(name)) for pk, name in sorted(rows)]
        return self._words

    def resolved(self, query: Query) -> Query:
        """Return a query in which the units that bear a name stand in the place of the name; the same if it names none."""
        if query.root is None or not asks(query):
            return query
        words = self.take(Unit.objects.values_list("pk", "name")) if self._words is None else self._words
        return replace(query, root=_resolved(query.root, words))


def known() -> Names:
    """Return the names as this request knows them."""
    return remembered("unit names", Names)


def asks(query: Query) -> bool:
    """Return whether a query asks by the name of a unit."""
    return any(True for _ in _named(query.root))


def _named(node: Node | None) -> Iterable[Within]:
    match node:
        case And() | Or():
            for child in node.children:
                yield from _named(child)
        case Not():
            yield from _named(node.child)
        case Within() if node.field == FIELD:
            yield node


def _resolved(node: Node, names: _Words) -> Node:
    match node:
        case And():
            return And(tuple(_resolved(child, names) for child in node.children), node.span)
        case Or():
            return Or(tuple(_resolved(child, names) for child in node.children), node.span)
        case Not():
            return Not(_resolved(node.child, names), node.span)
        case Within() if node.field == FIELD:
            ways = [one.words for one in _named(widened(node, synonyms.current()))]
            found = (pk for pk, name in names if any(_says(name, way) for way in ways))
            return Kept(tuple(found), node.span)
        case _:
            return node


def _says(name: Sequence[str], asked: Words) -> bool:
    """Return whether a name says the words side by side, as a field of the index would."""
    if asked.is_fuzzy:
        return any(is_near(word, asked.tokens[0]) for word in name)
    size = len(asked.tokens)
    runs = (tuple(name[start : start + size]) for start in range(len(name) - size + 1))
    if asked.is_prefix:
        return any(run[:-1] == asked.tokens[:-1] and run[-1].startswith(asked.tokens[-1]) for run in runs)
    return any(run == asked.tokens for run in runs)
