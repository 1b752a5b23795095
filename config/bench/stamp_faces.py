"""Measure the eye for stamps: read, under-graded, missed, false; faces it knows and faces it has never seen.

    python -m config.bench stamp_faces --generators DIR --pages 8

Header pages come from DIR/dispatch_pages/gen.py (seeds 1000 on; 0 were tuned on), 25 per page
asked for. "review" counts boxes marked as possible: a person looks. A miss is the only failure
that costs a secret; a false level costs a confirmation.
"""

import argparse
import io
import os
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from config.bench.reading import CLASSES, DPI, _generator
from ingest import stamps

FIRST_SEED = 1_000
SECRECY = ("MẬT", "TỐI MẬT", "TUYỆT MẬT", None, None)
FONTS = Path("/usr/share/fonts/truetype")
UNSEEN = {
    "DejaVu Sans Bold": "dejavu/DejaVuSans-Bold.ttf",
    "DejaVu Serif Bold": "dejavu/DejaVuSerif-Bold.ttf",
    "FreeSans Bold": "freefont/FreeSansBold.ttf",
}
FORMS = ("colour", "gray")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Look at every page in every face and print the counts."""
    made = _generator(Path(arguments.generators) / "dispatch_pages" / "gen.py")
    pages = 25 * max(1, (arguments.pages or 8) // 2)
    figures: dict[str, Any] = {}
    for face, path in {
        "known": "",
        **{name: str(FONTS / file) for name, file in UNSEEN.items() if (FONTS / file).exists()},
    }.items():
        for form in FORMS if face == "known" else FORMS[:1]:
            for level in CLASSES:
                counts = _count(made, level, pages if face == "known" else pages // 2, path, form)
                figures[f"{face} {form} {level}"] = counts
                _print(f"{face} {form} {level}", counts)
    return figures


def _count(made: ModuleType, level: str, pages: int, face: str, form: str) -> dict[str, float]:
    counts: Counter[str] = Counter()
    seconds = 0.0
    for at in range(pages):
        page, meta = _header(made, at, level, face, form)
        began = time.process_time()
        finds = stamps.find(page, dpi=DPI, bits=24 if form == "colour" else 8)
        seconds += time.process_time() - began
        counts += _judged(finds, meta["doc"])
    return {**{name: counts[name] for name in NAMES}, "cpu_seconds": round(seconds / pages, 3)}


NAMES = (
    "stamped",
    "read",
    "over",
    "under",
    "review",
    "missed",
    "unstamped",
    "false",
    "false_review",
    "urgent",
    "urgent_read",
)


def _header(made: ModuleType, at: int, level: str, face: str, form: str) -> tuple[Any, dict[str, Any]]:
    os.environ["GEN_STAMP_FONT"] = face
    seed = FIRST_SEED + at
    image, meta = made.render(
        made.make_doc(seed, secrecy=SECRECY[at % len(SECRECY)]), DPI, made.WEAR[level], header_only=True
    )
    image, quality = made.degrade(image, level, seed, DPI)
    if form == "gray":
        image = made.to_gray(image)
    if quality:
        stored = io.BytesIO()
        image.save(stored, "JPEG", quality=quality)
        image = Image.open(stored)
    return np.array(image.convert("RGB")), meta


def _judged(finds: list[stamps.StampFind], truth: dict[str, Any]) -> Counter[str]:
    """Return what one page adds to the counts; the highest grade seen is what counts."""
    counts: Counter[str] = Counter()
    seen = max((stamps.WORDS[find.word][2] for find in finds if find.kind == "secrecy"), default=0)
    review = any(find.kind in {"possible", "unclear"} for find in finds)
    if wanted := truth["secrecy"]:
        form = stamps.WORDS[wanted][2]
        counts["stamped"] = 1
        counts[
            "read" if seen == form else "over" if seen > form else "under" if seen else "review" if review else "missed"
        ] = 1
    else:
        counts["unstamped"] = 1
        counts["false"], counts["false_review"] = bool(seen), not seen and review
    if truth["urgency"]:
        counts["urgent"] = 1
        counts["urgent_read"] = any(find.kind == "urgency" and find.word == truth["urgency"] for find in finds)
    return counts


def _print(name: str, row: dict[str, float]) -> None:
    print(
        f"{name:30} stamped {row['stamped']:3}: read {row['read']:3} over {row['over']} under {row['under']} review {row['review']:2} "
        f"missed {row['missed']} | unstamped {row['unstamped']:3}: false {row['false']} review {row['false_review']} | "
        f"urgent {row['urgent_read']}/{row['urgent']} | {row['cpu_seconds']:.3f} s"
    )
