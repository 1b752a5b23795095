"""The cell, from outside: run one job on one file and get frames back, or a reason.

Every parser of handed-in bytes runs behind `run`. The work happens in a child of a fork
server that never held a key (see `ingest.cell`); what comes back is checked here and
stays untrusted to the caller: types and lengths inside a head are the caller's to
check. A killed, crashed or stuck parser is an ordinary outcome with its reason. This
module never opens what it passes on.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from ingest.cell import child, wire
from ingest.cell.starting import Link, Plan, start

FILES_PER_SERVER: Final = 200  # then a fresh fork server: nothing a library leaks lives on
SERVER_SECONDS: Final = 30.0  # for the fork server to import its libraries and answer
MIB: Final = 1024 * 1024
PIPE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. `wall_seconds` counts only while the caller waits for it."""

    memory_mib: int = 1024
    cpu_seconds: int = 10
    wall_seconds: int = 30
    file_mib: int = 64
    output_mib: int = 512
    programs: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of a job's answer: a JSON object and raw bytes, both untrusted."""

    head: dict[str, Any]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """What a finished job used."""

    cpu_ms: int
    rss_kib: int


class CellFailed(Exception):  # noqa: N818 - an ordinary outcome
    """A job did not come to its end.

    `reason`: "memory", "cpu", "wall", "crash" (a signal), "output" (too much or no frames), "parser" (it gave up).
    `detail` is for the log and never quotes the file.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the reason."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Cell(Iterator[Frame]):
    """A running job: iterate for its frames; closing it kills it."""

    def __init__(self, job: str, source: int | None, args: dict[str, Any], limits: Limits) -> None:
        """Start the job now."""
        self.limits = limits
        self.usage: Usage | None = None
        self._inbox = wire.Inbox(limits.output_mib * MIB)
        self._left = float(limits.wall_seconds)
        self._order = {"job": job, "args": args, "limits": {k: int(v) for k, v in asdict(limits).items()}}
        self._source = _reopened(source) if source is not None else None
        self._fault: dict[str, Any] = {}
        self._got_any = self._over = False
        self._open()

    def _open(self) -> None:
        self._pipe, frames = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            _enlarge(self._pipe)
        try:
            self._link = _servers.begin(self._order, frames, self._source)
        except BaseException:
            os.close(self._pipe)
            self._close_source()
            raise
        finally:
            os.close(frames)

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> Frame:
        """Return the next frame.

        Raises:
            CellFailed: the job ended badly.
        """
        while not self._over:
            try:
                if (taken := self._inbox.take()) is not None:
                    if frame := self._kept(*taken):
                        return frame
                    continue
                if not self._more():
                    self._finish()
            except wire.BadFrame as fault:
                self.close()
                raise CellFailed("output", str(fault)) from fault
            except CellFailed:
                self.close()
                raise
        raise StopIteration

    def _kept(self, head: dict[str, Any], blob: bytes) -> Frame | None:
        self._got_any = True
        if head.get("kind") == "fault":
            self._fault = head
            return None
        return Frame(head, blob)

    def _more(self) -> bool:
        """Wait for bytes; False at the end of the pipe."""
        began = time.monotonic()
        watch = select.poll()
        watch.register(self._pipe, select.POLLIN)
        if self._left <= 0 or not watch.poll(self._left * 1000):
            raise CellFailed("wall", f"{self.limits.wall_seconds} s")
        content = os.read(self._pipe, wire.CHUNK)
        self._left -= time.monotonic() - began
        self._inbox.add(content)
        return bool(content)

    def _finish(self) -> None:
        """Hear how the child ended; try once more if the fork server itself was gone."""
        ending = _ending(self._link, SERVER_SECONDS)
        if ending is None and not self._got_any and "again" not in self._order:
            self._order["again"] = True
            self._let_go()
            self._open()
            return
        self._over = True
        self._let_go()
        self._close_source()
        if ending is None:
            raise CellFailed("crash", "fork server gone")
        if "status" in ending:
            self.usage = Usage(int(ending["cpu_ms"]), int(ending["rss_kib"]))
        if failure := self._judged(ending):
            raise failure

    def _judged(self, ending: dict[str, Any]) -> CellFailed | None:
        if "refused" in ending:
            return CellFailed("parser", f"no such job ({ending['refused']})")
        code = os.waitstatus_to_exitcode(int(ending["status"]))
        if code < 0:
            return CellFailed(_reason_of(-code, ending, self.limits), signal.Signals(-code).name)
        if code == child.DONE:
            return CellFailed("output", "cut short") if self._inbox.held else None
        if code == child.NO_MEMORY:
            return CellFailed("memory", "MemoryError")
        if code == child.JOB_FAILED:
            name, place = str(self._fault.get("fault", ""))[:80], str(self._fault.get("at", ""))[:80]
            return CellFailed("memory" if name == "MemoryError" else "parser", f"{name} {place}")
        detail = f"exit {code} {self._fault.get('fault', '')} {self._fault.get('at', '')}"[:160]
        return CellFailed("output" if code == child.BAD_OUTPUT else "crash", detail)

    def close(self) -> None:
        """Kill the job if it still runs."""
        if not self._over:
            self._over = True
            self._let_go()
            self._close_source()

    def _let_go(self) -> None:
        self._link.close()
        os.close(self._pipe)

    def _close_source(self) -> None:
        if self._source is not None:
            os.close(self._source)
            self._source = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the job if it still runs."""
        self.close()

    def __del__(self) -> None:
        """Kill the job if it still runs."""
        with contextlib.suppress(Exception):
            self.close()


def run(job: str, *, source: int | None, args: dict[str, Any], limits: Limits = Limits()) -> Cell:
    """Run a job in a cell of its own and return its frames as they come.

    Args:
        job: "package.module:function", a function `job(source, args)` that yields pairs of head and bytes.
        source: descriptor of the file, or None. It is opened anew for reading, so its position does not matter.
        args: JSON-able; small.
        limits: what the job may use.

    Raises:
        CellFailed: while iterating, when the job did not come to its end.
    """
    return Cell(job, source, args, limits)


def close() -> None:
    """Stop the fork server; the next call starts another."""
    _servers.stop()


def _reopened(source: int) -> int:
    """Return an own descriptor with a position of its own, for reading only."""
    try:
        return os.open(f"/proc/self/fd/{source}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return os.dup(source)


def _enlarge(pipe: int) -> None:
    import fcntl

    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _ending(link: socket.socket, seconds: float) -> dict[str, Any] | None:
    link.settimeout(seconds)
    try:
        words = json.loads(link.recv(4096) or b"null")
    except (OSError, ValueError):
        return None
    return words if isinstance(words, dict) else None


def _reason_of(number: int, ending: dict[str, Any], limits: Limits) -> str:
    """Name the reason of a death by signal."""
    if number == signal.SIGXCPU:
        return "cpu"
    if number == signal.SIGKILL:
        return "cpu" if ending["cpu_ms"] >= limits.cpu_seconds * 1000 else "memory"
    if number in {signal.SIGABRT, signal.SIGSEGV, signal.SIGTRAP} and ending["rss_kib"] > limits.memory_mib * 512:
        return "memory"
    return "crash"


@dataclass
class _Servers:
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
        for attempt in (1, 2):
            try:
                if self.link:
                    socket.send_fds(self.link.control, [message], descriptors)
                    self.begun += 1
                return
            except (BrokenPipeError, ConnectionResetError):
                if attempt == 2:  # noqa: PLR2004
                    raise CellFailed("crash", "fork server does not start") from None
                self._renew()

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


_servers = _Servers()
atexit.register(close)
