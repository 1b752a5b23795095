"""Secrecy stamps on a page without colour: a framed word, where red can tell nothing.

Sure only where word and frame are both clear; what is only alike is "possible". Copies
too grainy to be cleared are named by `is_grainy`. Never looks outside the head. No Django.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from archive.rules.levels import Level
from ingest import stamp_words
from ingest.stamp_find import StampFind
from ingest.stamp_ink import HEAD_MM, MM, Frame, Ink, Pixels, box_of, upright

SECRET: Final = tuple(word for word, (kind, _, _) in stamp_words.WORDS.items() if kind == "secrecy")
GRAY_REACH: Final = 0.7  # part of the width: secrecy stands left of the middle
GRAY_LIKE: Final = 0.6  # where to look closer
GRAY_POSSIBLE: Final = 0.63
GRAY_SURE: Final = 0.7  # 30/30 right and 0 of 20 false on clean gray pages
GRAY_ALONE: Final = 0.85  # without a frame this like: worth a look by a person
GRAINY: Final = 2.4  # gray levels: clean 0, scanned 2, photocopied again 3
FRAMED: Final = 0.5
CLEARLY_FRAMED: Final = 0.7


def find(gray: Pixels) -> Iterator[StampFind]:
    """Find framed secrecy words on a page without colour: "MẬT" first, then what stands before it.

    A heading "BẢO VỆ BÍ MẬT" has no frame, and neither has any other print that is a little like the word.
    """
    head = 255 - gray[: round(HEAD_MM * MM), : round(gray.shape[1] * GRAY_REACH)]
    ink = cv2.GaussianBlur(head, (0, 0), 0.7).astype(np.float32)
    for x, y in _peaks(ink):
        framing, lean = _framing(ink, x, y)
        frame = Frame(x - 14, y, 56 * MM, 12 * MM, lean, 0.0)
        crop = upright(ink, frame)
        scores = {word: stamp_words.score(crop, word) for word in SECRET}
        word = stamp_words.best(scores)
        if scores[word] < (GRAY_POSSIBLE if framing >= FRAMED else GRAY_ALONE):
            continue
        kind = "secrecy" if scores[word] >= GRAY_SURE and framing >= CLEARLY_FRAMED else "possible"
        slug = stamp_words.WORDS[word][1] if kind == "secrecy" else Level.TUYET_MAT.slug
        yield StampFind(kind, word, slug, round(scores[word], 3), box_of(frame, gray))


def is_grainy(gray: Pixels) -> bool:
    """Say whether a gray page is too poor to be cleared: 7 of 36 stamps stayed unseen on such copies, 0 of 72 else."""
    detail = np.abs(gray.astype(np.int16) - cv2.blur(gray, (3, 3)))
    return float(np.median(detail[gray >= np.median(gray)])) > GRAINY


def _peaks(ink: Ink) -> Iterator[tuple[float, float]]:
    """Yield where "MẬT" stands in a gray page, best first, at most three places."""
    best = np.zeros(ink.shape, np.float32)
    for template in stamp_words.templates()["MẬT"][::2]:
        height, width = template.shape
        if height < ink.shape[0] and width < ink.shape[1]:
            scores = cv2.matchTemplate(ink, template, cv2.TM_CCOEFF_NORMED)
            part = best[height // 2 : height // 2 + scores.shape[0], width // 2 : width // 2 + scores.shape[1]]
            np.maximum(part, scores, out=part)
    for _ in range(3):
        _, score, _, (x, y) = cv2.minMaxLoc(best)
        if score < GRAY_LIKE:
            return
        yield float(x), float(y)
        best[max(0, y - 15) : y + 15, max(0, x - 80) : x + 80] = 0


def _framing(ink: Ink, x: float, y: float) -> tuple[float, float]:
    """Return how clearly thin lines run above and below a word, 0-1, and the lean that shows them best.

    A frame's line is as dark as its own neighbourhood allows over the word's whole width; a line of print is not.
    """
    best, best_lean = 0.0, 0.0
    for lean in np.arange(-6.0, 6.01, 1.0):
        crop = upright(ink, Frame(x, y, 15 * MM, 14 * MM, float(lean), 0.0))
        dark = (crop > np.percentile(crop, 50) + 0.35 * (np.percentile(crop, 97) - np.percentile(crop, 50))).mean(
            axis=1
        )
        middle = len(dark) // 2
        above, below = dark[middle - 23 : middle - 10], dark[middle + 10 : middle + 23]
        if above.size and below.size:
            framing = float(min(above.max() - above.min(), below.max() - below.min()))
            best, best_lean = max((best, best_lean), (framing, float(lean)))
    return best, best_lean
