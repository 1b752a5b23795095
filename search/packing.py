"""Vietnamese text with one byte for each character, as old code pages had it.

Nearly all text of an office is made of 255 characters: as bytes it is folded, lowered and
cut by tables ten times faster than character by character, and it is a quarter shorter
than in UTF-8. A text with any other character is no worse off than before: it has no such
form and goes the long way. Pure: no Django, no engine.
"""

import codecs
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

_VOWELS: Final = "aăâeêioôơuưy"
_TONES: Final = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
_SIGNS: Final = "\u00a0“”‘’–—\u2212…•·°§«»×±≥≤→☐"
_NONE: Final = "\ufffe"  # what the codec takes for "no character has this byte"
LONG_FORM: Final = b"\x7f"  # before a kept text in UTF-8; no packed text has this byte


def _alphabet() -> str:
    """Return the character of each byte: plain ones have the byte they have in ASCII."""
    marked = [unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES]
    lower = [*(letter for letter in marked if not letter.isascii()), "đ"]
    others = iter([*lower, *(letter.upper() for letter in lower), *_SIGNS])
    plain = {0, *map(ord, "\t\n\f\r"), *range(ord(" "), ord("~") + 1)}
    free = set(range(256)) - plain - set(LONG_FORM)
    return "".join(chr(byte) if byte in plain else next(others) if byte in free else _NONE for byte in range(256))


ALPHABET: Final = _alphabet()
_BYTES: Final = codecs.charmap_build(ALPHABET)


def pack(text: str) -> bytes | None:
    """Return one byte for each character, None if the text has a character beyond the alphabet.

    A text that can be packed is clean: in NFC, without marks that stand alone (`search.text.vi_clean`).
    """
    try:
        return codecs.charmap_encode(text, "strict", _BYTES)[0]
    except UnicodeEncodeError:
        return None


def spoken(packed: bytes, table: str) -> str:
    """Return a packed text as a table says it: one character for each byte."""
    return codecs.charmap_decode(packed, "strict", table)[0]


def table(say: Callable[[str], str]) -> str:
    """Return the table that says each character of the alphabet as a function does: one character for one."""
    return "".join(_NONE if char == _NONE else say(char) for char in ALPHABET)


def classes(say: Callable[[str], str]) -> bytes:
    """Return the table for `bytes.translate` that puts a plain character in the place of each of the alphabet."""
    return table(say).replace(_NONE, " ").encode("ascii")


def whole(text: str, packed: bytes | None) -> bytes:
    """Return the bytes of a text, packed already if it can be, from which `unpacked` has it again."""
    return LONG_FORM + text.encode() if packed is None else packed


def unpacked(whole: bytes) -> str:
    """Return a text from its bytes."""
    return whole[1:].decode() if whole[:1] == LONG_FORM else spoken(whole, ALPHABET)


# Part of the form of an index: a change must raise its SCHEMA, for what was kept is not read any more.
# nosemgrep: files - the list that is shipped with the product
FREQUENT: Final = pack((Path(__file__).parent / "data" / "frequent.txt").read_text(encoding="utf-8")) or b""
