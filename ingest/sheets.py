"""What the drivers of file formats have in common: a drawn page, and facts about a file.

Runs in the cell. Knows no format and decides nothing.
"""

import errno
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from archive.rules.page import PageText

Pixels = NDArray[Any]

READ_DPI: Final = 200.0  # as exact as 300 for reading, a third faster
DRAW_DPI: Final = 150.0
MAX_DRAWN_PIXELS: Final = 16_000_000  # A2 at 200 dpi; larger pages are drawn at fewer dpi
A4_WIDTH_INCHES: Final = 8.27

BROKEN, TOO_MANY_PIXELS, ENCRYPTED = "ING-006", "ING-008", "ING-013"
_OF_THE_MACHINE: Final = frozenset(
    {
        *(errno.EIO, errno.ENOMEM, errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EBADF, errno.EAGAIN, errno.EINTR),
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOSYS),
    }
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file as a whole: pages, marks for a person, signature ranges."""

    pages: int
    flags: frozenset[str] = frozenset()
    signatures: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One drawn page: RGB or gray pixels as shown, its text if the file has it, and whether it must be read."""

    number: int
    pixels: Pixels
    dpi: float
    bits: int
    must_read: bool
    has_pictures: bool = True
    layer: PageText | None = None
    fonts: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()


def raise_if_of_the_machine(fault: Exception) -> None:
    """Raise a fault that says nothing of the file: no memory, no descriptor, no disk. The bytes of a damaged file are dropped.

    Raises:
        Exception: `fault` itself, for the cell to end with: the file is tried again.
    """
    if isinstance(fault, MemoryError) or (isinstance(fault, OSError) and fault.errno in _OF_THE_MACHINE):
        raise fault


class Closed(Exception):  # noqa: N818 - an answer about the file
    """No page of this file will be drawn: a code of ingest.outcomes, its parameters, and what is known anyway."""

    def __init__(self, code: str, facts: Facts, **parameters: Any) -> None:
        """Keep the answer."""
        super().__init__(code)
        self.code = code
        self.facts = facts
        self.parameters = parameters


class TooLarge(ValueError):  # noqa: N818 - an answer about one page
    """A page has more pixels than any paper."""


def bounded_dpi(width_inches: float, height_inches: float, wanted: float) -> float:
    """Return `wanted`, or fewer dpi where the page would have too many pixels."""
    pixels = width_inches * height_inches * wanted * wanted
    return wanted if pixels <= MAX_DRAWN_PIXELS else wanted * (MAX_DRAWN_PIXELS / pixels) ** 0.5
