"""The text a PDF page brings along: words with boxes as shown, and whether to believe them.

A layer is good when the page shows what it says: its words have ink under them, spell
words, and are the page rather than a stamp on a picture of it. Old font encodings are
turned into Unicode by font name, else by their letters. Runs in the cell.
"""

import ctypes
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from archive.rules.page import PageText
from ingest import layout, legacy
from ingest.layer_order import Box, Found, pieces
from ingest.sheets import Pixels
from ingest.syllables import is_syllable

WHOLE: Final = 10_000
MOST_CHARACTERS: Final = 100_000
LONGEST_WORD: Final = 100
UNREADABLE: Final = "\ufffd"
BREAKS: Final = frozenset(
    map(
        ord,
        " \t\r\n\f\v\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff",
    )
)
HYPHEN: Final = 2  # what pdfium puts where a line ends within a word
SOFT_HYPHEN: Final = "\u00ad"
INK: Final = 20  # levels a word's box must span to have been drawn at all
LEAST_READABLE: Final = 0.6
FEW_WORDS: Final = 40  # fewer over a picture of a page are a stamp
MANY_WORDS: Final = 120  # more, in sight, over a picture: the picture is a background
ENOUGH_HIDDEN: Final = 12  # letters
LEAST_INK: Final = 0.4  # share of the page's ink under its words
LEAST_MARKED: Final = 0.2  # of all words: in Vietnamese two of three carry a mark
VOWELS: Final = re.compile("[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýăđơưạ-ỹ]", re.IGNORECASE)
CONSONANTS: Final = re.compile("[bcdfghjklmnpqrstvwxz]{5}", re.IGNORECASE)
EDGES: Final = ".,;:!?()[]{}<>\"'“”‘’/\\-–—+*=%&_…•·|«»№§#@°"


class Shown:
    """How a page's own coordinates turn into the page as shown (crop and rotation included)."""

    def __init__(self, page: Any, width: float, height: float) -> None:
        """Ask pdfium where three points come to lie."""
        self.width, self.height = width, height
        origin, right, up = (self._device(page, *point) for point in ((0, 0), (1000, 0), (0, 1000)))
        self.origin = origin
        self.steps = np.array([right - origin, up - origin]) / 1000.0

    def _device(self, page: Any, x: float, y: float) -> NDArray[Any]:
        across, down = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, 100 * WHOLE, 100 * WHOLE, 0, x, y, across, down)
        return np.array([across.value, down.value]) / 100.0

    def boxes(self, corners: NDArray[Any]) -> NDArray[Any]:
        """Return (n, 4) boxes as shown for (n, 4) left, bottom, right, top in page coordinates."""
        one = self.origin + corners[:, 0:2] @ self.steps
        two = self.origin + corners[:, 2:4] @ self.steps
        return np.concatenate([np.minimum(one, two), np.maximum(one, two)], axis=1)

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return one box as shown, in ten-thousandths, not clipped."""
        made = self.boxes(np.array([[left, bottom, right, top]], float))[0]
        return (float(made[0]), float(made[1]), float(made[2]), float(made[3]))


@dataclass(frozen=True, slots=True)
class Layer:
    """All words of a page, in the order they were written."""

    words: tuple[Found, ...]
    fonts: tuple[str, ...]
    shape: float  # height of the page by its width
    scheme: str | None = None  # the old encoding it was written in
    is_readable: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a page: its believed words, whether to read the pixels, marks."""

    words: tuple[Found, ...]
    shape: float
    must_read: bool
    flags: frozenset[str] = frozenset()

    def text(self, number: int) -> PageText | None:
        """Return the believed text, in reading order; None when there is none."""
        if not self.words:
            return None
        made = layout.page_text(pieces(self.words, self.shape), number=number, shape=self.shape)
        return replace(made, source="layer", confidence=100, flags=tuple(sorted(self.flags & {"invisible_layer"})))


def warm() -> None:
    """Touch what is loaded late."""
    is_syllable("mật")
    legacy.recognise("C¸ch")


# --- reading -------------------------------------------------------------------------------------------


def read(page: Any, shown: Shown) -> Layer:
    """Return the words of a page."""
    textpage = pdfium.FPDFText_LoadPage(page)
    shape = shown.height / shown.width
    if not textpage:
        return Layer((), (), shape)
    try:
        words = _words(textpage, shown)
    finally:
        pdfium.FPDFText_ClosePage(textpage)
    fonts = Counter(word.font for word in words if word.font)
    words, scheme = in_unicode(words)
    names = tuple(name for name, _ in fonts.most_common(3))
    return Layer(tuple(words), names, shape, scheme, share_readable(words) >= LEAST_READABLE)


def _words(textpage: Any, shown: Shown) -> list[Found]:
    texts: list[str] = []
    spans: list[tuple[int, int]] = []
    letters: list[str] = []
    count = min(MOST_CHARACTERS, int(pdfium.FPDFText_CountChars(textpage)))
    boxes = _character_boxes(textpage, count)
    start = 0
    for index in range(count + 1):
        code = int(pdfium.FPDFText_GetUnicode(textpage, index)) if index < count else 32
        is_break = code in BREAKS or len(letters) >= LONGEST_WORD
        if letters and (is_break or _jumps(boxes, index)):
            texts.append("".join(letters))
            spans.append((start, index))
            letters = []
        if code in BREAKS:
            continue
        if not letters:
            start = index
        letters.append(_letter(code))
    return _found(textpage, texts, spans, shown.boxes(_joined(boxes, spans)))


def _letter(code: int) -> str:
    if code == HYPHEN:
        return "-"
    if code < 32 or code in {0xFFFE, 0xFFFF} or 0xD800 <= code < 0xE000 or code > 0x10FFFF:  # noqa: PLR2004
        return UNREADABLE
    return chr(code)


def _character_boxes(textpage: Any, count: int) -> NDArray[Any]:
    """Return (n, 4) left, bottom, right, top."""
    made = np.zeros((count, 4))
    rect = pdfium.FS_RECTF()
    get, flat = pdfium.FPDFText_GetLooseCharBox, made.reshape(-1)
    for index in range(count):
        if get(textpage, index, rect):
            flat[index * 4 : index * 4 + 4] = rect.left, rect.bottom, rect.right, rect.top
    return made


def _jumps(boxes: NDArray[Any], index: int) -> bool:
    """Say whether a character stands on another line than the one before it."""
    if not 0 < index < len(boxes):
        return False
    before, here = boxes[index - 1], boxes[index]
    high = max(before[3] - before[1], here[3] - here[1], 1.0)
    return bool(here[1] > before[3] or here[3] < before[1] or abs(here[0] - before[2]) > 4 * high)


def _joined(boxes: NDArray[Any], spans: Sequence[tuple[int, int]]) -> NDArray[Any]:
    made = np.zeros((len(spans), 4))
    for row, (start, end) in enumerate(spans):
        part = boxes[start:end]
        made[row, :2] = part[:, :2].min(axis=0)
        made[row, 2:] = part[:, 2:].max(axis=0)
    return made


def _found(textpage: Any, texts: list[str], spans: list[tuple[int, int]], boxes: NDArray[Any]) -> list[Found]:
    known: dict[int, tuple[str, bool]] = {}
    words = []
    for order, (text, (start, _), box) in enumerate(zip(texts, spans, boxes.tolist(), strict=True)):
        item = pdfium.FPDFText_GetTextObject(textpage, start)
        key = ctypes.cast(item, ctypes.c_void_p).value or 0
        if key not in known:
            known[key] = _look(item) if key else ("", True)
        words.append(Found(text, tuple(box), *known[key], order))
    return words


def _look(item: Any) -> tuple[str, bool]:
    """Return the font's name and whether the text is meant to be seen."""
    font = pdfium.FPDFTextObj_GetFont(item)
    name = ctypes.create_string_buffer(128)
    size = pdfium.FPDFFont_GetBaseFontName(font, name, 128) if font else 0
    mode = pdfium.FPDFTextObj_GetTextRenderMode(item)
    return name.raw[: max(0, min(size, 128) - 1)].decode("utf-8", "replace"), mode not in {3, 7}


def in_unicode(words: Iterable[Found]) -> tuple[list[Found], str | None]:
    """Return the words in Unicode NFC and the old encoding they were in, if they were."""
    kept = list(words)
    by_font = {name: legacy.scheme_of_font(name) for name in {word.font for word in kept}}
    scheme = next((each for each in by_font.values() if each), None)
    guessed = None if scheme else _guessed(kept)
    made = []
    for word in kept:
        text = word.text
        if by_font[word.font]:
            text = legacy.to_unicode(text, font=word.font)[0]
        elif guessed:
            text = legacy.decode(text, guessed)
        text = unicodedata.normalize("NFC", text.replace(SOFT_HYPHEN, "").replace("\x00", ""))
        if text:
            made.append(replace(word, text=text))
    return made, scheme or guessed


def _guessed(words: Sequence[Found]) -> str | None:
    """Guess the old encoding by the letters, where the page is drawn text and most of it carries marks."""
    marked = [word for word in words if not word.text.isascii() and word.is_drawn]
    if len(marked) < LEAST_MARKED * len(words):
        return None
    # Decomposed Unicode looks like look-alikes until it is composed.
    found = legacy.recognise(unicodedata.normalize("NFC", " ".join(word.text for word in words)))
    return found if found in {legacy.TCVN3, legacy.VNI} else None


# --- judging -------------------------------------------------------------------------------------------


def is_readable(word: str) -> bool | None:
    """Say whether a word could be one; None when it tells nothing (numbers, signs, single letters)."""
    if UNREADABLE in word or any(0xE000 <= ord(letter) < 0xF900 for letter in word):  # noqa: PLR2004 - private use
        return False
    bare = word.strip(EDGES)
    if len(bare) < 2 or any(letter.isdigit() for letter in bare):  # noqa: PLR2004
        return None
    if is_syllable(bare):
        return True
    if not all(letter.isalpha() or letter in "-'’./&" for letter in bare):
        return False
    if any(ord(letter) > 0x24F and not 0x1EA0 <= ord(letter) <= 0x1EF9 for letter in bare):  # noqa: PLR2004
        return True  # another script: not for this to judge
    cased = bare.islower() or bare.isupper() or (bare[0].isupper() and bare[1:].islower())
    return bool(VOWELS.search(bare) or bare.isupper()) and not CONSONANTS.search(bare) and (cased or "-" in bare)


def share_readable(words: Sequence[Found]) -> float:
    """Return the share of readable words among those that tell; 0 for none at all."""
    told = [answer for word in words if (answer := is_readable(word.text)) is not None]
    if not told:
        return 1.0 if words and not any(UNREADABLE in word.text for word in words) else 0.0
    return sum(told) / len(told)


def judge(layer: Layer, pixels: Pixels, *, is_scan: bool) -> Verdict:
    """Decide what of a layer is believed."""
    flags: set[str] = {"legacy_text"} if layer.scheme else set()
    if not layer.words:
        return Verdict((), layer.shape, must_read=True)
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)  # noqa: PLR2004
    if is_scan:
        return _over_a_picture(layer, flags)
    inked = [has_ink(gray, word.box) for word in layer.words]
    seen = [word for word, has in zip(layer.words, inked, strict=True) if has]
    hidden = [word.text for word, has in zip(layer.words, inked, strict=True) if not has and word.text.strip(EDGES)]
    if sum(map(len, hidden)) >= ENOUGH_HIDDEN:
        flags.add("hidden_text")
    if not seen or share_readable(seen) < LEAST_READABLE:
        return Verdict((), layer.shape, must_read=True, flags=frozenset(flags - {"legacy_text"}))
    if len(seen) < FEW_WORDS and ink_under(gray, seen) < LEAST_INK:
        return Verdict((), layer.shape, must_read=True, flags=frozenset(flags))
    return Verdict(tuple(seen), layer.shape, must_read=False, flags=frozenset(flags))


def _over_a_picture(layer: Layer, flags: set[str]) -> Verdict:
    """Judge the words over a picture of a page: its own text, a stamp, or another reader's guess."""
    drawn = [word for word in layer.words if word.is_drawn]
    if len(drawn) >= MANY_WORDS and layer.is_readable:
        return Verdict(tuple(drawn), layer.shape, must_read=True, flags=frozenset(flags | {"text_over_picture"}))
    unseen = [word for word in layer.words if not word.is_drawn]
    if len(unseen) >= FEW_WORDS and share_readable(unseen) >= LEAST_READABLE:
        return Verdict(tuple(unseen), layer.shape, must_read=True, flags=frozenset(flags | {"invisible_layer"}))
    return Verdict((), layer.shape, must_read=True, flags=frozenset(flags - {"legacy_text"}))


def has_ink(gray: Pixels, box: Box) -> bool:
    """Say whether anything was drawn where a word should be."""
    height, width = gray.shape[:2]
    left, top = int(box[0] * width / WHOLE), int(box[1] * height / WHOLE)
    right, bottom = int(box[2] * width / WHOLE) + 1, int(box[3] * height / WHOLE) + 1
    part = gray[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    return part.size > 0 and int(part.max()) - int(part.min()) >= INK


def ink_under(gray: Pixels, words: Sequence[Found]) -> float:
    """Return the share of a page's ink that lies under its words; 1 for a page without ink."""
    dark = gray < int(np.median(gray)) - 60
    total = int(dark.sum())
    height, width = gray.shape[:2]
    mask = np.zeros_like(dark)
    for word in words:
        left, top, right, bottom = (max(0.0, edge) for edge in word.box)
        mask[
            int(top * height / WHOLE) : int(bottom * height / WHOLE) + 1,
            int(left * width / WHOLE) : int(right * width / WHOLE) + 1,
        ] = True
    return float((dark & mask).sum()) / total if total else 1.0
