"""A backup is whole, serves a restore, and tells of each bit that was changed in it."""

import dataclasses
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.rules.errors import Refusal
from archive.verifier.verify import Tampered
from config.backup import checking, heads, manifest, objects, signing, vaulting
from config.backup.checking import Outside
from config.bench import stack
from config.tests import installation
from config.tests.installation import Made
from config.tests.office import server

pytest_plugins = ("config.tests.media",)


def newest(made):
    return manifest.find(made.main)


OBJECTS = 14  # of the office that is kept: originals and packs, two joined files with theirs, one that is held


def code_of(check, *given):
    with pytest.raises(Refusal) as refusal:
        check(*given)
    assert str(refusal.value)
    return refusal.value.code


def flip(path, *, at=-100):
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_a_backup_is_whole_and_the_next_one_copies_only_what_is_new(media):
    sound = checking.read(media.main, Outside(heads=(media.office.home / "log",)))
    told = sound.backup.manifest

    checking.require_objects(sound.backup)
    assert checking.require_vault(sound.backup, media.vault) == 0
    assert told.object_count == len(media.before["digests"]) == OBJECTS
    assert len(manifest.complete(media.main)) == 2
    assert told.earlier.name == manifest.complete(media.main)[0].name
    assert told.earlier.proof
    assert [leaf.hex() for leaf in sound.leaves][: media.before["entries"]] == media.before["leaves"]
    assert media.before["entries"] < told.log.size <= sound.newest_size


def test_no_key_and_no_plain_byte_lies_on_the_main_medium(media):
    names = {path.name for path in media.main.rglob("*") if path.is_file()}
    assert not any("vault" in name or name.endswith(".key") for name in names)
    with closing(sqlite3.connect(newest(media).database)) as database:
        assert database.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'data_key'").fetchone() == (0,)
    assert not any(b"%PDF-1.4" in path.read_bytes() for path in (media.main / "objects").rglob("*.vkso"))


def test_vault_and_level_keys_lie_on_two_media(media):
    assert [path.suffix for path in sorted(media.vault.iterdir())] == [".json", ".pub", ".sig", ".sqlite3"]
    assert not list(media.vault.rglob("*.key"))
    assert {path.name for path in media.keys.iterdir()} == {"levels", "log.key", "backup.key"}
    assert not list(media.keys.rglob("site-*"))


def test_the_index_is_in_no_backup(media):
    own = newest(media).folder
    assert not [path for path in own.rglob("*") if "index" in path.name or "tantivy" in path.name]
    assert {path.name for path in own.iterdir()} == {
        "database.sqlite3", manifest.MANIFEST, manifest.SIGNATURE, manifest.LISTING, signing.PUBLIC,
    }  # fmt: skip


def test_one_bit_in_the_database_is_told(media):
    flip(newest(media).database)
    assert code_of(checking.read, media.main, Outside()) == "BKP-003"


def test_one_bit_in_the_list_of_objects_is_told(media):
    flip(newest(media).folder / manifest.LISTING)
    assert code_of(checking.read, media.main, Outside()) == "BKP-003"


def test_a_missing_object_is_told_with_its_address(media):
    backup = newest(media)
    gone = next(backup.listed())
    backup.place(gone.address).unlink()

    with pytest.raises(Refusal) as refusal:
        checking.require_objects(backup)
    assert refusal.value.code == "BKP-004"
    assert gone.address in str(refusal.value)


def test_a_changed_object_is_told(media):
    backup = newest(media)
    changed = next(backup.listed())
    flip(backup.place(changed.address))

    assert list(objects.damaged(backup)) == [changed.address]
    assert code_of(checking.require_objects, backup) == "BKP-004"


def test_a_changed_manifest_is_told(media):
    path = newest(media).folder / manifest.MANIFEST
    said = path.read_text()
    assert f'"object_count": {OBJECTS}' in said
    path.write_text(said.replace(f'"object_count": {OBJECTS}', f'"object_count": {OBJECTS - 1}'))
    assert code_of(checking.read, media.main, Outside()) == "BKP-002"


def test_a_backup_signed_anew_is_told_by_the_key_that_was_kept_elsewhere(media):
    backup, other = newest(media), Ed25519PrivateKey.generate()
    public = backup.public_key
    data = (backup.folder / manifest.MANIFEST).read_bytes()
    (backup.folder / manifest.SIGNATURE).write_bytes(other.sign(data))
    (backup.folder / signing.PUBLIC).write_bytes(signing.public_pem(other))

    checking.read(media.main, Outside())  # who believes what lies beside it believes a thief
    assert code_of(checking.read, media.main, Outside(public_key=public)) == "BKP-002"
    assert code_of(checking.read, media.main, Outside(public_key=b"no key")) == "BKP-002"


def test_history_changed_before_signing_is_told_by_the_entries_themselves(own):
    """Somebody changes a copy of the database, leaves and all digests of the manifest, and signs with the real key."""
    backup = newest(own)
    with closing(sqlite3.connect(backup.database)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE archive_auditentry SET body = replace(body, 'ok', 'no') WHERE rowid = 5")
        database.commit()
    resign(own, database=manifest.File(backup.database.name, *_digest(backup.database)))

    with pytest.raises(Refusal) as refusal:
        checking.read(own.main, Outside())
    assert refusal.value.code == "BKP-003"


def test_an_entry_under_a_false_hash_is_named_by_each_backup_and_hinders_none(own, tmp_path):
    """Put in or changed by SQL, before there was a fence: a site whose backups are refused for ever would lose everything."""
    with closing(sqlite3.connect(own.office.home / "db.sqlite3")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE archive_auditentry SET body = body || ' ' "  # which is text now, in a column of bytes
            "WHERE id IN (SELECT entry_id FROM archive_auditleaf WHERE idx IN (5, 7))"
        )

    assert "vị trí 5, 7" in own.backup(code=3)
    assert newest(own).manifest.false_entries == [5, 7]
    assert len(checking.read(own.main, Outside(heads=(own.office.home / "log",))).leaves) > 7
    media = ("--vault", str(own.vault), "--keys", str(own.keys))
    assert "vị trí 5, 7" in own.office.manage("check_backup", str(own.main), *media, code=3)
    said = own.office.manage("drill", str(own.main), *media, "--heads", str(own.office.home / "log"), code=3)
    assert "5, 7" in said
    empty = own.office.empty(tmp_path / "new")
    assert "vị trí 5, 7" in own.restore(empty, code=3)
    with closing(sqlite3.connect(empty.home / "db.sqlite3")) as database:
        asked = "SELECT payload FROM archive_auditdetail d JOIN archive_auditentry e ON d.entry_id = e.id WHERE e.action = ?"
        ((kept,),) = database.execute(asked, ["system.restore"])
    told = json.loads(kept)
    assert (told["false_count"], told["false_entries"]) == (2, [5, 7])
    assert "entry 7" in empty.manage("verify_log", code=1)


def test_an_entry_under_a_false_hash_that_the_backup_does_not_name_is_told(own):
    resign(own, false_entries=[9, 11])
    checking.read(own.main, Outside())
    test_history_changed_before_signing_is_told_by_the_entries_themselves(own)


@pytest.mark.engine
def test_on_postgresql_an_entry_under_a_false_hash_comes_back_from_a_backup(tmp_path):
    address = server("VANKHO_TEST_DATABASE_URL")
    with stack.own_database(address) as settings, stack.own_database(address) as others:
        made = Made(installation.found(tmp_path / "home", **settings), tmp_path / "media", {})
        with psycopg.connect(settings["VANKHO_DATABASE_URL"]) as database:
            fence = "TRIGGER archive_auditentry_append_only"
            database.execute(f"ALTER TABLE archive_auditentry DISABLE {fence}")
            database.execute(
                "UPDATE archive_auditentry SET body = body || ' '::bytea "
                "WHERE id = (SELECT entry_id FROM archive_auditleaf WHERE idx = 5)"
            )
            database.execute(f"ALTER TABLE archive_auditentry ENABLE ALWAYS {fence}")
        made.backup(code=3)
        assert newest(made).manifest.false_entries == [5]
        empty = made.office.empty(tmp_path / "new", **others)
        assert "vị trí 5" in made.restore(empty, code=3)
        assert "entry 5" in empty.manage("verify_log", code=1)
        with psycopg.connect(others["VANKHO_DATABASE_URL"]) as database:
            asked = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'archive_auditentry_as_written'"
            assert database.execute(asked).fetchone() == ("A",)


def _digest(path):
    from config.backup import durable

    return durable.digest_of(path)


def resign(made, **changes):
    backup = newest(made)
    told = dataclasses.replace(backup.manifest, **changes)
    key = signing.own_key(made.office.home)
    (backup.folder / manifest.MANIFEST).write_bytes(told.to_bytes())
    (backup.folder / manifest.SIGNATURE).write_bytes(key.sign(told.to_bytes()))


def test_a_backup_whose_log_is_no_beginning_of_a_kept_head_is_told(media, kept):
    from archive.logkey import Signer

    signer = Signer(kept.office.home / "keys" / "log.key", origin="vankho")
    forged = media.media / "heads"
    forged.mkdir()
    (forged / "checkpoint-000000000003").write_bytes(signer.note(3, bytes(32)))

    assert code_of(checking.read, media.main, Outside(heads=(forged,))) == "BKP-005"


def test_a_longer_log_with_its_tiles_proves_the_backup_to_be_its_beginning(own):
    own.office.ask("register", "2")
    sound = checking.read(own.main, Outside(heads=(own.office.home / "log",)))
    assert sound.newest_size > sound.backup.manifest.log.size

    tile = next((own.office.home / "log" / "tile" / "0").rglob(f"{sound.newest_size}"))
    flip(tile, at=3)
    assert code_of(checking.read, own.main, Outside(heads=(own.office.home / "log",))) == "BKP-005"


def test_a_head_signed_by_nobody_we_know_is_no_head(media, tmp_path):
    head = tmp_path / "checkpoint"
    head.write_text("vankho\n3\nAAAA\n\n— vankho AAAA\n")
    assert code_of(checking.read, media.main, Outside(heads=(head,))) == "BKP-002"
    assert code_of(checking.read, media.main, Outside(heads=(tmp_path / "nothing",))) == "BKP-002"
    with pytest.raises((Refusal, Tampered, ValueError)):
        heads.read([media.office.home / "log"], key="vankho+00000000+AAAA", size=1)


def test_a_vault_copy_older_than_the_backup_is_refused(own):
    old = Path(shutil.copytree(own.vault, own.media / "old"))
    own.backup()
    assert code_of(checking.serving, newest(own), old) == "BKP-008"
    checking.serving(newest(own), own.vault)


def test_a_vault_copy_that_was_changed_or_is_missing_is_refused(media):
    copied = next(media.vault.glob("*.sqlite3"))
    flip(copied)
    assert code_of(checking.serving, newest(media), media.vault) == "BKP-007"
    copied.unlink()
    assert code_of(vaulting.newest, media.vault) == "BKP-007"


def test_a_level_key_that_the_vault_copy_needs_and_its_medium_lacks_is_told(media):
    names = vaulting.newest(media.vault).level_keys()
    assert {path.name for path in (media.keys / "levels").iterdir()} == set(names)
    assert len(names) > 1
    words = ("check_backup", str(media.main), "--keys", str(media.keys))
    assert str(media.keys) in media.office.manage(*words, "--vault", str(media.vault))
    assert "--vault" in media.office.manage(*words, code=1)

    for harm in (lambda path: path.write_bytes(b""), lambda path: path.unlink()):
        harm(media.keys / "levels" / names[0])
        with pytest.raises(Refusal) as refusal:
            checking.require_vault(newest(media), media.vault, media.keys)
        assert refusal.value.code == "BKP-021"
        assert names[0] in str(refusal.value)
        assert names[1] not in str(refusal.value)
    assert "BKP-021" in media.office.manage(*words, "--vault", str(media.vault), code=1)
    assert (
        checking.require_vault(newest(media), media.vault) == 0
    )  # the custodian's folder is asked for when it is named


@pytest.mark.engine
def test_a_vault_on_a_server_is_filled_without_what_was_destroyed_and_twice_is_harmless(media, tmp_path):
    gone = next(newest(media).listed()).address
    copied = vaulting.newest(media.vault)
    with stack.own_database(server("VANKHO_TEST_DATABASE_URL")) as settings:
        address = settings["VANKHO_DATABASE_URL"]
        for _ in range(2):  # the second run is one that goes on after a kill
            vaulting.place(copied, tmp_path / "keys", custody=media.keys, address=address, without=[gone])
        with psycopg.connect(address) as database:
            kept = {bytes(row[0]).hex() for row in database.execute("SELECT object_id FROM data_key")}
    assert gone not in kept
    assert list(copied.lacks(kept)) == []
    assert not list((tmp_path / "keys").glob(".trying*"))


def test_only_the_newest_vault_copy_is_kept(own):
    before = next(own.vault.glob("*.sqlite3"))
    own.backup()
    (after,) = own.vault.glob("*.sqlite3")
    assert after.name > before.name


def test_places_inside_each_other_are_refused(own):
    home = str(own.office.home)
    assert "BKP-012" in own.office.manage("backup", str(own.main), "--vault", str(own.main / "v"), code=1)
    assert "BKP-012" in own.office.manage("backup", f"{home}/b", "--vault", str(own.vault), code=1)


def test_media_of_another_office_are_refused_and_nothing_is_removed_from_them(own):
    """Its older vault copies and level keys would be taken for ours and removed."""
    key = own.office.home / "keys" / "backup.key"
    key.unlink()
    before = {path: path.read_bytes() for path in own.media.rglob("*") if path.is_file()}
    assert "BKP-016" in own.backup(code=1)
    fresh = str(own.media / "fresh")
    assert "BKP-016" in own.office.manage("backup", fresh, "--vault", str(own.vault), code=1)
    assert "BKP-016" in own.office.manage("backup", fresh, "--vault", f"{fresh}-v", "--keys", str(own.keys), code=1)
    assert before.items() <= {path: path.read_bytes() for path in own.media.rglob("*") if path.is_file()}.items()


def test_a_lost_object_stops_a_backup_and_leaves_nothing_that_looks_like_one(own):
    address = next(iter(own.before["digests"]))
    before = manifest.complete(own.main)
    (own.office.home / "objects" / address[:2] / address[2:4] / f"{address}.vkso").unlink()
    own.main.joinpath("objects", address[:2], address[2:4], f"{address}.vkso").unlink()

    assert "BKP-004" in own.backup(code=1)
    assert manifest.complete(own.main) == before


def test_scrub_finds_what_is_missing_or_damaged_and_mends_it_from_a_backup(own):
    gone, damaged = list(own.before["digests"])[:2]
    place = own.office.home / "objects"
    (place / gone[:2] / gone[2:4] / f"{gone}.vkso").unlink()
    flip(place / damaged[:2] / damaged[2:4] / f"{damaged}.vkso")

    said = own.office.manage("scrub", "--all", "--mib", "0", code=1)
    assert f"{gone} missing" in said
    assert f"{damaged} damaged" in said
    seen = own.office.ask("look")
    assert (seen["last_act"], seen["details"]["damaged"], seen["details"]["missing"]) == (
        "system.scrub",
        [damaged],
        [gone],
    )

    own.office.manage("scrub", "--all", "--mib", "0", "--from", str(own.main))
    assert own.office.ask("look")["digests"] == own.before["digests"]


def test_scrub_goes_on_where_it_stopped(own):
    own.office.manage("scrub", "--minutes", "0.00001")
    place = json.loads((own.office.home / "scrub.json").read_text())["after"]
    own.office.manage("scrub", "--all", "--mib", "0")
    assert json.loads((own.office.home / "scrub.json").read_text())["after"] == ""
    assert place in {"", *own.before["digests"]}
