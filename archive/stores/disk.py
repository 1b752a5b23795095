"""The few steps that make a file survive a power cut, and what a disk's errors mean.

File data survives only after fsync, a name only after fsync of its folder
(SECURITY.md, section 5). Knows nothing of objects or keys.
"""

import errno
import os
from pathlib import Path
from typing import Final

from archive.stores.refusals import StoreFailed, StoreFull

_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def refusal(error: OSError) -> StoreFull | StoreFailed:
    """Return what an operating-system error means to the reader."""
    if error.errno in _NO_ROOM:
        return StoreFull()
    return StoreFailed(reason=error.strerror or str(error))


def create(path: Path, *, mode: int) -> int:
    """Create a file that must not exist yet and return its descriptor for writing."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)


def write_all(descriptor: int, data: memoryview) -> None:
    """Write everything; a short write of the system is continued."""
    while data:
        data = data[os.write(descriptor, data) :]


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a small new file durably, name included; on any error nothing is left of it."""
    descriptor = create(path, mode=mode)
    try:
        write_all(descriptor, memoryview(data))
        os.fsync(descriptor)
        sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
