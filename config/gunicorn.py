"""Gunicorn for an office with many people: several processes of several threads, one set of counts.

Used as `gunicorn --config config/gunicorn.py config.wsgi` (compose profile `office`); the
evaluation's `manage.py serve` has one process and does not read this. Sessions, lock-outs and
everything else that processes share lie in the database.
"""

import os
import sys
import tempfile
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The counts of all processes meet in this folder. The library looks for its variable when it is loaded, so this
# stands before anything of ours; the folder is new at each start, or counts of dead processes would come back.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="vankho-counts-")

from django.conf import settings

from config import collecting, door

door.is_watched = True  # `on_starting` looks, and writes start and stop of all processes as one

# Inside the container; published on the host's loopback only. An evaluation copy is never offered to a network.
bind = "127.0.0.1:8000" if settings.PROFILE == "evaluation" else "0.0.0.0:8000"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
worker_class = "gthread"
preload_app = True  # loaded once, shared by all processes: 35 MiB for each instead of 70 (measured, 3 processes)
timeout = 120  # seconds without a sign of life; a page is ended long before by the database's own limit
graceful_timeout = 30
max_requests = 20_000  # a process is replaced now and then: no leak of any library lives for long
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the sign of life must not wait for a disk
control_socket_disable = True
accesslog = None  # our own line says who, what and how long without the address (`config.logs`)
logconfig_dict = settings.LOGGING


def on_starting(server: Any) -> None:
    """Run the start-up checks, as every command of manage.py does; a fault ends the start with its cure."""
    asked = [address[0] for address in server.cfg.address if isinstance(address, tuple)]
    if settings.PROFILE == "evaluation" and not LOOPBACK.issuperset(asked):
        raise SystemExit("The evaluation profile binds to loopback only. Set VANKHO_PROFILE=production.")
    try:
        door.begin("gunicorn")
    except door.NotOpened as fault:
        raise SystemExit(str(fault)) from None


def when_ready(server: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Say how processes look for garbage, before they are made."""
    collecting.put_aside()
    collecting.look_seldom()


def on_exit(server: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Write a clean end into the log; gunicorn comes here with the fault in hand when its processes could not live."""
    from gunicorn.errors import HaltServer

    from config import lifetime

    if not isinstance(sys.exception(), HaltServer):
        lifetime.ended("gunicorn")


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Let the live figures of an ended process go; its counts stay in the sums."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
