"""The watched folder: only what has come to rest is taken, nothing goes before it is kept, no link is followed."""

import json
import os
import shutil
import time

import pytest

from archive import store
from archive.models import Person
from archive.rules.levels import Level
from config import checks
from ingest import folder, intake, outcomes
from ingest.models import Batch, Channel, Scan, ScanState
from ingest.tests.handing import bare_pdf


@pytest.fixture
def inbox(office, tmp_path):
    """A watched folder in the clerk's name, looked at once so that its subfolders are there."""
    watched = folder.Inbox(tmp_path / "inbox", username="clerk")
    watched.sweep()
    return watched


def lay(inbox, name, content, *, level="thuong", age=10.0):
    """Put a file into the folder that was last changed some seconds ago."""
    path = inbox.root / level / name
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def sweep_twice(inbox):
    inbox.sweep()
    return inbox.sweep()


def aside(inbox):
    """What was put aside: name without the time before it -> text beside it."""
    files = [path for path in (inbox.root / "refused").iterdir() if path.suffix != ".txt"]
    return {path.name[23:]: path.with_name(path.name + ".txt").read_text(encoding="utf-8") for path in files}


def is_read():
    """Let every scan have been read."""
    Scan.objects.filter(state=ScanState.WAITING).update(state=ScanState.ATTENTION, code=outcomes.TOO_HEAVY)


def taken(inbox):
    return sorted((inbox.root / "taken").iterdir())


def test_a_file_is_taken_under_the_level_of_its_folder(inbox):
    lay(inbox, "a.pdf", b"1")
    lay(inbox, "b.pdf", b"2", level="mat")
    assert sweep_twice(inbox) == 2
    assert set(Scan.objects.values_list("name", "declared_level")) == {("a.pdf", Level.THUONG), ("b.pdf", Level.MAT)}
    assert set(Batch.objects.values_list("channel", flat=True)) == {Channel.FOLDER}


def test_a_file_that_still_changes_is_left_alone(inbox):
    path = lay(inbox, "a.pdf", b"1")
    inbox.sweep()
    path.write_bytes(b"12")
    os.utime(path, (time.time() - 10,) * 2)
    assert inbox.sweep() == 0
    assert path.exists()
    assert inbox.sweep() == 1


def test_a_file_changed_a_moment_ago_is_left_alone(inbox):
    lay(inbox, "a.pdf", b"1", age=0)
    assert sweep_twice(inbox) == 0


def test_the_source_stays_until_its_row_is_committed_and_the_file_is_kept(inbox):
    lay(inbox, "a.pdf", b"1")
    sweep_twice(inbox)
    inbox.sweep()
    assert [path.suffix for path in taken(inbox)] == [".file", ".json"]  # it waits, and may yet be refused
    is_read()
    inbox.sweep()
    assert taken(inbox) == []
    assert store.read(Scan.objects.get().original_id) == b"1"


def test_a_source_whose_bytes_are_not_whole_in_the_store_is_never_removed(inbox):
    lay(inbox, "a.pdf", b"1")
    sweep_twice(inbox)
    store.shred(Scan.objects.get().original_id)
    is_read()
    inbox.sweep()
    assert [path.suffix for path in taken(inbox)] == [".file", ".json"]


@pytest.mark.parametrize("moment", ["rename", "put", "row"])
def test_a_crash_at_any_moment_loses_no_file_and_makes_no_twin(inbox, monkeypatch, moment):
    class Killed(BaseException):
        pass

    def killed(*_args, **_more):
        raise Killed

    lay(inbox, "a.pdf", b"1")
    inbox.sweep()
    target = {"rename": (folder.Inbox, "_receive"), "put": (intake.store, "put"), "row": (intake, "_take")}[moment]
    with monkeypatch.context() as change:
        change.setattr(*target, killed)
        with pytest.raises(Killed):
            inbox.sweep()
    assert not Scan.objects.exists()
    fresh = folder.Inbox(inbox.root, username="clerk")
    fresh.sweep()
    scan = Scan.objects.get()
    assert (scan.name, scan.state, store.read(scan.original_id)) == ("a.pdf", ScanState.WAITING, b"1")
    is_read()
    fresh.sweep()
    assert taken(inbox) == []
    assert Scan.objects.count() == 1


def test_a_crash_after_the_row_makes_no_second_row(inbox, monkeypatch):
    receive = intake.receive

    def then_killed(*args, **more):
        receive(*args, **more)
        raise KeyboardInterrupt

    lay(inbox, "a.pdf", b"1")
    inbox.sweep()
    with monkeypatch.context() as change:
        change.setattr(intake, "receive", then_killed)
        with pytest.raises(KeyboardInterrupt):
            inbox.sweep()
    inbox.sweep()
    is_read()
    inbox.sweep()
    assert Scan.objects.count() == 1
    assert taken(inbox) == []


def test_a_note_that_a_crash_cut_off_does_not_stop_the_folder(inbox):
    lost = inbox.root / "taken" / f"{'0' * 31}1.file"
    lost.write_bytes(b"1")
    lost.with_suffix(".json").write_text('{"na', encoding="utf-8")
    lay(inbox, "b.pdf", b"2")
    sweep_twice(inbox)
    assert "b.pdf" in set(Scan.objects.values_list("name", flat=True))
    [(name, text)] = aside(inbox).items()
    assert name == lost.name
    assert "ING-" in text


def test_what_is_refused_is_put_aside_with_its_reason_in_both_languages(inbox):
    lay(inbox, "rong.pdf", b"")
    sweep_twice(inbox)
    inbox.sweep()
    text = aside(inbox)["rong.pdf"]
    assert text.startswith(outcomes.EMPTY)
    assert "Tệp rỗng" in text
    assert "The file is empty" in text
    assert taken(inbox) == []


def test_what_the_reading_refuses_later_is_put_aside_too(inbox):
    lay(inbox, "a.docx", b"PK")
    sweep_twice(inbox)
    Scan.objects.update(state=ScanState.REFUSED, code=outcomes.NOT_ACCEPTED, reason={"type": "application/zip"})
    inbox.sweep()
    assert "application/zip" in aside(inbox).get("a.docx", "")


def test_a_link_is_put_aside_and_never_followed(inbox, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    (inbox.root / "thuong" / "a.pdf").symlink_to(secret)
    sweep_twice(inbox)
    assert not Scan.objects.exclude(state=ScanState.REFUSED).exists()
    assert aside(inbox)["a.pdf"].startswith(outcomes.NOT_A_FILE)
    assert secret.read_bytes() == b"not yours"


def test_a_pipe_is_put_aside_and_nobody_waits_for_it(inbox):
    os.mkfifo(inbox.root / "thuong" / "a.pdf")
    before = time.monotonic()
    sweep_twice(inbox)
    assert time.monotonic() - before < 5
    assert aside(inbox)["a.pdf"].startswith(outcomes.NOT_A_FILE)


def test_a_level_the_site_may_not_hold_puts_the_file_aside(inbox, settings):
    settings.SITE_MAX_LEVEL = Level.THUONG
    lay(inbox, "a.pdf", b"1", level="mat")
    sweep_twice(inbox)
    assert not Scan.objects.exists()
    text = aside(inbox)["a.pdf"]
    assert text.startswith(outcomes.ABOVE_CEILING)
    assert "117/2025/QH15" in text


def test_a_full_disk_leaves_the_file_where_its_owner_finds_it(inbox, settings):
    settings.FREE_DISK_FLOOR = 2**62
    lay(inbox, "a.pdf", bare_pdf())
    sweep_twice(inbox)
    text = aside(inbox)["a.pdf"]
    assert text.startswith(outcomes.DISK_FULL)
    [kept] = [path for path in (inbox.root / "refused").iterdir() if path.suffix == ".pdf"]
    assert kept.read_bytes() == bare_pdf()


@pytest.mark.parametrize(
    "name", ["công văn số 1.pdf", "-rf", "a\nb.pdf", "$(reboot).pdf", "x" * 240 + ".pdf", ".hidden.pdf"]
)
def test_any_name_can_be_taken_and_refused(inbox, name):
    lay(inbox, name, b"1")
    lay(inbox, "0" + name[1:], b"")
    assert sweep_twice(inbox) == 2
    inbox.sweep()
    assert Scan.objects.filter(state=ScanState.WAITING).get().name == intake.clean_name(name)
    assert len(aside(inbox)) == 1


def test_the_same_file_again_is_kept_for_a_person_and_its_source_removed(inbox):
    lay(inbox, "a.pdf", b"1")
    sweep_twice(inbox)
    lay(inbox, "b.pdf", b"1")
    sweep_twice(inbox)
    is_read()
    inbox.sweep()
    assert Scan.objects.get(name="b.pdf").code == outcomes.DUPLICATE
    assert taken(inbox) == []


def test_nobody_to_hand_in_for_takes_nothing(inbox, office):
    lay(inbox, "a.pdf", b"1")
    office.clerk.__class__.objects.filter(pk=office.clerk.pk).update(is_active=False)
    assert sweep_twice(inbox) == 0
    assert (inbox.root / "thuong" / "a.pdf").exists()


def test_one_bad_file_does_not_stop_the_others(inbox, monkeypatch):
    receive = intake.receive

    def picky(source, *, name, **more):
        if name == "a.pdf":
            raise RuntimeError("odd")
        return receive(source, name=name, **more)

    monkeypatch.setattr(intake, "receive", picky)
    lay(inbox, "a.pdf", b"1")
    lay(inbox, "b.pdf", b"2")
    sweep_twice(inbox)
    assert set(Scan.objects.values_list("name", flat=True)) == {"b.pdf"}
    monkeypatch.setattr(intake, "receive", receive)
    inbox.sweep()
    assert set(Scan.objects.values_list("name", flat=True)) == {"a.pdf", "b.pdf"}


def test_a_subfolder_is_walked_and_its_files_are_taken(inbox):
    (inbox.root / "thuong" / "may-quet-2").mkdir()
    path = inbox.root / "thuong" / "may-quet-2" / "a.pdf"
    path.write_bytes(b"1")
    os.utime(path, (time.time() - 10,) * 2)
    assert sweep_twice(inbox) == 1
    assert Scan.objects.get().name == "a.pdf"


def test_two_workers_on_one_folder_take_each_file_once(inbox):
    other = folder.Inbox(inbox.root, username="clerk")
    for number in range(5):
        lay(inbox, f"{number}.pdf", str(number).encode())
    inbox.sweep()
    other.sweep()
    inbox.sweep()
    other.sweep()
    assert Scan.objects.count() == 5


def test_while_one_worker_looks_the_other_does_not(inbox):
    other = folder.Inbox(inbox.root, username="clerk")
    lay(inbox, "a.pdf", b"1")
    other.sweep()
    with inbox._alone() as is_alone:
        assert is_alone
        assert other.sweep() == 0
    assert other.sweep() == 1


def test_a_note_names_the_file_and_its_level(inbox):
    lay(inbox, "a.pdf", b"1", level="mat")
    sweep_twice(inbox)
    [note] = [path for path in taken(inbox) if path.suffix == ".json"]
    assert json.loads(note.read_text(encoding="utf-8")) == {"name": "a.pdf", "level": "mat"}
    shutil.rmtree(inbox.root)


def test_a_folder_in_nobodys_name_takes_nothing_and_says_so_once(office, tmp_path, caplog, settings):
    watched = folder.Inbox(tmp_path / "other", username="nobody")
    for _look in range(3):
        assert watched.sweep() == 0
    assert [line.getMessage() for line in caplog.records if line.name == "vankho.folder"] == [
        "the watched folder takes nothing: VANKHO_INBOX_USER names no active account"
    ]
    settings.INBOX_USER = "clerk"
    assert checks.watched_folder() == []
    settings.INBOX_USER = "nobody"
    assert [fault.id for fault in checks.watched_folder()] == ["vankho.W072"]
    Person.objects.filter(username="clerk").update(is_active=False)
    settings.INBOX_USER = "clerk"
    assert [fault.id for fault in checks.watched_folder()] == ["vankho.W072"]


@pytest.mark.django_db
def test_before_there_is_an_office_nobody_is_missed(settings):
    settings.INBOX_USER = "nobody"
    assert checks.watched_folder() == []
