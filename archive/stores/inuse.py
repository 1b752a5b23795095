"""Which halves of the site key running programs hold: a lock in the level keys' folder that ends with its process.

Each open vault shares the lock of every half that its custodian holds. Who takes a half out of
use asks for that lock alone: while a program still runs with the half, it is refused. The lock is
the system's (`flock`), so a kill leaves none behind; machines that share the folder share it.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from archive.stores.disk import refusal

CHANGE: Final = "change"  # held by whoever changes keys: one at a time


def share(folder: Path, halves: Sequence[bytes]) -> list[int]:
    """Hold the halves of these fingerprints until the returned descriptors are closed. Raises OSError."""
    held: list[int] = []
    for half in halves:
        held.append(_descriptor(folder, half.hex()))
        fcntl.flock(held[-1], fcntl.LOCK_SH)
    return held


@contextmanager
def alone(folder: Path, names: Sequence[str]) -> Iterator[str]:
    """Hold these names (a fingerprint in hexadecimal, or CHANGE) alone; yield the first that somebody else holds, or "".

    Raises:
        StoreFailed: the folder gives no locks.
    """
    with ExitStack() as held:
        yield next((name for name in names if not _takes(folder, name, held)), "")


def _takes(folder: Path, name: str, held: ExitStack) -> bool:
    try:
        descriptor = _descriptor(folder, name)
        held.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise refusal(error) from error
    return True


def _descriptor(folder: Path, name: str) -> int:
    return os.open(folder / f"held-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
