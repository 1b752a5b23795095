"""What a captured parser would try, as jobs: the self-test runs each in a cell of its own.

Every attack is harmless when it gets through: it touches a file, a socket and a process
of the tester only. An attack that returns got through; one that raises was stopped; a
cell that dies of it was stopped too, by its limits.
"""

import ctypes
import os
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from ingest.cell import guard

CLONE_NEWUSER: Final = 0x10000000
PTRACE_SEIZE: Final = 0x4206
# Numbers that are the same on every architecture.
IO_URING_SETUP, FSOPEN, CLONE3 = 425, 430, 435
ONE_GIB: Final = 1 << 30

_libc = ctypes.CDLL(None, use_errno=True)


def attack(source: BinaryIO | None, args: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Try one attack and tell whether it was stopped."""
    del source
    try:
        ATTACKS[args["name"]](args)
    except (OSError, MemoryError) as fault:
        yield {"stopped": True, "by": type(fault).__name__}, b""
    else:
        yield {"stopped": False}, b""


def probe(source: BinaryIO | None, args: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Tell which layers were put up around this very cell."""
    del source, args
    yield {**guard.applied, "uid": os.getuid()}, b""


def _called(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _read_file(args: dict[str, Any]) -> None:
    Path(args["file"]).read_bytes()


def _read_worker(args: dict[str, Any]) -> None:
    Path(f"/proc/{args['worker']}/environ").read_bytes()


def _write_file(args: dict[str, Any]) -> None:
    with Path(args["file"]).open("ab") as target:
        target.write(b"x")


def _list_folder(args: dict[str, Any]) -> None:
    os.listdir(Path(args["file"]).parent)  # noqa: PTH208 - one call, to be refused


def _tcp(args: dict[str, Any]) -> None:
    socket.create_connection(("127.0.0.1", args["tcp"]), timeout=2).close()


def _udp(args: dict[str, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("127.0.0.1", args["udp"]))
        way.send(b"x")


def _abstract(args: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as way:
        way.connect("\0" + args["abstract"])


def _execute(args: dict[str, Any]) -> None:
    del args
    # nosemgrep: shell - to be refused
    os.execv("/bin/true", ["true"])  # noqa: S606 - to be refused


def _fork(args: dict[str, Any]) -> None:
    del args
    if os.fork() == 0:
        os._exit(0)


def _clone3(args: dict[str, Any]) -> None:
    del args
    result = int(_libc.syscall(CLONE3, (ctypes.c_uint64 * 8)(0, 0, 0, 0, 17), ctypes.c_size_t(64)))
    if result == 0:
        os._exit(0)
    _called(result)


def _memory(args: dict[str, Any]) -> None:
    del args
    held = [bytearray(ONE_GIB // 8) for _ in range(16)]
    held.clear()


def _processor(args: dict[str, Any]) -> None:
    del args
    while True:
        pass


def _disk(args: dict[str, Any]) -> None:
    size = (args["file_mib"] + 1) << 20
    with Path("fill").open("wb") as target:
        target.truncate(size)


def _descriptors(args: dict[str, Any]) -> None:
    del args
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(guard.MAX_FILES + 1)]
    del held


def _signal(args: dict[str, Any]) -> None:
    del args
    os.kill(os.getppid(), 0)


def _trace(args: dict[str, Any]) -> None:
    del args
    _libc.ptrace.restype = ctypes.c_long
    _called(_libc.ptrace(PTRACE_SEIZE, os.getppid(), None, None))


def _read_memory(args: dict[str, Any]) -> None:
    del args
    space = (ctypes.c_char * 8)()
    spans = (ctypes.c_void_p * 2)(ctypes.addressof(space), 8)
    _libc.process_vm_readv.restype = ctypes.c_ssize_t
    _called(_libc.process_vm_readv(os.getppid(), spans, 1, spans, 1, 0))


def _chmod(args: dict[str, Any]) -> None:
    del args
    own = Path("own")
    own.write_bytes(b"")
    own.chmod(0o777)


def _symlink(args: dict[str, Any]) -> None:
    Path("way_out").symlink_to(args["file"])


def _namespace(args: dict[str, Any]) -> None:
    del args
    _called(_libc.unshare(CLONE_NEWUSER))


def _io_uring(args: dict[str, Any]) -> None:
    del args
    _called(int(_libc.syscall(IO_URING_SETUP, 4, (ctypes.c_ubyte * 120)())))


def _mount(args: dict[str, Any]) -> None:
    del args
    _called(int(_libc.syscall(FSOPEN, b"tmpfs", 0)))


def _raise_limit(args: dict[str, Any]) -> None:
    del args
    resource.setrlimit(resource.RLIMIT_AS, (4 * ONE_GIB, 4 * ONE_GIB))


ATTACKS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "read a file": _read_file,
    "read the worker": _read_worker,
    "write a file": _write_file,
    "list a folder": _list_folder,
    "tcp": _tcp,
    "udp": _udp,
    "abstract socket": _abstract,
    "execute": _execute,
    "fork": _fork,
    "clone3": _clone3,
    "memory": _memory,
    "processor": _processor,
    "disk": _disk,
    "descriptors": _descriptors,
    "signal": _signal,
    "trace": _trace,
    "read memory": _read_memory,
    "chmod": _chmod,
    "symlink": _symlink,
    "namespace": _namespace,
    "io_uring": _io_uring,
    "mount": _mount,
    "raise a limit": _raise_limit,
}
