"""The keys of a log follow each other by signed links: whoever trusts one is led to the others, and a forged row stops nobody."""

import json
import random
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from archive import audit, chains, logkey, naming, publishing, sequencing
from archive.models import AuditEntry
from archive.rules.roles import Action
from archive.tests.test_log_key import GROUND, home, wrote
from archive.verifier import verify
from config import starting
from config.bench import export_tampers
from config.tests.office import fence_lifted

__all__ = ["home"]


@pytest.fixture
def head(home):
    """Publish a head, and return it with the key that signed it."""

    def published():
        wrote()
        publishing.publish()
        return (publishing.folder() / "checkpoint").read_bytes(), logkey.signer().public

    return published


@pytest.fixture
def renew(home, office, tmp_path, django_capture_on_commit_callbacks):
    """Take a new key into use; the one before signs it, or is lost."""

    def take(*, is_lost=False):
        old = tmp_path / f"{uuid.uuid4()}.key"
        (home / "keys" / "log.key").rename(old)
        before = {"is_lost": True} if is_lost else {"before": old}
        with django_capture_on_commit_callbacks(execute=True):
            naming.take(reason=GROUND, actor=office.security, **before)
        return old

    return take


@pytest.fixture
def export(home, tmp_path):
    def written():
        folder = tmp_path / str(uuid.uuid4())
        publishing.export(folder, with_details=True)
        return folder

    return written


@pytest.fixture
def put_in(home, tmp_path):
    """Insert an entry that names a foreign key in its form, as the running role of the database may."""

    def forge(*, reason="", **more):
        foreign = logkey.Signer(tmp_path / "foreign.key", origin="vankho")
        seq, after = chains.last_of(*logkey.OF_KEY)
        own = foreign.sign(verify.key_link(foreign.public, logkey.named(), after.hex()))
        proof = f"proof: {logkey.named()} {verify.base64.b64encode(own).decode()} -"
        said = json.loads(bytes(wrote().body)) | {"id": str(uuid.uuid4()), "action": "log.key"}
        said |= {"object_seq": seq + 1, "object_prev": after.hex(), "reason": reason or f"{foreign.public}\n{proof}"}
        said["object"] |= {"type": "log", "id": "key"}
        body = audit.canonical(said | more)
        entry = AuditEntry(
            id=uuid.UUID(said["id"]), ts=said["ts"], action="log.key", outcome="ok", object_type="log",
            object_id="key", object_seq=seq + 1, level=0, body=body, leaf_hash=audit.leaf_hash(body),
        )  # fmt: skip
        sequencing.add(entry, None)
        sequencing.place_all()
        return entry, foreign

    return forge


def outsider(folder, key, *kept):
    return verify.verify(str(folder), key, list(kept), details=True)


def test_every_key_and_every_kept_head_leads_to_the_log_where_each_key_signed_the_next(head, renew, export):
    first = head()
    renew()
    second = head()
    renew()
    third = head()
    folder = export()
    for _note, trusted in (first, second, third):
        report = outsider(folder, trusted, first[0], second[0], third[0])
        assert report.kept == 3
        assert [one.key for one in report.line.links] == [first[1], second[1], third[1]]
        assert not report.line.lost


def test_verify_log_takes_heads_of_an_old_key(head, renew, tmp_path, capsys):
    (tmp_path / "kept").write_bytes(head()[0])
    renew()
    call_command("verify_log", "--kept", str(tmp_path / "kept"))
    assert "1 kept heads" in capsys.readouterr().out


def test_the_checker_that_an_auditor_takes_home_says_the_same(head, renew, export, tmp_path, capsys):
    note, old = head()
    (tmp_path / "kept").write_bytes(note)
    renew(is_lost=True)
    folder = export()
    given = [str(folder), "--kept", str(tmp_path / "kept"), "--key"]
    assert verify.main([*given, logkey.signer().public]) == 0
    assert "it was lost" in capsys.readouterr().out
    assert verify.main([*given, old]) == 1
    assert "the key before has not signed this change" in capsys.readouterr().out


def test_from_a_lost_key_nothing_leads_on_and_from_the_new_one_everything_back(head, renew, export):
    note, old = head()
    renew()
    middle, other = head()
    renew(is_lost=True)
    folder = export()
    report = outsider(folder, logkey.signer().public, note, middle)
    assert [one.key for one in report.line.lost] == [logkey.signer().public]
    for trusted in (old, other):
        with pytest.raises(verify.Tampered, match="has not signed this change") as found:
            outsider(folder, trusted, note)
        assert found.value.index == report.line.links[-1].place


def test_a_head_of_another_log_and_a_log_cut_or_rewritten_show_under_the_old_key(head, renew, export, tmp_path):
    note, old = head()
    early = export()
    signed = verify.open_note(note, old)
    renew()
    folder, new = export(), logkey.signer().public
    stranger = logkey.Signer(tmp_path / "stranger.key", origin="vankho").note(signed.size, signed.root)
    for trusted in (old, new):
        with pytest.raises(verify.Tampered, match="not signed with this key"):
            outsider(folder, trusted, stranger)
    longer = (folder / "checkpoint").read_bytes()
    with pytest.raises(verify.Tampered, match="not signed with this key"):
        outsider(early, old, longer)  # the export of before knows nothing of the new key
    export_tampers.sign_again(folder, random.Random(3))
    for trusted in (old, new):
        with pytest.raises(verify.Tampered, match=r"kept checkpoint|names another key|left out|not signed"):
            outsider(folder, trusted, note)


def test_a_log_rolled_back_under_the_old_key_shows(head, renew, export, tmp_path):
    head()
    before = renew()
    note, old = head()
    renew()
    folder = export()
    bodies = export_tampers._bodies(folder)[: verify.open_note(note, old).size - 1]
    export_tampers._written(folder, bodies)
    for signer in (logkey.Signer(before, origin="vankho"), logkey.signer()):
        root = verify.open_note((folder / "checkpoint").read_bytes(), logkey.signer().public).root
        (folder / "checkpoint").write_bytes(signer.note(len(bodies), root))
        with pytest.raises(verify.Tampered, match=r"was cut|names another key"):
            outsider(folder, signer.public, note)
        (folder / "checkpoint").write_bytes(logkey.signer().note(len(bodies), root))


def test_a_head_signed_with_a_key_after_it_was_replaced_is_told(head, renew, export):
    _note, old = head()
    file = renew()
    signed = verify.open_note(head()[0], logkey.signer().public)
    late = logkey.Signer(file, origin="vankho").note(signed.size, signed.root)
    with pytest.raises(verify.Tampered, match="a key that was not the log's then"):
        outsider(export(), logkey.signer().public, late)
    folder = export()
    (folder / "checkpoint").write_bytes(late)
    with pytest.raises(verify.Tampered):
        outsider(folder, old)


def test_a_link_left_out_is_told_though_the_log_was_signed_again(head, renew, export):
    note, old = head()
    renew()
    middle = logkey.signer().public
    renew()
    folder = export()
    bodies, ends = [], {}
    for body in export_tampers._bodies(folder):
        entry = json.loads(body)
        if entry["reason"].startswith(middle):
            continue
        thing = (entry["object"]["type"], entry["object"]["id"])
        seq, previous = ends.get(thing, (0, "00" * 32))
        entry |= {"object_seq": seq + 1, "object_prev": previous, "details_h": ""}
        bodies.append(audit.canonical(entry))
        ends[thing] = (seq + 1, verify.leaf(bodies[-1]).hex())
    export_tampers._written(folder, bodies)
    (folder / "details.jsonl").unlink()
    for trusted in (old, middle, logkey.signer().public):
        with pytest.raises(verify.Tampered, match=r"another key|not signed with this key|left out"):
            verify.verify(str(folder), trusted, [note])


def test_a_link_that_the_newest_key_signed_past_a_missing_one_is_told(head, renew, export):
    """Who holds the newest key signs a link to a key that the log never named."""
    head()
    renew()
    key, chain = logkey.signer(), verify.Export(str(export()))
    names = list(verify._namings(chain, chain.read("checkpoint")))
    assert len(names) == 2
    link = verify.key_link(key.public, "vankho+00000000+AAAA", "00" * 32)
    forged = verify.Naming(9, key.public, "vankho+00000000+AAAA", link, key.sign(link), b"")
    with pytest.raises(verify.Tampered, match="a link was left out"):
        verify.follow([names[0], forged], key.public)
    moved = names[1]._replace(link=verify.key_link(key.public, names[1].before, "00" * 32))
    with pytest.raises(verify.Tampered, match="names another key"):  # the same link at another place of the chain
        verify.follow([names[0], moved], key.public)


def test_a_forged_entry_stops_nobody_is_believed_by_nobody_and_is_told(head, put_in, export, signed_in, office):
    note, key = head()
    entry, foreign = put_in()
    place = entry.leaf.idx
    starting.require_log()
    assert wrote(Action.CLEARANCE_GIVE, subject=office.clerk)
    assert publishing.publish().size > place
    sequencing.sweep()
    assert logkey.named() == key
    with pytest.raises(CommandError, match=rf"NOT OK: 1 faults.*entry {place}: the entry names a key of the log"):
        call_command("verify_log")
    with pytest.raises(CommandError, match=rf"entry {place}: .*manage.py log_key --take"):
        call_command("log_key")
    page = signed_in("admin").get("/machine/status/").content.decode()
    assert f"entry {place}:" in page
    with pytest.raises(verify.Unproven) as found:
        outsider(export(), key, note)
    assert (found.value.index, found.value.report.kept) == (place, 1)
    folder = export()
    signed = verify.open_note((folder / "checkpoint").read_bytes(), key)
    (folder / "checkpoint").write_bytes(foreign.note(signed.size, signed.root))
    with pytest.raises(verify.Tampered, match="has not signed this change"):
        outsider(folder, key, note)


def test_a_forged_entry_hides_no_other_edit(head, put_in):
    head()
    put_in()
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE archive_unit SET name = 'x' WHERE id = (SELECT MIN(id) FROM archive_unit)")
    with pytest.raises(CommandError, match=r"NOT OK: [2-9] faults"):
        call_command("verify_log")


def test_the_security_officer_answers_a_forged_entry_and_it_stays_told(
    head, put_in, export, office, capsys, django_capture_on_commit_callbacks
):
    note, key = head()
    entry, _foreign = put_in()
    with django_capture_on_commit_callbacks(execute=True):
        call_command("log_key", "--take", "--as", "security", "--reason", "BB 3: dòng lạ")
    assert logkey.named() == key
    capsys.readouterr()
    call_command("verify_log")
    assert f"Note: entry {entry.leaf.idx} names a key that nothing proves" in capsys.readouterr().out
    report = outsider(export(), key, note)
    assert [one.place for one in report.line.answered] == [entry.leaf.idx]
    with pytest.raises(CommandError, match="LOG-009"):
        call_command("log_key", "--take", "--as", "security", "--reason", "x")


@pytest.mark.parametrize("reason", ["no key", "", "vankho+00000000+AAAA\nproof: - AAAA AAAA", "\nproof: - - -"])
def test_an_entry_in_no_form_stops_nobody(head, put_in, reason):
    head()
    put_in(reason=reason or "\n")
    starting.require_log()
    assert publishing.publish()
    with pytest.raises(CommandError, match="names a key of the log"):
        call_command("verify_log")


@pytest.mark.parametrize("more", [{"object_prev": "00" * 32}, {"object_seq": 77}, {"reason": ["x"]}])
def test_an_entry_that_follows_nothing_stops_nobody_and_is_named(head, put_in, renew, more):
    head()
    entry, _foreign = put_in(**more)
    starting.require_log()
    publishing.publish()
    with pytest.raises(CommandError, match=rf"NOT OK: .*entry {entry.leaf.idx}:"):
        call_command("verify_log")
    renew()  # and a key is named behind it
    starting.require_log()


def test_a_number_put_in_far_behind_stops_nobody_and_is_named(home, renew, signed_in):
    sequencing.place_all()
    real = AuditEntry.objects.get(action=Action.LOG_KEY)
    AuditEntry.objects.create(
        id=uuid.uuid4(), ts=timezone.now(), action=str(Action.LOG_KEY), outcome="ok", object_type="log", object_id="key",
        object_seq=99, level=0, body=bytes(real.body), leaf_hash=bytes(real.leaf_hash),
    )  # fmt: skip
    with pytest.raises(CommandError, match=r"NOT OK: .*names the log's key"):
        call_command("verify_log")
    publishing.publish()
    assert signed_in("auditor").get("/log/").status_code == 200
    renew()
    starting.require_log()


def test_a_link_before_the_newest_that_was_changed_stops_the_start(head, renew):
    """No running role can do that: the key lies here, but how the log came to it was rewritten."""
    head()
    renew()
    first = AuditEntry.objects.filter(action=Action.LOG_KEY).order_by("object_seq")[0]
    with fence_lifted():
        AuditEntry.objects.filter(pk=first.pk).update(body=bytes(first.body).replace(b"proof", b"prove"))
    with pytest.raises(CommandError, match=r"LOG-001: .*names the log's key"):
        starting.require_log()


def test_a_key_is_handed_on_by_the_key_before_or_said_to_be_lost(home, office, tmp_path):
    publishing.publish()
    old = tmp_path / "old.key"
    (home / "keys" / "log.key").rename(old)
    other = logkey.Signer(tmp_path / "other.key", origin="vankho")
    for more, code in (([], "LOG-015"), (["--before", str(tmp_path / "other.key")], "LOG-016")):
        with pytest.raises(CommandError, match=code):
            call_command("log_key", "--take", "--as", "security", "--reason", GROUND, *more)
    with pytest.raises(CommandError, match=r"nowhere\.key"):
        call_command(
            "log_key", "--take", "--as", "security", "--reason", GROUND, "--before", str(tmp_path / "nowhere.key")
        )
    assert not (home / "keys" / "log.key").exists()
    assert other.public not in logkey.every_key()


def test_a_key_lost_with_its_heads_is_followed_by_the_one_that_signatures_lead_to(head, renew, put_in, home, export):
    note, old = head()
    put_in()
    publishing.folder().rename(home / "gone")
    renew(is_lost=True)
    report = outsider(export(), logkey.signer().public, note)
    assert [one.key for one in report.line.links] == [old, logkey.signer().public]


@pytest.mark.parametrize("damage", [b"", b"zz", b"ab" * 31, b"\xff\xfe" * 40])
def test_a_damaged_key_file_is_told_in_words_and_no_key_is_made(head, home, signed_in, damage):
    head()
    path = home / "keys" / "log.key"
    path.chmod(0o600)
    path.write_bytes(damage)
    for name in (["verify_log"], ["log_key"], ["log_place"], ["export_log", str(home / "x")]):
        with pytest.raises(CommandError, match=r"log\.key"):
            call_command(*name)
    with pytest.raises(CommandError, match=r"LOG-014.*log\.key"):
        starting.require_log()
    with pytest.raises(logkey.KeyDamaged), transaction.atomic():
        audit.write(Action.CLEARANCE_GIVE, actor=None)
    assert "LOG-014" in signed_in("admin").get("/machine/status/").content.decode()
    assert path.read_bytes() == damage
