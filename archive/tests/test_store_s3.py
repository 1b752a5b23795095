"""The S3 server slow, full, refusing, or gone in the middle: nothing half visible, a clear refusal, the next try works.

A real server behind a proxy that misbehaves on order (`config.tests.unsteady`).
"""

import hashlib
import io
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from archive.rules.levels import Level
from archive.store import Store
from archive.stores import bucket, s3
from archive.stores.bucket import Account
from archive.stores.custody import KeyFiles, make_key_files
from archive.stores.refusals import MissingObject, Shredded, StoreAway, StoreFailed, StoreFull
from archive.tests.media import BucketMedium
from archive.vault import Vault
from config.tests import buckets
from config.tests.unsteady import Fault, Unsteady

BIG = 3 * s3.PART


@pytest.fixture(scope="session")
def account():
    with buckets.fresh() as lent:
        yield lent


@pytest.fixture(scope="session")
def locked():
    with buckets.fresh(object_lock=True) as lent:
        yield BucketMedium(lent)


@pytest.fixture
def medium(account):
    return BucketMedium(account)


@pytest.fixture
def vault(tmp_path):
    files = [tmp_path / "1.key", tmp_path / "2.key"]
    make_key_files(files)
    opened = Vault(tmp_path / "vault.sqlite3", custodian=KeyFiles(files))
    yield opened
    opened.close()


@pytest.fixture
def proxy(account):
    with Unsteady(account.url) as running:
        yield running


@pytest.fixture
def store(medium, vault, proxy):
    """Return a store that reaches its bucket through the proxy, and waits at most a second for an answer."""
    return Store(medium.driver(proxy.url, read_seconds=1, connect_seconds=0.5), vault)


@pytest.fixture
def hasty(medium, vault, proxy):
    """Return the same, for a server that is known to be away: nobody need wait a second for each of its tries."""
    return Store(medium.driver(proxy.url, read_seconds=0.3, connect_seconds=0.3), vault)


def in_english(refusal):
    with override("en"):
        return str(refusal)


def put(store, data):
    return store.put(io.BytesIO(data), level=Level.THUONG)


AWAY = [
    Fault("refuse"),
    Fault("silent"),
    Fault("slow", seconds=0.8),
    Fault("cut_request", after=1000),
    Fault("answer", status=503),
    Fault("answer", status=200, body=b"<html>a captive portal</html>", headers={"Content-Type": "text/html"}),
    Fault("answer", status=302, headers={"Location": "http://127.0.0.1:9/"}),
]


@pytest.mark.engine
class TestFaults:
    @pytest.mark.parametrize("size", [5_000, BIG])
    @pytest.mark.parametrize("fault", AWAY, ids=lambda fault: f"{fault.kind}-{fault.status}")
    def test_a_server_that_does_not_do_its_work_takes_nothing_in_and_the_next_try_works(
        self, store, hasty, proxy, medium, vault, fault, size
    ):
        data = secrets.token_bytes(size)
        proxy.wrong(replace(fault))
        with pytest.raises(StoreAway) as refusal:
            put(hasty, data)

        told = str(refusal.value)
        assert medium.account.secret_key not in told
        assert proxy.url not in told
        assert medium.account.bucket not in told
        proxy.heal()
        assert list(vault.object_ids()) == []
        for late in store.addresses():  # of a slow server that did it when nobody waited any more
            with pytest.raises(Shredded):
                store.read(late)
        assert store.read(put(store, data).address) == data

    @pytest.mark.parametrize("code", ["XMinioStorageFull", "EntityTooLarge", "QuotaExceeded", None])
    def test_a_full_server_is_told_from_a_broken_one(self, store, proxy, medium, code):
        body = f"<Error><Code>{code}</Code><Message>no room</Message></Error>".encode() if code else b""
        proxy.wrong(Fault("answer", on="PUT", status=507, body=body))

        with pytest.raises(StoreFull):
            put(store, b"x")
        assert medium.names() == []

    @pytest.mark.parametrize("on", ["partNumber=2", "POST", "uploadId"])
    def test_gone_in_the_middle_of_the_parts_or_of_their_completion_nothing_is_visible(
        self, store, proxy, medium, vault, on
    ):
        proxy.wrong(Fault("refuse", on=on))
        with pytest.raises(StoreAway):
            put(store, bytes(BIG))

        proxy.heal()
        assert list(store.addresses()) == []
        assert list(vault.object_ids()) == []
        store.sweep(older_than_seconds=-1)  # what could not be aborted while the server was away
        assert medium.names() == []

    @pytest.mark.parametrize(("size", "on"), [(5_000, "PUT"), (BIG, "?uploadId="), (BIG, "partNumber=2")])
    def test_a_lost_answer_is_no_lost_object(self, store, proxy, medium, size, on):
        """The server has done it, the answer was cut off, and the repeated request is refused as a second one."""
        data = secrets.token_bytes(size)
        proxy.wrong(Fault("lose_answer", on=on, times=1))

        sealed = put(store, data)

        assert store.read(sealed.address) == data
        assert len(medium.names()) == 1

    def test_an_answer_that_never_comes_leaves_no_object_without_its_key(self, store, proxy, vault):
        proxy.wrong(Fault("lose_answer", on="PUT"), Fault("refuse"))
        with pytest.raises(StoreAway):
            put(store, b"done, but nobody heard of it")

        proxy.heal()
        assert list(vault.object_ids()) == []
        (extra,) = store.orphans(lambda _: [], older_than_seconds=-1)
        store.shred(extra)
        assert list(store.addresses()) == []

    def test_damage_on_the_way_is_refused_by_the_server(self, medium, monkeypatch):
        monkeypatch.setattr(s3, "_checksum", lambda _body: s3.base64.b64encode(bytes(32)).decode())
        draft = medium.driver().create(secrets.token_hex(16), level=Level.MAT)
        draft.write(memoryview(b"other bytes"))

        with pytest.raises(StoreAway):
            draft.commit()
        assert medium.names() == []

    @pytest.mark.parametrize("kind", ["cut_answer", "wrong_length"])
    def test_a_reading_that_is_cut_goes_on_from_where_it_broke(self, store, proxy, kind):
        data = secrets.token_bytes(3_000_000)
        address = put(store, data).address
        proxy.seen.clear()
        proxy.wrong(Fault(kind, on="GET", after=100_000, times=2))

        assert store.read(address) == data
        assert len(proxy.seen) <= 12

    def test_a_reading_that_cannot_go_on_refuses_and_is_not_a_short_file(self, store, proxy):
        address = put(store, secrets.token_bytes(3_000_000)).address
        with store.open(address) as reader:
            reader.read(100_000)
            proxy.wrong(Fault("refuse"))
            with pytest.raises(StoreAway):
                reader.read()
        proxy.wrong(Fault("cut_answer", after=100))
        with pytest.raises(StoreAway):
            store.open(address)
        with pytest.raises(StoreAway):
            store.sealed_digest(address)

    @pytest.mark.parametrize("act", ["stat", "open", "shred", "addresses", "sweep", "retain"])
    def test_no_act_takes_an_absent_server_for_an_absent_object(self, store, proxy, act):
        address = put(store, b"x").address
        proxy.wrong(Fault("refuse"))
        acts = {
            "stat": lambda: store.stat(address),
            "open": lambda: store.open(address),
            "shred": lambda: store.driver.delete(address),
            "addresses": lambda: list(store.addresses()),
            "sweep": lambda: store.sweep(older_than_seconds=-1),
            "retain": lambda: store.retain(address, datetime.now(UTC)),
        }
        with pytest.raises(StoreAway):
            acts[act]()
        proxy.heal()
        assert store.read(address) == b"x"

    def test_an_account_that_is_refused_is_named_as_such(self, medium, vault):
        stranger = replace(medium.account, secret_key="wrong-secret")
        with pytest.raises(StoreAway) as refusal:
            put(Store(s3.S3Store(stranger), vault), b"x")
        assert "refused our account" in in_english(refusal.value)
        assert "wrong-secret" not in repr(stranger)

    def test_a_bucket_that_is_not_there_is_named_as_such(self, medium, vault):
        nowhere = replace(medium.account, bucket="no-such-bucket-here")
        with pytest.raises(StoreAway) as refusal:
            put(Store(s3.S3Store(nowhere), vault), b"x")
        assert "bucket does not exist" in in_english(refusal.value)


@pytest.mark.engine
class TestReading:
    def test_a_page_of_a_pack_costs_few_requests_whatever_the_packs_size(self, store, proxy):
        data = secrets.token_bytes(12_000_000)
        address = put(store, data).address
        proxy.seen.clear()

        assert store.read(address, start=6_000_000, length=200_000) == data[6_000_000:6_200_000]
        assert len(proxy.seen) <= 3

    def test_a_long_file_is_read_in_few_requests_and_little_memory(self, store, proxy):
        data = secrets.token_bytes(24_000_000)
        address = put(store, data).address
        proxy.seen.clear()

        with store.open(address) as reader:
            assert b"".join(iter(lambda: reader.read(1_000_000), b"")) == data
        assert len(proxy.seen) <= 16


@pytest.mark.engine
class TestLocks:
    def test_a_retained_object_stays_until_its_day_and_the_lock_is_never_shortened(self, locked):
        driver, address = locked.driver(), _object_in(locked)
        until = datetime.now(UTC) + timedelta(days=30)

        assert driver.retain(address, until)
        assert driver.retain(address, until - timedelta(days=9))

        kept = locked.client.get_object_retention(locked.account.bucket, locked._key(address))
        assert abs(kept.retain_until_date - until) < timedelta(seconds=2)
        (version,) = locked.client.list_objects(
            locked.account.bucket, prefix=locked._key(address), include_version=True
        )
        plain = [s3.DeleteObject(version.object_name, version.version_id)]
        assert [fault.code for fault in locked.client.remove_objects(locked.account.bucket, plain)] == ["AccessDenied"]

    def test_lawful_destruction_lifts_the_lock_and_leaves_no_version(self, locked):
        driver, address = locked.driver(), _object_in(locked)
        locked.write(address, b"a second version under the same name")
        driver.retain(address, datetime.now(UTC) + timedelta(days=30))
        name = locked._key(address)

        driver.delete(address)
        driver.delete(address)

        versions = locked.client.list_objects(locked.account.bucket, prefix=name, include_version=True)
        assert list(versions) == []

    def test_a_bucket_without_locks_says_so(self, medium):
        assert medium.driver().retain(_object_in(medium), datetime.now(UTC)) is False

    def test_a_missing_object_cannot_be_locked(self, locked):
        with pytest.raises(MissingObject):
            locked.driver().retain(secrets.token_hex(16), datetime.now(UTC) + timedelta(days=1))


@pytest.mark.engine
class TestPlaces:
    def test_objects_of_each_level_lie_apart_and_are_read_alike(self, medium):
        driver = medium.driver()
        lying = {level: _object_in(medium, level) for level in Level}
        assert sorted(medium.names()) == sorted(
            f"{medium.account.prefix}/{level.value}/{address[:2]}/{address[2:4]}/{address}.vkso"
            for level, address in lying.items()
        )
        assert all(driver.open(address).read() == b"content" for address in lying.values())
        assert sorted(driver.addresses()) == sorted(lying.values())

    def test_a_bucket_for_each_level(self, account):
        client = bucket.connect(account)
        apart = BucketMedium(replace(account, bucket=f"{account.bucket}-{s3.LEVEL}"))
        names = s3.buckets(apart.account.bucket)
        assert [name.removeprefix(f"{account.bucket}-") for name in names] == ["thuong", "mat", "toi-mat", "tuyet-mat"]
        for name in names:
            client.make_bucket(name)
        try:
            driver, address = apart.driver(), _object_in(apart, Level.MAT)
            assert [one.object_name for one in client.list_objects(names[1], recursive=True)]
            assert moves(driver, address, Level.TOI_MAT)
            assert not list(client.list_objects(names[1], recursive=True))
            assert driver.open(address).read() == b"content"
            assert list(driver.addresses()) == [address]
            assert driver.sweep(older_than_seconds=0) == 0
        finally:
            for name in names:
                buckets.remove(client, name)

    def test_an_object_follows_its_level_up_and_down(self, medium):
        driver, address = medium.driver(), _object_in(medium, Level.THUONG, bytes(BIG))
        for level in (Level.TOI_MAT, Level.THUONG, Level.MAT):
            assert moves(driver, address, level)
            assert not moves(driver, address, level)
            (name,) = medium.names()
            assert name.split("/")[1] == str(level.value)
            assert driver.stat(address).sealed_size == BIG
            assert driver.open(address).read() == bytes(BIG)
        with pytest.raises(MissingObject):
            moves(driver, secrets.token_hex(16), Level.MAT)

    def test_an_object_of_an_older_office_is_read_and_finds_its_place(self, medium):
        driver, address = medium.driver(), secrets.token_hex(16)
        medium.write(address, b"of before")
        assert medium.names() == [f"{medium.account.prefix}/{address[:2]}/{address[2:4]}/{address}.vkso"]
        assert driver.open(address).read() == b"of before"
        assert list(driver.addresses()) == [address]
        assert moves(driver, address, Level.MAT)
        assert medium.names() == [f"{medium.account.prefix}/1/{address[:2]}/{address[2:4]}/{address}.vkso"]

    def test_cut_off_after_the_copy_it_lies_in_both_places_and_the_same_call_goes_on(self, medium, monkeypatch):
        driver, address = medium.driver(), _object_in(medium, Level.THUONG)
        with monkeypatch.context() as cut:
            cut.setattr(driver, "_remove", lambda *_asked: (_ for _ in ()).throw(StoreAway(reason="cut")))
            with pytest.raises(StoreAway):
                moves(driver, address, Level.MAT)
        assert len(medium.names()) == 2
        assert driver.open(address).read() == b"content"
        assert moves(driver, address, Level.MAT)
        assert len(medium.names()) == 1
        driver.delete(address)
        assert medium.names() == []

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("cut_answer", on="GET", after=20_000),
            Fault("refuse", on="partNumber=2"),
            Fault("refuse", on="uploadId"),
        ],
    )
    def test_cut_off_in_the_copy_it_stays_where_it_was(self, medium, proxy, fault):
        address = _object_in(medium, Level.THUONG, bytes(BIG))
        driver = medium.driver(proxy.url, read_seconds=0.5, connect_seconds=0.3)
        before = medium.names()
        proxy.wrong(replace(fault))
        with pytest.raises((StoreAway, StoreFailed)):
            moves(driver, address, Level.MAT)
        assert before[0] in medium.names()
        proxy.heal()
        assert driver.sweep(older_than_seconds=-1) <= 1
        assert medium.names() == before
        assert moves(driver, address, Level.MAT)

    def test_who_looks_while_it_goes_down_finds_it(self, medium, monkeypatch):
        driver, address = medium.driver(), _object_in(medium, Level.TOI_MAT)
        other, asked = medium.driver(), driver._get

        def get(place, *rest):
            try:
                return asked(place, *rest)
            finally:
                if place.prefix.endswith("/1/"):  # between the look at the low places and the one at its own
                    monkeypatch.setattr(driver, "_get", asked)
                    moves(other, address, Level.THUONG)

        monkeypatch.setattr(driver, "_get", get)
        assert driver.open(address).read() == b"content"

    def test_a_copy_that_is_not_these_bytes_is_never_relied_on(self, medium, account):
        driver, address = medium.driver(), _object_in(medium, Level.THUONG)
        (name,) = medium.names()
        left = name.replace("/0/", "/1/")
        medium.client.put_object(account.bucket, left, io.BytesIO(b"c0ntent"), 7)  # of an earlier run, and rotten
        with pytest.raises(StoreFailed):
            driver.bring(address, Level.TOI_MAT, sha256="0" * 64)
        assert sorted(medium.names()) == [name, left]
        driver.bring(address, Level.MAT, sha256=hashlib.sha256(b"content").hexdigest())
        assert driver.leave(address, Level.MAT)
        assert medium.names() == [left]
        assert driver.open(address).read() == b"content"

    def test_nothing_is_removed_while_it_does_not_lie_in_its_place(self, medium):
        driver, address = medium.driver(), _object_in(medium, Level.THUONG)
        with pytest.raises(MissingObject):
            driver.leave(address, Level.MAT)
        assert len(medium.names()) == 1

    def test_only_some_buckets_take_locks(self, locked, account):
        free = account.bucket

        def places(of):
            driver = locked.driver()
            driver._of = tuple(s3._Place(name, place.prefix) for name, place in zip(of, driver._of, strict=True))
            driver._all = driver._of
            return driver

        driver = places([free, locked.account.bucket, free, free])
        until, address = datetime.now(UTC) + timedelta(days=30), secrets.token_hex(16)
        draft = driver.create(address, level=Level.MAT)
        draft.write(memoryview(b"content"))
        draft.commit()
        assert driver.retain(address, until)
        with pytest.raises(StoreAway):
            moves(driver, address, Level.THUONG)  # there it would be locked no more
        assert driver._has(driver._of[1], address)
        driver.delete(address)

    def test_a_lock_that_is_over_is_not_taken_along(self, locked):
        driver, address = locked.driver(), _object_in(locked, Level.THUONG)
        driver.retain(address, datetime.now(UTC) + timedelta(seconds=2))
        time.sleep(2.5)
        assert moves(driver, address, Level.MAT)

    def test_it_takes_its_lock_along(self, locked):
        driver, address = locked.driver(), _object_in(locked, Level.THUONG)
        until = datetime.now(UTC) + timedelta(days=30)
        driver.retain(address, until)
        assert moves(driver, address, Level.MAT)
        kept = locked.client.get_object_retention(locked.account.bucket, locked._key(address))
        assert abs(kept.retain_until_date - until) < timedelta(seconds=2)
        assert f"/1/{address[:2]}/" in locked._key(address)


def moves(driver, address, level):
    """Bring an object to the place of a level and leave the others; return whether it lay elsewhere."""
    kept = driver.stat(address)
    digest = hashlib.sha256(driver.open(address).read()).hexdigest() if kept else ""
    driver.bring(address, level, sha256=digest)
    return driver.leave(address, level)


def _object_in(medium, level=Level.MAT, content=b"content"):
    address = secrets.token_hex(16)
    draft = medium.driver().create(address, level=level)
    draft.write(memoryview(content))
    draft.commit()
    return address


@pytest.mark.engine
def test_many_unfinished_uploads_are_swept_page_by_page(medium, monkeypatch):
    asked = medium.client._list_multipart_uploads
    driver = medium.driver()
    for _ in range(3):
        driver.create(secrets.token_hex(16), level=Level.MAT).write(memoryview(bytes(s3.PART)))
    monkeypatch.setattr(driver._client, "_list_multipart_uploads", lambda *a, **k: asked(*a, max_uploads=1, **k))

    assert driver.sweep(older_than_seconds=3600) == 0
    assert driver.sweep(older_than_seconds=-1) == 3
    assert medium.names() == []


@pytest.mark.parametrize("ca_file", ["", "absent.pem"])
def test_a_server_without_a_trusted_certificate_is_not_talked_to(tmp_path, ca_file):
    account = Account("https://127.0.0.1:9", "b" * 5, "us-east-1", "k", "s", str(tmp_path / ca_file) if ca_file else "")
    with pytest.raises(StoreFailed):
        s3.S3Store(account, connect_seconds=0.2).stat("a" * 32)


def test_no_refusal_quotes_what_went_wrong_below():
    error = bucket.HTTPError("http://key:secret@server/bucket?uploadId=1")
    assert "secret" not in str(bucket.refusal(error))
