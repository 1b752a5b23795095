"""The key vault: keys are bound to their object and level, shredding is final, key files are checked.

The same tests on both drivers: rows in a SQLite file, and in a PostgreSQL database of their own.
"""

import errno
import io
import multiprocessing
import os
import secrets
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from archive import store
from archive import vault as vault_module
from archive.rules.levels import Level
from archive.stores import custody, keyrows_postgresql, levelkeys
from archive.stores.custody import KeyFiles, make_key_files
from archive.stores.keyrows import TABLES, SqliteRows
from archive.stores.keyrows_postgresql import PostgresqlRows
from archive.stores.refusals import (
    KeyFileExposed,
    KeyFileForeign,
    KeyFileMalformed,
    KeyFileMissing,
    KeyFileOwned,
    KeysInUse,
    LevelKeyMissing,
    SecondHalfNeeded,
    Shredded,
    StoreAway,
    StoreFailed,
    StoreFull,
    VaultAway,
    VaultFailed,
    VaultMissing,
    WrongKey,
)
from archive.vault import Vault
from config.bench import stack
from config.tests.office import server


@pytest.fixture
def key_files(tmp_path):
    paths = [tmp_path / "custodian-1" / "half.key", tmp_path / "custodian-2" / "half.key"]
    make_key_files(paths)
    return paths


class FilePlace:
    """A vault whose rows lie in a SQLite file."""

    address = ""

    def __init__(self, path):
        self.path = path

    def open(self, files):
        return Vault(self.path, custodian=KeyFiles(files), address=self.address)

    def sql(self, statement, *values):
        db = sqlite3.connect(self.path)
        with db:
            rows = db.execute(statement, values).fetchall()
        db.close()
        return rows

    def stored(self):
        return b"".join(file.read_bytes() for file in self.path.parent.rglob("*") if file.is_file())

    def put_back(self, copy):
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.write_bytes(copy.read_bytes())


class ServerPlace(FilePlace):
    """A vault whose rows lie on a PostgreSQL server."""

    def __init__(self, path, address):
        self.path, self.address = path, address
        self.sql(f"DROP TABLE IF EXISTS {', '.join(TABLES)}")

    def sql(self, statement, *values):
        with psycopg.connect(self.address) as db:
            found = db.execute(statement.replace("?", "%s"), values or None)
            return found.fetchall() if found.description else []

    def stored(self):
        return repr([self.sql(f"SELECT * FROM {table}") for table in TABLES]).encode()  # noqa: S608

    def put_back(self, copy):
        self.sql(f"DROP TABLE {', '.join(TABLES)}")
        rows = PostgresqlRows(self.address)
        rows.load(copy)
        rows.close()


@pytest.fixture(scope="session")
def vault_database():
    with stack.own_database(server("VANKHO_TEST_DATABASE_URL")) as settings:
        yield settings["VANKHO_DATABASE_URL"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.engine)])
def place(request, tmp_path):
    (tmp_path / "keys").mkdir()
    path = tmp_path / "keys" / "vault.sqlite3"
    if request.param == "sqlite":
        return FilePlace(path)
    return ServerPlace(path, request.getfixturevalue("vault_database"))


@pytest.fixture
def file_place(tmp_path):
    (tmp_path / "file").mkdir()
    return FilePlace(tmp_path / "file" / "vault.sqlite3")


@pytest.fixture
def path(place):
    return place.path


@pytest.fixture
def vault(place, key_files):
    opened = place.open(key_files)
    yield opened
    opened.close()


def add(vault, level=Level.MAT):
    """Add a key and return (object id, key)."""
    object_id, key = secrets.token_bytes(16), secrets.token_bytes(32)
    vault.add(object_id, key, level=level)
    return object_id, key


class TestKeys:
    @pytest.mark.parametrize("level", Level)
    def test_a_key_comes_back_also_after_a_restart(self, place, vault, key_files, level):
        object_id, key = add(vault, level)

        assert vault.get(object_id) == key
        again = place.open(key_files)
        assert again.get(object_id) == key
        assert again.level_of(object_id) == level
        again.close()

    def test_no_key_stands_in_any_file_in_clear(self, place, vault):
        object_id, key = add(vault)
        stored = place.stored()

        assert object_id in stored or repr(object_id).encode() in stored
        assert key not in stored
        assert repr(key)[2:-1].encode() not in stored

    def test_every_connection_syncs_fully(self, file_place, key_files):
        vault = file_place.open(key_files)
        with vault.rows.lend() as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
        vault.close()

    def test_a_first_connection_waits_for_another_process_that_makes_the_file(self, file_place, key_files):
        with closing(sqlite3.connect(file_place.path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")  # to such a one SQLite refuses the change of mode without waiting
            later = threading.Timer(0.3, other.execute, ["COMMIT"])
            later.start()

            vault = file_place.open(key_files)

            later.join()
        add(vault)
        with vault.rows.lend() as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        vault.close()

    def test_what_was_sealed_anew_is_found_under_its_last_id(self, vault):
        first, second, third = ids = [secrets.token_bytes(16) for _ in range(3)]
        key = secrets.token_bytes(32)
        vault.add(third, key, level=Level.MAT)
        vault.resealed.note(first, third, sealed_sha256="cut off")
        vault.resealed.note(first, second, sealed_sha256="a")
        vault.resealed.note(second, third, sealed_sha256="b")
        assert all(vault.find(one) == (third, key) for one in ids)
        now = datetime.now(UTC)
        assert vault.resealed.since(now - timedelta(minutes=1)) == {second, third}  # not what was cut off
        assert vault.resealed.since(now + timedelta(minutes=1)) == set()
        vault.resealed.removed(first)
        notes = {each.old: (each.new, each.sealed_sha256, each.is_left) for each in vault.resealed.all()}
        assert notes == {first: (second, "a", False), second: (third, "b", True)}
        vault.resealed.forget(second)
        with pytest.raises(Shredded):
            vault.find(first)
        assert (vault.has(third), vault.has(first)) == (True, False)

    def test_a_vault_of_before_gets_the_table_it_lacks(self, place, vault, key_files):
        object_id, key = secrets.token_bytes(16), secrets.token_bytes(32)
        vault.add(object_id, key, level=Level.MAT)
        vault.close()
        place.sql("DROP TABLE resealed")
        again = place.open(key_files)
        assert list(again.resealed.all()) == []
        assert again.find(object_id) == (object_id, key)
        again.close()

    def test_swapped_rows_do_not_open(self, place, vault):
        (one, _), (two, _) = add(vault), add(vault)
        wraps = dict(place.sql("SELECT object_id, wrapped FROM data_key"))
        place.sql("UPDATE data_key SET wrapped = ? WHERE object_id = ?", wraps[two], one)
        place.sql("UPDATE data_key SET wrapped = ? WHERE object_id = ?", wraps[one], two)

        for object_id in (one, two):
            with pytest.raises(WrongKey) as refusal:
                vault.get(object_id)
            assert object_id.hex() in str(refusal.value)

    def test_a_key_moved_to_a_lower_level_does_not_open(self, place, vault):
        object_id, _ = add(vault, Level.TOI_MAT)
        add(vault, Level.THUONG)
        place.sql("UPDATE data_key SET level = 0 WHERE object_id = ?", object_id)
        with pytest.raises((WrongKey, LevelKeyMissing)):
            vault.get(object_id)

        place.sql("UPDATE data_key SET key_id = (SELECT key_id FROM level WHERE rank = 0) WHERE level = 0")
        with pytest.raises(WrongKey):
            vault.get(object_id)

    def test_a_level_that_does_not_exist_is_a_wrong_key(self, place, vault):
        object_id, _ = add(vault)
        place.sql("UPDATE data_key SET level = 9")
        with pytest.raises(WrongKey):
            vault.get(object_id)

    def test_raising_the_level_moves_the_key_and_keeps_it(self, vault):
        object_id, key = add(vault, Level.THUONG)

        vault.rewrap(object_id, to=Level.TOI_MAT)

        assert (vault.get(object_id), vault.level_of(object_id)) == (key, Level.TOI_MAT)

    def test_ids_are_listed_by_age(self, place, vault):
        old, young = add(vault)[0], add(vault)[0]
        place.sql("UPDATE data_key SET added_at = added_at - 1000 WHERE object_id = ?", old)

        assert set(vault.object_ids()) == {old, young}
        assert set(vault.object_ids(older_than_seconds=500)) == {old}


class TestDestruction:
    def test_a_shredded_key_is_gone_from_every_file(self, place, vault):
        object_id, _ = add(vault)
        [(wrapped,)] = place.sql("SELECT wrapped FROM data_key")

        assert vault.shred(object_id)

        with pytest.raises(Shredded):
            vault.get(object_id)
        with pytest.raises(Shredded):
            vault.rewrap(object_id, to=Level.THUONG)
        assert wrapped not in place.stored()

    def test_shredding_twice_is_not_an_error(self, vault):
        object_id, _ = add(vault)
        assert [vault.shred(object_id), vault.shred(object_id)] == [True, False]

    def test_after_a_rotation_an_older_copy_of_the_vault_opens_nothing(self, place, vault, key_files, tmp_path):
        (kept, key), (gone, _) = add(vault), add(vault)
        (other, other_key) = add(vault, Level.THUONG)
        copy = tmp_path / "copy.sqlite3"
        vault.copy_to(copy)
        vault.shred(gone)

        assert vault.rotate_level(Level.MAT) == 1

        assert vault.get(kept) == key
        vault.close()
        place.put_back(copy)
        restored = place.open(key_files)
        for object_id in (kept, gone):
            with pytest.raises(LevelKeyMissing):
                restored.get(object_id)
        assert restored.get(other) == other_key  # another level was not rotated
        restored.close()

    def test_a_rotation_that_meets_a_wrong_key_changes_nothing(self, place, vault):
        rows = [add(vault) for _ in range(3)]
        place.sql("UPDATE data_key SET wrapped = ? WHERE object_id = ?", bytes(60), rows[1][0])
        before = sorted(place.sql("SELECT * FROM data_key"))

        with pytest.raises(WrongKey):
            vault.rotate_level(Level.MAT)

        assert sorted(place.sql("SELECT * FROM data_key")) == before
        assert vault.get(rows[0][0]) == rows[0][1]

    def test_what_a_broken_off_rotation_left_is_destroyed_by_the_next(self, vault, path):
        object_id, key = add(vault)
        vault.keys.make(Level.MAT)
        assert len(list(path.parent.glob("levels/1-*.key"))) == 2

        vault.rotate_level(Level.MAT)

        assert list(path.parent.glob("levels/1-*.key")) == [vault.level_files()[0]]
        assert vault.get(object_id) == key

    def test_an_old_level_key_that_cannot_be_destroyed_is_not_called_destroyed(self, vault, monkeypatch):
        object_id, key = add(vault)

        def no(path):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(levelkeys, "overwrite", no)
            with pytest.raises(StoreFailed):
                vault.rotate_level(Level.MAT)

        assert vault.get(object_id) == key
        vault.rotate_level(Level.MAT)
        assert len(list(vault.keys.folder.glob("1-*.key"))) == 1

    def test_rotation_goes_on_in_batches(self, vault, monkeypatch):
        monkeypatch.setattr(vault_module, "BATCH", 3)
        rows = [add(vault) for _ in range(10)]

        assert vault.rotate_level(Level.MAT) == 10
        assert all(vault.get(object_id) == key for object_id, key in rows)
        assert len(list(vault.object_ids())) == 10

    def test_another_process_reads_on_through_a_rotation(self, place, vault, key_files):
        object_id, key = add(vault)
        other = place.open(key_files)
        assert other.get(object_id) == key

        vault.rotate_level(Level.MAT)

        assert other.get(object_id) == key
        other.rotate_level(Level.MAT)
        assert vault.get(object_id) == key
        other.close()


@pytest.mark.usefixtures("vault")
class TestCustodians:
    def test_one_custodian_opens_nothing_classified(self, place, vault, key_files):
        secret, _ = add(vault, Level.MAT)
        plain, key = add(vault, Level.THUONG)

        alone = place.open(key_files[:1])

        assert alone.get(plain) == key
        with pytest.raises(SecondHalfNeeded):
            alone.get(secret)
        with pytest.raises(SecondHalfNeeded):
            alone.prepare(Level.TOI_MAT)
        alone.close()

    def test_halves_in_the_wrong_order_are_named(self, place, key_files):
        with pytest.raises(KeyFileForeign) as refusal:
            place.open(key_files[::-1])
        assert str(key_files[1]) in str(refusal.value)

    def test_key_files_of_another_archive_are_named(self, place, tmp_path):
        foreign = [tmp_path / "a.key", tmp_path / "b.key"]
        make_key_files(foreign)
        with pytest.raises(KeyFileForeign):
            place.open(foreign)

    def test_no_key_file_is_named_at_all(self):
        with pytest.raises(KeyFileMissing):
            KeyFiles([])

    def test_a_missing_file_is_named_with_the_cure(self, tmp_path):
        with pytest.raises(KeyFileMissing) as refusal:
            KeyFiles([tmp_path / "no.key"])
        assert "no.key" in str(refusal.value)
        assert "VANKHO_SITE_KEY_FILES" in str(refusal.value)

    @pytest.mark.parametrize("mode", [0o600, 0o440, 0o404, 0o777, 0o4400])
    def test_other_permissions_than_0400_are_refused(self, key_files, mode):
        key_files[0].chmod(mode)
        with pytest.raises(KeyFileExposed) as refusal:
            KeyFiles(key_files)
        assert f"{mode:04o}" in str(refusal.value)

    @pytest.mark.parametrize("text", [b"", b"00" * 31, b"00" * 33, b"g" * 64, b"00" * 32 + b"\n\n", b"0 " * 32])
    def test_a_file_that_is_no_key_is_refused(self, key_files, text):
        key_files[0].chmod(0o600)
        key_files[0].write_bytes(text)
        key_files[0].chmod(0o400)
        with pytest.raises(KeyFileMalformed):
            KeyFiles(key_files)

    def test_a_folder_or_a_pipe_is_no_key_file(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        for odd in (tmp_path, tmp_path / "pipe"):
            with pytest.raises(KeyFileMalformed):
                KeyFiles([odd])

    def test_a_file_of_another_account_is_refused(self, key_files, monkeypatch):
        monkeypatch.setattr(custody.os, "geteuid", lambda: 4_000_000)
        with pytest.raises(KeyFileOwned):
            KeyFiles(key_files)

    def test_existing_key_files_are_never_replaced(self, key_files):
        before = [file.read_bytes() for file in key_files]
        make_key_files(key_files)
        assert [file.read_bytes() for file in key_files] == before
        assert {file.name for file in key_files[0].parent.iterdir()} == {"half.key"}

    def test_a_lost_or_changed_level_key_is_named(self, place, vault, key_files):
        object_id, _ = add(vault)
        [file] = vault.level_files()
        whole = file.read_bytes()
        for broken in (b"", whole[:-1], whole[:20] + bytes([whole[20] ^ 1]) + whole[21:]):
            file.write_bytes(broken)
            fresh = place.open(key_files)
            with pytest.raises(LevelKeyMissing) as refusal:
                fresh.get(object_id)
            assert file.name in str(refusal.value)
            fresh.close()


class TestHandingOver:
    @pytest.fixture
    def new_files(self, tmp_path):
        paths = [tmp_path / "custodian-3" / "half.key", tmp_path / "custodian-4" / "half.key"]
        make_key_files(paths)
        return paths

    def test_between_the_two_steps_both_sets_open_and_afterwards_the_new_one_alone(
        self, place, vault, key_files, new_files
    ):
        rows = [add(vault, level) for level in Level]
        vault.announce(KeyFiles(new_files))
        for files in (key_files, new_files):
            between = place.open(files)
            assert all(between.get(object_id) == key for object_id, key in rows)
            between.close()

        vault.close()
        new = place.open(new_files)
        new.adopt()
        with pytest.raises(KeyFileForeign):
            place.open(key_files)
        assert all(new.get(object_id) == key for object_id, key in rows)
        for level in Level:
            new.rotate_level(level)
        assert all(new.get(object_id) == key for object_id, key in rows)
        assert len(list(new.keys.folder.glob("*.key"))) == len(Level)
        new.close()

    def test_halves_of_two_sets_do_not_mix(self, place, vault, key_files, new_files):
        add(vault)
        vault.announce(KeyFiles(new_files))
        with pytest.raises(KeyFileForeign):
            place.open([key_files[0], new_files[1]])

    def test_a_half_that_a_program_holds_is_not_taken_out_of_use(self, place, vault, new_files):
        object_id, key = add(vault)
        vault.announce(KeyFiles(new_files))
        new = place.open(new_files)
        with pytest.raises(KeysInUse):
            new.adopt()
        with pytest.raises(KeysInUse):
            vault.withdraw()
        assert vault.get(object_id) == new.get(object_id) == key
        new.close()
        vault.withdraw()
        with pytest.raises(KeyFileForeign):
            place.open(new_files)


class TestTogether:
    def test_threads_lose_no_key(self, vault):
        kept, faults = {}, []

        def work():
            try:
                for _ in range(15):
                    object_id, key = add(vault)
                    kept[object_id] = key
                    assert vault.get(object_id) == key
            except Exception as fault:  # noqa: BLE001 - shown by the assertion below
                faults.append(fault)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            vault.rotate_level(Level.MAT)
        for thread in threads:
            thread.join()

        assert not faults
        assert len(kept) == 90
        assert all(vault.get(object_id) == key for object_id, key in kept.items())

    def test_processes_that_start_at_once_agree_on_one_vault(self, place, tmp_path):
        files = [tmp_path / "c" / "1.key", tmp_path / "c" / "2.key"]
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        children = [context.Process(target=_start_and_add, args=(place, files, answers)) for _ in range(6)]
        for child in children:
            child.start()
        kept = dict(answers.get(timeout=60) for _ in children)
        for child in children:
            child.join()

        vault = place.open(files)
        assert all(vault.get(object_id) == key for object_id, key in kept.items())
        assert len(vault.level_files()) == 1
        vault.close()

    def test_a_connection_is_not_carried_over_a_fork(self, vault):
        object_id, key = add(vault)
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        child = context.Process(target=lambda: answers.put((vault.get(object_id), len(vault.rows.idle))))
        child.start()
        assert answers.get(timeout=30) == (key, 1)
        child.join()

    def test_a_full_disk_and_a_broken_database_are_told_apart(self, file_place, key_files):
        vault, path = file_place.open(key_files), file_place.path
        with vault.rows.lend() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreFull):
            _fill(vault)
        vault.close()
        path.write_bytes(b"not a database" * 1000)
        with pytest.raises(VaultFailed):
            vault.get(bytes(16))


def _fill(vault):
    for _ in range(200):
        add(vault)


def _start_and_add(place, files, answers):
    make_key_files(files)
    vault = place.open(files)
    answers.put(add(vault))
    vault.close()


@pytest.mark.engine
class TestServer:
    @pytest.fixture
    def place(self, tmp_path, vault_database):
        (tmp_path / "keys").mkdir()
        return ServerPlace(tmp_path / "keys" / "vault.sqlite3", vault_database)

    def test_a_server_that_is_away_is_said_and_costs_no_try(self, tmp_path, key_files):
        with pytest.raises(StoreAway) as refusal:  # what ingest waits for
            Vault(tmp_path / "keys" / "v", custodian=KeyFiles(key_files), address="postgresql://a:b@127.0.0.1:1/vault")
        assert refusal.value.code == "STO-019"
        assert "127.0.0.1" not in str(refusal.value)

    def test_a_server_that_was_started_again_is_used_at_once(self, place, vault, monkeypatch):
        object_id, key = add(vault)
        place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                  "AND datname = current_database()")  # fmt: skip
        monkeypatch.setattr(keyrows_postgresql, "_FRESH_SECONDS", 0)
        assert vault.get(object_id) == key

    def test_a_connection_that_breaks_in_the_middle_refuses_once_and_changes_nothing(self, place, vault):
        object_id, _ = add(vault)

        def change():
            with vault.rows.changing() as db:
                db.execute("DELETE FROM data_key")
                place.sql("SELECT pg_terminate_backend(?)", db.connection.info.backend_pid)
                db.execute("SELECT 1")

        with pytest.raises(VaultAway):
            change()
        assert vault.get(object_id)

    def test_a_copy_is_the_same_vault(self, vault, tmp_path):
        for level in Level:
            add(vault, level)
        vault.copy_to(tmp_path / "copy.sqlite3")
        copied = SqliteRows(tmp_path / "copy.sqlite3")
        assert copied.facts() == vault.rows.facts()
        assert copied.facts()["data_key"][0] == len(Level)
        copied.close()
        with pytest.raises(VaultFailed):
            vault.rows.load(tmp_path / "copy.sqlite3")

    def test_an_installation_finds_its_vault_on_the_server_and_refuses_to_make_a_second(
        self, place, settings, tmp_path
    ):
        settings.VANKHO_HOME, settings.VAULT_URL = tmp_path / "home", place.address
        settings.SITE_KEY_FILES = (tmp_path / "c" / "1.key", tmp_path / "c" / "2.key")
        sealed = store.put(io.BytesIO(b"content"), level=Level.MAT)
        assert place.sql("SELECT count(*) FROM data_key") == [(1,)]
        assert not (tmp_path / "home" / "keys" / "vault.sqlite3").exists()
        assert store.read(sealed.address) == b"content"

        store.configured().vault.close()
        store._configured.clear()
        place.sql("DROP TABLE half, level, data_key")
        with pytest.raises(VaultMissing) as refusal:
            store.configured()
        assert "VANKHO_VAULT_URL" in str(refusal.value)
