"""The folders of the embedded index: generations side by side, and a pointer to the current one.

A generation is built aside and becomes current by one atomic rename of the pointer; a
reader notices by looking at the pointer before it searches. Generations of another
schema are never read. The one before the current is kept until the next is begun.
All folders are for the owner alone (0700): they hold the words of secret papers.
"""

import fcntl
import os
import re
import shutil
from pathlib import Path
from typing import Final

from search.engine import EngineBusy
from search.engines.schema import SCHEMA

_NAME: Final = re.compile(r"s(\d+)-(\d{6})")


class Generations:
    """The generations under one root folder."""

    def __init__(self, root: Path) -> None:
        """Make the root, for the owner alone."""
        self.root = root
        self._pointer = root / "current"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def current(self) -> str | None:
        """Return the name of the current generation, None if there is none that can be read."""
        try:
            name = self._pointer.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        found = _NAME.fullmatch(name)
        return name if found and int(found[1]) == SCHEMA and self.folder(name).is_dir() else None

    def folder(self, name: str) -> Path:
        """Return the folder of a generation."""
        return self.root / name

    def begin(self) -> str:
        """Make an empty generation with the next number, and clear away all others but the current one.

        One that somebody holds stays until the next time: it is being built, or it is an old one whose
        follower has not moved on yet and would break on a folder that is gone.
        """
        current = self.current()
        names = self._names()
        for name in names:
            if current != name and not is_written(self.folder(name)):
                shutil.rmtree(self.folder(name), ignore_errors=True)
        number = max((int(name[-6:]) for name in names), default=0) + 1
        name = f"s{SCHEMA}-{number:06}"
        self.folder(name).mkdir(mode=0o700)
        return name

    def point(self, name: str) -> None:
        """Make a generation the current one, for every process, at once and after a power cut."""
        write_durably(self._pointer, name.encode())

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if _NAME.fullmatch(path.name))


class WriterLock:
    """The right to write one generation: held by one process, let go when it ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            EngineBusy: another process (or another engine of this one) holds it.
        """
        self._file = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise EngineBusy from error

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._file)


def is_written(folder: Path) -> bool:
    """Return whether somebody holds the right to write a generation."""
    try:
        WriterLock(folder).release()
    except EngineBusy:
        return True
    return False


def write_durably(path: Path, content: bytes) -> None:
    """Replace a small file so that after a power cut it is the old or the new one, whole."""
    aside = path.with_name(path.name + ".new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
