"""In CI a test of a real server cannot be skipped unnoticed."""

import os
import subprocess
import sys

import pytest

from config.tests.test_documentation import ROOT

HEAD = "import pytest\n"
GOOD = HEAD + "@pytest.mark.engine\ndef test_one(): pass\n"


@pytest.fixture
def run(tmp_path):
    def go(text, *plugins):
        file = tmp_path / "test_it.py"
        file.write_text(text, encoding="utf-8")
        options = ["-o", "addopts=", "-o", "markers=engine", "-p", "config.tests.no_skips", "-q", *plugins]
        command = [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), *options, str(file)]
        bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # starts in half the time
        return subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)

    return go


def test_a_run_without_skips_passes(run):
    assert run(GOOD).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.engine\ndef test_x(): pytest.skip('no server')\n",
        "@pytest.mark.engine\n@pytest.mark.skipif(True, reason='no server')\ndef test_x(): pass\n",
        "@pytest.fixture\ndef server(): pytest.skip('no server')\n@pytest.mark.engine\ndef test_x(server): pass\n",
        "pytest.skip('no server', allow_module_level=True)\n",
    ],
)
def test_a_skip_for_want_of_a_server_fails_the_run(run, text):
    ended = run(GOOD + text)
    assert ended.returncode == 1, ended.stdout
    assert "skipped here" in ended.stdout + ended.stderr


def test_a_skip_that_has_to_do_with_no_server_stays_one(run):
    assert run(GOOD + "def test_x(): pytest.skip('not on this machine')\n").returncode == 0


def test_a_run_without_any_such_test_fails(run):
    assert run("def test_x(): pass\n").returncode == 1


def test_only_what_may_ask_a_database_or_a_server_is_run_once_more(run):
    text = """
def test_pure(): assert False
@pytest.fixture
def db(): pass
@pytest.fixture
def office(db): pass
def test_in_an_office(office): pass
"""
    ended = run(GOOD + text, "-p", "config.tests.with_database")
    assert "2 passed, 1 deselected" in ended.stdout


def test_the_engine_script_loads_the_plugin_and_requires_every_server():
    script = (ROOT / "config/engine").read_text(encoding="utf-8")
    assert "-p config.tests.no_skips -p config.tests.with_database" in script
    assert "export VANKHO_TEST_REQUIRE=1" in script
