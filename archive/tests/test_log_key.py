"""The log names the key that signs it: a program that holds another one refuses, and says what to do."""

import io
import itertools
import json
import shutil

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from archive import audit, logkey, naming, publishing, sequencing
from archive.models import AuditEntry, UnitScope
from archive.rules.errors import Forbidden
from archive.rules.roles import Action
from archive.tests.test_overtaken import at_once
from archive.verifier import verify
from config import lifetime, starting
from config.tests.office import fence_lifted

GROUND = "QĐ 21: ổ khóa hỏng"


@pytest.fixture
def home(tmp_path, settings, office):
    """An office whose log names the key that lies here."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = ""
    with transaction.atomic():
        naming.founded()
    assert logkey.named() == logkey.signer().public
    return settings.VANKHO_HOME


@pytest.fixture
def elsewhere(home, tmp_path, settings):
    """The same database, seen by a program with an empty home."""
    settings.VANKHO_HOME = tmp_path / "empty"
    return settings.VANKHO_HOME


def wrote(action=Action.SYSTEM_READ, **more):
    with transaction.atomic():
        return audit.write(action, actor=None, **more)


def test_the_first_start_names_the_key_once_and_in_words_that_a_checker_reads(db, tmp_path, settings):
    settings.VANKHO_HOME = tmp_path
    lifetime.began("work")
    lifetime.began("work")
    lifetime.began("serve")
    (entry,) = AuditEntry.objects.filter(action=Action.LOG_KEY)
    assert json.loads(bytes(entry.body))["reason"].split("\n")[0] == logkey.signer().public
    assert publishing.checked().entries == AuditEntry.objects.count()


def test_a_disk_that_takes_no_key_and_a_place_that_is_away_stop_no_start(db, tmp_path, settings):
    (tmp_path / "file").write_text("no folder")
    settings.LOG_SECOND_PLACE = str(tmp_path / "file" / "place")
    settings.VANKHO_HOME = tmp_path / "file" / "home"
    lifetime.began("work")
    assert logkey.named() == ""
    settings.VANKHO_HOME = tmp_path / "home"
    with transaction.atomic():
        naming.founded()
    assert logkey.named() == logkey.signer().public
    assert AuditEntry.objects.get(action=Action.LOG_KEY).detail.payload["place"] == "away"


def test_a_synchronous_act_is_refused_and_leaves_nothing(elsewhere, office):
    before = AuditEntry.objects.count()

    @transaction.atomic
    def act():
        UnitScope.objects.create(person=office.clerk, unit=office.other_unit, since=timezone.now(), basis="x")
        audit.write(Action.SCOPE_GIVE, actor=office.security, subject=office.clerk)

    with pytest.raises(logkey.OtherLogKey, match=str(elsewhere)):
        act()
    assert not UnitScope.objects.filter(basis="x").exists()
    assert AuditEntry.objects.count() == before
    assert not elsewhere.exists()  # no key was made


def test_nothing_is_signed_started_or_checked_with_another_key(elsewhere):
    wrote()
    for act in (publishing.publish, publishing.sweep, publishing.checked, publishing.require_continued, logkey.signer):
        with pytest.raises(logkey.OtherLogKey):
            act()
    for command in (starting.require_log, lambda: call_command("verify_log"), lambda: call_command("log_key")):
        with pytest.raises(CommandError, match=r"LOG-008.*log_key --take"):
            command()
    assert not elsewhere.exists()
    logkey.made()  # a key that lies there already is another one, too
    with pytest.raises(logkey.OtherLogKey):
        publishing.publish()


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql")
@pytest.mark.django_db(transaction=True)
def test_no_place_is_given_with_another_key(elsewhere):
    """SQLite gives places in the act's own transaction."""
    wrote()
    with pytest.raises(logkey.OtherLogKey):
        sequencing.sweep()
    assert AuditEntry.objects.filter(leaf=None).exists()


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql")
@pytest.mark.django_db(transaction=True)
def test_programs_that_start_at_once_name_one_key_once(tmp_path, settings):
    settings.VANKHO_HOME, settings.LOG_SECOND_PLACE = tmp_path, ""
    assert at_once(*[lambda: lifetime.began("work")] * 4) == [None] * 4
    assert AuditEntry.objects.filter(action=Action.LOG_KEY).count() == 1
    assert publishing.checked().entries == AuditEntry.objects.count()


def test_the_right_home_goes_on(elsewhere, home, settings):
    settings.VANKHO_HOME = home
    wrote(Action.CLEARANCE_GIVE)
    assert publishing.signed() == 0 or publishing.publish() is not None
    starting.require_log()


def test_the_office_is_told_in_its_language(elsewhere, office, signed_in):
    elsewhere.mkdir()
    page = signed_in("admin").get("/machine/status/").content.decode()
    assert "LOG-008" in page


def test_an_older_log_takes_the_key_that_signed_its_last_head(tmp_path, settings, office):
    settings.VANKHO_HOME = tmp_path / "home"
    wrote()
    publishing.publish()
    settings.VANKHO_HOME = tmp_path / "other"  # signed nothing: it names nothing
    lifetime.began("work")
    assert logkey.named() == ""
    settings.VANKHO_HOME = tmp_path / "home"
    lifetime.began("work")
    assert logkey.named() == logkey.signer().public


def test_an_older_log_is_named_by_a_container_made_anew_that_has_the_key_and_the_second_place(
    tmp_path, settings, office
):
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    settings.VANKHO_HOME = tmp_path / "home"
    wrote()
    publishing.publish()
    shutil.rmtree(publishing.folder())
    lifetime.began("work")
    assert logkey.named() == logkey.signer().public


def test_an_older_log_is_not_named_by_who_signed_for_another_place(tmp_path, settings, office):
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    settings.VANKHO_HOME = tmp_path / "home"
    wrote()
    publishing.publish()
    settings.VANKHO_HOME = tmp_path / "other"
    with pytest.raises(OSError, match="một nhật ký khác"):
        publishing.publish()
    lifetime.began("work")
    assert logkey.named() == ""


@pytest.mark.django_db(transaction=True)
def test_the_security_officer_takes_a_new_key_into_use(home, office, settings):
    old = logkey.signer().public
    publishing.publish()
    with pytest.raises(CommandError, match="LOG-009"):
        call_command("log_key", "--take", "--as", "security", "--reason", GROUND, "--lost")
    (home / "keys" / "log.key").unlink()
    with pytest.raises(CommandError, match="LOG-010"):
        call_command("log_key", "--take", "--as", "security")
    assert not (home / "keys" / "log.key").exists()
    out = io.StringIO()
    call_command("log_key", "--take", "--as", "security", "--reason", GROUND, "--lost", stdout=out)
    new = logkey.signer().public
    assert (out.getvalue().strip(), logkey.named()) == (new, new)
    assert new != old
    entry = AuditEntry.objects.filter(action=Action.LOG_KEY).latest("ts")
    assert json.loads(bytes(entry.body))["reason"].startswith(f"{new}\n{GROUND}\nproof: {old} ")
    assert (entry.detail.payload["before"], entry.actor) == (old, office.security)
    assert publishing.checked().head.size == publishing.newest().size
    (aside,) = home.glob("log-of-key-before-*")
    assert verify.open_note((aside / "checkpoint").read_bytes(), old).size < publishing.newest().size


@pytest.mark.django_db(transaction=True)
def test_a_take_that_was_killed_before_the_folder_went_aside_goes_on(home, office, monkeypatch):
    publishing.publish()
    (home / "keys" / "log.key").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(naming, "_put_aside", lambda _key: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            naming.take(reason=GROUND, actor=office.security, is_lost=True)
    with pytest.raises(verify.Tampered):
        publishing.publish()
    naming.take(reason=GROUND, actor=office.security, is_lost=True)
    assert publishing.checked().entries == publishing.newest().size


def test_no_other_post_takes_a_key_and_none_over_a_log_put_back(home, office, monkeypatch):
    with pytest.raises(Forbidden):
        naming.take(reason=GROUND, actor=office.admin)
    publishing.publish()
    (home / "keys" / "log.key").unlink()
    monkeypatch.setattr(publishing, "leaf_hashes", lambda *_: iter(()))
    with pytest.raises(logkey.LogShorter):
        naming.take(reason=GROUND, actor=office.security, is_lost=True)


def test_a_take_over_a_log_put_back_is_refused_by_the_second_place_alone(home, office, settings, tmp_path, monkeypatch):
    settings.LOG_SECOND_PLACE = str(tmp_path / "second")
    (tmp_path / "second").mkdir()
    publishing.publish()
    for _ in range(3):
        wrote()
    publishing.publish()
    (home / "keys" / "log.key").unlink()
    shutil.rmtree(home / "log")  # so that nothing here tells
    whole = publishing.leaf_hashes
    monkeypatch.setattr(publishing, "leaf_hashes", lambda start, end=None: itertools.islice(whole(start, end), 2))
    with pytest.raises(logkey.LogShorter):
        naming.take(reason=GROUND, actor=office.security, is_lost=True)
    monkeypatch.undo()
    naming.take(reason=GROUND, actor=office.security, is_lost=True)


def test_heads_that_cannot_be_read_refuse_a_take_in_words(home, office, settings, tmp_path):
    settings.LOG_SECOND_PLACE = str(tmp_path)
    (tmp_path / "checkpoint-000000000001").mkdir()  # no file can be read there
    (home / "keys" / "log.key").unlink()
    with pytest.raises(CommandError, match="checkpoint-000000000001"):
        call_command("log_key", "--take", "--as", "security", "--reason", GROUND, "--lost")
    assert AuditEntry.objects.filter(action="command:log_key", outcome="error").exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE archive_auditentry SET body = %s WHERE action = 'log.key'",
        "UPDATE archive_auditentry SET leaf_hash = %s WHERE action = 'log.key'",
    ],
)
def test_an_edit_of_the_entry_that_names_the_key_is_named(home, change):
    wrote()
    sequencing.place_all()
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute(change, [b'{"reason" not JSON'])
    with pytest.raises(verify.Tampered, match="names the log's key"):
        logkey.named()
    with pytest.raises(CommandError, match=r"NOT OK: \d+ faults.*entry .*names the log's key"):
        call_command("verify_log")


def test_a_head_signed_with_another_key_than_the_log_names_is_told_by_the_checker(home, tmp_path):
    publishing.export(tmp_path / "export", with_details=True)
    other = logkey.Signer(tmp_path / "other.key", origin="vankho")
    head = verify.open_note((tmp_path / "export" / "checkpoint").read_bytes(), logkey.signer().public)
    (tmp_path / "export" / "checkpoint").write_bytes(other.note(head.size, head.root))
    index = AuditEntry.objects.get(action=Action.LOG_KEY).leaf.idx
    with pytest.raises(verify.Tampered, match="names another key") as found:
        verify.verify(str(tmp_path / "export"), other.public)
    assert found.value.index == index
