"""The words of secrecy and urgency marks, told from the same words in names and sentences.

A mark is a line of its own in capitals (letter-spacing and lost marks allowed), or the
value of a label ("Độ mật: Mật"). The words inside a sentence or a name ("BẢO VỆ BÍ MẬT
NHÀ NƯỚC", "bảo mật", "khẩn trương") are no mark. Measured on the probes of DOMAIN 1.4:
a loose word match fires on all of them, this rule on none. Pure; linear.
"""

import re
from typing import Final

from archive.rules.folding import fold
from archive.rules.levels import Level, Urgency

LONGEST_MARK: Final = 40  # "T U Y Ệ T   M Ậ T" with dirt around it

_NO_LETTERS: Final = re.compile(r"[\W_]+")
_DIGITS_AS_LETTERS: Final = str.maketrans({"0": "o", "1": "i", "|": "i", "5": "s", "4": "a"})
_LEVEL_WORDS: Final = {
    "mat": Level.MAT,
    "toimat": Level.TOI_MAT,
    "tuyetmat": Level.TUYET_MAT,
}
_URGENCY_WORDS: Final = {
    "khan": Urgency.KHAN,
    "thuongkhan": Urgency.THUONG_KHAN,
    "hoatoc": Urgency.HOA_TOC,
    "hoatochengio": Urgency.HOA_TOC,
}
# What "MẬT" and "KHẨN" look like when read, and when misread; other vowels make other words ("MÁT", "KHĂN").
_TRUE_VOWELS: Final = {"mat": frozenset("ậâ"), "khan": frozenset("ẩâấ")}
_SLIPPED_VOWELS: Final = {"mat": frozenset("aặạấẩẫ"), "khan": frozenset("aẫậả")}
_LEVEL_LABEL: Final = re.compile(
    r"\b(?:do|muc do|cap do|dau)\s{1,3}mat\s{0,3}[:.\-]\s{0,3}(tuyet mat|toi mat|mat|khong mat|khong|thuong)\b"
)
_URGENCY_LABEL: Final = re.compile(r"\b(?:do|muc do)\s{1,3}khan\s{0,3}[:.\-]\s{0,3}(hoa toc|thuong khan|khan|thuong)\b")
_COMPANION: Final = re.compile(r"(?:tai lieu thu hoi|xem xong tra lai|luu hanh noi bo)")
_HOUR: Final = re.compile(r"(hoatoc(?:hengio)?)[0-9h:giophut]*")


def level_of_line(text: str) -> Level | None:
    """Return the level that a line of its own names, or None.

    >>> level_of_line("M Ậ T"), level_of_line("TUYÊT MẬT"), level_of_line("BẢO VỆ BÍ MẬT NHÀ NƯỚC")
    (<Level.MAT: 1>, <Level.TUYET_MAT: 3>, None)
    """
    return _LEVEL_WORDS.get(_word(text)) if _is_mark(text) else None


def urgency_of_line(text: str) -> Urgency | None:
    """Return the urgency that a line of its own names, or None.

    >>> urgency_of_line("HOẢ TỐC"), urgency_of_line("khẩn trương")
    (<Urgency.HOA_TOC: 3>, None)
    """
    if not _is_mark(text):
        return None
    word = _word(text)
    timed = _HOUR.fullmatch(word)
    return _URGENCY_WORDS.get(timed[1] if timed else word)


def level_of_label(text: str) -> Level | None:
    """Return the level in "Độ mật: Tối mật"; THUONG when the label says there is none; None without a label."""
    label = _LEVEL_LABEL.search(fold(text[:200]))
    return _LEVEL_WORDS.get(label[1].replace(" ", ""), Level.THUONG) if label else None


def urgency_of_label(text: str) -> Urgency | None:
    """Return the urgency in "Độ khẩn: Hỏa tốc", None without such a label."""
    label = _URGENCY_LABEL.search(fold(text[:200]))
    return _URGENCY_WORDS.get(label[1].replace(" ", ""), Urgency.THUONG) if label else None


def is_marking(text: str) -> bool:
    """Return whether a line is a mark of any kind, and so neither an agency nor an abstract."""
    return (
        level_of_line(text) is not None or urgency_of_line(text) is not None or bool(_COMPANION.search(fold(text[:60])))
    )


def is_exact(text: str) -> bool:
    """Return whether a mark's short word has its own vowel: "MAT" and "MẶT" may be a mark misread, or another word."""
    word = _word(text)
    return word not in _TRUE_VOWELS or _vowels(text) <= _TRUE_VOWELS[word]


def _is_mark(text: str) -> bool:
    """Return whether a line is short and in capitals, and its vowels are those of a mark or near them."""
    if len(text) > LONGEST_MARK:
        return False
    letters = [char for char in text if char.isalpha()]
    if not letters or not all(char.isupper() for char in letters):
        return False
    word = _word(text)
    return word not in _TRUE_VOWELS or _vowels(text) <= _TRUE_VOWELS[word] | _SLIPPED_VOWELS[word]


def _vowels(text: str) -> frozenset[str]:
    return frozenset(char.lower() for char in text if fold(char) == "a")


def _word(text: str) -> str:
    letters = _NO_LETTERS.sub("", fold(text))
    word = letters.translate(_DIGITS_AS_LETTERS)
    return word if word in _LEVEL_WORDS or word in _URGENCY_WORDS else letters
