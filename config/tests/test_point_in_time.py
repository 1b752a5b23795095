"""The way back to a moment on PostgreSQL, as backup.md tells it: its own server, its own mistake, the office goes on.

The server is set by the flags of docker-compose.yml and its copies and log are kept by
`config/docker/point-in-time`, so what an office runs is what is tried here.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from django.db import connection

from config.bench import stack
from config.tests import clusters
from config.tests.installation import Installation
from config.tests.office import server
from config.tests.test_roles import with_role

# Among the tests that commit nothing: the run's own database holds then what the migrations made, and nothing else.
pytestmark = [pytest.mark.engine, pytest.mark.django_db]
ROWS = """
SELECT string_agg(format('%s %s', relname, md5(query_to_xml(format('SELECT * FROM %I r ORDER BY r::text', relname),
    true, true, '')::text)), E'\\n' ORDER BY relname)
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def cluster():
    if clusters.programs() is None:
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)(
            "no PostgreSQL is installed here"
        )
    place = Path(tempfile.mkdtemp(prefix="vankho-moment-", dir="/tmp"))  # a socket's path must be short
    place.chmod(0o711)
    made = clusters.Cluster(place)
    yield made
    for data in place.glob("*/"):
        if (data / "postmaster.pid").exists():
            made.stop(data, mode="immediate")
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def office(cluster, django_db_setup, tmp_path_factory):
    """Found an office there, which runs as a plain role; its tables are those that this test run has made already."""
    data = cluster.place / "data"
    cluster.found(data)
    cluster.start(data)
    cluster.sql("CREATE DATABASE vankho", database="postgres")
    migrated = stack.with_database(server("VANKHO_TEST_DATABASE_URL"), connection.settings_dict["NAME"])
    dump = subprocess.run(
        ["pg_dump", "--no-owner", "--no-privileges", migrated], check=True, capture_output=True
    ).stdout
    load = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", cluster.address()]
    subprocess.run(load, input=dump, check=True, capture_output=True)
    home = tmp_path_factory.mktemp("moment")
    running = with_role(cluster.address(), "app")
    made = Installation(home / "home", {"VANKHO_DATABASE_URL": running, "VANKHO_LOG_SECOND_PLACE": str(home / "heads")})
    owning = Installation(made.home, {**made.settings, "VANKHO_DATABASE_OWNER_URL": cluster.address()})
    owning.manage("prepare_database")
    made.manage("demo", "--dispatches", "0")
    made.ask("register", "4")
    return made


def test_after_a_mistake_the_office_goes_on_from_the_moment_before_it(cluster, office):
    assert "is whole" in cluster.point_in_time("base")
    before = office.ask("spare", "+", "register", "2", "+", "look")
    rows, moment, size = cluster.sql(ROWS), cluster.sql("SELECT clock_timestamp()"), before["entries"]

    cluster.sql("TRUNCATE archive_registernumber, archive_step CASCADE")  # somebody thought this was the copy
    lost = office.ask("destroy", before["address"], "+", "register", "1", "+", "look")
    cluster.stop(cluster.place / "data")
    cluster.point_in_time("recover", moment, str(cluster.place / "recovered"))
    cluster.start(cluster.place / "recovered")
    while cluster.sql("SELECT pg_is_in_recovery()") == "t":  # it answers before it has come to the moment
        time.sleep(0.1)

    assert cluster.sql(ROWS) == rows
    assert "LOG-001" in office.manage("verify_log", code=1)
    office.manage("declare_recovery", moment)
    seen = office.ask("look")

    assert lost["leaves"][:size] == seen["leaves"][:size] == before["leaves"]
    assert seen["lost"] == seen["details"]["lost"] == lost["entries"] - size > 0
    assert seen["numbers"] == before["numbers"]
    assert seen["digests"] == {
        address: one for address, one in before["digests"].items() if address != before["address"]
    }
    assert seen["unreadable"] == {before["address"]: "STO-006"}
    assert (seen["last_act"], seen["details"]["addresses"]) == ("system.restore", [before["address"]])
    assert seen["closed"] == seen["details"]["closed"] > 0
    assert "OK" in office.manage("verify_log")
    assert "RegisterClosed" in office.run("-m", "config.tests.installation", "register", "1", code=1)


def test_old_copies_go_with_the_log_before_them_and_a_damaged_one_serves_nobody(cluster, office):
    for _ in range(2):
        cluster.point_in_time("base")
    copies = sorted((cluster.archive / "base").iterdir())
    needed = re.search(r"\(file (\w+)\)", (copies[0] / "backup_label").read_text())[1]
    pieces = {path.name.removesuffix(".gz") for path in (cluster.archive / "wal").glob("*.gz")}

    assert len(copies) == 2
    assert needed in pieces
    assert [name for name in pieces if len(name) == len(needed) and name[8:] < needed[8:]] == []
    assert cluster.sql("SELECT failed_count FROM pg_stat_archiver") == "0"

    table = next(path for path in (copies[1] / "base").rglob("*") if path.is_file() and path.stat().st_size > 8192)
    data = bytearray(table.read_bytes())
    data[5000] ^= 1
    table.write_bytes(data)
    assert table.name in cluster.point_in_time("recover", "latest", str(cluster.place / "other"), code=1)
    assert not (cluster.place / "other").exists()
