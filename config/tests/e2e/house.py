"""A running installation of its own: founded, served on a free port, told to stop at the end.

It is driven only through its commands and its pages; nothing here opens its database.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "van-kho-mau"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def chromium_path() -> str:
    """Return the machine's Chromium; without one the journeys are skipped, but never where changes are judged."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail("no Chromium on this machine, and CI=true: the journeys must run (see config/packages.txt)")
    pytest.skip("no Chromium on this machine")


def manage(home: Path, *words: str) -> str:
    """Run a command of the installation and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=_surroundings(home),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _surroundings(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VANKHO_")}
    return kept | {"VANKHO_HOME": str(home), "VANKHO_PROFILE": "evaluation", "PYTHONWARNINGS": "ignore"}


@dataclass
class House:
    """One installation that is being served."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> int:
        """Ask it to end, as Ctrl+C does, and return its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=30)


def open_house(home: Path) -> House:
    """Serve an installation and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=_surroundings(home),
            stdout=log,
            stderr=log,
        )
    house = House(home, f"http://127.0.0.1:{port}", process)
    for _ in range(300):
        assert process.poll() is None, (home / "serve.log").read_text()
        try:
            DIRECT.open(f"{house.url}/sign-in/", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return house
    house.stop()
    raise AssertionError("the house did not open: " + (home / "serve.log").read_text())
