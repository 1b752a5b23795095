"""The office's web server: checks before it answers, several processes that count as one."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from config.tests.test_documentation import ROOT

GUNICORN = [Path(sys.executable).with_name("gunicorn"), "--config", "config/gunicorn.py", "config.wsgi"]


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANKHO_")}
    return kept | {"VANKHO_HOME": str(tmp_path), "VANKHO_WEB_PROCESSES": "2", "TMPDIR": str(tmp_path)}


def test_a_start_that_the_checks_refuse_never_answers(environment):
    production = environment | {"VANKHO_PROFILE": "production", "VANKHO_SECRET_KEY": "short"}
    ended = subprocess.run(
        [*GUNICORN, "-b", "127.0.0.1:0"], cwd=ROOT, env=production, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert b"vankho.E002" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_an_evaluation_copy_is_never_offered_to_a_network(environment):
    ended = subprocess.run(
        [*GUNICORN, "-b", "0.0.0.0:0"], cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert b"binds to loopback only" in ended.stderr


def test_what_is_loaded_is_not_looked_through_for_garbage_in_every_process(environment):
    code = "import gc; from config import gunicorn; gunicorn.when_ready(None); print(gc.get_freeze_count() * (gc.get_threshold()[0] > 700))"
    frozen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert int(frozen.stdout) > 10_000


def test_two_processes_count_as_one_and_log_no_address(environment):
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = subprocess.Popen([*GUNICORN, "-b", f"127.0.0.1:{port}"], cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_for(f"{base}/healthz")
        for _ in range(12):
            _read(f"{base}/sign-in/?next=/records/bi-danh/")
        figures = _read(f"{base}/metrics")
    finally:
        web.terminate()
        said = web.communicate(timeout=60)[1].decode()
    assert re.search(r'vankho_answers_total{status="200",view="archive:sign-in"} 12\.0', figures)
    assert said.count("view=archive:sign-in status=200") == 12
    assert "bi-danh" not in said
    with closing(sqlite3.connect(Path(environment["VANKHO_HOME"], "db.sqlite3"))) as database:
        acts = database.execute(
            "SELECT action FROM archive_auditentry WHERE action LIKE 'system.%' ORDER BY ts"
        ).fetchall()
    assert [act for (act,) in acts] == ["system.start", "system.settings", "system.stop"]
    assert "GET /" not in said


def test_serve_says_that_a_port_is_taken_and_names_another(environment):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        serve = [sys.executable, "manage.py", "serve", "--port", str(port)]
        ended = subprocess.run(
            serve, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode != 0
    assert f"127.0.0.1:{port} (Address already in use" in ended.stderr
    assert "--port" in ended.stderr
    assert "Văn Khố: http" not in ended.stdout


def _read(address):
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - our own loopback
        return answer.read().decode()


def _wait_for(address):
    for _ in range(120):
        try:
            return _read(address)
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{address} never answered")
