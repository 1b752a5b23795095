"""Figures for Prometheus: how busy the machine is and how far behind, nothing about what it holds.

No label names a level, a unit, a person or a record. Numbers of files are of the queue,
all levels together, as the administrator's page shows them; what was filed long ago is not
counted at all. Answers count in the process that gave them (gunicorn with several processes
shares them through a folder, `config/gunicorn.py`); the state of the office is read from the
database, the store and the engine at the moment of asking, so workers need no port of their own.
"""

import logging
import os
import platform
from collections.abc import Iterable, Iterator
from typing import Final

import django
from django.conf import settings
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from archive import store
from archive.models import AuditEntry, AuditLeaf, AuditPending, Misplaced
from archive.rules.roles import Action
from archive.stores import chosen
from config import VERSION, archiving, parts
from ingest.models import Scan, ScanState
from search import finding

# Goals of a page lie at 0.04 to 0.15 s (bench-search); a page of half a minute has met the database's own limit.
BUCKETS: Final = (0.01, 0.025, 0.04, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0)
SIGN_IN: Final = "archive:sign-in"
SIGN_IN_CODE: Final = "archive:sign-in-code"
log = logging.getLogger("vankho.metrics")

OWN: Final = CollectorRegistry()
ANSWERS: Final = Counter("vankho_answers", "Answers by view and status.", ["view", "status"], registry=OWN)
SECONDS: Final = Histogram(
    "vankho_answer_seconds", "Time from a request to its headers.", ["view"], buckets=BUCKETS, registry=OWN
)
FAILED_SIGN_INS: Final = Counter(
    "vankho_failed_sign_ins", "Refused attempts to sign in: wrong, a wrong code, or locked out.", ["why"], registry=OWN
)


def answered(view: str, method: str, status: int, seconds: float) -> None:
    """Count one answer of this process."""
    ANSWERS.labels(view, str(status)).inc()
    SECONDS.labels(view).observe(seconds)
    if view == SIGN_IN_CODE and method == "POST" and status == 401:  # noqa: PLR2004
        FAILED_SIGN_INS.labels("code").inc()
    if view == SIGN_IN and method == "POST" and status in {401, 429}:
        FAILED_SIGN_INS.labels("wrong" if status == 401 else "locked").inc()  # noqa: PLR2004


def page() -> bytes:
    """Return all figures in the text form of Prometheus."""
    # Several processes share their counts through the folder that gunicorn's configuration names in the library's
    # own variable, before the library is loaded; alone, a process has its counts in memory.
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        answers = generate_latest(shared)
    else:
        answers = generate_latest(OWN)
    office = CollectorRegistry()
    office.register(Office())
    return answers + generate_latest(office)


class Office(Collector):
    """What is read at the moment of asking; a figure that cannot be had is left out, never guessed."""

    def collect(self) -> Iterable[Metric]:
        """Yield the figures."""
        for read in (_build, _parts, _queue, _oldest, _follower, _sequencer, _archiver, _room, _cell):
            try:
                yield from read()
            except Exception as fault:  # noqa: BLE001 - the part that is away must not hide the others
                log.warning("no figure from %s: %s", read.__name__.strip("_"), type(fault).__name__)


def _gauge(name: str, text: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _build() -> Iterator[Metric]:
    family = GaugeMetricFamily("vankho_build_info", "What runs here.", labels=["version", "django", "python"])
    family.add_metric([VERSION, django.get_version(), platform.python_version()], 1)
    yield family


def _parts() -> Iterator[Metric]:
    states = {name: float(up) for name, up in parts.states().items()}
    yield _labelled("vankho_part_up", "Whether a part answers.", "part", states)


def _queue() -> Iterator[Metric]:
    waiting = Scan.objects.filter(state=ScanState.WAITING)
    reading = waiting.filter(lease_until__gt=timezone.now()).count()
    counts: dict[str, float] = {
        "reading": reading,
        "waiting": waiting.count() - reading,
        "attention": Scan.objects.filter(state=ScanState.ATTENTION).count(),
    }
    yield _labelled("vankho_queue_files", "Files handed in and not yet settled, all levels.", "state", counts)


def _oldest() -> Iterator[Metric]:
    first = Scan.objects.filter(state=ScanState.WAITING).order_by("created_at").values_list("created_at", flat=True)
    oldest = first.first()
    age = 0.0 if oldest is None else (timezone.now() - oldest).total_seconds()
    yield _gauge("vankho_queue_oldest_seconds", "Age of the oldest file that waits or is read.", age)


def _follower() -> Iterator[Metric]:
    top = AuditLeaf.objects.order_by("-idx").values_list("idx", flat=True).first()
    behind = (0 if top is None else top + 1) - finding.engine().position()
    yield _gauge("vankho_follower_lag_entries", "Log entries the index has not followed yet.", max(0, behind))


def _sequencer() -> Iterator[Metric]:
    behind = AuditPending.objects.count()
    yield _gauge("vankho_sequencer_lag_entries", "Log entries that have no place in the sequence yet.", behind)


def _archiver() -> Iterator[Metric]:
    archiver = archiving.standing()
    if archiver is None:
        return
    fails = archiver.is_failing or (archiver.kept_at is None and archiver.is_late)
    yield _gauge("vankho_archiver_fails", "1: the database server cannot keep its log for the way back.", fails)
    if archiver.waiting is not None:
        yield _gauge("vankho_archiver_waiting_pieces", "Pieces of that log that are not kept yet.", archiver.waiting)


def _room() -> Iterator[Metric]:
    free = store.configured().driver.free_bytes()
    if free is not None:
        yield _gauge("vankho_store_free_bytes", "Room left for sealed objects.", free)
    if chosen.has_places():
        behind = Misplaced.objects.count()
        yield _gauge("vankho_store_misplaced", "Objects whose bytes do not lie where their level does yet.", behind)
    yield _gauge("vankho_store_floor_bytes", "Below this much room new files are refused.", settings.FREE_DISK_FLOOR)


def _cell() -> Iterator[Metric]:
    started = (
        AuditEntry.objects.filter(action=Action.START, detail__payload__has_key="through")
        .select_related("detail")
        .order_by("-ts")
        .first()
    )
    if started is not None:
        holds = not started.detail.payload.get("through")
        yield _gauge("vankho_cell_holds", "1: the last worker started proved its cell; 0: attacks got through.", holds)
