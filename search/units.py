"""Find units by the names they bear now: a dispatch may have been indexed under an earlier one.

Reads the names of all units, which are a few hundred at most; that a unit is there is told
to nobody, for what it keeps is found only within the reader's terms.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from archive.models import Unit
from search import synonyms
from search.nodes import And, Kept, Node, Not, Or, Query, Within, Words
from search.spelling import near
from search.text import words as cut
from search.widening import widened

FIELD: Final = "unit"
_Names = Sequence[tuple[int, list[str]]]  # number of the unit, words of its name


def resolved(query: Query) -> Query:
    """Return a query in which the units that bear a name stand in the place of the name; the same if it names none."""
    if not any(True for _ in _named(query.root)):
        return query
    names = [(pk, cut(name)) for pk, name in Unit.objects.order_by("pk").values_list("pk", "name")]
    return replace(query, root=_resolved(query.root, names)) if query.root else query


def _named(node: Node | None) -> Iterable[Within]:
    match node:
        case And() | Or():
            for child in node.children:
                yield from _named(child)
        case Not():
            yield from _named(node.child)
        case Within() if node.field == FIELD:
            yield node


def _resolved(node: Node, names: _Names) -> Node:
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
        return bool({asked.tokens[0], *near(asked.tokens[0])} & set(name))
    size = len(asked.tokens)
    runs = (tuple(name[start : start + size]) for start in range(len(name) - size + 1))
    if asked.is_prefix:
        return any(run[:-1] == asked.tokens[:-1] and run[-1].startswith(asked.tokens[-1]) for run in runs)
    return any(run == asked.tokens for run in runs)
