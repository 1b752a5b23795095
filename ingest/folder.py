"""The watched folder: one subfolder per level, `inbox/thuong`, `inbox/mat`, `inbox/toi-mat`.

A file is taken when it has not changed for a while. It is first moved, inside the
folder, to a name that carries the id its row will have; it is removed only after that
row is committed and the file is kept, and moved to `refused/` with the reason in a text
file beside it when it is refused. Links, pipes and devices are never followed.
"""

import json
import logging
import os
import stat
import time
import uuid
from pathlib import Path
from typing import BinaryIO, Final, cast

from django.utils import timezone, translation

from archive.models import Person
from archive.rules.errors import Refusal
from archive.rules.levels import LEVEL_SLUGS, Level
from ingest import intake, outcomes
from ingest.models import Batch, Channel, Scan, ScanState

STABLE_SECONDS: Final = 3.0
RESCAN_SECONDS: Final = 2.0
log = logging.getLogger("vankho.folder")


class Inbox:
    """Watches one folder in the name of one person."""

    def __init__(self, root: Path, *, username: str) -> None:
        """Remember the folder; nothing is touched yet."""
        self.root = root
        self.username = username
        self.sizes: dict[Path, tuple[int, float]] = {}

    def sweep(self) -> int:
        """Look once: settle what was taken before, take what has become stable; return how many were taken."""
        actor = Person.objects.filter(username=self.username, is_active=True).first()
        if actor is None:
            return 0
        self._make_folders()
        self._settle(actor)
        return sum(self._take_level(level, actor) for level in Level if (self.root / level.slug).is_dir())

    def _make_folders(self) -> None:
        for name in ("taken", "refused", *(LEVEL_SLUGS[level] for level in (Level.THUONG, Level.MAT, Level.TOI_MAT))):
            (self.root / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    def _take_level(self, level: Level, actor: Person) -> int:
        ready = [path for path in sorted((self.root / level.slug).iterdir()) if self._is_stable(path)]
        if not ready:
            return 0
        try:
            batch = intake.open_batch(declared=level, channel=Channel.FOLDER, actor=actor)
        except Refusal as refusal:
            for path in ready:
                self._put_aside(path, path.name, refusal.code, str(refusal))
            return 0
        for path in ready:
            self._take(path, batch, actor)
        return len(ready)

    def _is_stable(self, path: Path) -> bool:
        """Return whether a file has kept its size and time for STABLE_SECONDS."""
        try:
            now = path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(now.st_mode):
            return not stat.S_ISDIR(now.st_mode)
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
        taken.with_suffix(".json").write_text(json.dumps(note), encoding="utf-8")
        path.rename(taken)
        self._receive(taken, scan_id, batch, actor, path.name)

    def _receive(self, taken: Path, scan_id: uuid.UUID, batch: Batch, actor: Person, name: str) -> None:
        try:
            with plain_file(taken) as source:
                scan = intake.receive(source, name=name, batch=batch, actor=actor, scan_id=scan_id)
        except OSError:
            scan = intake.refuse(batch, name=name, code=outcomes.NOT_A_FILE, actor=actor)
        if scan.state == ScanState.REFUSED:
            self._put_aside(taken, name, scan.code, _both_languages(scan.code, scan.reason))

    def _settle(self, actor: Person) -> None:
        """Remove what is kept, put aside what was refused, receive again what a crash left without a row."""
        for taken in (self.root / "taken").glob("*.file"):
            note_file = taken.with_suffix(".json")
            note = json.loads(note_file.read_text(encoding="utf-8"))
            scan = Scan.objects.filter(pk=uuid.UUID(taken.stem)).first()
            if scan is None:
                batch = intake.open_batch(declared=Level.parse(note["level"]), channel=Channel.FOLDER, actor=actor)
                self._receive(taken, uuid.UUID(taken.stem), batch, actor, note["name"])
            elif scan.state == ScanState.REFUSED:
                self._put_aside(taken, note["name"], scan.code, _both_languages(scan.code, scan.reason))
            elif scan.state != ScanState.WAITING:
                taken.unlink()
                note_file.unlink(missing_ok=True)

    def _put_aside(self, path: Path, name: str, code: str, why: str) -> None:
        stamp = timezone.localtime().strftime("%Y%m%d-%H%M%S")
        target = self.root / "refused" / f"{stamp}-{uuid.uuid4().hex[:6]}-{intake.clean_name(name)}"
        path.rename(target)
        target.with_name(target.name + ".txt").write_text(f"{code}\n{why}\n", encoding="utf-8")
        if path.parent.name == "taken":
            path.with_suffix(".json").unlink(missing_ok=True)
        log.info("refused %s (%s)", target.name, code)


def plain_file(path: Path) -> BinaryIO:
    """Open an ordinary file, never through a link and never a pipe or device."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not an ordinary file")
    return cast("BinaryIO", os.fdopen(handle, "rb"))


def _both_languages(code: str, reason: dict[str, object]) -> str:
    sentences = []
    for language in ("vi", "en"):
        with translation.override(language):
            sentences.append(outcomes.sentence(code, reason))
    return "\n".join(sentences)
