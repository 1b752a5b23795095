"""Read a whole file: drive the cells, keep the pages in order, bound memory and cores.

Runs in the worker. It opens no file and parses no image: a drawing cell streams pages,
reading cells get one page of pixels each, at most one per core at a time. What comes
back is untrusted and is checked before anyone sees it. A page that cannot be read is
delivered with its image and a mark; it never stops the file.
"""

import json
import logging
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any, Final

from archive.rules.folding import fold
from archive.rules.page import PageText
from ingest import sandbox
from ingest.sandbox import CellFailed, Frame, Limits
from ingest.stamp_find import StampFind

READING: Final = Limits(programs=True, cpu_seconds=40, wall_seconds=120)
DRAWING: Final = Limits(file_mib=0, cpu_seconds=60, wall_seconds=900, output_mib=32 * 1024)  # 12 MB a scanned page
AHEAD: Final = 2  # pages drawn beyond those being read: 12 MB each
FAR_APART: Final = 0.3  # shared letter triples of an invisible layer and the page's own text
ENOUGH_TO_COMPARE: Final = 120  # letters
LONGEST_TEXT: Final = 200_000  # letters of one page
MOST_STAMPS: Final = 40
MOST_FAULTS: Final = 20  # drawing cells that may die over one file
DEATHS_OF_A_PAGE: Final = 2  # drawing cells that may die over one page before it is passed over
TOO_HEAVY = "ING-012"
WHOLE: Final = 10_000
UNTRUE: Final = (LookupError, TypeError, ValueError, AttributeError)  # what broken answers of a cell end in
log = logging.getLogger("vankho.reading")


class Unreadable(Exception):  # noqa: N818 - an answer about the file
    """No page of the file can be had. `code` is one of ingest.outcomes."""

    def __init__(self, code: str, **parameters: object) -> None:
        """Keep the code and what its sentence needs."""
        super().__init__(code)
        self.code = code
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the drawing cell says of the file as a whole."""

    type: str
    pages: int
    flags: tuple[str, ...]
    signatures: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """One page: its image and thumbnail (JPEG), its text, the stamps seen, marks for a person.

    `second` holds other readings of the head ("left", "right") as stored PageText, for `second_readings`.
    """

    number: int
    width: int
    height: int
    image: bytes
    thumb: bytes
    text: PageText
    stamps: tuple[StampFind, ...]
    flags: tuple[str, ...]
    bits: int
    second: Mapping[str, str] = field(default_factory=dict)


def _quiet(done: int, total: int) -> None:
    del done, total


def read(
    source: int,
    *,
    type: str,  # noqa: A002 - the word of the whole house
    progress: Callable[[int, int], None] = _quiet,
) -> tuple[FileFacts, Iterator[ReadPage]]:
    """Return what is known of the file, and its pages in order as they are read.

    Args:
        source: descriptor of the file's bytes.
        type: media type found by ingest.sniff.
        progress: told (pages done, pages of the file) after each page.

    Raises:
        Unreadable: the cell could not open the file.
        CellFailed: the cell crashed or was killed before it said anything: to be tried again.
    """
    frames = _drawing(source, type, 1)
    facts = _facts(frames, type)
    return facts, _in_order(Drawn(source, facts, frames), progress)


def stamp_finds(kept: Iterable[dict[str, Any]]) -> list[StampFind]:
    """Return stamp finds from the JSON kept with a scan."""
    return [StampFind.from_json(find) for find in kept]


def second_readings(pages: Sequence[Mapping[str, Any]]) -> dict[str, PageText]:
    """Return the second reading of the first head among pages as kept with a scan."""
    kept: Mapping[str, str] = next((page["second"] for page in pages if page.get("second")), {})
    return {name: PageText.from_bytes(text.encode()) for name, text in kept.items()}


def far_apart(layer: str, own: str) -> bool:
    """Say whether an invisible text layer tells something else than the page shows.

    Letters without marks are compared in triples, so that another reader's poor marks are not a lie.
    """
    theirs, ours = _triples(layer), _triples(own)
    if min(len(layer), len(own)) < ENOUGH_TO_COMPARE:
        return len(layer) >= 4 * max(ENOUGH_TO_COMPARE, len(own))
    return len(theirs & ours) < FAR_APART * min(len(theirs), len(ours))


# --- frames of the drawing cell ------------------------------------------------------------------------


def _drawing(source: int, media_type: str, first: int) -> Iterator[Frame]:
    return sandbox.run("ingest.pages:draw", source=source, args={"type": media_type, "first": first}, limits=DRAWING)


def _facts(frames: Iterator[Frame], media_type: str) -> FileFacts:
    try:
        head = next(frames).head
        if head.get("refusal"):
            raise Unreadable(str(head["refusal"]), **dict(head.get("parameters") or {}))
        pages, flags = int(head["pages"]), tuple(str(flag)[:40] for flag in head.get("flags", ()))
        return FileFacts(media_type, pages, flags, int(head.get("signatures", 0)))
    except CellFailed as fault:
        log.warning("drawing ended: %s %s", fault.reason, fault.detail)
        # A file called damaged is refused and its bytes are dropped: only a frame of the job may say so. Whatever else
        # ended the cell may be a fault of ours, or a machine short of memory, and is tried again.
        if not _is_its_own(fault):
            raise
        raise Unreadable(TOO_HEAVY) from fault
    except (StopIteration, *UNTRUE) as fault:
        raise CellFailed("output", "no frame of the file") from fault


def _is_its_own(fault: CellFailed) -> bool:
    """Say whether a cell ended by what it was given to do; a crash, or a kill, may be anybody's."""
    return fault.reason in {"memory", "cpu", "wall"} and fault.detail != "SIGKILL"


@dataclass
class Drawn(Iterator[Frame]):
    """The page frames of a file. A drawing cell that dies is followed by another one behind its last page."""

    source: int
    facts: FileFacts
    frames: Iterator[Frame]
    next_page: int = 1
    faults: int = 0
    deaths: int = 0  # cells in a row that died before they gave the next page

    def __next__(self) -> Frame:
        """Return the next page's frame; pages that could not be drawn are passed over."""
        while True:
            try:
                frame = next(self.frames)
            except CellFailed as fault:
                log.warning("drawing stopped before page %s: %s %s", self.next_page, fault.reason, fault.detail)
                self._go_on(DEATHS_OF_A_PAGE if _is_its_own(fault) else 1)
                continue
            if frame.head.get("kind") in {"page", "unread"}:
                self.next_page += 1
                self.deaths = 0
            if frame.head.get("kind") == "page":
                return frame

    def _go_on(self, deaths: int) -> None:
        """Draw on from the page at which a cell died: it is tried again unless the death was its own doing."""
        self.faults += 1
        self.deaths += deaths
        if self.deaths >= DEATHS_OF_A_PAGE:
            self.next_page, self.deaths = self.next_page + 1, 0
        if self.next_page > self.facts.pages or self.faults > MOST_FAULTS:
            self.frames = iter(())
        else:
            self.frames = _drawing(self.source, self.facts.type, self.next_page)

    def close(self) -> None:
        """End the drawing cell at once: the reader of this file has gone away."""
        if isinstance(self.frames, sandbox.Cell):
            self.frames.close()


def _in_order(drawn: Drawn, progress: Callable[[int, int], None]) -> Iterator[ReadPage]:
    """Yield pages in their order while later ones are being read, never more than a few ahead."""
    waiting: deque[Future[ReadPage | None]] = deque()
    done = 0
    try:
        while True:
            for frame in islice(drawn, cores() + AHEAD - len(waiting)):
                waiting.append(_pool().submit(_read_page, frame))
            if not waiting:
                return
            page = waiting.popleft().result()
            done += 1
            progress(done, drawn.facts.pages)
            if page:
                yield page
    finally:
        for future in waiting:
            future.cancel()
        drawn.close()


@cache
def _pool() -> ThreadPoolExecutor:
    """One pool for all files of this process: reading cells never outnumber the cores."""
    return ThreadPoolExecutor(cores(), thread_name_prefix="read")


def cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0))


# --- one page ---------------------------------------------------------------------------------------------


def _read_page(frame: Frame) -> ReadPage | None:
    """Read one drawn page, or take its own good text layer; None when the drawing cell sent no page at all."""
    try:
        page = _drawn(frame)
    except UNTRUE as fault:
        log.warning("a page was not drawn: %s", type(fault).__name__)
        return None
    pixels = int(frame.head.get("pixels", 0))
    if not pixels:
        return page
    try:
        return _with_reading(page, _reading_frames(frame, pixels))
    except (CellFailed, *UNTRUE) as fault:
        log.warning("page %s unread: %s", page.number, getattr(fault, "reason", type(fault).__name__))
        text = PageText(page.number, "", (), "none", 0, ("low_confidence", "unread"))
        return replace(page, text=text)


def _drawn(frame: Frame) -> ReadPage:
    """Return the page as the drawing cell gave it: images, layer, marks."""
    head, blob = frame.head, frame.blob
    image, thumb = int(head["image"]), int(head["thumb"])
    number = int(head["number"])
    layer = head.get("layer")
    text = _checked(_stored(layer), number) if layer else PageText(number, "", (), "none", 0)
    finds = tuple(_finds(head.get("stamps", ()), number))
    return ReadPage(
        number=number,
        width=int(head["width"]),
        height=int(head["height"]),
        image=blob[:image],
        thumb=blob[image : image + thumb],
        text=text,
        stamps=finds,
        flags=tuple(str(flag)[:40] for flag in head.get("flags", ())),
        bits=int(head.get("bits", 24)),
    )


def _reading_frames(frame: Frame, pixels: int) -> list[Frame]:
    """Hand one page of pixels to a reading cell."""
    head = frame.head
    args = {
        "width": int(head["pixels_width"]),
        "height": int(head["pixels_height"]),
        "dpi": int(head["pixels_dpi"]),
        "bits": int(head.get("bits", 24)),
        "number": int(head["number"]),
    }
    memory = os.memfd_create("page", os.MFD_CLOEXEC)
    try:
        os.pwrite(memory, memoryview(frame.blob)[-pixels:], 0)
        try:
            return list(sandbox.run("ingest.ocr:job", source=memory, args=args, limits=READING))
        except CellFailed as fault:
            if fault.reason not in {"crash", "memory", "parser"}:
                raise
            # It, or its Tesseract, was killed by a machine short of memory, perhaps: the page gets a second cell.
            return list(sandbox.run("ingest.ocr:job", source=memory, args=args, limits=READING))
    finally:
        os.close(memory)


def _with_reading(page: ReadPage, frames: list[Frame]) -> ReadPage:
    head = frames[0].head
    text = _checked(frames[0].blob, page.number)
    flags = list(page.flags)
    if page.text.source == "layer" and far_apart(page.text.text, text.text):
        flags.append("hidden_text")
    read_again = {str(name): str(kept) for name, kept in head.get("second", {}).items() if name in {"left", "right"}}
    for kept in read_again.values():
        _checked(kept.encode(), page.number)
    finds = tuple(_finds(head["stamps"], page.number))
    page = replace(page, text=text, stamps=finds, flags=tuple(flags), second=read_again)
    return _upright(page, frames[1]) if len(frames) > 1 else page


def _upright(page: ReadPage, frame: Frame) -> ReadPage:
    """Show a page that was scanned the wrong way up as it is read; the original file is untouched."""
    thumb = int(frame.head["thumb"])
    image, small = frame.blob[:-thumb], frame.blob[-thumb:]
    return replace(page, width=int(frame.head["width"]), height=int(frame.head["height"]), image=image, thumb=small)


def _finds(kept: Iterable[dict[str, Any]], number: int) -> Iterator[StampFind]:
    for find in list(kept)[:MOST_STAMPS]:
        yield replace(StampFind.from_json(find), page=number)


def _stored(layer: object) -> bytes:
    """Return a layer's stored form, whether the cell sent it as text or as JSON."""
    return layer.encode() if isinstance(layer, str) else json.dumps(layer).encode()


def _checked(stored: bytes, number: int) -> PageText:
    """Read a page's text from a cell and refuse what cannot be true.

    Raises:
        ValueError, KeyError, TypeError: not a page's text, or words that do not stand where they say.
    """
    text = PageText.from_bytes(stored)
    if len(text.text) > LONGEST_TEXT or not isinstance(text.text, str):
        raise ValueError("too much text on one page")
    for word in text.words:
        if text.text[word.start : word.start + len(word.text)] != word.text:
            raise ValueError("a word does not stand where it says")
        if not all(isinstance(edge, int) and 0 <= edge <= WHOLE for edge in word.box):
            raise ValueError("a word's box lies off the page")
    return replace(text, number=number, flags=tuple(str(flag)[:40] for flag in text.flags))


def _triples(text: str) -> set[str]:
    letters = re.sub(r"[\W_]+", "", fold(text))
    return {letters[at : at + 3] for at in range(len(letters) - 2)}
