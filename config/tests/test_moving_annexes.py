"""An office whose dispatches have added files, one of them held, goes over to the servers and back: file for file, word for word."""

import pytest

from config.bench import stack
from config.tests import annexes, installation
from config.tests.installation import Installation
from config.tests.office import server

pytestmark = pytest.mark.engine
STORE = ("VANKHO_S3_URL", "VANKHO_S3_BUCKET", "VANKHO_S3_ACCESS_KEY", "VANKHO_S3_SECRET_KEY")
INDEX = ("VANKHO_ELASTICSEARCH_URL", "VANKHO_INDEX_PREFIX")


@pytest.fixture
def place():
    """Lend an empty place on every server."""
    for name in stack.NEEDED:
        server(f"VANKHO_TEST_{name}")
    with stack.big(stack.Servers.given()) as settings:
        yield settings


def sealed_files(home):
    return sorted(path.name for path in (home / "objects").rglob("*") if path.is_file())


def test_added_and_held_files_go_over_to_the_servers_and_the_objects_back(place, tmp_path):
    home = tmp_path / "home"
    before = installation.found(home).ask("look")
    assert annexes.is_whole(before["annexes"])
    lying = sealed_files(home)

    bucket = {name: place[name] for name in STORE}
    Installation(home, bucket).manage("move_store", "--to", "s3")
    on_s3 = Installation(home, bucket | {"VANKHO_STORE": "s3"})
    on_s3.manage("move_store", "--to", "s3", "--delete-source")
    assert sealed_files(home) == []
    _same(on_s3.ask("look"), before)

    databases = {name: place[name] for name in ("VANKHO_DATABASE_URL", "VANKHO_VAULT_URL")}
    on_servers = Installation(home, on_s3.settings | databases | {name: place[name] for name in INDEX})
    said = on_servers.manage("move_database")
    assert "archive_attachment: 2" in said
    on_servers.manage("rebuild_index")
    _same(on_servers.ask("look"), before)
    on_servers.manage("scrub", "--all", "--mib", "0")
    on_servers.manage("verify_log")

    back = Installation(home, on_servers.settings | {"VANKHO_STORE": "local"})
    on_servers.manage("move_store", "--to", "local")
    back.manage("move_store", "--to", "local", "--delete-source")
    assert sealed_files(home) == lying
    _same(back.ask("look"), before)


def _same(seen, before):
    assert seen["unreadable"] == {}
    assert seen["digests"] == before["digests"]
    assert seen["annexes"] == before["annexes"]
    assert seen["numbers"] == before["numbers"]
    assert seen["leaves"][: before["entries"]] == before["leaves"]
