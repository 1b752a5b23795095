"""Say back what was understood, piece by piece, each with the text that remains when it is taken out.

Chips describe only the query; they never look at records. Words come out in the
language now active.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils.translation import gettext as _

from archive.rules.levels import Level, Urgency
from search import ranking, synonyms
from search.nodes import And, Choice, Dates, Node, Not, Number, Or, Query, Span, Within, Words, Year
from search.widening import added
from search.writing import joined, pieces, said

_QUOTED: Final = re.compile(r'"[^"]*"?')


@dataclass(frozen=True, slots=True)
class Chip:
    """One understood piece: a label ("Date"), a value ("from 2023"), a note ("without marks; also UBND").

    `without` is the query text when this chip is removed.
    """

    kind: str
    label: str
    value: str
    note: str
    is_negative: bool
    without: str


def describe(query: Query) -> list[Chip]:
    """Return the chips of a query in the order of its text."""
    groups = list(_groups(query))
    return [_chip(query, nodes, [node for other in groups if other is not nodes for node in other]) for nodes in groups]


def _groups(query: Query) -> Iterator[list[Node]]:
    """Yield what makes one chip: single nodes, and plain words side by side as one."""
    nodes = query.root.children if isinstance(query.root, And) else (query.root,) if query.root else ()
    run: list[Node] = []
    for node in nodes:
        if run and not (_is_plain(node) and _is_plain(run[-1])):
            yield run
            run = []
        run.append(node)
    if run:
        yield run


def _is_plain(node: Node) -> bool:
    return isinstance(node, Words) and not (node.is_quoted or node.is_prefix or node.is_fuzzy)


def _chip(query: Query, nodes: list[Node], others: list[Node]) -> Chip:
    is_negative = isinstance(nodes[0], Not)
    first, last = (node.child if isinstance(node, Not) else node for node in (nodes[0], nodes[-1]))
    alone = pieces(first)  # a single piece in parentheses is this piece
    kind, label, value, note = _parts(query.text, alone[0] if len(alone) == 1 else first, (first.span[0], last.span[1]))
    if any(isinstance(one, Words) and one.has_marks for one in nodes[1:]):
        note = ""  # of words that were typed with marks, some need none
    without = joined([said(query, other) for other in others], [piece for other in others for piece in pieces(other)])
    is_widened = not is_negative and not ranking.figures(query.root)
    if ways := added(nodes, synonyms.current()) if is_widened else []:
        also = _("also %(words)s") % {"words": ", ".join(ways)}
        note = f"{note}; {also}" if note else also
    return Chip(kind, label, value, note, is_negative, without)


def _parts(text: str, node: Node, span: Span) -> tuple[str, str, str, str]:
    """Return (kind, label, value, note) of one node."""
    match node:
        case Words():
            return "words", "", _words(text, node, span), _note(node)
        case Number():
            note = _("beginning of a number") if node.is_prefix else ""
            if node.month:
                note = _("or month %(month)s") % {"month": _dates(node.month)}
            return "number", _("Number"), node.shown, note
        case Dates():
            return "date", _("Arrived") if node.field == "arrived" else _("Date"), _dates(node), ""
        case Year():
            return "year", _("Year"), _years(node), ""
        case Choice():
            return node.field, *_choice(node), ""
        case Within():
            return node.field, _label(node.field), " ".join(node.words.typed), _note(node.words)
        case Or():
            return "any", _("Any of"), _opened(text[slice(*span)]), ""
        case _:
            return "all", "", _opened(text[slice(*span)]), ""


def _opened(text: str) -> str:
    """Return the text of a group without the parentheses around the whole of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, sign in enumerate(_QUOTED.sub(lambda quoted: "x" * len(quoted[0]), text)):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return _opened(text[1:-1].strip()) if place == len(text) - 1 else text
    return _opened(text[1:].strip())  # it was never closed


def _words(text: str, node: Words, span: Span) -> str:
    shown = _opened(text[slice(*span)])
    return f"“{shown.strip(chr(34))}”" if node.is_quoted else shown


def _note(node: Words) -> str:
    if node.is_fuzzy:
        return _("one letter may differ")
    if node.is_prefix:
        return _("beginning of a word")
    # Figures and plain Latin words have no marks to miss, but neither can be told from words typed without.
    return "" if node.has_marks or all(token.isdigit() for token in node.tokens) else _("without marks")


def _dates(node: Dates) -> str:
    """Say a span as shortly as it can be said: "2024", "05/2024", "from 2023", "12/03/2024"."""
    first, last = node.first, node.last
    if first and last:
        return _period(first, last)
    return _open(_edge(first, starts=True) if first else "", _edge(last or date.max, starts=False))


def _years(node: Year) -> str:
    """Say years as days are said: "2024", "2023-2024", "from 2023"."""
    if date.min.year <= node.first and node.last < date.max.year:
        return f"{node.first}" if node.first == node.last else f"{node.first}-{node.last}"
    return _open(str(node.first or ""), str(node.last))


def _open(first: str, last: str) -> str:
    """Say a span that has one end."""
    return _("from %(date)s") % {"date": first} if first else _("until %(date)s") % {"date": last}


def _period(first: date, last: date) -> str:
    if first == last:
        return f"{first:%d/%m/%Y}"
    if (first.day, first.month, last.day, last.month) == (1, 1, 31, 12):
        return f"{first.year}" if first.year == last.year else f"{first.year}-{last.year}"
    is_whole_month = first.day == 1 and (last + timedelta(days=1)).day == 1
    if is_whole_month and (first.year, first.month) == (last.year, last.month):
        return f"{first:%m/%Y}"
    return f"{first:%d/%m/%Y}-{last:%d/%m/%Y}"


def _edge(day: date, *, starts: bool) -> str:
    is_year = (day.day, day.month) == ((1, 1) if starts else (31, 12))
    return str(day.year) if is_year else f"{day:%d/%m/%Y}"


def _choice(node: Choice) -> tuple[str, str]:
    if node.field == "level":
        return _("Level"), str(Level(int(node.value)).label)
    if node.field == "urgency":
        return _("Urgency"), str(Urgency(int(node.value)).label)
    return _("Direction"), _("incoming") if node.value == "incoming" else _("outgoing")


def _label(field: str) -> str:
    return {
        "register": _("Register number"),
        "organ": _("Issuing agency"),
        "signer": _("Signed by"),
        "type": _("Type"),
        "unit": _("Unit"),
        "dossier": _("Dossier"),
        "subject": _("Subject"),
        "retention": _("Retention"),
    }[field]
