"""The people and the office that every test knows (a pytest plugin, loaded by pyproject.toml).

`office` is a small command: clerk, leader, staff, archivist, auditor, security, admin,
and `stranger`, who is in another unit and has no clearance. `make_draft` and
`make_record` put records into it through the real acts. The installation of a test run
lies in a folder of its own that is removed afterwards.
"""

import importlib
import io
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

HOME = Path(tempfile.mkdtemp(prefix="vankho-test-"))
os.environ["VANKHO_HOME"] = str(HOME)
os.environ["VANKHO_PROFILE"] = "evaluation"
# Real servers of a test run: their addresses come as VANKHO_TEST_*; every run has names of its own on them.
RUN = f"t{os.getpid()}"
if os.environ.get("VANKHO_TEST_DATABASE_URL"):
    os.environ["VANKHO_DATABASE_URL"] = os.environ["VANKHO_TEST_DATABASE_URL"].rsplit("/", 1)[0] + f"/vankho_{RUN}"

import pytest
from hypothesis import HealthCheck, settings
from pytest_django.plugin import blocking_manager_key

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

    tables = ("archive_auditentry", "archive_auditleaf", "archive_auditdetail", "archive_auditrow")
    triggers = [(table, f"{table}_append_only") for table in tables]
    triggers.append(("archive_auditdetail", "archive_auditdetail_forgotten"))
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


@dataclass
class Office:
    """Units, people and registers of the test office."""

    command: Any
    registry: Any
    staff_unit: Any
    other_unit: Any
    clerk: Any
    leader: Any
    staff: Any
    archivist: Any
    auditor: Any
    security: Any
    admin: Any
    stranger: Any
    incoming: Any
    outgoing: Any
    secret_incoming: Any
    secret_outgoing: Any


@pytest.fixture
def office(db: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Return a fresh office.

    Its people are put there by hand: where a test names `doors_ask`, an entry bears them out and the doors of
    dispatches ask for digests (`archive.warrants`); elsewhere they ask the policy alone.
    """
    from archive.models import Marking, ProtectionPeriod, Register, RegisterKind
    from archive.rules.levels import Level
    from archive.rules.roles import Role

    Marking.objects.get_or_create(pk=1, defaults={"name": ""})  # a test that really committed took it away
    for level, years in ((1, 10), (2, 20), (3, 30)):  # and these
        given = {"years": years, "extend_days": 60, "notice_days": 15, "basis": "Luật 117/2025/QH15"}
        ProtectionPeriod.objects.get_or_create(level=level, valid_from=date(2026, 3, 1), defaults=given)
    command = _unit("CH", "Bộ CHQS tỉnh", None)
    registry = _unit("VT", "Văn thư", command)
    staff_unit = _unit("PTM", "Phòng Tham mưu", command)
    other_unit = _unit("PCT", "Phòng Chính trị", command)
    people = {
        "clerk": _person("clerk", Role.CLERK, registry, registry, Level.TOI_MAT),
        "leader": _person("leader", Role.LEADER, command, command, Level.TOI_MAT),
        "staff": _person("staff", Role.STAFF, staff_unit, staff_unit, Level.MAT),
        "archivist": _person("archivist", Role.ARCHIVIST, command, command, Level.MAT),
        "auditor": _person("auditor", Role.AUDITOR, command, None, Level.THUONG),
        "security": _person("security", Role.SECURITY, command, None, Level.THUONG),
        "admin": _person("admin", Role.ADMIN, command, None, Level.THUONG),
        "stranger": _person("stranger", Role.STAFF, other_unit, other_unit, Level.THUONG),
    }
    registers = {
        kind.value: Register.objects.create(kind=kind, name=str(kind.label), unit=registry) for kind in RegisterKind
    }
    office = Office(command, registry, staff_unit, other_unit, **people, **registers)
    if "doors_ask" in request.fixturenames:
        borne_out()
    else:
        monkeypatch.setattr("archive.warrants.wanting", lambda *_asked: [])
    return office


@pytest.fixture
def doors_ask() -> None:
    """Let the doors of dispatches ask whether rows hold their digests; what a test adds by hand, `borne_out` bears out."""


def borne_out() -> None:
    """Let an entry bear out every row that a test put there by hand: the door of a dispatch asks for its digest."""
    from django.db import transaction

    from archive import audit, watched
    from archive.rules.roles import Action

    with transaction.atomic():
        rows = [row for model in watched.WATCHED.values() for row in model._base_manager.all()]
        audit.write(Action.UNIT_CHANGE, actor=None, made=rows)


def told_long_ago() -> None:
    """Let the log tell all that it tells since long ago, as in an office that has been at work for years."""
    from archive.models import AuditEntry, Record

    with fence_lifted():
        AuditEntry.objects.update(ts=LONG_AGO)
    Record.objects.update(created_at=LONG_AGO)


def _unit(code: str, name: str, parent: Any) -> Any:
    from archive.models import Unit

    unit = Unit.objects.create(code=code, name=name, parent=parent, path=f"new-{code}")
    unit.path = f"{parent.path if parent else '/'}{unit.pk}/"
    unit.save()
    return unit


LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


def _person(name: str, role: Any, unit: Any, scope: Any, level: Any) -> Any:
    from archive.models import Clearance, Person, PersonRole, UnitScope

    person = Person(username=name, full_name=f"Đồng chí {name}", unit=unit)
    person.set_unusable_password()
    person.save()
    PersonRole.objects.create(person=person, role=role, since=LONG_AGO)
    if scope:
        UnitScope.objects.create(person=person, unit=scope, since=LONG_AGO)
    if level:
        Clearance.objects.create(person=person, level=level, since=LONG_AGO, basis="QĐ 01")
    return person


@pytest.fixture
def make_draft(office: Office) -> Callable[..., Any]:
    """Return a maker of drafts: make_draft(level=..., pages=["text of page 1", ...])."""

    def make(**wanted: Any) -> Any:
        return _draft(office, **wanted)

    return make


def _draft(
    office: Office,
    *,
    level: Any = 0,
    pages: tuple[str, ...] = ("Kế hoạch huấn luyện",),
    direction: str = "incoming",
    unit: Any = None,
    proposal: Any = None,
    plausible: Any = None,
) -> Any:
    from archive import capture
    from archive.rules.levels import Level
    from archive.rules.proposal import Suggestion

    original = seal(b"%PDF-1.4 sample", level=level, role="original")
    pack, ranges = pack_of(pages, level=level)
    return capture.capture(
        capture.Captured(
            unit=unit or office.registry,
            suggestion=Suggestion(Level(level), Level(level), Level(level if plausible is None else plausible)),
            original=original,
            pack=pack,
            pages=ranges,
            proposal=proposal or {},
            direction=direction,
        ),
        actor=office.clerk,
    )


def seal(content: bytes, *, level: int, role: str, name: str = "mau.pdf") -> Any:
    """Seal bytes in the real store and return their row."""
    from django.utils import timezone

    from archive import store
    from archive.models import DigitalObject
    from archive.rules.levels import Level

    sealed = store.put(io.BytesIO(content), level=Level(level))
    return DigitalObject.objects.create(
        address=sealed.address,
        role=role,
        name=name,
        media_type="application/pdf",
        size=sealed.size,
        sha256=sealed.sha256,
        sealed_size=sealed.sealed_size,
        sealed_sha256=sealed.sealed_sha256,
        level=level,
        created_at=timezone.now(),
    )


def pack_of(texts: tuple[str, ...], *, level: int) -> tuple[Any, list[Any]]:
    """Seal a pack with tiny page images and the given page texts; words get boxes in a grid."""
    from archive.capture import PageRanges

    body, ranges = bytearray(), []
    for number, text in enumerate(texts, start=1):
        parts = []
        for part in (JPEG, JPEG, page_text(number, text).to_bytes()):
            parts.append((len(body), len(part)))
            body += part
        ranges.append(PageRanges(number, 8, 8, parts[0], parts[1], parts[2], "ocr", 95))
    return seal(bytes(body), level=level, role="pack", name=""), ranges


def page_text(number: int, text: str) -> Any:
    """Return a page whose words stand one below the other."""
    from archive.rules.page import PageText, Word

    words, start = [], 0
    for index, part in enumerate(text.split()):
        at = text.index(part, start)
        top = 500 + 300 * (index % 30)
        words.append(Word(part, at, (1000, top, 1000 + 120 * len(part), top + 200), 95))
        start = at + len(part)
    return PageText(number, text, tuple(words), "ocr", 95)


JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f"
    "1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b080008000801011100ffc4001f0000"
    "010501010101010100000000000000000102030405060708090a0bffc400b5100002010303020403050504040000017d010203000411"
    "05122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445"
    "464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9"
    "aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda00080101"
    "00003f00fbf1ffd9"
)


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
