"""The judges' own environments: one for each lock file, outside the checkout and the product's environment.

Every package is pinned with its hashes (`locks/`); nothing of the judges is ever installed beside the product.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, Final

from config.gates.outcome import ROOT, NoEnd, NotRun

LOCKS: Final = Path(__file__).parent / "locks"
LIGHTHOUSE: Final = Path(__file__).parent / "lighthouse"


class Tools:
    """A folder of environments, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; one that stays between runs saves the installing."""
        self.folder = folder

    def programs(self, name: str) -> Path:
        """Return the folder of programs of an environment, installing it first if need be.

        Raises:
            NotRun: it cannot be installed here.
        """
        lock = LOCKS / f"{name}.lock"
        place = self.folder / f"{name}-{_mark(lock)}"
        done = place / ".whole"
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            said = _try([sys.executable, "-m", "venv", str(place)], self.folder)
            pip = [str(place / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "--no-deps"]
            said = said or _try([*pip, "--require-hashes", "-r", str(lock)], self.folder)
            if said:
                raise NotRun(f"{name}: its packages cannot be installed ({said})")
            done.touch()
        return place / "bin"

    def packages(self, name: str) -> Path:
        """Return the folder of packages of an environment, for a Python that lends its own modules to be tried."""
        return next((self.programs(name).parent / "lib").glob("python3*/site-packages"))

    def lighthouse(self) -> Path:
        """Return the program of lighthouse, from its locked npm packages. Raises NotRun."""
        if shutil.which("npm") is None:
            raise NotRun("npm is not installed")
        place = self.folder / f"lighthouse-{_mark(LIGHTHOUSE / 'package-lock.json')}"
        program = place / "node_modules" / ".bin" / "lighthouse"
        if not program.exists():
            place.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(LIGHTHOUSE / name, place / name)
            if said := _try(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], place):
                raise NotRun(f"lighthouse: its packages cannot be installed ({said})")
        return program


def _mark(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]


def _try(command: list[str], folder: Path) -> str:
    """Run a command; return the last line it said when it failed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else ((done.stderr or done.stdout).strip().splitlines() or ["no word"])[-1][:200]


def run(command: list[str], *, seconds: float, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a judge from the checkout and return what it said.

    Raises:
        NoEnd: it came to no end; it is ended with all that it started (a browser would hold the pipes open for ever).
    """
    asked = {"cwd": ROOT, "text": True, "errors": "replace"} | more
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, stdin=DEVNULL, start_new_session=True, **asked) as judge:
        try:
            said, told = judge.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise NoEnd(f"{Path(command[0]).name} came to no end within {seconds:.0f} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(judge.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, judge.returncode, said, told)
