"""One normal form of Vietnamese text, shared by every engine, every query and every mark on a page.

Engines never fold for themselves: they differ on đ, on stacked marks and on decomposed
text (32 of 40 to 36 of 40 golden cases), so words are cut and folded here and given to
them ready. Pure: no Django, no engine. Nothing here raises on any text.

The forms of a word: as written (`vi_norm`), compared with marks (`vi_exact`) and
compared without (`vi_fold`). `fold_chars` keeps the length, so that what is found in
folded text can be marked in the text as written.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, Generic, TypeVar

from search import packing

WORD: Final = re.compile(r"[^\W_]+")
LONGEST_WORD: Final = 64  # reading errors run on for hundreds of letters; nobody types them
STRAY: Final = "\u0300"  # what fold_chars makes of a mark that stands alone
_KEPT_WORDS: Final = 50_000  # distinct words remembered before the memory is emptied: 40 MB at most in all

# Latin eth is what several keyboards and readers write for đ; soft hyphen and zero-width signs cut words.
_REPAIR: Final = {0x00D0: "Đ", 0x00F0: "đ"} | dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_DASHES: Final = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")
_ONE_SIGN: Final = _DASHES | dict.fromkeys((0x201C, 0x201D, 0x201E, 0x00AB, 0x00BB, 0xFF02), '"')

# Both places of the tone are in use (hoà, hòa; uỷ, ủy) in an open syllable: the older one is moved.
_LATE_TONE: Final = re.compile(r"o[àáảãạèéẻẽẹ]$|(?<!q)u[ỳýỷỹỵ]$")
_TONES: Final = "\u0300\u0301\u0309\u0303\u0323"
# Most text needs none of these repairs; one look by this expression is four times cheaper than making them.
_ODD: Final = re.compile("[\u00ad\u00d0\u00f0\u0300-\u036f\u200b-\u200d\u2060\ufeff]")
_MARKS: Final = re.compile("[\u0300-\u036f]+")


def vi_clean(text: str) -> str:
    """Return the text as a person reads it, in NFC, eth as đ, without marks or signs that stand for nothing."""
    whole = unicodedata.normalize("NFC", text)
    return _MARKS.sub("", whole.translate(_REPAIR)) if _ODD.search(whole) else whole


def vi_norm(text: str) -> str:
    """Return clean text with every dash as "-" and every double quotation mark as '"': the form of a query."""
    return text if text.isascii() else vi_clean(text).translate(_ONE_SIGN)


def vi_fold(text: str) -> str:
    """Return the text in lower case without any mark, đ as d.

    >>> vi_fold("ĐẢNG UỶ Ứng Hòa")
    'dang uy ung hoa'
    """
    plain = unicodedata.normalize("NFD", vi_norm(text).lower().replace("đ", "d"))
    return "".join(char for char in plain if not unicodedata.combining(char))


def vi_exact(text: str) -> str:
    """Return the text in lower case with its marks, each tone in its modern place.

    >>> vi_exact("HOÀ bình, quý UỶ ban")
    'hòa bình, quý ủy ban'
    """
    return WORD.sub(lambda word: _place_tone(word[0]), vi_norm(text).lower())


def words(text: str) -> list[str]:
    """Return the words of a text, folded, in order.

    >>> words("Số 45/QĐ-UBND")
    ['so', '45', 'qd', 'ubnd']
    """
    return [_FOLDED[word] for word in WORD.findall(vi_norm(text).lower())]


def exact_words(text: str) -> list[str]:
    """Return the words of a text with their marks, in the form in which marks are compared."""
    return [_EXACT[word] for word in WORD.findall(vi_norm(text).lower())]


def both(text: str) -> tuple[str, str]:
    """Return (folded, exact): the words of a clean text, space between them, as engines index them."""
    return both_packed(text, packing.pack(text))


@lru_cache(maxsize=20_000)  # a subject is asked for several times, types, agencies and signers come again and again
def forms(text: str) -> tuple[str, str]:
    """Return the same of a short text that is not clean yet."""
    return both(vi_clean(text))


def both_packed(text: str, packed: bytes | None) -> tuple[str, str]:
    """Return the words of a clean text in both forms; it has been packed already, or cannot be."""
    if packed is None or _OVERLONG in packed.translate(_IS_WORD):
        return _both_by_pieces(text)
    return packing.spoken(packed, _FOLDED_TABLE), packing.spoken(_tones_placed(packed), _EXACT_TABLE)


def _tones_placed(packed: bytes) -> bytes:
    """Move each late tone of a packed text to its modern place; only where one may stand is looked at."""
    ends = packed.translate(_ENDS) + b" "
    moved: bytearray | None = None
    for late in (b"oa ", b"uy "):
        at = ends.find(late)
        while at >= 0:
            if late == b"oa " or at == 0 or ends[at - 1 : at] != b"q":
                moved = moved or bytearray(packed)
                moved[at : at + 2] = _MOVED[packed[at : at + 2]]
            at = ends.find(late, at + 1)
    return packed if moved is None else bytes(moved)


def _both_by_pieces(text: str) -> tuple[str, str]:
    """Cut and fold whole pieces between spaces, which come again nearly as often as words."""
    pieces = text.lower().split()
    if not pieces:
        return "", ""
    folded, exact = zip(*map(_PIECES.__getitem__, pieces), strict=True)
    return " ".join(folded), " ".join(exact)


def has_marks(typed: Iterable[str]) -> bool:
    """Return whether someone who typed these words meant their marks."""
    return any(_EXACT[word] != _FOLDED[word] for word in typed)


def fold_chars(text: str) -> str:
    """Return the folded text with one character for each character: offsets stay true.

    A mark standing alone becomes STRAY, never a letter and never nothing.
    """
    packed = packing.pack(text)
    return text.translate(_CHARS) if packed is None else packing.spoken(packed, _CHARS_TABLE)


_Form = TypeVar("_Form")


class _Chars(dict[int, str]):
    """Each character's folded character, worked out when first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in "đĐðÐ":
            folded = "d"
        elif unicodedata.combining(char):
            folded = STRAY
        else:
            folded = unicodedata.normalize("NFD", char)[0].lower()[:1] or char
        self[code] = folded
        return folded


_CHARS: Final = _Chars()


class _Known(dict[str, _Form], Generic[_Form]):
    """What was made of each word, worked out when first met. Texts have few different words, said often."""

    def __init__(self, make: Callable[[str], _Form]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, word: str) -> _Form:
        if len(self) >= _KEPT_WORDS:
            self.clear()
        self[word] = form = self._make(word)
        return form


def _place_tone(word: str) -> str:
    """Move a tone from the last vowel of an open oa, oe, uy to the vowel before it."""
    if not _LATE_TONE.search(word):
        return word
    first, last = word[-2], word[-1]
    parts = unicodedata.normalize("NFD", last)
    return word[:-2] + unicodedata.normalize("NFC", first + parts[1:]) + parts[0]


def _fold_word(word: str) -> str:
    """Return one word of a clean text, in lower case already, without marks; most words need no more than a look."""
    if word.isascii():
        return word[:LONGEST_WORD]
    plain = unicodedata.normalize("NFD", word.replace("đ", "d"))
    return "".join([char for char in plain if not unicodedata.combining(char)])[:LONGEST_WORD]


def _mark_word(word: str) -> str:
    return (word if word.isascii() else _place_tone(word))[:LONGEST_WORD]


def _of_piece(piece: str) -> tuple[str, str]:
    if piece.isalnum():  # one word: rare ones are not worth remembering twice
        return _fold_word(piece), _mark_word(piece)
    found = WORD.findall(piece)
    return " ".join([_FOLDED[word] for word in found]), " ".join([_EXACT[word] for word in found])


_FOLDED: Final = _Known(_fold_word)
_EXACT: Final = _Known(_mark_word)
_PIECES: Final = _Known(_of_piece)


def _is_word(char: str) -> bool:
    return bool(WORD.fullmatch(char))


def _end(char: str) -> str:
    """Return what a character is to the rule of late tones: " " for no word, "." for what does not matter."""
    low = char.lower()
    for kind, letters in (("o", "o"), ("u", "u"), ("q", "q"), ("a", "àáảãạèéẻẽẹ"), ("y", "ỳýỷỹỵ")):
        if low in letters:
            return kind
    return "." if _is_word(char) else " "


def _moved() -> dict[bytes, bytes]:
    """Return each packed pair of letters with a late tone as it is today, in lower case."""
    pairs = {first + last for first in "oOuU" for last in "àáảãạèéẻẽẹỳýỷỹỵÀÁẢÃẠÈÉẺẼẸỲÝỶỸỴ"}
    return {packing.pack(pair) or b"": packing.pack(_place_tone(pair.lower())) or b"" for pair in pairs}


# What the functions above do with each character of the alphabet, worked out once.
_FOLDED_TABLE: Final = packing.table(lambda char: _fold_word(char.lower()) if _is_word(char) else " ")
_EXACT_TABLE: Final = packing.table(lambda char: char.lower() if _is_word(char) else " ")
_CHARS_TABLE: Final = packing.table(lambda char: _CHARS[ord(char)])
_IS_WORD: Final = packing.classes(lambda char: "x" if _is_word(char) else " ")
_OVERLONG: Final = b"x" * (LONGEST_WORD + 1)
_ENDS: Final = packing.classes(_end)
_MOVED: Final = _moved()
