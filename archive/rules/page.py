"""What was read of one page: its text, and where each word stands on the image.

Boxes are integers in ten-thousandths of the page's width and height as the page
is shown (left, top, right, bottom), so they fit the image at every size. Text is
NFC. The byte form is what lies sealed in the store beside the page images.
"""

import json
from dataclasses import dataclass
from typing import Self

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its offset in the page's text, its box, and 0-100 how sure the reader is."""

    text: str
    start: int
    box: Box
    confidence: int = 100


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of one page with its words in reading order.

    `text[word.start : word.start + len(word.text)] == word.text` for every word.
    `source` is "layer" (text layer of the file), "ocr" or "none" (nothing to read).
    `confidence` is the mean over words, 0-100. `flags` are marks for a person, such
    as "hidden_text" or "low_confidence".
    """

    number: int
    text: str
    words: tuple[Word, ...]
    source: str
    confidence: int
    flags: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the stored form: compact UTF-8 JSON."""
        flat = {
            "number": self.number,
            "text": self.text,
            "words": [[w.text, w.start, *w.box, w.confidence] for w in self.words],
            "source": self.source,
            "confidence": self.confidence,
            "flags": self.flags,
        }
        return json.dumps(flat, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read the stored form back.

        Raises:
            ValueError: the bytes are not a page of this form.
        """
        flat = json.loads(stored)
        words = tuple(Word(t, s, (x0, y0, x1, y1), c) for t, s, x0, y0, x1, y1, c in flat["words"])
        return cls(flat["number"], flat["text"], words, flat["source"], flat["confidence"], tuple(flat["flags"]))
