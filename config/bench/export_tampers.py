"""The mutations of the tamper bench that are done to an export: each gets its folder, and signs with the log's own key.

Each changes something at random and returns the words of which one must be in the answer.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from archive import logkey, publishing
from archive.verifier import verify
from config.bench.tampers import Words, flipped


def edit_file(folder: Path, chance: random.Random) -> Words:
    """Turn one bit of one file around."""
    path = _file(folder, chance)
    path.write_bytes(flipped(path.read_bytes(), chance))
    return ("entry", "hash tile", "checkpoint", "details")


def truncate_file(folder: Path, chance: random.Random) -> Words:
    """Cut the end off one file."""
    path = _file(folder, chance)
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])
    return ("entry", "hash tile", "checkpoint", "details")


def delete_file(folder: Path, chance: random.Random) -> Words:
    """Take one file away."""
    _file(folder, chance).unlink()
    return ("entry", "hash tile", "checkpoint", "details")


def delete_one(folder: Path, chance: random.Random) -> Words:
    """Take one entry out of its bundle."""
    number, bodies = _bundle(folder, chance)
    at = chance.randrange(len(bodies))
    _pack(folder, number, bodies, [*bodies[:at], *bodies[at + 1 :]])
    return (f"entry {number * verify.WIDTH + at}:",)


def swap_two(folder: Path, chance: random.Random) -> Words:
    """Let two entries of a bundle change places."""
    number, bodies = _bundle(folder, chance)
    one, other = sorted(chance.sample(range(len(bodies)), 2))
    changed = [*bodies[:one], bodies[other], *bodies[one + 1 : other], bodies[one], *bodies[other + 1 :]]
    _pack(folder, number, bodies, changed)
    return (f"entry {number * verify.WIDTH + one}: the entry stands in another's place",)


def roll_back(folder: Path, chance: random.Random) -> Words:
    """Hand in an older log, in order and signed with the log's key."""
    bodies = _bodies(folder)
    _written(folder, bodies[: len(bodies) - chance.randint(1, len(bodies) - 1)])
    return ("was cut",)


def sign_again(folder: Path, chance: random.Random) -> Words:
    """Change one entry, mend every link behind it and sign with the log's key: only the kept head tells."""
    bodies, ends = _bodies(folder), {}
    at = chance.randrange(len(bodies))
    for index, body in enumerate(bodies):
        entry = verify.json.loads(body)
        thing = (entry["object"]["type"], entry["object"]["id"])
        entry["object_prev"] = ends.get(thing, "00" * 32)
        if index == at:
            entry["src"]["ip"] = "10.6.6.6"
        text = verify.json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        bodies[index] = text.encode()
        ends[thing] = verify.leaf(bodies[index]).hex()
    _written(folder, bodies)
    return ("kept checkpoint",)


def _file(folder: Path, chance: random.Random) -> Path:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in {"verify.py", "key.txt"}]
    return chance.choice(sorted(files))


def _bundle(folder: Path, chance: random.Random) -> tuple[int, list[bytes]]:
    size = int((folder / "checkpoint").read_text().split("\n")[1])
    number, width = chance.choice([one for one in verify.widths(size) if one[1] > 1])
    return number, verify.Export(str(folder)).bundle(number, width)


def _bodies(folder: Path) -> list[bytes]:
    size = int((folder / "checkpoint").read_text().split("\n")[1])
    export = verify.Export(str(folder))
    return [body for number, width in verify.widths(size) for body in export.bundle(number, width)]


def _pack(folder: Path, number: int, old: list[bytes], bodies: list[bytes]) -> None:
    path = folder / verify.tile_path("entries", number, len(old))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(len(body).to_bytes(2, "big") + body for body in bodies))


def _written(folder: Path, bodies: list[bytes]) -> None:
    """Write an export anew."""
    shutil.rmtree(folder / "tile")
    for number, width in verify.widths(len(bodies)):
        part = bodies[number * verify.WIDTH :][:width]
        _pack(folder, number, part, part)
    tiles = publishing.Tiles(folder)
    tiles.extend(0, [verify.leaf(body) for body in bodies])
    (folder / "checkpoint").write_bytes(logkey.signer().note(len(bodies), tiles.root(len(bodies))))


FILES: Final[dict[str, Callable[..., Words]]] = {
    "edit a file": edit_file,
    "truncate a file": truncate_file,
    "delete a file": delete_file,
    "delete an entry": delete_one,
    "swap two entries": swap_two,
    "roll back": roll_back,
    "rewrite and sign again": sign_again,
}
