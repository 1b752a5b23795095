"""Find the red stamps of a page: secrecy, urgency, arrival, the seal. Evidence, never the only gate.

Reading the page's text finds 7 % of secrecy stamps on bad copies; a red box whose
width names its class and whose word is compared with templates finds them all. Fail-safe:
red ink of a stamp's size in the head that is not surely read as something harmless is
"possible", at the highest grade its size allows; so is what is left of a patch of several
stamps when the read ones are taken away. Nothing found proves nothing, and a page without
colour says so ("unclear"). Runs on the page before red is removed. No Django.
"""

from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np

from archive.rules.levels import Level
from archive.rules.page import Box
from ingest import stamp_gray, stamp_ink, stamp_words
from ingest.stamp_find import UNCLEAR, StampFind
from ingest.stamp_ink import DPI, HEAD_MM, MM, Frame, Ink, Mask, Patch, Pixels, box_of
from ingest.stamp_words import EM, SURE, TEMPLATES, WORDS, Spot

__all__ = ["DPI", "EM", "SURE", "TEMPLATES", "UNCLEAR", "WORDS", "StampFind", "find", "look"]

SURE_WIDE: Final = (
    0.58  # of an urgency word in a box so wide that two stamps may stand in it: MẬT and KHẨN, worn, scored 0.50
)
WIDE: Final = 38.0
SURE_BELOW: Final = 0.7  # below the head stand red names and posts of signers: 0.51 and 0.62 on two real pages
SURE_LOOSE: Final = 0.72  # a word looked for all over a patch: "MẬT" scores up to 0.70 in the lines of 43 "ĐẾN" stamps
HIDDEN: Final = 0.55  # "MẬT" beside another word of the same box; 0.46 at most in 38 urgency stamps
HIDDEN_THIN: Final = 0.63  # in worn "ĐẾN" stamps of the smallest form: 0.62 at most
CLOSED: Final = 0.6  # of each side of a frame that shows: 0.63 to 1.0 on 87 of 88 stamps, worn ones too
WIDTH_SLACK: Final = 7.0  # mm a stamp may be wider or narrower than its form
BOX_WIDTH: Final = (12.0, 60.0)
BOX_HEIGHT: Final = (5.0, 14.0)
ONE_HIGH: Final = 11.5  # mm: above this a box is not one stamp alone
SQUARE: Final = 1.25  # a seal's width is at most this much of its height
SEAL: Final = (24.0, 46.0)
ARRIVAL: Final = ((30.0, 66.0), (14.0, 40.0))  # mm: 48 x 20 to 60 x 38
SMALL_ARRIVAL: Final = ((30.0, 52.0), (14.0, 23.0))
THIN_FILL: Final = 0.25  # two stamps have at least 0.4 together, worn ones too
ARRIVAL_FILL: Final = (
    0.42  # of its rectangle that is ink: 0.33 at most in 43 "ĐẾN" stamps; two stamps in one patch have 0.5
)
LEANING: Final = 20.0  # degrees: stamps lean less, strokes of a red pen more
PICTURE: Final = (110.0, 90.0)  # mm: larger is a picture or a coloured form, not stamps
HALF_FILLED: Final = 0.2
SOLID: Final = 0.85  # part of a box that is ink: an emblem or a bar of colour
THIN: Final = (7.0, 0.3)  # mm, and part of a side that shows: coloured edges of print, where a scanner's lines slipped
LEFT_OVER: Final = (6.0, 2.5)  # mm of ink beside the stamps that were read
WORN: Final = (10.0, 2.0)  # mm around a word of its frame: height, and beyond the form's width
GRAY_SPREAD: Final = 6  # levels between channels: rounding, not colour


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
    if is_gray(small):
        gray = small[:, :, 0]
        return list(stamp_gray.find(gray)) or ([UNCLEAR] if stamp_gray.is_grainy(gray) else [])
    ink = stamp_ink.redness(small)
    found = [seen for patch in stamp_ink.patches(ink) for seen in _named(ink, patch)]
    found += [seen for seen in _blue_arrivals(small) if not any(_meet(seen.box, other.box) for other in found)]
    return sorted(found, key=lambda seen: seen.box[1])


def is_gray(small: Pixels) -> bool:
    """Say whether a page has no colour at all, whatever its file claims."""
    sample = small[::3, ::3].astype(np.int16)
    return int((sample.max(axis=2) - sample.min(axis=2)).max(initial=0)) <= GRAY_SPREAD


def _blue_arrivals(small: Pixels) -> Iterator[StampFind]:
    """Yield incoming stamps in blue or violet ink, the usual pads of a registry."""
    head = small[: round(HEAD_MM * MM)]
    ink = stamp_ink.redness(head[:, :, ::-1])
    part = head.shape[0] / small.shape[0]
    for patch in stamp_ink.patches(ink):
        if _fits(patch.frame, ARRIVAL):
            left, top, right, bottom = box_of(patch.frame, ink)
            yield StampFind("arrival", "ĐẾN", "", 1.0, (left, round(top * part), right, round(bottom * part)))


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# --- one patch of red ink ---------------------------------------------------------------------------------


def _named(ink: Ink, patch: Patch) -> list[StampFind]:
    """Say what a patch of red ink is: one stamp, several, or something that could be one."""
    if patch.frame.y > HEAD_MM * MM:
        seen = _below_head(ink, patch)
        return [seen] if seen else []
    if max(patch.frame.mm) > PICTURE[0] or min(patch.frame.mm) > PICTURE[1]:
        return []
    parts = stamp_ink.parts(ink, patch)
    if len(parts) > 1 and all(_is_whole(part) for part in parts):
        read = [seen for part in parts if (seen := _one(ink, part))]
        if len(read) == len(parts):
            return read
    seen = _one(ink, patch)
    if seen:
        return [seen]
    is_one = len(parts) == 1 and _is_one_high(patch) and _secret_score(ink, patch) < SURE_LOOSE
    return _unread(ink, patch) if is_one else _several(ink, patch)


def _is_whole(part: Patch) -> bool:
    """Return whether a part has its own frame all round; worn halves of one stamp have not."""
    return stamp_ink.least_side(part) >= CLOSED or stamp_ink.is_round(part)


def _below_head(ink: Ink, patch: Patch) -> StampFind | None:
    if _is_box(patch.frame) and not _is_stroke(patch.frame):
        word, score = _word(ink, patch.frame)
        if score >= SURE_BELOW:
            return _read(word, score, box_of(patch.frame, ink))
    if _is_seal(patch):
        return StampFind("seal", "", "", 1.0, box_of(patch.frame, ink))
    return None


def _one(ink: Ink, patch: Patch) -> StampFind | None:
    """Return what is surely one stamp or seal, None where there is doubt."""
    box = box_of(patch.frame, ink)
    if stamp_ink.is_round(patch):
        return StampFind("seal", "", "", 1.0, box)
    if _is_one_high(patch):
        word, score = _word(ink, patch.frame)
        is_secret = bool(word) and WORDS[word][0] == "secrecy"
        sure = SURE if is_secret or patch.frame.mm[0] < WIDE else SURE_WIDE
        is_read = score >= sure and (is_secret or not _hides_secret(ink, patch, word))
        return _read(word, score, box) if is_read else None
    return _arrival(ink, patch, box) if _fits(patch.frame, ARRIVAL) else None


def _arrival(ink: Ink, patch: Patch, box: Box) -> StampFind | None:
    crop = stamp_ink.upright(ink, patch.frame)
    score = stamp_words.score(crop, "ĐẾN")
    if score < SURE or patch.frame.fill > ARRIVAL_FILL:
        return None
    if stamp_ink.least_side(patch) >= CLOSED:
        is_alone = stamp_words.score(crop, "MẬT") < SURE_LOOSE
    else:  # another stamp may lie over it, at any lean, unless it is too small and too thin for two
        is_small = _fits(patch.frame, SMALL_ARRIVAL) and patch.frame.fill <= THIN_FILL
        is_alone = stamp_words.leaning_score(crop, "MẬT") < (HIDDEN_THIN if is_small else HIDDEN)
    return StampFind("arrival", "ĐẾN", "", round(score, 3), box) if is_alone else None


def _several(ink: Ink, patch: Patch) -> list[StampFind]:
    """Read the words of a patch wherever they stand; what is left beside their frames could be anything."""
    own = _alone(ink, patch)
    spots = stamp_words.spots(own, sure=SURE_LOOSE)
    framed = [(_around(spot, patch), spot) for spot in spots]
    found = [_read(spot.word, spot.score, box_of(frame, ink)) for frame, spot in framed]
    rest = patch.mask.copy()
    for frame, _ in framed:
        _take_away(rest, frame, patch)
    return found + (_unread(ink, patch) if _is_left(rest) else [])


def _unread(ink: Ink, patch: Patch) -> list[StampFind]:
    """Return a patch as what it could be at worst; strokes of a pen and blocks of colour are none."""
    frame = patch.frame
    is_edge = frame.mm[1] < THIN[0] and stamp_ink.least_side(patch) < THIN[1] and frame.fill < HALF_FILLED
    if frame.fill > SOLID or frame.mm[1] < BOX_HEIGHT[0] or is_edge or (_is_box(frame) and _is_stroke(frame)):
        return []
    word, score = _word(ink, frame) if _is_box(frame) else ("", 0.0)
    return [StampFind("possible", word, _highest(max(frame.mm)), round(score, 3), box_of(frame, ink))]


def _read(word: str, score: float, box: Box) -> StampFind:
    kind, slug, _ = WORDS[word]
    return StampFind(kind, word, slug, round(score, 3), box)


def _word(ink: Ink, frame: Frame) -> tuple[str, float]:
    """Return the word that stands best in a box, among those whose stamp may be so wide."""
    crop = stamp_ink.upright(ink, frame)
    allowed = [word for word, (_, _, form) in WORDS.items() if word != "ĐẾN" and abs(frame.mm[0] - form) <= WIDTH_SLACK]
    scores = {word: stamp_words.score(crop, word) for word in allowed}
    word = stamp_words.best(scores)
    return word, scores.get(word, 0.0)


def _hides_secret(ink: Ink, patch: Patch, word: str) -> bool:
    """Return whether "MẬT", the end of every secrecy stamp, stands in a box beside the word that was read."""
    crop = stamp_ink.upright(ink, patch.frame)
    return stamp_words.score(stamp_words.without(crop, stamp_words.spot(crop, word)), "MẬT") >= HIDDEN


def _secret_score(ink: Ink, patch: Patch) -> float:
    return stamp_words.score(stamp_ink.upright(ink, patch.frame), "MẬT")


def _is_one_high(patch: Patch) -> bool:
    return _is_box(patch.frame) and patch.frame.mm[1] <= ONE_HIGH


def _is_box(frame: Frame) -> bool:
    width, height = frame.mm
    return BOX_WIDTH[0] <= width <= BOX_WIDTH[1] and BOX_HEIGHT[0] <= height <= BOX_HEIGHT[1]


def _is_stroke(frame: Frame) -> bool:
    return abs(frame.angle) > LEANING and frame.width / max(1.0, frame.height) > SQUARE


def _is_seal(patch: Patch) -> bool:
    width, height = patch.frame.mm
    return SEAL[0] <= width <= SEAL[1] and width / height < SQUARE


def _fits(frame: Frame, form: tuple[tuple[float, float], tuple[float, float]]) -> bool:
    return all(least <= side <= most for side, (least, most) in zip(frame.mm, form, strict=True))


def _highest(width: float) -> str:
    """Return the highest level whose stamp may be this wide, in millimetres."""
    levels = [(form, slug) for kind, slug, form in WORDS.values() if kind == "secrecy" and form <= width + WIDTH_SLACK]
    return max(levels, default=(20, Level.MAT.slug))[1]


# --- a patch of several stamps ----------------------------------------------------------------------------


def _alone(ink: Ink, patch: Patch) -> Ink:
    """Return the patch's own ink on bare paper."""
    near = cv2.dilate(patch.mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    own: Ink = cv2.copyMakeBorder(ink[patch.area] * near, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=0.0)
    return own


def _around(spot: Spot, patch: Patch) -> Frame:
    """Return the frame that a word's stamp has around it, on the page."""
    width = max(WORDS[spot.word][2] * MM, spot.width + 3 * MM)
    return Frame(spot.x - 12 + patch.x, spot.y - 12 + patch.y, width, 8 * MM, spot.lean, 0.0)


def _take_away(rest: Mask, frame: Frame, patch: Patch) -> None:
    size = (frame.width + WORN[1] * MM, WORN[0] * MM)
    corners = cv2.boxPoints(((frame.x - patch.x, frame.y - patch.y), size, frame.angle))
    blank = np.zeros(rest.shape, np.uint8)
    cv2.fillPoly(blank, [corners.round().astype(np.int32)], 1)
    rest &= blank == 0


def _is_left(rest: Mask) -> bool:
    """Return whether ink is left that is more than the rim of a frame."""
    closed = cv2.morphologyEx(rest.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(closed)
    sides = [(int(width), int(height)) for _, _, width, height, _ in stats[1:count]]
    return any(max(each) >= LEFT_OVER[0] * MM and min(each) >= LEFT_OVER[1] * MM for each in sides)
