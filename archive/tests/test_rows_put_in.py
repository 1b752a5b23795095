"""Rows of the log that no program writes: export and checks go on behind each of them, name it, and tell all the rest."""

import hashlib
import json
import os
import subprocess
import sys
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from archive import audit, chains, logkey, publishing, sequencing
from archive.models import AuditDetail, AuditEntry
from archive.tests.test_log_key import home, wrote
from archive.verifier import verify
from config.tests.office import fence_lifted

__all__ = ["home"]
ABOUT = ("office", "office")


def put_in(body=None, hashed=None, **said):
    """Insert a row into the chain of an object, as who may write to the database before there was a fence; return its place."""
    number, before = chains.last_of(*ABOUT)
    entry = {
        "v": 1,
        "id": str(uuid.uuid4()),
        "ts": "2026-11-28T01:02:03.000000Z",
        "action": "record.read",
        "outcome": "ok",
    }
    entry |= {"object": {"type": ABOUT[0], "id": ABOUT[1]}, "object_seq": number + 1, "object_prev": before.hex()}
    entry = entry | {"reason": "", "details_h": ""} | said
    body = audit.canonical(entry) if body is None else body
    row = AuditEntry(
        id=uuid.uuid4(), ts="2026-11-28T01:02:03Z", action="record.read", outcome="ok", object_type=ABOUT[0], object_id=ABOUT[1],
        object_seq=number + 1, level=0, body=body, leaf_hash=audit.leaf_hash(body) if hashed is None else hashed,
    )  # fmt: skip
    with fence_lifted():
        sequencing.add(row, None)
    sequencing.place_all()
    return row.leaf.idx


FORM = "not in the form of this log"
ROWS = [
    ({"body": b"x" * (verify.LONGEST_ENTRY + 1)}, "longer than an entry can be"),
    ({"body": b" " * 3_000_000}, "longer than an entry can be"),
    ({"body": b""}, FORM),
    ({"body": b"no JSON"}, FORM),
    ({"body": b"\xff\xfe{}"}, FORM),
    ({"body": b"[" * 60_000}, FORM),
    ({"body": b"{}"}, FORM),
    ({"body": b'{"object":3}'}, FORM),
    ({"body": b"1" * 9_000}, FORM),
    ({"object": {"type": [], "id": {}}}, FORM),
    ({"ts": 5}, FORM),
    ({"ts": "0000"}, FORM),
    ({"outcome": []}, "columns are not what its bytes say"),
    ({"ts": "zzzz"}, "columns are not what its bytes say"),
    ({"id": 7, "details_h": "x"}, "details of the entry are missing"),
    ({"object_seq": "x"}, "chain of its object is broken"),
    ({"object_prev": []}, FORM),
    ({"object_prev": "00" * 32}, "chain of its object is broken"),
    ({"hashed": b""}, "bytes were changed"),
    ({"hashed": b"x" * 32}, "bytes were changed"),
    ({"hashed": b"x" * 90_000}, "bytes were changed"),
    ({"action": "log.key", "object": {"type": "log", "id": "key"}, "reason": 5}, "chain of its object is broken"),
]


def outsider(folder, capsys):
    capsys.readouterr()
    assert verify.main([str(folder), "--key", logkey.signer().public, "--details"]) == 1
    return capsys.readouterr().out


@pytest.mark.parametrize(("row", "told"), ROWS)
def test_a_row_is_named_and_hides_no_other_edit(home, tmp_path, capsys, row, told):
    wrote(details={"n": 1})
    publishing.publish()
    place = put_in(**row)
    for number in range(3):
        later = wrote(details={"n": number})
    sequencing.place_all()
    publishing.publish()
    with fence_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE archive_unit SET name = 'x' WHERE id = (SELECT MIN(id) FROM archive_unit)")
        AuditDetail.objects.filter(entry=later).update(payload={"n": 77})
    capsys.readouterr()
    with pytest.raises(CommandError, match="NOT OK"):
        call_command("verify_log")
    said = capsys.readouterr().out
    assert told in said
    assert f"entry {place}: " in said or "columns" in told
    assert f"entry {AuditEntry.objects.get(pk=later.pk).leaf.idx}: the details of the entry were changed" in said
    assert "unit " in said
    assert said.count("chain of its object is broken") == ("chain" in told)  # what follows the row is not blamed
    call_command("export_log", str(tmp_path / "export"), "--details")
    assert ("NOT OK: entry" in capsys.readouterr().out) == ("longer" in told)
    said = outsider(tmp_path / "export", capsys)
    assert "the details of the entry were changed" in said
    assert f"entry {place}: " in said or "columns" in told


def test_every_row_is_named_at_once_and_the_office_goes_on(home, tmp_path, capsys):
    places = {put_in(**row): told for row, told in ROWS}
    wrote()
    publishing.publish()
    call_command("export_log", str(tmp_path / "export"), "--details")
    said = outsider(tmp_path / "export", capsys)
    at_fault = [place for place, told in places.items() if "columns" not in told]
    assert [place for place in at_fault if f"entry {place}:" not in said] == []


def test_who_rewrote_the_whole_log_is_not_told_a_million_times(home, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "MOST_FOUND", 5)
    for _ in range(9):
        put_in(body=b"{}")
    publishing.export(tmp_path / "export", with_details=False)
    with pytest.raises(verify.Several, match=FORM) as told:
        verify.verify(str(tmp_path / "export"), logkey.signer().public)
    assert len(told.value.found) == 6
    assert "nothing after this was looked at" in str(told.value.found[-1])


def test_a_row_under_the_id_of_another_does_not_answer_for_its_details(home, tmp_path, capsys):
    victim = wrote(details={"n": 1})
    sequencing.place_all()
    false = {"n": 2}
    put_in(id=str(victim.pk), details_h=hashlib.sha256(b"salt" + audit.canonical(false)).hexdigest())
    publishing.publish()
    with fence_lifted():
        AuditDetail.objects.filter(entry=victim).update(payload=false, salt=b"salt")
    publishing.export(tmp_path / "export", with_details=True)
    said = outsider(tmp_path / "export", capsys)
    assert f"entry {victim.leaf.idx}: the details of the entry were changed" in said
    assert f"the entry bears the id of entry {victim.leaf.idx}" in said


def kept_as(identity, payload="1"):
    return b'{"id":%s,"salt":"","payload":%s}\n' % (identity.encode(), payload.encode())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (b"[" * 200_000, "the file of details is not in its form"),
        (kept_as('"x"', "[" * 200_000), "the file of details is not in its form"),
        (b" " * (verify.LONGEST_LINE + 9), "the file of details is not in its form"),
        (kept_as(json.dumps("\ud800")), r"details of an entry \ud800 that the log does not know"),
        (
            kept_as(json.dumps("\x1b[2K\nOK: whole")),
            r"details of an entry \x1b[2K\nOK: whole that the log does not know",
        ),
        (kept_as('"khóa"'), r"details of an entry kh\xf3a that the log does not know"),
    ],
)
def test_details_of_any_kind_are_told_in_words_that_every_terminal_shows(home, tmp_path, damage, told):
    wrote()
    folder = tmp_path / "export"
    publishing.export(folder, with_details=True)
    (folder / "details.jsonl").write_bytes((folder / "details.jsonl").read_bytes() + damage)
    ran = subprocess.run(
        [sys.executable, folder / "verify.py", folder, "--key", logkey.signer().public],
        check=False, capture_output=True, text=True, env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (1, "")
    assert told in ran.stdout


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/{}", "tile/entries/000.p/{}"])
def test_a_file_of_any_size_is_read_no_further_than_such_a_file_goes(home, tmp_path, path, capsys):
    wrote()
    size = publishing.export(tmp_path / "export", with_details=False).size
    place = tmp_path / "export" / path.format(size)
    place.unlink(missing_ok=True)
    with place.open("wb") as file:
        file.truncate(1 << 36)  # 64 GiB of nothing
    assert "NOT OK" in outsider(tmp_path / "export", capsys)
