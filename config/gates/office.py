"""A served office for judges that ask over HTTP: its own home, filled, behind gunicorn as in production; gone afterwards."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from config.bench import stack
from config.gates.outcome import ROOT

PASSWORD: Final = "van-kho-mau"  # noqa: S105 - of the sample office; an act of weight asks for it again
CSRF: Final = "g" * 32  # of a judge's forms: the cookie and the field are the same word
# A door that stays closed as its rows were put in past the office is one of them: nothing behind it was asked.
FAULTS: Final = ("Traceback", " ERROR ", " CRITICAL ")
DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Served:
    """An office that answers."""

    url: str
    home: Path
    told: dict[str, Any]  # what `filling` found: people, pages, inputs
    log: Path
    database: str = "SQLite"

    def cookie(self, role: str) -> str:
        """Return the cookies of a person of a post who is signed in."""
        return f"session={self.told['people'][role]['session']}; csrf={CSRF}"

    def is_in(self, role: str) -> bool:
        """Say whether the session of a post is still open: a judge who acts may end it, and would see the sign-in page alone."""
        return self._asked("GET", "/account/", self.cookie(role)).status == HTTPStatus.OK

    def sign_in(self, role: str) -> bool:
        """Open a new session for a post; say whether it is open."""
        form = urlencode({"username": role, "password": PASSWORD, "csrfmiddlewaretoken": CSRF})
        answer = self._asked("POST", "/sign-in/", f"csrf={CSRF}", form)
        given = [SimpleCookie(line).get("session") for line in answer.headers.get_all("Set-Cookie") or ()]
        for session in filter(None, given):
            self.told["people"][role]["session"] = session.value
        return self.is_in(role)

    def takes_token(self, role: str) -> bool:
        """Say whether the token of a post still counts."""
        return self._asked("GET", "/api/v1/records", "", token=self.token(role)).status != HTTPStatus.UNAUTHORIZED

    def _asked(self, method: str, address: str, cookie: str, form: str = "", *, token: str = "") -> HTTPResponse:
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        who = {"Authorization": f"Bearer {token}"} if token else {"Cookie": cookie}
        connection.request(method, address, form or None, who | kind)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def token(self, role: str) -> str:
        """Return the API token of a service account of a post."""
        return str(self.told["people"][role]["token"])

    def faults(self) -> list[str]:
        """Return what the server complained about since it was started."""
        said = self.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in said.splitlines() if any(word in line for word in FAULTS)][:20]


@contextmanager
def filled(home: Path, *, dispatches: int, database: str = "") -> Iterator[dict[str, str]]:
    """Yield the environment of a new, filled office; it is gone afterwards."""
    place = stack.own_database(database) if database else nullcontext({})
    with place as settings:
        environment = surroundings(home) | settings
        home.mkdir(parents=True)
        try:
            demo = [sys.executable, "manage.py", "demo", "--dispatches", str(dispatches)]
            for command in (demo, [sys.executable, "-m", "config.gates.filling", str(home / "told.json")]):
                done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(f"{' '.join(command[1:3])} ended with {done.returncode}: {done.stderr[-400:]}")
            yield environment
        finally:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def copied(environment: dict[str, str], home: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a copy of an office on SQLite that nobody serves: what one judge does there, no other meets."""
    shutil.copytree(environment["VANKHO_HOME"], home)
    try:
        yield environment | {"VANKHO_HOME": str(home), "TMPDIR": str(home)}
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def served(environment: dict[str, str], *, planted: bool = False) -> Iterator[Served]:
    """Serve a filled office, with faults on purpose if asked for, and stop it."""
    home = Path(environment["VANKHO_HOME"])
    settings = {"DJANGO_SETTINGS_MODULE": f"config.gates.{'planted' if planted else 'served'}_settings"}
    database = "PostgreSQL" if "VANKHO_DATABASE_URL" in environment else "SQLite"
    log = home / ("planted.log" if planted else "web.log")
    with log.open("wb") as said:
        web = _begin(environment | settings, said, port := free_port())
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, web, log)
        told = json.loads((home / "told.json").read_text(encoding="utf-8"))
        yield Served(url, home, told, log, database)
    finally:
        web.send_signal(signal.SIGTERM)
        try:
            web.wait(timeout=60)
        except subprocess.TimeoutExpired:
            web.kill()
            web.wait()


def surroundings(home: Path) -> dict[str, str]:
    """Return the environment of an installation in a folder, with nothing of this machine's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANKHO_")}
    return kept | {
        "VANKHO_HOME": str(home),
        "VANKHO_PROFILE": "evaluation",
        "VANKHO_LOG_LEVEL": "WARNING",
        "VANKHO_WEB_PROCESSES": "2",
        "VANKHO_IDLE_MINUTES": "480",
        "VANKHO_COPIES_PER_HOUR": "100000",
        "TMPDIR": str(home),
    }


def _begin(environment: dict[str, str], said: Any, port: int) -> "subprocess.Popen[bytes]":
    gunicorn = [str(Path(sys.executable).with_name("gunicorn")), "--config", "config/gunicorn.py", "config.wsgi"]
    return subprocess.Popen([*gunicorn, "-b", f"127.0.0.1:{port}"], cwd=ROOT, env=environment, stdout=said, stderr=said)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(url: str, web: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        if web.poll() is not None:
            raise RuntimeError(f"the office did not open: {log.read_text(encoding='utf-8')[-3000:]}")
        try:
            DIRECT.open(f"{url}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the office did not open in time")
