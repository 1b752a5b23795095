"""What a backup holds comes back: whole, with its gap told, what was destroyed gone, killed at any moment or not."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archive.stores.custody import make_key_files
from archive.verifier import verify
from config.backup import checking, manifest, vaulting
from config.backup.checking import Outside
from config.tests import annexes
from config.tests.installation import ROOT

pytest_plugins = ("config.tests.media",)


def test_what_was_backed_up_comes_back_and_the_registers_wait_for_paper(media, tmp_path):
    empty = media.office.empty(tmp_path / "new")
    said = media.restore(empty, "--heads", str(media.office.home / "log"))
    seen = empty.ask("look")

    assert seen["digests"] == media.before["digests"]
    assert seen["numbers"] == media.before["numbers"]
    assert seen["unreadable"] == {}
    assert seen["annexes"] == media.before["annexes"]
    assert annexes.is_whole(seen["annexes"])
    assert seen["leaves"][: media.before["entries"]] == media.before["leaves"]
    assert (seen["last_act"], seen["banner"]) == ("system.restore", True)
    assert seen["closed"] == seen["details"]["closed"] > 0
    assert "BKP" not in said
    assert not (empty.home / "restore.json").exists()
    empty.manage("verify_log")
    assert "BKP-006" in media.restore(empty, code=1)


def test_a_drill_passes_while_somebody_writes_and_its_result_stands_in_the_log(own, tmp_path):
    """Heads kept elsewhere that are longer than the backup stay there: the office goes on beside the drill."""
    second = tmp_path / "second"
    office = own.with_settings(VANKHO_LOG_SECOND_PLACE=str(second))
    writer = office.begin("-m", "config.tests.installation", "write", "6")
    assert writer.stdout.readline() == "ready\n"
    own.backup()
    told, stderr = writer.communicate(timeout=120)
    assert '"count"' in told, stderr
    office.ask("register", "1")  # its head is beyond the backup
    names, kept = ({path.name for path in place.iterdir()} for place in (own.main, second))

    office.manage(
        "drill",
        str(own.main),
        "--vault",
        str(own.vault),
        "--keys",
        str(own.keys),
        "--heads",
        str(second),
    )
    seen = office.ask("look")

    assert seen["last_act"] == "system.drill"
    assert {path.name for path in second.iterdir()} == kept
    assert seen["details"]["passed"] == [
        "restored", "digests", "unsealed", "head", "log", "numbers", "searches", "destroyed",
    ]  # fmt: skip
    assert seen["details"]["failed"] == {}
    assert annexes.is_whole(seen["annexes"])
    assert seen["closed"] == 0  # the office itself was not touched
    assert {path.name for path in own.main.iterdir()} == names


def test_a_drill_that_fails_says_so_in_the_log(own):
    backup = manifest.find(own.main)
    backup.place(next(backup.listed()).address).unlink()

    said = own.office.manage("drill", str(own.main), "--vault", str(own.vault), "--keys", str(own.keys), code=1)

    assert "BKP-004" in said
    seen = own.office.ask("look")
    assert seen["last_act"] == "system.drill"
    assert "BKP-004" in seen["details"]["failed"]["restored"]


def test_what_was_destroyed_after_a_backup_stays_destroyed(own, tmp_path):
    address = own.office.ask("spare")["address"]
    own.backup()
    old = manifest.find(own.main)
    own.office.ask("destroy", address)
    own.backup()
    assert address in {each.address for each in old.listed()}

    empty = own.office.empty(tmp_path / "new")
    said = own.restore(empty, folder=old.folder)
    seen = empty.ask("look")

    assert seen["unreadable"] == {address: "STO-006"}
    assert seen["details"]["addresses"] == [address]
    assert not list((empty.home / "objects").rglob(f"{address}*"))
    assert "1" in said
    empty.manage("scrub", "--all", "--mib", "0")
    empty.manage("backup", str(own.main), "--vault", str(own.vault))  # the same folder, its log goes another way
    after = checking.read(own.main, Outside()).backup.manifest
    assert after.destroyed == [address]
    assert after.earlier.proof == []


def test_what_a_newer_log_tells_to_be_destroyed_stays_so_although_the_vault_copy_is_older(own, tmp_path):
    """The machine was lost after the destruction and before the next copy of the vault; the auditor's export is left."""
    address = own.office.ask("spare")["address"]
    own.backup()
    own.office.ask("destroy", address)
    own.office.manage("export_log", str(tmp_path / "export"), "--details")

    empty = own.office.empty(tmp_path / "new")
    own.restore(empty, "--heads", str(tmp_path / "export"))
    seen = empty.ask("look")

    assert list(vaulting.newest(own.vault).lacks([address])) == []
    assert seen["unreadable"] == {address: "STO-006"}
    assert seen["details"]["addresses"] == [address]
    assert not list((empty.home / "objects").rglob(f"{address}*"))
    with closing(sqlite3.connect(empty.home / "keys" / "vault.sqlite3")) as vault:
        kept = vault.execute("SELECT COUNT(*) FROM data_key WHERE object_id = ?", (bytes.fromhex(address),))
        assert kept.fetchone() == (0,)
    assert not list((empty.home / "keys").glob(".trying*"))


def test_an_export_that_was_changed_destroys_nothing(own, tmp_path):
    own.office.ask("destroy", own.office.ask("spare")["address"])
    own.office.manage("export_log", str(tmp_path / "export"), "--details")
    told = tmp_path / "export" / "details.jsonl"
    first = next(manifest.find(own.main).listed()).address
    told.write_text(re.sub(r'"destroyed": \["[0-9a-f]+"\]', f'"destroyed": ["{first}"]', told.read_text()))

    empty = own.office.empty(tmp_path / "new")
    assert "BKP-003" in own.restore(empty, "--heads", str(tmp_path / "export"), code=1)
    assert not (empty.home / "db.sqlite3").exists()


def test_an_object_destroyed_between_snapshot_and_copy_is_told_and_no_fault(own, tmp_path):
    address = own.office.ask("spare")["address"]
    own.office.ask("meanwhile", address, "backup", str(own.main), "--vault", str(own.vault), "--keys", str(own.keys))
    sound = checking.read(own.main, Outside())

    assert sound.backup.manifest.destroyed == [address]
    assert address not in {each.address for each in sound.backup.listed()}
    checking.require_objects(sound.backup)
    checking.require_vault(sound.backup, own.vault)


def test_the_gap_after_the_backup_is_told_and_heads_beyond_it_are_put_aside(own, tmp_path):
    second = tmp_path / "second"
    told = {"VANKHO_LOG_SECOND_PLACE": str(second)}
    office = own.with_settings(**told)
    office.ask("register", "1")
    own.backup()
    office.ask("register", "2")
    size = max(int(path.name.rpartition("-")[2]) for path in second.glob("checkpoint-*"))
    known = checking.read(own.main, Outside()).backup.manifest.log.size
    assert size > known

    empty = own.office.empty(tmp_path / "new", **told)
    own.restore(empty)
    seen = empty.ask("look")

    assert seen["lost"] == seen["details"]["lost"] == size - known
    aside = second / f"before-restore-at-{known:012d}"
    assert any(path.name == f"checkpoint-{size:012d}" for path in aside.iterdir())
    empty.ask("register", "0")
    empty.manage("verify_log")


def test_a_restore_names_the_key_that_came_with_the_keys_or_the_new_one_where_none_came(media, tmp_path):
    before = checking.read(media.main, Outside()).backup.manifest.log_key
    for name in ("with", "without"):
        empty = media.office.empty(tmp_path / name)
        media.restore(empty)
        assert (before in empty.manage("log_key")) is (name == "with")
        empty.manage("verify_log")
        (media.keys / "log.key").unlink(missing_ok=True)


def test_without_the_custodians_nothing_is_restored(media, tmp_path):
    empty = media.office.empty(tmp_path / "new")
    assert "BKP-009" in empty.manage("restore", str(media.main), "--vault", str(media.vault), code=1)

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for half in (1, 2):
        (foreign / f"site-{half}.key").write_text("0" * 64 + "\n")
        (foreign / f"site-{half}.key").chmod(0o400)
    empty.settings["VANKHO_SITE_KEY_FILES"] = f"{foreign}/site-1.key,{foreign}/site-2.key"
    assert "BKP-009" in media.restore(empty, code=1)
    assert not (empty.home / "db.sqlite3").exists()
    assert not (empty.home / "keys" / "vault.sqlite3").exists()


def test_a_damaged_backup_or_an_old_vault_restores_nothing(own, tmp_path):
    old = Path(shutil.copytree(own.vault, own.media / "old"))
    own.backup()
    empty = own.office.empty(tmp_path / "new")

    assert "BKP-008" in empty.manage("restore", str(own.main), "--vault", str(old), "--keys", str(own.keys), code=1)
    backup = manifest.find(own.main)
    backup.database.write_bytes(backup.database.read_bytes()[:-1])
    assert "BKP-003" in own.restore(empty, code=1)
    assert not (empty.home / "db.sqlite3").exists()


def test_a_backup_killed_at_any_moment_looks_like_none_and_the_next_one_goes_on(own):
    own.office.ask("register", "2")
    before = manifest.complete(own.main)
    words = ("backup", str(own.main), "--vault", str(own.vault), "--keys", str(own.keys))

    for at in (3, 9, 14, 20, 27):
        die(own.office, at, *words)
        assert manifest.complete(own.main) == before
        checking.read(own.main, Outside())
        checking.require_vault(manifest.find(own.main), own.vault)
    own.backup()

    assert len(manifest.complete(own.main)) == len(before) + 1
    assert not [path for path in own.main.iterdir() if path.name.startswith(manifest.UNFINISHED)]
    checking.require_objects(manifest.find(own.main))


def test_a_restore_killed_at_any_moment_goes_on_and_no_half_office_opens(media, tmp_path):
    empty = media.office.empty(tmp_path / "new")
    words = ("restore", str(media.main), "--vault", str(media.vault), "--keys", str(media.keys))

    for at in (17, 24, 24, 24):
        die(empty, at, *words)
        assert (empty.home / "restore.json").exists()
    assert "vankho.E070" in empty.manage("check", code=1)
    media.restore(empty)
    seen = empty.ask("look")

    assert seen["digests"] == media.before["digests"]
    assert seen["numbers"] == media.before["numbers"]
    assert seen["annexes"] == media.before["annexes"]
    assert seen["leaves"][: media.before["entries"]] == media.before["leaves"]
    assert seen["closed"] == seen["details"]["closed"]
    empty.manage("check")


def die(office, at, *words):
    """Run a command that is killed at its n-th fsync."""
    done = subprocess.run(
        [sys.executable, "-m", "config.tests.installation", "killed", str(at), *words],
        cwd=ROOT, env=office.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, (at, done.stdout, done.stderr[-1500:])


def test_the_auditors_checker_agrees_with_a_restored_log(media, tmp_path):
    empty = media.office.empty(tmp_path / "new")
    media.restore(empty)
    empty.manage("export_log", str(tmp_path / "export"))
    key = checking.read(media.main, Outside()).backup.manifest.log_key

    old = (media.office.home / "log" / "checkpoint").read_bytes()
    report = verify.verify(str(tmp_path / "export"), key)
    assert report.entries == empty.ask("look")["entries"]
    assert verify.open_note(old, key).size <= report.entries


@pytest.mark.parametrize("step", ["add_keys", "copy", "remove_older", "prune_keys"])
def test_the_first_backup_after_a_change_of_keys_may_be_killed_anywhere(own, tmp_path, step):
    """The vault copy of now under level keys of before would open with nothing, and the copy of before is removed."""
    own.office.manage("rotate_keys", "--as", "security", "--reason", "Theo kế hoạch")
    done = subprocess.run(
        [sys.executable, "-m", "config.tests.installation", "died", step, *own.words],
        cwd=ROOT, env=own.office.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, (done.stdout, done.stderr[-1500:])

    vaulting.newest(own.vault).require_level_keys(own.keys)
    empty = own.office.empty(tmp_path / "new")
    own.restore(empty)
    seen = empty.ask("look")
    assert (seen["digests"], seen["unreadable"]) == (own.before["digests"], {})
    own.backup()
    assert len(list((own.keys / "levels").glob("*.key"))) == len(vaulting.newest(own.vault).level_keys())


def test_nobody_changes_keys_between_the_copies_of_vault_and_level_keys(own, tmp_path):
    (told,) = own.office.ask("rotating", *own.words)["told"]
    assert "STO-023" in told
    empty = own.office.empty(tmp_path / "new")
    own.restore(empty)
    assert empty.ask("look")["digests"] == own.before["digests"]
    own.office.manage("rotate_keys", "--as", "security", "--reason", "Theo kế hoạch")


def test_a_backup_is_refused_while_keys_are_being_changed_and_touches_no_medium_of_theirs(own):
    before = {path: path.read_bytes() for place in (own.vault, own.keys) for path in place.rglob("*") if path.is_file()}
    complete = manifest.complete(own.main)
    said = own.office.ask("changing", *own.words)["said"]
    assert "BKP-022" in said
    assert "rotate_keys" in said
    assert manifest.complete(own.main) == complete
    assert before == {
        path: path.read_bytes() for place in (own.vault, own.keys) for path in place.rglob("*") if path.is_file()
    }
    own.backup()


def test_backups_from_before_and_within_a_change_of_keys_open_with_the_key_files_of_then(own, tmp_path):
    office, told = own.office, ("--as", "security", "--reason", "Quyết định 12/QĐ")
    old = [str(office.home / "keys" / f"site-{half}.key") for half in (1, 2)]
    new = [str(tmp_path / f"new-{half}.key") for half in (1, 2)]
    make_key_files([Path(path) for path in new])
    before = replace(own, media=Path(shutil.copytree(own.media, tmp_path / "before")))

    office.manage("rotate_keys", "--new", new[0], "--new", new[1], *told)
    own.backup()
    within = replace(own, media=Path(shutil.copytree(own.media, tmp_path / "within")))
    office.settings["VANKHO_SITE_KEY_FILES"] = ",".join(new)
    office.manage("rotate_keys", *told)
    own.backup()

    for media, files in ((before, old), (within, new)):
        place = tmp_path / f"from-{media.media.name}-{Path(files[0]).stem}"
        empty = own.office.empty(place, VANKHO_SITE_KEY_FILES=",".join(files))
        media.restore(empty)
        assert empty.ask("look")["digests"] == own.before["digests"]
    empty = own.office.empty(tmp_path / "wrong", VANKHO_SITE_KEY_FILES=",".join(old))
    assert "BKP-009" in own.restore(empty, code=1)
    kept = {path.name for path in (own.keys / "levels").iterdir()}
    assert not kept & {path.name for path in (within.keys / "levels").iterdir()}
