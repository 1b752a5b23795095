"""A real server that a test or a bench starts for itself, kills and wipes; those that others use are never touched.

The scripts that start servers lie beside the checkout (`../shared/services`), or where
VANKHO_TEST_SERVICES names them. Knows processes and files, nothing of the office.
"""

import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

SERVICES = Path(os.environ.get("VANKHO_TEST_SERVICES") or Path(__file__).resolve().parents[3] / "shared" / "services")
GONE_SECONDS = 10


class Own:
    """One server on a port of its own: `kind` is the name of its script."""

    def __init__(self, kind: str, *options: str, port: int = 0) -> None:
        """Choose a port unless one is given; nothing is started."""
        self.kind, self.port = kind, port or free_port()
        self._options = options

    def start(self) -> dict[str, str]:
        """Start it, or start it again on what it kept; return the lines it prints once it answers."""
        lines = self._run("start", *self._options)
        return dict(line.split("=", 1) for line in lines.splitlines() if "=" in line)

    def kill(self) -> None:
        """End it without warning, and whatever it started; return when all of it is gone."""
        home = Path(os.environ.get("SERVICES_HOME") or Path.home() / ".cache" / "vankho-services")
        number = int((home / "run" / f"{self.kind}-{self.port}.pid").read_text(encoding="ascii"))
        # The first one first: a PostgreSQL that still lives when its children die starts new ones.
        family = [number, *descendants(number)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        until = time.monotonic() + GONE_SECONDS
        while any(Path(f"/proc/{pid}").exists() for pid in family) and time.monotonic() < until:
            time.sleep(0.05)

    def wipe(self) -> None:
        """Stop it and remove what it kept."""
        self._run("wipe")

    def _run(self, command: str, *options: str) -> str:
        asked = [str(SERVICES / self.kind), command, "--port", str(self.port), *options]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=900).stdout


def free_port() -> int:
    """Return a port that nobody listens on now, nor on the one 100 above, which Elasticsearch takes too."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        if port < 65_000:  # ports end at 65,535
            with suppress(OSError), socket.create_server(("127.0.0.1", port + 100)):
                return port


def descendants(root: int) -> list[int]:
    """Return the living processes below one, found in /proc."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                children.setdefault(int(parent), []).append(int(folder.name))
    found, ahead = [], [root]
    while ahead:
        below = children.get(ahead.pop(), [])
        found += below
        ahead += below
    return found
