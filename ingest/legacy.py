"""Text of the years before Unicode: TCVN3 (ABC, .Vn fonts), VNI-Win and VIQR, back to Unicode.

Old files show 8-bit look-alikes ("Céng hßa x· héi") because their fonts gave other
shapes to Latin codes. The font's name decides where it is known; else the letters do:
the text is decoded each way and the way that spells Vietnamese syllables wins, or none.

U+00AD, the soft hyphen, is "ư" in TCVN3: nothing may strip it before this module has
run. Capital faces (.VnTimeH) carry the case in the font, so their text comes back in
capitals. Where nothing is recognised the text comes back as it was. Pure; linear.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from ingest.syllables import is_syllable

TCVN3: Final = "tcvn3"
VNI: Final = "vni"
VIQR: Final = "viqr"

SAMPLE: Final = 20_000  # characters of a text that are looked at to recognise it
LEAST_WORDS: Final = 2
LEAST_GOOD: Final = 0.7  # share of its marked words that must spell syllables when decoded rightly
LEAST_GAIN: Final = 0.4

# TCVN 5712:1993, third set. Codes A1-A7 are capitals; the others of the capital faces are the small letters' codes.
_TCVN3_CODES: Final = (
    "A1ĂA2ÂA3ÊA4ÔA5ƠA6ƯA7ĐA8ăA9âAAêABôACơADưAEđB5àB6ảB7ãB8áB9ạBBằBCẳBDẵBEắC6ặC7ầC8ẩC9ẫCAấCBậCCèCEẻCFẽD0éD1ẹ"
    "D2ềD3ểD4ễD5ếD6ệD7ìD8ỉDCĩDDíDEịDFòE1ỏE2õE3óE4ọE5ồE6ổE7ỗE8ốE9ộEAờEBởECỡEDớEEợEFùF1ủF2ũF3úF4ụF5ừF6ửF7ữF8ứF9ự"
    "FAỳFBỷFCỹFDýFEỵ"
)
TCVN3_TABLE: Final = {chr(int(code[:2], 16)): code[2] for code in re.findall(r"[0-9A-F]{2}[^0-9A-F]", _TCVN3_CODES)}

# VNI-Win writes a letter and its marks as two characters; some letters have one of their own.
_VNI_TONES: Final = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_VNI_HATS: Final = {"â": "", "á": "\u0301", "à": "\u0300", "å": "\u0309", "ã": "\u0303", "ä": "\u0323"}
_VNI_BREVES: Final = {"ê": "", "é": "\u0301", "è": "\u0300", "ú": "\u0309", "ü": "\u0303", "ë": "\u0323"}
_VNI_SINGLE: Final = {"ô": "ơ", "ö": "ư", "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _vni_pairs() -> Iterator[tuple[str, str]]:
    yield from _VNI_SINGLE.items()
    for letter, base in (*zip("aeouy", "aeouy", strict=True), ("ô", "ơ"), ("ö", "ư")):
        yield from ((letter + mark, _nfc(base + tone)) for mark, tone in _VNI_TONES.items() if letter + mark != "yï")
    for letter in "aeo":
        yield from ((letter + mark, _nfc(letter + "\u0302" + tone)) for mark, tone in _VNI_HATS.items())
    yield from (("a" + mark, _nfc("ă" + tone)) for mark, tone in _VNI_BREVES.items())


def _both_cases(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for written, letter in pairs:
        yield written, letter
        yield written.upper(), letter.upper()
        yield written[0].upper() + written[1:], letter.upper()


VNI_TABLE: Final = dict(_both_cases(_vni_pairs()))
_VNI_WRITTEN: Final = re.compile("|".join(sorted(map(re.escape, VNI_TABLE), key=len, reverse=True)))

_VIQR_SHAPES: Final = {"^": "\u0302", "(": "\u0306", "+": "\u031b", "*": "\u031b"}
_VIQR_TONES: Final = {"'": "\u0301", "`": "\u0300", "?": "\u0309", "~": "\u0303", ".": "\u0323"}
_VIQR_WRITTEN: Final = re.compile(
    r"\\(.)|([Dd][Dd])|([aeoAEO]\^|[aA]\(|[oOuU][+*]|[aeiouyAEIOUY])([?'`~.])?", re.DOTALL
)

_CAPITAL_FACE: Final = re.compile(r"\.?Vn\w*H(?:[,\-]?(?:Bold|Italic|Regular|\s)*)")
_TCVN3_FONT: Final = re.compile(r"(?:[A-Z]{6}\+)?(\.Vn\w.*|Vn(?:Time|Arial|Avant|Courier)\w*.*)", re.DOTALL)
_VNI_FONT: Final = re.compile(r"(?:[A-Z]{6}\+)?VNI[-\s]?[A-Z].*", re.DOTALL)
_UNICODE_ONLY: Final = re.compile("[ăđơưĂĐƠƯ\u1ea0-\u1ef9]")
_EDGES: Final = " \t\r\n.,;:!?()[]{}\"'/-+*=<>0123456789%&_“”…"
_WORD: Final = re.compile(r"\S+")


def to_unicode(text: str, *, font: str | None = None) -> tuple[str, str | None]:
    """Return (the text in Unicode NFC, "tcvn3" | "vni" | "viqr"), or (the text as it was, None).

    Args:
        text: as extracted; U+00AD must still be in it.
        font: the font's name as the file has it, subset prefix and all, when it is known.

    >>> to_unicode("Céng hßa x· héi chñ nghÜa ViÖt Nam")
    ('Cộng hòa xã hội chủ nghĩa Việt Nam', 'tcvn3')
    """
    if _UNICODE_ONLY.search(text):
        return text, None
    scheme = scheme_of_font(font) if font else None
    if scheme:
        plain = decode(text, scheme)
        return (plain.upper() if is_capital_face(font or "") else _cased(plain)), scheme
    found = recognise(text)
    return (_cased(decode(text, found)), found) if found else (text, None)


def scheme_of_font(font: str) -> str | None:
    """Return the encoding that a font's name stands for, None for any other font.

    >>> scheme_of_font("ABCDEF+.VnTimeH"), scheme_of_font("VNI-Times"), scheme_of_font("Times New Roman")
    ('tcvn3', 'vni', None)
    """
    if _TCVN3_FONT.fullmatch(font):
        return TCVN3
    return VNI if _VNI_FONT.fullmatch(font) else None


def is_capital_face(font: str) -> bool:
    """Return whether a font shows small letters' codes as capitals (.VnTimeH)."""
    name = font.split("+", 1)[-1]
    return bool(_CAPITAL_FACE.fullmatch(name))


def recognise(text: str) -> str | None:
    """Return the encoding in which the text spells Vietnamese, None when it does already or in none.

    Needs no more than LEAST_WORDS words with marks; Unicode text, plain ASCII prose and
    other languages come back as None.
    """
    sample = text[:SAMPLE]
    if _UNICODE_ONLY.search(sample):
        return None
    before = _share(_words(sample, str.isascii), is_syllable)
    best, share = None, max(LEAST_GOOD, before + LEAST_GAIN)
    for scheme in (TCVN3, VNI):
        good = _decoded_share(sample, scheme)
        if good >= share:
            best, share = scheme, good
    return best or (VIQR if _is_viqr(sample) else None)


def decode(text: str, scheme: str) -> str:
    """Return the text read in this encoding, character by character, in NFC.

    Raises:
        KeyError: the encoding is unknown.
    """
    return _nfc(_DECODERS[scheme](text))


def _tcvn3(text: str) -> str:
    return "".join([TCVN3_TABLE.get(char, char) for char in text])


def _vni(text: str) -> str:
    return _VNI_WRITTEN.sub(lambda written: VNI_TABLE[written[0]], text)


def _viqr(text: str) -> str:
    return _VIQR_WRITTEN.sub(_viqr_letter, text)


def _viqr_letter(written: re.Match[str]) -> str:
    if written[1]:
        return written[1]
    if written[2]:
        return "Đ" if written[2][0] == "D" else "đ"
    letter = written[3][0] + "".join(_VIQR_SHAPES[mark] for mark in written[3][1:])
    return letter + _VIQR_TONES.get(written[4] or "", "")


_DECODERS: Final[dict[str, Callable[[str], str]]] = {TCVN3: _tcvn3, VNI: _vni, VIQR: _viqr}


def _words(text: str, leave_out: Callable[[str], bool]) -> list[str]:
    words = (match[0].strip(_EDGES) for match in _WORD.finditer(text))
    return [word for word in words if word and not leave_out(word)]


def _share(words: list[str], is_good: Callable[[str], bool]) -> float:
    return sum(map(is_good, words)) / len(words) if words else 0.0


def _decoded_share(sample: str, scheme: str) -> float:
    """Return how many of the words with marks spell syllables when decoded; 0 for fewer than LEAST_WORDS."""
    marked = _words(sample, str.isascii)
    good = [is_syllable(decode(word, scheme)) for word in marked]
    return sum(good) / len(good) if sum(good) >= LEAST_WORDS else 0.0


def _is_viqr(sample: str) -> bool:
    """Return whether ASCII words with ^ ( + or dd inside spell marked syllables throughout."""
    words = [match[0].strip(' \t\r\n,;:!"0123456789%&_-/') for match in _WORD.finditer(sample)]
    marked = [word for word in words if re.search(r"[aeoAEO]\^|[aA]\(|[ouOU]\+|^[Dd][Dd]|[a-zA-Z][`~]", word)]
    if len(marked) <= LEAST_WORDS:
        return False
    decoded = [_viqr(word).rstrip(".?') ") for word in marked]
    return _share([_nfc(word) for word in decoded], is_syllable) >= LEAST_GOOD


def _cased(text: str) -> str:
    """Put right the case of lines typed in capitals with small marked letters, as the regular faces force ("CéNG HßA")."""
    return "".join(line.upper() if _is_typed_in_capitals(line) else line for line in text.splitlines(keepends=True))


def _is_typed_in_capitals(line: str) -> bool:
    """Return whether the plain letters beside marked ones are all capitals, and one word has two of them."""
    plain = [
        [char for char in word if char.isascii() and char.isalpha()] for word in line.split() if not word.isascii()
    ]
    return any(len(letters) > 1 for letters in plain) and all(char.isupper() for letters in plain for char in letters)
