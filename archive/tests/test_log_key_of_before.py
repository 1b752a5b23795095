"""A log that named its key before there were proofs goes on, and a row in no form that any program writes stops nobody."""

import json
import time
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from archive import audit, chains, keychain, logkey, naming, publishing, sequencing
from archive.models import AuditEntry
from archive.rules.roles import Action
from archive.tests.test_log_key import GROUND, wrote
from archive.verifier import verify
from config import starting
from config.tests.office import fence_lifted


@pytest.fixture
def home(tmp_path, settings, office):
    """An office whose log names the key that lies here in the form of before: no proof, the key alone."""
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = ""
    named_as_before()
    publishing.publish()
    return settings.VANKHO_HOME


def named_as_before(key=""):
    wrote(Action.LOG_KEY, subject=audit.Subject(*logkey.OF_KEY), reason=key or logkey.made().public)


def put_in(hashed=None, **said):
    """Insert an entry into the chain of the log's key, as the running role of the database may."""
    seq, after = chains.last_of(*logkey.OF_KEY)
    entry = json.loads(bytes(wrote().body)) | {"id": str(uuid.uuid4()), "action": "log.key", "object_prev": after.hex()}
    entry = entry | {"object_seq": seq + 1} | said
    entry["object"] |= {"type": "log", "id": "key"}
    body = json.dumps(entry).encode()
    row = AuditEntry(
        id=uuid.UUID(entry["id"]), ts=entry["ts"], action="log.key", outcome="ok", object_type="log", object_id="key",
        object_seq=entry["object_seq"], level=0, body=body, leaf_hash=audit.leaf_hash(body) if hashed is None else hashed,
    )  # fmt: skip
    with fence_lifted(), transaction.atomic():
        sequencing.add(row, None)
    sequencing.place_all()


def test_a_log_that_named_its_key_without_a_proof_starts_and_verifies(home, tmp_path):
    note = (publishing.folder() / "checkpoint").read_bytes()
    starting.require_log()
    call_command("verify_log")
    publishing.export(tmp_path / "export", with_details=True)
    report = verify.verify(str(tmp_path / "export"), logkey.named(), [note], details=True)
    assert [one.key for one in report.line.links] == [logkey.made().public]
    assert not report.line.answered


def test_its_key_is_handed_on_to_the_next(home, office, tmp_path, django_capture_on_commit_callbacks):
    note, old = (publishing.folder() / "checkpoint").read_bytes(), logkey.made().public
    (home / "keys" / "log.key").rename(tmp_path / "old.key")
    with pytest.raises(logkey.OtherLogKey):
        logkey.require()
    with django_capture_on_commit_callbacks(execute=True):
        naming.take(reason=GROUND, actor=office.security, before=tmp_path / "old.key")
    publishing.export(tmp_path / "export", with_details=True)
    for trusted in (old, logkey.made().public):
        report = verify.verify(str(tmp_path / "export"), trusted, [note], details=True)
        assert [one.key for one in report.line.links] == [old, logkey.made().public]


def test_another_key_named_so_is_believed_by_nobody_and_answered(home, office, tmp_path):
    foreign = logkey.Signer(tmp_path / "foreign.key", origin="vankho").public
    named_as_before(foreign)
    starting.require_log()
    publishing.publish()
    with pytest.raises(CommandError, match="nothing proves it"):
        call_command("verify_log")
    naming.take(reason=GROUND, actor=office.security)
    call_command("verify_log")
    named_as_before(foreign)
    publishing.publish()
    publishing.export(tmp_path / "export", with_details=True)
    with pytest.raises(verify.Unproven) as told:
        verify.verify(str(tmp_path / "export"), logkey.named(), details=True)
    assert [one.key for one in told.value.report.line.links] == [logkey.named(), logkey.named()]
    for trusted in (foreign, logkey.Signer(tmp_path / "other.key", origin="vankho").public):
        with pytest.raises(verify.Tampered, match="not signed with this key"):
            verify.verify(str(tmp_path / "export"), trusted, details=True)


@pytest.mark.parametrize(
    "said",
    [
        {"reason": "\ud800\nproof: a b c"},
        {"reason": "x", "more": "x" * verify.LONGEST_ENTRY},
        {"object_seq": 0, "object_prev": ""},
        {"object_seq": 99, "object_prev": ""},
        {"hashed": b""},
        {"hashed": b"x" * 33},
        {"hashed": b"x" * 100_000},
    ],
)
def test_a_row_that_no_program_writes_stops_nobody_and_is_named(home, office, said):
    put_in(**said)
    starting.require_log()
    wrote()
    publishing.publish()
    assert len(logkey.unproven()) == 1
    with pytest.raises(CommandError, match=r"NOT OK: .*entry \d+"):
        call_command("verify_log")
    if logkey.unproven():
        naming.take(reason=GROUND, actor=office.security)
    assert logkey.unproven() == []
    assert publishing.publish() or not said.get("object_seq", 1)


def test_many_rows_that_name_a_key_are_followed_once_each(home):
    ours, *others = keychain.chain(), *(verify.Naming(place, "x", "", b"x", b"", b"") for place in range(9, 30_000))
    began = time.process_time()
    line = verify.follow(ours + others, logkey.made().public)
    assert (line.links, line.unproven) == (ours, others)
    assert time.process_time() - began < 3  # each held against each took half a minute
