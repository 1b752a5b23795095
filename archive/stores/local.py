"""Sealed objects as files in a local folder.

`ab/cd/<address>.vkso`, written once: temporary file in the same file system, fsync,
hard link to the final name (which fails rather than replace), fsync of the folder.
A killed writer leaves at most a piece in `unfinished/`, which `sweep` removes; no name
under the fan-out ever shows half an object. Never sees a key or a plain byte.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from archive.rules.levels import Level
from archive.stores.disk import create, refusal, sync_folder, write_all
from archive.stores.port import Kept, object_id
from archive.stores.refusals import MissingObject

SUFFIX: Final = ".vkso"
UNFINISHED: Final = "unfinished"
_NO_LINKS: Final = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}


class LocalDraft:
    """One object being written into `unfinished/`."""

    def __init__(self, temporary: Path, final: Path, settle: Callable[[Path], None]) -> None:
        """Create the temporary file, readable by the archive's account only."""
        self._temporary, self._final, self._settle = temporary, final, settle
        self._descriptor: int | None = create(temporary, mode=0o600)

    def write(self, sealed: memoryview) -> None:
        """Append."""
        assert self._descriptor is not None  # noqa: S101 - a draft is not written after its end
        try:
            write_all(self._descriptor, sealed)
        except OSError as error:
            raise refusal(error) from error

    def commit(self) -> None:
        """Sync the bytes, then give them their name, then sync the name."""
        assert self._descriptor is not None  # noqa: S101
        try:
            os.fsync(self._descriptor)
            self._close()
            self._settle(self._final.parent)
            _link(self._temporary, self._final)
            sync_folder(self._final.parent)
        except OSError as error:
            raise refusal(error) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Remove the temporary file."""
        self._close()
        self._temporary.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _link(temporary: Path, final: Path) -> None:
    """Give the file its final name without replacing anything."""
    try:
        os.link(temporary, final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # No hard links on this medium (exFAT, some network shares). The address is 128 random bits
        # and belongs to this draft alone, so looking first and renaming is as good.
        if final.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        temporary.rename(final)


class LocalStore:
    """The driver for one folder; safe to share between threads and processes. All levels lie on one disk, under random names."""

    def __init__(self, root: Path) -> None:
        """Create the folder if it is new. Raises StoreFull, StoreFailed."""
        self._root = root
        self._unfinished = root / UNFINISHED
        try:
            for folder in (root, self._unfinished):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_folder(root.parent)
        except OSError as error:
            raise refusal(error) from error
        self._settled: set[Path] = set()

    def create(self, address: str, *, level: Level) -> LocalDraft:
        """Begin an object; its level makes no difference here.

        Raises:
            StoreFull, StoreFailed: not even a temporary file can be made.
        """
        del level
        try:
            return LocalDraft(self._unfinished / f"{address}.{os.getpid()}", self._path(address), self._settle)
        except OSError as error:
            raise refusal(error) from error

    def open(self, address: str) -> BinaryIO:
        """Return the sealed file, unbuffered: the reader above asks for whole runs of chunks.

        Raises:
            MissingObject, StoreFailed: not there, or the disk does not answer.
        """
        try:
            return self._path(address).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise MissingObject(address=address) from error
        except OSError as error:
            raise refusal(error) from error

    def stat(self, address: str) -> Kept | None:
        """Return size and time, None if there is no such object."""
        try:
            found = self._path(address).stat()
        except FileNotFoundError:
            return None
        return Kept(sealed_size=found.st_size, changed_at=datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, address: str) -> None:
        """Remove the file and make the removal durable; twice is not an error."""
        path = self._path(address)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise refusal(error) from error

    def addresses(self) -> Iterator[str]:
        """Yield the addresses of all whole objects."""
        for path in self._root.glob(f"[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*{SUFFIX}"):
            yield path.name.removesuffix(SUFFIX)

    def retain(self, address: str, until: datetime) -> bool:
        """Return False: an ordinary folder has no locks that its owner could not lift."""
        del address, until
        return False

    def locked_until(self, address: str) -> datetime | None:
        """Return None: see `retain`."""
        del address
        return None

    def is_settled(self, address: str, level: Level) -> bool:
        """Return True: there is one place."""
        del address, level
        return True

    def bring(self, address: str, level: Level, *, sha256: str) -> None:
        """Do nothing: it lies where all do. Raises MissingObject."""
        del level, sha256
        if self.stat(address) is None:
            raise MissingObject(address=address)

    def leave(self, address: str, level: Level) -> bool:
        """Return False: there is one place."""
        del address, level
        return False

    def free_bytes(self) -> int | None:
        """Return the room an ordinary account has left on this disk."""
        figures = os.statvfs(self._root)
        return figures.f_bavail * figures.f_frsize

    def sweep(self, *, older_than_seconds: float) -> int:
        """Remove unfinished pieces not touched for so long that their writer must be dead."""
        limit = time.time() - older_than_seconds
        stale = [path for path in self._unfinished.iterdir() if path.stat().st_mtime <= limit]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _settle(self, folder: Path) -> None:
        """Make the two fan-out levels exist durably.

        A folder that is already there may have been made a moment ago by another process that has not
        synced it yet, so each process syncs the parents once for each folder it uses.
        """
        if folder in self._settled:
            return
        for level in (folder.parent, folder):
            level.mkdir(exist_ok=True, mode=0o700)
            sync_folder(level.parent)
        self._settled.add(folder)

    def _path(self, address: str) -> Path:
        """Return where an address lies; anything but 32 hex digits never becomes a path."""
        object_id(address)
        return self._root / address[:2] / address[2:4] / f"{address}{SUFFIX}"
