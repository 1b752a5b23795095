"""What was asked, as a tree: the only thing an engine is ever given.

Frozen values without behaviour. No node can name an access field: who may see what
is added by the engine from `Terms`, never written in a query. Every leaf knows the
span of `Query.text` it was read from, so that it can be taken out again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from search.text import vi_fold

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """Words that stand side by side; one word is the common case.

    `tokens` are folded, `typed` the same with marks. `is_quoted` with marks means the
    marks count. `is_prefix`: the last word is only a beginning. `is_fuzzy`: one letter
    may differ (one word only).
    """

    tokens: tuple[str, ...]
    typed: tuple[str, ...]
    span: Span
    is_quoted: bool = False
    is_prefix: bool = False
    is_fuzzy: bool = False

    @property
    def has_marks(self) -> bool:
        """Whether any word was typed with its marks."""
        return self.tokens != self.typed

    @property
    def is_exact(self) -> bool:
        """Whether the marks must be right: they were typed inside quotation marks."""
        return self.is_quoted and self.has_marks


@dataclass(frozen=True, slots=True)
class Number:
    """A dispatch number: tokens of number and notation ("123", "bc", "bch").

    Strict (typed with a slash or as `so:`): the notation follows the number word by word.
    Loose ("so 123 bch"): the notation holds these words; `written` is what a text may say instead.
    `month` is what it means as well when it could be one ("5/2026").
    """

    tokens: tuple[str, ...]
    shown: str
    span: Span
    is_strict: bool = True
    is_prefix: bool = False
    in_text: bool = True
    written: tuple[str, ...] = ()
    month: "Dates | None" = None


@dataclass(frozen=True, slots=True)
class Dates:
    """From day to day, both included; `written` are the ways a text may say the same day."""

    first: date | None
    last: date | None
    span: Span
    field: str = "day"
    written: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the register; a text that says it as it was `typed` ("2024", "năm 2024") is as good."""

    first: int
    last: int
    span: Span
    typed: tuple[str, ...] = ()

    @property
    def in_text(self) -> bool:
        """Whether a text may say it instead."""
        return bool(self.typed)

    @property
    def tokens(self) -> tuple[str, ...]:
        """What was typed, folded."""
        return tuple(map(vi_fold, self.typed))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the ranks or slugs of level, urgency or direction."""

    field: str
    value: int | str
    span: Span


@dataclass(frozen=True, slots=True)
class Within:
    """Words that must stand in one named field."""

    field: str
    words: Words
    span: Span


@dataclass(frozen=True, slots=True)
class Kept:
    """What these units keep: made by `search.units` of a unit's name, never by the parser."""

    units: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be."""

    child: "Node"
    span: Span


@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    children: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these."""

    children: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Either:
    """Words as typed, or what stands for them: made by `search.widening`, never by the parser.

    All of `said`, each of them or one of its `misread` forms; or one of the `others`.
    """

    said: tuple[Words, ...]
    misread: tuple[tuple[str, ...], ...]
    others: tuple[Words, ...]
    span: Span


Leaf = Words | Number | Dates | Year | Choice | Within | Kept
Node = Leaf | Not | And | Or | Either


@dataclass(frozen=True, slots=True)
class Query:
    """The normalised text and its tree; `root` is None when nothing was asked. `is_cut`: a limit was reached."""

    text: str
    root: Node | None
    is_cut: bool = False


def wanted(node: Node | None) -> Iterator[Leaf]:
    """Yield the leaves that a hit has because they were asked for: nothing below a Not."""
    match node:
        case None | Not():
            return
        case And() | Or():
            for child in node.children:
                yield from wanted(child)
        case Either():
            yield from (*node.said, *node.others)
        case _:
            yield node


def required(node: Node | None) -> Iterator[Leaf]:
    """Yield the leaves of the outermost And: what every hit has, or something that stands for it."""
    match node:
        case And():
            for child in node.children:
                yield from required(child)
        case Either():
            yield from node.said
        case None | Not() | Or():
            return
        case _:
            yield node
