"""The system-call filter: what a parser of papers never needs is refused by the kernel.

Compiled once by the fork server, loaded by each child as bytes. Refusals answer EPERM,
so a library that merely tries something goes on; `clone3` answers ENOSYS so that the C
library falls back to `clone`, whose flags a filter can read.
"""

import ctypes
import errno
import os
import struct
import tempfile
from dataclasses import dataclass
from typing import Any, Final

CLONE_THREAD: Final = 0x00010000
NEW_NAMESPACES: Final = (0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
PR_SET_SECCOMP, PR_SET_PDEATHSIG, MODE_FILTER = 22, 1, 2
ERRNO_EPERM: Final = 0x00050000 | errno.EPERM
ALLOW: Final = 0x7FFF0000

REFUSED: Final = [
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "kill",
    "tkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "setsid",
    "setpgid",
    "setpriority",
    "ioprio_set",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "open_tree",
    "mount_setattr",
    "unshare",
    "setns",
    "open_by_handle_at",
    "name_to_handle_at",
    "add_key",
    "request_key",
    "keyctl",
    "bpf",
    "perf_event_open",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mknod",
    "mknodat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "utime",
    "utimes",
    "futimesat",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setfsuid",
    "setfsgid",
    "setgroups",
    "capset",
    "shmget",
    "shmat",
    "shmctl",
    "msgget",
    "msgsnd",
    "msgrcv",
    "msgctl",
    "semget",
    "semop",
    "semctl",
    "mq_open",
    "mq_unlink",
    "fanotify_init",
    "inotify_init",
    "inotify_init1",
    "inotify_add_watch",
    "reboot",
    "swapon",
    "swapoff",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "acct",
    "quotactl",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "syslog",
    "personality",
    "iopl",
    "ioperm",
    "modify_ldt",
    "lookup_dcookie",
    "vhangup",
    "migrate_pages",
    "move_pages",
    "set_mempolicy",
    "mbind",
]
NO_PROGRAMS: Final = ("execve", "execveat", "fork", "vfork")

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


@dataclass(frozen=True, slots=True)
class Filters:
    """Both filters as bytes, and the number of the call with which a process ends itself."""

    plain: bytes
    programs: bytes
    tgkill: int


def compiled() -> Filters | None:
    """Return the filters for this machine, or None if the library is missing."""
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError):
        return None
    tgkill = pyseccomp.resolve_syscall(pyseccomp.system_arch(), "tgkill")
    return Filters(_bytes(pyseccomp, programs=False), _bytes(pyseccomp, programs=True), tgkill)


def _bytes(library: Any, *, programs: bool) -> bytes:
    rules = library.SyscallFilter(library.ALLOW)
    no, absent = library.ERRNO(errno.EPERM), library.ERRNO(errno.ENOSYS)
    for name in REFUSED if programs else (*REFUSED, *NO_PROGRAMS):
        _refuse(rules, no, name)
    _refuse(rules, absent, "clone3")
    if programs:
        for flag in NEW_NAMESPACES:
            _refuse(rules, no, "clone", library.Arg(0, library.MASKED_EQ, flag, flag))
    else:
        _refuse(rules, no, "clone", library.Arg(0, library.MASKED_EQ, CLONE_THREAD, 0))
    _refuse(rules, no, "prctl", library.Arg(0, library.EQ, PR_SET_PDEATHSIG))
    _refuse(rules, no, "prlimit64", library.Arg(0, library.NE, 0))
    with tempfile.TemporaryFile() as compiled_filter:
        rules.export_bpf(compiled_filter)
        compiled_filter.seek(0)
        return compiled_filter.read()


def _refuse(rules: Any, answer: int, name: str, *arguments: Any) -> None:
    try:
        rules.add_rule(answer, name, *arguments)
    except (OSError, ValueError, RuntimeError):
        # A call this library or this architecture does not know cannot be named, nor made.
        return


def load(filters: Filters, *, programs: bool) -> bool:
    """Load the filter into this process for good, and allow it to end only itself."""
    return _load(filters.programs if programs else filters.plain) and _load(_only_own_end(filters.tgkill))


def _only_own_end(tgkill: int) -> bytes:
    """Refuse `tgkill` of any process but this one: abort() must work, ending others must not."""
    load_word, jump_equal, answer = 0x20, 0x15, 0x06
    lines = (
        (load_word, 0, 0, 0),  # the number of the call
        (jump_equal, 0, 3, tgkill),
        (load_word, 0, 0, 16),  # low half of its first argument
        (jump_equal, 1, 0, os.getpid()),
        (answer, 0, 0, ERRNO_EPERM),
        (answer, 0, 0, ALLOW),
    )
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _load(instructions: bytes) -> bool:
    held = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.addressof(held))
    return bool(_libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) == 0)
