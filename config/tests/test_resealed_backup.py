"""Backup and restore around files that are sealed anew: no medium ever lacks what a newer copy of the vault opens."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest

from config.backup import manifest, vaulting
from config.tests import annexes
from config.tests.installation import Made

pytest_plugins = ("config.tests.media",)


def files(office):
    """Return the ids of the files of all dispatches."""
    with closing(sqlite3.connect(office.home / "db.sqlite3")) as database:
        rows = database.execute("SELECT address FROM archive_digitalobject WHERE record_id IS NOT NULL").fetchall()
    return [address for (address,) in rows]


def reseal(office, *words):
    office.manage("reseal_files", *words, "--as", "security", "--reason", "Nghi lộ khóa")


def test_an_older_backup_comes_back_with_the_newest_vault_and_with_that_of_its_time(own, tmp_path):
    before, old = own.office.ask("look"), manifest.find(own.main)
    anew = files(own.office)
    reseal(own.office, *anew)
    own.office.manage("verify_log")

    early = own.office.empty(tmp_path / "early")
    own.restore(early)  # the vault copy is of before: all opens as it was sealed then
    assert early.ask("look")["digests"] == before["digests"]

    own.backup()
    own.office.manage("check_backup", str(own.main), "--vault", str(own.vault), "--keys", str(own.keys))
    empty = own.office.empty(tmp_path / "new")
    own.restore(empty, folder=old.folder)
    seen = empty.ask("look")
    assert seen["unreadable"] == {}
    assert sorted(seen["digests"].values()) == sorted(before["digests"].values())
    assert not set(anew) & set(seen["digests"])
    assert seen["details"]["addresses"] == []
    assert annexes.is_whole(seen["annexes"])
    assert not [path for path in (empty.home / "objects").rglob("*.vkso") if path.stem in anew]
    empty.manage("verify_log")
    empty.manage("scrub", "--all", "--mib", "0")
    drill = ("drill", str(own.main), "--vault", str(own.vault), "--keys", str(own.keys))
    own.office.manage(*drill, "--heads", str(own.office.home / "log"))


def test_an_older_backup_without_the_new_form_on_its_medium_says_what_cannot_come_back(own, tmp_path):
    old, (address, *_others) = manifest.find(own.main), files(own.office)
    reseal(own.office, address)
    own.backup()
    backup = manifest.find(own.main)
    (now,) = {each.address for each in backup.listed()} - {each.address for each in old.listed()}
    backup.place(now).unlink()
    empty = own.office.empty(tmp_path / "new")
    own.restore(empty, folder=old.folder)
    assert empty.ask("look")["unreadable"] == {address: "STO-002"}


@pytest.fixture
def trailing(own, tmp_path):
    """An office that went back to a moment before its files were sealed anew, with every dispatch edited by SQL."""
    with closing(sqlite3.connect(own.office.home / "db.sqlite3")) as database, database:
        subjects = database.execute("SELECT id, subject FROM archive_record").fetchall()
        database.execute("UPDATE archive_record SET subject = 'sửa ngoài hệ thống'")
    own.backup()
    old, anew = manifest.find(own.main), files(own.office)
    with closing(sqlite3.connect(own.office.home / "db.sqlite3")) as database, database:
        database.executemany("UPDATE archive_record SET subject = ?2 WHERE id = ?1", subjects)
    reseal(own.office, *anew)
    own.backup()
    back = own.office.empty(tmp_path / "back")
    own.restore(back, folder=old.folder)
    return Trailing(Made(back, tmp_path / "own-media", own.before), anew, subjects)


@dataclass(frozen=True)
class Trailing:
    made: Made
    files: list[str]
    subjects: list[tuple[int, str]]


def test_a_dispatch_that_was_edited_past_the_office_keeps_no_restore_from_its_end(trailing):
    seen = trailing.made.office.ask("look")
    assert seen["unreadable"] == {}
    assert set(trailing.files) <= set(seen["digests"])  # their rows do not follow: that would cover the edit


def test_a_dispatch_that_was_edited_past_the_office_keeps_no_backup_from_being_made(trailing, tmp_path):
    made, office = trailing.made, trailing.made.office
    before = office.ask("look")
    assert "KHÔNG ỔN" in made.backup(code=3)
    told = manifest.find(made.main).manifest
    assert set(told.trailing) == set(trailing.files)
    listed = {each.address for each in manifest.find(made.main).listed()}
    assert set(told.trailing.values()) <= listed
    assert not listed & set(trailing.files)
    words = ("check_backup", str(made.main), "--vault", str(made.vault), "--keys", str(made.keys))
    said = office.manage(*words, code=3)
    assert f"{len(trailing.files)} tệp lưu trữ" in said
    office.manage("scrub", "--all", "--mib", "0")
    drill = ("drill", str(made.main), "--vault", str(made.vault), "--keys", str(made.keys))
    office.manage(*drill, "--heads", str(office.home / "log"), code=3)

    empty = office.empty(tmp_path / "new", **office.settings)
    assert "KHÔNG ỔN" in made.restore(empty, code=3)
    seen = empty.ask("look")
    assert seen["unreadable"] == {}
    assert seen["digests"] == before["digests"]
    assert "changed past the office" in empty.manage("verify_log", code=1)


def test_a_file_that_a_row_does_not_follow_is_repaired_from_a_backup(trailing):
    made, office = trailing.made, trailing.made.office
    made.backup(code=3)
    now = manifest.find(made.main).manifest.trailing[trailing.files[0]]
    (kept,) = office.home.rglob(f"{now}.vkso")
    kept.chmod(0o600)
    kept.write_bytes(b"rotten")
    assert trailing.files[0] in office.manage("scrub", "--all", "--mib", "0", code=1)
    office.manage("scrub", "--all", "--mib", "0", "--from", str(made.main))
    assert office.ask("look")["unreadable"] == {}


def test_a_backup_after_the_edit_is_undone_names_nothing_any_more(trailing):
    with closing(sqlite3.connect(trailing.made.office.home / "db.sqlite3")) as database, database:
        database.executemany("UPDATE archive_record SET subject = ?2 WHERE id = ?1", trailing.subjects)
    assert "KHÔNG ỔN" not in trailing.made.backup()
    assert manifest.find(trailing.made.main).manifest.trailing == {}


@pytest.mark.parametrize("step", ["_copy", "_copy_vault"])
def test_a_backup_during_which_a_file_is_sealed_anew_is_run_again(own, tmp_path, step):
    address, copies = files(own.office)[0], vaulting.newest(own.vault)
    said = own.office.ask("resealed", step, address, *own.words)["said"]
    assert "BKP-024" in said
    assert vaulting.newest(own.vault).path == copies.path  # the media of before still serve each other
    early = own.office.empty(tmp_path / "early")
    own.restore(early)
    assert early.ask("look")["unreadable"] == {}

    own.backup()
    empty = own.office.empty(tmp_path / "new")
    own.restore(empty)
    assert empty.ask("look")["unreadable"] == {}
