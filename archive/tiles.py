"""The hash tiles of a log as plain files (C2SP tlog-tiles): grown, read, and asked for roots and proofs.

Every file is put in place whole and survives a power cut. Knows hashes and a folder, never an entry.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from archive import merkle
from archive.stores.disk import sync_folder
from archive.verifier import verify

WIDTH: Final = verify.WIDTH


class Tiles:
    """The hash tiles of a log in one folder; grows only, and every file is written once."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; nothing is made before something is written."""
        self._folder = folder

    def extend(self, old_size: int, leaves: Iterable[bytes]) -> int:
        """Add leaves from place `old_size` on; return the new size. Doing it again writes the same."""
        edges: list[list[bytes]] = []
        for level in range(_levels(old_size)):
            held = old_size >> 8 * level
            edges.append(self.read(level, held // WIDTH, held % WIDTH) if held % WIDTH else [])
        size = old_size
        for leaf in leaves:
            size += 1
            self._add(edges, 0, leaf, size)
        for level, edge in enumerate(edges):
            if edge:
                self._write(level, (size >> 8 * level) // WIDTH, edge)
        return size

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` leaves from the right edge of the tiles."""
        tree = verify.Tree()
        for level in reversed(range(_levels(size))):
            held = size >> 8 * level
            for one in self.read(level, held // WIDTH, held % WIDTH) if held % WIDTH else ():
                tree.add(one, WIDTH**level)
        return tree.root()

    def last(self, size: int) -> bytes:
        """Return the hash of the last of `size` leaves."""
        return self.read(0, (size - 1) // WIDTH, (size - 1) % WIDTH + 1)[-1]

    def proof(self, index: int, size: int) -> list[bytes]:
        """Return the proof that the leaf at `index` is among the first `size`. Raises IndexError outside of them."""
        if not 0 <= index < size:
            raise IndexError(index)
        found, start, end = [], 0, size
        while end - start > 1:
            half = start + (1 << (end - start - 1).bit_length() - 1)
            if index < half:
                found.append(self._span(half, end, size))
                end = half
            else:
                found.append(self._span(start, half, size))
                start = half
        return found[::-1]

    def _span(self, start: int, end: int, size: int) -> bytes:
        """Return the root over the leaves [start, end) of a tree of `size`; `start` is where such a tree may begin."""
        width = end - start
        if width & (width - 1):
            half = start + (1 << (width - 1).bit_length() - 1)
            return merkle.node(self._span(start, half, size), self._span(half, end, size))
        height = width.bit_length() - 1
        level, first = height // 8, start >> 8 * (height // 8)
        held = min(WIDTH, (size >> 8 * level) - first // WIDTH * WIDTH)
        hashes = self.read(level, first // WIDTH, held)
        return merkle.root(hashes[first % WIDTH : first % WIDTH + (1 << height % 8)])

    def read(self, level: int, number: int, width: int) -> list[bytes]:
        """Return the hashes of a tile. Raises verify.Tampered when it is not there."""
        return verify.Export(str(self._folder)).tile(level, number, width)

    def _add(self, edges: list[list[bytes]], level: int, top: bytes, size: int) -> None:
        if level == len(edges):
            edges.append([])
        edges[level].append(top)
        if len(edges[level]) == WIDTH:
            self._write(level, (size >> 8 * level) // WIDTH - 1, edges[level])
            full, edges[level] = edges[level], []
            self._add(edges, level + 1, merkle.root(full), size)

    def _write(self, level: int, number: int, hashes: list[bytes]) -> None:
        path = self._folder / verify.tile_path(str(level), number, len(hashes))
        write_file(path, b"".join(hashes))
        if len(hashes) == WIDTH:  # the full tile serves for every part of it
            shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)


def _levels(size: int) -> int:
    return (size.bit_length() + 7) // 8


def write_file(path: Path, data: bytes) -> None:
    """Put a file in place whole, and so that it survives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)
