"""Commands in somebody's name: what the office refuses to one stands in the log, as a refusal of a page does."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from archive import second_factor
from archive.models import AuditEntry, Person
from config import roles
from config.backup import making, marker, scrubbing
from config.tests.test_documentation import ROOT
from search import follow
from search.engine import EngineAway

DAY = timezone.localdate().isoformat()
LATER = (timezone.localdate() + timedelta(days=9)).isoformat()
ASKED = {
    "rotate_keys": ["--as", "admin", "--reason", "x"],
    "token": ["clerk", "--name", "x", "--as", "auditor"],
    "log_place": ["--take", "--as", "admin", "--reason", "x"],
    "log_key": ["--take", "--as", "admin", "--reason", "x"],
    "reseal_files": ["0" * 32, "--as", "admin", "--reason", "x"],
    "forget_details": ["0", "--as", "admin", "--second", "auditor", "--reason", "x"],
    "adopt_rows": ["--adopt", "--as", "admin", "--reason", "x"],
    "declare_independent_lan": [
        "{folder}/declaration.json", "--as", "admin", "--head", "A", "--decision", "1", "--decided-on", DAY,
        "--until", LATER, "--statement", "x",
    ],
    "ingest": ["{folder}", "--level", "thuong", "--as", "auditor"],
}  # fmt: skip


def in_a_name():
    """Return the commands that are given in somebody's name."""
    found = ROOT.glob("*/management/commands/*.py")
    return {path.stem: path.read_text() for path in found if '"--as"' in path.read_text()}


def test_every_command_in_a_name_is_asked_here_and_answers_as_all_do():
    assert set(in_a_name()) == set(ASKED)
    assert [name for name, text in in_a_name().items() if f'answering("{name}", actor=' not in text] == []


@pytest.mark.parametrize("command", ASKED)
def test_a_refused_command_has_its_entry(office, command, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = str(tmp_path)
    words = [word.format(folder=tmp_path) for word in ASKED[command]]
    with pytest.raises(CommandError, match="ACC-002"):
        call_command(command, *words)
    entry = AuditEntry.objects.get(outcome="denied")
    assert (entry.action, entry.actor.username) == (f"command:{command}", words[words.index("--as") + 1])
    assert entry.detail.payload["code"] == "ACC-002"


@pytest.mark.parametrize("command", ASKED)
def test_a_command_in_the_name_of_nobody_has_its_entry(office, command, tmp_path, settings):
    settings.VANKHO_HOME = tmp_path / "home"
    words = [word.format(folder=tmp_path) for word in ASKED[command]]
    words[words.index("--as") + 1] = "nobody"
    with pytest.raises(CommandError, match="nobody"):
        call_command(command, *words)
    entry = AuditEntry.objects.get(action=f"command:{command}")
    assert (entry.outcome, entry.actor) == ("error", None)


HALF = "gh\udcff\ud83d"


@pytest.mark.parametrize("command", ASKED)
def test_half_a_character_in_any_word_is_refused_in_words_and_has_its_entry(office, command, tmp_path, settings):
    settings.VANKHO_HOME = tmp_path / "home"
    words = [word.format(folder=tmp_path) for word in ASKED[command]]
    for at, word in enumerate(words):
        if word.startswith("--") or word in {"0", "thuong"}:  # a number and a choice are asked by Django
            continue
        before = AuditEntry.objects.count()
        with pytest.raises(CommandError, match="TXT-001"):
            call_command(command, *words[:at], HALF, *words[at + 1 :])
        (entry,) = list(AuditEntry.objects.order_by("ts", "id"))[before:]
        assert (entry.action, entry.outcome) == (f"command:{command}", "denied")
        assert entry.detail.payload["code"] == "TXT-001"
        name = words[words.index("--as") + 1]
        assert (entry.actor and entry.actor.username) == (None if words[at - 1] == "--as" else name)


# What a command without a name is asked here so that it is refused (a code) or fails; "" is no code.
ENDS = {
    "backup": (["{folder}/file", "--vault", "{folder}/vault"], ""),
    "check_index": ([], ""),
    "drill": (["{folder}", "--vault", "{folder}"], "BKP-001"),
    "export_log": (["{folder}"], ""),
    "found": (["--office", "x", "--admin", "a", "--security", "b"], "FND-001"),
    "move_database": ([], "MOV-00"),
    "move_store": (["--to", "local", "--from", "local"], ""),
    "prepare_store": ([], "STO-"),
    "rebuild_index": ([], ""),
    "reseal": ([], ""),
    "restore": (["{folder}", "--vault", "{folder}"], "BKP-001"),
    "scrub": (["--from", "{folder}"], "BKP-001"),
}
# Commands that do nothing to an office, or whose end stands in the log otherwise; each with its reason.
NO_ACT = {
    "cell": "attacks its own cell and reads nothing of the office",
    "check_backup": "reads a backup and needs no office",
    "declare_recovery": "the database must know nothing younger than its moment: an entry would refuse the next run (BKP-018)",
    "demo": "the sample office of an evaluation",
    "prepare_database": "the owner's, before a log can be written; the rights it gives are looked at by every `check`",
    "serve": "its life stands in the log (`config.lifetime`); a start that is refused has a log that people must look at",
    "verify_log": "reads the log",
    "work": "as `serve`",
}


def commands():
    return {path.stem: path.read_text() for path in ROOT.glob("*/management/commands/*.py") if path.stem != "__init__"}


def test_every_command_has_a_rule_about_its_end():
    acting = {name for name, text in commands().items() if f'@acting("{name}"' in text}
    assert acting == set(ENDS) | set(ASKED) | {"readmit_officer"}
    ruled = set(ASKED) | set(ENDS) | set(NO_ACT) | {"readmit_officer"}  # asked in `archive.tests.test_readmission`
    assert set(commands()) == ruled
    assert not set(NO_ACT) & (set(ASKED) | set(ENDS))


@pytest.fixture
def ending(tmp_path, settings, monkeypatch):
    """Ask a command of `ENDS` so that it does not come to its end."""

    def away(*_args):
        raise EngineAway

    def not_opened():
        yield Person(username="nobody"), False

    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = ""
    settings.S3_URL, settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = "http://127.0.0.1:1", "a", "b"  # nobody is there
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(follow, "open_engine", away)
    monkeypatch.setattr(second_factor, "reseal", not_opened)
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)

    def end(command):
        with pytest.raises(CommandError):
            call_command(command, *(word.format(folder=tmp_path) for word in ENDS[command][0]))

    return end


@pytest.mark.parametrize("command", ENDS)
def test_a_command_that_does_not_end_has_its_entry(office, ending, command):
    ending(command)
    code = ENDS[command][1]
    entry = AuditEntry.objects.get(action=f"command:{command}")
    assert (entry.outcome, entry.actor) == ("denied" if code else "error", None)
    told = entry.detail.payload.get("code", "")
    assert told.startswith(code) if code else not told
    assert entry.detail.payload["answer"]


@pytest.mark.parametrize(
    "command", [command for command, (words, _code) in ENDS.items() if "{folder}" in "".join(words)]
)
def test_half_a_character_in_a_word_of_a_command_without_a_name_is_refused(office, command, tmp_path):
    words = [HALF if word.startswith("{") else word for word in ENDS[command][0]]
    with pytest.raises(CommandError, match="TXT-001"):
        call_command(command, *words)
    assert AuditEntry.objects.get(action=f"command:{command}").detail.payload["code"] == "TXT-001"


@pytest.mark.parametrize("command", ENDS)
def test_an_empty_database_takes_no_entry(db, ending, command):
    """A restore goes into it later: what was written before would be another office's log."""
    if command not in {"found", "export_log"}:  # the one founds it; the other writes its act first
        ending(command)
        assert not AuditEntry.objects.exists()


def test_a_command_that_falls_over_or_is_broken_off_tells_its_kind_alone(office, monkeypatch, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    for fault in (KeyError("of a secret"), KeyboardInterrupt()):
        monkeypatch.setattr(making, "make", lambda *_args, fault=fault: (_ for _ in ()).throw(fault))
        with pytest.raises(type(fault)):
            call_command("backup", str(tmp_path), "--vault", str(tmp_path))
        entry = AuditEntry.objects.filter(action="command:backup").latest("ts")
        assert (entry.outcome, entry.detail.payload) == ("error", {"answer": type(fault).__name__})


def test_nothing_is_written_into_a_restore_that_goes_on(office, ending, monkeypatch):
    marker.write({"name": "x", "manifest": "x"})
    ending("restore")
    assert not AuditEntry.objects.filter(action="command:restore").exists()


def test_what_stands_in_the_log_already_is_not_told_twice(office, monkeypatch, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    seen = scrubbing.Seen()
    seen.missing.append("aa")
    monkeypatch.setattr(scrubbing, "scrub", lambda *_args, **_more: seen)
    with pytest.raises(CommandError):
        call_command("scrub")
    assert not AuditEntry.objects.filter(action="command:scrub").exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_office_cannot_do_in_a_name_has_its_entry_too(office, monkeypatch, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path / "home"
    settings.LOG_SECOND_PLACE = str(tmp_path / "file")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CommandError):
        call_command("log_place", "--take", "--as", "security", "--reason", "QĐ 1")
    entry = AuditEntry.objects.get(action="command:log_place")
    assert (entry.outcome, entry.actor) == ("error", office.security)
