"""Is this a Vietnamese syllable? A rule of spelling, without a word list.

Used to tell readable text from text in a lost encoding: Vietnamese has few rhymes, and
look-alikes of another encoding almost never spell one. Pure; never raises.
"""

import re
import unicodedata
from typing import Final

_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_TONELESS: Final = {
    ord(unicodedata.normalize("NFC", vowel + tone)): vowel for vowel in "aăâeêioôơuưy" for tone in _TONES
}
_ONSET: Final = "(?:b|c|ch|d|đ|g|gh|gi|h|k|kh|l|m|n|ng|ngh|nh|p|ph|qu|r|s|t|th|tr|v|x)?"
_RHYME: Final = (
    "(?:[aăâ](?:c|m|n|ng|p|t)|a(?:ch|i|nh|o|u|y)?|â(?:u|y)|"
    "[eê](?:c|m|n|ng|p|t|o|u|ch|nh)?|i(?:c|ch|m|n|nh|p|t|u|a|êc|êm|ên|êng|êp|êt|êu)?|"
    "[oôơ](?:c|i|m|n|ng|p|t)?|oo(?:c|ng)|o(?:a|e|ă|ac|ach|ai|am|an|ang|anh|ao|ap|at|ay|ăc|ăm|ăn|ăng|ăt|en|eo|et)|"
    "[uư](?:a|c|i|m|n|ng|p|t|u)?|u(?:â|ân|âng|ât|ây|ê|êch|ênh|ênh|ơ|y|ya|yên|yêt|ych|ynh|yt|yu|ôc|ôi|ôm|ôn|ông|ôt|ap|ao)|"
    "ươ(?:c|i|m|n|ng|p|t|u)|y(?:êm|ên|êng|êt|êu)?)"
)
_SYLLABLE: Final = re.compile(_ONSET + _RHYME)
_LONGEST: Final = 7


def is_syllable(word: str) -> bool:
    """Return whether a word could be spelled in Vietnamese, whatever its case.

    >>> is_syllable("Nghiêng"), is_syllable("VÜnh"), is_syllable("ngµy")
    (True, False, False)
    """
    if not 0 < len(word) <= _LONGEST:
        return False
    plain = unicodedata.normalize("NFC", word.lower()).translate(_TONELESS)
    return bool(_SYLLABLE.fullmatch(plain))


def is_marked(word: str) -> bool:
    """Return whether a word carries a letter outside ASCII."""
    return not word.isascii()
