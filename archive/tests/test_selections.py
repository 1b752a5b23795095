"""What the auditor takes out is checked at home by one file of Python, and every part that was changed is named."""

import base64
import csv
import io
import json
import subprocess
import sys
import zipfile

import pytest
from django.db import transaction

from archive import audit, forgetting, logkey, publishing, selections, sequencing, tallies
from archive.models import AuditEntry, Clearance, PersonRole, Tally
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.verifier import verify
from config.tests.office import LONG_AGO


@pytest.fixture
def log(tmp_path, settings, office, make_record):
    """A log with reads, a refusal, a formula, details, and the machine's own entries."""
    settings.VANKHO_HOME = tmp_path / "home"
    record = make_record(code_number="71", code_notation="KH-BCH")
    with transaction.atomic():
        for number in range(20):
            audit.write(Action.SYSTEM_READ, actor=None, details={"n": number} if number % 7 == 0 else None)
        audit.write(Action.RECORD_READ, actor=office.clerk, subject=record)
        audit.write(
            Action.HOLD_PLACE, actor=office.clerk, subject=record, reason='=HYPERLINK("x")', details={"name": "-1"}
        )
    sequencing.place_all()
    return record


@pytest.fixture
def take(log, signed_in, tmp_path):
    """Return how to take a page out as a file."""

    def taken(address="/log/export.json", **asked):
        answer = signed_in("auditor").get(address, asked)
        assert answer.headers["Content-Type"] == "application/zip", answer.status_code
        place = tmp_path / "taken.zip"
        place.write_bytes(b"".join(answer.streaming_content))
        return place

    return taken


def key():
    return logkey.signer().public


def check(place, *kept):
    return verify.verify_selection(str(place), key(), list(kept))


def members(place):
    with zipfile.ZipFile(place) as box:
        return {name: box.read(name) for name in box.namelist()}


def packed(place, files, pack=zipfile.ZIP_STORED):
    with zipfile.ZipFile(place, "w", pack) as box:
        for name, data in files.items():
            box.writestr(name, data)
    return place


def rows_of(place):
    return json.loads(members(place)["log.json"])


@pytest.mark.parametrize("form", ["csv", "json", "pdf"])
def test_each_form_is_checked_by_the_one_file_alone(take, tmp_path, form):
    place = take(f"/log/export.{form}", record="71/KH-BCH")
    (tmp_path / "verify.py").write_bytes(members(place)["verify.py"])
    ran = subprocess.run(
        [sys.executable, "-I", "-W", "error", "verify.py", str(place), "--key", key()],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout[:3], ran.stderr) == (0, "OK:", "")
    assert "nothing was left out" in ran.stdout
    assert check(place).rows == 4
    assert ("log.pdf" in members(place)) == (form == "pdf")
    with zipfile.ZipFile(place) as box:
        box.extractall(tmp_path / "out")
    assert check(tmp_path / "out").rows == 4


def test_the_whole_log_in_one_file_tells_of_its_own_making(take, office):
    with transaction.atomic():
        for _each in range(260):  # more than one tile
            audit.write(Action.SYSTEM_READ, actor=None)
    sequencing.place_all()
    place = take("/log/export.csv")
    found = check(place)
    assert found.rows == found.head.size == AuditEntry.objects.count()
    own = AuditEntry.objects.get(action=Action.LOG_EXPORT)
    assert (own.actor, own.leaf.idx) == (office.auditor, found.manifest["act"])
    rows = list(csv.reader(io.StringIO(members(place)["log.csv"].decode("utf-8-sig"))))
    assert rows[0] == found.manifest["heads"]
    assert any(cells[11].startswith("'=HYPERLINK") for cells in rows)
    assert "does_not_prove" in found.manifest
    assert found.manifest["does_not_prove"] in members(place)["README.txt"].decode()


def test_who_saw_it_and_what_stands_out_are_taken_out_too(take, office, log):
    with transaction.atomic():
        for _each in range(6):
            audit._append("x", actor=office.staff, subject=audit.NOTHING, outcome="denied", reason="X-1", details=None)
    sequencing.place_all()
    tallies.sweep()
    place = take("/log/who/export.json", record="71/KH-BCH")
    assert {row["person"] for row in rows_of(place)} == {str(office.clerk)}
    check(place)
    place = take("/log/unusual/export.pdf")
    # Six refusals, and the reading of a secret dispatch that was the reader's first.
    assert check(place).rows == 7
    assert sorted(row["why"].endswith("(6)") for row in rows_of(place)) == [False, *[True] * 6]
    assert Tally.objects.filter(person=office.staff, is_much=True).exists()


def changed_row(files):
    files["log.json"] = files["log.json"].replace("Mở văn bản".encode(), "In văn bản".encode(), 1)


def dropped_row(files):
    rows = json.loads(files["log.json"])
    files["log.json"] = _listed(rows[:1] + rows[2:])


def dropped_entry(files):
    dropped_row(files)
    lines = files["entries.jsonl"].splitlines(keepends=True)
    second, third = json.loads(lines[1]), json.loads(lines[2])
    whole = [*second["proof"], *json.loads(lines[0])["proof"][len(json.loads(lines[0])["proof"]) - second["same"] :]]
    third["proof"], third["same"] = [*third["proof"], *whole[len(whole) - third["same"] :]], 0
    files["entries.jsonl"] = b"".join([lines[0], json.dumps(third).encode() + b"\n", *lines[3:]])


def added_row(files):
    rows = json.loads(files["log.json"])
    files["log.json"] = _listed([*rows, rows[0]])


def swapped_proof(files):
    lines = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
    lines[0]["proof"][0] = base64.b64encode(bytes(32)).decode()
    files["entries.jsonl"] = "".join(json.dumps(line) + "\n" for line in lines).encode()


def other_words(files):
    """The row and the leaf's bytes alike: only the proof can tell."""
    changed_row(files)
    files["entries.jsonl"] = files["entries.jsonl"].replace(b"record.read", b"record.print", 1)


def changed_details(files):
    files["entries.jsonl"] = files["entries.jsonl"].replace(b'"name": "-1"', b'"name": "-2"', 1)


def changed_said(files):
    rows = json.loads(files["log.json"])
    rows[0]["why"] = "khác"
    files["log.json"] = _listed(rows)


def changed_manifest(files):
    files["manifest.json"] = files["manifest.json"].replace(b'"rows": 4', b'"rows": 3')


def other_readme(files):
    files["README.txt"] += b"x"


def put_in(files):
    files["more.txt"] = b"x"


def taken_away(files):
    del files["entries.jsonl"]


def no_time(files):
    rows = json.loads(files["log.json"])
    rows[0]["at"] = "0001-01-01T00:00:00+23:59"  # a moment before the first there is
    files["log.json"] = _listed(rows)


def _listed(rows):
    return ("[" + ",".join("\n" + json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n").encode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (changed_row, r"entry \d+: the row does not say what its leaf says \(act\)"),
        (no_time, r"entry \d+: the row is not in its form"),
        (dropped_row, r"entry \d+: the row of this entry is missing"),
        (dropped_entry, "4 rows were signed, 3 are here"),
        (added_row, "a row was put in"),
        (swapped_proof, r"entry \d+: the proof does not lead"),
        (other_words, r"entry \d+: the proof does not lead"),
        (changed_details, r"entry \d+: the details of the entry were changed"),
        (changed_said, "log.json was changed after it was signed"),
        (changed_manifest, "the manifest was changed"),
        (other_readme, "README.txt was changed"),
        (put_in, "a file was put in: more.txt"),
        (taken_away, "entries.jsonl is missing"),
    ],
)
def test_what_was_changed_is_named(take, change, named):
    place = take(record="71/KH-BCH")
    files = members(place)
    change(files)
    with pytest.raises(verify.Tampered, match=named):
        check(packed(place, files))


def bombed(name, size):
    def change(files):
        files[name] = bytes(size)

    return change


def said(name, text):
    def change(files):
        files[name] = text

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (bombed("manifest.json", 1 << 25), "manifest.json is larger than such a file can be"),
        (bombed("manifest.note", 1 << 25), "manifest.note is larger than such a file can be"),
        (bombed("checkpoint", 1 << 25), "checkpoint is larger than such a file can be"),
        (bombed("entries.jsonl", 1 << 25), "entries.jsonl has a line longer than a row can be"),
        (bombed("log.json", 1 << 25), "log.json has a line longer than a row can be"),
        (bombed("README.txt", 1 << 25), "README.txt was changed"),
        (said("entries.jsonl", b"[" * 200_000), "the file of entries is not in its form"),
        (said("entries.jsonl", b"[1]\n"), "the file of entries is not in its form"),
        (said("log.json", b"[\n" + b'{"a":' * 100_000), "log.json is not in its form"),
        (said("log.json", b"[\n7\n]\n"), "log.json is not in its form"),
    ],
)
def test_a_forged_file_neither_fills_memory_nor_ends_in_a_fault(take, change, named):
    place = take(record="71/KH-BCH")
    files = members(place)
    change(files)
    packed(place, files, pack=zipfile.ZIP_DEFLATED)
    with pytest.raises(verify.Tampered, match=named):
        check(place)


@pytest.mark.parametrize("where", [6, 8])  # flags: encrypted; a way of packing that nobody knows
def test_a_zip_that_python_cannot_read_is_named(take, where):
    place = take(record="71/KH-BCH")
    data = bytearray(place.read_bytes())
    at = -1
    for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + where + shift] = 1 if where == 6 else 77
    place.write_bytes(bytes(data))
    with pytest.raises(verify.Tampered, match=r"is broken|is no zip"):
        check(place)


def test_another_pdf_an_older_head_and_another_key_are_named(take, tmp_path, settings):
    publishing.publish()
    older = (publishing.folder() / "checkpoint").read_bytes()
    place = take("/log/export.pdf", record="71/KH-BCH")
    files = members(place)
    with pytest.raises(verify.Tampered, match=r"log\.pdf was changed"):
        check(packed(place, files | {"log.pdf": files["log.pdf"].replace(b"/Author", b"/Auteur") + b" "}))
    with pytest.raises(verify.Tampered, match="is not the one that the manifest names"):
        check(packed(place, files | {"checkpoint": older}))
    packed(place, files)
    settings.VANKHO_HOME = tmp_path / "elsewhere"
    with pytest.raises(verify.Tampered, match="not signed with this key"):
        check(place)


def test_a_kept_head_of_the_same_size_is_compared(take):
    place = take(record="71/KH-BCH")
    head = verify.open_note(members(place)["checkpoint"], key())
    assert check(place, members(place)["checkpoint"]).compared == 1
    with pytest.raises(verify.Tampered, match="history was rewritten"):
        check(place, logkey.signer().note(head.size, bytes(32)))


def test_words_above_the_readers_clearance_stay_here_and_their_place_is_proven(office, take, make_record):
    secret = make_record(level=Level.MAT, code_number="5", code_notation="QS-TM")
    with transaction.atomic():
        audit.write(Action.HOLD_PLACE, actor=office.clerk, subject=secret, reason="lời mật")
        audit.write(Action.RECORD_ATTACH, actor=office.clerk, subject=secret, details={"name": "tên mật", "file": 3})
    place = take(record=secret.key)
    found = check(place)
    assert found.withheld == 2
    assert not any("mật".encode() in data for name, data in members(place).items() if name == "entries.jsonl")
    assert {row["details"].get("withheld") for row in rows_of(place)} >= {"mat"}
    Clearance.objects.create(person=office.auditor, level=Level.MAT, since=LONG_AGO, basis="QĐ 02")
    place = take(record=secret.key)
    assert (check(place).withheld, check(place).manifest["words_level"]) == (0, int(Level.MAT))
    assert "lời mật" in members(place)["entries.jsonl"].decode()


def test_destroyed_details_are_told_apart_from_withheld_ones(office, take, log):
    PersonRole.objects.create(person=office.auditor, role=Role.SECURITY, since=LONG_AGO)
    PersonRole.objects.create(person=office.leader, role=Role.SECURITY, since=LONG_AGO)
    kept = AuditEntry.objects.get(action=Action.HOLD_PLACE)
    forgetting.forget([kept], reason="hết hạn", actor=office.auditor, second=office.leader)
    assert check(take(record="71/KH-BCH")).undetailed == 1


def test_too_many_are_refused_with_the_way_out_and_nothing_is_cut(take, office, signed_in, monkeypatch):
    monkeypatch.setitem(selections.MOST, "csv", 10)
    answer = signed_in("auditor").get("/log/export.csv", {"outcome": "ok"}, follow=True)
    assert "export_log" in answer.content.decode()
    assert answer.request["QUERY_STRING"] == "outcome=ok"
    refused = AuditEntry.objects.get(action=Action.LOG_EXPORT, outcome="denied")
    assert json.loads(bytes(refused.body))["reason"] == "LOG-004"


def test_a_filter_with_a_fault_takes_nothing_out(log, signed_in):
    answer = signed_in("auditor").get("/log/export.csv", {"since": "99/99"}, follow=True)
    assert answer.status_code == 200
    assert not AuditEntry.objects.filter(action=Action.LOG_EXPORT).exists()
    assert signed_in("auditor").get("/log/export.xml").status_code == 404


@pytest.mark.parametrize("page", ["", "who/", "unusual/"])
def test_only_the_auditor_takes_the_log_out(log, office, signed_in, page):
    for role in ("clerk", "leader", "staff", "archivist", "admin"):
        assert signed_in(role).get(f"/log/{page}export.csv", {"record": "71/KH-BCH"}).status_code in {403, 404}
    assert not AuditEntry.objects.filter(action=Action.LOG_EXPORT, outcome="ok").exists()


def test_the_time_of_a_row_is_the_offices_and_the_same_moment(take):
    place = take(record="71/KH-BCH")
    row = rows_of(place)[0]
    assert row["at"].endswith("+07:00")
    assert verify._moment(row["at"]) == AuditEntry.objects.get(leaf__idx=row["index"]).ts
