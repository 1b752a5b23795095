"""Text without marks, one character for each character, so that offsets stay true.

Vietnamese is compared without its marks wherever a reader (a person or a machine) may
have lost them. Folding here never changes the length, so whatever is found in folded
text can be cut from the text as written. Give it NFC. It never raises on any text.
"""

import re
import unicodedata
from typing import Final

_STROKED: Final = {"đ": "d", "Đ": "d", "ð": "d", "Ð": "d"}
_DASHES: Final = frozenset(
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\u00ac\u0002\ufffe"
)  # ¬ and the last two are what readers make of a dash
_SPACES: Final = re.compile(r"\s+")


class _Folded(dict[int, str]):
    """Each character's folded character, worked out when first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_one(chr(code))
        return folded


def _fold_one(char: str) -> str:
    if char in _STROKED:
        return _STROKED[char]
    if char in _DASHES:
        return "-"
    if unicodedata.combining(char):
        return "\u0300"
    if char.isspace():
        return "\n" if char == "\n" else " "
    plain = unicodedata.normalize("NFD", char)[0].lower()
    return plain if len(plain) == 1 else char


_TABLE: Final = _Folded()


def fold(text: str) -> str:
    """Return the text in lower case without marks, of the same length.

    >>> fold("Số: 31–NQ/ĐU")
    'so: 31-nq/du'
    """
    return text.translate(_TABLE)


def key(text: str) -> str:
    """Return the form in which two names are compared: NFC, folded, single blanks.

    >>> key("  BỘ  Quốc phòng ")
    'bo quoc phong'
    """
    return _SPACES.sub(" ", fold(unicodedata.normalize("NFC", text))).strip()
