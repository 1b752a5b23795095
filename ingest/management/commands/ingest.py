"""`manage.py ingest`: hand files or folders in from the command line.

With --wait the files are also read here, beside any running worker. Exit status: 0
every file has a clean outcome, 1 something needs attention, 2 wrong use.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.management.answering import acting, answering, named
from archive.models import Person
from archive.rules.levels import Level
from archive.store import StoreFailed
from ingest import folder, intake, outcomes, pipeline, worker
from ingest.models import Batch, Channel, Scan, ScanState

LEVELS = ("thuong", "mat", "toi-mat")


class Command(BaseCommand):
    """Hand files in."""

    help = "Hand files or folders in under a declared level."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--level", required=True, choices=LEVELS, help="declared before anything is read")
        parser.add_argument("--as", required=True, dest="username", metavar="USER", help="in whose name")
        parser.add_argument("--wait", action="store_true", help="read the files and wait for their outcomes")
        parser.add_argument("--json", action="store_true", help="one JSON object a line and file on standard output")
        parser.add_argument("--text", type=Path, metavar="DIR", help="write what was read of each file as UTF-8 text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written: set[Path] = set()

    @acting("ingest", by="username")
    def handle(self, *, paths: list[Path], level: str, username: str, wait: bool, **options: Any) -> None:
        person = named(username)
        missing = [str(path) for path in paths if not path.exists() and not path.is_symlink()]
        if missing:
            raise CommandError(f"Not found: {', '.join(missing)}", returncode=2)
        with answering("ingest", actor=person):
            batch = intake.open_batch(declared=Level.parse(level), channel=Channel.COMMAND, actor=person)
        handed = self._hand_in(walked(paths), batch, person)
        if wait or options["text"]:
            self._read_all(batch)
        ends = [self._tell(source, relative, scan, options) for source, relative, scan in handed]
        self._sum(ends)
        if any(end["outcome"] == "attention" for end in ends):
            sys.exit(1)

    def _hand_in(self, files: list[tuple[Path, Path]], batch: Batch, person: Person) -> list[tuple[Path, Path, Scan]]:
        handed = []
        for count, (source, relative) in enumerate(files, start=1):
            handed.append((source, relative, hand_in(source, batch, person)))
            self._progress("sealing", count, len(files))
        return handed

    def _read_all(self, batch: Batch) -> None:
        """Drive the batch to its end here, beside any worker that runs."""
        total = batch.scans.count()
        crew = worker.Workers()
        crew.start()
        try:
            while waiting := batch.scans.filter(state=ScanState.WAITING).count():
                self._progress("reading", total - waiting, total)
                crew.stopping.wait(0.2)
            self._progress("reading", total, total)
        finally:
            crew.stop()

    def _tell(self, source: Path, relative: Path, scan: Scan, options: dict[str, Any]) -> dict[str, Any]:
        scan.refresh_from_db()
        if options["text"] and scan.pack_id:
            write_text(self._free_name(options["text"] / relative), scan)
        end = outcome_of(source, scan)
        if options["json"]:
            self.stdout.write(json.dumps(end, ensure_ascii=False))
        elif end["code"]:
            self.stdout.write(f"{end['source']}: {end['outcome']}: {end['code']} {end['reason']}")
        return end

    def _free_name(self, target: Path) -> Path:
        """Return a name for a text that this run has not given yet: two folders may hold files of one name."""
        names = (target, *(target.with_name(f"{target.stem}-{count}{target.suffix}") for count in range(2, 10_000)))
        free = next(name for name in names if name not in self.written)
        self.written.add(free)
        return free

    def _progress(self, what: str, done: int, total: int) -> None:
        filled = 30 * done // max(total, 1)
        self.stderr.write(f"\r{what:8} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}", ending="")
        if done == total:
            self.stderr.write("")

    def _sum(self, ends: list[dict[str, Any]]) -> None:
        words = ("filed", "waiting", "attention", "duplicate", "refused")
        counts = {word: sum(end["outcome"] == word for end in ends) for word in words}
        parts = " + ".join(f"{count} {word}" for word, count in counts.items() if count)
        self.stderr.write(f"{len(ends)} = {parts or '0'}")


def walked(paths: list[Path]) -> list[tuple[Path, Path]]:
    """Return each file with its place relative to the path it was named by; folders are walked in order."""

    def below(path: Path) -> Iterator[tuple[Path, Path]]:
        if path.is_dir() and not path.is_symlink():
            for inner in sorted(path.rglob("*")):
                if inner.is_symlink() or not inner.is_dir():
                    yield inner, inner.relative_to(path)
        else:
            yield path, Path(path.name)

    return [pair for path in paths for pair in below(path)]


def hand_in(source: Path, batch: Batch, person: Person) -> Scan:
    """Take one file in; a link, pipe or device is refused without being followed."""
    try:
        with folder.plain_file(source) as plain:
            return intake.receive(plain, name=source.name, batch=batch, actor=person)
    except StoreFailed:
        return intake.turn_away(batch, name=source.name, actor=person)
    except OSError:
        return intake.refuse(batch, name=source.name, code=outcomes.NOT_A_FILE, actor=person)


def outcome_of(source: Path, scan: Scan) -> dict[str, Any]:
    """Return the line of one file (names of the data dictionary)."""
    duplicate = scan.code == outcomes.DUPLICATE
    suggested = scan.suggested_level
    return {
        "source": os.fsencode(source).decode(errors="replace"),
        "outcome": "duplicate" if duplicate else scan.state,
        "code": scan.code,
        "reason": outcomes.sentence(scan.code, scan.reason),
        "scan": str(scan.pk),
        "record": scan.record.key if scan.record else None,
        "sha256": scan.sha256,
        "type": scan.media_type,
        "pages": scan.page_count,
        "declared_level": Level(scan.declared_level).slug,
        "suggested_level": None if suggested is None else Level(suggested).slug,
        "flags": scan.flags,
        "fields": scan.proposal,
    }


def write_text(target: Path, scan: Scan) -> None:
    """Write what was read of a file beside the given name, pages parted by form feeds."""
    text = "\f".join(pipeline.text_of(scan, page).text for page in scan.reading["pages"])
    target = target.with_name(target.name + ".txt")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
