"""What every place that keeps sealed objects must be able to do.

A driver moves ciphertext and nothing else: it never sees a key or a plain byte. A level is to it
the place where objects of that level lie, where its medium has one for each. One contract suite (archive/tests/test_store_contract.py) is run against each.
Refusals are those of `archive.stores.refusals`; an address is 32 lower-case hex digits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final, Protocol

from archive.rules.levels import Level
from archive.stores.refusals import MissingObject

ADDRESS_DIGITS: Final = 32


def object_id(address: str) -> bytes:
    """Return the 16 bytes an address stands for. Raises MissingObject for anything but 32 lower-case hex digits."""
    if len(address) != ADDRESS_DIGITS or not set(address) <= set("0123456789abcdef"):
        raise MissingObject(address=ascii(address[:ADDRESS_DIGITS]))
    return bytes.fromhex(address)


@dataclass(frozen=True, slots=True)
class Kept:
    """One object as the driver sees it: bytes on its medium, last change in UTC."""

    sealed_size: int
    changed_at: datetime


class Draft(Protocol):
    """An object being written; nobody sees it before `commit` returns."""

    def write(self, sealed: memoryview) -> None:
        """Take the next bytes. Raises StoreFull or StoreFailed; the draft can then only be abandoned."""

    def commit(self) -> None:
        """Make the object durable and visible, whole, and never over an existing one."""

    def abandon(self) -> None:
        """Leave nothing behind; harmless after `commit` and when called twice."""


class Driver(Protocol):
    """A place for sealed objects."""

    def create(self, address: str, *, level: Level) -> Draft:
        """Begin to write the object of this address, where objects of the level lie."""

    def is_settled(self, address: str, level: Level) -> bool:
        """Return whether an object lies where those of the level do, and nowhere else."""

    def bring(self, address: str, level: Level, *, sha256: str) -> None:
        """See that an object lies whole where those of the level do; other copies stay. Raises MissingObject, StoreFailed."""

    def leave(self, address: str, level: Level) -> bool:
        """Remove every copy that lies elsewhere than the level's; return whether there was one. Raises MissingObject."""

    def open(self, address: str) -> BinaryIO:
        """Return a seekable stream of the sealed bytes. Raises MissingObject."""

    def stat(self, address: str) -> Kept | None:
        """Return what is kept under the address, None if nothing is."""

    def delete(self, address: str) -> None:
        """Remove the object durably; no error if there is none."""

    def addresses(self) -> Iterator[str]:
        """Yield every address kept, in no particular order; one that is being moved may come twice."""

    def retain(self, address: str, until: datetime) -> bool:
        """Lock the object against removal until a moment; False where the medium has no locks. Never shortens."""

    def locked_until(self, address: str) -> datetime | None:
        """Return until when the object's medium lets nobody remove it, None where nothing locks it or it is not there."""

    def free_bytes(self) -> int | None:
        """Return the room left, None if the medium does not tell."""

    def sweep(self, *, older_than_seconds: float) -> int:
        """Remove what killed writers left unfinished, and return how many pieces."""
