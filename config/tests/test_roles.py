"""Two roles on a real server: the owner prepares, the other one runs the whole office and cannot change the log."""

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from config import checks, roles
from config.bench import stack
from config.tests.office import RUN, server
from config.tests.test_documentation import ROOT

pytestmark = pytest.mark.engine
ROLE = f"app_{RUN}"


def with_role(address, role):
    parts = urlsplit(address)
    place = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit((parts.scheme, f"{role}:Zk3-9vTq-77fL-mmR2@{place}", parts.path, parts.query, ""))


def manage(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def unprepared(tmp_path_factory):
    """The environment of an installation of two roles on an empty database."""
    address = server("VANKHO_TEST_DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANKHO_")}
    with stack.own_database(address) as settings:
        owner = settings["VANKHO_DATABASE_URL"]
        yield kept | {
            "VANKHO_HOME": str(tmp_path_factory.mktemp("home")),
            "VANKHO_LOG_LEVEL": "ERROR",
            "VANKHO_DATABASE_URL": with_role(owner, ROLE),
            "VANKHO_DATABASE_OWNER_URL": owner,
        }
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(ROLE)))


@pytest.fixture(scope="module")
def office(unprepared):
    """The environment of a prepared installation, with an office that has worked as the running role."""
    done = manage(unprepared, "prepare_database")
    assert done.returncode == 0, done.stderr
    assert ROLE in done.stdout
    running = {name: value for name, value in unprepared.items() if name != "VANKHO_DATABASE_OWNER_URL"}
    done = manage(running, "demo", "--dispatches", "6")  # hands in, reads, registers, routes, files, follows
    assert done.returncode == 0, done.stderr
    return running


@pytest.fixture
def as_app(office):
    with psycopg.connect(office["VANKHO_DATABASE_URL"]) as connection:
        yield connection
        connection.rollback()


def test_nothing_starts_on_an_unprepared_database_and_the_cure_is_named(unprepared):
    with psycopg.connect(unprepared["VANKHO_DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
    running = {name: value for name, value in unprepared.items() if name != "VANKHO_DATABASE_OWNER_URL"}
    for command in (("serve", "--port", "0"), ("demo", "--dispatches", "0")):
        done = manage(running, *command)
        assert done.returncode == 1
        assert "DB-001" in done.stderr
        assert "manage.py prepare_database" in done.stderr
        assert "VANKHO_DATABASE_OWNER_URL" in done.stderr


def test_the_whole_office_has_worked_as_the_running_role(as_app):
    for table in ("registernumber", "step", "dossieritem", "auditleaf"):
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(f"archive_{table}"))
        assert as_app.execute(count).fetchone()[0] > 0
    assert as_app.execute("SELECT count(*) FROM archive_auditpending").fetchone() == (0,)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE archive_auditentry SET action = 'x'",
        "DELETE FROM archive_auditentry",
        "TRUNCATE archive_auditentry CASCADE",
        "UPDATE archive_auditleaf SET idx = idx + 1",
        "DELETE FROM archive_auditdetail",
        "ALTER TABLE archive_auditentry DISABLE TRIGGER ALL",
        "DROP TABLE archive_auditleaf",
        "SET session_replication_role = replica",
        "UPDATE archive_registernumber SET number = number + 1",
        "UPDATE archive_registernumber SET record_id = record_id",
        "DELETE FROM archive_registernumber",
        "TRUNCATE archive_registernumber",
        "DELETE FROM archive_registercounter",
        "UPDATE archive_digitalobject SET sha256 = 'x'",
        "UPDATE archive_digitalobject SET sealed_sha256 = 'x'",
        "UPDATE archive_attachment SET reason = 'x'",
        "DELETE FROM archive_step",
        "UPDATE archive_clearance SET level = 3",
        "DELETE FROM archive_hold",
        "UPDATE archive_retentionrule SET years = 1",
        "UPDATE archive_recordclass SET rule_id = NULL",
        "UPDATE archive_holiday SET day = day - 1",
        "UPDATE archive_register SET kind = 'incoming'",
        "UPDATE archive_protectionperiod SET years = 1",
        "UPDATE archive_protectionperiod SET valid_from = valid_from - 1",
        "TRUNCATE archive_protectionperiod",
        "UPDATE archive_retentionrule SET valid_from = valid_from - 1",
        "DELETE FROM archive_retentionrule",
        "UPDATE archive_personrole SET role = 6",
        "DELETE FROM archive_personrole",
        "DELETE FROM archive_auditrow",
        "DELETE FROM archive_protectionperiod",
        "TRUNCATE archive_record CASCADE",
        "CREATE TABLE own (id integer)",
        "CREATE TEMPORARY TABLE own (id integer)",
        "CREATE SCHEMA own",
        "CREATE ROLE other SUPERUSER",
        "DELETE FROM django_migrations",
    ],
)
def test_the_server_refuses_the_running_role(as_app, attack):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute(attack)


def test_a_void_number_and_an_ended_right_can_be_written(as_app):
    as_app.execute("UPDATE archive_registernumber SET void_reason = void_reason")
    as_app.execute("UPDATE archive_grant SET ended_at = ended_at")
    as_app.execute("SELECT 1 FROM archive_registercounter FOR UPDATE")


def done_in(environment, code):
    """Run acts in a process of the office and return its last word; each line of code is one of that process."""
    program = f"import django; django.setup()\n{code}"
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=environment | settings, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


WITHDRAWN = """
from datetime import date, timedelta
from django.utils import timezone
from archive import digests, fileplan, publishing, withdrawing
from archive.fileplan import Period
from archive.leveling import periods
from archive.leveling.periods import Term
from archive.models import AuditEntry, Person, RuleKind
from archive.rules.levels import Level
known = {name: Person.objects.get(username=name) for name in ("archivist", "security")}
later = timezone.localdate() + timedelta(days=20)
first = fileplan.add_period("RUT", Period("Rút", RuleKind.YEARS, 10, "TT 10", date(2023, 2, 15)), actor=known["archivist"])
wrong = fileplan.change_period(first, Period("Rút", RuleKind.YEARS, 2, "TT 10", later), actor=known["archivist"])
withdrawing.of_retention(wrong, reason="ghi nhầm", actor=known["archivist"])
term = periods.add(Term(Level.MAT, 1, 60, 15, "Luật mới", later), actor=known["security"])
withdrawing.of_protection(term, reason="ghi nhầm", actor=known["security"])
for act, error in (
    (lambda: withdrawing.of_retention(first, reason="x", actor=known["archivist"]), "PER-001"),
    (lambda: withdrawing.of_retention(wrong, reason="", actor=known["archivist"]), "PER-002"),
):
    try:
        act()
    except Exception as refusal:
        assert refusal.code == error, refusal
    else:
        raise AssertionError(error)
first.refresh_from_db()
assert first.valid_to is None
assert not [*digests.of_kind("retentionrule"), *digests.of_kind("protectionperiod")]
assert publishing.signed() == publishing.newest().size  # the withdrawal of a protection period is signed at once
print(AuditEntry.objects.filter(action__endswith=".withdraw", outcome="ok").count())
"""
READMITTED = """
from archive import digests, publishing, readmission
from archive.models import AuditEntry, Person
publishing.publish()
officer = Person.objects.get(username="security")
readmission._halves_here = lambda: ["a", "b"]
password = readmission.readmit(officer, readmission.Order("QĐ 12", "Bình, Lan"))
officer.refresh_from_db()
assert officer.check_password(password) and officer.has_first_password
assert not [*digests.of_kind("person"), *digests.of_kind("secondfactor")]
print(AuditEntry.objects.filter(action="person.readmit", object_id=str(officer.pk)).count())
"""


def test_periods_are_withdrawn_by_the_running_role_and_by_acts_alone(office, as_app):
    assert done_in(office, WITHDRAWN) == "2"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute("UPDATE archive_retentionrule SET years = 70, valid_to = NULL WHERE code = 'RUT'")


def test_an_officer_is_let_back_in_by_the_running_role(office):
    assert done_in(office, READMITTED) == "1"


def test_files_are_sealed_anew_by_the_running_role(office, as_app):
    as_app.execute("UPDATE archive_attachment SET original_id = original_id, pack_id = pack_id")
    files = as_app.execute("SELECT address FROM archive_digitalobject WHERE record_id IS NOT NULL").fetchall()
    as_app.rollback()
    words = [*(address for (address,) in files), "--as", "security", "--reason", "QĐ 1"]
    done = manage(office, "reseal_files", *words)
    assert done.returncode == 0, done.stderr
    left = as_app.execute("SELECT address FROM archive_digitalobject WHERE record_id IS NOT NULL").fetchall()
    assert not set(left) & set(files)
    assert len(left) == len(files) > 0
    for command in (("scrub", "--all", "--mib", "0"), ("verify_log",)):
        assert manage(office, *command).returncode == 0


def test_what_the_running_role_may_write_into_a_period_is_found(office, as_app):
    """The end of a period is its to write: an edit past the acts is named."""
    with psycopg.connect(office["VANKHO_DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute("SELECT max(id) FROM archive_retentionrule WHERE valid_to IS NULL").fetchone()
        connection.execute("UPDATE archive_retentionrule SET valid_to = CURRENT_DATE WHERE id = %s", row)
        found = manage(office, "verify_log")
        connection.execute("UPDATE archive_retentionrule SET valid_to = NULL WHERE id = %s", row)
    assert found.returncode == 1
    assert "valid_to" in found.stdout


def test_an_office_of_two_homes_takes_no_act_from_the_wrong_one(office, tmp_path):
    wrong = office | {"VANKHO_HOME": str(tmp_path / "empty")}
    (tmp_path / "empty").mkdir()
    found = manage(wrong, "verify_log")
    assert (found.returncode, "LOG-008" in found.stderr) == (1, True)
    started = manage(wrong, "work")
    assert started.returncode == 1
    assert "LOG-008" in started.stderr
    assert not (tmp_path / "empty" / "keys" / "log.key").exists()
    assert done_in(office, PLACED) == "1"


PLACED = """
from django.conf import settings
from django.db import transaction
from archive import audit, logkey, sequencing
from archive.models import AuditPending
sequencing.place_all()
with transaction.atomic():
    audit.write("system.read", actor=None)
home, settings.VANKHO_HOME = settings.VANKHO_HOME, "/nonexistent"
try:
    sequencing.sweep()
except logkey.OtherLogKey:
    print(AuditPending.objects.count())
settings.VANKHO_HOME = home
sequencing.sweep()
"""


def test_every_table_whose_rights_are_named_exists(as_app):
    known = {row[0] for row in as_app.execute("SELECT relname::text FROM pg_class WHERE relkind = 'r'")}
    assert set(roles.RIGHTS) <= known


def test_preparing_again_takes_back_what_was_given_besides(office, unprepared):
    with psycopg.connect(unprepared["VANKHO_DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("GRANT UPDATE (action), DELETE ON archive_auditentry TO PUBLIC")
    warned = manage(office, "check")
    assert "vankho.W060" in warned.stderr
    assert manage(unprepared, "prepare_database").returncode == 0
    assert "vankho.W060" not in manage(office, "check").stderr


def test_the_owner_may_not_run_an_office(unprepared):
    as_owner = unprepared | {"VANKHO_DATABASE_URL": unprepared["VANKHO_DATABASE_OWNER_URL"]}
    assert "vankho.W060" in manage(as_owner, "check").stderr
    strict = as_owner | {"VANKHO_PROFILE": "production", "VANKHO_SECRET_KEY": "x" * 60}
    assert "vankho.E060" in manage(strict, "check").stderr
    assert "DB-002" in manage(as_owner, "prepare_database").stderr


def test_two_addresses_of_two_databases_are_refused(office, unprepared):
    other = unprepared | {"VANKHO_DATABASE_URL": unprepared["VANKHO_DATABASE_URL"].rsplit("/", 1)[0] + "/postgres"}
    assert "DB-003" in manage(other, "prepare_database").stderr


def test_migrations_have_no_time_limit_of_a_page(unprepared):
    code = (
        "import django; django.setup(); from django.db import connection; from config import roles\n"
        "def limit():\n"
        "    with connection.cursor() as c: c.execute('SHOW statement_timeout'); return c.fetchone()[0]\n"
        "with roles.acting_as_owner(): print(limit(), connection.settings_dict['USER'])\n"
        "print(limit(), connection.settings_dict['USER'])"
    )
    environment = unprepared | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    owner = urlsplit(unprepared["VANKHO_DATABASE_OWNER_URL"]).username
    assert done.stdout.split() == ["0", owner, "30s", ROLE]


def test_an_office_on_sqlite_has_no_roles(settings, monkeypatch):
    monkeypatch.setattr(roles, "is_postgresql", lambda: False)
    assert checks.running_role() == []
