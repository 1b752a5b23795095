"""What an office scanner makes of a clean page: tilt, paper tone, uneven light, grain, specks, the next page showing through.

Works only on PDFs drawn by `paper` (trusted bytes, made a moment ago). Same bytes, same random
source: same scan. Colour is kept (secrecy stamps are found by colour), 200 dpi.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

import cv2
import numpy as np
import pikepdf
import pypdfium2
from numpy.typing import NDArray
from PIL import Image

DPI: Final = 200
POINTS_PER_INCH: Final = 72
Pixels = NDArray[Any]  # uint8, rows x columns (x RGB): OpenCV's own types promise less than it returns


@dataclass(frozen=True, slots=True)
class Wear:
    """One grade of wear. Tilt in degrees, ink and paper as grey levels, grain in grey levels, quality of JPEG."""

    tilt: float
    ink: tuple[int, int]
    paper: tuple[int, int]
    tint: tuple[float, float, float]
    grain: float
    specks: int
    bleed: float
    light: float
    blur: float
    quality: tuple[int, int]


WEARS: Final = {
    "light": Wear(0.4, (18, 34), (244, 252), (1.0, 0.997, 0.985), 2.2, 25, 0.0, 0.02, 0.45, (72, 80)),
    "office": Wear(0.9, (26, 52), (234, 246), (1.0, 0.99, 0.962), 4.0, 90, 0.035, 0.05, 0.6, (64, 76)),
    "tired": Wear(1.6, (46, 70), (214, 232), (1.0, 0.978, 0.925), 6.0, 260, 0.07, 0.09, 0.85, (60, 68)),
}


def scan(pdf: bytes, *, rng: Random, strength: str = "office") -> bytes:
    """Return the PDF as a scanner would: one aged JPEG a page, no text."""
    return as_pdf(list(sheets(pdf, rng=rng, strength=strength)))


def sheets(pdf: bytes, *, rng: Random, strength: str) -> Iterator[bytes]:
    """Yield the JPEG of each aged page, 200 dpi."""
    wear = WEARS[strength]
    clean = [_drawn(page) for page in _pages(pdf)]
    for index, image in enumerate(clean):
        back = clean[index + 1] if index + 1 < len(clean) else None
        yield _jpeg(_aged(image, back, wear, rng), rng.randint(*wear.quality))


def as_pdf(jpegs: Sequence[bytes]) -> bytes:
    """Return a PDF with each JPEG, untouched, on an A4 page of its own size."""
    held = pikepdf.new()
    for jpeg in jpegs:
        width, height = Image.open(io.BytesIO(jpeg)).size
        image = pikepdf.Stream(held, jpeg)
        image.update(
            pikepdf.Dictionary(
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=width,
                Height=height,
                ColorSpace=pikepdf.Name.DeviceRGB,
                BitsPerComponent=8,
                Filter=pikepdf.Name.DCTDecode,
            )
        )
        wide, high = (side * POINTS_PER_INCH / DPI for side in (width, height))
        held.add_blank_page(page_size=(wide, high))
        page = held.pages[-1]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        page.Contents = pikepdf.Stream(held, f"q {wide:.3f} 0 0 {high:.3f} 0 0 cm /Im0 Do Q".encode())
    out = io.BytesIO()
    held.save(out, deterministic_id=True)
    return out.getvalue()


def as_tiff(jpegs: Sequence[bytes]) -> bytes:
    """Return a multi-page TIFF of the pages; YCbCr strips, half the size of RGB ones."""
    images = [Image.open(io.BytesIO(jpeg)).convert("YCbCr") for jpeg in jpegs]
    out = io.BytesIO()
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], compression="jpeg", quality=80, dpi=(DPI, DPI))
    return out.getvalue()


def as_png(jpeg: bytes) -> bytes:
    """Return one page as PNG, in 64 colours as a thrifty scanner program writes it."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB").quantize(64, method=Image.Quantize.FASTOCTREE)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI), compress_level=6)
    return out.getvalue()


def _pages(pdf: bytes) -> Iterator[Any]:
    held = pypdfium2.PdfDocument(pdf)
    try:
        yield from (held[index] for index in range(len(held)))
    finally:
        held.close()


def _drawn(page: Any) -> Pixels:
    pixels: Pixels = page.render(scale=DPI / POINTS_PER_INCH, rev_byteorder=True).to_numpy()[:, :, :3]
    return np.ascontiguousarray(pixels)


def _aged(image: Pixels, back: Pixels | None, wear: Wear, rng: Random) -> Pixels:
    aged = _worn_ink(image, rng)
    if back is not None and wear.bleed:
        aged = _bled(aged, back, wear.bleed)
    aged = _tilted(aged, rng.uniform(-wear.tilt, wear.tilt), rng)
    aged = cv2.GaussianBlur(aged, (0, 0), wear.blur)
    aged = _toned(aged, wear, rng)
    aged = cv2.multiply(aged, _light(aged.shape[:2], wear.light, rng), scale=1 / 255)
    _specked(aged, wear.specks, rng)
    return _grained(aged, wear.grain, rng)


def _worn_ink(image: Pixels, rng: Random) -> Pixels:
    """Let coloured ink (stamps, seal) take unevenly, as a rubber stamp does; black print stays."""
    red, blue = image[:, :, 0].astype(np.int16), image[:, :, 2].astype(np.int16)
    coloured = np.abs(red - blue) > 40  # noqa: PLR2004 - grey levels: above what black print can differ by
    if not coloured.any():
        return image
    top, left = np.argwhere(coloured.any(axis=1))[0, 0], 0
    part = image[top:, left:]
    loss = _tile(part.shape[:2], _blotches(), rng).astype(np.float32) * (1 / 255)
    loss *= coloured[top:]
    worn = image.copy()
    worn[top:] = (part + (255 - part.astype(np.float32)) * (loss * 0.55)[:, :, None]).astype(np.uint8)
    return worn


def _bled(image: Pixels, back: Pixels, share: float) -> Pixels:
    shadow = cv2.resize(255 - back[::4, ::-4], image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(image, 1.0, shadow, -share, 0)


def _tilted(image: Pixels, degrees: float, rng: Random) -> Pixels:
    high, wide = image.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1.0)
    turn[:, 2] += np.array([rng.uniform(-9, 9), rng.uniform(-9, 9)])
    return cv2.warpAffine(image, turn, (wide, high), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))


def _toned(image: Pixels, wear: Wear, rng: Random) -> Pixels:
    """Map black to ink and white to paper, per channel."""
    ink, paper = rng.randint(*wear.ink), rng.randint(*wear.paper)
    steps = ink + np.arange(256, dtype=np.float32)[:, None] / 255 * (paper - ink)
    table = np.clip(steps * np.array(wear.tint, np.float32), 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(256, 1, 3))


def _light(shape: tuple[int, int], depth: float, rng: Random) -> Pixels:
    """Return the lamp's light over the page: brighter on one side, a soft shade along the spine."""
    high, wide = shape
    across = np.linspace(-1, 1, 64, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    field = 1 - depth * (0.5 + 0.5 * (rng.uniform(-1, 1) * across + rng.uniform(-1, 1) * down))
    field = field * (1 - 2.2 * depth * np.exp(-(across + 1) * 26))
    small = np.clip(field * 255, 0, 255).astype(np.uint8)
    return cv2.merge([cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR)] * 3)


def _specked(image: Pixels, count: int, rng: Random) -> None:
    high, wide = image.shape[:2]
    for _ in range(count):
        x, y, size = rng.randrange(wide - 3), rng.randrange(high - 3), rng.choice((1, 1, 1, 2, 2, 3))
        shade = rng.uniform(0.35, 0.8)
        spot = image[y : y + size, x : x + size]
        spot[:] = (spot * shade).astype(np.uint8)


def _grained(image: Pixels, grain: float, rng: Random) -> Pixels:
    """Add sensor grain: half common to the channels, half of each channel's own."""
    tile = _tile(image.shape[:2], _noise(), rng)
    return cv2.add(image, tile * np.float32(grain), dtype=cv2.CV_8U)


def _tile(shape: tuple[int, int], pattern: Pixels, rng: Random) -> Pixels:
    """Return a page-sized piece of a repeating pattern, shifted at random: far quicker than fresh noise."""
    side = pattern.shape[0]
    rolled = np.roll(pattern, (rng.randrange(side), rng.randrange(side)), axis=(0, 1))
    repeat = (-(-shape[0] // side), -(-shape[1] // side)) + (1,) * (pattern.ndim - 2)
    return np.ascontiguousarray(np.tile(rolled, repeat)[: shape[0], : shape[1]])


@cache
def _noise() -> Pixels:
    chance = np.random.default_rng(1)
    common = cv2.GaussianBlur(chance.normal(0, 1.6, (512, 512)).astype(np.float32), (0, 0), 0.6)
    own = chance.normal(0, 0.5, (512, 512, 3)).astype(np.float32)
    return np.asarray(common[:, :, None] + own, np.float32)


@cache
def _blotches() -> Pixels:
    """Return where ink took badly: soft islands, 0 good to 255 bare."""
    chance = np.random.default_rng(2)
    fine = cv2.GaussianBlur(chance.random((512, 512)).astype(np.float32), (0, 0), 1.1)
    wide = cv2.GaussianBlur(chance.random((512, 512)).astype(np.float32), (0, 0), 9)
    field = (fine - fine.mean()) / fine.std() + 0.9 * (wide - wide.mean()) / wide.std()
    return np.asarray(np.clip((field - 0.2) * 90, 0, 255).astype(np.uint8))


def _jpeg(image: Pixels, quality: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=quality, dpi=(DPI, DPI))
    return out.getvalue()
