"""Which other words may have been meant by a typed one: other marks, or one letter away. Pure.

Makes candidates only; what of them a reader's records hold, an engine counts under the
reader's terms (`offered`), so a word that stands in hidden records alone is never offered.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from string import ascii_lowercase
from typing import Final

from search.entry import Suggestion
from search.text import exact_words, vi_exact, vi_fold

MIN_NEAR: Final = 3  # letters: of shorter words every other is one letter away
_SHAPES: Final = {"a": "aăâ", "e": "eê", "o": "oôơ", "u": "uư", "d": "dđ"}
_VOWELS: Final = frozenset("aeiouy")
_TONES: Final = "\u0300\u0301\u0309\u0303\u0323"
_SYLLABLE: Final = re.compile(r"[bcdfghklmnpqrstvx]{0,3}[aeiouy]{1,3}[cghmnpt]{0,2}")

Counts = Callable[[str, Sequence[str], int], Mapping[str, int]]
"""Given "exact" or "folded", words in that form and how many are wanted: how many of the reader's records hold each.

Words that cannot be among so many most frequent ones may be left out.
"""


@lru_cache(maxsize=1024)
def marked(folded: str) -> tuple[str, ...]:
    """Return every way to write a Vietnamese syllable with marks, as marks are compared; () for no syllable.

    >>> [word for word in marked("y") if word == "ý"]
    ['ý']
    """
    if not _SYLLABLE.fullmatch(folded):
        return ()
    forms = dict.fromkeys(vi_exact(form) for form in _forms(folded))
    return tuple(form for form in forms if vi_fold(form) == folded)


def _forms(folded: str) -> Iterator[str]:
    """Yield the letters in every shape, without a tone and with each tone on each vowel."""
    for shapes in product(*(_SHAPES.get(letter, letter) for letter in folded)):
        yield "".join(shapes)
        for place, letter in enumerate(folded):
            if letter in _VOWELS:
                for tone in _TONES:
                    yield "".join(shapes[: place + 1]) + tone + "".join(shapes[place + 1 :])


@lru_cache(maxsize=1024)
def near(folded: str) -> tuple[str, ...]:
    """Return every word of plain letters that is one change, addition, omission or swap away."""
    if len(folded) < MIN_NEAR or not folded.isascii() or not folded.isalpha():
        return ()
    cuts = [(folded[:at], folded[at:]) for at in range(len(folded) + 1)]
    made = [head + tail[1:] for head, tail in cuts if tail]
    made += [head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1]
    made += [head + letter + tail[1:] for head, tail in cuts if tail for letter in ascii_lowercase]
    made += [head + letter + tail for head, tail in cuts for letter in ascii_lowercase]
    return tuple(word for word in dict.fromkeys(made) if word != folded)


def offered(word: str, counts: Counts, limit: int) -> list[Suggestion]:
    """Return the spellings to offer: other marks first, then one letter away with its most frequent marks.

    What is as frequent comes in the order of the alphabet.
    """
    typed = next(iter(exact_words(word)), "")
    folded = vi_fold(typed)
    marks = _best(counts, "exact", [form for form in (*marked(folded), folded) if form != typed], limit)
    if len(marks) >= limit:
        return marks
    away = _best(counts, "folded", near(folded), limit - len(marks))
    return marks + [_as_written(one, counts) for one in away]


def _as_written(one: Suggestion, counts: Counts) -> Suggestion:
    """Return a bare word in the form in which most of the reader's records write it."""
    forms = _best(counts, "exact", [*marked(one.text), one.text], 1)
    return Suggestion(forms[0].text, one.count) if forms else one


def _best(counts: Counts, form: str, words: Sequence[str], limit: int) -> list[Suggestion]:
    held = [(word, count) for word, count in counts(form, words, limit).items() if count]
    return [Suggestion(*one) for one in sorted(held, key=lambda one: (-one[1], one[0]))[:limit]]
