"""A flat query as rows of a form - field, operator, value - and rows as the text of a query. Pure.

For those who do not type the language: the visual builder shows `rows(query)` and puts
`write(rows)` into the search box, so form and text never differ. A query with OR or
with parentheses that matter is not flat: it has no rows and stays text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS, Level, Urgency
from search import writing
from search.leaves import MIN_FUZZY
from search.nodes import Choice, Dates, Node, Not, Number, Or, Query, Within, Words, Year
from search.query import parse
from search.text import WORD, vi_norm

TEXT: Final = "text"
HAS, PHRASE, BEGINS, NEAR = "has", "phrase", "begins", "near"
IS, FROM, UNTIL, BETWEEN = "is", "from", "until", "between"
WORDS: Final = (HAS, PHRASE, BEGINS, NEAR)
SPANS: Final = (IS, FROM, UNTIL, BETWEEN)

# field -> (the name written into the query, its operators)
FIELDS: Final = {
    TEXT: ("", WORDS),
    "number": ("so", (IS, BEGINS)),
    "day": ("ngay", SPANS),
    "arrived": ("ngayden", SPANS),
    "year": ("nam", SPANS),
    "level": ("mat", (IS,)),
    "urgency": ("khan", (IS,)),
    "direction": ("huong", (IS,)),
    "type": ("loai", WORDS),
    "organ": ("coquan", WORDS),
    "signer": ("nguoiky", WORDS),
    "unit": ("donvi", WORDS),
    "dossier": ("hoso", WORDS),
    "subject": ("trichyeu", WORDS),
    "register": ("soden", WORDS),
    "retention": ("thbq", WORDS),
}
_DIRECTIONS: Final = {"incoming": "den", "outgoing": "di"}
_JOINING: Final = re.compile(r"(?<!\S)(?:OR|AND|NOT|[Hh][Oo][Ặặ][Cc])(?!\S)|[()]")
_OPEN_YEARS: Final = (0, 9999)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the builder. A value of `between` is "first..last"; levels, urgencies and directions are slugs."""

    field: str
    operator: str
    value: str
    is_negative: bool = False


def rows(query: Query) -> list[Row] | None:
    """Return the lines that say the same as a query, or None if it is not flat."""
    made: list[Row] = []
    for piece in writing.pieces(query.root):
        node = piece.child if isinstance(piece, Not) else piece
        leaves = writing.pieces(node)
        is_negative = isinstance(piece, Not)
        if len(leaves) == 1 and not isinstance(leaves[0], Not | Or):
            made.append(_row(query, leaves[0], is_negative=is_negative))
        elif alike := _spelled_like(leaves):
            made.append(replace(alike, is_negative=is_negative))
        else:
            return None
    return made


def write(lines: Iterable[Row]) -> str:
    """Return the text of a query that says what the lines say; lines without a value say nothing."""
    texts = [text for line in lines if (text := _text(line))]
    return writing.joined(texts, [piece for text in texts for piece in writing.pieces(parse(text).root)])


# --- from the tree --------------------------------------------------------------------
def _row(query: Query, node: Node, *, is_negative: bool) -> Row:
    match node:
        case Within():
            return Row(node.field, *_words(node.words), is_negative)
        case Choice():
            return Row(node.field, IS, _slug(node), is_negative)
        case Dates() if not node.written:
            first, last = (str(day) if day else "" for day in (node.first, node.last))
            return Row(node.field, *_span(first, last), is_negative)
        case Year() if not node.in_text:
            first, last = ("" if year in _OPEN_YEARS else str(year) for year in (node.first, node.last))
            return Row("year", *_span(first, last), is_negative)
        case Number() if not node.in_text:
            shown = node.shown.rstrip("*")
            return Row("number", BEGINS if node.is_prefix else IS, shown, is_negative)
        case Words() if node.is_quoted or node.is_prefix or node.is_fuzzy:
            return Row(TEXT, *_words(node), is_negative)
    return Row(TEXT, HAS, writing.said(query, node), is_negative)


def _spelled_like(leaves: Sequence[Node]) -> Row | None:
    """Return the one line of near words that are denied together, or None if these are no such words."""
    fields = {leaf.field if isinstance(leaf, Within) else TEXT for leaf in leaves}
    words = [leaf.words if isinstance(leaf, Within) else leaf for leaf in leaves]
    near = [one for one in words if isinstance(one, Words) and _is_near(one)]
    if len(fields) > 1 or len(near) < len(leaves) or not any(one.is_fuzzy for one in near):
        return None
    return Row(fields.pop(), NEAR, " ".join(one.typed[0] for one in near))


def _is_near(words: Words) -> bool:
    """Return whether "~" was said of a word; of the shortest it says nothing, and they stand as they are."""
    is_short = len(words.tokens[0]) < MIN_FUZZY and not (words.is_quoted or words.is_prefix)
    return words.is_fuzzy or (is_short and len(words.tokens) == 1)


def _words(words: Words) -> tuple[str, str]:
    operator = NEAR if words.is_fuzzy else BEGINS if words.is_prefix else PHRASE if words.is_quoted else HAS
    return operator, " ".join(words.typed)


def _span(first: str, last: str) -> tuple[str, str]:
    if first == last:
        return IS, first
    if first and last:
        return BETWEEN, f"{first}..{last}"
    return (FROM, first) if first else (UNTIL, last)


def _slug(node: Choice) -> str:
    if node.field == "level":
        return LEVEL_SLUGS[Level(int(node.value))]
    return URGENCY_SLUGS[Urgency(int(node.value))] if node.field == "urgency" else _DIRECTIONS[str(node.value)]


# --- to the text ----------------------------------------------------------------------
def _text(line: Row) -> str:
    """Return one line as a piece of query text, "" if it says nothing."""
    value = " ".join(vi_norm(line.value).replace('"', " ").split())
    if not value:
        return ""
    text = _plain(line.operator, value) if line.field == TEXT else _named(line, value)
    if not line.is_negative:
        return text
    if len(writing.pieces(parse(text).root)) == 1:
        return f"-{text}"
    return f"-({text})" if line.operator == NEAR else f'-"{value}"'


def _named(line: Row, value: str) -> str:
    """Return `name:value`; a value that the field cannot have becomes words of the text."""
    name, operators = FIELDS.get(line.field, ("", WORDS))
    if operators is SPANS:
        if " " in value:  # no day is written so; a word in it could join what stands beside
            return f'"{value}"'
        text = f"{name}:{_SIGNS.get(line.operator, '')}{value}"
    elif line.operator == NEAR:
        return _near(f"{name}:", value)
    else:
        text = f"{name}:{_decorated(line.operator, value)}"
    return text if _is_one_leaf(text) else f'"{value}"'


def _near(name: str, value: str) -> str:
    """Return each word of a value as one that may be spelled otherwise; what has no word stays as it is."""
    words = WORD.findall(value)
    text = " ".join(f"{name}{word}~" for word in words)
    found = writing.pieces(parse(text).root)
    return text if len(found) == len(words) and (_spelled_like(found) or len(words) == 1) else f'"{value}"'


def _is_one_leaf(text: str) -> bool:
    found = writing.pieces(parse(text).root)
    return len(found) == 1 and not isinstance(found[0], Not | Or)


_SIGNS: Final = {FROM: ">=", UNTIL: "<="}


def _decorated(operator: str, value: str) -> str:
    """Return words as one value: in quotation marks, or the words of an unquoted value held together by hyphens."""
    match operator:
        case "begins":
            return value.replace(" ", "-") + "*"
        case "has":
            return value.replace(" ", "-")
    return f'"{value}"' if operator == PHRASE or " " in value else value


def _plain(operator: str, value: str) -> str:
    """Return free words; whatever would be read as an operator or a field goes into quotation marks."""
    if operator == NEAR:
        return _near("", value)
    if operator != HAS:
        text = _decorated(operator, value)
        return text if _is_one_leaf(text) else f'"{value}"'
    is_plain = not _JOINING.search(value) and all(map(_is_bare, writing.pieces(parse(value).root)))
    return value if is_plain and parse(value).root else f'"{value}"'


def _is_bare(node: Node) -> bool:
    match node:
        case Words():
            return not (node.is_prefix or node.is_fuzzy or node.is_quoted)
        case Number() | Year():
            return node.in_text
        case Dates():
            return bool(node.written)
    return False


__all__ = [
    "BEGINS",
    "BETWEEN",
    "FIELDS",
    "FROM",
    "HAS",
    "IS",
    "NEAR",
    "PHRASE",
    "TEXT",
    "UNTIL",
    "Row",
    "rows",
    "write",
]
