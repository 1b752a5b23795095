"""Proposing the register's fields from what was read of a dispatch.

A proposal is never a value: a person confirms every field. What is not on the page is
absent from the answer, never invented. Each field carries how sure it is, the page and
the box it was read from, and other readings. Urgency and secrecy come from `classify`.

Pure: text and boxes in, guesses out; no file, no database. Safe on any text: patterns
are bounded and only so many lines of a page are looked at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from archive.rules.folding import key
from archive.rules.page import PageText
from archive.rules.proposal import Guess
from ingest import fields_number, fields_organ, fields_signer, fields_subject
from ingest.lines import Column, Line, lines_of
from ingest.weighing import Reading, weighed

FIRST_PAGES: Final = 3  # a covering sheet or two may lie on top
MOST_HEAD_LINES: Final = 70

_BODY_STARTS: Final = re.compile(r"^\W{0,3}(?:can cu |kinh gui|thuc hien |theo de nghi|dieu 1\b)")
_HEAD_SIGNS: Final = re.compile(
    r"cong hoa xa hoi|doc lap.{0,5}tu do|dang cong san viet nam|(?:^|\W)so\s?[:.].{0,12}[/-]"
)


@dataclass(frozen=True, slots=True)
class _Head:
    """The first page's lines, and those of them above the body."""

    lines: list[Line]
    above: list[Line]
    heading: fields_subject.Heading | None


def propose(pages: Sequence[PageText], *, second: Mapping[str, PageText] | None = None) -> dict[str, Guess]:
    """Return the fields that were read, by their name in the data dictionary.

    Args:
        pages: all pages in order.
        second: another reading of the first page's head, "left" and "right" column apart;
            agreement with it makes a field sure, a quarrel doubtful.
    """
    if not pages:
        return {}
    drawn = [lines_of(page) for page in pages]
    head = _head(drawn[_first_page(drawn)])
    found = _read(head)
    for name, other in _read_again(second or {}).items():
        if not _is_part(other, found):
            found[name] = weighed(found.get(name), other)
    named = found.get("type_name")
    if named and fields_subject.is_consolidation(drawn[-1]):
        found["type_name"] = replace(named, value=fields_subject.CONSOLIDATED)
    signature = fields_signer.find_signature(drawn)
    found |= {"signer_name": signature.name, "signer_authority": signature.authority}
    return {name: read.guess() for name, read in found.items() if read and read.value}


def _is_part(other: Reading | None, found: Mapping[str, Reading | None]) -> bool:
    """Return whether a second reading saw only the upper of two agencies: that is no quarrel about the lower one."""
    parent = found.get("parent_organ_name")
    return bool(other and parent and key(other.value) == key(parent.value))


def _first_page(drawn: Sequence[Sequence[Line]]) -> int:
    for at, lines in enumerate(drawn[:FIRST_PAGES]):
        if any(_HEAD_SIGNS.search(line.folded) for line in lines[:MOST_HEAD_LINES]):
            return at
    return 0


def _head(lines: list[Line]) -> _Head:
    top = lines[:MOST_HEAD_LINES]
    end = next((at for at, line in enumerate(top) if at > 1 and _starts_body(line)), len(top))
    heading = fields_subject.find_heading(top[:end]) or _torn_heading(top[:end])
    if heading and top[heading.at].words:  # where rows are known, number and date stand above the heading
        end = heading.at
    return _Head(lines=top, above=top[:end], heading=heading)


def _torn_heading(lines: list[Line]) -> fields_subject.Heading | None:
    """Look for what is left of the heading that the symbol's sign promises."""
    symbol = fields_number.find_symbol(lines)
    expected = fields_subject.type_of_sign(symbol.notation.value) if symbol else None
    return fields_subject.find_heading(lines, expected=expected) if expected else None


def _starts_body(line: Line) -> bool:
    return line.column is not Column.LEFT and bool(_BODY_STARTS.match(line.folded))


def _read(head: _Head) -> dict[str, Reading | None]:
    if not head.lines:
        return {}
    symbol = fields_number.find_symbol(head.above)
    organ, parent = fields_organ.find_organs(head.above, until=symbol.line if symbol else None)
    notation = symbol.notation.value if symbol else None
    return {
        "code_number": symbol.number if symbol else None,
        "code_notation": fields_number.with_sign_of(symbol.notation, head.heading.name if head.heading else "")
        if symbol
        else None,
        "issued_date": fields_number.find_date(head.above),
        "organ_name": organ,
        "parent_organ_name": parent,
        "type_name": fields_subject.find_type(head.heading, head.lines, notation),
        "subject": fields_subject.find_subject(head.lines, head.heading, below=symbol.line if symbol else None),
    }


def _read_again(second: Mapping[str, PageText]) -> dict[str, Reading | None]:
    """Read the two columns of the head, each given as its own page."""
    found: dict[str, Reading | None] = {}
    if left := second.get("left"):
        lines = [replace(line, column=Column.LEFT) for line in lines_of(left)]
        symbol = fields_number.find_symbol(lines)
        organ, parent = fields_organ.find_organs(lines, until=symbol.line if symbol else None)
        found |= {"organ_name": organ, "parent_organ_name": parent}  # the abstract stands below what is read again
        if symbol:
            found |= {"code_number": symbol.number, "code_notation": symbol.notation}
    if right := second.get("right"):
        found["issued_date"] = fields_number.find_date([replace(line, column=Column.RIGHT) for line in lines_of(right)])
    return found
