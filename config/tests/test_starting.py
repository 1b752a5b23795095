"""A log that was put back to an older state: neither web nor worker begins on it."""

from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction

from archive import audit, publishing, sequencing
from archive.models import AuditLeaf
from archive.rules.roles import Action
from config import roles, starting
from config.management.commands import serve
from config.tests.office import fence_lifted

STARTS = {
    "work": lambda _gunicorn: call_command("work"),
    "serve": lambda _gunicorn: call_command("serve"),
    "gunicorn": lambda gunicorn: gunicorn.on_starting(SimpleNamespace(cfg=SimpleNamespace(address=[]))),
}


@pytest.fixture
def rolled_back(office, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path / "home"
    with transaction.atomic():
        audit.write(Action.SYSTEM_READ, actor=None)
    sequencing.place_all()
    publishing.publish()
    starting.require_log()
    with fence_lifted():
        AuditLeaf.objects.latest("idx").delete()


@pytest.mark.parametrize("way", STARTS)
def test_nothing_starts_on_a_log_that_was_rolled_back(rolled_back, monkeypatch, gunicorn, way):
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    monkeypatch.setattr(serve, "fork", lambda _run: pytest.fail("it began"))
    monkeypatch.setattr("config.worker.Machine.start", lambda _self: pytest.fail("it began"))
    with pytest.raises((CommandError, SystemExit), match="LOG-001"):
        STARTS[way](gunicorn)


def test_a_database_that_is_away_is_no_older_log(rolled_back, monkeypatch):
    def away(*_places):
        raise OperationalError("away")

    monkeypatch.setattr(publishing, "leaf_hashes", away)
    starting.require_log()
