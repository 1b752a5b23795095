"""The proof that the cell holds: attacks are run, and what stopped them is told in one line.

Judged by what happened, never by what is configured. Runs in the worker; opens sockets
on loopback and one file of its own as bait, and removes them.
"""

import contextlib
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ingest.cell.attacks import ATTACKS
from ingest.cell.terms import CellFailed, Frame, Limits

CELL: Final = Limits(memory_mib=1024, cpu_seconds=1, wall_seconds=10, file_mib=1, output_mib=1)
SLOW: Final = frozenset({"processor"})
NETWORK: Final = frozenset({"tcp", "udp", "abstract socket"})
BY_FILTER: Final = frozenset({"chmod", "namespace"})  # nothing else stops these
BY_LIMITS: Final = frozenset({"memory", "disk", "descriptors"})

Start = Callable[[str, dict[str, Any], Limits], Iterator[Frame]]


@dataclass(frozen=True, slots=True)
class Report:
    """What holds on this machine. `through` names the attacks that were not stopped."""

    strength: str  # "full" | "no namespaces" | "no landlock" | "no filter" | "limits only"
    landlock: int
    has_own_namespaces: bool
    has_filter: bool
    has_other_user: bool
    tried: tuple[str, ...]
    through: tuple[str, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """Say whether every attack was stopped."""
        return not self.through

    @property
    def line(self) -> str:
        """The one line of the start-up report, the status page and the log."""
        parts = (
            f"cell: {self.strength}",
            f"net {'open' if NETWORK & set(self.through) else 'none'}",
            f"landlock {self.landlock or 'no'}",
            f"seccomp {'yes' if self.has_filter else 'no'}",
            f"uid {'other' if self.has_other_user else 'own'}",
            f"limits {'no' if BY_LIMITS & set(self.through) else 'yes'}",
            f"{len(self.tried) - len(self.through)}/{len(self.tried)}",
        )
        return " · ".join(parts)


def run_attacks(start: Start, *, quick: bool) -> Report:
    """Run every attack and a probe.

    Raises:
        CellFailed: not even the probe runs.
    """
    tried = tuple(name for name in ATTACKS if not (quick and name in SLOW))
    with _bait() as bait:
        facts = next(iter(start("ingest.cell.attacks:probe", {}, CELL))).head
        through = tuple(name for name in tried if not _is_stopped(start, name, bait))
    return _report(facts, tried, through)


def _is_stopped(start: Start, name: str, bait: dict[str, Any]) -> bool:
    """Say whether an attack was stopped: told so, or the cell died; no answer at all means it got away."""
    try:
        frames = list(start("ingest.cell.attacks:attack", {**bait, "name": name}, CELL))
    except CellFailed:
        return True
    return bool(frames) and frames[-1].head.get("stopped") is True


def _report(facts: dict[str, Any], tried: tuple[str, ...], through: tuple[str, ...]) -> Report:
    landlock = int(facts.get("landlock", 0)) if "read a file" not in through else 0
    has_filter = bool(facts.get("syscalls")) and not BY_FILTER & set(through)
    has_namespaces = bool(facts.get("namespaces"))
    has_other_user = facts.get("uid") != os.getuid()
    strength = _strength(landlock=bool(landlock), has_filter=has_filter, has_namespaces=has_namespaces)
    return Report(strength, landlock, has_namespaces, has_filter, has_other_user, tried, through)


def _strength(*, landlock: bool, has_filter: bool, has_namespaces: bool) -> str:
    if landlock and has_filter:
        return "full" if has_namespaces else "no namespaces"
    if has_filter:
        return "no landlock"
    return "no filter" if landlock else "limits only"


@contextlib.contextmanager
def _bait() -> Iterator[dict[str, Any]]:
    """Offer what an attack would reach for: a file open to all, three listening sockets, this process."""
    name = f"vankho-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="vankho-bait-"))
        target = Path(folder) / "open-to-all"
        target.write_bytes(b"bait")
        target.chmod(0o666)  # the attack must fail because of the cell, not because of this file
        Path(folder).chmod(0o755)
        tcp = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        abstract = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        abstract.bind("\0" + name)
        abstract.listen()
        yield {
            "file": str(target),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "abstract": name,
            "worker": os.getpid(),
            "file_mib": CELL.file_mib,
        }
