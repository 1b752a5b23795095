"""The fork server: imports the parsers once, then forks one child per file.

Started by exec of a fresh interpreter with an empty environment, so it shares no
memory, key, setting or database handle with the worker. It is the first process of a
process namespace of its own where the kernel allows that: when it ends, everything in
it ends. It runs one thread, opens no file of the office, and never touches the bytes of
a paper: it only hands their descriptor on.

One message on the control socket = one job, with the write end of the frames' pipe, the
job's own socket and the source as descriptors. The job's socket closing means "stop
it"; one JSON line on it says how the child ended.
"""

import array
import contextlib
import errno
import gc
import importlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Final

from ingest.cell import child, guard, syscalls

MAX_MESSAGE: Final = 192 * 1024
SLOTS: Final = 64
LOOK_SECONDS: Final = 5.0  # between looks at whether the worker still lives
JOB_NAME: Final = re.compile(r"(ingest(?:\.[a-z_]+)+):([a-z_]+)")
# Modules a job may reach for only when it already runs as another user, who may not be able to read them any more.
STANDARD: Final = [
    "encodings.idna",
    "encodings.latin_1",
    "encodings.utf_16",
    "encodings.utf_16_be",
    "encodings.cp1252",
    "encodings.ascii",
    "json",
    "struct",
    "ctypes",
    "fractions",
    "decimal",
    "unicodedata",
    "subprocess",
    "tempfile",
    "random",
    "csv",
    "shlex",
]


@dataclass(slots=True)
class Job:
    """A child at work."""

    slot: int
    link: socket.socket
    folder: str
    started: float


class Server:
    """Forks children for the worker at the other end of a socket."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]) -> None:
        """Import the parsers and compile the filter."""
        self.control: socket.socket | None = control
        self.base = str(settings["base"])
        self.idle_seconds = float(settings["idle_seconds"])
        self.layers = guard.Layers(**settings["layers"])
        self.jobs: dict[int, Job] = {}
        self.selector = selectors.DefaultSelector()
        self.last = time.monotonic()
        self.worker = os.getppid()  # 0 as first process of a namespace, and that never changes
        self.filters = syscalls.compiled()
        for name in (*STANDARD, *settings["preload"]):
            with contextlib.suppress(ImportError):
                _import(name)
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        """Work until the worker is gone or nothing was asked for long enough."""
        bell = _bell()
        self.selector.register(bell, selectors.EVENT_READ, "bell")
        if self.control:
            self.selector.register(self.control, selectors.EVENT_READ, "control")
        while self.control or self.jobs:
            for key, _ in self.selector.select(timeout=min(LOOK_SECONDS, self.idle_seconds)):
                self._answer(key.data, key.fd)
            if os.getppid() != self.worker:
                self._orphaned()
            self._reap()
            if not self.jobs and time.monotonic() - self.last > self.idle_seconds:
                break
        shutil.rmtree(self.base, ignore_errors=True)

    def _answer(self, what: object, descriptor: int) -> None:
        if what == "bell":
            os.read(descriptor, 4096)
        elif what == "control":
            self._receive()
        elif isinstance(what, int) and what in self.jobs:
            _kill(what)  # the worker let go of the job

    def _receive(self) -> None:
        if self.control is None:
            return
        try:
            message, descriptors = _received(self.control)
        except OSError:
            message, descriptors = b"", []
        if not message:
            self._close_control()
            return
        self.last = time.monotonic()
        try:
            self._begin(json.loads(message), descriptors)
        finally:
            for each in descriptors:
                os.close(each)

    def _close_control(self) -> None:
        if self.control:
            self.selector.unregister(self.control)
            self.control.close()
            self.control = None

    def _orphaned(self) -> None:
        """End with the worker, even while some process that it forked still holds its sockets open."""
        self._close_control()
        for pid in self.jobs:
            _kill(pid)

    def _begin(self, message: dict[str, Any], descriptors: list[int]) -> None:
        link = socket.socket(fileno=os.dup(descriptors[1]))
        try:
            order = child.Order(_job(message["job"]), message["args"], message["limits"], self.layers)
            slot = min(set(range(SLOTS)) - {job.slot for job in self.jobs.values()})
            folder = self._folder(slot)
        except (ImportError, AttributeError, ValueError, OSError) as fault:
            _say(link, {"refused": type(fault).__name__})
            link.close()
            return
        pid = os.fork()
        if pid == 0:
            source = descriptors[2] if len(descriptors) > 2 else None  # noqa: PLR2004
            place = child.Place(folder, slot, self.filters)
            child.live(order, frames=descriptors[0], source=source, place=place)
        self.jobs[pid] = Job(slot, link, folder, time.monotonic())
        self.selector.register(link, selectors.EVENT_READ, pid)

    def _folder(self, slot: int) -> str:
        # Never one used before: a killed child's program may still be writing into its own.
        folder = tempfile.mkdtemp(prefix=f"{slot}-", dir=self.base)
        if os.geteuid() == 0 and self.layers.other_user:
            os.chown(folder, guard.FIRST_UID + slot, guard.FIRST_UID + slot)
        return folder

    def _reap(self) -> None:
        """Collect every process that ended, the programs of killed children too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if job := self.jobs.pop(pid, None):
                _kill(pid)  # what it started and left behind
                self._end(job, status, usage)

    def _end(self, job: Job, status: int, usage: Any) -> None:
        self.last = time.monotonic()
        self.selector.unregister(job.link)
        shutil.rmtree(job.folder, ignore_errors=True)
        cpu = usage.ru_utime + usage.ru_stime
        _say(job.link, {"status": status, "cpu_ms": round(cpu * 1000), "rss_kib": usage.ru_maxrss})
        job.link.close()


def _bell() -> int:
    """Return a descriptor that becomes readable when a child ends."""
    heard, rung = os.pipe()
    os.set_blocking(rung, False)
    signal.set_wakeup_fd(rung, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return heard


def _received(control: socket.socket) -> tuple[bytes, list[int]]:
    message, ancillary, _, _ = control.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(3 * 4), socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) // 4 * 4])
    return message, list(descriptors)


def _job(name: str) -> Any:
    found = JOB_NAME.fullmatch(name)
    if not found:
        raise ValueError(name)
    return getattr(_import(found[1]), found[2])


def _import(name: str) -> Any:
    """Import a module and let it read what it will need before anything is forked."""
    known = name in sys.modules
    module = importlib.import_module(name)
    if not known and callable(warm := getattr(module, "warm", None)):
        warm()
    return module


def _kill(leader: int) -> None:
    for end in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            end(leader, signal.SIGKILL)


def _say(link: socket.socket, words: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        link.send(json.dumps(words).encode())


def main(control: int, settings: dict[str, Any]) -> None:
    """Become the fork server; `control` is the descriptor of the control socket."""
    os.umask(0o077)
    if settings["layers"]["namespaces"] and guard.own_processes():
        if first := os.fork():
            os.close(control)
            _stand_by(first)
        guard.die_with_parent()
    # Without a namespace of its own it must not ask the kernel for that: "parent" there is the *thread* that started
    # it, and the server died with the first thread that had asked and ended. Its sockets tell it, and its parent's id.
    Server(socket.socket(fileno=control), settings).serve()


def _stand_by(first: int) -> None:
    """Wait, outside the namespace, for its first process to end."""
    while True:
        try:
            _, status = os.waitpid(first, 0)
        except OSError as fault:
            if fault.errno == errno.EINTR:
                continue
            os._exit(1)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
