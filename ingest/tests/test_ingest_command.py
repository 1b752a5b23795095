"""`manage.py ingest`: what others build on - keys, exit codes, texts; progress never on standard output."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from archive.models import AuditEntry
from archive.rules.proposal import FIELD_NAMES
from ingest import worker
from ingest.models import Channel, Scan
from ingest.tests.handing import bare_pdf, drop, read, text_pdf

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    "source", "outcome", "code", "reason", "scan", "record", "sha256", "type", "pages", "declared_level",
    "suggested_level", "flags", "fields",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """run("ingest", ...) in an installation of its own, as an administrator types it."""
    home = tmp_path_factory.mktemp("home")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("VANKHO_", "DJANGO_", "COV"))}
    environment |= {"VANKHO_HOME": str(home), "VANKHO_PROFILE": "evaluation"}

    def manage(*words):
        command = [sys.executable, "manage.py", *map(str, words)]
        return subprocess.run(
            command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180
        )

    made = manage("demo", "--dispatches", "0")
    assert made.returncode == 0, made.stderr
    return manage


@pytest.fixture
def papers(tmp_path):
    """A folder as a scanner leaves it: files, a subfolder, a link, a pipe."""
    folder = tmp_path / "giấy tờ"
    (folder / "thang 11").mkdir(parents=True)
    (folder / "bao cao.pdf").write_bytes(text_pdf())
    (folder / "thang 11" / "rong.pdf").write_bytes(b"")
    (folder / "thang 11" / "thu.docx").write_bytes(b"PK\x03\x04" + b"\0" * 40)
    (folder / "lien ket.pdf").symlink_to("/etc/hostname")
    os.mkfifo(folder / "ong.pdf")
    return folder


def lines(told):
    return [json.loads(line) for line in told.splitlines()]


def test_a_folder_is_walked_read_and_told_line_by_line(run, papers, tmp_path):
    texts = tmp_path / "texts"
    done = run("ingest", papers, "--level", "thuong", "--as", "clerk", "--wait", "--json", "--text", texts)
    assert done.returncode == 0, done.stderr
    told = {Path(line["source"]).name: line for line in lines(done.stdout)}
    assert {name: line["outcome"] for name, line in told.items()} == {
        "bao cao.pdf": "filed", "rong.pdf": "refused", "thu.docx": "refused", "lien ket.pdf": "refused", "ong.pdf": "refused",
    }  # fmt: skip
    assert all(list(line) == KEYS for line in told.values())
    filed = told["bao cao.pdf"]
    assert (filed["type"], filed["pages"], filed["declared_level"], filed["suggested_level"]) == (
        "application/pdf", 1, "thuong", "thuong",
    )  # fmt: skip
    assert set(filed["fields"]) <= set(FIELD_NAMES)
    assert {"value", "confidence", "page", "box"} <= set(filed["fields"]["code_number"])
    assert filed["record"]
    assert (told["rong.pdf"]["code"], told["lien ket.pdf"]["code"]) == ("ING-001", "ING-021")
    assert all(line["reason"] for line in told.values() if line["code"])
    assert "huấn luyện dân quân" in (texts / "bao cao.pdf.txt").read_text(encoding="utf-8")
    assert "5 = 1 filed + 4 refused" in done.stderr
    assert "\r" not in done.stdout

    again = run("ingest", papers / "bao cao.pdf", "--level", "thuong", "--as", "clerk", "--json")
    assert again.returncode == 0
    assert lines(again.stdout)[0]["outcome"] == "duplicate"


def test_something_that_needs_a_person_is_exit_status_one(run, tmp_path):
    import pikepdf

    closed = tmp_path / "khoa.pdf"
    closed.write_bytes(bare_pdf(encryption=pikepdf.Encryption(user="x", owner="y")))
    done = run("ingest", closed, "--level", "thuong", "--as", "clerk", "--wait", "--json")
    assert done.returncode == 1, done.stderr
    [line] = lines(done.stdout)
    assert (line["outcome"], line["code"]) == ("attention", "ING-013")
    assert "encrypted" in line["flags"]


@pytest.mark.parametrize(
    "words",
    [
        ("--level", "thuong", "--as", "clerk"),
        (".", "--as", "clerk"),
        (".", "--level", "bi-mat", "--as", "clerk"),
        (".", "--level", "thuong"),
    ],
)
def test_words_that_are_missing_or_wrong_are_exit_status_two(run, words):
    assert run("ingest", *words).returncode == 2


# --- in this process -----------------------------------------------------------------------------------


def told(capsys, *words):
    call_command("ingest", *words, "--json")
    return lines(capsys.readouterr().out)


@pytest.mark.parametrize(("who", "what"), [("nobody", "missing"), ("auditor", "no role")])
def test_who_may_not_hand_in_is_wrong_use(office, papers, who, what):
    with pytest.raises(CommandError) as wrong:
        call_command("ingest", str(papers), "--level", "thuong", "--as", who)
    assert wrong.value.returncode == 2
    assert not Scan.objects.exists()
    assert AuditEntry.objects.filter(outcome="denied").count() == (who == "auditor")


def test_a_level_beyond_the_clearance_is_wrong_use_and_takes_nothing_in(office, papers):
    from archive.models import Clearance

    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    with pytest.raises(CommandError, match="ING-022") as wrong:
        call_command("ingest", str(papers), "--level", "mat", "--as", "clerk")
    assert wrong.value.returncode == 2


def test_a_path_that_is_not_there_is_wrong_use(office, tmp_path):
    with pytest.raises(CommandError) as wrong:
        call_command("ingest", str(tmp_path / "nothing"), "--level", "thuong", "--as", "clerk")
    assert wrong.value.returncode == 2


def test_without_waiting_files_are_left_to_the_workers(office, tmp_path, capsys):
    (tmp_path / "a.pdf").write_bytes(bare_pdf())
    [line] = told(capsys, str(tmp_path), "--level", "mat", "--as", "clerk")
    assert (line["outcome"], line["record"], line["declared_level"]) == ("waiting", None, "mat")
    assert Scan.objects.get().batch.channel == Channel.COMMAND


def test_a_name_that_is_no_text_is_told_all_the_same(office, tmp_path, capsys):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.pdf")).write_bytes(bare_pdf())
    [line] = told(capsys, str(tmp_path), "--level", "thuong", "--as", "clerk")
    assert line["source"].endswith(".pdf")
    assert Scan.objects.get().name == "__.pdf"


def test_texts_of_two_files_of_one_name_do_not_overwrite_each_other(office, tmp_path, monkeypatch):
    from ingest.management.commands.ingest import Command

    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)
    scan = read(drop(office, text_pdf()))
    command = Command()
    command.written = set()
    for _ in range(2):
        command._tell(Path("x/a.pdf"), Path("a.pdf"), scan, {"text": tmp_path, "json": False})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-2.pdf.txt", "a.pdf.txt"]


def test_an_empty_folder_is_no_mistake(office, tmp_path, capsys):
    assert told(capsys, str(tmp_path), "--level", "thuong", "--as", "clerk") == []
