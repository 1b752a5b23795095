"""Levels, copies, files, dossiers, holds, books and papers lie under digests: acts leave them in order, SQL is named."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from archive import attachments, capture, copies, counters, digests, dossiers, papers, registers, restoration, retention
from archive.clearing import mark
from archive.leveling import acts, notices
from archive.leveling.moving import Order
from archive.models import (
    Attachment,
    AttachmentVoid,
    ChangeKind,
    Copy,
    CopyFate,
    Dossier,
    DossierItem,
    Hold,
    HoldItem,
    Holiday,
    LevelChange,
    LevelNotice,
    LevelProposal,
    Mark,
    MarkGroup,
    Marking,
    PaperCheck,
    PaperPlace,
    Person,
    PersonRole,
    ProtectionPeriod,
    RecordClass,
    Register,
    RegisterCounter,
    Restoration,
    RetentionRule,
    UnitScope,
)
from archive.models.access import Clearance, ClearanceMark
from archive.registration import void
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Role
from config.tests.office import LONG_AGO, borne_out, pack_of, seal
from config.tests.test_papers import lying, stub


@pytest.fixture
def at_work(office, settings):
    """The office with a file plan, a second leader and a mark that people hold; everybody is cleared to top secret."""
    settings.PAPER_STUBS = True
    second = Person.objects.create(username="deputy", full_name="Đồng chí deputy", unit=office.command)
    PersonRole.objects.create(person=second, role=Role.LEADER, since=LONG_AGO)
    UnitScope.objects.create(person=second, unit=office.command, since=LONG_AGO)
    made = Mark.objects.create(group=MarkGroup.objects.create(name="K", rule="all"), name="K1")
    for person in (office.clerk, office.leader, office.archivist, second):
        row = Clearance.objects.create(person=person, level=Level.TUYET_MAT, since=LONG_AGO, basis="QĐ 02")
        ClearanceMark.objects.create(clearance=row, mark=made)
    rule = RetentionRule.objects.create(
        code="12", title="Lưu văn bản đi", kind="years", years=10, basis="TT 10/2022", valid_from=date(2023, 2, 15)
    )
    RecordClass.objects.create(year=2026, code="01", title="Huấn luyện", rule=rule)
    Holiday.objects.create(day=date(2026, 9, 2), name="Quốc khánh", basis="BLLĐ")
    borne_out()
    return second


def order():
    return Order("Chỉ huy trưởng", "QĐ 45/QĐ-BCH", timezone.localdate(), "Hết cần thiết")


def told():
    return [str(fault) for fault in (*digests.faults(), *counters.faults())]


def levels(office, second, record):
    """Walk a record through every act on its level."""
    acts.raise_level(record, to=Level.TOI_MAT, order=order(), actor=office.leader)
    waiting = acts.propose(record, kind=ChangeKind.LOWER, to=Level.MAT, order=order(), actor=office.clerk)
    acts.confirm(waiting, actor=second)
    dropped = acts.propose(record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=order(), actor=office.clerk)
    acts.close(dropped, reason="Rút", actor=office.clerk)
    ends = LevelChange.objects.filter(record=record).latest("pk").protected_until
    acts.extend(record, until=ends + timedelta(days=365), order=order(), actor=office.leader)
    acts.review(record, next_on=timezone.localdate() + timedelta(days=90), reason="Giữ", actor=office.leader)
    for each in LevelNotice.objects.filter(told_on=None):
        notices.tell(each, how="TB 12", told_on=timezone.localdate(), actor=office.clerk)


def files(office, record):
    """Let two files join and void one."""
    for name in ("mot.pdf", "hai.pdf"):
        pack, ranges = pack_of(("Phụ lục",), level=record.level)
        original = seal(f"%PDF-1.4 {name}".encode(), level=record.level, role="original", name=name)
        plain = Suggestion(Level(record.level), Level(record.level), Level(record.level))
        captured = capture.Captured(unit=office.registry, suggestion=plain, original=original, pack=pack, pages=ranges)
        handed = attachments.Handed(office.clerk, datetime.now(UTC), "Gửi kèm")
        attachments.join(record, captured, handed=handed)
    attachments.void(record, 1, reason="Nhầm", actor=office.clerk)


def tour(office, second, make_record):
    """Do every act that leaves a row of these kinds; return a record with all of them."""
    record, other = make_record(level=Level.MAT), make_record(code_number="124")
    files(office, record)
    copies.printed(record, pages="1", reason="Họp", actor=office.leader)
    copies.end(record, 1, fate=CopyFate.RETURNED, note="Đã thu", actor=office.clerk)
    copies.taken_out(record, ordinal=0, sha256="0" * 64, reason="Trình", actor=office.leader)
    copies.looked(record, actor=office.leader, page=1)
    mark(record, marks=list(Mark.objects.all()), reason="QĐ", actor=office.leader)
    mark(record, marks=[], reason="QĐ", actor=office.leader)
    cover = dossiers.Cover(
        "01.TM", "Huấn luyện", RecordClass.objects.get(), RetentionRule.objects.get(), office.staff_unit, date(2026, 1, 5)
    )  # fmt: skip
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(other, dossier=dossier, actor=office.archivist)
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    levels(office, second, record)
    hold = retention.place_hold(retention.Order("Thanh tra", "Giữ"), on=[record, dossier], actor=office.archivist)
    retention.lift_hold(hold, reason="Xong", actor=office.archivist)
    retention.place_hold(retention.Order("Thanh tra", "Giữ lại"), on=[record], actor=office.archivist)
    dossier.refresh_from_db()
    dossiers.close(dossier, ended_on=date(2026, 5, 4), actor=office.archivist)
    papers.hand_on(stub(office), lying(holder="Ban Tác chiến"), actor=office.clerk)
    acts.propose(other, kind=ChangeKind.RAISE, to=Level.MAT, order=order(), actor=office.clerk)
    void(other, reason="Nhầm số", actor=office.clerk)
    gap = restoration.Gap(timezone.now() - timedelta(minutes=5), size=40, newest_size=52)
    restoration.record(gap, backup="b")
    for book in (office.incoming, office.secret_incoming):
        registers.confirm_last_number(book, 7, actor=office.clerk)
    restoration.acknowledge(actor=office.admin)
    return record


def test_every_act_leaves_every_row_in_order(office, at_work, make_record):
    tour(office, at_work, make_record)
    assert told() == []
    kinds = (
        LevelChange, LevelProposal, LevelNotice, Copy, Attachment, AttachmentVoid, Dossier, DossierItem, Hold, HoldItem,
        PaperPlace, PaperCheck, Restoration, Marking,
    )  # fmt: skip
    assert [kind.__name__ for kind in kinds if not kind.objects.exists()] == []


CHANGES = [
    (LevelChange, {"basis": "QĐ 99"}),
    (LevelChange, {"protected_until": date(2026, 12, 1)}),
    (LevelProposal, {"state": "confirmed"}),
    (LevelNotice, {"how": "khác"}),
    (ProtectionPeriod, {"years": 1}),
    (Copy, {"holder_id": None}),
    (Attachment, {"page_count": 9}),
    (AttachmentVoid, {"reason": "khác"}),
    (Dossier, {"title": "khác"}),
    (DossierItem, {"filed_at": LONG_AGO}),
    (Hold, {"lifted_at": LONG_AGO, "lift_reason": "x"}),
    (HoldItem, {"record_id": None}),
    (RetentionRule, {"years": 1}),
    (RecordClass, {"title": "khác"}),
    (Holiday, {"day": date(2026, 9, 3)}),
    (Register, {"is_open": False}),
    (PaperPlace, {"place": "Két số 9"}),
    (PaperCheck, {"asked_at": LONG_AGO}),
    (Restoration, {"acknowledged_at": LONG_AGO}),
    (Marking, {"name": "khác"}),
]


def test_what_sql_changes_in_them_is_named_with_row_and_columns(office, at_work, make_record):
    tour(office, at_work, make_record)
    instead = {"holder_id": office.stranger.pk, "record_id": DossierItem.objects.first().record_id}
    for model, wanted in CHANGES:
        row = model.objects.order_by("pk").last()
        values = {column: instead.get(column, value) for column, value in wanted.items()}
        before = model.objects.filter(pk=row.pk).values(*values).get()
        with fences_down(model):
            model.objects.filter(pk=row.pk).update(**values)
            moved = sorted(column for column, value in values.items() if value != before[column])
            assert moved, model
            kind = model.__name__.lower()
            (line,) = [str(fault) for fault in digests.faults()]
            assert line.startswith(f"{kind} {called(row)}")
            assert line.endswith(f": changed past the office ({', '.join(moved)})")
            model.objects.filter(pk=row.pk).update(**before)


def called(row):
    return getattr(row, "key", None) or getattr(row, "code", None) or row.pk


class fences_down:  # noqa: N801 - used like a function
    """Take the triggers of a table away for a while, as who owns the database can."""

    def __init__(self, model):
        self.table = model._meta.db_table

    def __enter__(self):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(f"ALTER TABLE {self.table} DISABLE TRIGGER USER")
                return
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [self.table])
            self.made = cursor.fetchall()
            for name, _sql in self.made:
                cursor.execute(f"DROP TRIGGER {name}")

    def __exit__(self, *_fault):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(f"ALTER TABLE {self.table} ENABLE TRIGGER USER")
                return
            for _name, made in self.made:
                cursor.execute(made)


def test_a_vanished_print_and_a_moved_counter_are_told(office, at_work, make_record):
    record = make_record(level=Level.MAT)
    gone = copies.printed(record, pages="1", reason="Họp", actor=office.leader).pk
    with fences_down(Copy):
        Copy.objects.all().delete()
    RegisterCounter.objects.filter(register=office.secret_incoming).update(last=5)
    year = timezone.localdate().year
    assert told() == [
        f"copy {gone}: removed past the office",
        f"registercounter {office.secret_incoming.pk} {year}: its last number is 5, its numbers give 1",
    ]
