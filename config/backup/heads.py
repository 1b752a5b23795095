"""Signed heads that were kept elsewhere, held against the log of a backup.

A place is a head (a file), a folder that gets every head (VANKHO_LOG_SECOND_PLACE), or a
folder with the hash tiles too (`log/` of an installation, an auditor's export). A head
that is not longer than the backup's log must be one of its beginnings. A longer one says
how much the backup does not know; with its tiles the backup is proven to be its
beginning, without them the longest head below is the proof.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archive import keychain, merkle
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
        return Kept(verify.open_note(note.read_bytes(), key, keychain.is_by), folder)
    except (verify.Tampered, ValueError, OSError) as error:
        raise Unsigned(name=note) from error


def compare(leaves: Sequence[bytes], kept: Iterable[Kept], *, name: str) -> int | None:
    """Return the size of the longest head, None without any.

    Raises:
        LogForked: the log is not a beginning of a head's log, or the other way round.
    """
    heads = list(kept)
    found = roots(leaves, (one.head.size for one in heads))
    for one in heads:
        if not (fits(found, one.head) or _contains(leaves, one)):
            raise LogForked(name=name, size=one.head.size)
    return max((one.head.size for one in heads), default=None)


def roots(leaves: Sequence[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """Return the roots of a log at these sizes, as far as it has them: one pass, however many heads were kept."""
    tree, found = verify.Tree(), {}
    for size in sorted({size for size in sizes if size <= len(leaves)}):
        for leaf in leaves[tree.size : size]:
            tree.add(leaf)
        found[size] = tree.root()
    return found


def fits(found: Mapping[int, bytes], head: verify.Head) -> bool:
    """Say whether a head stands for a beginning of a log, by the roots of that log."""
    return found.get(head.size) == head.root


def _contains(leaves: Sequence[bytes], one: Kept) -> bool:
    """Say whether a longer log begins with these leaves; without tiles nothing speaks against it."""
    if one.head.size <= len(leaves):
        return False
    if one.tiles is None:
        return True
    tiles = Tiles(one.tiles)
    try:
        # Every leaf of the longer log, for its own tiles: it had a head, and so tiles, at other sizes than this one.
        every = [leaf for number, width in verify.widths(one.head.size) for leaf in tiles.read(0, number, width)]
    except verify.Tampered:
        return False
    return merkle.root(every) == one.head.root and every[: len(leaves)] == list(leaves)


def put_aside(places: Iterable[Path], size: int, *, belongs: Callable[[Path], bool] = lambda _note: False) -> int:
    """Move kept heads that are longer than a log into a folder beside the row: the log goes on another way.

    Nothing is deleted: an auditor finds them there, and the entry of the restore says
    from which size on. A place that cannot be written is left alone. Return how many were moved.

    Args:
        places: folders that get every head.
        size: of the log.
        belongs: which of the longer ones were signed since, over the log as it goes on.
    """
    moved = 0
    for place in places:
        beyond = [path for path in place.glob("checkpoint-*") if path.name > f"checkpoint-{size:012d}"]
        aside = place / f"before-restore-at-{size:012d}"
        for path in beyond:
            with suppress(OSError):
                if not belongs(path):
                    aside.mkdir(exist_ok=True)
                    path.rename(aside / path.name)
                    moved += 1
    return moved
