"""Four layers that hold a captured parser: namespaces, another user, Landlock, limits.

Called once, in a freshly forked child, in the order of `enter`; none can be undone.
Each layer that this kernel does not offer is left out and reported, never faked. The
fifth layer, the system-call filter, is `ingest.cell.syscalls`.
"""

import contextlib
import ctypes
import os
import resource
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MIB: Final = 1024 * 1024
FIRST_UID: Final = 61_500  # one user per cell at once; in the range that no account is given by hand
HARD_CPU_SECONDS: Final = 1  # after the soft limit: SIGXCPU tells "too slow" from "killed"
MAX_FILES: Final = 64
MAX_PROCESSES: Final = 24  # only where programs may run: Tesseract and its helpers

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
CAPABILITIES: Final = 41
CAPABILITY_VERSION: Final = 0x20080522
CAPSET: Final = {"x86_64": 126, "aarch64": 91}

# Landlock: same numbers on every architecture. Rights by the ABI that first knew them.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH: Final = 1
FS_V1, FS_REFER, FS_TRUNCATE, FS_IOCTL = (1 << 13) - 1, 1 << 13, 1 << 14, 1 << 15
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
ON_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | FS_TRUNCATE | FS_IOCTL
IN_FOLDER: Final = READ_FILE | READ_DIR | WRITE_FILE | (1 << 5) | (1 << 8) | FS_TRUNCATE  # and remove, make a file
TCP: Final = 3
SCOPES: Final = 3  # abstract sockets, signals

applied: dict[str, Any] = {}  # what `enter` could put up, for the self-test's probe
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Layers:
    """Which layers a child may use; a self-test or an older kernel leaves some out."""

    namespaces: bool = True
    other_user: bool = True
    landlock: bool = True
    syscalls: bool = True


def enter(*, limits: dict[str, int], folder: str, slot: int, layers: Layers) -> None:
    """Shut this process in. What follows must be the system-call filter and then the job.

    Args:
        limits: "memory_mib", "cpu_seconds", "file_mib", "programs" (0 or 1).
        folder: the one folder the cell may write in.
        slot: 0-63, which of the cell users to become when started by root.
        layers: what to apply.
    """
    applied.clear()
    # While still root: the ways to the libraries may be closed to the user this becomes.
    ruleset = file_rules(folder, programs=bool(limits["programs"])) if layers.landlock else None
    applied["namespaces"] = layers.namespaces and leave_namespaces()
    if layers.other_user and os.geteuid() == 0:
        _become(FIRST_UID + slot)
    _drop_capabilities()
    # Credentials changed, which clears the wish to die with the parent: set it now.
    _libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    applied["landlock"] = 0
    if ruleset is not None:
        if _libc.syscall(RESTRICT_SELF, ctypes.c_int(ruleset), 0) == 0:
            applied["landlock"] = landlock_abi()
        os.close(ruleset)
    _set_limits(limits)


def leave_namespaces() -> bool:
    """Leave the network, the host's IPC and name. Say whether the kernel let us."""
    ours = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    return _unshare(ours) or (os.geteuid() != 0 and own_user_namespace(ours))


def own_user_namespace(others: int) -> bool:
    """Make a user namespace in which this user stands for itself, with the namespaces `others`."""
    uid, gid = os.geteuid(), os.getegid()
    if not _unshare(CLONE_NEWUSER | others):
        return False
    # setgroups must be denied before an ordinary user may write a group map.
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with contextlib.suppress(OSError):
            Path(f"/proc/self/{name}").write_text(line, encoding="ascii")
    return True


def own_processes() -> bool:
    """Let the children of this process live in a process namespace of their own."""
    return _unshare(CLONE_NEWPID) or (os.geteuid() != 0 and own_user_namespace(CLONE_NEWPID))


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends."""
    _libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def _unshare(flags: int) -> bool:
    return bool(_libc.unshare(ctypes.c_int(flags)) == 0)


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _drop_capabilities() -> None:
    """Give up what a user namespace handed us; root became somebody else before."""
    number = CAPSET.get(os.uname().machine)
    for capability in range(CAPABILITIES):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if number and os.geteuid() != 0:
        header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
        _libc.syscall(number, header, b"\0" * 24)
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def landlock_abi() -> int:
    """Return the version of Landlock this kernel knows; 0 = none."""
    return max(0, int(_libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def file_rules(folder: str, *, programs: bool) -> int | None:
    """Return a Landlock ruleset: read programs and libraries, write in one folder, nothing else."""
    abi = landlock_abi()
    if not abi:
        return None
    handled = FS_V1 | (FS_REFER if abi >= 2 else 0) | (FS_TRUNCATE if abi >= 3 else 0) | (FS_IOCTL if abi >= 5 else 0)  # noqa: PLR2004
    attributes = struct.pack("=QQQ", handled, TCP if abi >= 4 else 0, SCOPES if abi >= 6 else 0)  # noqa: PLR2004
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8  # noqa: PLR2004
    ruleset = int(_libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    if ruleset < 0:
        return None
    reading = READ_FILE | READ_DIR | (EXECUTE if programs else 0)
    for place in _readable():
        _allow(ruleset, place, reading & handled)
    _allow(ruleset, folder, IN_FOLDER & handled)
    for device in ("/dev/null", "/dev/urandom", "/dev/random"):
        _allow(ruleset, device, (READ_FILE | (WRITE_FILE if device == "/dev/null" else 0)) & handled)
    return ruleset


def _readable() -> list[str]:
    code = str(Path(__file__).resolve().parents[1])
    places = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", sys.prefix, sys.base_prefix, code]
    return [place for place in dict.fromkeys(places) if Path(place).exists()]


def _allow(ruleset: int, place: str, rights: int) -> None:
    try:
        target = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(target):  # noqa: PTH112 - a descriptor, not a path
        rights &= ON_FILES
    rule = struct.pack("=Qi", rights, target)
    _libc.syscall(ADD_RULE, ctypes.c_int(ruleset), RULE_PATH_BENEATH, rule, 0)
    os.close(target)


def _set_limits(limits: dict[str, int]) -> None:
    cpu, memory, programs = limits["cpu_seconds"], limits["memory_mib"] * MIB, limits["programs"]
    wanted: dict[int, tuple[int, int]] = {
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_CPU: (cpu, cpu + HARD_CPU_SECONDS),
        resource.RLIMIT_FSIZE: (limits["file_mib"] * MIB,) * 2,
        resource.RLIMIT_NOFILE: (MAX_FILES, MAX_FILES),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_MEMLOCK: (0, 0),
        resource.RLIMIT_NPROC: (0, 0) if not programs else _processes(),
    }
    for what, (soft, hard) in wanted.items():
        ceiling = resource.getrlimit(what)[1]
        top = hard if ceiling == resource.RLIM_INFINITY else min(hard, ceiling)
        resource.setrlimit(what, (min(soft, top), top))


def _processes() -> tuple[int, int]:
    """Return the process limit of a cell that may run programs.

    An ordinary user's own processes count too where no user namespace counts apart, so there the limit stays.
    """
    if os.geteuid() >= FIRST_UID or Path("/proc/self/setgroups").exists():
        return MAX_PROCESSES, MAX_PROCESSES
    return resource.getrlimit(resource.RLIMIT_NPROC)
