"""Find the red stamps of a page: secrecy, urgency, arrival, the seal. Evidence, never the only gate.

Reading the page's text finds 7 % of secrecy stamps on bad copies; a red box whose
width names its class and whose word is compared with templates finds them all. Two
thresholds: above SURE the word is read; a box that stands there unread is "possible",
at the highest grade its width allows. Nothing found proves nothing, and a page
without colour says so ("unclear"). Runs on the page before red is removed. No Django.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from archive.rules.levels import Level, Urgency
from archive.rules.page import Box

Pixels = NDArray[Any]
Ink = NDArray[Any]

DPI: Final = 100  # working resolution; letters of 14 pt stand 13 px high
EM: Final = 48  # pixels per em in the template file
SURE: Final = 0.5
SURE_BELOW: Final = 0.7  # below the head stand red names and posts of signers: 0.51 and 0.62 on two real pages
RATIO: Final = 0.75  # a longer word this near to a shorter one wins: "MẬT" lies inside "TỐI MẬT"
FAINT: Final = 6.0  # redness of the faintest worn ink counted: paper 0, pure red 255
INK: Final = 11.0  # redness the stronger tenth of a mark must reach; black print on yellowed paper stays below
JOIN: Final = (13, 9)  # working pixels of lost ink bridged: a worn frame is many pieces; stamps stand 4 mm apart
GRAIN: Final = 4.5  # robust deviations above the paper's own redness
SIZES: Final = (14.5, 16.5, 18.5, 20.5, 23.0, 26.0)  # em in working pixels: 10 to 19 pt
TEMPLATES: Final = Path(__file__).with_name("stamp_words.npz")

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
WIDTH_SLACK: Final = 7.0  # mm a stamp may be wider or narrower than its form
BOX_WIDTH: Final = (12.0, 60.0)
BOX_HEIGHT: Final = (5.0, 14.0)
ARRIVAL_HEIGHT: Final = (14.0, 34.0)
SEAL: Final = (24.0, 46.0)
SQUARE: Final = 1.25  # a seal's width is at most this much of its height
ARRIVAL_WIDTH: Final = (30.0, 80.0)
LEANING: Final = 20.0  # degrees: stamps lean less, strokes of a red pen more
HEAD_MM: Final = 120.0
GRAY_SPREAD: Final = 6  # levels between channels: rounding, not colour
GRAY_REACH: Final = 0.7  # part of the width: secrecy stands left of the middle
GRAY_LIKE: Final = 0.6  # where to look closer
GRAY_POSSIBLE: Final = 0.63
GRAY_SURE: Final = 0.7  # 30/30 right and 0 of 20 false on clean gray pages
GRAY_ALONE: Final = 0.85  # without a frame this like: worth a look by a person
GRAINY: Final = 2.4  # gray levels: clean 0, scanned 2, photocopied again 3
FRAMED: Final = 0.5
CLEARLY_FRAMED: Final = 0.7


@dataclass(frozen=True, slots=True)
class StampFind:
    """One mark found on a page.

    `kind`: "secrecy" and "urgency" (read: `slug` is the level or the grade), "possible" (a box like a secrecy
    stamp, unread: `slug` is the highest level its width allows), "arrival", "seal", "unclear" (the page has no
    colour: a stamp can neither be seen nor excluded). `score` 0-1. `box` in ten-thousandths of the page. `page` is 1-based.
    """

    kind: str
    word: str
    slug: str
    score: float
    box: Box
    page: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the form that leaves the cell."""
        return {**asdict(self), "box": list(self.box)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Read the cell's form back; it is untrusted, so every part is forced into its type.

        Raises:
            KeyError, TypeError, ValueError: the cell did not send a find.
        """
        left, top, right, bottom = (min(10_000, max(0, int(edge))) for edge in kept["box"])
        box = (left, top, right, bottom)
        score = min(1.0, max(0.0, float(kept["score"])))
        return cls(
            str(kept["kind"])[:20], str(kept["word"])[:40], str(kept["slug"])[:20], score, box, int(kept.get("page", 1))
        )


UNCLEAR: Final = StampFind("unclear", "", "", 0.0, (0, 0, 10_000, 10_000))


class Frame(NamedTuple):
    """A red patch as a turned rectangle: centre, width and height in working pixels, degrees, fill 0-1."""

    x: float
    y: float
    width: float
    height: float
    angle: float
    fill: float

    @property
    def mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        return self.width * 25.4 / DPI, self.height * 25.4 / DPI


def look(page: Pixels, *, dpi: int, bits: int = 24) -> list[dict[str, Any]]:
    """Return `find` in the form that leaves the cell."""
    return [seen.to_json() for seen in find(page, dpi=dpi, bits=bits)]


def find(page: Pixels, *, dpi: int, bits: int = 24) -> list[StampFind]:
    """Find the stamps of one upright RGB page.

    Args:
        page: RGB pixels; three equal channels for a page without colour.
        dpi: resolution of `page`, for millimetres.
        bits: bits per pixel of the original: 1 and 8 have no colour to look at.
    """
    if bits == 1:
        return [UNCLEAR]
    small = cv2.resize(page, None, fx=DPI / dpi, fy=DPI / dpi, interpolation=cv2.INTER_AREA)
    if _is_gray(small):
        gray = small[:, :, 0]
        return list(_gray_stamps(gray)) or ([UNCLEAR] if _is_grainy(gray) else [])
    ink = redness(small)
    found = [seen for frame in frames(ink) if (seen := _named(ink, frame))]
    found += [seen for seen in _blue_arrivals(small) if not any(_meet(seen.box, other.box) for other in found)]
    return sorted(found, key=lambda seen: seen.box[1])


def redness(small: Pixels) -> Ink:
    """Return how red each point is against the paper around it, 0-255."""
    paper = np.maximum(np.median(small[::4, ::4].reshape(-1, 3), axis=0), 40).astype(np.float32)
    scaled = cv2.GaussianBlur(small, (0, 0), 0.7).astype(np.float32) * (255 / paper)
    excess = scaled[:, :, 0] - np.maximum(scaled[:, :, 1], scaled[:, :, 2])
    red: Ink = np.clip(excess, 0, 255)
    return red


def _blue_arrivals(small: Pixels) -> Iterator[StampFind]:
    """Yield incoming stamps in blue or violet ink, the usual pads of a registry."""
    head = small[: round(HEAD_MM * DPI / 25.4)]
    ink = redness(head[:, :, ::-1])
    for frame in frames(ink):
        seen = _named(ink, frame)
        if seen and seen.kind == "arrival":
            left, top, right, bottom = seen.box
            part = head.shape[0] / small.shape[0]
            yield replace(seen, box=(left, round(top * part), right, round(bottom * part)))


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_gray(small: Pixels) -> bool:
    """Say whether a page has no colour at all, whatever its file claims."""
    sample = small[::3, ::3].astype(np.int16)
    return int((sample.max(axis=2) - sample.min(axis=2)).max(initial=0)) <= GRAY_SPREAD


def frames(ink: Ink) -> Iterator[Frame]:
    """Yield the red patches that are large enough to be a stamp or a seal."""
    sample = ink[::3, ::3]
    middle = float(np.median(sample))
    grain = float(np.median(np.abs(sample - middle))) * 1.48
    mask = (ink > max(FAINT, middle + GRAIN * grain)).astype(np.uint8)
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, JOIN))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    for label in range(1, count):
        x, y, width, height, _area = stats[label]
        if width < BOX_WIDTH[0] * DPI / 25.4 or height < BOX_HEIGHT[0] * DPI / 25.4:
            continue
        area = (slice(y, y + height), slice(x, x + width))
        patch = (labels[area] == label) & (mask[area] > 0)
        if np.percentile(ink[area][patch], 90) >= INK:
            yield _frame(patch, x, y)


def _frame(patch: NDArray[np.bool_], x: int, y: int) -> Frame:
    rows, columns = np.nonzero(patch)
    (cx, cy), (width, height), angle = cv2.minAreaRect(np.stack([columns, rows], axis=1).astype(np.float32))
    if width < height:
        width, height, angle = height, width, angle + 90
    angle = (angle + 90) % 180 - 90
    return Frame(cx + x, cy + y, width, height, angle, float(patch.sum() / max(1.0, width * height)))


def _named(ink: Ink, frame: Frame) -> StampFind | None:
    """Say what a red patch is, or None if it is like no stamp."""
    width, height = frame.mm
    box = _box(frame, ink)
    if abs(frame.angle) > LEANING and width / max(1.0, height) > SQUARE:
        return None
    if BOX_WIDTH[0] <= width <= BOX_WIDTH[1] and BOX_HEIGHT[0] <= height <= BOX_HEIGHT[1]:
        return _box_stamp(ink, frame, box)
    if SEAL[0] <= width <= SEAL[1] and width / height < SQUARE:
        return StampFind("seal", "", "", 1.0, box)
    if ARRIVAL_WIDTH[0] <= width <= ARRIVAL_WIDTH[1] and ARRIVAL_HEIGHT[0] <= height <= ARRIVAL_HEIGHT[1]:
        return StampFind("arrival", "ĐẾN", "", 1.0, box)
    return None


def _box_stamp(ink: Ink, frame: Frame, box: Box) -> StampFind | None:
    width, _ = frame.mm
    crop = _upright(ink, frame)
    allowed = [word for word, (_, _, form) in WORDS.items() if abs(width - form) <= WIDTH_SLACK]
    scores = {word: _score(crop, word) for word in allowed}
    word = _best(scores)
    in_head = frame.y * 25.4 / DPI <= HEAD_MM
    if word and scores[word] >= (SURE if in_head else SURE_BELOW):
        kind, slug, _ = WORDS[word]
        return StampFind(kind, word, slug, round(scores[word], 3), box)
    if not in_head:
        return None
    return StampFind("possible", word, _highest(width), round(scores.get(word, 0.0), 3), box)


def _gray_stamps(gray: Pixels) -> Iterator[StampFind]:
    """Find framed secrecy words on a page without colour: "MẬT" first, then what stands before it.

    A heading "BẢO VỆ BÍ MẬT" has no frame, and neither has any other print that is a little like the word.
    """
    head = 255 - gray[: round(HEAD_MM * DPI / 25.4), : round(gray.shape[1] * GRAY_REACH)]
    ink = cv2.GaussianBlur(head, (0, 0), 0.7).astype(np.float32)
    for x, y in _peaks(ink):
        framing, lean = _framing(ink, x, y)
        frame = Frame(x - 14, y, 56 * DPI / 25.4, 12 * DPI / 25.4, lean, 0.0)
        crop = _upright(ink, frame)
        scores = {word: _score(crop, word) for word, (kind, _, _) in WORDS.items() if kind == "secrecy"}
        word = _best(scores)
        if scores[word] < (GRAY_POSSIBLE if framing >= FRAMED else GRAY_ALONE):
            continue
        kind = "secrecy" if scores[word] >= GRAY_SURE and framing >= CLEARLY_FRAMED else "possible"
        slug = WORDS[word][1] if kind == "secrecy" else Level.TUYET_MAT.slug
        yield StampFind(kind, word, slug, round(scores[word], 3), _box(frame, gray))


def _is_grainy(gray: Pixels) -> bool:
    """Say whether a gray page is too poor to be cleared: 7 of 36 stamps stayed unseen on such copies, 0 of 72 else."""
    detail = np.abs(gray.astype(np.int16) - cv2.blur(gray, (3, 3)))
    return float(np.median(detail[gray >= np.median(gray)])) > GRAINY


def _peaks(ink: Ink) -> Iterator[tuple[float, float]]:
    """Yield where "MẬT" stands in a gray page, best first, at most three places."""
    best = np.zeros(ink.shape, np.float32)
    for template in _templates()["MẬT"][::2]:
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
        crop = _upright(ink, Frame(x, y, 15 * DPI / 25.4, 14 * DPI / 25.4, float(lean), 0.0))
        dark = (crop > np.percentile(crop, 50) + 0.35 * (np.percentile(crop, 97) - np.percentile(crop, 50))).mean(
            axis=1
        )
        middle = len(dark) // 2
        above, below = dark[middle - 23 : middle - 10], dark[middle + 10 : middle + 23]
        if above.size and below.size:
            framing = float(min(above.max() - above.min(), below.max() - below.min()))
            best, best_lean = max((best, best_lean), (framing, float(lean)))
    return best, best_lean


def _best(scores: dict[str, float]) -> str:
    """Return the best word; of two that lie near each other the longer, which is the higher grade."""
    if not scores:
        return ""
    top = max(scores.values())
    near = [word for word, score in scores.items() if score >= RATIO * top]
    best = max(scores, key=lambda word: scores[word])
    longer = [word for word in near if word.endswith(best) and scores[word] >= SURE]
    return max(longer, key=len) if longer else best


def _highest(width: float) -> str:
    """Return the highest level whose stamp may be this wide, in millimetres."""
    levels = [(form, slug) for kind, slug, form in WORDS.values() if kind == "secrecy" and form <= width + WIDTH_SLACK]
    return max(levels, default=(20, Level.MAT.slug))[1]


def _upright(ink: Ink, frame: Frame) -> Ink:
    """Cut the patch out, turned level."""
    matrix = cv2.getRotationMatrix2D((frame.x, frame.y), frame.angle, 1)
    width, height = round(frame.width) + 8, round(frame.height) + 8
    matrix[:, 2] += np.array([width / 2 - frame.x, height / 2 - frame.y])
    return cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR)


def _score(crop: Ink, word: str) -> float:
    """Return how well a word stands in a crop, 0-1, over all faces and sizes."""
    best = 0.0
    crop = crop + _grain(crop.shape)
    for template in _templates()[word]:
        if template.shape[0] <= crop.shape[0] and template.shape[1] <= crop.shape[1]:
            best = max(best, float(cv2.matchTemplate(crop, template, cv2.TM_CCOEFF_NORMED).max()))
    return best


@lru_cache(64)
def _grain(shape: tuple[int, ...]) -> Ink:
    """Return faint fixed grain: bare paper without any would compare as equal to every word."""
    return np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)


@cache
def _templates() -> dict[str, tuple[Ink, ...]]:
    """Return each word in every face and size, softened as a scanner softens ink."""
    made: dict[str, list[Ink]] = {word: [] for word in WORDS}
    with np.load(TEMPLATES, allow_pickle=False) as drawn:
        for name in drawn.files:
            word = name.partition("|")[0]
            made[word] += _sizes(drawn[name])
    return {word: tuple(templates) for word, templates in made.items()}


def _sizes(drawn: Pixels) -> Iterable[Ink]:
    for em in SIZES:
        small = cv2.resize(drawn, None, fx=em / EM, fy=em / EM, interpolation=cv2.INTER_AREA)
        yield cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32)


def _box(frame: Frame, ink: Ink) -> Box:
    corners = cv2.boxPoints(((frame.x, frame.y), (frame.width, frame.height), frame.angle))
    height, width = ink.shape
    parts = corners * np.array([10_000 / width, 10_000 / height])
    (x0, y0), (x1, y1) = parts.min(axis=0), parts.max(axis=0)
    return tuple(min(10_000, max(0, round(float(edge)))) for edge in (x0, y0, x1, y1))  # type: ignore[return-value]
