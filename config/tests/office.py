"""The people and the office that every test knows (a pytest plugin, loaded by pyproject.toml).

`office` is a small command: clerk, leader, staff, archivist, auditor, security, admin,
and `stranger`, who is in another unit and has no clearance. `make_draft` and
`make_record` put records into it through the real acts. The installation of a test run
lies in a folder of its own that is removed afterwards.
"""

import importlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

HOME = Path(tempfile.mkdtemp(prefix="vankho-test-"))
os.environ["VANKHO_HOME"] = str(HOME)
os.environ["VANKHO_PROFILE"] = "evaluation"
# The name is a setting here, so that no count of queries hangs on when the root of the units was last read.
os.environ["VANKHO_OFFICE_NAME"] = "BỘ CHQS TỈNH VĨNH LONG"
# Real servers of a test run: their addresses come as VANKHO_TEST_*; every run has names of its own on them.
RUN = f"t{os.getpid()}"
if os.environ.get("VANKHO_TEST_DATABASE_URL"):
    os.environ["VANKHO_DATABASE_URL"] = os.environ["VANKHO_TEST_DATABASE_URL"].rsplit("/", 1)[0] + f"/vankho_{RUN}"

import pytest
from hypothesis import HealthCheck, settings
from pytest_django.plugin import blocking_manager_key

from config.tests.by_hand import (  # noqa: F401 - tests know them from here
    JPEG,
    LONG_AGO,
    Office,
    _draft,
    _person,
    borne_out,
    found,
    pack_of,
    page_text,
    seal,
    with_password,
)

# A busy machine draws slowly: how long an example takes is no property of what is tested.
settings.register_profile("office", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("office")


def pytest_configure() -> None:
    """End a run that is told to stop as Ctrl-C ends it: what its tests started is stopped, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Remove the installation of the test run."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish() -> None:
    """Take away the signed heads and the index of a test: the log that they followed went with it, and no test continues it."""
    finding = sys.modules.get("search.finding")
    if finding and finding.engine.cache_info().currsize:
        finding.engine().release()
        finding.engine.cache_clear()
        finding._backlog.cache_clear()
    audit = sys.modules.get("archive.audit")
    if audit:
        audit.HEAD_WAITS.set(audit.Waits.NO)
    for followed in ("log", "index"):
        shutil.rmtree(HOME / followed, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Lift the log's fence while the rows of a test that really committed are removed."""
    marker = item.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        return (yield)
    with item.config.stash[blocking_manager_key].unblock(), fence_lifted(for_good=nextitem is None):
        return (yield)


@contextmanager
def fence_lifted(*, for_good: bool = False) -> Iterator[None]:
    """Let rows of the log go while a test's rows are cleaned away; after the last test the database goes with them."""
    from django.db import connection

    tables = (
        "archive_auditentry",
        "archive_auditleaf",
        "archive_auditdetail",
        "archive_auditrow",
        "archive_auditshown",
    )
    triggers = [(table, f"{table}_append_only") for table in tables]
    triggers.append(("archive_auditdetail", "archive_auditdetail_forgotten"))
    triggers.append(("archive_auditentry", "archive_auditentry_as_written"))
    fences = []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'archive%'")
            fences = cursor.fetchall()
        lift = [f"DROP TRIGGER {name}" for name, _made in fences] or [
            f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger in triggers
        ]
        restore = [made for _name, made in fences] or [
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}" for table, trigger in triggers
        ]
        if connection.vendor == "postgresql":  # a table with events that wait for the commit cannot be altered
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in lift:
            cursor.execute(statement)
    try:
        yield
    finally:
        if not for_good:
            with connection.cursor() as cursor:
                for statement in restore:
                    cursor.execute(statement)


@pytest.fixture
def office(db: None) -> Office:
    """Return a fresh office: an entry bears it out, and the doors of dispatches ask for digests as in production."""
    return found()


def told_long_ago() -> None:
    """Let the log tell all that it tells since long ago, as in an office that has been at work for years."""
    from archive.models import AuditEntry, Record

    with fence_lifted():
        AuditEntry.objects.update(ts=LONG_AGO)
    Record.objects.update(created_at=LONG_AGO)


@pytest.fixture
def make_draft(office: Office) -> Callable[..., Any]:
    """Return a maker of drafts: make_draft(level=..., pages=["text of page 1", ...])."""

    def make(**wanted: Any) -> Any:
        return _draft(office, **wanted)

    return make


@pytest.fixture
def make_record(office: Office) -> Callable[..., Any]:
    """Return a maker of registered records: make_record(subject=..., level=..., pages=...)."""
    from archive import registration
    from archive.rules.levels import Level

    def make(
        *, level: Any = 0, pages: tuple[str, ...] = ("Kế hoạch huấn luyện",), direction: str = "incoming", **entry: Any
    ) -> Any:
        draft = _draft(office, level=level, pages=pages, direction=direction)
        kind = registration.kind_for(direction, Level(level))
        line = {
            "code_number": "123",
            "code_notation": "KH-BCH",
            "issued_date": date(2026, 11, 2),
            "organ_name": "Bộ Tư lệnh Quân khu 9",
            "type_name": "Kế hoạch",
            "subject": "Huấn luyện dân quân tự vệ năm 2027",
            "arrival_date": date(2026, 11, 3),
        } | entry
        return registration.register(
            draft,
            registration.Entry(level=Level(level), direction=direction, **line),
            register=getattr(office, kind.value),
            actor=office.clerk,
            despite_duplicate=True,
        )

    return make


@pytest.fixture
def gunicorn(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return gunicorn's configuration; what loading it sets ends with the test, or all later counts are lost."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    return importlib.import_module("config.gunicorn")


@pytest.fixture
def signed_in(office: Office, client: Any) -> Callable[[str], Any]:
    """Return a browser signed in as one of the people: signed_in("clerk")."""
    from django.test import Client

    from archive.views import proving

    def enter(name: str) -> Any:
        browser = Client()
        browser.force_login(getattr(office, name), backend="archive.sign_in.Backend")
        session = browser.session
        proving.opened(session, with_code=False)
        session.save()
        return browser

    return enter


@pytest.fixture
def later() -> Callable[[int], datetime]:
    """Return a moment some minutes from now."""
    from django.utils import timezone

    return lambda minutes: timezone.now() + timedelta(minutes=minutes)


def server(name: str) -> str:
    """Return the address of a real server from the environment; without it the test is skipped, or fails in CI."""
    address = os.environ.get(name, "")
    if not address and os.environ.get("VANKHO_TEST_REQUIRE") == "1":
        pytest.fail(f"{name} is not set, and VANKHO_TEST_REQUIRE=1 lets no test of a real server be skipped")
    if not address:
        pytest.skip(f"{name} is not set: no such server in this run")
    return address


@pytest.fixture
def postgresql() -> str:
    """Return the address of a PostgreSQL server whose owner may make databases and roles."""
    return server("VANKHO_TEST_DATABASE_URL")


@pytest.fixture
def last_entry() -> Callable[[], Any]:
    """Return the newest entry of the log."""
    from archive import sequencing
    from archive.models import AuditLeaf

    def newest() -> Any:
        sequencing.place_all()
        return AuditLeaf.objects.select_related("entry").latest("idx").entry

    return newest
