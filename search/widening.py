"""Widen what was asked before it is compiled: other ways to write it, and what a scan may have misread. Pure.

The same for every driver, for the marks on a page and for the chips. It only ever finds
more: what was typed always counts as well. Quoted words, beginnings, numbers and what is
denied stay as they are.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from search import ranking
from search.nodes import And, Either, Node, Or, Within, Words
from search.syllables import misread
from search.synonyms import Table, Way

MOST_OTHERS: Final = 6  # other ways looked for in one place
NAMES: Final = frozenset({"organ", "unit", "type", "dossier"})  # fields in which a name may be written in several ways


def widened(root: Node | None, table: Table) -> Node | None:
    """Return the tree to be compiled."""
    if root is None or ranking.figures(root):  # "4076 kh 2019" asks for a number: nothing else is meant
        return root
    return _node(root, table)


def added(nodes: Sequence[Node], table: Table) -> list[str]:
    """Return the other ways that are looked for beside these neighbours of a query, as they are to be shown."""
    ways: list[Way] = []
    for node in nodes:
        if isinstance(node, Within):
            ways += [way for _, _, others in _inside(node, table) for way in others]
    for place, count in _named(nodes, table):
        ways += _others(_run(nodes[place : place + count]), table)
    return list(dict.fromkeys(way.shown for way in ways))


def _node(node: Node, table: Table) -> Node:
    match node:
        case And():
            return And(tuple(_together(node.children, table)), node.span)
        case Or():
            return Or(tuple(_node(child, table) for child in node.children), node.span)
        case Words() if _is_plain(node):
            return next(_together([node], table))
        case Within() if node.field in NAMES:
            return _within(node, table)
        case _:
            return node


def _together(children: Sequence[Node], table: Table) -> Iterator[Node]:
    """Yield neighbours with the runs that have another way made one, and long words with their misreadings."""
    named = dict(_named(children, table))
    place = 0
    while place < len(children):
        count = named.get(place, 1)
        run = [node for node in children[place : place + count] if _is_plain(node)]
        said = tuple(node for node in run if isinstance(node, Words))
        if not said:
            yield _node(children[place], table)
        else:
            others = _others(said, table) if place in named else ()
            yield _either(said, others)
        place += count


def _either(said: tuple[Words, ...], others: Sequence[Way]) -> Node:
    span = (said[0].span[0], said[-1].span[1])
    forms = tuple(misread(word.tokens[0]) if len(word.tokens) == 1 else () for word in said)
    if not others and not any(forms):
        return said[0]
    return Either(said, forms, tuple(Words(way.tokens, way.typed, span) for way in others), span)


def _named(children: Sequence[Node], table: Table) -> Iterator[tuple[int, int]]:
    """Yield (place, count) of the neighbours that are a way of the table, the longest first, none twice."""
    place = 0
    while place < len(children):
        for count in range(min(table.longest, len(children) - place), 0, -1):
            run = children[place : place + count]
            if all(map(_is_plain, run)) and _others(_run(run), table):
                yield place, count
                place += count - 1
                break
        place += 1


def _run(nodes: Sequence[Node]) -> tuple[Words, ...]:
    return tuple(node for node in nodes if isinstance(node, Words))


def _is_plain(node: Node) -> bool:
    return isinstance(node, Words) and not (node.is_quoted or node.is_prefix or node.is_fuzzy)


def _others(said: Sequence[Words], table: Table) -> tuple[Way, ...]:
    tokens = tuple(chain.from_iterable(word.tokens for word in said))
    typed = tuple(chain.from_iterable(word.typed for word in said))
    return table.others(tokens, typed)[:MOST_OTHERS]


def _within(node: Within, table: Table) -> Node:
    """Return a named value or the same with each name in it written in its other ways."""
    words = node.words
    variants = [
        Words(
            (*words.tokens[:start], *way.tokens, *words.tokens[end:]),
            (*words.typed[:start], *way.typed, *words.typed[end:]),
            words.span,
            is_quoted=words.is_quoted,
        )
        for start, end, others in _inside(node, table)
        for way in others
    ]
    if not variants:
        return node
    return Or((node, *(Within(node.field, one, node.span) for one in islice(variants, MOST_OTHERS))), node.span)


def _inside(node: Within, table: Table) -> Iterator[tuple[int, int, tuple[Way, ...]]]:
    """Yield (start, end, other ways) of the longest name in a named value."""
    words = node.words
    if node.field not in NAMES or words.is_prefix or words.is_fuzzy:
        return
    for count in range(min(table.longest, len(words.tokens)), 0, -1):
        for start in range(len(words.tokens) - count + 1):
            end = start + count
            if others := table.others(words.tokens[start:end], words.typed[start:end]):
                yield start, end, others[:MOST_OTHERS]
                return
