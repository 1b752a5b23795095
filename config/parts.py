"""The parts an installation is made of, and whether each answers: for probes and figures.

Each part is asked in a thread of its own, so that one which hangs delays nobody for longer
than a limit. Nothing here tells why a part is away to anyone but the operators' log.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from archive import store
from archive.stores import chosen
from archive.stores.refusals import Shredded
from search import finding, lagging

LIMIT_SECONDS: Final = 4.0  # a part that has not answered by then is away; probes of containers wait 5 s
KEPT_SECONDS: Final = 1.0  # strangers may ask as often as they like, the parts are asked once
NOBODY: Final = bytes(16)  # an id that no object has: ids are drawn at random, all zeros never comes
log = logging.getLogger("vankho.parts")


class NotMigrated(Exception):  # noqa: N818 - a state
    """The database is older than the program."""


class Late(Exception):  # noqa: N818 - a state
    """The index is lost, or nobody makes it follow the log: what is not found may be there."""


class Damaged(Exception):  # noqa: N818 - a state
    """Texts of the index cannot be read: passages are missing until a worker has built it anew."""


class NotPrepared(Exception):  # noqa: N818 - a state
    """The place for sealed objects is not made yet: manage.py prepare_store."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _kept.migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise NotMigrated
        _kept.migrated = True


def _store() -> None:
    driver = store.configured().driver
    driver.stat(NOBODY.hex())
    driver.free_bytes()
    if chosen.missing():  # a server answers "no such object" where there is no bucket, too
        raise NotPrepared


def _vault() -> None:
    try:
        store.configured().vault.get(NOBODY)
    except Shredded:
        return  # the vault was asked and knows of no such key


def _search() -> None:
    if lagging.is_late(finding.engine()):
        raise Late
    if finding.engine().is_damaged():
        raise Damaged


PARTS: Final = {"database": _database, "store": _store, "vault": _vault, "search": _search}
DISPENSABLE: Final = frozenset({"search"})


class _Kept:
    """What this process knows of its parts."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.migrated = False
        self.states: dict[str, bool] = {}
        self.until = 0.0
        self.asked: dict[str, Future[bool]] = {}
        # One thread per part: a part that hangs keeps its own and never a second one.
        self.pool = ThreadPoolExecutor(len(PARTS), thread_name_prefix="probe")


_kept = _Kept()


def states() -> dict[str, bool]:
    """Return for each part whether it answers, at most KEPT_SECONDS old; takes at most LIMIT_SECONDS."""
    with _kept.lock:
        if time.monotonic() >= _kept.until:
            _kept.states = _ask_all()
            _kept.until = time.monotonic() + KEPT_SECONDS
        return dict(_kept.states)


def forget() -> None:
    """Ask every part anew at the next look, the migrations too."""
    _kept.until, _kept.migrated = 0.0, False


def _ask_all() -> dict[str, bool]:
    for name, ask in PARTS.items():
        if name not in _kept.asked or _kept.asked[name].done():
            _kept.asked[name] = _kept.pool.submit(_answers, name, ask)
    wait(_kept.asked.values(), timeout=LIMIT_SECONDS)
    return {name: asked.done() and asked.result() for name, asked in _kept.asked.items()}


def _answers(name: str, ask: Callable[[], None]) -> bool:
    try:
        ask()
    except Exception as fault:  # noqa: BLE001 - every fault is an answer here
        log.warning("%s does not answer: %s", name, type(fault).__name__)
        return False
    finally:
        connections.close_all()
    return True
