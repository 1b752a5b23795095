"""What may be suggested of an entry, as the dictionaries of the engines keep it.

A hint is what is typed, folded, and after it what is shown: of words as written only the
letters that differ, each after the number of letters before it that do not. A pair of
words takes two thirds of the room so, in a dictionary that was a twelfth of the index.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

from search.entry import Entry
from search.leaves import number_tokens
from search.text import forms, vi_clean

SPLIT: Final = "\t"  # between what is typed and what is shown
WORDS: Final = 2  # of a subject in one hint
_WHOLE: Final = "~"  # before a word that is kept as written; twice before all of what is shown
_USUAL: Final = "~/"  # before the words of a number that is written as numbers are; no word begins so
# The next sign stands for one letter alike, the one after it for two: a word has at most 64 letters (`search.text`), so
# none is "~" or beyond ASCII, and each letter that differs is.
_ALIKE: Final = ord("0")
_SPACE, _PART = "\x1f", "\x1e"  # in place of a space and of SPLIT: no white space, and no sign of a hint
_END: Final = "\n"  # of a hint among others: in none


def hints(entry: Entry) -> set[str]:
    """Return what may be suggested: the pairs of words of the subject, and the number."""
    words = _words(entry.subject)
    if len(words) > 1:
        found = {f"{one} {two}{SPLIT}{first} {second}" for (one, first), (two, second) in pairwise(words)}
    else:
        found = set(map(SPLIT.join, words))
    if entry.number:
        found.add(_number(entry.number))
    return found


def starts(entry: Entry) -> set[str]:
    """Return the words of the subject: what may be suggested for beginnings that too many pairs of words have."""
    return set(map(SPLIT.join, _words(entry.subject)))


def shown(hint: str) -> str:
    r"""Return what is shown of a hint.

    >>> shown("ban chi\t 2ỉ"), shown("45 qd ubnd\t~/ 1đ ")
    ('ban chỉ', '45/QĐ-UBND')
    """
    typed, differing = hint.split(SPLIT, 1)
    if differing.startswith(_WHOLE + _WHOLE):
        return differing[2:]
    if differing.startswith(_USUAL):
        return _usual(map(_written, typed.split(" "), differing[2:].split(" ")))
    return " ".join(map(_written, typed.split(" "), differing.split(" ")))


def joined(hints: Iterable[str]) -> str:
    """Return hints, or how some begin, as one text with a word for each: a value for each took a record longer."""
    return _END.join(hints).replace(" ", _SPACE).replace(SPLIT, _PART).replace(_END, " ")


def parted(word: str) -> str:
    """Return the hint of a word of `joined`."""
    return word.replace(_SPACE, " ").replace(_PART, SPLIT)


@lru_cache(maxsize=1)  # for pairs and for beginnings, one after the other
def _words(text: str) -> tuple[tuple[str, str], ...]:
    """Return each word of a text, folded, and how it differs as written."""
    folded, exact = (words.split() for words in forms(text))
    return tuple(zip(folded, map(_differing, folded, exact), strict=True))


def _number(text: str) -> str:
    """Return the hint of a number: its notation as the law writes it, 45/QĐ-UBND, is known from its words."""
    typed, number = " ".join(number_tokens(text)), " ".join(vi_clean(text).split())
    folded, exact = forms(text)
    if typed and typed == folded and _usual(exact.split()) == number:
        return typed + SPLIT + _USUAL + " ".join(map(_differing, folded.split(), exact.split()))
    return typed + SPLIT + _WHOLE + _WHOLE + number


def _usual(words: Iterable[str]) -> str:
    first, *others = words
    return f"{first}/{'-'.join(others)}".upper()


@lru_cache(maxsize=20_000)
def _differing(folded: str, exact: str) -> str:
    """Return the letters of a word that are others when folded, each after the number of letters that are not."""
    if len(folded) != len(exact):
        return _WHOLE + exact
    return "".join(_letters(folded, exact))


def _letters(folded: str, exact: str) -> Iterator[str]:
    alike = 0
    for plain, letter in zip(folded, exact, strict=True):
        if plain == letter:
            alike += 1
        else:
            yield chr(_ALIKE + alike) + letter if alike else letter
            alike = 0


def _written(folded: str, differing: str) -> str:
    """Return a word as written from what `_differing` said of it."""
    if differing.startswith(_WHOLE):
        return differing[1:]
    pieces, at = [], 0
    for sign in differing:
        alike = ord(sign) - _ALIKE if sign.isascii() else 0
        pieces.append(folded[at : at + alike] if alike else sign)
        at += alike or 1
    return "".join(pieces) + folded[at:]
