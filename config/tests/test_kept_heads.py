"""Heads kept elsewhere, held against a log: at every size, whatever sizes were signed, and whoever changed the tiles."""

import hashlib

import pytest

from archive import merkle
from archive.logkey import Signer
from archive.tiles import Tiles
from archive.verifier import verify
from config.backup import heads
from config.backup.refusals import LogForked

LEAVES = [hashlib.sha256(bytes([0, number & 255, number >> 8])).digest() for number in range(600)]
SIGNED = 590


@pytest.fixture
def signer(tmp_path):
    return Signer(tmp_path / "log.key", origin="vankho")


@pytest.fixture
def place(tmp_path, signer):
    """A folder with the head and the tiles of a log that was signed at two sizes only."""
    tiles = Tiles(tmp_path / "log")
    tiles.extend(0, LEAVES[:300])
    tiles.extend(300, LEAVES[300:SIGNED])
    (tmp_path / "log" / "checkpoint").write_bytes(signer.note(SIGNED, tiles.root(SIGNED)))
    return tmp_path / "log"


def compare(leaves, place, signer):
    kept = heads.read([place], key=signer.public, size=len(leaves))
    return heads.compare(leaves, kept, name="the backup")


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 299, 300, 301, 512, 513, 589, 590, 600])
def test_a_log_of_any_size_is_the_beginning_of_the_signed_one_or_goes_on_from_it(place, signer, size):
    assert compare(LEAVES[:size], place, signer) == SIGNED


@pytest.mark.parametrize("at", [0, 255, 256, 400, 511, 512])
def test_one_other_entry_is_another_log(place, signer, at):
    other = [*LEAVES[:at], bytes(32), *LEAVES[at + 1 : 550]]
    with pytest.raises(LogForked):
        compare(other, place, signer)


@pytest.mark.parametrize("at", [3, 300, 520])
def test_tiles_changed_with_the_log_do_not_help(place, signer, at):
    """The hash of an entry is changed in the lowest tile as well: the head is over the others."""
    other = [*LEAVES[:at], bytes(32), *LEAVES[at + 1 : 550]]
    number = at // verify.WIDTH
    width = min(verify.WIDTH, SIGNED - number * verify.WIDTH)
    tile = place / verify.tile_path("0", number, width)
    data = tile.read_bytes()
    start = at % verify.WIDTH * 32
    tile.write_bytes(data[:start] + bytes(32) + data[start + 32 :])
    with pytest.raises(LogForked):
        compare(other, place, signer)


def test_only_longer_heads_that_do_not_belong_are_put_aside(tmp_path, signer):
    for size in (100, 200, 300, 400):
        (tmp_path / f"checkpoint-{size:012d}").write_bytes(signer.note(size, merkle.root(LEAVES[:size])))

    moved = heads.put_aside([tmp_path], 200, belongs=lambda note: note.name.endswith("300"))

    assert moved == 1
    assert sorted(int(path.name[-12:]) for path in tmp_path.glob("checkpoint-*")) == [100, 200, 300]
    assert [path.name for path in (tmp_path / "before-restore-at-000000000200").iterdir()] == [
        "checkpoint-000000000400"
    ]
