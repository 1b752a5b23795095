"""Moving the objects: whole, verified on both sides, taken up after a kill, and nothing removed before all is there."""

import os
import signal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from archive import relocation, store
from archive.models import DigitalObject
from archive.rules.levels import Level
from archive.stores import chosen
from archive.stores.local import LocalStore
from archive.tests.media import BucketMedium, LocalMedium
from config.tests import buckets
from config.tests.office import seal

COUNT = 9


@pytest.fixture
def home(settings, tmp_path):
    settings.VANKHO_HOME = tmp_path / "home"
    settings.SITE_KEY_FILES = (tmp_path / "1.key", tmp_path / "2.key")
    return settings.VANKHO_HOME


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.engine)])
def other(request, home, settings, monkeypatch, tmp_path):
    """The other place: a bucket, or in the quick suite a second folder under its name."""
    if request.param == "local":
        monkeypatch.setitem(chosen.DRIVERS, "s3", LocalMedium(tmp_path / "other").driver)
        yield LocalMedium(tmp_path / "other")
        return
    with buckets.fresh() as account:
        settings.S3_URL, settings.S3_BUCKET = account.url, account.bucket
        settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = account.access_key, account.secret_key
        medium = BucketMedium(account)
        medium.account = account
        yield medium


@pytest.fixture
def kept(office, other):
    """Objects of the installation in its local folder."""
    return [seal(b"%d" % number * 1000, level=number % 3, role="original") for number in range(COUNT)]


def logged(entry):
    return entry.detail.payload


def whole(kept):
    return all(
        store.read(row.address) == b"%d" % number * 1000 and store.sealed_digest(row.address) == row.sealed_sha256
        for number, row in enumerate(kept)
    )


def test_there_and_back_again_with_every_digest(kept, other, home, settings, last_entry):
    call_command("move_store", "--to", "s3")
    assert len(other.names()) == COUNT
    assert whole(kept)
    assert logged(last_entry())["verified"] == COUNT

    settings.STORE_DRIVER = "s3"
    new = seal(b"put in the new place", level=0, role="original")
    call_command("move_store", "--from", "local", "--to", "s3", "--delete-source")
    assert LocalMedium(home).names() == []
    assert logged(last_entry())["removed"] == COUNT
    assert whole(kept)

    call_command("move_store", "--to", "local")
    settings.STORE_DRIVER = "local"
    assert whole(kept)
    assert store.read(new.address) == b"put in the new place"
    call_command("move_store", "--to", "local", "--delete-source")
    assert other.names() == []
    assert whole(kept)


def test_the_source_is_not_cleared_while_the_office_writes_to_it(kept, other):
    with pytest.raises(CommandError) as fault:
        call_command("move_store", "--to", "s3", "--delete-source")
    assert "VANKHO_STORE=s3" in str(fault.value)
    assert whole(kept)


def test_what_comes_in_meanwhile_is_brought_by_the_next_run(kept, other):
    call_command("move_store", "--to", "s3")
    seal(b"new", level=0, role="original")
    call_command("move_store", "--to", "s3")
    assert len(other.names()) == COUNT + 1


@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_one_bad_object_is_named_and_nothing_is_removed(kept, other, home, settings, harm, capsys):
    bad, local = kept[4].address, LocalMedium(home)
    if harm == "missing":
        LocalStore(home / "objects").delete(bad)
    else:
        content = local.read(bad)
        local.write(bad, content[:-1] + bytes([content[-1] ^ 1]))
    settings.STORE_DRIVER = "s3"
    with pytest.raises(CommandError):
        call_command("move_store", "--from", "local", "--to", "s3", "--delete-source")

    assert bad in capsys.readouterr().err
    assert bad not in " ".join(other.names())
    assert len(other.names()) == COUNT - 1
    assert len(local.names()) >= COUNT - 1


def test_a_damaged_copy_in_the_new_place_is_brought_again(kept, other):
    call_command("move_store", "--to", "s3")
    for path in (chosen.folder().parent / "moves").iterdir():
        path.unlink()
    other.write(kept[2].address, b"damaged")
    call_command("move_store", "--to", "s3")
    assert other.read(kept[2].address) == LocalMedium(chosen.folder().parent).read(kept[2].address)


@pytest.mark.engine
@pytest.mark.parametrize("other", ["s3"], indirect=True)
def test_each_object_comes_to_the_place_of_its_level_also_when_that_moved_meanwhile(kept, other):
    call_command("move_store", "--to", "s3")
    moved = kept[0]
    DigitalObject.objects.filter(address=moved.address).update(level=Level.TOI_MAT)
    call_command("move_store", "--to", "s3")
    ranks = {name.rsplit("/", 1)[1].removesuffix(".vkso"): name.split("/")[1] for name in other.names()}
    assert ranks == {row.address: str(row.level) for row in kept[1:]} | {moved.address: "2"}


class Deadly:
    """A place whose process is killed at the n-th object that it takes."""

    def __init__(self, driver, n):
        self.driver, self.left = driver, n

    def create(self, address, *, level):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.driver.create(address, level=level)

    def __getattr__(self, name):
        return getattr(self.driver, name)


@pytest.mark.parametrize("n", [1, 4, COUNT])
def test_a_killed_move_goes_on_where_it_was(kept, other, monkeypatch, n):
    monkeypatch.setattr(relocation, "BATCH", 2)
    monkeypatch.setattr(relocation, "THREADS", 1)
    objects = DigitalObject.objects.order_by("address")
    rows = [relocation.Wanted(row.address, row.sealed_sha256, Level(row.level)) for row in objects]
    source = chosen.driver("local")
    assert _killed(lambda: _move_in_a_fork(source, n, rows)) == signal.SIGKILL

    brought = set(chosen.driver("s3").addresses())
    assert len(brought) == n - 1
    call_command("move_store", "--to", "s3")
    assert set(chosen.driver("s3").addresses()) == {row.address for row in kept}
    assert whole(kept)


def _move_in_a_fork(source, n, rows):
    move = relocation.Move(source, Deadly(chosen.driver("s3"), n), name="local-to-s3")
    for start in range(0, len(rows), 2):
        batch = rows[start : start + 2]
        move._note(relocation.Outcome(), batch, [move._copied(one) for one in batch])


def _killed(act):
    """Run something in a child that touches no database; return the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])
