"""Draw the word templates of ingest/stamp_words.py from installed fonts: python -m config.bench.stamp_words TARGET.

Run by hand when a face is added; the product itself reads only the committed file,
so that a machine without these fonts finds stamps as well as this one.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ingest.stamp_words import EM, WORDS

FONTS: Final = Path("/usr/share/fonts/truetype")
FACES: Final = {
    "tinos": "croscore/Tinos-Bold.ttf",
    "freeserif": "freefont/FreeSerifBold.ttf",
    "notoserif": "noto/NotoSerif-Bold.ttf",
    "arimo": "croscore/Arimo-Bold.ttf",
    "notosans": "noto/NotoSans-Bold.ttf",
}


def draw(word: str, font: ImageFont.FreeTypeFont) -> NDArray[np.uint8]:
    """Return the word as white ink on black, cut to its ink."""
    left, top, right, bottom = font.getbbox(word)
    image = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), word, font=font, fill=255)
    drawn = np.asarray(image)
    rows, columns = np.flatnonzero(drawn.max(axis=1)), np.flatnonzero(drawn.max(axis=0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def main(target: str) -> None:
    """Write every word in every face."""
    drawn = {
        f"{word}|{face}": draw(word, ImageFont.truetype(str(FONTS / path), EM))
        for face, path in FACES.items()
        for word in WORDS
    }
    np.savez_compressed(target, **drawn)
    print(f"{len(drawn)} templates, {Path(target).stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
