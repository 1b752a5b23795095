"""The watched folder: one subfolder per level, `inbox/thuong`, `inbox/mat`, `inbox/toi-mat`.

A file is taken when it has not changed for a while. It is first moved, inside the
folder, to a name that carries the id its row will have; it is removed only after that
row is committed, the file is kept and no longer waits to be read, and moved to
`refused/` with the reason in a text file beside it when it is refused. Links, pipes and
devices are never followed. One file that cannot be moved stops no other.
"""

import fcntl
import json
import logging
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from django.utils import timezone, translation

from archive import store
from archive.models import Person
from archive.rules.errors import Refusal
from archive.rules.levels import LEVEL_SLUGS, Level
from ingest import intake, outcomes
from ingest.models import Batch, Channel, Scan, ScanState

STABLE_SECONDS: Final = 3.0
RESCAN_SECONDS: Final = 2.0
LONGEST_NAME: Final = 220  # bytes: with the time before it and ".txt" behind it a name still fits any disk
log = logging.getLogger("vankho.folder")


class Inbox:
    """Watches one folder in the name of one person."""

    def __init__(self, root: Path, *, username: str) -> None:
        """Remember the folder; nothing is touched yet."""
        self.root = root
        self.username = username
        self.sizes: dict[Path, tuple[int, float]] = {}
        self._is_told = False

    def sweep(self) -> int:
        """Look once: settle what was taken before, take what has become stable; return how many were taken."""
        actor = hands_in(self.username)
        if actor is None:
            if not self._is_told:
                log.warning("the watched folder takes nothing: VANKHO_INBOX_USER names no active account")
            self._is_told = True
            return 0
        self._is_told = False
        self._make_folders()
        with self._alone() as is_alone:
            if not is_alone:
                return 0
            self._settle(actor)
            return sum(self._take_level(level, actor) for level in Level if (self.root / level.slug).is_dir())

    def _make_folders(self) -> None:
        for name in ("taken", "refused", *(LEVEL_SLUGS[level] for level in (Level.THUONG, Level.MAT, Level.TOI_MAT))):
            (self.root / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Let one worker of this machine look at a time; the kernel frees the lock of a dead one."""
        handle = os.open(self.root / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(handle)

    def _take_level(self, level: Level, actor: Person) -> int:
        lying = sorted(_below(self.root / level.slug))
        self.sizes = {path: seen for path, seen in self.sizes.items() if path.exists()}
        ready = [path for path in lying if self._is_stable(path)]
        if not ready:
            return 0
        try:
            batch = intake.open_batch(declared=level, channel=Channel.FOLDER, actor=actor)
        except Refusal as refusal:
            why = _in_both_languages(refusal.__str__)
            for path in ready:
                _tried(self._put_aside, path, path.name, refusal.code, why)
            return 0
        return sum(_tried(self._take, path, batch, actor) for path in ready)

    def _is_stable(self, path: Path) -> bool:
        """Return whether a file has kept its size and time for STABLE_SECONDS."""
        try:
            now = path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(now.st_mode):
            return True
        seen = (now.st_size, now.st_mtime)
        if self.sizes.get(path) != seen:
            self.sizes[path] = seen
            return False
        return time.time() - now.st_mtime >= STABLE_SECONDS

    def _take(self, path: Path, batch: Batch, actor: Person) -> None:
        self.sizes.pop(path, None)
        scan_id = uuid.uuid4()
        # Renamed first: after a crash the id in the name tells whether the row was committed.
        taken = self.root / "taken" / f"{scan_id.hex}.file"
        note = {"name": path.name, "level": Level(batch.declared_level).slug}
        note_file = taken.with_suffix(".json")
        note_file.write_text(json.dumps(note), encoding="utf-8")
        try:
            path.rename(taken)
        except OSError:
            note_file.unlink()
            raise
        self._receive(taken, scan_id, batch, actor, path.name)

    def _receive(self, taken: Path, scan_id: uuid.UUID, batch: Batch, actor: Person, name: str) -> None:
        try:
            source = plain_file(taken)
        except OSError:
            scan = intake.refuse(batch, name=name, code=outcomes.NOT_A_FILE, actor=actor)
        else:
            with source:
                scan = intake.receive(source, name=name, batch=batch, actor=actor, scan_id=scan_id)
        if scan.state == ScanState.REFUSED:
            self._put_aside(taken, name, scan.code, _sentences(scan))

    def _settle(self, actor: Person) -> None:
        """Remove what is kept, put aside what was refused, receive again what a crash left without a row."""
        for taken in sorted((self.root / "taken").glob("*.file")):
            _tried(self._settle_one, taken, actor)

    def _settle_one(self, taken: Path, actor: Person) -> None:
        note_file = taken.with_suffix(".json")
        note = _note(note_file)
        if note is None:
            why = _in_both_languages(lambda: outcomes.sentence(outcomes.LEFT_BEHIND, {}))
            self._put_aside(taken, taken.name, outcomes.LEFT_BEHIND, why)
            return
        scan = Scan.objects.filter(pk=uuid.UUID(taken.stem)).first()
        if scan is None:
            batch = intake.open_batch(declared=Level.parse(note["level"]), channel=Channel.FOLDER, actor=actor)
            self._receive(taken, uuid.UUID(taken.stem), batch, actor, note["name"])
        elif scan.state == ScanState.REFUSED:
            self._put_aside(taken, note["name"], scan.code, _sentences(scan))
        elif scan.state != ScanState.WAITING and scan.original_id and store.stat(scan.original_id).exists:
            taken.unlink()
            note_file.unlink(missing_ok=True)

    def _put_aside(self, path: Path, name: str, code: str, why: str) -> None:
        stamp = timezone.localtime().strftime("%Y%m%d-%H%M%S")
        target = self.root / "refused" / f"{stamp}-{uuid.uuid4().hex[:6]}-{_short(intake.clean_name(name))}"
        path.rename(target)
        target.with_name(target.name + ".txt").write_text(f"{code}\n{why}\n", encoding="utf-8")
        if path.parent.name == "taken":
            path.with_suffix(".json").unlink(missing_ok=True)
        log.info("a file of the watched folder was refused (%s)", code)  # its name may say what it is about


def hands_in(username: str) -> Person | None:
    """Return the person in whose name the folder hands in; None: nothing is taken."""
    return Person.objects.filter(username=username, is_active=True).first()


def plain_file(path: Path) -> BinaryIO:
    """Open an ordinary file, never through a link and never a pipe or device."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not an ordinary file")
    return cast("BinaryIO", os.fdopen(handle, "rb"))


def _below(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder and its subfolders; a link to a folder is one thing and is not entered."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118
        yield from (Path(place, name) for name in (*files, *links))


def _tried(act: Callable[..., None], *arguments: object) -> bool:
    """Do something with one file; what goes wrong is logged and tried again at the next look."""
    try:
        act(*arguments)
    except FileNotFoundError:
        return False  # taken away in the meantime
    except Exception:
        log.exception("a file of the watched folder waits")
        return False
    return True


def _note(path: Path) -> dict[str, str] | None:
    """Return what was written beside a taken file; None when a crash cut it off."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        return {"name": str(note["name"]), "level": Level.parse(note["level"]).slug}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _short(name: str) -> str:
    """Return a name that fits beside the time and an ending, its own ending kept."""
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > LONGEST_NAME // 4:
        stem, dot, ending = name, "", ""
    room = LONGEST_NAME - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending


def _sentences(scan: Scan) -> str:
    return _in_both_languages(lambda: outcomes.sentence(scan.code, scan.reason))


def _in_both_languages(say: Callable[[], str]) -> str:
    sentences = []
    for language in ("vi", "en"):
        with translation.override(language):
            sentences.append(say())
    return "\n".join(sentences)
