"""The words of stamps as templates: which word stands in a piece of ink, and where.

Templates are drawn from five faces by `config/bench/stamp_words.py` and compared at six
sizes; a longer word that scores nearly as well wins, because "MẬT" lies inside "TỐI MẬT".
Says nothing about colour or place. No Django.
"""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from archive.rules.levels import Level, Urgency
from ingest.stamp_ink import Ink, Pixels

EM: Final = 48  # pixels per em in the template file
SIZES: Final = (14.5, 16.5, 18.5, 20.5, 23.0, 26.0)  # em in working pixels: 10 to 19 pt
TEMPLATES: Final = Path(__file__).with_name("stamp_words.npz")
SURE: Final = 0.5
RATIO: Final = 0.75  # a longer word this near to a shorter one wins
LEANS: Final = (-6.0, 0.0, 6.0)  # degrees; a template bears three more either way
ALL_LEANS: Final = (-12.0, -9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0)  # of a stamp laid over another

# Forms of the secrecy rules (circular 24/2020/TT-BCA) and of decree 30/2020/ND-CP: 8 mm high, width by word.
WORDS: Final = {
    "MẬT": ("secrecy", Level.MAT.slug, 20),
    "TỐI MẬT": ("secrecy", Level.TOI_MAT.slug, 30),
    "TUYỆT MẬT": ("secrecy", Level.TUYET_MAT.slug, 40),
    "KHẨN": ("urgency", Urgency.KHAN.slug, 20),
    "HỎA TỐC": ("urgency", Urgency.HOA_TOC.slug, 30),
    "THƯỢNG KHẨN": ("urgency", Urgency.THUONG_KHAN.slug, 40),
    "ĐẾN": ("arrival", "", 48),
}


class Spot(NamedTuple):
    """A word found in a piece of ink: how like it is, its middle and its size in pixels, how it leans."""

    word: str
    score: float
    x: float
    y: float
    width: int
    height: int
    lean: float


def best(scores: dict[str, float]) -> str:
    """Return the best word; of two that lie near each other the longer, which is the higher grade."""
    if not scores:
        return ""
    top = max(scores.values())
    near = [word for word, score in scores.items() if score >= RATIO * top]
    first = max(scores, key=lambda word: scores[word])
    longer = [word for word in near if word.endswith(first) and scores[word] >= SURE]
    return max(longer, key=len) if longer else first


def score(crop: Ink, word: str) -> float:
    """Return how well a word stands in a crop, 0-1, over all faces and sizes."""
    return spot(crop, word).score


def spot(crop: Ink, word: str) -> Spot:
    """Return where in a level crop a word stands best."""
    found = Spot(word, 0.0, 0.0, 0.0, 0, 0, 0.0)
    crop = crop + _grain(crop.shape)
    for template in templates()[word]:
        height, width = template.shape
        if height > crop.shape[0] or width > crop.shape[1]:
            continue
        _, like, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(crop, template, cv2.TM_CCOEFF_NORMED))
        if like > found.score:
            found = Spot(word, float(like), x + width / 2, y + height / 2, width, height, 0.0)
    return found


def leaning_score(crop: Ink, word: str) -> float:
    """Return how well a word stands in a crop, whichever way it leans."""
    height, width = crop.shape
    turns = [cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1) for lean in ALL_LEANS]
    return max(score(cv2.warpAffine(crop, turn, (width, height)), word) for turn in turns)


def without(crop: Ink, seen: Spot) -> Ink:
    """Return a level crop without a word that was read in it."""
    rest = crop.copy()
    left, top = round(seen.x - seen.width / 2) - 2, round(seen.y - seen.height / 2) - 2
    rest[max(0, top) : top + seen.height + 4, max(0, left) : left + seen.width + 4] = 0
    return rest


def spots(ink: Ink, *, sure: float) -> list[Spot]:
    """Return the words that stand in a piece of ink, whichever way each leans, surest first, one for each place."""
    found = [seen for lean in LEANS for seen in _leaning(ink, lean) if seen.score >= sure]
    found.sort(key=lambda seen: -seen.score)
    kept: list[Spot] = []
    for seen in found:
        at = next((at for at, other in enumerate(kept) if _meet(seen, other)), None)
        if at is None:
            kept.append(seen)
        elif seen.word != kept[at].word and seen.word.endswith(kept[at].word) and seen.score >= RATIO * kept[at].score:
            kept[at] = seen
    return kept


@cache
def templates() -> dict[str, tuple[Ink, ...]]:
    """Return each word in every face and size, softened as a scanner softens ink."""
    made: dict[str, list[Ink]] = {word: [] for word in WORDS}
    with np.load(TEMPLATES, allow_pickle=False) as drawn:
        for name in drawn.files:
            word = name.partition("|")[0]
            made[word] += _sizes(drawn[name])
    return {word: tuple(every) for word, every in made.items()}


def _sizes(drawn: Pixels) -> Iterable[Ink]:
    for em in SIZES:
        small = cv2.resize(drawn, None, fx=em / EM, fy=em / EM, interpolation=cv2.INTER_AREA)
        yield cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32)


def _leaning(ink: Ink, lean: float) -> Iterator[Spot]:
    """Yield each word's best place in ink turned by a lean, in the coordinates of the ink as it was."""
    height, width = ink.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1)
    back = cv2.invertAffineTransform(turn)
    level = cv2.warpAffine(ink, turn, (width, height)) if lean else ink
    for word in WORDS:
        seen = spot(level, word)
        x, y = back @ np.array([seen.x, seen.y, 1.0])
        yield seen._replace(x=float(x), y=float(y), lean=lean)


def _meet(one: Spot, other: Spot) -> bool:
    """Return whether two words lie over each other: stamps themselves never do so by half a letter's height."""
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2 - other.height / 2
        and abs(one.y - other.y) < (one.height + other.height) / 4
    )


@lru_cache(64)
def _grain(shape: tuple[int, ...]) -> Ink:
    """Return faint fixed grain: bare paper without any would compare as equal to every word."""
    return np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
