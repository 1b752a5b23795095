"""An office to be walked: one person of each post, and one thing of each kind at each level, in their unit and in another.

Each person has the unit `own` in scope and is cleared up to Mật, so that two levels lie
within the clearance and two above it. `knows` says by hand who may know of what.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from archive import access, registration, tokens
from archive.models import (
    Attachment,
    Clearance,
    Copy,
    DigitalObject,
    Dossier,
    Grant,
    Hold,
    HoldItem,
    PaperPlace,
    PaperStub,
    Person,
    PersonRole,
    Record,
    RecordClass,
    RetentionRule,
    Step,
    UnitScope,
)
from archive.rules.levels import Level
from archive.rules.roles import Role
from archive.views import proving
from config.tests.by_hand import LONG_AGO, Office, _draft, borne_out, seal
from ingest import outcomes
from ingest.models import Batch, Channel, Scan, ScanState

ROLES = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin")
APART = {"auditor", "admin"}
CLEARED = Level.MAT
NOBODYS = "zzzzzzzzzzzz"  # a key that no record has
SAVEPOINT = re.compile(r"SAVEPOINT \S+")  # each has a name of its own


@dataclass(frozen=True)
class Thing:
    """One thing behind a door: what an address needs to name it, and the same address with nothing behind it."""

    level: Level
    is_own: bool
    named: dict[str, Any]
    missing: dict[str, Any]
    owner: str = ""


@dataclass
class Walked:
    """The office and everything in it, by kind."""

    office: Office
    person: Person
    things: dict[str, list[Thing]] = field(default_factory=dict)

    def browser(self) -> Client:
        """Return the person's browser."""
        browser = Client()
        browser.force_login(self.person, backend="archive.sign_in.Backend")
        session = browser.session
        proving.opened(session, with_code=False)
        session.save()
        return browser

    def caller(self) -> Client:
        """Return a client of the API under a token of the same post, units and clearance."""
        machine = person_of_post(self.office, self.person.username.removeprefix("walks-"), is_service=True)
        secret = tokens.give(machine, name="walk", until=None, actor=self.office.admin)
        return Client(headers={"Authorization": f"Bearer {secret}"})


def knows(role: str, kind: str, thing: Thing) -> bool:
    """The policy in plain words: nobody apart; their unit; within the clearance; drafts and scans for the intake desk."""
    if role in APART:
        return False
    if kind == "draft" and role != "clerk":
        return False
    return thing.is_own and thing.level <= CLEARED


def person_of_post(office: Office, role: str, *, is_service: bool = False) -> Person:
    """Return somebody of a post with the walked unit in scope, cleared up to Mật."""
    name = f"calls-{role}" if is_service else f"walks-{role}"
    person = Person(username=name, full_name=f"Đồng chí {name}", unit=office.staff_unit, is_service=is_service)
    person.set_unusable_password()
    person.save()
    PersonRole.objects.create(person=person, role=Role[role.upper()], since=LONG_AGO)
    UnitScope.objects.create(person=person, unit=office.staff_unit, since=LONG_AGO)
    Clearance.objects.create(person=person, level=CLEARED, since=LONG_AGO, basis="QĐ 01")
    borne_out()
    return person


def body_of(address: str) -> dict[str, Any]:
    """Return a form that gets past the reading of it, so that the door itself answers."""
    if address.startswith("/api/") and address.endswith("/files"):
        return {"why": "x", "file": SimpleUploadedFile("x.pdf", b"%PDF-1.4")}
    return {}


@contextmanager
def work() -> Iterator[list[str]]:
    """Yield a list to which each statement asked of the database is put without its values, and the kind of each row made of an answer."""
    done: list[str] = []
    made = Model.from_db.__func__  # type: ignore[attr-defined]

    def heard(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done.append(SAVEPOINT.sub("SAVEPOINT", sql))
        return execute(sql, params, many, context)

    def counted(model: type[Model], *row: Any) -> Model:
        done.append(f"a {model.__name__}")
        return made(model, *row)

    Model.from_db = classmethod(counted)  # type: ignore[assignment]
    try:
        with connection.execute_wrapper(heard):
            yield done
    finally:
        Model.from_db = classmethod(made)


def furnish(office: Office, role: str) -> Walked:
    """Fill the office for the walk of one post."""
    UnitScope.objects.create(person=office.clerk, unit=office.command, since=LONG_AGO)  # the clerk registers them all
    walked = Walked(office, person_of_post(office, role))
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from="2020-01-01")
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=timezone.localdate().year)
    for level in Level:
        for is_own in (True, False):
            _place(walked, level, is_own, line)
    borne_out()
    return walked


def _place(walked: Walked, level: Level, is_own: bool, line: RecordClass) -> None:
    office, unit = walked.office, walked.office.staff_unit if is_own else walked.office.other_unit
    record, draft = (
        _record(office, level, unit),
        _level(_draft(office, unit=unit, level=min(level, Level.TOI_MAT)), level),
    )

    def add(kind: str, named: dict[str, Any], **missing: Any) -> None:
        walked.things.setdefault(kind, []).append(Thing(level, is_own, named, named | missing))

    add("record", {"key": record.key, "number": 1, "order": 1}, key=NOBODYS)
    add("file", {"key": record.key, "number": 1}, key=NOBODYS)
    add("draft", {"key": draft.key}, key=NOBODYS)
    add("stub", {"key": _stub(office, level, unit).key}, key=NOBODYS)
    now = timezone.now()
    Copy.objects.create(
        record=record, number=1, kind="print", holder=office.leader, made_at=now, day=timezone.localdate(now)
    )
    add("copy", {"key": record.key, "number": 1}, key=NOBODYS)
    given = Grant.objects.create(
        record=record, person=office.stranger, since=LONG_AGO, until=LONG_AGO + timedelta(days=1), reason="x",
        granted_by=office.leader,
    )  # fmt: skip
    add("grant", {"key": record.key, "pk": given.pk}, key=NOBODYS)
    dossier = Dossier.objects.create(
        pk=700_000 + 2 * level + is_own,  # a number that stands nowhere else on a page
        code=f"{level}.{is_own}", year=line.year, title="x", record_class=line, rule=line.rule, unit=unit, level=level,
        opened_on=f"{line.year}-01-01", opened_by=office.archivist,
    )  # fmt: skip
    add("dossier", {"key": dossier.key}, key=NOBODYS)
    hold = Hold.objects.create(name="x", reason="x", placed_at=timezone.now(), placed_by=office.archivist)
    HoldItem.objects.create(hold=hold, dossier=dossier)
    add("hold", {"pk": hold.pk}, pk=999_999)
    _hand_in(walked, record, unit, add)


def _record(office: Office, level: Level, unit: Any) -> Record:
    """Return a registered dispatch of a unit with an attached file and one step to its own unit."""
    entry = registration.Entry(
        level=min(level, Level.TOI_MAT), direction="incoming", code_number="7", code_notation=f"KH-{level}",
        issued_date=date(2026, 11, 2), organ_name="Quân khu 9", type_name="Kế hoạch", subject="Huấn luyện",
        arrival_date=date(2026, 11, 3),
    )  # fmt: skip
    kind = registration.kind_for("incoming", entry.level)
    draft = _draft(office, unit=unit, level=entry.level)
    record = registration.register(
        draft, entry, register=getattr(office, kind.value), actor=office.clerk, despite_duplicate=True
    )
    added = seal(b"%PDF-1.4 annex", level=entry.level, role="attachment")
    DigitalObject.objects.filter(pk=added.pk).update(record=record)
    Attachment.objects.create(
        record=record, ordinal=1, original=added, first_page=2, page_count=0, reason="x", added_by=office.clerk,
        added_at=timezone.now(),
    )  # fmt: skip
    Step.objects.create(
        record=record, order=1, kind="lead", from_person=office.clerk, to_unit=unit, created_at=timezone.now()
    )
    return _level(record, level)


def _stub(office: Office, level: Level, unit: Any) -> Record:
    """Return a dispatch kept on paper alone."""
    now, day = timezone.now(), timezone.localdate()
    levels = dict.fromkeys(("level", "initial_level", "declared_level", "proposed_level"), level)
    record = Record.objects.create(
        state="registered", unit=unit, type_name="Kế hoạch", code_number="9", code_notation=f"KH-{level}", created_at=now,
        created_by=office.clerk, registered_at=now, registered_by=office.clerk, **levels,
    )  # fmt: skip
    PaperStub.objects.create(record=record)
    PaperPlace.objects.create(
        record=record, copies=1, holder="Văn thư", place="Két 1", signed_by="Nguyễn Văn A", signed_on=day,
        written_by=office.clerk, written_at=now,
    )  # fmt: skip
    access.derive(record)
    return record


def _level(record: Record, level: Level) -> Record:
    changed = {"subject": ""} if level == Level.TUYET_MAT else {}
    Record.objects.filter(pk=record.pk).update(level=level, **changed)
    record.refresh_from_db()
    access.derive(record)
    return record


def _hand_in(walked: Walked, record: Record, unit: Any, add: Any) -> None:
    """Hand in one file that needs attention, and one that is held before it joins the record."""
    now, level = timezone.now(), Level(record.level)
    batch = Batch.objects.create(
        channel=Channel.WEB, unit=unit, declared_level=level, actor=walked.office.clerk, created_at=now
    )
    common = {"batch": batch, "declared_level": level, "level": level, "created_at": now, "not_before": now}
    common |= {"state": ScanState.ATTENTION}
    loose = Scan.objects.create(order=1, name="1.pdf", code=outcomes.FAILED, **common)
    pack = DigitalObject.objects.filter(record=record, role="pack").get()
    page = record.pages.get()
    told = {"number": 1, "width": 8, "height": 8, "image": [page.image_start, page.image_length]}
    told["thumb"] = [page.thumb_start, page.thumb_length]
    held = Scan.objects.create(
        order=2, name="2.pdf", code=outcomes.HELD_DOUBT, joins=record, why="x", pack=pack, reading={"pages": [told]},
        **common,
    )  # fmt: skip
    add("batch", {"pk": batch.pk}, pk=uuid.uuid4())
    add("scan", {"pk": loose.pk, "scan_id": loose.pk}, pk=uuid.uuid4(), scan_id=uuid.uuid4())
    add("held", {"pk": held.pk, "number": 1, "form": "image"}, pk=uuid.uuid4())
