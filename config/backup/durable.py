"""Files that survive a power cut: written aside, synced, given their name, the name synced."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from archive.rules.sizes import MIB
from archive.stores.disk import sync_folder

PART: Final = ".part"


class Source(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""


class Sink(Protocol):
    """Something to write to."""

    def write(self, data: bytes, /) -> int:
        """Take bytes."""


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably, readable by the archive's account only."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        sync_folder(each.parent)


def write(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    with writing(path) as file:
        file.write(data)


@contextmanager
def writing(path: Path, *, sync_name: bool = True) -> Iterator[BinaryIO]:
    """Yield a file to write; on leaving it is synced and takes its name, on a fault nothing is left.

    Args:
        path: the final name; what lies there is replaced.
        sync_name: sync the folder too; else the caller does, once for many files.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if sync_name:
        sync_folder(path.parent)


def pour(source: Source, into: Callable[[bytes], object]) -> tuple[int, str]:
    """Hand a stream on piece by piece; return its size in bytes and SHA-256."""
    digest, size = hashlib.sha256(), 0
    while data := source.read(MIB):
        digest.update(data)
        size += len(data)
        into(data)
    return size, digest.hexdigest()


def digest_of(path: Path) -> tuple[int, str]:
    """Return size in bytes and SHA-256 of a file."""
    with path.open("rb") as source:
        return pour(source, lambda _data: None)


def digest(data: bytes) -> str:
    """Return SHA-256 of a few bytes."""
    return hashlib.sha256(data).hexdigest()


def sync(file: BinaryIO) -> None:
    """Make what was written into an open file survive a power cut."""
    os.fsync(file.fileno())
