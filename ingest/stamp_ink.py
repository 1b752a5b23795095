"""Red ink on a page: how red each point is, and the patches that are large enough to be a stamp or a seal.

Ink of two stamps that stand close runs together into one patch; `parts` takes it apart
where paper still shows between them. Says nothing about meaning. No Django.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from archive.rules.page import Box

Pixels = NDArray[Any]
Ink = NDArray[Any]
Mask = NDArray[np.bool_]

DPI: Final = 100  # working resolution; letters of 14 pt stand 13 px high
MM: Final = DPI / 25.4
HEAD_MM: Final = 120.0  # from the top: where secrecy, urgency and arrival are stamped
FAINT: Final = 6.0  # redness of the faintest worn ink counted: paper 0, pure red 255
INK: Final = 11.0  # redness the stronger tenth of a mark must reach; black print on yellowed paper stays below
JOIN: Final = (13, 9)  # working pixels of lost ink bridged: a worn frame is many pieces
NARROWER: Final = ((9, 5), (5, 3))  # the same where a patch may be two stamps: an office sets them 1 to 3 mm apart
GRAIN: Final = 4.5  # robust deviations above the paper's own redness
SHARP: Final = 0.4  # part of a patch's strong ink: between two stamps lies only what the scanner blurred
LEAST: Final = (12.0, 5.0)  # mm; the smallest secrecy stamp is 20 x 8
ROUND: Final = (7.5, 23.0)  # mm, radius of a seal; that of an electronic signature is drawn small
RING: Final = 0.12  # part of the radius in which a seal's rim lies
RIM: Final = 0.6  # part of the rim that must show: a signature or a name lies over the rest
SECTORS: Final = 36
EDGE: Final = 2.0  # mm in which a frame's line lies: worn, bent, leaning less than its rectangle


class Frame(NamedTuple):
    """A patch as a turned rectangle: centre, width and height in working pixels, degrees, fill 0-1."""

    x: float
    y: float
    width: float
    height: float
    angle: float
    fill: float

    @property
    def mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        return self.width / MM, self.height / MM


class Patch(NamedTuple):
    """Ink that belongs together: its rectangle, its points, and where they lie on the page."""

    frame: Frame
    mask: Mask
    x: int
    y: int

    @property
    def area(self) -> tuple[slice, slice]:
        """The patch's rows and columns on the page."""
        return slice(self.y, self.y + self.mask.shape[0]), slice(self.x, self.x + self.mask.shape[1])


def redness(small: Pixels) -> Ink:
    """Return how red each point is against the paper around it, 0-255."""
    paper = np.maximum(np.median(small[::4, ::4].reshape(-1, 3), axis=0), 40).astype(np.float32)
    scaled = cv2.GaussianBlur(small, (0, 0), 0.7).astype(np.float32) * (255 / paper)
    excess = scaled[:, :, 0] - np.maximum(scaled[:, :, 1], scaled[:, :, 2])
    red: Ink = np.clip(excess, 0, 255)
    return red


def patches(ink: Ink) -> Iterator[Patch]:
    """Yield the patches that are large enough to be a stamp or a seal."""
    sample = ink[::3, ::3]
    middle = float(np.median(sample))
    grain = float(np.median(np.abs(sample - middle))) * 1.48
    for patch in _joined(ink > max(FAINT, middle + GRAIN * grain), JOIN):
        if _strength(ink, patch) >= INK:
            yield patch


def parts(ink: Ink, patch: Patch) -> list[Patch]:
    """Return the stamps that a patch consists of, as far as paper shows between them; else the patch alone."""
    sharp = patch.mask & (ink[patch.area] > max(FAINT, SHARP * _strength(ink, patch)))
    for bridge in NARROWER:
        found = _outer([_moved(part, patch) for part in _joined(sharp, bridge)])
        if len(found) > 1:
            return found
    return [patch]


def is_round(patch: Patch) -> bool:
    """Return whether ink lies around a circle of a seal's size, most of the way."""
    rows, columns = np.nonzero(patch.mask)
    (x, y), radius = cv2.minEnclosingCircle(np.stack([columns, rows], axis=1).astype(np.float32))
    if not ROUND[0] * MM <= radius <= ROUND[1] * MM:
        return False
    return _rim(columns - x, rows - y, radius) >= RIM


def least_side(patch: Patch) -> float:
    """Return how much of its least inked side a rectangle's rim shows, 0-1: a single frame shows all four."""
    frame = patch.frame._replace(x=patch.frame.x - patch.x, y=patch.frame.y - patch.y)
    thick = cv2.dilate(patch.mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    level: Mask = np.asarray(upright(thick, frame) > 0)
    deep = min(round(4 + EDGE * MM), min(level.shape) // 3)
    sides = (
        level[:deep].any(axis=0),
        level[-deep:].any(axis=0),
        level[:, :deep].any(axis=1),
        level[:, -deep:].any(axis=1),
    )
    return min(float(np.asarray(side)[deep:-deep].mean()) for side in sides)


def upright(ink: Ink, frame: Frame) -> Ink:
    """Cut a frame out, turned level."""
    matrix = cv2.getRotationMatrix2D((frame.x, frame.y), frame.angle, 1)
    width, height = round(frame.width) + 8, round(frame.height) + 8
    matrix[:, 2] += np.array([width / 2 - frame.x, height / 2 - frame.y])
    return cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR)


def box_of(frame: Frame, page: Ink) -> Box:
    """Return the box around a frame, in ten-thousandths of the page."""
    corners = cv2.boxPoints(((frame.x, frame.y), (frame.width, frame.height), frame.angle))
    height, width = page.shape
    edges = corners * np.array([10_000 / width, 10_000 / height])
    (x0, y0), (x1, y1) = edges.min(axis=0), edges.max(axis=0)
    return tuple(min(10_000, max(0, round(float(edge)))) for edge in (x0, y0, x1, y1))  # type: ignore[return-value]


def _joined(mask: Mask, bridge: tuple[int, int]) -> Iterator[Patch]:
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, bridge))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    for label in range(1, count):
        x, y, width, height, _area = (int(edge) for edge in stats[label])
        if max(width, height) < LEAST[0] * MM or min(width, height) < LEAST[1] * MM:
            continue
        area = (slice(y, y + height), slice(x, x + width))
        inside = (labels[area] == label) & mask[area]
        if inside.any():
            yield Patch(_frame(inside, x, y), inside, x, y)


def _frame(mask: Mask, x: int, y: int) -> Frame:
    rows, columns = np.nonzero(mask)
    (cx, cy), (width, height), angle = cv2.minAreaRect(np.stack([columns, rows], axis=1).astype(np.float32))
    if width < height:
        width, height, angle = height, width, angle + 90
    angle = (angle + 90) % 180 - 90
    return Frame(cx + x, cy + y, width, height, angle, float(mask.sum() / max(1.0, width * height)))


def _moved(part: Patch, patch: Patch) -> Patch:
    frame = part.frame._replace(x=part.frame.x + patch.x, y=part.frame.y + patch.y)
    return Patch(frame, part.mask, part.x + patch.x, part.y + patch.y)


def _outer(found: list[Patch]) -> list[Patch]:
    """Drop what lies inside another part: a word in its frame. The frame's part gets the word's ink back."""
    kept = [part for part in found if not any(_holds(other, part) for other in found if other is not part)]
    whole = []
    for part in kept:
        mask = part.mask.copy()
        for inner in found:
            if inner is not part and _holds(part, inner):
                y, x = inner.y - part.y, inner.x - part.x
                mask[y : y + inner.mask.shape[0], x : x + inner.mask.shape[1]] |= inner.mask
        whole.append(part._replace(mask=mask))
    return whole


def _holds(outer: Patch, inner: Patch) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.mask.shape[1] <= outer.x + outer.mask.shape[1]
        and inner.y + inner.mask.shape[0] <= outer.y + outer.mask.shape[0]
    )


def _strength(ink: Ink, patch: Patch) -> float:
    return float(np.percentile(ink[patch.area][patch.mask], 90))


def _rim(across: NDArray[Any], down: NDArray[Any], radius: float) -> float:
    """Return the part of a circle's sectors in which ink lies near the circle."""
    away = np.hypot(across, down)
    near = np.abs(away - radius * (1 - RING / 2)) <= radius * RING
    sectors = np.floor((np.arctan2(down[near], across[near]) + np.pi) / (2 * np.pi) * SECTORS)
    return len(np.unique(sectors)) / SECTORS
