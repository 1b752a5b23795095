"""`manage.py demo`: fill a sample office through the real doors, once.

The letters are written by the product's own sample writer and go through the real
pipeline: nothing that was read is stored beforehand. With --dispatches 0 there are
people, units, registers and file plan only.
"""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from archive import sequencing
from archive.models import Person
from archive.rules.levels import Level
from config import founding, roles
from config.sample import files, living
from config.sample.founding import found
from ingest import intake, worker
from ingest.models import Batch, Channel, Scan, ScanState
from search import follow


class Command(BaseCommand):
    """Fill a sample office."""

    help = "Fill an empty evaluation installation with a sample office."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dispatches", type=int, default=40, help="how many letters to write and read (0: none)")

    def handle(self, *, dispatches: int, **_options: Any) -> None:
        if settings.PROFILE != "evaluation":
            raise CommandError("The sample office belongs to the evaluation profile only. Unset VANKHO_PROFILE.")
        try:
            roles.bring_up_to_date()
        except roles.NotPrepared as refusal:
            raise CommandError(f"{refusal.code}: {refusal}") from refusal
        if founding.is_founded():
            self.stdout.write("The office is there already; nothing was added.")
            return
        if settings.SITE_MAX_LEVEL < Level.TOI_MAT and dispatches:
            raise CommandError(
                "The sample letters go up to Tối mật. Unset VANKHO_SITE_MAX_LEVEL and run this again, or found an office "
                "without letters: --dispatches 0. The ceiling can be lowered afterwards."
            )
        found()
        if dispatches:
            self._fill(dispatches)
        self.stdout.write(f"Sign in as clerk, leader, staff, archivist, auditor… with: {settings.DEMO_PASSWORD}")

    def _fill(self, dispatches: int) -> None:
        clerk = Person.objects.get(username="clerk")
        with tempfile.TemporaryDirectory() as folder:
            pairs = self._hand_in(Path(folder), dispatches, clerk)
        self._read([scan for scan, _letter in pairs])
        drafts = [(record, letter) for scan, letter in pairs if (record := self._fresh(scan).record)]
        living.live(drafts, tell=lambda done, total: self._progress("working", done, total))
        self._index()

    def _hand_in(self, folder: Path, dispatches: int, clerk: Person) -> list[tuple[Scan, Any]]:
        """Write the letters and hand each in under the level that stands on it, as a scanner operator does."""
        batches: dict[Level, Batch] = {}
        pairs = []
        for done, written in enumerate(files.writing(folder, dispatches, today=timezone.localdate()), start=1):
            level = written.letter.secrecy
            if level not in batches:
                batches[level] = intake.open_batch(declared=level, channel=Channel.COMMAND, actor=clerk)
            with written.path.open("rb") as source:
                scan = intake.receive(source, name=written.path.name, batch=batches[level], actor=clerk)
            pairs.append((scan, written.letter))
            self._progress("writing", done, dispatches)
        return pairs

    def _read(self, scans: list[Scan]) -> None:
        crew = worker.Workers()
        crew.start()
        try:
            waiting = Scan.objects.filter(pk__in=[scan.pk for scan in scans], state=ScanState.WAITING)
            while left := waiting.count():
                self._progress("reading", len(scans) - left, len(scans))
                crew.stopping.wait(0.2)
            self._progress("reading", len(scans), len(scans))
        finally:
            crew.stop()

    @staticmethod
    def _fresh(scan: Scan) -> Scan:
        scan.refresh_from_db()
        return scan

    def _index(self) -> None:
        sequencing.place_all()
        follower = follow.Follower()
        while follower.catch_up():
            continue
        follower.close()

    def _progress(self, what: str, done: int, total: int) -> None:
        filled = 30 * done // max(total, 1)
        self.stderr.write(f"\r{what:8} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}", ending="")
        if done == total:
            self.stderr.write("")
