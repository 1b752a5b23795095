"""Measure reading: characters, words, processor seconds and pages a minute, beside ocrmypdf on the same pages.

    python -m config.bench reading --generators DIR --corpus DIR --pages 8

Pages come from DIR/dispatch_pages/gen.py, seeds that nothing was tuned on; real and degraded
real pages with exact truth from the corpus. Both readers get the same PDF in the same run. The
peer lives in a throw-away environment made here; if it cannot be made, the reason is printed.
"""

import argparse
import importlib.util
import io
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from types import ModuleType
from typing import Any

import pikepdf
from PIL import Image

from config.bench.goals import verdict
from config.bench.scoring import character_errors, plain, words_found
from ingest import reading, sandbox, sniff

CLASSES = ("clean", "typical", "bad")
FIRST_SEED = 900  # 0-7 were tuned on
DPI = 200
GOALS = {"clean": 1.0, "typical": 1.0, "bad": 1.6}  # per cent of characters
GOAL_CPU = 1.3  # seconds per page, all stages
PEER_SECONDS = 1_800
A4_WIDTH, A4_HEIGHT = 595.28, 841.89


@dataclass(frozen=True)
class Leaf:
    """One page to read: its JPEG, and every reading order that counts as right."""

    name: str
    jpeg: bytes
    truths: tuple[str, ...]


@dataclass
class Run:
    """What one reader did with the pages: texts in order, seconds."""

    texts: list[str]
    wall: float
    cpu: float

    def figures(self, leaves: list[Leaf]) -> dict[str, float]:
        """Return errors and words in per cent, seconds per page, pages per minute."""
        pairs = list(zip(self.texts, leaves, strict=True))
        return {
            "cer": round(100 * fmean(character_errors(text, leaf.truths) for text, leaf in pairs), 2),
            "words": round(100 * fmean(words_found(text, leaf.truths[0]) for text, leaf in pairs), 1),
            "plain_words": round(
                100 * fmean(words_found(plain(text), plain(leaf.truths[0])) for text, leaf in pairs), 1
            ),
            "cpu_seconds": round(self.cpu / len(leaves), 2),
            "pages_per_minute": round(60 * len(leaves) / self.wall, 1),
        }


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the pages with both readers, print the table and return the figures."""
    folder = Path(tempfile.mkdtemp(prefix="vankho-bench-"))
    figures: dict[str, Any] = {"seeds_from": getattr(arguments, "seed", FIRST_SEED), "load": os.getloadavg()[0]}
    try:
        _warm(folder)
        peer, why = _peer(folder)
        figures["tesseract_alone"] = _alone(_drawn(arguments, "typical"), folder)
        print(
            f"Tesseract alone, one thread, scanned pages: CPU {figures['tesseract_alone']:.2f} s/page (the floor here and now)"
        )
        for level in CLASSES:
            leaves = _drawn(arguments, level)
            figures[level] = _both(leaves, folder, peer)
            _print(level, figures[level])
        figures |= _corpus(Path(arguments.corpus))
        figures["peer"] = why or "ocrmypdf default, -l vie, 2 jobs"
        print(f"peer: {figures['peer']}")
    finally:
        sandbox.close()
        shutil.rmtree(folder, ignore_errors=True)
    return figures


# --- pages --------------------------------------------------------------------------------------------


def _drawn(arguments: argparse.Namespace, level: str) -> list[Leaf]:
    made = _generator(Path(arguments.generators) / "dispatch_pages" / "gen.py")
    first = getattr(arguments, "seed", FIRST_SEED)
    return [_leaf(made, seed, level) for seed in range(first, first + (arguments.pages or 8))]


def _generator(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen", path)
    if spec is None or spec.loader is None or not path.exists():
        raise OSError(f"no page generator at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _leaf(made: ModuleType, seed: int, level: str) -> Leaf:
    image, meta = made.render(made.make_doc(seed), DPI, made.WEAR[level])
    image, quality = made.degrade(image, level, seed, DPI)
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=quality or 95, dpi=(DPI, DPI))
    return Leaf(f"{level}-{seed}", stored.getvalue(), tuple(made.gt_orders(meta)))


def _pdf(leaves: list[Leaf], target: Path) -> Path:
    """Write the JPEGs, untouched, as pages of one PDF."""
    with pikepdf.new() as pdf:
        for leaf in leaves:
            width, height = Image.open(io.BytesIO(leaf.jpeg)).size
            picture = pikepdf.Stream(pdf, leaf.jpeg)
            picture.stream_dict = pikepdf.Dictionary(
                Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width, Height=height,
                ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
            )  # fmt: skip
            page = pdf.add_blank_page(page_size=(A4_WIDTH, A4_HEIGHT))
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
            page.Contents = pdf.make_stream(b"%f 0 0 %f 0 0 cm /P Do" % (A4_WIDTH, A4_HEIGHT))
        pdf.save(target)
    return target


# --- readers ------------------------------------------------------------------------------------------


def _both(leaves: list[Leaf], folder: Path, peer: Path | None) -> dict[str, Any]:
    file = _pdf(leaves, folder / "pages.pdf")
    figures: dict[str, Any] = {"ours": _ours(file).figures(leaves)}
    if peer:
        figures["ocrmypdf"] = _theirs(peer, file, folder, len(leaves)).figures(leaves)
    return figures


def _warm(folder: Path) -> None:
    """Start the fork server and load what it holds, so that the first page is not charged with it."""
    blank = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(blank, "JPEG")
    (folder / "warm.jpg").write_bytes(blank.getvalue())
    _ours(folder / "warm.jpg")


def _ours(file: Path) -> Run:
    """Read a file as the worker does: drawing cell, reading cells, checks."""
    cells: list[sandbox.Cell] = []
    begin = sandbox.run

    def counted(*words: Any, **named: Any) -> sandbox.Cell:
        cells.append(begin(*words, **named))
        return cells[-1]

    reading.sandbox.run = counted
    own, began = time.process_time(), time.perf_counter()
    try:
        with file.open("rb") as source:
            found = sniff.sniff(source.fileno())
            texts = [page.text.text for page in reading.read(source.fileno(), type=found.type)[1]]
    finally:
        reading.sandbox.run = begin
    wall = time.perf_counter() - began
    used = sum(cell.usage.cpu_ms for cell in cells if cell.usage) / 1000
    return Run(texts, wall, time.process_time() - own + used)


def _theirs(program: Path, file: Path, folder: Path, pages: int) -> Run:
    sidecar = folder / "peer.txt"
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(program), "-l", "vie", "--jobs", "2", "--sidecar", str(sidecar), str(file), str(folder / "peer.pdf")]
    done = subprocess.run(command, check=False, capture_output=True, timeout=PEER_SECONDS, text=True)
    if done.returncode:
        raise RuntimeError(f"ocrmypdf ended with {done.returncode}: {done.stderr[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    texts = sidecar.read_text(encoding="utf-8").split("\f")[:pages]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(texts + [""] * (pages - len(texts)), time.perf_counter() - began, cpu)


def _alone(leaves: list[Leaf], folder: Path) -> float:
    """Return the processor seconds Tesseract needs for a page as it is: what no pipeline around it can go below."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for leaf in leaves:
        (folder / "page.jpg").write_bytes(leaf.jpeg)
        command = ["tesseract", str(folder / "page.jpg"), "stdout", "-l", "vie", "--psm", "3"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(leaves), 2)


def _peer(folder: Path) -> tuple[Path | None, str]:
    """Install ocrmypdf into an environment of its own; return its program, or why there is none."""
    home = folder / "peer"
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True, timeout=120)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "ocrmypdf"]
        subprocess.run(install, check=True, capture_output=True, timeout=600)
        program = home / "bin" / "ocrmypdf"
        subprocess.run([str(program), "--version"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as fault:
        tail = getattr(fault, "stderr", b"") or b""
        return None, f"not run: {type(fault).__name__} {tail[-200:].decode(errors='replace')}"
    return program, ""


# --- real pages ---------------------------------------------------------------------------------------


def _corpus(corpus: Path) -> dict[str, Any]:
    """Read the real pages that have an exact truth beside them."""
    figures: dict[str, Any] = {}
    for name in ("vn_degraded", "vn_scan"):
        rows = dict(_real(corpus / name))
        if not rows:
            print(f"{name}: not run, no folder with gold texts at {corpus / name}")
            continue
        mean = {
            key: round(fmean(row[key] for row in rows.values()), 2)
            for key in ("cer", "words", "plain_words", "cpu_seconds")
        }
        figures[name] = {"mean": mean, "files": rows}
        print(
            f"{name:12} {len(rows)} files  CER {mean['cer']:5.2f} %  words {mean['words']:5.1f} %  CPU {mean['cpu_seconds']:.2f} s"
        )
        for file, row in rows.items():
            print(
                f"    {file[-44:]:44} CER {row['cer']:5.2f}  words {row['words']:5.1f}  plain {row['plain_words']:5.1f}"
            )
    return figures


def _real(folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    for gold in sorted(folder.glob("*.gold.txt")):
        file = gold.with_name(gold.name.removesuffix(".gold.txt"))
        done = _ours(file)
        whole = Run(["\n".join(done.texts)], done.wall, done.cpu / max(1, len(done.texts)))
        truth = re.sub(r"\f", "\n", gold.read_text(encoding="utf-8"))
        yield file.name, whole.figures([Leaf(file.name, b"", (truth,))])


def _print(level: str, figures: dict[str, Any]) -> None:
    for reader, row in figures.items():
        print(
            f"{level:8} {reader:9} CER {row['cer']:6.2f} %  words {row['words']:5.1f} %  plain {row['plain_words']:5.1f} %  "
            f"CPU {row['cpu_seconds']:5.2f} s/page  {row['pages_per_minute']:6.1f} pages/min"
        )
    ours = figures["ours"]
    print(
        f"         goal      CER {GOALS[level]:6.2f} %{verdict(ours['cer'] <= GOALS[level], f'errors, {level} pages')}; "
        f"CPU {GOAL_CPU} s{verdict(ours['cpu_seconds'] <= GOAL_CPU, f'processor time, {level} pages')}"
    )
    if theirs := figures.get("ocrmypdf"):
        print(
            f"         ratio     errors 1 : {theirs['cer'] / max(0.01, ours['cer']):.1f}, pages/min {ours['pages_per_minute'] / theirs['pages_per_minute']:.1f} : 1"
        )
