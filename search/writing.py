"""Write a query back as text: what is left when a piece is taken out, or pieces put together. Pure.

A query is read with its neighbours in view ("so" before a figure makes a number, "từ"
"khóa:" may be a name), so pieces put side by side may say something else. Here they are
read again, and set apart by AND - which says nothing itself - where they would.
"""

from collections.abc import Sequence
from typing import Any

from search.nodes import And, Choice, Dates, Node, Not, Number, Or, Query, Within, Words, Year
from search.query import parse


def meaning(node: Node | None) -> Any:
    """Return what a node asks, without where and how it was written: equal meanings find the same."""
    match node:
        case Words():
            return "words", node.tokens, node.typed if node.is_exact else (), node.is_prefix, node.is_fuzzy
        case Number():
            return "number", node.tokens, node.is_strict, node.is_prefix, node.in_text, node.month is not None
        case Dates():
            return "dates", node.field, node.first, node.last, bool(node.written)
        case Year():
            return "year", node.first, node.last, node.tokens
        case Choice():
            return "choice", node.field, node.value
        case Within():
            return "within", node.field, meaning(node.words)
        case Not():
            return "not", meaning(node.child)
        case Or():
            return "or", tuple(map(meaning, node.children))
        case And():
            return ("and", *map(meaning, pieces(node))) if len(pieces(node)) > 1 else meaning(pieces(node)[0])
    return ()


def pieces(node: Node | None) -> tuple[Node, ...]:
    """Return what is joined by AND, nested ones laid flat; one node alone is one piece."""
    if isinstance(node, And):
        return tuple(piece for child in node.children for piece in pieces(child))
    return (node,) if node else ()


def joined(texts: Sequence[str], wanted: Sequence[Node]) -> str:
    """Return the texts of some pieces in one, so that it is read as these pieces and nothing else."""
    plain = " ".join(texts)
    query, asked = parse(plain), list(map(meaning, wanted))
    found = list(map(meaning, pieces(query.root)))
    # At a limit the last piece may be shortened, and what follows is left out whatever stands between.
    if found == asked or (query.is_cut and found[:-1] == asked[: len(found) - 1]):
        return plain
    return " AND ".join(texts)


def said(query: Query, node: Node) -> str:
    """Return the text of one piece as it was typed, quotation marks and parentheses closed, its own "-" before it."""
    text = query.text[slice(*node.span)].strip()
    if isinstance(node, Not) and node.span[0] == node.child.span[0]:  # one "-" denied the piece before it as well
        text = f"-{text}"
    text += '"' if text.count('"') % 2 else ""
    return text + ")" * max(text.count("(") - text.count(")"), 0)
