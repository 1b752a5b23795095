"""Heads kept elsewhere, held against a log: at every size, whatever sizes were signed, and whoever changed the tiles."""

import hashlib

import pytest

from archive import logkey, merkle, publishing
from archive.logkey import Signer
from archive.tests.test_publishing import SIZE, home
from archive.tiles import Tiles
from archive.verifier import verify
from config.backup import heads
from config.backup.refusals import LogForked

__all__ = ["home"]

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


@pytest.fixture
def every_head(home):
    """A head of each size that the log ever had, in files, with the export of it."""
    folder, key, tree = home / "export", logkey.signer(), verify.Tree()
    publishing.export(folder, with_details=True)
    (home / "kept").mkdir()
    notes = []
    for leaf in (None, *publishing.leaf_hashes(0)):
        if leaf:
            tree.add(leaf)
        notes.append(key.note(tree.size, tree.root()))
        (home / "kept" / f"checkpoint-{tree.size:012d}").write_bytes(notes[-1])
    return folder, notes


def test_a_head_of_every_size_is_compared_and_one_that_differs_is_told_by_its_size(every_head):
    folder, notes = every_head
    key = logkey.signer()
    assert verify.verify(str(folder), key.public, notes[::-1]).kept == SIZE + 1
    for size in (0, 1, 255, 256, 257, SIZE):
        other = [*notes[:size], key.note(size, bytes(32)), *notes[size:]]
        with pytest.raises(verify.Tampered, match=f"the first {size} entries are not those of the kept checkpoint"):
            verify.verify(str(folder), key.public, other)


def test_the_signature_of_each_kept_head_is_checked_once(every_head, monkeypatch):
    folder, notes = every_head
    checked = []
    monkeypatch.setattr(verify, "is_signed", lambda *signed: bool(checked.append(signed)) or True)
    assert verify.verify(str(folder), logkey.signer().public, notes).kept == SIZE + 1
    texts = [text for _public, text, _signature in checked]
    assert [texts.count(note.partition(b"\n\n")[0] + b"\n") for note in notes[:-1]] == [1] * SIZE


def test_the_program_checks_signatures_of_kept_heads_with_its_fast_implementation(every_head, home, monkeypatch):
    """Of this file's own one costs 3 ms: a head a minute made half an hour of a year."""
    monkeypatch.setattr(verify, "is_signed", None)
    kept = sorted((home / "kept").iterdir())
    assert publishing.checked(kept).kept == SIZE + 2  # with that of the second place
    kept[7].write_bytes(kept[7].read_bytes().replace(b"vankho\n7\n", b"vankho\n8\n"))
    with pytest.raises(verify.Several, match=f"the kept checkpoint {kept[7]} was not compared: it is not signed"):
        publishing.checked(kept)


def test_a_backup_is_held_against_each_head_that_is_named(every_head, home, signer):
    leaves, key = list(publishing.leaf_hashes(0)), logkey.signer()
    kept = heads.read(sorted((home / "kept").iterdir()), key=key.public, size=SIZE)
    assert heads.compare(leaves, kept, name="the backup") == SIZE
    (home / "kept" / f"checkpoint-{7:012d}").write_bytes(key.note(7, bytes(32)))
    kept = heads.read(sorted((home / "kept").iterdir()), key=key.public, size=SIZE)
    with pytest.raises(LogForked):
        heads.compare(leaves, kept, name="the backup")
