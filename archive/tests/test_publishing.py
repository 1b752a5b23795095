"""The log as an outsider checks it: heads, tiles, exports, and every kind of change to them is found."""

import ast
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from archive import audit, logkey, merkle, publishing, sequencing
from archive.models import AuditEntry, AuditLeaf
from archive.rules.roles import Action
from archive.verifier import verify
from config.tests.office import fence_lifted

SIZE = 300  # more than one tile


@pytest.fixture
def home(tmp_path, settings, office):
    """An installation of its own with a log of more than one tile, and a second place."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = tmp_path / "second"
    sequencing.place_all()
    write(SIZE - AuditLeaf.objects.count())
    return tmp_path


def write(amount):
    with transaction.atomic():
        for number in range(amount):
            audit.write(Action.SYSTEM_READ, actor=None, details={"n": number} if number % 7 == 0 else None)
    sequencing.place_all()


@pytest.fixture
def exported(home):
    publishing.export(home / "export", with_details=True)
    return home / "export"


def check(folder, *kept):
    return verify.verify(str(folder), logkey.signer().public, list(kept))


def bundle_of(folder, number=0):
    width = 256 if number == 0 else len(list(publishing.leaf_hashes(256)))
    return folder / verify.tile_path("entries", number, width), verify.Export(str(folder)).bundle(number, width)


def pack(bodies):
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def plain_root(leaves):
    """The root as RFC 9162, section 2.1.1 writes it down: by halves, not by peaks."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + plain_root(leaves[:half]) + plain_root(leaves[half:])).digest()


def test_an_export_is_in_order_and_its_head_is_the_one_published(home, exported):
    head = publishing.newest()
    report = check(exported, (home / "second" / f"checkpoint-{head.size:012d}").read_bytes())
    assert (report.entries, report.kept) == (head.size, 1)
    assert report.details > 40
    assert head.root == plain_root([bytes(entry.leaf_hash) for entry in AuditEntry.objects.order_by("leaf__idx")])


def test_the_checker_runs_alone_with_any_python(exported):
    key = (exported / "key.txt").read_text()
    ran = subprocess.run(
        [sys.executable, "-I", "-W", "error", "verify.py", ".", "--key", key],
        check=False,
        cwd=exported,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout[:3], ran.stderr) == (0, "OK:", "")


def test_the_signature_is_one_that_openssl_knows(home, exported):
    text, _, signatures = (exported / "checkpoint").read_bytes().partition(b"\n\n")
    blob = base64.b64decode(signatures.decode().split(" ")[2])
    raw = base64.b64decode((exported / "key.txt").read_text().strip().split("+", 2)[2])
    der = bytes.fromhex("302a300506032b6570032100") + raw[1:]
    (home / "key.der").write_bytes(der)
    (home / "text").write_bytes(text + b"\n")
    (home / "signature").write_bytes(blob[4:])
    told = [
        "-verify",
        "-pubin",
        "-inkey",
        "key.der",
        "-keyform",
        "DER",
        "-rawin",
        "-in",
        "text",
        "-sigfile",
        "signature",
    ]
    ran = subprocess.run(["openssl", "pkeyutl", *told], check=False, cwd=home, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def change_entry(folder):
    path, bodies = bundle_of(folder)
    bodies[40] = bodies[40].replace(b'"outcome":"ok"', b'"outcome":"no"')
    path.write_bytes(pack(bodies))


def drop_entry(folder):
    path, bodies = bundle_of(folder)
    path.write_bytes(pack(bodies[:40] + bodies[41:]))


def swap_entries(folder):
    path, bodies = bundle_of(folder)
    bodies[40], bodies[41] = bodies[41], bodies[40]
    path.write_bytes(pack(bodies))


def add_entry(folder):
    path, bodies = bundle_of(folder)
    path.write_bytes(pack([*bodies[:40], b'{"made":"up"}', *bodies[40:]]))


def cut_entries(folder):
    path, bodies = bundle_of(folder)
    path.write_bytes(pack(bodies[:40]))


def remove_bundle(folder):
    bundle_of(folder)[0].unlink()


def change_leaf(folder):
    path, bodies = bundle_of(folder)
    bodies[40] = bodies[40].replace(b'"outcome":"ok"', b'"outcome":"no"')
    path.write_bytes(pack(bodies))
    tile = folder / "tile/0/000"
    data = bytearray(tile.read_bytes())
    data[40 * 32 : 41 * 32] = verify.leaf(bodies[40])
    tile.write_bytes(data)


def change_details(folder):
    path = folder / "details.jsonl"
    path.write_text(path.read_text().replace('"n": 7}', '"n": 8}', 1))


def details_of(folder, change):
    path = folder / "details.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(next(line for line in lines if b'"n": 7}' in line), lines)))


def drop_details(folder):
    details_of(folder, lambda seventh, lines: [line for line in lines if line != seventh])


def repeat_details(folder):
    details_of(folder, lambda seventh, lines: [*lines, seventh])


def spoil_details(folder):
    details_of(folder, lambda _seventh, lines: [*lines, b"{}\n"])


def append_to_bundle(folder):
    with bundle_of(folder, 1)[0].open("ab") as file:
        file.write(b"\x00")


def append_to_tile(folder):
    with (folder / "tile/0/000").open("ab") as file:
        file.write(bytes(32))


def change_head(folder):
    path = folder / "checkpoint"
    lines = path.read_text().split("\n")
    path.write_text("\n".join([lines[0], str(int(lines[1]) - 1), *lines[2:]]))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (change_entry, "entry 40: the entry's bytes were changed"),
        (drop_entry, "entry 40: an entry was removed here"),
        (swap_entries, "entry 40: the entry stands in another's place (swapped)"),
        (add_entry, "entry 40: an entry was put in here"),
        (cut_entries, "entry 40: the entry is missing"),
        (remove_bundle, "entry 0: the entry is missing"),
        (change_leaf, "entry 41: the chain of its object is broken"),
        (change_details, "entry 8: the details of the entry were changed"),
        (drop_details, "entry 8: the details of the entry are missing"),
        (repeat_details, "entry 8: details of an entry"),
        (spoil_details, "the file of details is not in its form"),
        (append_to_bundle, f"entry {SIZE}: an entry was put in here"),
        (append_to_tile, "the hash tile tile/0/000 is missing, or has not its length"),
        (change_head, "the checkpoint is not signed with this key"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_kind_of_change_is_found_and_named(exported, tamper, told):
    tamper(exported)
    with pytest.raises(verify.Tampered) as caught:
        check(exported)
    assert str(caught.value).startswith(told)


def test_a_log_written_anew_and_signed_again_is_found_by_the_head_that_was_kept(exported):
    kept = (exported / "checkpoint").read_bytes()
    path, bodies = bundle_of(exported, 1)
    everything = [*bundle_of(exported, 0)[1], *bodies]
    last = json.loads(everything[-1])
    everything[-1] = json.dumps({**last, "outcome": "denied"}, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(pack(everything[256:]))
    shutil.rmtree(exported / "tile/0")
    leaves = [verify.leaf(body) for body in everything]
    publishing.Tiles(exported).extend(0, leaves)
    (exported / "checkpoint").write_bytes(logkey.signer().note(len(leaves), plain_root(leaves)))
    assert check(exported).entries == len(everything)  # by itself it is in order
    with pytest.raises(verify.Tampered, match="kept checkpoint: history was rewritten"):
        check(exported, kept)


def test_a_shorter_log_is_found_by_the_head_that_was_kept(home):
    publishing.publish()
    kept = (home / "home/log/checkpoint").read_bytes()
    head = publishing.newest()
    with fence_lifted():
        AuditLeaf.objects.filter(idx=head.size - 1).delete()
    with pytest.raises(logkey.LogShorter):
        publishing.publish()
    shutil.rmtree(home / "home/log")  # what an insider would do next
    publishing.export(home / "export", with_details=False)
    with pytest.raises(verify.Tampered, match="the log was cut"):
        check(home / "export", kept)


def test_heads_are_signed_only_when_there_is_something_new(home):
    first = publishing.publish()
    assert first.size == SIZE
    assert publishing.publish() is None
    write(700)
    assert publishing.publish().size == SIZE + 700
    assert [path.name for path in sorted((home / "second").glob("checkpoint-*"))] == [
        f"checkpoint-{SIZE:012d}", f"checkpoint-{SIZE + 700:012d}",
    ]  # fmt: skip


def test_tiles_grown_in_steps_are_the_tiles_grown_at_once(tmp_path):
    leaves = [hashlib.sha256(n.to_bytes(4)).digest() for n in range(70_000)]
    at_once, in_steps = publishing.Tiles(tmp_path / "a"), publishing.Tiles(tmp_path / "b")
    at_once.extend(0, leaves)
    size = 0
    for end in (1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000):
        size = in_steps.extend(size, leaves[size:end])
        assert in_steps.root(size) == plain_root(leaves[:size])
    assert at_once.root(size) == in_steps.root(size)


def test_the_commands_export_and_check_and_say_what_is_wrong(home, capsys):
    call_command("export_log", home / "export")
    assert "entries in" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action=Action.LOG_EXPORT).count() == 1
    call_command("verify_log", kept=[home / "export/checkpoint"])
    assert "OK:" in capsys.readouterr().out
    with pytest.raises(CommandError, match="not empty"):
        call_command("export_log", home / "export")
    with fence_lifted():
        entry = AuditEntry.objects.get(leaf__idx=5)
        AuditEntry.objects.filter(pk=entry.pk).update(body=bytes(entry.body).replace(b'"ok"', b'"no"'))
    with pytest.raises(CommandError, match="entry 5: the entry's bytes were changed"):
        call_command("verify_log")


def test_time_that_runs_backward_is_told(home):
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False):
        write(1)
    publishing.export(home / "export", with_details=False)
    assert [(index, round(back / 60)) for index, back in check(home / "export").backward] == [(SIZE, 60)]


def test_the_proof_of_one_entry_shows_it_to_whoever_has_the_key(home):
    key = logkey.signer().public
    entry = AuditEntry.objects.get(leaf__idx=123)
    index, body, head = verify.open_proof(publishing.proof(123), key)
    assert (index, body, head) == (123, bytes(entry.body), publishing.newest())
    write(1)
    assert verify.open_proof(publishing.proof(SIZE), key)[2].size == SIZE + 1  # signed for it


def test_a_changed_proof_shows_nothing(home):
    key, proof = logkey.signer().public, publishing.proof(123)
    lines = proof.split(b"\n")
    for number, line in enumerate(lines[: lines.index(b"")]):
        other = b"BB=" if line.endswith(b"AA=") else b"AA="  # one hash of a thousand ends so by itself
        spoiled = [*lines[:number], line[:-3] + other, *lines[number + 1 :]]
        with pytest.raises(verify.Tampered):
            verify.open_proof(b"\n".join(spoiled), key)
    with pytest.raises(verify.Tampered):
        verify.open_proof(proof.replace(b"index 123", b"index 122"), key)


def test_proofs_from_tiles_are_those_of_the_tree(tmp_path):
    leaves = [hashlib.sha256(n.to_bytes(4)).digest() for n in range(66_000)]
    tiles = publishing.Tiles(tmp_path)
    tiles.extend(tiles.extend(0, leaves[:700]), leaves[700:])
    root = plain_root(leaves)
    for index in (0, 1, 255, 256, 699, 700, 65_535, 65_536, 65_999):
        assert verify.is_included(leaves[index], index, len(leaves), root, tiles.proof(index, len(leaves)))
        assert merkle.is_included(leaves[index], index, len(leaves), root, tiles.proof(index, len(leaves)))
    with pytest.raises(IndexError):
        tiles.proof(66_000, 66_000)


def test_a_head_that_the_second_place_did_not_take_is_brought_there_later(home):
    (home / "second").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="second"):
        publishing.publish()
    (home / "second").unlink()
    assert publishing.publish() is None
    assert [path.name for path in publishing.heads_elsewhere()] == [f"checkpoint-{SIZE:012d}"]


def test_every_head_signed_while_the_second_place_was_away_is_brought_there_later(home):
    (home / "second").write_text("a file where the folder should be")
    sizes = []
    for _ in range(3):
        with pytest.raises(OSError, match="second"):
            publishing.publish()
        sizes.append(publishing.newest().size)
        write(1)
    (home / "second").unlink()
    publishing.publish()
    kept = [verify.open_note(path.read_bytes(), logkey.signer().public).size for path in publishing.heads_elsewhere()]
    assert kept == [*sizes, SIZE + 3]
    assert not list((home / "home/log/waiting").iterdir())
    call_command("verify_log")  # each is a prefix of the log


def test_a_head_that_a_crash_kept_from_the_second_place_is_brought_there_later(home, monkeypatch):
    with monkeypatch.context() as crashing:
        crashing.setattr(publishing, "_keep_elsewhere", lambda _head: None)
        publishing.publish()
    write(1)
    publishing.publish()
    assert [path.name for path in publishing.heads_elsewhere()] == [f"checkpoint-{n:012d}" for n in (SIZE, SIZE + 1)]


def test_another_head_of_the_same_size_in_the_second_place_is_no_copy(home):
    """Whoever rewrote history and signed it again has as many entries, and the second place the head of before."""
    publishing.publish()
    (kept,) = publishing.heads_elsewhere()
    kept.write_bytes(logkey.signer().note(SIZE, b"r" * 32))
    with pytest.raises(logkey.LogShorter):
        publishing.require_continued()
    with pytest.raises(logkey.LogShorter):
        publishing.publish()
    write(1)
    with pytest.raises(logkey.LogShorter):
        publishing.publish()
    assert publishing.newest().size == SIZE  # nothing is signed on top of it


def test_a_head_that_waits_does_not_pass_for_another_of_its_size(home):
    publishing.publish()
    waiting = home / "home/log/waiting" / publishing.heads_elsewhere()[0].name
    waiting.parent.mkdir()
    waiting.write_bytes(logkey.signer().note(SIZE, b"r" * 32))
    with pytest.raises(logkey.LogShorter):
        publishing.publish()
    assert waiting.exists()


def test_a_head_is_signed_after_a_minute_or_a_thousand_entries(home):
    publishing.publish()
    write(10)
    publishing.sweep()
    assert publishing.newest().size == SIZE
    write(publishing.SIGN_ENTRIES)
    publishing.sweep()
    assert publishing.newest().size == SIZE + 10 + publishing.SIGN_ENTRIES
    write(1)
    note = publishing.folder() / "checkpoint"
    os.utime(note, (note.stat().st_atime, note.stat().st_mtime - publishing.SIGN_SECONDS))
    publishing.sweep()
    assert publishing.newest().size == SIZE + 11 + publishing.SIGN_ENTRIES


def test_a_database_rolled_back_is_found_before_work_begins(home):
    publishing.publish()
    publishing.require_continued()
    with fence_lifted():
        AuditLeaf.objects.filter(idx=SIZE - 1).delete()
    with pytest.raises(logkey.LogShorter):
        publishing.require_continued()
    shutil.rmtree(home / "home/log")  # the folder rolled back with it: the second place remembers
    with pytest.raises(logkey.LogShorter):
        publishing.require_continued()


def test_a_place_without_an_entry_is_named(home):
    publishing.publish()
    with fence_lifted():
        AuditLeaf.objects.filter(idx=SIZE // 2).delete()
    with pytest.raises(CommandError, match=rf"entry {SIZE // 2}: the entry is missing"):
        call_command("verify_log")


@pytest.mark.parametrize("hole", [0, 49, 50, SIZE - 2])
def test_a_hole_in_any_part_is_named_and_leaves_no_cursor_open(home, monkeypatch, hole):
    """One that was collected in the midst of another's fetch locked the connection of its program for ever."""
    publishing.publish()
    with fence_lifted():
        AuditLeaf.objects.filter(idx=hole).delete()
    monkeypatch.setattr(publishing, "_ROWS", 50)
    with pytest.raises(verify.Tampered, match="the entry is missing") as fault:
        publishing.checked()
    assert fault.value.index == hole
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_cursors")
            assert cursor.fetchall() == []


def test_the_checker_is_written_for_the_oldest_python_that_is_promised():
    ast.parse(Path(verify.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))


def pythons():
    """Return every Python of this machine by its place: the one that runs this, the system's, those beside it."""
    beside = sorted(
        each for name in ("3.9", "3.1?") for each in Path.home().glob(f".pyenv/versions/{name}.*/bin/python3")
    )
    return list(dict.fromkeys([sys.executable, shutil.which("python3") or sys.executable, *map(str, beside)]))


@pytest.mark.parametrize("python", pythons())  # one that is not here cannot be asked; the grammar is looked at above
def test_the_checker_runs_on_every_python_at_hand(exported, python):
    ran = subprocess.run(
        [python, "-I", "-W", "error", "verify.py", ".", "--key", "key.txt", "--details"],
        check=False, cwd=exported, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout[:3], ran.stderr) == (0, "OK:", "")
