"""Claims scans and drives them through the pipeline; any number of workers may run.

A claim is a conditional update that sets a lease and raises the fence. A lease is
renewed while work goes on; when its owner is dead on this machine it is freed at once,
else when it runs out. Failures that may pass are tried again with a growing pause; the
last one ends in "needs attention" with its reason and a retry.
"""

import contextlib
import ctypes
import gc
import logging
import os

# nosemgrep: network - the machine's own name
import socket
import threading
import time
from datetime import timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, close_old_connections, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from archive.store import StoreAway, StoreFull
from ingest import outcomes, pipeline, sandbox
from ingest.models import Scan, ScanState
from ingest.pipeline import Claim, Ended, LostClaim

LEASE: Final = timedelta(seconds=60)
RENEW_SECONDS: Final = 10
TRIES: Final = 4
MOST_CLAIMS: Final = 12  # a file whose worker is killed each time, before it can say why, ends as well
POLL_SECONDS: Final = 0.4
OUTAGE_PAUSE: Final = timedelta(seconds=15)  # between looks at a store that is away: one request or two for each scan
IDLE_LOOKS: Final = 12  # looks without work after which freed memory goes back to the machine
AWAY: Final = (OperationalError, InterfaceError)  # what the database's absence looks like
log = logging.getLogger("vankho.worker")


def claim() -> Claim | None:
    """Take the oldest waiting scan whose time has come, or None.

    On PostgreSQL a row that another worker is taking this moment is passed over, so workers
    never queue behind each other; on SQLite one writer is alone anyway. Fence and state stand
    in the update as well: a row that changed since it was seen is not taken.
    """
    if not _ready().exists():  # a plain look: an idle worker opens no writing transaction
        return None
    with transaction.atomic():
        oldest = _ready().order_by("not_before", "created_at", "order").select_for_update(skip_locked=True)
        found = oldest.values_list("pk", "fence").first()
        if found is None:
            return None
        pk, fence = found
        taken = Scan.objects.filter(pk=pk, fence=fence, state=ScanState.WAITING).update(
            fence=fence + 1,
            lease_until=timezone.now() + LEASE,
            owner=owner(),
            attempts=F("attempts") + 1,
            code="",  # of an outage that it waited for
        )
    return Claim(pk, fence + 1) if taken else None


def _ready() -> QuerySet[Scan]:
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return Scan.objects.filter(free, state=ScanState.WAITING, not_before__lte=now)


def owner() -> str:
    """Return the name of this process in a lease (after a fork too)."""
    return f"{socket.gethostname()}:{os.getpid()}"


def free_dead() -> int:
    """Free the leases of workers of this machine that are gone; return how many."""
    freed = 0
    host = socket.gethostname()
    held = Scan.objects.filter(state=ScanState.WAITING, lease_until__isnull=False, owner__startswith=f"{host}:")
    for name in set(held.values_list("owner", flat=True)):
        if not _alive(int(name.rsplit(":", 1)[1])):
            freed += held.filter(owner=name).update(lease_until=None, fence=F("fence") + 1)
    return freed


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def work_once() -> Scan | None:
    """Claim one scan and drive it to its end; return it, or None when nothing waits."""
    claimed = claim()
    if claimed is None:
        return None
    renewal = _Renewal(claimed)
    renewal.start()
    try:
        if _kills_its_workers(claimed):
            return None
        return pipeline.advance(claimed)
    except LostClaim:
        log.info("scan %s: another worker has it", claimed.scan_id)
    except Exception as fault:  # noqa: BLE001 - whatever went wrong, the queue must move on
        _put_back(claimed, fault)
    finally:
        renewal.stop()
    return None


def _kills_its_workers(claimed: Claim) -> bool:
    """End a scan that was claimed again and again and never came to any answer."""
    scan = Scan.objects.filter(pk=claimed.scan_id, fence=claimed.fence, state=ScanState.WAITING).first()
    if scan is None or scan.attempts <= MOST_CLAIMS:
        return False
    pipeline.finish(scan, claimed, Ended(outcomes.FAILED, times=MOST_CLAIMS, why="killed"))
    return True


def _put_back(claimed: Claim, fault: Exception) -> None:
    """Say in the row what became of a scan, as soon as the database takes it.

    While the database is away the claim is still ours: left behind it would keep the scan from
    everybody for the rest of the lease, and the outage would have cost the file a try. After a
    lease's length others have it.
    """
    until = time.monotonic() + LEASE.total_seconds()
    is_away = isinstance(fault, AWAY)
    while True:
        if is_away:
            close_old_connections()  # one that broke outside a transaction stays broken until it is looked at
        try:
            return _failed(claimed, fault)
        except AWAY:
            is_away = True
            if time.monotonic() > until:
                raise
            time.sleep(POLL_SECONDS)


def _failed(claimed: Claim, fault: Exception) -> None:
    """Put a scan back with a growing pause, or end it when it has failed too often."""
    why = fault.reason if isinstance(fault, sandbox.CellFailed) else type(fault).__name__
    log.warning("scan %s: %s", claimed.scan_id, why, exc_info=not isinstance(fault, sandbox.CellFailed))
    scan = Scan.objects.filter(pk=claimed.scan_id, fence=claimed.fence, state=ScanState.WAITING).first()
    if scan is None:
        return
    if isinstance(fault, StoreAway | StoreFull):
        _await(scan, claimed, code=outcomes.STORE_AWAITED)
        return
    if isinstance(fault, AWAY):  # the database was away or too busy, and is back
        _await(scan, claimed, code="")
        return
    if scan.attempts >= TRIES:
        pipeline.finish(scan, claimed, Ended(outcomes.FAILED, times=scan.attempts, why=why))
        return
    pause = timedelta(seconds=2**scan.attempts)
    pipeline.commit(scan, claimed, lease_until=None, not_before=timezone.now() + pause)


def _await(scan: Scan, claimed: Claim, *, code: str) -> None:
    """Let a scan wait for a server that is away or full: that is no fault of the file and costs it no try."""
    pipeline.commit(
        scan,
        claimed,
        lease_until=None,
        not_before=timezone.now() + OUTAGE_PAUSE,
        attempts=scan.attempts - 1,
        code=code,
        reason={},
    )


class _Renewal(threading.Thread):
    """Renews a lease while its scan is being worked on."""

    def __init__(self, claimed: Claim) -> None:
        super().__init__(daemon=True)
        self.claimed = claimed
        self.done = threading.Event()

    def run(self) -> None:
        """Renew until stopped or the claim is lost."""
        while not self.done.wait(RENEW_SECONDS):
            try:
                if not self._renew():
                    break
            except AWAY:  # the next look may meet it again; a renewal that ended would give a long reading away
                close_old_connections()
        connections.close_all()  # of this thread; a server counts connections, and every scan has a renewal

    def _renew(self) -> int:
        held = Scan.objects.filter(pk=self.claimed.scan_id, fence=self.claimed.fence, state=ScanState.WAITING)
        return held.update(lease_until=timezone.now() + LEASE)

    def stop(self) -> None:
        """End the renewal."""
        self.done.set()
        self.join()


def give_memory_back() -> None:
    """Return freed page buffers to the machine: the allocator keeps them, tens of megabytes for each thread."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)  # of glibc; other libraries keep less


class Workers:
    """Threads that each drive one scan at a time until asked to stop."""

    def __init__(self, *, threads: int = 0) -> None:
        """Prepare; 0 threads means one per processor."""
        self.stopping = threading.Event()
        count = threads or len(os.sched_getaffinity(0))
        self.threads = [threading.Thread(target=self._loop, name=f"scan-{n}", daemon=True) for n in range(count)]

    def start(self) -> None:
        """Free what dead workers held, then begin; a database that is away now is waited for by the threads."""
        try:
            free_dead()
        except AWAY:
            log.warning("the database is away at this start; the worker waits for it")
        for thread in self.threads:
            thread.start()

    def stop(self, *, wait_seconds: float = 20) -> None:
        """Ask the threads to stop after their present scan and wait for them."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(wait_seconds)
        sandbox.close()

    def _loop(self) -> None:
        idle_looks = 0
        while not self.stopping.is_set():
            try:
                worked = _look()
            except Exception:  # a database that is away, above all: this thread is the one that will read again
                log.exception("the worker goes on")
                worked = False
            idle_looks = 0 if worked else idle_looks + 1
            if not worked:
                close_old_connections()
                self.stopping.wait(POLL_SECONDS)
            if idle_looks == IDLE_LOOKS:
                give_memory_back()
        connections.close_all()


def _look() -> bool:
    """Drive one scan to its end; with none to drive, free what the dead held. Return whether there was one."""
    if work_once():
        return True
    free_dead()
    return False
