"""Start, clean end and changed settings of a process stand in the log, and no secret ever does."""

import json
import threading
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from gunicorn.errors import HaltServer

from archive import publishing
from archive.models import AuditDetail, AuditEntry
from archive.rules.roles import Action
from config import env, lifetime, roles
from config.management.commands import serve
from config.worker import Machine

PASSWORD = "Zk3-9vTq-77fL"


@pytest.fixture
def given(monkeypatch, settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    kept = {
        "VANKHO_OFFICE_NAME": "Phòng một",
        "VANKHO_SECRET_KEY": "khóa phiên",
        "VANKHO_DATABASE_URL": f"postgresql://app:{PASSWORD}@db.lan:5433/vankho?sslmode=verify-full&sslpassword=ban-bi",
        "VANKHO_ELASTICSEARCH_URL": f"https://[sai:{PASSWORD}@10.0.0.1",
    }
    monkeypatch.setattr(env, "READ", kept)
    return kept


def told(action, process="work"):
    return [
        one.payload
        for one in AuditDetail.objects.filter(entry__action=action, entry__outcome="ok").order_by("entry__ts")
        if one.payload["process"] == process
    ]


def changed(process="work"):
    return [one["changed"] for one in told(Action.SETTINGS, process)]


def test_the_first_start_notes_every_setting_and_the_next_only_what_changed(office, given):
    lifetime.began("work")
    lifetime.began("work")
    assert changed() == [{}]
    given["VANKHO_OFFICE_NAME"] = "Phòng hai"
    lifetime.began("work")
    lifetime.began("work")
    assert changed() == [{}, {"VANKHO_OFFICE_NAME": "Phòng một → Phòng hai"}]
    assert told(Action.SETTINGS)[1]["settings"]["VANKHO_OFFICE_NAME"] == "Phòng hai"
    assert len(told(Action.START)) == 4


def test_each_kind_of_process_is_compared_with_its_own_last_start(office, given):
    lifetime.began("work")
    given["VANKHO_OFFICE_NAME"] = "Phòng hai"
    lifetime.began("serve")
    assert changed("serve") == [{}]
    lifetime.began("work")
    assert list(changed()[1]) == ["VANKHO_OFFICE_NAME"]


def test_a_secret_is_told_as_another_one_and_never_stands_in_the_log(office, given):
    lifetime.began("work")
    given["VANKHO_SECRET_KEY"] = "khóa khác"
    given["VANKHO_DATABASE_URL"] = given["VANKHO_DATABASE_URL"].replace(PASSWORD, "mat-khau-moi")
    lifetime.began("work")
    given["VANKHO_SECRET_KEY"] = ""
    lifetime.began("work")
    assert changed()[1:] == [
        {"VANKHO_DATABASE_URL (secret)": "*** → ***", "VANKHO_SECRET_KEY (secret)": "*** → ***"},
        {"VANKHO_SECRET_KEY (secret)": "*** → -"},
    ]
    kept = json.dumps([one.payload for one in AuditDetail.objects.all()], ensure_ascii=False)
    assert "postgresql://app@db.lan:5433/vankho?sslmode=verify-full" in kept
    for secret in (PASSWORD, "khóa", "mat-khau-moi", "ban-bi"):
        assert secret not in kept


def test_a_password_within_an_address_that_is_exchanged_for_its_query_is_seen(given):
    salt = "00" * 16
    before = lifetime.present(salt)
    given["VANKHO_DATABASE_URL"] = given["VANKHO_DATABASE_URL"].replace("ban-bi", "khac")
    assert lifetime.present(salt) != before


def test_every_secret_that_the_settings_read_is_known_as_one():
    assert {name for name in env.NAMES if "SECRET" in name or "ACCESS" in name or "PASSW" in name} == {
        name for name in env.NAMES if name.endswith(lifetime.SECRETS)
    }
    assert all(name.endswith(lifetime.ADDRESS) for name in env.NAMES if "URL" in name)


@pytest.mark.django_db(transaction=True)
def test_of_several_that_start_together_one_writes_the_change(given):
    lifetime.began("work")
    given["VANKHO_OFFICE_NAME"] = "Phòng hai"
    ready = threading.Barrier(4)

    def start():
        ready.wait(10)
        try:
            lifetime.began("work")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert len(told(Action.START)) == 5
    assert changed() == [{}, {"VANKHO_OFFICE_NAME": "Phòng một → Phòng hai"}]


def test_the_worker_tells_its_clean_end_and_not_a_fall(office, given, monkeypatch):
    monkeypatch.setattr(Machine, "start", lambda _self: None)
    monkeypatch.setattr(Machine, "stop", lambda _self: None)
    with pytest.raises(ZeroDivisionError):
        Machine().run_until(lambda: 1 / 0)
    assert told(Action.STOP) == []
    Machine().run_until(lambda: True)
    assert told(Action.STOP) == [{"process": "work"}]


def test_a_worker_whose_cell_cannot_be_proven_still_tells_that_it_started(office, given, monkeypatch):
    machine = Machine()
    machine.loops = []
    monkeypatch.setattr(machine.scans, "start", lambda: None)
    monkeypatch.setattr("config.worker.prove_cell", lambda: 1 / 0)
    machine.start()
    assert told(Action.START) == [{"process": "work"}]


@pytest.mark.parametrize(("status", "ends"), [(0, 1), (1, 0)])
def test_serve_tells_its_start_and_its_clean_end(office, given, monkeypatch, status, ends):
    monkeypatch.setattr(roles, "bring_up_to_date", lambda: None)
    monkeypatch.setattr(serve, "taken", lambda *_at: "")
    monkeypatch.setattr(serve, "share_memory", lambda: None)
    monkeypatch.setattr(serve, "connections", SimpleNamespace(close_all=lambda: None))
    monkeypatch.setattr(serve, "fork", id)
    monkeypatch.setattr(serve, "wait_for", lambda _children: status)
    with pytest.raises(SystemExit) as ended:
        call_command("serve")
    assert ended.value.code == status
    assert told(Action.START, "serve") == [{"process": "serve"}]
    assert len(told(Action.STOP, "serve")) == ends


def test_gunicorn_tells_its_start_and_its_clean_end_and_not_a_fall(office, given, gunicorn, monkeypatch):
    monkeypatch.setattr("django.core.management.call_command", lambda *_given: None)
    monkeypatch.setattr("django.db.connections", SimpleNamespace(close_all=lambda: None))
    gunicorn.on_starting(SimpleNamespace(cfg=SimpleNamespace(address=[])))
    assert told(Action.START, "gunicorn") == [{"process": "gunicorn"}]
    try:
        raise HaltServer("its processes could not live", 3)  # noqa: TRY301 - as gunicorn itself comes to its hook
    except HaltServer:
        gunicorn.on_exit(None)
    assert told(Action.STOP, "gunicorn") == []
    gunicorn.on_exit(None)
    assert told(Action.STOP, "gunicorn") == [{"process": "gunicorn"}]


def test_a_signed_head_stands_for_the_end(office, given):
    lifetime.ended("work")
    assert publishing.newest().size == AuditEntry.objects.count()


def test_a_database_that_is_away_stops_neither_start_nor_end(office, given, monkeypatch, caplog):
    def away(*_given, **_more):
        raise OperationalError("away")

    monkeypatch.setattr(lifetime.audit, "write", away)
    lifetime.began("work")
    lifetime.ended("work")
    assert [one.message.split(" of work")[0] for one in caplog.records] == ["the start", "the stop"]
