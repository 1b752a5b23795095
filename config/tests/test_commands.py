"""Commands in somebody's name: what the office refuses to one stands in the log, as a refusal of a page does."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from archive.models import AuditEntry
from config import roles
from config.tests.test_documentation import ROOT

DAY = timezone.localdate().isoformat()
LATER = (timezone.localdate() + timedelta(days=9)).isoformat()
ASKED = {
    "rotate_keys": ["--as", "admin", "--reason", "x"],
    "token": ["clerk", "--name", "x", "--as", "auditor"],
    "log_place": ["--take", "--as", "admin", "--reason", "x"],
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
