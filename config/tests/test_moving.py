"""An office that was filled on SQLite goes over to PostgreSQL with everything, or stays where it is."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from archive import merkle
from config import moving
from config.bench import scratch, stack
from config.tests.office import RUN, server
from config.tests.test_documentation import ROOT
from config.tests.test_roles import manage, with_role

pytestmark = pytest.mark.engine
ROLE = f"moved_{RUN}"


@pytest.fixture(scope="module")
def small():
    """The environment of an office on SQLite that has worked."""
    server("VANKHO_TEST_DATABASE_URL")
    with scratch.installation(dispatches=8) as environment:
        yield environment


@pytest.fixture
def target(small):
    """The environment of the same office with a new, empty place on a server."""
    address = server("VANKHO_TEST_DATABASE_URL")
    with stack.own_database(address) as settings:
        owner = settings["VANKHO_DATABASE_URL"]
        name = owner.rsplit("/", 1)[1]
        yield small | {
            "VANKHO_DATABASE_URL": with_role(owner, ROLE),
            "VANKHO_DATABASE_OWNER_URL": owner,
            "VANKHO_VAULT_URL": stack.with_database(owner, f"{name}_vault"),
        }
    for note in Path(small["VANKHO_HOME"]).rglob("*.moved"):
        note.unlink()  # for the next test
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(ROLE)))


def ask(environment, statement):
    with psycopg.connect(environment["VANKHO_DATABASE_OWNER_URL"]) as connection:
        return connection.execute(statement).fetchall()


def refused(environment):
    """The codes of the moves that were refused, by the log of the file."""
    with sqlite3.connect(Path(environment["VANKHO_HOME"]) / "db.sqlite3") as old:
        rows = old.execute(
            "SELECT d.payload FROM archive_auditentry e JOIN archive_auditdetail d ON d.entry_id = e.id "
            "WHERE e.action = 'command:move_database' AND e.outcome = 'denied' ORDER BY e.ts"
        ).fetchall()
    return [json.loads(row[0])["code"] for row in rows]


def is_empty(environment):
    tables = ("archive_person", "archive_record", "archive_auditentry", "archive_opensession")
    return not any(ask(environment, f"SELECT 1 FROM {table} LIMIT 1") for table in tables)  # noqa: S608


def running(environment):
    return {name: value for name, value in environment.items() if name != "VANKHO_DATABASE_OWNER_URL"}


def test_a_filled_office_goes_over_with_everything(small, target):
    with sqlite3.connect(Path(small["VANKHO_HOME"]) / "db.sqlite3") as old:
        log = (
            "SELECT e.leaf_hash FROM archive_auditleaf l JOIN archive_auditentry e ON e.id = l.entry_id ORDER BY l.idx"
        )
        before = [row[0] for row in old.execute(log)]
        last = old.execute("SELECT max(last) FROM archive_registercounter").fetchone()[0]
        records = old.execute("SELECT count(*) FROM archive_record").fetchone()[0]

    done = manage(target, "move_database")

    assert done.returncode == 0, done.stderr
    after = [row[0] for row in ask(target, log)]
    assert after[: len(before)] == before
    root = merkle.root(before).hex()
    assert root in done.stdout
    assert "archive_record: " in done.stdout
    assert "vault data_key: " in done.stdout
    assert "VANKHO_DATABASE_OWNER_URL" in done.stdout
    assert ask(target, "SELECT count(*) FROM archive_record") == [(records,)]
    note = json.loads((Path(small["VANKHO_HOME"]) / "db.sqlite3.moved").read_text())
    assert (note["entries"], note["root"]) == (len(before), root)
    # What moved is used: the next number follows, as the running role, with the vault on the server.
    office = running(target)
    clerk = scratch.begin(office, "-m", "config.bench.registering", "clerk", "1")
    (Path(small["VANKHO_HOME"]) / "go").touch()
    numbers = json.loads(clerk.communicate(timeout=60)[0].splitlines()[-1])
    (Path(small["VANKHO_HOME"]) / "go").unlink()
    assert numbers["faults"] == []
    assert min(numbers["numbers"]) <= last + 1
    assert ask(target, "SELECT count(*) FROM archive_auditentry WHERE action = 'system.database_move'") == [(1,)]


def test_the_files_that_were_left_are_not_used_again(small, target):
    assert manage(target, "move_database").returncode == 0
    stale = manage(small, "work")
    assert stale.returncode == 1
    assert "vankho.E062" in stale.stderr
    assert "MOV-001" in manage(target, "move_database").stderr


def test_a_move_that_was_killed_after_its_last_word_to_the_server_is_ended_by_the_next(small, target):
    assert manage(target, "move_database").returncode == 0
    notes = sorted(Path(small["VANKHO_HOME"]).rglob("*.moved"))
    for note in notes:
        note.unlink()
    assert manage(target, "move_database").returncode == 0
    assert sorted(Path(small["VANKHO_HOME"]).rglob("*.moved")) == notes


def test_a_place_in_use_is_refused_and_the_log_of_the_office_holds_it(target):
    before = refused(target)
    assert manage(target, "prepare_database").returncode == 0
    with psycopg.connect(target["VANKHO_DATABASE_OWNER_URL"]) as connection:
        connection.execute(
            "INSERT INTO archive_holiday (day, name, basis, is_worked) VALUES ('2026-01-01', 'x', '', false)"
        )
    done = manage(target, "move_database")
    assert "MOV-003" in done.stderr
    assert "archive_holiday" in done.stderr
    assert refused(target) == [*before, "MOV-003"]
    away = {"VANKHO_DATABASE_URL": "postgres://x:y@127.0.0.1:1/x", "VANKHO_DATABASE_OWNER_URL": ""}
    assert manage(target | away, "move_database").returncode != 0
    with sqlite3.connect(Path(target["VANKHO_HOME"]) / "db.sqlite3") as old:
        ended = "SELECT outcome FROM archive_auditentry WHERE action = 'command:move_database' ORDER BY ts DESC LIMIT 1"
        assert old.execute(ended).fetchone() == ("error",)
    with psycopg.connect(target["VANKHO_DATABASE_OWNER_URL"]) as connection:
        connection.execute("DELETE FROM archive_holiday")
    assert manage(target, "move_database").returncode == 0
    carried = "SELECT outcome FROM archive_auditentry WHERE action = 'command:move_database' ORDER BY ts DESC LIMIT 2"
    assert ask(target, carried) == [("error",), ("denied",)]
    assert "MOV-001" in manage(target, "move_database").stderr
    assert len(refused(target)) == len(before) + 1  # the office has left the file: its log goes on in the new place
    assert ask(target, carried)[0] == ("denied",)


def test_a_vault_in_use_is_refused_and_nothing_moves(target):
    with psycopg.connect(target["VANKHO_VAULT_URL"]) as vault:
        vault.execute("CREATE TABLE half (number integer PRIMARY KEY, fingerprint bytea)")
        vault.execute("CREATE TABLE level (rank integer PRIMARY KEY, key_id bytea)")
        vault.execute("CREATE TABLE data_key (object_id bytea PRIMARY KEY, level integer, key_id bytea, wrapped bytea, "
                      "added_at bigint)")  # fmt: skip
        vault.execute("INSERT INTO level VALUES (0, 'x')")
    before = refused(target)
    assert "MOV-003" in manage(target, "move_database").stderr
    assert is_empty(target)
    assert refused(target) == [*before, "MOV-003"]


def test_a_value_that_changes_on_the_way_is_noticed(target):
    assert manage(target, "prepare_database").returncode == 0
    with psycopg.connect(target["VANKHO_DATABASE_OWNER_URL"]) as connection:
        connection.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.name := NEW.name || ' '; RETURN NEW; END $$"
        )
        connection.execute("CREATE TRIGGER spoil BEFORE INSERT ON archive_unit FOR EACH ROW EXECUTE FUNCTION spoil()")
    done = manage(target, "move_database")
    assert "MOV-005" in done.stderr
    assert "archive_unit" in done.stderr
    assert is_empty(target)


def test_a_row_that_is_lost_on_the_way_is_noticed(target):
    assert manage(target, "prepare_database").returncode == 0
    with psycopg.connect(target["VANKHO_DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
        connection.execute("CREATE TRIGGER lose BEFORE INSERT ON archive_holiday FOR EACH ROW EXECUTE FUNCTION lose()")
    done = manage(target, "move_database")
    assert "MOV-005" in done.stderr
    assert is_empty(target)


def test_a_move_that_is_killed_leaves_nothing_and_is_run_again(target):
    assert manage(target, "prepare_database").returncode == 0
    for _ in range(3):
        command = [sys.executable, "-u", "manage.py", "move_database"]
        move = subprocess.Popen(command, cwd=ROOT, env=target, stdout=subprocess.PIPE, text=True)
        for _line in range(random.randint(1, 25)):
            move.stdout.readline()
        os.kill(move.pid, signal.SIGKILL)
        move.communicate()
        assert is_empty(target)
    assert manage(target, "move_database").returncode == 0


def test_without_a_new_place_nothing_happens(small):
    assert "MOV-002" in manage(small, "move_database").stderr


def test_a_file_of_another_version_is_refused(small, target, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with sqlite3.connect(Path(small["VANKHO_HOME"]) / "db.sqlite3") as old:
        old.execute("VACUUM INTO ?", (str(home / "db.sqlite3"),))
    with sqlite3.connect(home / "db.sqlite3") as old:
        old.execute("DELETE FROM django_migrations WHERE app = 'search'")
    done = manage(target | {"VANKHO_HOME": str(home)}, "move_database")
    assert "MOV-004" in done.stderr
    assert "search.0001_initial" in done.stderr


def test_values_have_one_form():
    moment = datetime(2026, 1, 1, 7, tzinfo=timezone(timedelta(hours=7)))
    assert moving.plain(moment) == moving.plain(datetime(2026, 1, 1, tzinfo=UTC))
    assert moving.plain(memoryview(b"\x01")) == moving.plain(b"\x01") == "01"
    assert moving.plain({"a": [1e22, 0.5, -0.0]}) == {"a": [10**22, 0.5, 0]}
    number = uuid.uuid4()
    assert moving.plain(number) == number.hex
    assert moving.plain(date(2026, 1, 2)) == "2026-01-02"
