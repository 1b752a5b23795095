"""A PostgreSQL server of one test alone, as `docker-compose.yml` sets its own, with data, socket and archive in one folder.

Unlike those of `servers` it may be given a data folder that something else made. Needs the
server's programs on this machine. Run as root, it runs as Debian's own account for it.
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from config.tests.compose import load
from config.tests.servers import free_port
from config.tests.test_documentation import ROOT

SCRIPT = ROOT / "config" / "docker" / "point-in-time"
ACCOUNT = "postgres"


def programs() -> Path | None:
    """Return the folder of the newest server's programs, None where no server is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """One server with the settings of the compose file's `postgres`; its folder of copies and log is `archive`."""

    def __init__(self, place: Path) -> None:
        """Use a short path that the server's account can walk to; nothing is started."""
        self.place, self.port = place, free_port()
        self.archive = place / "archive"
        self.script = place / SCRIPT.name
        shutil.copy(SCRIPT, self.script)  # the checkout may lie where the server's account cannot go
        self.archive.mkdir()
        self._own(place)

    def found(self, data: Path) -> None:
        """Make an empty data folder, as the compose file asks for it."""
        asked = POSTGRES["environment"]["POSTGRES_INITDB_ARGS"].replace("scram-sha-256", "trust")
        self.run("initdb", "-D", str(data), "-U", "owner", "--auth-local=trust", *shlex.split(asked))

    def start(self, data: Path) -> None:
        """Start the server on a data folder; return once it answers, recovery and all."""
        here = (
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"port={self.port}",
            "-c",
            f"unix_socket_directories={self.place}",
        )
        given = shlex.join([*self.flags(), *here])
        self.run("pg_ctl", "-D", str(data), "-l", str(self.place / "log"), "-o", given, "-w", "-t", "60", "start")

    def stop(self, data: Path, *, mode: str = "fast") -> None:
        """Stop it as `docker compose stop` does, or at once when nobody needs what it holds."""
        self.run("pg_ctl", "-D", str(data), "-m", mode, "-w", "stop")

    def flags(self) -> list[str]:
        """Return what the compose file gives its server, with this cluster's places in the place of the container's."""
        told = POSTGRES["command"][1:]
        return [
            part.replace("/usr/local/bin/", f"{self.place}/").replace("/var/lib/postgresql", str(self.archive))
            for part in told
        ]

    def point_in_time(self, act: str, *words: str, code: int = 0) -> str:
        """Run the script as the server's account; it must end with this code."""
        return self.run(str(self.script), act, str(self.archive), *words, code=code)

    def sql(self, statement: str, *, database: str = "vankho") -> str:
        """Run statements as the owner; return the rows."""
        asked = ("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement)
        return self.run(*asked).strip()

    def run(self, *words: str, code: int = 0) -> str:
        """Run a program as the server's account; return what it said."""
        done = subprocess.run(
            [*_ACTING, *words],
            env=self._environment(),
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == code, (words, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout + done.stderr

    def address(self, database: str = "vankho") -> str:
        return f"postgresql://owner@127.0.0.1:{self.port}/{database}"

    def _environment(self) -> dict[str, str]:
        path = f"{programs()}:{os.environ['PATH']}"
        return {
            "PATH": path,
            "PGHOST": str(self.place),
            "PGPORT": str(self.port),
            "PGUSER": "owner",
            "LC_ALL": "C.UTF-8",
        }

    def _own(self, place: Path) -> None:
        if _ACTING:
            for path in (place, *place.rglob("*")):
                shutil.chown(path, ACCOUNT, ACCOUNT)


POSTGRES = load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["postgres"]
_ACTING = ["setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"] if os.geteuid() == 0 else []
