"""Everything that runs beside the web process: scans, the watched folder, the index follower, timers."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import close_old_connections

from archive import locking, publishing, sequencing, settling, tallies
from archive.leveling import keys
from config import lifetime
from ingest import folder, leftovers, sandbox
from ingest.worker import Workers
from search import follow

FOLLOW_SECONDS: Final = 0.3
TELL_AGAIN_SECONDS: Final = 60  # the same failure of a loop is told again after so long
BEAT_SECONDS: Final = 5.0
log = logging.getLogger("vankho.worker")


def prove_cell() -> str:
    """Run the attacks of the self-test, write the outcome to the log and for the status page; return its line.

    A cell that lets an attack through still reads unclassified files (the production
    ceiling), but says so at every start until it is mended.
    """
    report = sandbox.self_test()
    sandbox.close()
    settings.VANKHO_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    (settings.VANKHO_HOME / "cell.txt").write_text(report.line + "\n", encoding="utf-8")
    log.log(logging.INFO if report.holds else logging.ERROR, "%s %s", report.line, " ".join(report.through))
    lifetime.began("work", cell=report.line.removeprefix("cell: "), through=list(report.through))
    return report.line


class Machine:
    """The worker of an installation: starts every loop, stops every loop."""

    def __init__(self) -> None:
        """Prepare the loops; nothing runs yet."""
        self.stopping = threading.Event()
        self.next_beat = 0.0
        self.scans = Workers(threads=settings.WORK_THREADS)
        inbox = folder.Inbox(settings.INBOX, username=settings.INBOX_USER)
        self.follower = follow.Follower()
        self.loops = [
            threading.Thread(target=self._every, args=(folder.RESCAN_SECONDS, inbox.sweep), name="inbox", daemon=True),
            threading.Thread(
                target=self._every, args=(FOLLOW_SECONDS, self.follower.catch_up), name="follow", daemon=True
            ),
            threading.Thread(
                target=self._every, args=(leftovers.SWEEP_SECONDS, leftovers.sweep), name="leftovers", daemon=True
            ),
            threading.Thread(
                target=self._every, args=(sequencing.EVERY_SECONDS, sequencing.sweep), name="places", daemon=True
            ),
            threading.Thread(
                target=self._every, args=(publishing.EVERY_SECONDS, publishing.sweep), name="heads", daemon=True
            ),
            threading.Thread(
                target=self._every, args=(tallies.EVERY_SECONDS, tallies.sweep), name="tallies", daemon=True
            ),
            threading.Thread(
                target=self._every, args=(locking.SWEEP_SECONDS, locking.sweep), name="locks", daemon=True
            ),
            threading.Thread(target=self._every, args=(keys.EVERY_SECONDS, keys.sweep), name="levels", daemon=True),
            threading.Thread(
                target=self._every, args=(settling.EVERY_SECONDS, settling.sweep), name="bytes", daemon=True
            ),
        ]

    def start(self) -> None:
        """Prove the cell, then start every loop."""
        try:
            prove_cell()
        except (
            Exception
        ):  # a machine too busy to be tested at start must still read; each job's cell stands or fails alone
            log.exception("the cell could not be proven at this start; run: manage.py cell")
            lifetime.began("work")
        self.scans.start()
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """Stop cleanly: present scans are put back or finished, the index is committed."""
        self.stopping.set()
        self.scans.stop()
        for loop in self.loops:
            loop.join(10)
        self.follower.close()

    def run_until(self, ended: Callable[[], bool]) -> None:
        """Run until told to end; a clean end stands in the log."""
        self.start()
        try:
            while not ended():
                self.beat()
                time.sleep(0.2)
        finally:
            self.stop()
        lifetime.ended("work")

    def beat(self) -> None:
        """Leave a sign of life for the container's probe while every thread lives: the time of `worker.beat`."""
        if time.monotonic() < self.next_beat or not all(one.is_alive() for one in (*self.loops, *self.scans.threads)):
            return
        self.next_beat = time.monotonic() + BEAT_SECONDS
        with contextlib.suppress(OSError):  # a disk in trouble stops no work by this
            (settings.VANKHO_HOME / "worker.beat").touch(mode=0o600)

    def _every(self, seconds: float, act: Callable[[], object]) -> None:
        failing: type[Exception] | None = None
        name, quiet_until = threading.current_thread().name, 0.0
        while not self.stopping.wait(seconds):
            try:
                act()
                if failing is not None:
                    log.warning("%s is well again", name)
                failing = None
            except Exception as error:
                # A loop that looks several times a second would fill the disk while a server is away.
                if type(error) is not failing or time.monotonic() >= quiet_until:
                    log.exception("%s goes on", name)
                    failing, quiet_until = type(error), time.monotonic() + TELL_AGAIN_SECONDS
            finally:
                close_old_connections()
