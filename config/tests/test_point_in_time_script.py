"""What keeps PostgreSQL's log (`config/docker/point-in-time`): durable before it is named, never over another piece."""

import gzip
import os
import subprocess

import pytest

from config.tests.clusters import SCRIPT

NAME = "000000010000000000000007"


@pytest.fixture
def piece(tmp_path):
    path = tmp_path / "piece"
    path.write_bytes(os.urandom(5000) + bytes(60_000))
    return path


@pytest.fixture
def seen(tmp_path):
    """A PATH whose `sync` and `mv` write down what they are called with, then do it."""
    (tmp_path / "bin").mkdir()
    for name in ("sync", "mv"):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>"{tmp_path}/seen"\nexec /usr/bin/{name} "$@"\n')
        program.chmod(0o755)
    return tmp_path / "seen"


def script(act, folder, *words, code=0, path=None):
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    done = subprocess.run([SCRIPT, act, folder, *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def kept(folder):
    return {path.name: path.read_bytes() for path in (folder / "wal").iterdir()}


def test_what_was_kept_comes_back(tmp_path, piece):
    script("keep", tmp_path / "a", piece, NAME)
    script("fetch", tmp_path / "a", NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == piece.read_bytes()
    assert (tmp_path / "a" / "wal" / f"{NAME}.gz").stat().st_mode & 0o077 == 0


def test_a_piece_is_synced_before_it_has_its_name_and_the_name_before_the_answer(tmp_path, piece, seen):
    wal = tmp_path / "a" / "wal"
    script("keep", tmp_path / "a", piece, NAME, path=tmp_path / "bin")
    assert seen.read_text().splitlines() == [
        f"sync {wal}/.{NAME}.part",
        f"mv -n {wal}/.{NAME}.part {wal}/{NAME}.gz",
        f"sync {wal}/{NAME}.gz {wal}",
    ]


def test_another_piece_of_the_same_name_is_refused_and_nothing_is_written(tmp_path, piece):
    script("keep", tmp_path / "a", piece, NAME)
    before = kept(tmp_path / "a")
    *whole, last = piece.read_bytes()
    piece.write_bytes(bytes([*whole, last ^ 1]))
    assert "holds something else" in script("keep", tmp_path / "a", piece, NAME, code=1)
    assert kept(tmp_path / "a") == before


def test_a_name_that_came_while_it_was_packed_is_refused(tmp_path, piece):
    """Two servers keep their log in one folder: `mv` finds the name taken."""
    (tmp_path / "bin").mkdir()
    other = tmp_path / "bin" / "gzip"
    other.write_text(f'#!/bin/sh\n/usr/bin/gzip "$@"\necho other >"{tmp_path}/a/wal/{NAME}.gz"\n')
    other.chmod(0o755)
    assert "meanwhile" in script("keep", tmp_path / "a", piece, NAME, code=1, path=tmp_path / "bin")
    assert kept(tmp_path / "a")[f"{NAME}.gz"] == b"other\n"


def test_the_same_piece_again_is_no_fault(tmp_path, piece, seen):
    """A power cut came between the name and the answer: the server asks again, and would ask for ever."""
    script("keep", tmp_path / "a", piece, NAME)
    before = kept(tmp_path / "a")
    script("keep", tmp_path / "a", piece, NAME, path=tmp_path / "bin")
    assert kept(tmp_path / "a") == before
    assert seen.read_text().startswith("sync ")


def test_what_a_kill_left_half_is_written_anew(tmp_path, piece):
    (tmp_path / "a" / "wal").mkdir(parents=True)
    (tmp_path / "a" / "wal" / f".{NAME}.part").write_bytes(b"half")
    script("keep", tmp_path / "a", piece, NAME)
    assert {name: gzip.decompress(data) for name, data in kept(tmp_path / "a").items()} == {
        f"{NAME}.gz": piece.read_bytes()
    }


def test_a_full_disk_leaves_no_piece(tmp_path, piece):
    (tmp_path / "bin").mkdir()
    full = tmp_path / "bin" / "gzip"
    full.write_text("#!/bin/sh\necho half\nexit 1\n")
    full.chmod(0o755)
    script("keep", tmp_path / "a", piece, NAME, code=1, path=tmp_path / "bin")
    assert f"{NAME}.gz" not in kept(tmp_path / "a")


def test_what_is_not_there_or_damaged_is_not_fetched(tmp_path, piece):
    script("fetch", tmp_path / "a", NAME, tmp_path / "back", code=1)
    script("keep", tmp_path / "a", piece, NAME)
    path = tmp_path / "a" / "wal" / f"{NAME}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    script("fetch", tmp_path / "a", NAME, tmp_path / "back", code=1)


@pytest.mark.parametrize(
    ("moment", "answer"),
    [
        ("2026-11-27 12:00:00", "no time zone"),
        ("2026-11-27", "no time zone"),
        ("at noon", "no time zone"),
        ("2020-01-01 00:00:00+07", "no whole copy"),
    ],
)
def test_a_recovery_needs_a_moment_with_its_zone_and_a_copy_before_it(tmp_path, moment, answer):
    (tmp_path / "a" / "base" / "20261127T000000.000Z").mkdir(parents=True)
    assert answer in script("recover", tmp_path / "a", moment, tmp_path / "data", code=1)
    assert not (tmp_path / "data").exists()


def test_a_recovery_never_writes_over_anything(tmp_path):
    (tmp_path / "a" / "base" / "20200101T000000.000Z").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").touch()
    assert "not empty" in script("recover", tmp_path / "a", "2026-11-27 12:00:00+07", tmp_path / "data", code=1)


@pytest.mark.parametrize("words", [(), ("keep",), ("keep", "a", "b"), ("base", "a", "b"), ("listed", "a")])
def test_anything_else_is_answered_with_how_to_use_it(words):
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "use: " in done.stderr
