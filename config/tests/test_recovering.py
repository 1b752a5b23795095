"""A database that something put back to a moment is taken up: held against the heads, the gap told, registers closed.

`put_back` lets acts happen and rolls them back under the log's files, the vault and the store, as a server that is
recovered does; the whole way with a real server is `test_point_in_time`.
"""

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from archive import (
    audit,
    logkey,
    manifests,
    merkle,
    naming,
    publishing,
    registration,
    resealing,
    restoration,
    sequencing,
    store,
)
from archive.models import AuditEntry, AuditLeaf, DigitalObject, PaperCheck, Record, RegisterNumber, Restoration
from archive.rules.roles import Action
from archive.stores.refusals import Shredded
from archive.verifier import verify
from config import checks, roles, starting
from config.backup import marker, recovering
from config.backup.refusals import StillRecovering
from config.tests.office import fence_lifted
from search import follow


@pytest.fixture
def put_back(office, make_record, settings, tmp_path, monkeypatch):
    """An office of two dispatches, whose third and a destroyed file were lost with the time after the moment."""
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    settings.VANKHO_HOME, settings.LOG_SECOND_PLACE = tmp_path / "home", tmp_path / "heads"
    kept = [make_record() for _ in range(2)]
    spare = DigitalObject.objects.filter(record=kept[0]).first()
    publishing.publish()
    made = SimpleNamespace(home=tmp_path / "home", heads=tmp_path / "heads", spare=spare.address, record=make_record)
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None)  # no head was ever signed at this size
    sequencing.place_all()
    made.size, made.moment = AuditLeaf.objects.count(), timezone.now()
    before = transaction.savepoint()
    make_record()
    publishing.publish()
    store.shred(made.spare)
    made.newest = publishing.newest().size
    transaction.savepoint_rollback(before)
    return made


def declare(made, **options):
    call_command("declare_recovery", made.moment.isoformat(), **options)


def test_a_moment_before_the_log_changed_its_key_is_taken_up_with_key_and_heads_of_then(
    office, make_record, settings, tmp_path, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    home = settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = tmp_path / "heads"
    naming.founded()
    make_record()
    publishing.publish()
    made, before = SimpleNamespace(moment=timezone.now()), transaction.savepoint()
    (home / "keys" / "log.key").rename(tmp_path / "log.key")
    with django_capture_on_commit_callbacks(execute=True):
        naming.take(reason="lộ khóa", actor=office.security, before=tmp_path / "log.key")
    transaction.savepoint_rollback(before)
    with pytest.raises(CommandError, match="LOG-008"):
        declare(made)

    (tmp_path / "log.key").replace(home / "keys" / "log.key")
    shutil.rmtree(home / "log", ignore_errors=True)
    next(home.glob("log-of-key-before-*")).rename(home / "log")
    declare(made)

    starting.require_log()
    assert Restoration.objects.count() == 1


def test_the_office_opens_again_with_its_gap_told_and_its_registers_closed(put_back):
    with pytest.raises(CommandError, match="LOG-001"):
        starting.require_log()

    declare(put_back)

    starting.require_log()
    told = restoration.banner()
    assert (told.taken_at, told.size, told.newest_size) == (put_back.moment, put_back.size, put_back.newest)
    details = AuditEntry.objects.get(action="system.restore").detail.payload
    assert details["backup"] == recovering.RECOVERED
    assert (details["lost"], details["addresses"]) == (put_back.newest - put_back.size, [put_back.spare])
    assert RegisterNumber.objects.count() == 2
    with pytest.raises(registration.RegisterClosed):
        put_back.record()
    with pytest.raises(Shredded):
        store.read(put_back.spare)
    publishing.checked()


def test_what_was_sealed_anew_after_the_moment_is_found_and_its_row_follows(put_back, office):
    row = DigitalObject.objects.exclude(address=put_back.spare).filter(role="original").first()
    content, before = store.read(row.address), transaction.savepoint()
    resealing.reseal(files=[row.address], reason="QĐ 1", actor=office.security)
    transaction.savepoint_rollback(before)

    declare(put_back)

    now = DigitalObject.objects.get(record=row.record, role=row.role)
    assert now.address != row.address
    assert store.read(now.address) == content
    assert store.configured().driver.stat(row.address) is None
    assert AuditEntry.objects.get(action="system.restore").detail.payload["addresses"] == [put_back.spare]
    assert list(manifests.faults()) == []


def test_a_dispatch_that_was_edited_past_the_office_keeps_no_recovery_from_its_end(put_back, office):
    row = DigitalObject.objects.exclude(address=put_back.spare).filter(role="original").first()
    content, before = store.read(row.address), transaction.savepoint()
    resealing.reseal(files=[row.address], reason="QĐ 1", actor=office.security)
    transaction.savepoint_rollback(before)
    Record.objects.filter(pk=row.record_id).update(subject="sửa ngoài hệ thống")

    declare(put_back)

    assert not marker.is_there()
    assert DigitalObject.objects.filter(address=row.address).exists()  # does not follow: that would cover the edit
    assert store.read(row.address) == content


def test_heads_of_lost_entries_are_put_aside_and_prove_what_was_lost(put_back):
    declare(put_back)

    (aside,) = (put_back.heads / f"before-restore-at-{put_back.size:012d}").iterdir()
    (folder,) = put_back.home.glob("log-before-recovery-*")
    lost = verify.open_note(aside.read_bytes(), logkey.signer().public)
    assert lost.size == put_back.newest
    assert (folder / "checkpoint").read_bytes() == aside.read_bytes()
    leaves = list(publishing.leaf_hashes(0))
    assert merkle.root(leaves[: lost.size]) != lost.root  # the log goes on another way


def test_on_a_second_machine_its_own_heads_go_and_nothing_is_written_again(put_back):
    declare(put_back)
    entries, checks_ = AuditEntry.objects.count(), PaperCheck.objects.count()
    signed = publishing.newest()
    shutil.move(publishing.folder(), put_back.home / "first")
    shutil.move(next(put_back.home.glob("log-before-recovery-*")), publishing.folder())
    with pytest.raises(logkey.LogShorter):
        publishing.publish()

    declare(put_back)

    assert (AuditEntry.objects.count(), PaperCheck.objects.count()) == (entries, checks_)
    assert publishing.newest() == signed
    assert publishing.heads_elsewhere()[-1].name == f"checkpoint-{signed.size:012d}"
    starting.require_log()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_moment_before_the_newest_entry_or_ahead_of_now_is_refused(put_back, days):
    put_back.moment += timedelta(days=days)
    with pytest.raises(CommandError, match="BKP-018"):
        declare(put_back)
    assert not Restoration.objects.exists()


def test_a_server_that_has_not_come_to_the_moment_yet_is_waited_for_and_then_refused(monkeypatch):
    answers = iter([True, True, False])
    monkeypatch.setattr(recovering, "connection", SimpleNamespace(vendor="postgresql"))
    monkeypatch.setattr(recovering, "_is_recovering", lambda: next(answers, True))
    monkeypatch.setattr(recovering.time, "sleep", lambda _seconds: None)
    recovering.await_server(seconds=60)
    assert list(answers) == []
    with pytest.raises(StillRecovering):
        recovering.await_server(seconds=0)


@pytest.mark.parametrize("text", ["2026-11-27 12:00:00", "at noon", "2026-13-45 12:00:00+07"])
def test_a_moment_says_in_which_zone(put_back, text):
    with pytest.raises(CommandError) as fault:
        call_command("declare_recovery", text)
    assert fault.value.returncode == 2


def test_a_database_of_another_history_is_refused(put_back):
    """The last entry, which no head was signed at, is another one: the tiles of this machine know it."""
    other = transaction.savepoint()
    with fence_lifted():
        AuditLeaf.objects.filter(idx=put_back.size - 1).delete()
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None, details={"other": True})
    sequencing.place_all()
    put_back.moment = timezone.now()
    with pytest.raises(CommandError, match="BKP-005"):
        declare(put_back)
    transaction.savepoint_rollback(other)


def test_an_entry_that_was_changed_is_named_and_keeps_no_recovery_from_its_end(put_back, capsys):
    with fence_lifted():
        AuditEntry.objects.filter(leaf__idx=1).update(body=b"{}")
    with pytest.raises(CommandError) as fault:
        declare(put_back)
    assert fault.value.returncode == 3  # done, and somebody has to look
    assert "vị trí 1)" in capsys.readouterr().err
    told = AuditEntry.objects.get(action="system.restore").detail.payload
    assert (told["false_count"], told["false_entries"]) == (1, [1])
    assert not AuditEntry.objects.filter(action="command:declare_recovery").exists()  # it did not fail
    assert not marker.is_there()
    starting.require_log()


def test_of_very_many_entries_under_a_false_hash_an_entry_names_the_first_and_says_how_many():
    told = restoration.told_of_false(range(3_000_000))
    assert (told["false_count"], told["false_entries"]) == (3_000_000, list(range(restoration.MOST_PLACES)))
    assert restoration.told_of_false([]) == {}


def test_an_entry_that_is_missing_is_refused(put_back):
    with fence_lifted():
        AuditLeaf.objects.filter(idx=1).delete()
    with pytest.raises(CommandError, match="entry 1: the entry is missing"):
        declare(put_back)


def test_a_vault_that_went_back_too_is_refused(put_back):
    behind = DigitalObject.objects.exclude(address=put_back.spare).first().address
    store.configured().vault.shred(bytes.fromhex(behind))

    with pytest.raises(CommandError, match=f"BKP-019.*{behind}"):
        declare(put_back)
    assert not Restoration.objects.exists()
    assert checks.unfinished_restore() == []


def test_what_broke_off_keeps_the_office_shut_and_the_same_command_goes_on(put_back, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(follow, "rebuild", lambda: (_ for _ in ()).throw(OSError("no space")))
        with pytest.raises(CommandError, match="no space"):
            declare(put_back)
    assert [fault.id for fault in checks.unfinished_restore()] == ["vankho.E070"]
    with pytest.raises(CommandError, match="BKP-011"):
        call_command("declare_recovery", timezone.now().isoformat())

    declare(put_back)

    assert Restoration.objects.get().newest_size == put_back.newest
    assert checks.unfinished_restore() == []
    publishing.checked()
