"""Whoever loads the application passes the door: no server is so simple that it serves what must not be served."""

import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from config import door
from config.tests.test_documentation import ROOT
from config.tests.test_gunicorn import _read, _wait_for, environment  # noqa: F401 - the fixture

BARE = [str(Path(sys.executable).with_name("gunicorn")), "config.wsgi"]
RUNSERVER = [sys.executable, "manage.py", "runserver", "--noreload"]


@pytest.fixture(autouse=True)
def interruptible():
    """A run in the background has Ctrl+C ignored, and so would have the servers that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def bare(host, port):
    return [*BARE, "-b", f"{host}:{port}"]


def runserver(host, port):
    return [*RUNSERVER, f"{host}:{port}"]


def acts(environment):  # noqa: F811 - the folder of the fixture
    with closing(sqlite3.connect(Path(environment["VANKHO_HOME"], "db.sqlite3"))) as database:
        wanted = "SELECT action FROM archive_auditentry WHERE action LIKE 'system.%' ORDER BY ts"
        return [act for (act,) in database.execute(wanted)]


@pytest.mark.parametrize("server", [bare, runserver])
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"VANKHO_PROFILE": "production", "VANKHO_SECRET_KEY": "short"}, "vankho.E002"),
        ({"VANKHO_PROFILE": "independent-lan", "VANKHO_SECRET_KEY": "x7" * 30}, "LAN-001"),
    ],
)
def test_no_server_answers_what_the_checks_refuse(environment, server, given, code):  # noqa: F811 - the fixture
    ended = subprocess.run(
        server("127.0.0.1", free_port()),
        cwd=ROOT, env=environment | given, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    assert code in ended.stderr


@pytest.mark.parametrize(
    ("server", "host"),
    [(bare, "0.0.0.0"), (runserver, "127.0.0.1")],  # noqa: S104 - what is tested; the other one asks for its host's name first
)
def test_an_evaluation_answers_this_machine_alone_and_its_life_is_in_the_log(environment, server, host):  # noqa: F811 - the fixture
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    port = free_port()
    web = subprocess.Popen(server(host, port), cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    try:
        answered(f"http://127.0.0.1:{port}/healthz", web)
        told = _from_elsewhere(port) if server is bare else "no other address"
    finally:
        web.send_signal(signal.SIGINT)
        web.communicate(timeout=60)
    assert told.startswith("403") or told == "no other address"
    assert acts(environment) == ["system.start", "system.settings", "system.stop"]


def answered(address, web):
    """Wait for an answer as long as the server lives: on a busy machine the checks take a while."""
    while web.poll() is None:
        with suppress(AssertionError):
            assert "ok" in _wait_for(address)
            return
    pytest.fail(web.stderr.read().decode())


def _from_elsewhere(port):
    """Ask by an address of this machine that is not loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the kernel chooses the address it would send from
        except OSError:
            return "no other address"
        mine = probe.getsockname()[0]
    with socket.create_connection((mine, port), timeout=20) as line:
        line.sendall(f"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        return line.recv(4096).decode().partition(" ")[2]


@pytest.mark.parametrize(
    ("address", "is_answered"),
    [("127.0.0.1", True), ("::1", True), ("10.1.2.3", False), ("172.30.57.1", False), ("", False)],
)
def test_only_loopback_is_answered(address, is_answered):
    said = []
    answer = door.for_this_machine(lambda _environ, _start: [b"page"])
    body = answer({"REMOTE_ADDR": address}, lambda status, _headers: said.append(status))
    assert (b"".join(body) == b"page") is is_answered
    assert (said == ["403 Forbidden"]) is not is_answered
