"""Signed heads that were kept elsewhere, held against the log of a backup.

A place is a head (a file), a folder that gets every head (VANKHO_LOG_SECOND_PLACE), or a
folder with the hash tiles too (`log/` of an installation, an auditor's export). A head
that is not longer than the backup's log must be one of its beginnings. A longer one says
how much the backup does not know; with its tiles the backup is proven to be its
beginning, without them the longest head below is the proof.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive import merkle
from archive.tiles import Tiles
from archive.verifier import verify
from config.backup.refusals import LogForked, Unsigned


@dataclass(frozen=True, slots=True)
class Kept:
    """One head and, if its place has them, the tiles it stands for."""

    head: verify.Head
    tiles: Path | None


def read(places: Iterable[Path], *, key: str, size: int) -> list[Kept]:
    """Return the heads of all places that matter for a log of this size.

    Raises:
        Unsigned: a head is not signed with the log's key, or there is none at a place.
    """
    return [_opened(note, key, folder) for place in places for note, folder in _notes(place, size)]


def _notes(place: Path, size: int) -> list[tuple[Path, Path | None]]:
    """Return (file, folder of tiles): of a long row of heads the newest, and the newest that the backup must know."""
    if place.is_file():
        return [(place, None)]
    found: list[tuple[Path, Path | None]] = []
    if (place / "checkpoint").is_file():
        found.append((place / "checkpoint", place if (place / "tile").is_dir() else None))
    row = sorted(place.glob("checkpoint-*"))
    known = [path for path in row if path.name <= f"checkpoint-{size:012d}"]
    found += [(path, None) for path in {*row[-1:], *known[-1:]}]
    if not found:
        raise Unsigned(name=place)
    return found


def _opened(note: Path, key: str, folder: Path | None) -> Kept:
    try:
        return Kept(verify.open_note(note.read_bytes(), key), folder)
    except (verify.Tampered, ValueError, OSError) as error:
        raise Unsigned(name=note) from error


def compare(leaves: Sequence[bytes], kept: Iterable[Kept], *, name: str) -> int | None:
    """Return the size of the longest head, None without any.

    Raises:
        LogForked: the log is not a beginning of a head's log, or the other way round.
    """
    sizes = []
    for one in kept:
        size = one.head.size
        is_one = _contains(leaves, one) if size > len(leaves) else merkle.root(leaves[:size]) == one.head.root
        if not is_one:
            raise LogForked(name=name, size=size)
        sizes.append(size)
    return max(sizes, default=None)


def _contains(leaves: Sequence[bytes], one: Kept) -> bool:
    """Say whether a longer log begins with these leaves; without tiles nothing speaks against it."""
    if one.tiles is None:
        return True
    tiles = Tiles(one.tiles)
    try:
        if tiles.root(one.head.size) != one.head.root:
            return False
        return all(
            tiles.read(0, number, width) == list(leaves[number * verify.WIDTH : number * verify.WIDTH + width])
            for number, width in verify.widths(len(leaves))
        )
    except verify.Tampered:
        return False
