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
import time
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, Self

from ingest.cell import child, wire
from ingest.cell.guard import Layers
from ingest.cell.report import Report, run_attacks
from ingest.cell.starting import Plan, Servers
from ingest.cell.terms import CellFailed, Frame, Limits, Usage

__all__ = ["Cell", "CellFailed", "Frame", "Layers", "Limits", "Report", "Usage", "close", "run", "self_test"]

SERVER_SECONDS: Final = 30.0  # for the fork server to import its libraries and answer
MIB: Final = 1024 * 1024
GREEDY: Final = 0.2  # share of its memory above which an aborted parser ran out of it: at rest it holds 60 MiB
NO_SUCH_JOB: Final = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "ValueError"})
PIPE_BYTES: Final = 1024 * 1024


USUAL: Final = Limits()
_servers = Servers()


class Cell(Iterator[Frame]):
    """A running job: iterate for its frames; closing it kills it."""

    def __init__(
        self, job: str, source: int | None, args: dict[str, Any], limits: Limits, servers: Servers | None = None
    ) -> None:
        """Start the job now."""
        self._servers = servers or _servers
        self.limits = limits
        self.usage: Usage | None = None
        self._inbox = wire.Inbox(limits.output_mib * MIB, largest=limits.frame_mib * MIB)
        self._left = float(limits.wall_seconds)
        self._order: dict[str, Any] = {"job": job, "args": args, "limits": _numbers(limits)}
        self._source = _reopened(source) if source is not None else None
        self._fault: dict[str, Any] = {}
        self._got_any = self._over = False
        self._open()

    def _open(self) -> None:
        self._pipe, frames = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            _enlarge(self._pipe)
        # Each try has a position of its own: a job that died has read on, and one that is dying still may.
        source = None if self._source is None else _reopened(self._source)
        try:
            self._link = self._servers.begin(self._order, frames, source)
        except BaseException:
            os.close(self._pipe)
            self._close_source()
            raise
        finally:
            os.close(frames)
            if source is not None:
                os.close(source)

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
            why = str(ending["refused"])
            return CellFailed("parser" if why in NO_SUCH_JOB else "crash", f"not begun ({why[:40]})")
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


def run(job: str, *, source: int | None, args: dict[str, Any], limits: Limits = USUAL) -> Cell:
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


def self_test(*, quick: bool = True, layers: Layers | None = None) -> Report:
    """Run the attacks, each in a cell of its own, and report what stopped them.

    Args:
        quick: leave out the one that needs a second of the processor.
        layers: test a fork server with fewer layers than this machine offers, and nothing put in their place.
    """
    servers = Servers(Plan(layers=layers, preload=(), may_wrap=False)) if layers else _servers
    try:
        return run_attacks(lambda job, args, limits: Cell(job, None, args, limits, servers), quick=quick)
    finally:
        if layers:
            servers.stop()


def close() -> None:
    """Stop the fork server; the next call starts another."""
    _servers.stop()


def _numbers(limits: Limits) -> dict[str, int]:
    return {name: int(value) for name, value in asdict(limits).items()}


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
    if (
        number in {signal.SIGABRT, signal.SIGSEGV, signal.SIGTRAP}
        and ending["rss_kib"] > limits.memory_mib * 1024 * GREEDY
    ):
        return "memory"
    return "crash"


atexit.register(close)
