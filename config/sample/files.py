"""Writes the sample letters into a folder, as a scanner and an office program would leave them there.

Text PDFs carry the symbol in their names, scans the scanner's running number. Most scans are PDFs; some come as
multi-page TIFF, single sheets also as JPEG or PNG. The truth of each file stays beside it in memory, never on disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from archive.rules import types
from archive.rules.folding import fold
from config.sample import ageing, paper
from config.sample.letters import Letter, dispatches

FIRST_SCAN: Final = 31
STRENGTHS: Final = ("light", "office", "office", "office", "tired")


@dataclass(frozen=True, slots=True)
class Written:
    """One file and the letter in it: `letter.fields()` is what a perfect reader would find."""

    path: Path
    letter: Letter


def write(folder: Path, count: int, *, today: date, seed: int = 9) -> list[Written]:
    """Write the letters and return them in the order in which an office would register them."""
    return list(writing(folder, count, today=today, seed=seed))


def writing(folder: Path, count: int, *, today: date, seed: int = 9) -> Iterator[Written]:
    """Write one letter after the other, for a caller that shows progress. About 0.4 s each.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index, letter in enumerate(dispatches(count, today=today, seed=seed)):
        suffix, content = _made(letter)
        path = folder / f"{_name(letter, FIRST_SCAN + index)}.{suffix}"
        path.write_bytes(content)
        yield Written(path, letter)


def _made(letter: Letter) -> tuple[str, bytes]:
    pdf = paper.draw(letter)
    if letter.form == "text_pdf":
        return "pdf", pdf
    rng = Random(letter.seed)  # noqa: S311 - a sample, not a secret
    jpegs = list(ageing.sheets(pdf, rng=rng, strength=rng.choice(STRENGTHS)))
    kinds = ("pdf", "pdf", "pdf", "jpg", "png") if len(jpegs) == 1 else ("pdf", "pdf", "pdf", "pdf", "tif")
    kind = rng.choice(kinds)
    if kind == "jpg":
        return kind, jpegs[0]
    if kind == "png":
        return kind, ageing.as_png(jpegs[0])
    return kind, ageing.as_tiff(jpegs) if kind == "tif" else ageing.as_pdf(jpegs)


def _name(letter: Letter, running: int) -> str:
    if letter.form == "scan":
        return (
            f"{running:04d}" if running % 3 else f"Scan_{letter.arrived_on or letter.issued_date:%Y%m%d}_{running:04d}"
        )
    if letter.type_name == "Giấy mời":
        return f"Giấy mời số {letter.code_number} {letter.issued_date:%d.%m.%Y}"
    known = types.by_name(letter.type_name)
    sign = fold(known.sign).upper() if known and known.sign else "CV"
    return f"{sign}-{letter.code_number}-{fold(letter.organ.sign).upper()}-{letter.issued_date:%d%m}"
