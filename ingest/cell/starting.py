"""Starting the fork server: a fresh interpreter, an empty environment, one socket.

Runs in the worker. What the server inherits is listed here and nothing else: the
control socket, the null device, five variables, and a folder that it may fill.
"""

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from ingest.cell import bubble, guard
from ingest.cell.terms import CellFailed

PREFIX: Final = "vankho-cell-"
JOBS: Final = ("ingest.sniff", "ingest.pages", "ingest.ocr", "ingest.stamps", "ingest.clean", "ingest.legacy")
ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # Threads in a child are refused by the filter; a library that counts on them would fail late.
    "OMP_THREAD_LIMIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "100000000",
}
BEGIN: Final = (
    "import sys, json; sys.path.insert(0, sys.argv[1]); sys.dont_write_bytecode = True; "
    "from ingest.cell.server import main; main(int(sys.argv[2]), json.loads(sys.argv[3]))"
)
END_SECONDS: Final = 5.0
FILES_PER_SERVER: Final = 200  # then a fresh fork server: nothing a library leaks lives on


@dataclass(frozen=True, slots=True)
class Plan:
    """How to start a fork server."""

    preload: tuple[str, ...] = JOBS
    idle_seconds: float = 60.0
    layers: guard.Layers = field(default_factory=guard.Layers)
    may_wrap: bool = True  # bubblewrap, where Landlock is not


@dataclass(slots=True)
class Link:
    """A running fork server as its worker sees it."""

    control: socket.socket
    process: subprocess.Popen[bytes]
    base: str
    owner: int

    def is_ours(self) -> bool:
        """Say whether this very process started it and it still runs."""
        return self.owner == os.getpid() and self.process.poll() is None

    def leave(self) -> None:
        """Ask it to end after its present jobs; collect it if it already has."""
        self.control.close()
        if self.owner == os.getpid():
            _left.append(self)
        for link in [link for link in _left if link.process.poll() is not None]:
            _left.remove(link)
            shutil.rmtree(link.base, ignore_errors=True)

    def end(self) -> None:
        """Stop it and wait."""
        self.control.close()
        if self.owner != os.getpid():
            return
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.base, ignore_errors=True)


_left: list[Link] = []


def start(plan: Plan) -> Link:
    """Start a fork server."""
    _sweep()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    base = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_place())
    os.chmod(base, 0o711)  # noqa: PTH101, S103 - the cells' own users must pass to their folders
    settings = {"base": base, "idle_seconds": plan.idle_seconds, "preload": plan.preload, "layers": asdict(plan.layers)}
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-c", BEGIN, root, str(theirs.fileno()), json.dumps(settings)]
    if not (plan.layers.landlock and guard.landlock_abi()) and plan.may_wrap:
        command = bubble.around(command, base=base, root=root)
    try:
        process = subprocess.Popen(  # noqa: S603 - a fixed command of ours
            command, pass_fds=(theirs.fileno(),), env=ENVIRONMENT, cwd="/", **_quiet()
        )
    finally:
        theirs.close()
    return Link(ours, process, base, os.getpid())


def _quiet() -> dict[str, Any]:
    return {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


def _place() -> str:
    """Return a folder for temporary files that the cells' own users can reach."""
    for place in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 - own folder made inside
        if os.geteuid() != 0 or _passable(Path(place)):
            return place
    return tempfile.gettempdir()


def _passable(place: Path) -> bool:
    try:
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents))
    except OSError:
        return False


def _sweep() -> None:
    """Remove folders that killed workers left behind."""
    for folder in Path(_place()).glob(f"{PREFIX}*-*"):
        number = folder.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError, ValueError):
            if folder.stat().st_uid == os.geteuid() and not Path(f"/proc/{int(number)}").exists():
                shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Servers:
    """The present fork server of this process; any thread may ask."""

    plan: Plan = field(default_factory=Plan)
    link: Link | None = None
    begun: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, order: dict[str, Any], frames: int, source: int | None) -> socket.socket:
        """Hand a job to the fork server and return the socket its ending comes on."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = json.dumps(order).encode()
        descriptors = [frames, theirs.fileno(), *([] if source is None else [source])]
        try:
            with self.lock:
                self._send(message, descriptors)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        if self.link is None or self.begun >= FILES_PER_SERVER or not self.link.is_ours():
            self._renew()
        try:
            socket.send_fds(self._present().control, [message], descriptors)
        except (BrokenPipeError, ConnectionResetError):
            self._renew()  # it ended of idleness in this very moment
            socket.send_fds(self._present().control, [message], descriptors)
        self.begun += 1

    def _present(self) -> Link:
        if self.link is None:
            raise CellFailed("crash", "fork server does not start")
        return self.link

    def _renew(self) -> None:
        """Leave the present server to finish its jobs and start another."""
        if self.link:
            self.link.leave()
        self.link, self.begun = start(self.plan), 0

    def stop(self) -> None:
        """Stop the present server and wait until it is gone."""
        with self.lock:
            link, self.link = self.link, None
        if link:
            link.end()
