"""What of a query moves the order of its hits: pure, the same for every driver.

Only what every hit has in any case can be worth more in a better place, so only the
leaves of the outermost And count here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from search import fields
from search.nodes import Leaf, Node, Number, Words, Year, required

_LONGEST_FIGURE: Final = 6


@dataclass(frozen=True, slots=True)
class Wish:
    """The words that should stand together, as compared without and with marks, in `parts` pieces; numbers asked for.

    `figures` is set when the query says nothing but a figure, a notation and a year: then
    it asks for a dispatch by its number.
    """

    tokens: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    parts: int = 0
    numbers: tuple[Number, ...] = ()
    figures: tuple[str, ...] = ()


def wish(root: Node | None) -> Wish:
    """Return what should come first."""
    leaves = list(required(root))
    words = [leaf for leaf in leaves if _is_said(leaf)]
    numbers = tuple(leaf for leaf in leaves if isinstance(leaf, Number))
    return Wish(
        tuple(chain.from_iterable(_tokens(leaf) for leaf in words)),
        tuple(chain.from_iterable(_typed(leaf) for leaf in words)),
        len(words),
        numbers,
        () if numbers else _figures(leaves),
    )


def _is_said(leaf: Leaf) -> bool:
    return (isinstance(leaf, Words) and not (leaf.is_fuzzy or leaf.is_prefix)) or _is_year(leaf)


def _is_year(leaf: Leaf) -> bool:
    return isinstance(leaf, Year) and leaf.in_text


def _tokens(leaf: Leaf) -> tuple[str, ...]:
    return leaf.tokens if isinstance(leaf, Words) else (str(leaf.first),) if isinstance(leaf, Year) else ()


def _typed(leaf: Leaf) -> tuple[str, ...]:
    return leaf.typed if isinstance(leaf, Words) else _tokens(leaf)


def _figures(leaves: Sequence[Leaf]) -> tuple[str, ...]:
    """Return ("4076", "kh") of "4076 kh 2019": the figure, then notations; () if the query is no such thing."""
    words = [leaf for leaf in leaves if isinstance(leaf, Words)]
    others = [leaf for leaf in leaves if not isinstance(leaf, Words)]
    if not all(map(_is_year, others)) or any(len(leaf.tokens) > 1 for leaf in words):
        return ()
    said = [leaf.tokens[0] for leaf in words] or [token for leaf in others[:1] for token in _tokens(leaf)]
    if not said or not said[0].isdigit() or len(said[0]) > _LONGEST_FIGURE:
        return ()
    if not all(map(fields.looks_like_notation, said[1:])):
        return ()
    return (said[0].lstrip("0") or "0", *said[1:])
