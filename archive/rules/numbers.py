"""Number and symbol of a dispatch, in both grammars in use.

State form (decree 30/2020/NĐ-CP annex I): number, "/", symbol: `123/BC-BCH`,
`45/UBND-NC`; normative texts carry the year first: `30/2020/NĐ-CP`. Party form:
number, "-", type "/" body: `31-NQ/ĐU`. A military office receives both every day.

`split` and `join` are inverses: whatever was printed can be printed again. Nothing is
repaired here in silence: letters read in the place of digits come back from `repair`
as a suggestion, never as a value. Pure; raises nothing on any text.
"""

import re
import unicodedata
from typing import Final, NamedTuple

from archive.rules.folding import fold

LONGEST: Final = 80  # of a whole symbol; joint circulars with five ministries reach 45

_WORD: Final = r"[^\W_]"
_NUMBER: Final = rf"[0-9]{{1,7}}(?:[A-Za-z]|bis)?(?!{_WORD})"
_PART: Final = rf"{_WORD}(?:[\w&.,+-]*{_WORD})?"
_SYMBOL: Final = re.compile(
    rf"\s*(?P<number>{_NUMBER})(?:\s*(?P<between>[/-])\s*(?P<notation>{_PART}(?:\s*/\s*{_PART})*))?\s*"
)
_YEAR_FIRST: Final = re.compile(r"(?:19|20)[0-9]{2}/")
_AROUND: Final = re.compile(r"\s*([/-])\s*")
_DASH: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"), "-")
_ETH: Final = {0xD0: "Đ", 0xF0: "đ"}  # latin eth is what several keyboards write for đ
_LOOKALIKES: Final = str.maketrans(
    {"O": "0", "o": "0", "Q": "0", "l": "1", "I": "1", "|": "1", "i": "1", "S": "5", "s": "5"}
)
_MISREAD: Final = re.compile(r"\s*([0-9OoQlIi|Ss]{1,7})(?=\s*[/-])")


class Repair(NamedTuple):
    """A number with letters taken for digits: to be shown as a suggestion only."""

    code_number: str
    code_notation: str
    as_read: str


def split(text: str) -> tuple[str, str] | None:
    """Return (code_number, code_notation), or None when this is no number of a dispatch.

    Leading zeros stay as printed. Blanks around "/" and "-" and other dashes are evened out.
    The notation starts with its "/" or "-" only where `join` could not know which one it was.

    >>> split("123/BC-BCH"), split("31 - NQ/ĐU"), split("30/2020/NĐ-CP")
    (('123', 'BC-BCH'), ('31', 'NQ/ĐU'), ('30', '2020/NĐ-CP'))
    >>> split("45/QĐ/UB"), split("Kế hoạch")
    (('45', '/QĐ/UB'), None)
    """
    if len(text) > LONGEST:
        return None
    match = _SYMBOL.fullmatch(_even(text))
    if not match:
        return None
    number, between, notation = match["number"], match["between"], match["notation"] or ""
    return number, notation if between == _between(notation) or not notation else between + notation


def join(code_number: str, code_notation: str) -> str:
    """Return number and symbol as printed.

    >>> join("123", "BC-BCH"), join("31", "NQ/ĐU"), join("30", "2020/NĐ-CP"), join("45", "/QĐ/UB")
    ('123/BC-BCH', '31-NQ/ĐU', '30/2020/NĐ-CP', '45/QĐ/UB')
    """
    if not code_notation or not code_number:
        return code_number or code_notation
    if code_notation[0] in "/-":
        return code_number + code_notation
    return code_number + _between(code_notation) + code_notation


def printed(number: int) -> str:
    """Return a number as decree 30/2020 wants it printed: a zero before 1 to 9."""
    return f"{number:02d}"


def key(text: str) -> str:
    """Return the form in which symbols are compared: no marks, case, blanks or leading zeros, one separator.

    People type `31/NQ-ĐU` for `31-NQ/ĐU` and `QD` for `QĐ`: a duplicate must be found all the same.

    >>> key("007 / TTr–BCH"), key("31-NQ/ĐU")
    ('7/ttr/bch', '31/nq/du')
    """
    parts = re.split(r"[/-]", fold(_even(text)).replace(" ", ""))
    return "/".join([parts[0].lstrip("0") or parts[0][-1:], *parts[1:]])


def same(first: str, second: str) -> bool:
    """Return whether two symbols name the same number and sign, however they were typed."""
    return key(first) == key(second)


def repair(text: str) -> Repair | None:
    """Return the number that a reader may have meant by letters, or None when none is needed or possible.

    >>> repair("l23/BC-BCH").code_number
    '123'
    """
    match = _MISREAD.match(text)
    if not match or match[1].isdigit() or not any(char.isdigit() for char in match[1]):
        return None
    found = split(match[1].translate(_LOOKALIKES) + text[match.end() :])
    return Repair(*found, as_read=match[1]) if found else None


def _between(notation: str) -> str:
    """Return the separator that a notation asks for: party signs hold a "/" and no year."""
    return "-" if "/" in notation and not _YEAR_FIRST.match(notation) else "/"


def _even(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).translate(_DASH).translate(_ETH)
    return _AROUND.sub(r"\1", plain.strip())
