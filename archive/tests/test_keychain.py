"""Rows that name a key are read once by a program, and what it remembers is what a fresh look would find."""

import random
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from archive import audit, keychain, logkey, naming, publishing, sequencing
from archive.models import AuditEntry
from archive.rules.roles import Action
from archive.tests.test_log_key import GROUND, home, wrote
from archive.tests.test_log_links import head, put_in, renew
from archive.verifier import verify
from config import starting
from config.tests.office import fence_lifted

__all__ = ["head", "home", "put_in", "renew"]


@pytest.fixture
def looked_at(monkeypatch):
    """Return the numbers of the rows that were read to be judged, in turn."""
    numbers = []
    said = keychain._said
    monkeypatch.setattr(keychain, "_said", lambda row, before: (numbers.append(row.number), said(row, before))[1])
    return numbers


def afresh():
    """What a program that has just started finds, and what this one does."""
    found = []
    for forget in (False, True):
        if forget:
            keychain._Memory.known = None
        try:
            found.append((logkey.named(), logkey.doubt()))
        except verify.Tampered as fault:
            found.append(str(fault))
    return found


def copy_of(entry):
    """Put the words of an entry of this chain in once more, behind a row that bears the hash of the one before it."""
    said = verify._parsed(bytes(entry.body))
    number = AuditEntry.objects.filter(object_type="log", object_id="key").latest("object_seq").object_seq
    before = bytes.fromhex(said["object_prev"])
    for step, words in ((1, None), (2, said | {"object_seq": number + 2, "id": str(uuid.uuid4())})):
        body = audit.canonical(words) if words else b"{}"
        row = AuditEntry(
            id=uuid.uuid4(), ts=entry.ts, action="log.key", outcome="ok", object_type="log", object_id="key",
            object_seq=number + step, level=0, body=body, leaf_hash=audit.leaf_hash(body) if words else before,
        )  # fmt: skip
        with fence_lifted():
            sequencing.add(row, None)
    sequencing.place_all()


def test_a_row_is_judged_once_however_many_acts_follow(home, put_in, looked_at):
    logkey.require()
    for _ in range(40):
        put_in()
        logkey.require()
    assert looked_at == list(range(2, 42))  # the fixture has looked at the first
    looked_at.clear()
    for _ in range(3):
        wrote(Action.CLEARANCE_GIVE)
        publishing.publish()
    assert looked_at == []
    assert "log_key --take" in logkey.doubt()
    assert looked_at == []


def test_what_is_remembered_is_what_a_fresh_look_finds(home, put_in, renew, office, tmp_path):
    seed = random.randrange(10**6)
    draw = random.Random(seed)

    def answered():
        if logkey.doubt():
            naming.take(reason=GROUND, actor=office.security)

    acts = [
        put_in,
        renew,
        answered,
        lambda: put_in(reason=logkey.named()),
        lambda: put_in(reason="\nproof: - - -"),
        lambda: put_in(object_prev="00" * 32),
        lambda: copy_of(
            draw.choice(AuditEntry.objects.filter(action=Action.LOG_KEY).exclude(body=b"{}").order_by("object_seq"))
        ),
        lambda: put_in(object_seq=verify._parsed(bytes(put_in()[0].body))["object_seq"] + draw.randrange(2, 9)),
        wrote,
    ]
    for step in range(25):
        draw.choice(acts)()
        assert len({*map(str, afresh())}) == 1, (seed, step)
        starting.require_log()
        if draw.random() < 0.5:
            afresh()


def test_a_copy_of_a_link_proves_nothing_and_hides_nothing(home, put_in, renew, office):
    put_in()
    naming.take(reason=GROUND, actor=office.security)
    link = AuditEntry.objects.filter(action=Action.LOG_KEY, actor=office.security).latest("object_seq")
    put_in()
    doubt = logkey.doubt()
    assert doubt
    copy_of(link)
    assert logkey.doubt() == doubt  # the rows before the copy are not answered by it
    assert afresh()[0] == afresh()[1]


def test_a_copy_of_a_key_handed_on_stops_no_key_that_came_back(
    home, renew, office, tmp_path, django_capture_on_commit_callbacks
):
    first = logkey.signer().public
    old = renew()
    handed = AuditEntry.objects.filter(action=Action.LOG_KEY).latest("object_seq")
    (home / "keys" / "log.key").rename(tmp_path / "second.key")
    old.rename(home / "keys" / "log.key")
    with django_capture_on_commit_callbacks(execute=True):
        naming.take(reason=GROUND, actor=office.security, before=tmp_path / "second.key")
    assert logkey.named() == first
    copy_of(handed)
    starting.require_log()
    assert logkey.named() == first
    with pytest.raises(CommandError, match="NOT OK"):
        call_command("verify_log")


def test_rows_of_an_act_that_was_rolled_back_are_forgotten(home, office, tmp_path):
    key = logkey.signer().public
    wrote(Action.CLEARANCE_GIVE)
    other = tmp_path / "other.key"
    handing = logkey.signer()
    (home / "keys" / "log.key").rename(other)
    with transaction.atomic():
        naming._write(logkey.made().public, reason=GROUND, before=key, handing=handing)
        assert logkey.named() != key
        transaction.set_rollback(True)
    (home / "keys" / "log.key").unlink()
    other.rename(home / "keys" / "log.key")
    assert logkey.named() == key
    logkey.require()


def test_a_key_handed_on_by_another_machine_stops_this_one_at_once(home, office, tmp_path):
    logkey.require()
    assert keychain._Memory.known.last.number == 1
    handing, key = logkey.signer(), (home / "keys" / "log.key").read_bytes()
    (home / "keys" / "log.key").rename(tmp_path / "before.key")
    naming.take(reason=GROUND, actor=office.security, before=tmp_path / "before.key")
    (home / "keys" / "log.key").unlink()
    (home / "keys" / "log.key").write_bytes(key)
    assert logkey.made().public == handing.public
    with pytest.raises(logkey.OtherLogKey):
        logkey.require()


def test_a_link_edited_after_it_was_read_is_told_at_the_next_act(home):
    logkey.require()
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE archive_auditentry SET body = %s WHERE action = 'log.key'", [b"{}"])
    with pytest.raises(verify.Tampered, match="names the log's key"):
        logkey.require()


def test_the_row_that_a_link_is_bound_to_is_missed_at_the_next_act(home, put_in, renew):
    put_in()
    renew()
    logkey.require()
    put_in()
    logkey.require()
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE archive_auditentry SET leaf_hash = %s WHERE object_type = 'log' AND object_seq = 2", [b"x" * 32]
        )
    with pytest.raises(logkey.OtherLogKey):
        logkey.require()


def test_rows_before_a_link_that_name_no_key_are_read_once_too(home, renew, looked_at):
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None, subject=audit.Subject(*logkey.OF_KEY))
    renew()
    assert afresh()[0] == afresh()[1]
    looked_at.clear()
    logkey.require()
    wrote(Action.CLEARANCE_GIVE)
    assert looked_at == []


def number_as(entry, number):
    """Give a row a number that no program gives, as the owner of the table may."""
    constraint = "archive_auditentry_object_seq_check"
    with fence_lifted(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute(f"ALTER TABLE archive_auditentry DROP CONSTRAINT {constraint}")
        key = entry.pk.hex if connection.vendor == "sqlite" else entry.pk
        cursor.execute("UPDATE archive_auditentry SET object_seq = %s WHERE id = %s", [number, key])
        assert cursor.rowcount == 1
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
        else:
            check = f"ADD CONSTRAINT {constraint} CHECK (object_seq >= 0) NOT VALID"
            cursor.execute(f"ALTER TABLE archive_auditentry {check}")


@pytest.fixture(params=[-1, -(2**63), 0, 1.5, "x", b"x"])
def number(request):
    """A number outside of those that a program gives; of no kind but whole ones in PostgreSQL."""
    value = request.param
    if connection.vendor == "postgresql" and not isinstance(value, int):
        pytest.skip("the column takes whole numbers alone")
    return value


def test_a_row_under_a_number_that_no_program_gives_stops_nobody_and_is_told(home, put_in, office, number, capsys):
    logkey.require()
    entry, _foreign = put_in()
    number_as(entry, number)
    place = entry.leaf.idx
    for doubt in {afresh()[0][1], afresh()[1][1]}:
        assert f"entry {place}: " in doubt
    starting.require_log()
    wrote(Action.CLEARANCE_GIVE)
    publishing.publish()
    with pytest.raises(CommandError, match="NOT OK"):
        call_command("verify_log")
    assert f"entry {place}: " in capsys.readouterr().out
    naming.take(reason=GROUND, actor=office.security)
    sequencing.place_all()
    assert afresh() == [(logkey.signer().public, "")] * 2


def test_a_link_moved_to_a_number_that_no_program_gives_is_missed(home, number):
    logkey.require()
    number_as(AuditEntry.objects.get(action=Action.LOG_KEY), number)
    with pytest.raises(verify.Tampered, match="names the log's key"):
        logkey.require()


def test_an_act_goes_on_behind_a_row_under_no_whole_number(home, number):
    about = audit.Subject("unit", "7")
    first, second = wrote(subject=about), wrote(subject=about)
    number_as(second, number)
    third = wrote(subject=about)
    assert (first.object_seq, third.object_seq) == (1, 2)
