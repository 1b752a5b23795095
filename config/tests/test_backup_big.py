"""Backup, restore and drill on PostgreSQL, S3 and Elasticsearch: the same promises as on one machine."""

from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from archive.rules.errors import Refusal
from config.backup import checking, manifest
from config.backup.checking import Outside
from config.bench import stack
from config.tests import annexes, installation
from config.tests.installation import Made
from config.tests.office import RUN, server
from config.tests.test_roles import with_role

pytestmark = pytest.mark.engine
ROLE = f"backup_{RUN}"
OWNER = "VANKHO_DATABASE_OWNER_URL"


@pytest.fixture(scope="module")
def servers():
    for name in stack.NEEDED:
        server(f"VANKHO_TEST_{name}")
    yield stack.Servers.given()
    with psycopg.connect(server("VANKHO_TEST_DATABASE_URL"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(ROLE)))


def two_roles(settings):
    """Return settings of an office that runs as a plain role."""
    owner = settings["VANKHO_DATABASE_URL"]
    return settings | {"VANKHO_DATABASE_URL": with_role(owner, ROLE), OWNER: owner}


def running(settings):
    return {name: value for name, value in settings.items() if name != OWNER}


@pytest.fixture(scope="module")
def places(servers):
    """Lend three empty places: for the office, for its restore, for its drill."""
    with ExitStack() as opened:
        yield [opened.enter_context(stack.big(servers)) for _ in range(3)]


@pytest.fixture(scope="module")
def big(places, tmp_path_factory):
    """Found an office there, as a plain role; back it up once."""
    home = tmp_path_factory.mktemp("big")
    installation.Installation(home / "home", two_roles(places[0])).manage("prepare_database")
    office = installation.found(home / "home", **running(two_roles(places[0])))
    made = Made(office, home / "media", office.ask("look"))
    made.backup()
    return made


def test_a_writer_a_backup_a_check(big):
    writer = big.office.begin("-m", "config.tests.installation", "write", "6")
    assert writer.stdout.readline() == "ready\n"
    big.backup()
    told, stderr = writer.communicate(timeout=120)
    assert '"count"' in told, stderr

    sound = checking.read(big.main, Outside(heads=(big.office.home / "log",)))
    checking.require_objects(sound.backup)
    assert checking.require_vault(sound.backup, big.vault, big.keys) == 0
    assert sound.backup.manifest.kind == "postgresql"
    assert [leaf.hex() for leaf in sound.leaves][: big.before["entries"]] == big.before["leaves"]


def test_a_bit_in_the_tables_is_told(big, tmp_path):
    backup = manifest.find(big.main)
    data = bytearray(backup.database.read_bytes())
    data[len(data) // 2] ^= 1
    try:
        backup.database.write_bytes(data)
        with pytest.raises(Refusal) as refusal:
            checking.read(big.main, Outside())
        assert refusal.value.code == "BKP-003"
    finally:
        data[len(data) // 2] ^= 1
        backup.database.write_bytes(data)


def test_a_drill_passes_and_leaves_the_servers_as_they_were(big, places):
    room = ("--database", places[2]["VANKHO_DATABASE_URL"], "--bucket", places[2]["VANKHO_S3_BUCKET"])
    heads = ("--heads", str(big.office.home / "log"))
    media = (str(big.main), "--vault", str(big.vault), "--keys", str(big.keys))

    assert "BKP-017" in big.office.manage("drill", *media, code=1)
    for _ in range(2):  # the second finds the place as empty as the first
        big.office.manage("drill", *media, *room, *heads)
    seen = big.office.ask("look")

    assert seen["last_act"] == "system.drill"
    assert seen["details"]["failed"] == {}
    assert seen["annexes"] == big.before["annexes"]
    assert annexes.is_whole(seen["annexes"])
    assert big.before["digests"].items() <= seen["digests"].items()
    with psycopg.connect(places[2]["VANKHO_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_drill_into_a_place_in_use_empties_nothing(big, places):
    media = (str(big.main), "--vault", str(big.vault), "--keys", str(big.keys))
    room = ("--database", places[0]["VANKHO_DATABASE_URL"], "--bucket", places[0]["VANKHO_S3_BUCKET"])
    assert "BKP-006" in big.office.manage("drill", *media, *room, code=1)
    assert big.before["digests"].items() <= big.office.ask("look")["digests"].items()


def test_the_office_comes_back_on_other_servers_what_was_destroyed_does_not(big, places, tmp_path):
    address = big.office.ask("spare")["address"]
    big.backup()
    old = manifest.find(big.main)
    big.office.ask("destroy", address)
    big.backup()
    before = big.office.ask("look")
    empty = big.office.empty(tmp_path / "new", **two_roles(places[1]))

    big.restore(empty, "--heads", str(big.office.home / "log"), folder=old.folder)

    restored = installation.Installation(empty.home, {**running(empty.settings)})
    seen = restored.ask("look")
    assert seen["digests"] == before["digests"]
    assert seen["annexes"] == before["annexes"]
    assert annexes.is_whole(seen["annexes"])
    assert seen["unreadable"] == {address: "STO-006"}
    assert seen["numbers"] == before["numbers"]
    assert seen["details"]["addresses"] == [address]
    assert seen["lost"] == seen["details"]["lost"] > 0
    assert seen["closed"] == seen["details"]["closed"] > 0
    assert not Path(empty.home / "keys" / "vault.sqlite3").exists()
    restored.manage("verify_log")
    restored.ask("register", "0")
    assert "BKP-006" in big.restore(empty, code=1)


def test_another_kind_of_database_is_refused(big, tmp_path):
    assert "BKP-015" in big.restore(big.office.empty(tmp_path / "new"), code=1)
