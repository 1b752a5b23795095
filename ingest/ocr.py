"""Read one page of pixels with Tesseract. The only module that imports pytesseract.

`job` runs inside the cell and gets one page drawn there, never the uploaded file: a
looped TIFF handed to Tesseract ran through 355,000 "pages". It repairs what needs
repair (ingest.clean), reads, and only when the reading is poor spends more: the other
recipe, the other way up, the larger script model, then a mark for a person. Word
boxes lie on the page as shown. It never guesses a word and never touches the network.
"""

import os
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
import pytesseract

from archive.rules.page import Box, PageText
from ingest import clean, head, layout, stamps
from ingest.clean import Cleaned, Pixels, Recipe

LANGUAGE: Final = "vie"
SECOND_LANGUAGE: Final = "Vietnamese"  # -0 to -10 % errors for +35 % time
SURE_ENOUGH: Final = 88  # bad pages read raw: 73-81; good pages: 93-96
FEW_WORDS: Final = 5
AGAIN: Final = 1.4  # enlargement of the second reading: other pixels, other mistakes
LINES_TO_TRY: Final = 0.16  # part of the page's height read to find which way is up
# Inverted text is not looked for: it costs 3-9 % and official pages have none.
COARSE, USUAL_WIDTH, LARGEST_STEP = 1_300, 1_654, 2.0  # pixels of an A4 width at 157 and 200 dpi
CLEAR_WORD: Final = 80
DIRT: Final = {0: 60, 1: 35, 2: 35}  # letters in a "word": below this confidence it is a speck or a seal's rim
_WORD_ROW: Final = "5"
_CELLS: Final = 12
OPTIONS: Final = "--dpi 200 -c tessedit_do_invert=0 -c tessedit_create_txt=0"


@dataclass(frozen=True)
class Sheet:
    """One page of RGB pixels, and the quarters it was turned to stand upright."""

    page: Pixels
    dpi: int = 200
    bits: int = 24
    number: int = 1
    turned: int = 0

    def turn(self, quarters: int) -> "Sheet":
        """Return the page turned counter-clockwise."""
        return replace(self, page=clean.turn(self.page, quarters), turned=quarters)

    @cached_property
    def finds(self) -> list[stamps.StampFind]:
        """The stamps seen on it."""
        return stamps.find(self.page, dpi=self.dpi, bits=self.bits)

    @property
    def over_print(self) -> tuple[Box, ...]:
        """Where an incoming stamp lies, often over the title."""
        return tuple(seen.box for seen in self.finds if seen.kind == "arrival")


@dataclass(frozen=True, slots=True)
class Reading:
    """One attempt at a page: its words, how they were come by, and how sure they are."""

    pieces: tuple[layout.Piece, ...]
    cleaned: Cleaned
    sheet: Sheet

    @property
    def confidence(self) -> float:
        """Mean over words, 0-100."""
        return float(np.mean([piece.confidence for piece in self.pieces])) if self.pieces else 0.0

    @property
    def worth(self) -> float:
        """What to compare readings by: sure letters, so that losing half the page never wins."""
        return sum(len(piece.text) * max(0, piece.confidence - 40) for piece in self.pieces)


def job(source: BinaryIO | None, args: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Read one page of raw RGB pixels.

    Args:
        source: height x width x 3 bytes, rows from the top, no header.
        args: "width", "height" in pixels, "dpi", "bits" of the original (1, 8 or 24), "number" of the page.

    Yields:
        One frame: {"kind": "text", "stamps": [...], "second": {...}, "turned": quarters} with the PageText
        as blob; if the page had to be turned, a frame {"kind": "turned", "width", "height", "thumb"} follows
        with the upright page image and its thumbnail.
    """
    if source is None:
        raise ValueError("ocr needs pixels")
    height, width = int(args["height"]), int(args["width"])
    cv2.setNumThreads(1)
    page = np.frombuffer(source.read(height * width * 3), np.uint8).reshape(height, width, 3)
    page, dpi = _enlarged(page, int(args["dpi"]))
    sheet = Sheet(page, dpi=dpi, bits=int(args.get("bits", 24)), number=int(args["number"]))
    text, reading = read_page(sheet)
    finds = [seen.to_json() for seen in reading.sheet.finds]
    second, turned = second_readings(text, reading.cleaned), reading.sheet.turned
    again = {name: other.to_bytes().decode() for name, other in second.items()}
    yield {"kind": "text", "stamps": finds, "second": again, "turned": turned}, text.to_bytes()
    if turned:
        yield _upright_images(reading.sheet.page)


def warm() -> None:
    """Load what the job needs, before any page is there."""
    stamps.look(np.full((400, 300, 3), clean.PAPER, np.uint8), dpi=stamps.DPI)


def _enlarged(page: Pixels, dpi: int) -> tuple[Pixels, int]:
    """Bring a coarse scan to the size Tesseract knows; finer pages are left (enlarging 200 to 300 dpi hurts)."""
    width = page.shape[1]
    if width >= COARSE:
        return page, dpi
    scale = min(LARGEST_STEP, USUAL_WIDTH / width)
    return cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), round(dpi * scale)


def read_page(sheet: Sheet) -> tuple[PageText, Reading]:
    """Return a page's text, and the reading it comes from with the page the right way up."""
    reading = best_reading(sheet)
    flags: list[str] = []
    if reading.sheet.turned:
        flags.append(f"turned_{reading.sheet.turned * 90}")
    if _is_poor(reading):
        flags.append("low_confidence")
    height, width = reading.sheet.page.shape[:2]
    return layout.page_text(reading.pieces, number=sheet.number, shape=height / width, flags=flags), reading


def best_reading(sheet: Sheet) -> Reading:
    """Read a page, spending more only while the reading stays poor."""
    found = clean.measure(sheet.page)
    if found.is_sideways:
        sheet = sheet.turn(_which_way_up(sheet.page, (1, 3)))
        found = clean.measure(sheet.page)
    best = _read(sheet, clean.choose(found, erase=sheet.over_print))
    if _is_poor(best) and not sheet.turned and _which_way_up(sheet.page, (0, 2)):
        sheet = sheet.turn(2)
        best = _read(sheet, clean.choose(clean.measure(sheet.page), erase=sheet.over_print))
    return _insist(best)


def second_readings(text: PageText, cleaned: Cleaned) -> dict[str, PageText]:
    """Read the head's number and date once more, each column alone and at another size.

    Both pieces go to Tesseract as one image: starting it costs more than reading six lines.
    """
    wanted = head.stretches(text)
    if not wanted:
        return {}
    crops = [_crop(cleaned, stretch.box) for stretch in wanted]
    sheet, starts = _sheet([crop.gray for crop in crops])
    rows = list(_rows(_table(sheet, LANGUAGE, psm=6)))
    second: dict[str, PageText] = {}
    for stretch, crop, start in zip(wanted, crops, starts, strict=True):
        inside = [row for row in rows if start <= row.box[1] < start + crop.gray.shape[0]]
        pieces = [row.piece(crop.to_page(row.box, start)) for row in inside]
        shape = cleaned.page_size[1] / cleaned.page_size[0]
        second[stretch.name] = layout.page_text(pieces, number=text.number, shape=shape)
    return second


@dataclass(frozen=True, slots=True)
class _Crop:
    """A piece of the cleaned page, enlarged, and where it came from in pixels of the cleaned page."""

    gray: Pixels
    left: int
    top: int
    cleaned: Cleaned

    def to_page(self, box: tuple[float, float, float, float], start: int) -> Box:
        """Map a box on the sheet to the page."""
        x0, y0, x1, y1 = box
        back = [(x / AGAIN) for x in (x0, y0 - start, x1, y1 - start)]
        return self.cleaned.to_page((back[0] + self.left, back[1] + self.top, back[2] + self.left, back[3] + self.top))


def _crop(cleaned: Cleaned, box: Box) -> _Crop:
    left, top, right, bottom = cleaned.from_page(box)
    margin = 16
    height, width = cleaned.gray.shape
    x0, y0 = max(0, left - margin), max(0, top - margin)
    part = cleaned.gray[y0 : min(height, bottom + margin), x0 : min(width, right + margin)]
    enlarged = cv2.resize(part, None, fx=AGAIN, fy=AGAIN, interpolation=cv2.INTER_CUBIC)
    return _Crop(cv2.GaussianBlur(enlarged, (0, 0), 0.8), x0, y0, cleaned)


def _sheet(parts: list[Pixels]) -> tuple[Pixels, list[int]]:
    """Put images below each other on white; return the sheet and where each starts."""
    gap = 60
    starts, at = [], gap
    for part in parts:
        starts.append(at)
        at += part.shape[0] + gap
    sheet = np.full((at, max(part.shape[1] for part in parts) + 2 * gap), clean.PAPER, np.uint8)
    for part, start in zip(parts, starts, strict=True):
        sheet[start : start + part.shape[0], : part.shape[1]] = part
    return sheet, starts


def _is_poor(reading: Reading) -> bool:
    return len(reading.pieces) >= FEW_WORDS and reading.confidence < SURE_ENOUGH


def _insist(best: Reading) -> Reading:
    """Try the other recipe, then the larger model; keep whichever reading is worth most."""
    attempts: tuple[Callable[[], Reading], ...] = (
        lambda: _read(best.sheet, clean.other(best.cleaned.recipe)),
        lambda: _read(best.sheet, best.cleaned.recipe, language=SECOND_LANGUAGE),
    )
    for attempt in attempts:
        if not _is_poor(best):
            break
        best = max(best, attempt(), key=lambda reading: reading.worth)
    return best


def _which_way_up(page: Pixels, ways: tuple[int, int]) -> int:
    """Return the one of two ways up (in quarter turns) that reads better, by a few lines from the middle."""

    def worth(way: int) -> float:
        turned = clean.turn(page, way)
        middle, reach = turned.shape[0] // 2, round(turned.shape[0] * LINES_TO_TRY / 2)
        strip = Sheet(np.ascontiguousarray(turned[middle - reach : middle + reach]))
        return _read(strip, clean.PLAIN, psm=6).worth

    return max(ways, key=worth)


def _read(sheet: Sheet, recipe: Recipe, *, language: str = LANGUAGE, psm: int = 3) -> Reading:
    cleaned = clean.clean(sheet.page, recipe)
    return Reading(tuple(_pieces(_table(cleaned.gray, language, psm), cleaned)), cleaned, sheet)


def _table(gray: Pixels, language: str, psm: int) -> str:
    """Run Tesseract on a gray image and return its table of words.

    The pixels go over as PGM: writing a noisy page as PNG costs more than reading it.
    """
    os.environ["OMP_THREAD_LIMIT"] = "1"  # unlimited threads: 3.3-8 times slower
    with tempfile.NamedTemporaryFile(suffix=".pgm") as image:
        image.write(b"P5 %d %d 255\n" % (gray.shape[1], gray.shape[0]))
        image.write(np.ascontiguousarray(gray).tobytes())
        image.flush()
        table = pytesseract.image_to_data(image.name, lang=language, config=f"--psm {psm} {OPTIONS}")
    return str(table)


def _pieces(table: str, cleaned: Cleaned) -> Iterator[layout.Piece]:
    for row in _rows(table):
        yield row.piece(cleaned.to_page(row.box))


@dataclass(frozen=True, slots=True)
class _Row:
    """One word of Tesseract's table, its box in pixels of the image that was read."""

    text: str
    box: tuple[float, float, float, float]
    confidence: int
    line: tuple[int, int, int]

    def piece(self, box: Box) -> layout.Piece:
        """Return the word with its box on the page."""
        return layout.Piece(self.text, box, self.confidence, self.line[0], self.line)


def _rows(table: str) -> Iterator[_Row]:
    """Yield the words of Tesseract's table without dirt."""
    lines: dict[tuple[int, int, int], list[_Row]] = {}
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < _CELLS or cells[0] != _WORD_ROW:
            continue
        text = unicodedata.normalize("NFC", "".join(cells[11].split()))
        if text:
            left, top, width, height = (float(cell) for cell in cells[6:10])
            line = (int(cells[2]), int(cells[3]), int(cells[4]))
            box = (left, top, left + width, top + height)
            lines.setdefault(line, []).append(_Row(text, box, max(0, round(float(cells[10]))), line))
    for words in lines.values():
        yield from _without_dirt(words)


def _without_dirt(words: list[_Row]) -> Iterator[_Row]:
    """Yield a line's words: specks, a seal's rim and ruled lines read as signs are left out.

    A short doubtful word among clear ones is print ("Lưu: VT, TM."), the same alone is dirt.
    """
    clear = sum(word.confidence >= CLEAR_WORD for word in words)
    in_print = clear >= max(2, len(words) / 2)
    for word in words:
        letters = sum(letter.isalnum() for letter in word.text)
        if word.confidence >= DIRT.get(letters, 0) or (letters and in_print):
            yield word


def _upright_images(page: Pixels) -> tuple[dict[str, Any], bytes]:
    """Return the page image and its thumbnail for a page that was scanned the wrong way up."""
    height, width = page.shape[:2]
    image = _jpeg(page, round(width * 0.75))
    thumb = _jpeg(page, 180)
    shown = round(width * 0.75)
    told = {"kind": "turned", "width": shown, "height": round(height * shown / width), "thumb": len(thumb)}
    return told, image + thumb


def _jpeg(page: Pixels, width: int) -> bytes:
    height = max(1, round(page.shape[0] * width / page.shape[1]))
    small = cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA)
    done, stored = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise ValueError("page image")
    return bytes(stored)
