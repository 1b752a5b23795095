"""Cells that stay text: nothing from a dispatch may be run by the program that opens the file. Pure.

A spreadsheet takes a cell for a formula by its first sign; some skip blanks, marks and
unseen signs before it, and know the wide forms. Such a cell gets an apostrophe in
front. Line ends and signs that cannot be seen become blanks: a cell is one line.
"""

import re
import unicodedata
from typing import Final

RUNS: Final = frozenset("=+-@|%＝＋－＠")  # what begins a formula, a command of an old exchange, or its wide form
LONGEST: Final = 32_000  # letters: a cell of a spreadsheet ends at 32,767
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zs", "Zl", "Zp"})


def one_line(text: str) -> str:
    """Return the text without line ends, unseen signs and lone halves of letters, at most `LONGEST` letters."""
    blanks = _BLANK.sub(" ", text)
    seen = "".join(sign for sign in blanks if sign == " " or unicodedata.category(sign) not in _UNSEEN)
    seen = _BLANK.sub(" ", seen)  # what stood between two blanks may be gone
    return seen.strip()[:LONGEST]


def would_run(text: str) -> bool:
    """Return whether a spreadsheet might take this text for a formula."""
    return text.lstrip(" '\"`")[:1] in RUNS if text else False


def harmless(text: str) -> str:
    """Return a cell for a file whose cells have no types.

    >>> harmless("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> harmless("Kế hoạch = nhiệm vụ")
    'Kế hoạch = nhiệm vụ'
    """
    line = one_line(text)
    return f"'{line}" if would_run(line) else line
