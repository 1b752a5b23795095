"""Make one page of pixels easy to read: measure what is wrong with it, then repair only that.

Nothing here is applied blindly: on clean real scans the full repair loses up to
3.5 points of word recall, on bad ones it wins 35 (config/decisions/ocr.md). The
page itself is never changed: a cleaned copy knows the way back, so that every
word lands on the untouched image. No Django, no files; runs inside the cell.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from archive.rules.page import Box

Pixels = NDArray[Any]  # rows of bytes; OpenCV does not say more of what it returns
Points = NDArray[np.float32]

PAPER: Final = 255
RED_EXCESS: Final = 26  # red above the stronger of green and blue, paper taken as white
RED_SHARE: Final = 0.0004  # a 20 x 8 mm stamp covers about this part of an A4 page
EVEN_PAPER: Final = 18  # gray levels the paper may vary before its light is evened out
NOISY: Final = 4.2  # gray levels; scans measure 0-1, grainy ones 3, photocopies of photocopies 5
STRAIGHT: Final = 0.7  # degrees; Tesseract bears more, and turning real scans by less lost 2-3 points of word recall
KEYSTONE: Final = 0.5  # degrees the lines' slope may differ between top and foot
PROFILE_WIDTH: Final = 600
BLACK, WHITE, FEW = 40, 215, 0.002
SOFTEN: Final = 0.7  # four two-toned pages: 1.56 % character errors raw, 1.21 at 0.5, 0.91 at 0.8
_BANDS: Final = 5
_BARE: Final = 200  # of 255: lighter than this is paper
COLOURED: Final = 14  # levels between channels beyond the paper's own: ink of a stamp, not print
_STILL_PRINT: Final = 62
_STILL_RED: Final = 120  # ink darker than this under a stamp is print
_HAS_INK: Final = 0.01
_STRAY: Final = 0.5  # degrees a band may lie off the line through all bands


@dataclass(frozen=True, slots=True)
class Measure:
    """What the pixels say: slope of the lines in degrees, unevenness and noise in gray levels, share of red ink.

    `is_two_toned`: black and white only, as fax and office copiers scan; their jagged letters read better softened.
    """

    slopes: tuple[float, ...]
    spread: float
    noise: float
    ink: float
    red: float
    is_sideways: bool
    is_two_toned: bool = False

    @property
    def slope(self) -> float:
        """The slope of the page as a whole."""
        return float(np.median(self.slopes))

    @property
    def keystone(self) -> float:
        """How much the slope changes from top to foot: a photographed page, not a scanned one."""
        return self.slopes[-1] - self.slopes[0]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which repairs to make; the plain recipe only takes the gray of the page."""

    drop_red: bool = False
    even_light: bool = False
    blur: float = 0.0
    stretch: bool = False
    slopes: tuple[float, ...] = (0.0,)
    erase: tuple[Box, ...] = ()  # stamps of any colour that lie over print; ten-thousandths of the page


PLAIN: Final = Recipe()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A gray copy fit for reading, and the way back to the page it was made from."""

    gray: Pixels
    recipe: Recipe
    page_size: tuple[int, int]  # width, height in pixels

    def to_page(self, box: tuple[float, float, float, float]) -> Box:
        """Map a box of the cleaned copy (left, top, right, bottom in pixels) to ten-thousandths of the page."""
        left, top, right, bottom = box
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        back = _page_points(corners, self.recipe.slopes, self.page_size)
        width, height = self.page_size
        (x0, y0), (x1, y1) = back.min(axis=0), back.max(axis=0)
        return (_part(x0, width), _part(y0, height), _part(x1, width), _part(y1, height))

    def from_page(self, box: Box) -> tuple[int, int, int, int]:
        """Map a box of the page (ten-thousandths) to pixels of the cleaned copy; near enough for cutting out."""
        width, height = self.page_size
        left, top, right, bottom = (
            part * whole / 10_000 for part, whole in zip(box, (width, height, width, height), strict=True)
        )
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        there = _copy_points(corners, self.recipe.slopes, self.page_size)
        (x0, y0), (x1, y1) = there.min(axis=0), there.max(axis=0)
        return int(max(0, x0)), int(max(0, y0)), int(max(1, x1)), int(max(1, y1))


def measure(page: Pixels) -> Measure:
    """Measure one upright RGB page; about 0.03 CPU seconds at 200 dpi."""
    gray = page[:, :, 0]
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = _paper(half)
    flat = cv2.divide(half, paper, scale=PAPER)
    dark = _profile_copy(flat)
    slopes, is_sideways = _slopes(dark)
    low, high = np.percentile(paper[::4, ::4], [4, 96])
    return Measure(
        slopes=slopes,
        spread=float(high - low),
        noise=_noise(gray, flat),
        ink=float(np.percentile(flat[::2, ::2], 1)),
        red=red_share(page),
        is_sideways=is_sideways,
        is_two_toned=bool(np.mean((gray[::3, ::3] > BLACK) & (gray[::3, ::3] < WHITE)) < FEW),
    )


def choose(found: Measure, *, erase: tuple[Box, ...] = ()) -> Recipe:
    """Return the repairs this page needs and no others; `erase` are the boxes of coloured stamps to take out."""
    is_noisy = found.noise > NOISY
    uneven = found.spread > EVEN_PAPER
    slopes: tuple[float, ...] = (found.slope if abs(found.slope) > STRAIGHT else 0.0,)
    if abs(found.keystone) > KEYSTONE:
        slopes = found.slopes
    return Recipe(
        drop_red=found.red > RED_SHARE,
        even_light=uneven or is_noisy,
        blur=1.0 if is_noisy else SOFTEN if found.is_two_toned else 0.0,
        stretch=is_noisy,
        slopes=slopes,
        erase=erase,
    )


def other(recipe: Recipe) -> Recipe:
    """Return the recipe to try when the first reading was poor: the full repair, or less of it."""
    if recipe.even_light:
        return replace(recipe, even_light=recipe.blur > 0, blur=0.0 if recipe.blur else 0.7, stretch=False)
    return replace(recipe, even_light=True, blur=0.8, stretch=True)


def clean(page: Pixels, recipe: Recipe) -> Cleaned:
    """Return a gray copy of an RGB page after the recipe's repairs."""
    gray = page[:, :, 0] if recipe.drop_red else cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    if recipe.even_light:
        gray = _even(gray)
    if recipe.drop_red:
        gray = _without_red(gray, page)
    for box in recipe.erase:
        gray = _without_colour(gray, page, box)
    if recipe.blur:
        gray = cv2.GaussianBlur(gray, (0, 0), recipe.blur)
    if recipe.stretch:
        gray = _stretch(gray)
    height, width = gray.shape
    return Cleaned(_straighten(gray, recipe.slopes), recipe, (width, height))


def turn(page: Pixels, quarters: int) -> Pixels:
    """Turn a page counter-clockwise by quarters of a circle."""
    return np.ascontiguousarray(np.rot90(page, quarters % 4))


def red_share(page: Pixels) -> float:
    """Return the part of the page covered by red ink, 0-1."""
    small = page[::4, ::4].astype(np.int16)
    excess = small[:, :, 0] - np.maximum(small[:, :, 1], small[:, :, 2])
    # Yellowed or pinkish paper is red all over: only what stands out from it is ink.
    return float(np.mean(excess - np.median(excess) > RED_EXCESS))


def _part(value: float, whole: int) -> int:
    return int(min(10_000, max(0, round(value * 10_000 / whole))))


def _paper(half: Pixels) -> Pixels:
    """Return the brightness of the bare paper at each point of a half-size gray page.

    Closing keeps the edge of a shadow where it is; the wide blur of the usual
    recipe left a photographed page at 14 % character errors.
    """
    closed = cv2.morphologyEx(half, cv2.MORPH_CLOSE, np.ones((13, 13), np.uint8))
    return np.maximum(cv2.GaussianBlur(closed, (0, 0), 3), 1)


def _even(gray: Pixels) -> Pixels:
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(_paper(half), (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(gray, paper, scale=PAPER)


def _without_red(gray: Pixels, page: Pixels) -> Pixels:
    """Whiten what is red and not also black: the seal goes, the signature under it stays."""
    excess = cv2.subtract(page[:, :, 0], cv2.max(page[:, :, 1], page[:, :, 2]))
    excess = cv2.GaussianBlur(excess, (0, 0), 1.0)
    base = int(np.median(excess[::8, ::8]))
    red = (excess > base + RED_EXCESS) & (gray > _STILL_RED)
    return np.where(red, np.uint8(PAPER), gray)


def _without_colour(gray: Pixels, page: Pixels, box: Box) -> Pixels:
    """Whiten coloured ink inside one box: an incoming stamp hides the title it was pressed over."""
    height, width = gray.shape
    left, top, right, bottom = (
        round(part * whole / 10_000) for part, whole in zip(box, (width, height, width, height), strict=True)
    )
    area = (slice(top, bottom + 1), slice(left, right + 1))
    inside = cv2.GaussianBlur(page[area], (0, 0), 0.8).astype(np.int16)
    spread = inside.max(axis=2) - inside.min(axis=2)
    coloured = (spread > int(np.median(spread)) + COLOURED).astype(np.uint8)
    coloured = cv2.dilate(coloured, np.ones((3, 3), np.uint8)).astype(bool)
    gray = gray.copy()
    gray[area] = np.where(coloured & (gray[area] > _STILL_PRINT), np.uint8(PAPER), gray[area])
    return gray


def _stretch(gray: Pixels) -> Pixels:
    """Map ink to black and paper to white; faint copies keep their grain below white."""
    low = float(np.percentile(gray[::4, ::4], 1))
    steps = np.clip((np.arange(256) - low) / max(30.0, 225 - low), 0, 1) * PAPER
    return cv2.LUT(gray, steps.astype(np.uint8))


def _noise(gray: Pixels, flat: Pixels) -> float:
    """Return the grain of bare paper in gray levels (standard deviation of the fine detail away from ink)."""
    height, width = flat.shape
    rows, columns = slice(height // 4, height // 2), slice(width // 8, 7 * width // 8)
    bare = cv2.erode((flat[rows, columns] > _BARE).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    part = gray[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
    detail = part.astype(np.int16) - cv2.blur(part, (5, 5)).astype(np.int16)
    grains = np.abs(detail[::2, ::2][: bare.shape[0], : bare.shape[1]][bare])
    return float(np.mean(grains)) * 1.25 if grains.size else 0.0


def _profile_copy(flat: Pixels) -> NDArray[np.float32]:
    """Return a small copy with 1 for ink and 0 for paper, without its margins."""
    height, width = flat.shape
    scale = min(PROFILE_WIDTH / width, 2 * PROFILE_WIDTH / height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(flat, size, interpolation=cv2.INTER_AREA)
    level = min(cv2.threshold(small, 0, PAPER, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0], 235)
    dark = (small < level).astype(np.float32)
    edge = max(1, size[0] // 24)
    dark[:, :edge] = dark[:, -edge:] = 0
    return dark


def _slopes(dark: NDArray[np.float32]) -> tuple[tuple[float, ...], bool]:
    """Return the lines' slope in each band from top to foot, and whether lines run upwards instead."""
    whole, strength = _slope(dark, np.arange(-5.0, 5.01, 0.5))
    whole, strength = _slope(dark, np.arange(whole - 0.4, whole + 0.41, 0.1))
    upright = _slope(np.ascontiguousarray(dark.T), np.arange(-2.0, 2.01, 1.0))[1]
    third = dark.shape[0] // 3
    around = np.arange(whole - 4.5, whole + 4.51, 0.75)
    if abs(_slope(dark[:third], around)[0] - _slope(dark[-third:], around)[0]) < KEYSTONE:
        return (whole,) * _BANDS, upright > 1.5 * strength
    return _line_through([_band_slope(band, whole) for band in np.array_split(dark, _BANDS)], whole), False


def _band_slope(band: NDArray[np.float32], whole: float) -> float:
    if band.mean() < _HAS_INK:
        return float("nan")
    coarse = _slope(band, np.arange(whole - 4.5, whole + 4.51, 0.5))[0]
    return _slope(band, np.arange(coarse - 0.4, coarse + 0.41, 0.2))[0]


def _line_through(bands: list[float], whole: float) -> tuple[float, ...]:
    """Fit a straight line through the bands' slopes; noise of single bands must not bend a good page."""
    known = [(i, s) for i, s in enumerate(bands) if not np.isnan(s)]
    if len(known) < _BANDS - 1:
        return (whole,) * _BANDS
    places, slopes = np.array(known, float).T
    rise, start = np.polyfit(places, slopes, 1)
    miss = np.abs(slopes - (start + rise * places)).max()
    if miss > _STRAY or abs(rise) * (_BANDS - 1) < KEYSTONE:
        return (whole,) * _BANDS
    return tuple(float(start + rise * i) for i in range(_BANDS))


def _slope(dark: NDArray[np.float32], angles: NDArray[np.float64]) -> tuple[float, float]:
    """Return the angle whose rows are most clearly lines and gaps, and how clear they are."""
    height, width = dark.shape
    best, strength = 0.0, -1.0
    for angle in angles:
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(angle), 1)
        rows = cv2.warpAffine(dark, matrix, (width, height), flags=cv2.INTER_NEAREST).sum(axis=1)
        score = float(np.square(np.diff(rows)).sum()) / max(1, width)
        if score > strength:
            best, strength = float(angle), score
    return best, strength


def _page_points(points: Points, slopes: tuple[float, ...], size: tuple[int, int]) -> Points:
    """Return where points of the straightened copy lie on the page."""
    width, height = size
    middle = float(np.median(slopes))
    points = points.astype(np.float32).copy()
    if len(set(slopes)) > 1:
        centres = (np.arange(len(slopes)) + 0.5) * height / len(slopes)
        rise, start = np.polyfit(centres, np.array(slopes) - middle, 1)
        points[:, 1] += np.tan(np.radians(start + rise * points[:, 1])) * (points[:, 0] - width / 2)
    matrix = cv2.invertAffineTransform(cv2.getRotationMatrix2D((width / 2, height / 2), middle, 1))
    back: Points = (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return back


def _copy_points(points: Points, slopes: tuple[float, ...], size: tuple[int, int]) -> Points:
    """Return where points of the page lie on the straightened copy: the way back, undone by its own error."""
    there = points.copy()
    for _ in range(4):
        there += points - _page_points(there, slopes, size)
    return there


def _straighten(gray: Pixels, slopes: tuple[float, ...]) -> Pixels:
    height, width = gray.shape
    if not any(slopes):
        return gray
    if len(set(slopes)) == 1:
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), slopes[0], 1)
        return cv2.warpAffine(gray, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=PAPER)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    source = _page_points(np.stack([x.ravel(), y.ravel()], axis=1), slopes, (width, height))
    across, down = source[:, 0].reshape(height, width), source[:, 1].reshape(height, width)
    return cv2.remap(gray, across, down, cv2.INTER_CUBIC, borderValue=PAPER)
