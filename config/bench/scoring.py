"""How a reading is scored: character errors against the best reading order, words found. Pure.

Scores are those of OCR.md: NFC, blanks collapsed. Words are counted as a search sees
them, without punctuation; "plain" words also without marks.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable


def collapsed(text: str) -> str:
    """Return the text as it is compared."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain(text: str) -> str:
    """Return the text without marks, in lower case."""
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter)).lower()


def distance(one: str, other: str) -> int:
    """Return the edit distance (Myers' bit vectors in Hyyrö's form: one row of the table per integer)."""
    if not one or not other:
        return len(one) + len(other)
    rows: dict[str, int] = {}
    for at, letter in enumerate(one):
        rows[letter] = rows.get(letter, 0) | 1 << at
    full, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    plus, minus, score = full, 0, len(one)
    for letter in other:
        same = rows.get(letter, 0)
        diagonal = (((same & plus) + plus) ^ plus) | same | minus
        up, down = minus | ~(diagonal | plus) & full, plus & diagonal
        score += bool(up & last) - bool(down & last)
        up, down = (up << 1 | 1) & full, down << 1 & full
        plus, minus = down | ~(diagonal | up) & full, up & diagonal
    return score


def character_errors(read: str, truths: Iterable[str]) -> float:
    """Return the share of characters read wrong, against the truth's most fitting reading order."""
    text = collapsed(read)
    return min(distance(text, collapsed(truth)) / max(1, len(collapsed(truth))) for truth in truths)


def words_found(read: str, truth: str) -> float:
    """Return the share of the truth's words that were read."""
    wanted, got = (Counter(re.findall(r"\w+", collapsed(text))) for text in (truth, read))
    return sum((wanted & got).values()) / max(1, sum(wanted.values()))
