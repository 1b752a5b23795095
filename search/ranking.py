"""What of a query moves the order of its hits: pure, the same for every driver.

Only what every hit has in any case can be worth more in a better place, so only the
leaves of the outermost And count here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from search import fields
from search.nodes import And, Either, Leaf, Node, Number, Words, Year, required

_LONGEST_FIGURE: Final = 6
_MOST_OTHERS: Final = 3  # other ways to say the whole that are looked for in each better place

Run = tuple[tuple[str, ...], tuple[str, ...]]  # words side by side, without and with marks


@dataclass(frozen=True, slots=True)
class Wish:
    """The words that should stand together, as compared without and with marks, in `parts` pieces; numbers asked for.

    `figures` is set when the query says nothing but a figure, a notation and a year: then
    it asks for a dispatch by its number. `others` are other ways to write all the words; `is_loose`
    when a hit may have something that stands for a word in its place.
    """

    tokens: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    parts: int = 0
    numbers: tuple[Number, ...] = ()
    figures: tuple[str, ...] = ()
    others: tuple[Run, ...] = ()
    is_loose: bool = False

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every way to write all the words, as typed first; none if no words were asked for."""
        return ((self.tokens, self.typed), *self.others) if self.tokens else ()


def figures(root: Node | None) -> tuple[str, ...]:
    """Return the words of a dispatch number if the query says nothing else, else ()."""
    leaves = list(required(root))
    return () if any(isinstance(leaf, Number) for leaf in leaves) else _figures(leaves)


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
        _others(root),
        any(isinstance(piece, Either) for piece in _pieces(root)),
    )


def _others(root: Node | None) -> tuple[Run, ...]:
    """Return other ways to write all the words: every name in its first other way, then one name after the other."""
    choices = [_choices(piece) for piece in _pieces(root)]
    many = [place for place, ways in enumerate(choices) if len(ways) > 1]
    chosen = [dict.fromkeys(many, 1)] if len(many) > 1 else []
    chosen += [{place: way} for place in many for way in range(1, len(choices[place]))]
    runs = [[ways[one.get(place, 0)] for place, ways in enumerate(choices)] for one in chosen[:_MOST_OTHERS]]
    return tuple((tuple(chain(*(run[0] for run in one))), tuple(chain(*(run[1] for run in one)))) for one in runs)


def _pieces(node: Node | None) -> Iterator[Leaf | Either]:
    """Yield what is said in the outermost And, in order."""
    match node:
        case And():
            for child in node.children:
                yield from _pieces(child)
        case Either():
            yield node
        case Words() | Year() if _is_said(node):
            yield node


def _choices(piece: Leaf | Either) -> list[Run]:
    """Return the ways to write one piece, as typed first."""
    if not isinstance(piece, Either):
        return [(_tokens(piece), _typed(piece))]
    said = (tuple(chain(*(word.tokens for word in piece.said))), tuple(chain(*(word.typed for word in piece.said))))
    return [said, *((other.tokens, other.typed) for other in piece.others)]


def _is_said(leaf: Leaf) -> bool:
    return (isinstance(leaf, Words) and not (leaf.is_fuzzy or leaf.is_prefix)) or _is_year(leaf)


def _is_year(leaf: Leaf) -> bool:
    return isinstance(leaf, Year) and leaf.in_text


def _tokens(leaf: Leaf) -> tuple[str, ...]:
    return leaf.tokens if isinstance(leaf, Words | Year) else ()


def _typed(leaf: Leaf) -> tuple[str, ...]:
    return leaf.typed if isinstance(leaf, Words | Year) else ()


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
