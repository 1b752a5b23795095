"""A child's life: shut itself in, run one job on one file, send frames, end.

Never returns to the server: it ends by `os._exit`, whatever happened. What went wrong
leaves as a code and the name of the error's class; an error's text may quote the file
and stays inside.
"""

import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ingest.cell import guard, syscalls, wire

FRAMES, SOURCE = 3, 4  # descriptors of the two pipes of a cell's life
DONE, BAD_OUTPUT, NO_MEMORY, JOB_FAILED, NOT_SHUT_IN = 0, 10, 11, 12, 13
NOTHING: Final = "/dev/null"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child lives: its folder, its number among those alive, the compiled filters."""

    folder: str
    slot: int
    filters: syscalls.Filters | None


@dataclass(frozen=True, slots=True)
class Order:
    """What the worker asked for."""

    job: Callable[..., Any]
    args: dict[str, Any]
    limits: dict[str, int]
    layers: guard.Layers


def live(order: Order, *, frames: int, source: int | None, place: Place) -> None:
    """Run the job of a freshly forked child and end the process."""
    code = NOT_SHUT_IN
    try:
        _own_descriptors(frames, source)
        _own_signals()
        os.setsid()
        os.chdir(place.folder)
        tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = place.folder
        guard.enter(limits=order.limits, folder=place.folder, slot=place.slot, layers=order.layers)
        if place.filters is not None and order.layers.syscalls:
            guard.applied["syscalls"] = syscalls.load(place.filters, programs=bool(order.limits["programs"]))
        code = _work(order, has_source=source is not None)
    except MemoryError:
        code = NO_MEMORY
    except Exception as fault:  # noqa: BLE001 - a layer that cannot be put up ends the cell, with its reason
        _tell(fault)
    finally:
        os._exit(code)


def _own_descriptors(frames: int, source: int | None) -> None:
    """Keep only the two descriptors of this cell, at fixed numbers."""
    # Moved above 100 first, so that neither is overwritten while the other takes its place.
    high_frames = _moved(frames)
    high_source = _moved(source) if source is not None else None
    null = os.open(NOTHING, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.dup2(high_frames, FRAMES)
    if high_source is not None:
        os.dup2(high_source, SOURCE)
    os.closerange(SOURCE + (high_source is not None), 4096)


def _moved(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD, 200)


def _own_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)


def _work(order: Order, *, has_source: bool) -> int:
    try:
        source = os.fdopen(SOURCE, "rb") if has_source else None
        for head, blob in order.job(source, order.args):
            wire.send(FRAMES, head, blob)
    except MemoryError:
        return NO_MEMORY
    except Exception as fault:  # noqa: BLE001 - a parser may raise anything at all
        return _tell(fault)
    return DONE


def _tell(fault: Exception) -> int:
    name = type(fault).__name__
    if isinstance(fault, BrokenPipeError):
        return BAD_OUTPUT
    try:
        wire.send(FRAMES, {"kind": "fault", "fault": name, "at": _place(fault)})
    except OSError:
        return BAD_OUTPUT
    return JOB_FAILED


def _place(fault: Exception) -> str:
    """Return file and line of the fault: enough to find it, nothing of the paper."""
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""  # noqa: PTH119
