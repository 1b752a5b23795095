"""What every driver of the store must do, and what the store as a whole must survive.

`medium` is the list of places: a local folder, and a bucket of a real S3 server (`engine`). Real files, real keys; a fault is made by the operating system or at its border, never in our code.
"""

import errno
import hashlib
import io
import os
import secrets
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from pathlib import Path

import pytest
from django.utils.translation import override

from archive import store as store_module
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.sealing import CHUNK, SEALED_CHUNK
from archive.store import Store
from archive.stores import disk, local, refusals
from archive.stores.custody import KeyFiles, make_key_files
from archive.stores.local import LocalStore
from archive.stores.refusals import (
    AboveCeiling,
    DamagedObject,
    MissingObject,
    Shredded,
    StoreFailed,
    StoreFull,
    VaultMissing,
    WrongKey,
)
from archive.tests import sealed_reader
from archive.tests.media import BucketMedium, LocalMedium
from archive.vault import Vault
from config.tests import buckets

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.engine)])
def medium(request, tmp_path):
    return LocalMedium(tmp_path) if request.param == "local" else BucketMedium(request.getfixturevalue("bucket"))


@pytest.fixture(scope="session")
def bucket():
    with buckets.fresh() as account:
        yield account


@pytest.fixture
def open_driver(medium):
    return medium.driver


@pytest.fixture
def vault(tmp_path):
    (tmp_path / "keys").mkdir()
    files = [tmp_path / "keys" / "1.key", tmp_path / "keys" / "2.key"]
    make_key_files(files)
    opened = Vault(tmp_path / "keys" / "vault.sqlite3", custodian=KeyFiles(files))
    yield opened
    opened.close()


@pytest.fixture
def store(open_driver, vault):
    return Store(open_driver(), vault)


@pytest.fixture
def payload():
    return secrets.token_bytes(100_000)


def put(store, data, level=Level.MAT):
    return store.put(io.BytesIO(data), level=level)


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


class TestDriverContract:
    def test_what_goes_in_comes_out(self, open_driver):
        driver, address, data = open_driver(), secrets.token_hex(16), secrets.token_bytes(50_000)
        draft = driver.create(address, level=Level.MAT)
        draft.write(memoryview(data[:100]))
        draft.write(memoryview(data[100:]))
        draft.commit()

        again = open_driver()
        with again.open(address) as source:
            assert source.read() == data
            source.seek(49_990)
            assert source.read(100) == data[49_990:]
        assert again.stat(address).sealed_size == 50_000
        assert list(again.addresses()) == [address]

    def test_an_unfinished_object_is_never_visible(self, open_driver):
        driver, address = open_driver(), secrets.token_hex(16)
        draft = driver.create(address, level=Level.MAT)
        draft.write(memoryview(b"half"))

        assert driver.stat(address) is None
        assert list(driver.addresses()) == []
        with pytest.raises(MissingObject):
            driver.open(address)

    def test_an_abandoned_draft_leaves_nothing(self, open_driver):
        driver, address = open_driver(), secrets.token_hex(16)
        draft = driver.create(address, level=Level.MAT)
        draft.write(memoryview(b"half"))
        draft.abandon()
        draft.abandon()

        assert driver.stat(address) is None
        assert driver.sweep(older_than_seconds=-1) == 0

    def test_an_object_is_written_once(self, open_driver):
        driver, address = open_driver(), secrets.token_hex(16)
        for data in (b"first", b"second"):
            draft = driver.create(address, level=Level.MAT)
            draft.write(memoryview(data))
            if data == b"first":
                draft.commit()
        with pytest.raises(StoreFailed):
            draft.commit()

        with driver.open(address) as source:
            assert source.read() == b"first"
        assert driver.sweep(older_than_seconds=-1) == 0

    def test_deleting_twice_is_not_an_error(self, open_driver):
        driver, address = open_driver(), secrets.token_hex(16)
        draft = driver.create(address, level=Level.MAT)
        draft.write(memoryview(b"x"))
        draft.commit()

        driver.delete(address)
        driver.delete(address)

        assert driver.stat(address) is None
        assert list(driver.addresses()) == []

    def test_what_a_killed_writer_left_is_swept_when_old(self, open_driver):
        driver = open_driver()
        driver.create(secrets.token_hex(16), level=Level.MAT).write(memoryview(bytes(9_000_000)))

        assert driver.sweep(older_than_seconds=60) == 0
        assert driver.sweep(older_than_seconds=-1) == 1
        assert driver.sweep(older_than_seconds=-1) == 0

    @pytest.mark.parametrize("address", ["", "../../../etc/passwd", "g" * 32, "A" * 32, "a" * 31, "a" * 33, "٣" * 32])
    def test_anything_but_32_hex_digits_is_simply_missing(self, open_driver, address):
        with pytest.raises(MissingObject):
            open_driver().open(address)


class TestStoreContract:
    @pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 100_000, 2_500_000, 20_000_000])
    def test_what_goes_in_comes_out_with_its_digests(self, store, length):
        data = secrets.token_bytes(length)

        sealed = put(store, data)

        assert store.read(sealed.address) == data
        assert (sealed.size, sealed.sha256) == (length, hashlib.sha256(data).hexdigest())
        assert store.stat(sealed.address) == store_module.Stat(exists=True, sealed_size=sealed.sealed_size)
        assert store.sealed_digest(sealed.address) == sealed.sealed_sha256
        assert sealed.level is Level.MAT

    def test_the_same_bytes_twice_are_two_objects_that_share_nothing(self, store, payload):
        one, two = put(store, payload), put(store, payload)

        assert one.sha256 == two.sha256
        assert one.address != two.address
        assert one.sealed_sha256 != two.sealed_sha256

    def test_an_address_tells_nothing_of_the_content(self, store, medium, tmp_path, payload):
        sealed = put(store, payload)
        names = " ".join([*(str(path) for path in files_in(tmp_path)), *medium.names()])

        assert sealed.sha256[:32] not in names
        kept = [*(path.read_bytes() for path in files_in(tmp_path)), medium.read(sealed.address)]
        assert all(payload[i : i + 16] not in content for content in kept for i in (0, 50_000))

    def test_a_range_is_read_alone(self, store, payload):
        address = put(store, payload).address

        assert store.read(address, start=40_000, length=123) == payload[40_000:40_123]
        with store.open(address, start=99_990) as part:
            assert part.read() == payload[99_990:]

    def test_bytes_may_come_piece_by_piece(self, store, payload):
        with store.begin(level=Level.THUONG) as writing:
            for start in range(0, len(payload), 7_777):
                writing.write(payload[start : start + 7_777])
            sealed = writing.commit()

        assert store.read(sealed.address) == payload

    @pytest.mark.parametrize("times", [1, 200])
    def test_leaving_without_commit_leaves_nothing(self, store, medium, payload, times):
        with store.begin(level=Level.MAT) as writing:
            for _ in range(times):
                writing.write(payload)

        assert medium.names() == []
        assert list(store.vault.object_ids()) == []

    def test_a_source_that_fails_leaves_nothing(self, store, medium):
        class Failing(io.BytesIO):
            def read(self, size=-1):
                return super().read(size) or self._fail()

            def _fail(self):
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.put(Failing(bytes(20_000_000)), level=Level.MAT)
        assert medium.names() == []

    def test_a_flipped_bit_is_reported_with_its_address(self, store, medium, payload):
        sealed = put(store, payload)
        whole = medium.read(sealed.address)
        for at in (0, 8, 24, 48, 80, 80 + 3 * SEALED_CHUNK, len(whole) - 1):
            medium.write(sealed.address, whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            with pytest.raises(DamagedObject) as refusal:
                store.read(sealed.address)
            assert sealed.address in str(refusal.value)
            assert store.sealed_digest(sealed.address) != sealed.sealed_sha256

    def test_damage_met_in_mid_stream_refuses_and_is_not_a_short_file(self, store, medium, payload):
        sealed = put(store, payload)
        whole = bytearray(medium.read(sealed.address))
        whole[80 + 2 * SEALED_CHUNK] ^= 1
        medium.write(sealed.address, bytes(whole))

        with store.open(sealed.address) as reader:
            assert reader.read(2 * CHUNK) == payload[: 2 * CHUNK]
            with pytest.raises(DamagedObject):
                reader.read(1)

    def test_a_cut_object_is_damaged(self, store, medium, payload):
        sealed = put(store, payload)
        whole = medium.read(sealed.address)
        for length in (0, 79, 80, 96, 80 + SEALED_CHUNK, 80 + SEALED_CHUNK + 500, sealed.sealed_size - 1):
            medium.write(sealed.address, whole[:length])
            with pytest.raises(DamagedObject):
                store.open(sealed.address)

    def test_an_object_in_anothers_place_is_damaged(self, store, medium, payload):
        one, two = put(store, payload), put(store, payload)
        medium.write(one.address, medium.read(two.address))

        with pytest.raises(DamagedObject):
            store.read(one.address)

    def test_a_missing_object_is_told_from_a_destroyed_one(self, store, payload):
        lost, destroyed = put(store, payload), put(store, payload)
        store.driver.delete(lost.address)
        store.shred(destroyed.address)

        with pytest.raises(MissingObject):
            store.read(lost.address)
        with pytest.raises(Shredded):
            store.read(destroyed.address)

    def test_shredding_twice_is_not_an_error(self, store, payload):
        address = put(store, payload).address
        store.shred(address)
        store.shred(address)

        assert not store.stat(address).exists
        assert list(store.addresses()) == []

    def test_destroyed_content_restored_from_a_backup_stays_unreadable(self, store, medium, payload):
        address = put(store, payload).address
        backup = medium.read(address)
        store.shred(address)
        medium.write(address, backup)

        with pytest.raises(Shredded):
            store.read(address)

    def test_a_new_level_leaves_the_bytes_untouched(self, store, payload):
        sealed = put(store, payload, Level.THUONG)
        store.relevel(sealed.address, to=Level.TOI_MAT)

        assert store.sealed_digest(sealed.address) == sealed.sealed_sha256
        assert store.read(sealed.address) == payload

    @pytest.mark.parametrize("level", [Level.THUONG, Level.MAT])
    def test_an_outsider_with_the_page_and_the_keys_reads_an_object(self, store, medium, tmp_path, payload, level):
        address, keys = put(store, payload, level).address, tmp_path / "keys"
        object_id = bytes.fromhex(address)
        store.vault.rotate_level(level)

        key = sealed_reader.data_key(
            keys / "vault.sqlite3", keys / "levels", [keys / "1.key", keys / "2.key"], object_id
        )
        assert sealed_reader.unseal(medium.read(address), key, object_id) == payload

    def test_top_secret_bytes_are_never_taken_in(self, store):
        with pytest.raises(AboveCeiling):
            put(store, b"x", Level.TUYET_MAT)
        assert list(store.addresses()) == []

    def test_objects_and_keys_without_a_row_are_found_when_old(self, store, payload):
        kept, extra = put(store, payload), put(store, payload)
        bare = secrets.token_bytes(16)
        store.vault.add(bare, bytes(32), level=Level.MAT)

        def known(addresses):
            return [address for address in addresses if address == kept.address]

        assert set(store.orphans(known, older_than_seconds=-1)) == {extra.address, bare.hex()}
        assert list(store.orphans(known)) == []

    def test_an_odd_address_is_missing(self, store):
        for address in ("", "zz", "A" * 32, "a" * 30, "../" * 10):
            with pytest.raises(MissingObject):
                store.read(address)

    def test_threads_can_put_and_read_at_once(self, store):
        wrong = []

        def work():
            for _ in range(8):
                data = secrets.token_bytes(60_000)
                if store.read(put(store, data).address) != data:
                    wrong.append(data)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(list(store.addresses())) == 32


class FaultyOs:
    """The `os` module as the driver sees it, failing at the n-th of the calls that reach the disk."""

    CALLS = ("open", "write", "fsync", "link", "close")

    def __init__(self, fail_at, error):
        self.left, self.error, self.seen = fail_at, error, Counter()

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in self.CALLS:
            return real

        def call(*args, **kwargs):
            self.seen[name] += 1
            self.left -= 1
            if self.left == 0 and name != "close":
                raise OSError(self.error, os.strerror(self.error))
            return real(*args, **kwargs)

        return call


class TestFaults:
    """Of the disk: at the operating system's border, so for the local folder alone."""

    @pytest.fixture
    def medium(self, tmp_path):
        return LocalMedium(tmp_path)

    @pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
    def test_a_fault_at_any_call_leaves_no_half_file_and_no_key(self, store, tmp_path, monkeypatch, error):
        expected = StoreFailed if error == errno.EIO else StoreFull
        data = secrets.token_bytes(2_300_000)
        store.vault.prepare(Level.THUONG)  # the database has fault tests of its own
        refused = 0
        for n in range(1, 60):
            faulty = FaultyOs(n, error)
            with monkeypatch.context() as patch:
                patch.setattr(local, "os", faulty)
                patch.setattr(disk, "os", faulty)
                try:
                    put(store, data)
                except expected:
                    refused += 1
            if faulty.left > 0:
                break
            assert len(files_in(tmp_path / "objects")) == len(list(store.addresses()))
            assert {i.hex() for i in store.vault.object_ids()} == set(store.addresses())
            for address in store.addresses():
                assert store.read(address) == data
                store.shred(address)
        else:
            pytest.fail("the walk did not reach the end of the put")
        assert refused >= 7  # temporary file, four writes, fsync, link, folders

    def test_key_and_bytes_are_durable_before_the_name_and_the_name_before_the_answer(
        self, store, monkeypatch, payload
    ):
        """The order that survives a power cut; a lossy file system loses rows' bytes without any one of these."""
        put(store, payload)
        order = []

        def noted(name, real):
            def call(*args, **kwargs):
                is_folder = name == "fsync" and Path(f"/proc/self/fd/{args[0]}").resolve().is_dir()
                order.append("folder" if is_folder else name)
                return real(*args, **kwargs)

            return call

        for name in ("write", "fsync", "link"):
            monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
        monkeypatch.setattr(store.vault, "add", noted("key", store.vault.add))
        put(store, payload)

        steps = [step for step, after in zip(order, [*order[1:], ""], strict=True) if step != after]
        assert [step for step in steps if step != "folder"] == ["write", "key", "fsync", "link"]
        assert steps[-1] == "folder"

    def test_short_writes_are_continued(self, store, monkeypatch, payload):
        class Stingy(FaultyOs):
            def __getattr__(self, name):
                return (lambda fd, data: os.write(fd, data[:1000])) if name == "write" else getattr(os, name)

        with monkeypatch.context() as patch:
            patch.setattr(disk, "os", Stingy(0, 0))
            address = put(store, payload).address
        assert store.read(address) == payload

    def test_a_full_disk_refuses_and_reading_goes_on(self, store, tmp_path, payload):
        """The system itself says no: a file-size limit in a child process, as a full disk would (EFBIG)."""
        kept = put(store, payload)
        run = _child(
            tmp_path,
            """
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
            try:
                store.put(io.BytesIO(bytes(5_000_000)), level=Level.MAT)
            except StoreFull as refusal:
                print(refusal.code)
            """,
        )
        assert run.stdout.strip() == "STO-001", run.stderr
        assert list(store.addresses()) == [kept.address]
        assert len(files_in(tmp_path / "objects")) == 1
        assert store.read(kept.address) == payload

    @pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
    def test_a_disk_that_is_really_full_refuses_and_takes_in_again_when_there_is_room(self, vault, tmp_path):
        room = tmp_path / "room"
        room.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", room], check=False)
        if mount.returncode:
            pytest.skip("not run: this machine does not let a test mount a tmpfs")
        try:
            store = Store(LocalStore(room / "objects"), vault)
            first = put(store, bytes(1_000_000))
            with pytest.raises(StoreFull):
                put(store, bytes(5_000_000))
            assert files_in(room) == [
                room / "objects" / first.address[:2] / first.address[2:4] / f"{first.address}.vkso"
            ]
            assert store.read(first.address) == bytes(1_000_000)
            store.shred(first.address)
            put(store, bytes(2_000_000))
        finally:
            subprocess.run(["umount", room], check=True)

    @pytest.mark.parametrize("read_calls", [0, 1, 3])
    def test_a_put_killed_in_the_middle_leaves_nothing_visible(self, store, tmp_path, read_calls):
        run = _child(
            tmp_path,
            f"""
            class Deadly(io.BytesIO):
                calls = 0
                def read(self, size=-1):
                    if self.calls == {read_calls}:
                        os.kill(os.getpid(), signal.SIGKILL)
                    self.calls += 1
                    return super().read(size)
            store.put(Deadly(bytes(10_000_000)), level=Level.MAT)
            """,
        )
        assert run.returncode == -signal.SIGKILL
        assert list(store.addresses()) == []
        assert store.sweep(older_than_seconds=60) == 0
        assert store.sweep(older_than_seconds=-1) == 1
        assert files_in(tmp_path / "objects") == []

    def test_killed_at_any_call_what_is_visible_is_whole_and_the_rest_is_swept(self, store, tmp_path):
        data = secrets.token_bytes(1_200_000)
        store.vault.prepare(Level.MAT)
        outcomes = Counter()
        for n in range(1, 60):
            status = _put_in_a_fork_killed_at(store, data, n)
            if status == 0:
                break
            assert os.WTERMSIG(status) == signal.SIGKILL
            visible = list(store.addresses())
            outcomes["whole" if visible else "nothing"] += 1
            assert all(store.read(address) == data for address in visible)
            for address in list(store.orphans(lambda _: [], older_than_seconds=-1)):
                store.shred(address)
            store.sweep(older_than_seconds=-1)
            assert files_in(tmp_path / "objects") == []
            assert list(store.vault.object_ids()) == []
        else:
            pytest.fail("the walk did not reach the end of the put")
        assert outcomes["nothing"] >= 7
        assert outcomes["whole"] >= 2

    def test_below_the_floor_nothing_new_is_taken_in(self, open_driver, vault, payload):
        kept = put(Store(open_driver(), vault), payload)
        full = Store(open_driver(), vault, floor_bytes=2**62)

        with pytest.raises(StoreFull):
            put(full, payload)
        assert full.read(kept.address) == payload

    def test_a_giant_file_is_stopped_at_the_floor_on_its_way_in(self, store, tmp_path, monkeypatch):
        looks = iter([10**9, 10**9, 10**6])
        monkeypatch.setattr(store.driver, "free_bytes", lambda: next(looks))
        monkeypatch.setattr(store, "_floor_bytes", 10**7)

        with pytest.raises(StoreFull):
            put(store, bytes(40 * 2**20))
        assert files_in(tmp_path / "objects") == []

    def test_a_medium_without_hard_links_still_writes_once(self, store, monkeypatch, payload):
        def no_links(source, target):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(local.os, "link", no_links)
        address = put(store, payload).address
        assert store.read(address) == payload

        draft = store.driver.create(address, level=Level.MAT)
        with pytest.raises(StoreFailed):
            draft.commit()
        assert store.read(address) == payload

    def test_a_swapped_key_is_reported_as_a_key(self, store, payload):
        one, two = put(store, payload), put(store, payload)
        with store.vault.rows.lend() as db:
            db.execute(
                "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE object_id = ?) WHERE object_id = ?",
                (bytes.fromhex(two.address), bytes.fromhex(one.address)),
            )
        with pytest.raises(WrongKey):
            store.read(one.address)
        assert store.read(two.address) == payload


class DeadlyOs(FaultyOs):
    """The same border, but the process is killed just before the n-th call."""

    def __getattr__(self, name):
        if name in self.CALLS:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return getattr(os, name)


def _put_in_a_fork_killed_at(store, data, n):
    child = os.fork()
    if child == 0:
        try:
            local.os = disk.os = DeadlyOs(n, 0)
            put(store, data)
        except BaseException:  # noqa: BLE001 - told to the parent by the status
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _child(tmp_path, body):
    """Run a piece of program in a process of its own, with `store` open on the test's folders."""
    program = textwrap.dedent(
        """
        import io, os, signal, sys
        from pathlib import Path
        from archive.rules.levels import Level
        from archive.store import Store
        from archive.stores import local
        from archive.stores.custody import KeyFiles
        from archive.stores.refusals import StoreFull
        from archive.vault import Vault
        home = Path(sys.argv[1])
        files = [home / "keys" / "1.key", home / "keys" / "2.key"]
        store = Store(local.LocalStore(home / "objects"), Vault(home / "keys" / "vault.sqlite3", custodian=KeyFiles(files)))
        """
    ) + textwrap.dedent(body)
    command = [sys.executable, "-c", program, str(tmp_path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


class TestConfigured:
    @pytest.fixture(autouse=True)
    def home(self, settings, tmp_path):
        settings.VANKHO_HOME = tmp_path / "home"
        settings.SITE_KEY_FILES = (tmp_path / "a" / "1.key", tmp_path / "b" / "2.key")
        settings.FREE_DISK_FLOOR = 0
        settings.SITE_MAX_LEVEL = Level.MAT
        settings.PROFILE = "evaluation"
        return settings.VANKHO_HOME

    def test_the_module_speaks_for_the_installation(self, home, payload):
        sealed = store_module.put(io.BytesIO(payload), level=Level.MAT)

        assert store_module.read(sealed.address, start=10, length=5) == payload[10:15]
        with store_module.open(sealed.address) as reader:
            assert reader.read() == payload
        store_module.relevel(sealed.address, to=Level.THUONG)
        assert store_module.sealed_digest(sealed.address) == sealed.sealed_sha256
        assert list(store_module.addresses()) == [sealed.address]
        store_module.shred(sealed.address)
        assert not store_module.stat(sealed.address).exists
        assert {path.name for path in home.iterdir()} == {"objects", "keys"}

    def test_the_sites_ceiling_holds(self):
        with pytest.raises(AboveCeiling):
            store_module.put(io.BytesIO(b"x"), level=Level.TOI_MAT)

    def test_production_is_never_given_keys_it_did_not_bring(self, settings):
        settings.PROFILE = "production"
        with pytest.raises(refusals.KeyFileMissing):
            store_module.configured()

    def test_a_lost_vault_is_never_replaced_by_an_empty_one(self, home, payload):
        store_module.put(io.BytesIO(payload), level=Level.MAT)
        store_module.configured().vault.close()
        store_module._configured.clear()
        (home / "keys" / "vault.sqlite3").unlink()

        with pytest.raises(VaultMissing) as refusal:
            store_module.configured()
        assert "vault.sqlite3" in str(refusal.value)
        assert not (home / "keys" / "vault.sqlite3").exists()


def test_every_refusal_has_its_own_code_and_a_vietnamese_sentence():
    kinds = [
        kind for kind in vars(refusals).values() if isinstance(kind, type) and kind.__module__ == refusals.__name__
    ]
    assert all(issubclass(kind, Refusal) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds) > 20
    for kind in kinds:
        assert kind.__doc__.startswith(f"{kind.code}: ")
        with override("en"):
            english = str(kind.message)
        with override("vi"):
            assert str(kind.message) != english
