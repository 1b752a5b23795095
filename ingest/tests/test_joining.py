"""A file added to a record: read like any other, joined once, and never readable below what it may be."""

import io
import os
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from archive import access, attachments, dossiers, pages, registration, store
from archive.leveling import acts
from archive.leveling.moving import Order
from archive.models import (
    Attachment,
    AuditEntry,
    ChangeKind,
    DigitalObject,
    Page,
    Record,
    RecordClass,
    RecordState,
    RetentionRule,
)
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.proposal import Evidence, Suggestion
from ingest import batches, intake, joining, outcomes, pipeline, worker
from ingest.models import Scan, ScanState
from ingest.tests.handing import bare_pdf, drop, read, text_pdf


class Killed(BaseException):
    """Stands for kill -9: nothing of the program may catch it and tidy up."""


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """A lease is not renewed from another thread while a test holds the database."""
    monkeypatch.setattr(worker, "RENEW_SECONDS", 3600)


@pytest.fixture
def signs(monkeypatch):
    """Let the next files show a sign of secrecy: signs(level, sure=...)."""

    def show(level, *, sure):
        def suggest(_pages, *, declared, site_max=Level.TUYET_MAT, **_more):
            sign = Evidence("stamp" if sure else "possible_stamp", level, 90 if sure else 40, 1)
            sane = max(declared, level) if sure else declared
            return Suggestion(declared, sane, max(sane, min(level, site_max)), (sign,))

        monkeypatch.setattr(pipeline.classify, "suggest", suggest)

    return show


def add(office, record, content=None, *, name="phu-luc-1.pdf", why="Phụ lục kèm theo", actor=None):
    content = text_pdf("Phụ lục") if content is None else content
    return joining.add(io.BytesIO(content), name=name, record=record, why=why, actor=actor or office.clerk)


def entries(action):
    return list(AuditEntry.objects.filter(action=action).order_by("ts"))


def closed(record, office):
    rule = RetentionRule.objects.create(
        code="1", title="Lưu", kind="years", years=10, basis="TT 10", valid_from=date(2023, 2, 15)
    )
    line = RecordClass.objects.create(year=2026, code="01", title="Huấn luyện", rule=rule)
    cover = dossiers.Cover("01.TM", "Huấn luyện", line, rule, office.registry, date(2026, 1, 5))
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    dossiers.close(dossier, ended_on=date(2026, 11, 20), actor=office.archivist)


# --- joining ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["make_draft", "make_record"])
def test_an_added_file_becomes_pages_of_its_record(office, request, made):
    record = request.getfixturevalue(made)(pages=("Một", "Hai"))
    scan = read(add(office, record).scan)
    assert (scan.state, scan.record, scan.joins) == (ScanState.FILED, None, record)
    attached = Attachment.objects.get(record=record)
    assert (attached.ordinal, attached.first_page, attached.page_count) == (1, 3, 1)
    assert (attached.name, attached.reason, attached.added_by) == ("phu-luc-1.pdf", "Phụ lục kèm theo", office.clerk)
    assert attached.added_at == scan.created_at
    assert list(Page.objects.filter(record=record).values_list("number", flat=True)) == [1, 2, 3]
    record.refresh_from_db()
    assert record.page_amount == 3
    assert Record.objects.count() == 1


def test_the_main_file_stays_what_it_was(office, make_record):
    record = make_record()
    main = DigitalObject.objects.get(record=record, role="original")
    read(add(office, record).scan)
    assert DigitalObject.objects.get(record=record, role="original") == main
    assert DigitalObject.objects.get(record=record, role="attachment").pk != main.pk


def test_handing_over_is_one_entry_about_the_record_and_joining_another(office, make_record):
    record = make_record()
    read(add(office, record).scan)
    (handed,), (joined,) = entries("record.attach"), entries("record.attached")
    assert (handed.record_id, handed.actor, handed.object_type) == (record.pk, office.clerk, "record")
    assert (joined.record_id, joined.actor) == (record.pk, None)
    assert not entries("scan.upload")


def test_an_added_file_is_sealed_under_the_level_of_its_record(office, make_record):
    record = make_record(level=Level.MAT)
    scan = read(add(office, record).scan)
    sealed = DigitalObject.objects.filter(pk__in=[scan.original_id, scan.pack_id])
    assert {(one.level, one.record_id) for one in sealed} == {(Level.MAT, record.pk)}
    assert store.read(scan.original_id) == text_pdf("Phụ lục")


def test_several_files_follow_one_another(office, make_record):
    record = make_record(pages=("Một",))
    for number in range(3):
        read(add(office, record, text_pdf("Phụ lục", pages=number + 1), name=f"{number}.pdf").scan)
    rows = Attachment.objects.filter(record=record).values_list("ordinal", "first_page", "page_count")
    assert list(rows) == [(1, 2, 1), (2, 3, 2), (3, 5, 3)]
    assert list(Page.objects.filter(record=record).values_list("number", flat=True)) == list(range(1, 8))


def test_a_file_with_a_password_joins_without_pages_and_says_so(office, make_record):
    import pikepdf

    record = make_record(pages=("Một",))
    scan = read(add(office, record, bare_pdf(encryption=pikepdf.Encryption(owner="o", user="u"))).scan)
    assert (scan.state, scan.code) == (ScanState.FILED, outcomes.ENCRYPTED)
    attached = Attachment.objects.get(record=record)
    assert (attached.page_count, attached.pack, "encrypted" in attached.flags) == (0, None, True)


def test_a_file_of_another_kind_is_refused_and_the_record_is_as_before(office, make_record):
    record = make_record(pages=("Một",))
    scan = read(add(office, record, b"PK\x03\x04 an archive").scan)
    assert (scan.state, scan.code, scan.original) == (ScanState.REFUSED, outcomes.NOT_ACCEPTED, None)
    assert not Attachment.objects.exists()
    assert list(joining.of_record(record, office.clerk)) == [scan]


@pytest.mark.parametrize("why", ["", "  "])
def test_a_file_without_a_reason_is_not_taken(office, make_record, why):
    with pytest.raises(joining.WhyMissing):
        add(office, make_record(), why=why)
    assert not Scan.objects.exists()


def test_an_empty_file_is_not_taken(office, make_record):
    before = set(store.addresses())
    record = make_record()
    kept = set(store.addresses()) - before
    with pytest.raises(joining.Empty):
        add(office, record, b"")
    assert set(store.addresses()) - before == kept


# --- once -------------------------------------------------------------------------------------------------


def test_the_same_bytes_join_once(office, make_record):
    record = make_record()
    first = add(office, record)
    held = set(store.addresses())
    again = add(office, record, name="ban-sao.pdf")
    assert (again.is_new, again.name) == (False, "phu-luc-1.pdf")
    read(first.scan)
    later = add(office, record, name="lan-nua.pdf")
    assert (later.is_new, later.name) == (False, "phu-luc-1.pdf")
    assert Scan.objects.count() == Attachment.objects.count() == len(entries("record.attach")) == 1
    assert held <= set(store.addresses())
    assert len(set(store.addresses()) - held) == 1  # the pack of its pages


def test_a_voided_file_may_be_handed_in_again(office, make_record):
    record = make_record()
    read(add(office, record).scan)
    attachments.void(record, 1, reason="Thiếu trang", actor=office.clerk)
    again = add(office, record)
    assert (again.is_new, read(again.scan).state) == (True, ScanState.FILED)
    assert [file.ordinal for file in pages.files_of(record)] == [0, 2]
    assert not add(office, record).is_new


def test_the_bytes_of_the_main_file_do_not_join_it(office, make_record):
    assert not add(office, make_record(), b"%PDF-1.4 sample").is_new


def test_the_same_annex_joins_two_records(office, make_record):
    assert read(add(office, make_record()).scan).state == ScanState.FILED
    assert read(add(office, make_record()).scan).state == ScanState.FILED
    assert Attachment.objects.count() == 2


def test_a_hand_over_at_the_desk_tells_nothing_of_a_file_that_joined_a_record(office, make_record):
    read(add(office, make_record()).scan)
    assert drop(office, text_pdf("Phụ lục")).state == ScanState.WAITING


# --- who, and when no more ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["leader", "archivist"])
def test_only_clerks_add_files(office, make_record, name):
    with pytest.raises(Forbidden):
        add(office, make_record(), actor=getattr(office, name))


@pytest.mark.parametrize("name", ["stranger", "auditor", "security", "admin"])
def test_who_may_not_see_a_record_adds_to_nothing(office, make_record, name):
    with pytest.raises(Hidden):
        add(office, make_record(), actor=getattr(office, name))
    assert not Scan.objects.exists()


def test_a_returned_dispatch_takes_no_file(office, make_draft):
    draft = make_draft()
    registration.return_draft(draft, reason="Nhầm", actor=office.clerk)
    before = set(store.addresses())
    with pytest.raises(attachments.TakesNoFile):
        add(office, draft)
    assert (set(store.addresses()), Scan.objects.count()) == (before, 0)


def test_a_dispatch_in_a_closed_dossier_takes_no_file(office, make_record):
    record = make_record()
    closed(record, office)
    with pytest.raises(attachments.InClosedDossier):
        add(office, record)


def test_a_file_that_was_read_too_late_waits_for_a_person(office, make_record):
    record = make_record()
    scan = add(office, record).scan
    closed(record, office)
    scan = read(scan)
    assert (scan.state, scan.code) == (ScanState.ATTENTION, outcomes.HELD_CLOSED)
    assert not Attachment.objects.exists()


# --- secrecy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sure", "code"), [(True, outcomes.HELD_SURE), (False, outcomes.HELD_DOUBT)])
def test_what_may_be_more_secret_than_a_registered_record_is_no_part_of_it(office, make_record, signs, sure, code):
    record = make_record(pages=("Một",))
    signs(Level.MAT, sure=sure)
    scan = read(add(office, record).scan)
    assert (scan.state, scan.code, scan.level) == (ScanState.ATTENTION, code, Level.MAT)
    assert not Attachment.objects.exists()
    assert Page.objects.filter(record=record).count() == 1
    objects = DigitalObject.objects.filter(pk__in=[scan.original_id, scan.pack_id])
    assert {(one.level, one.record_id) for one in objects} == {(Level.MAT, None)}
    assert outcomes.sentence(scan.code, scan.reason)


def test_a_held_file_is_known_only_to_the_cleared(office, make_record, signs):
    from archive.models import Clearance

    record = make_record()
    signs(Level.MAT, sure=False)
    scan = read(add(office, record).scan)
    assert joining.open_held(office.clerk, scan.pk) == scan
    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    assert list(joining.of_record(record, office.clerk)) == []
    with pytest.raises(Hidden):
        joining.open_held(office.clerk, scan.pk)
    with pytest.raises(Hidden):
        batches.open_scan(office.clerk, scan.pk)


def test_the_name_of_a_held_file_is_not_told_to_who_brings_the_same_bytes(office, make_record, signs):
    from archive.models import Clearance

    record = make_record()
    signs(Level.MAT, sure=False)
    read(add(office, record, name="Sao Mai.pdf").scan)
    Clearance.objects.filter(person=office.clerk).update(revoked_at="2020-01-02T00:00Z")
    again = add(office, record, name="khac.pdf")
    assert (again.is_new, again.name) == (False, "khac.pdf")


def test_a_doubtful_file_joins_when_a_person_has_looked(office, make_record, signs):
    record = make_record(pages=("Một",))
    signs(Level.MAT, sure=False)
    scan = read(add(office, record).scan)
    joining.accept(scan, why="Đã xem bản giấy, không có dấu mật", actor=office.clerk)
    scan.refresh_from_db()
    assert (scan.state, scan.level) == (ScanState.FILED, Level.THUONG)
    assert Attachment.objects.get(record=record).page_count == 1
    (joined,) = entries("record.attached")
    assert joined.actor == office.clerk
    assert {one.level for one in DigitalObject.objects.filter(record=record)} == {Level.THUONG}
    with pytest.raises(intake.NothingToDo):
        joining.accept(scan, why="Lần nữa", actor=office.clerk)


def test_nobody_overlooks_a_sure_sign(office, make_record, signs):
    signs(Level.MAT, sure=True)
    scan = read(add(office, make_record()).scan)
    with pytest.raises(intake.NothingToDo):
        joining.accept(scan, why="Tôi nói vậy", actor=office.clerk)
    Scan.objects.update(code=outcomes.HELD_DOUBT)
    scan.refresh_from_db()
    with pytest.raises(attachments.MoreSecret):
        joining.accept(scan, why="Tôi nói vậy", actor=office.clerk)
    assert not Attachment.objects.exists()


def test_a_file_with_a_sure_sign_joins_once_its_record_was_raised(office, make_record, signs, signed_in):
    record = make_record(pages=("Một",))
    signs(Level.MAT, sure=True)
    scan = read(add(office, record).scan)
    page = signed_in("clerk").get(reverse("ingest:held", args=[scan.pk])).content.decode()
    assert f"/records/{record.key}/level/?to=mat#propose" in page
    asked = Order("", "", None, "Phụ lục có dấu Mật")
    wish = acts.propose(record, kind=ChangeKind.RAISE, to=Level.MAT, order=asked, actor=office.clerk)
    acts.confirm(wish, order=Order("Chỉ huy trưởng", "QĐ 9", timezone.localdate(), ""), actor=office.leader)
    scan = joining.open_held(office.clerk, scan.pk)
    assert joining.may_join(scan)
    joining.accept(scan, why="Văn bản đã nâng độ mật", actor=office.clerk)
    assert {one.level for one in DigitalObject.objects.filter(record=record)} == {Level.MAT}
    assert Attachment.objects.get(record=record).page_count == 1


def test_a_held_file_becomes_a_dispatch_of_its_own(office, make_record, signs):
    record = make_record()
    signs(Level.MAT, sure=True)
    scan = joining.part(read(add(office, record).scan), why="Văn bản mật riêng", actor=office.clerk)
    scan = read(scan)
    assert (scan.joins, scan.record.state, scan.record.level) == (None, RecordState.DRAFT, Level.MAT)
    assert scan.record != record
    (apart,) = entries("scan.apart")
    assert (apart.actor, apart.record_id) == (office.clerk, record.pk)


def test_a_held_file_is_put_aside(office, make_record, signs):
    signs(Level.MAT, sure=True)
    scan = read(add(office, make_record()).scan)
    address = scan.original_id
    intake.dismiss(scan, reason="Gửi nhầm", actor=office.clerk)
    assert not store.stat(address).exists
    assert not DigitalObject.objects.filter(pk=address).exists()


def test_a_held_file_is_not_read_again_by_hand(office, make_record, signs):
    signs(Level.MAT, sure=True)
    scan = read(add(office, make_record()).scan)
    with pytest.raises(intake.NothingToDo):
        intake.retry(scan, actor=office.clerk)
    assert intake.retry_failed(Scan.objects.all(), actor=office.clerk) == 0


@pytest.mark.parametrize("sure", [True, False])
def test_a_draft_rises_with_its_file_until_a_clerk_confirms(office, make_draft, signs, sure):
    draft = make_draft(pages=("Một", "Hai"))
    signs(Level.MAT, sure=sure)
    scan = read(add(office, draft).scan)
    draft.refresh_from_db()
    assert (draft.level, draft.proposed_level) == (Level.MAT, Level.MAT if sure else Level.THUONG)
    assert draft.evidence[0]["page"] == 3
    assert {one.level for one in DigitalObject.objects.filter(record=draft)} == {Level.MAT}
    assert set(access.visible_to(office.clerk).rows().values_list("level", flat=True)) == {Level.MAT}
    assert scan.level == Level.MAT


def test_the_doubt_about_a_drafts_main_file_says_nothing_of_its_annex(office, make_draft):
    draft = make_draft(plausible=Level.MAT)
    scan = add(office, draft).scan
    assert (scan.level, scan.declared_level) == (Level.MAT, Level.THUONG)
    Record.objects.filter(pk=draft.pk).update(level=Level.THUONG)  # a clerk has looked meanwhile
    assert read(scan).level == Level.THUONG


def test_a_clerk_who_has_not_seen_the_file_does_not_register(office, make_draft, signs):
    draft = make_draft()
    signs(Level.MAT, sure=False)
    read(add(office, draft).scan)
    entry = registration.Entry(
        level=Level.THUONG, type_name="Kế hoạch", organ_name="Bộ Tư lệnh", issued_date=date(2026, 11, 2),
        subject="Huấn luyện", arrival_date=date(2026, 11, 3),
    )  # fmt: skip
    with pytest.raises(registration.FileJoined):
        registration.register(draft, entry, register=office.incoming, actor=office.clerk, files_seen=0)
    assert registration.register(draft, entry, register=office.incoming, actor=office.clerk, files_seen=1).level == 0


def test_a_sign_above_the_ceiling_ends_in_quarantine(office, make_record, settings, signs):
    record = make_record()
    settings.SITE_MAX_LEVEL = Level.THUONG
    signs(Level.MAT, sure=True)
    scan = read(add(office, record).scan)
    assert (scan.code, scan.pack, scan.reading) == (outcomes.QUARANTINED, None, {})
    assert not Attachment.objects.exists()


# --- kills -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["sniff", "read", "propose", "file"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_before_or_after_any_stage_joins_the_file_once(office, make_record, monkeypatch, stage, moment):
    run = pipeline.STAGES[stage]

    def killed(scan, claim):
        if moment == "after":
            run(scan, claim)
        raise Killed

    record = make_record(pages=("Một",))
    scan = add(office, record).scan
    monkeypatch.setitem(pipeline.STAGES, stage, killed)
    with pytest.raises(Killed):
        worker.work_once()
    monkeypatch.setitem(pipeline.STAGES, stage, run)
    Scan.objects.filter(pk=scan.pk).update(lease_until=None)  # its owner is dead
    assert read(scan).state == ScanState.FILED
    assert Attachment.objects.filter(record=record).count() == len(entries("record.attached")) == 1
    assert Page.objects.filter(record=record).count() == 2


@pytest.mark.parametrize("step", ["_row", "add_pages", "relevel", "audit.write", "pipeline.commit"])
def test_a_kill_in_the_middle_of_joining_leaves_all_or_nothing(office, make_record, monkeypatch, step):
    def killed(*_args, **_more):
        raise Killed

    record = make_record(pages=("Một",))
    scan = add(office, record).scan
    with monkeypatch.context() as change:
        if step == "pipeline.commit":
            commit = pipeline.commit
            change.setattr(
                pipeline, "commit", lambda scan, claim, **more: killed() if "level" in more and "state" in more else commit(scan, claim, **more)
            )  # fmt: skip
        elif step == "audit.write":
            change.setattr(attachments.audit, "write", killed)
        else:
            change.setattr(attachments, step, killed)
        with pytest.raises(Killed):
            worker.work_once()
    assert not Attachment.objects.exists()
    assert Page.objects.filter(record=record).count() == 1
    Scan.objects.filter(pk=scan.pk).update(lease_until=None)
    assert read(scan).state == ScanState.FILED
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize("step", ["create", "hand_over"])
def test_a_kill_while_handing_over_leaves_no_row_without_bytes(office, make_record, monkeypatch, step):
    def killed(*_args, **_more):
        raise Killed

    record = make_record()
    with monkeypatch.context() as change:
        if step == "create":
            change.setattr(joining.Batch.objects, "create", killed)
        else:
            change.setattr(joining.attachments, "hand_over", killed)
        with pytest.raises(Killed):
            add(office, record)
    assert not Scan.objects.exists()
    assert all(store.stat(one.address).exists for one in DigitalObject.objects.all())
    assert read(add(office, record).scan).state == ScanState.FILED


@pytest.mark.parametrize("name", ["protect", "held"])
def test_a_kill_while_a_secret_file_is_held_never_joins_it(office, make_record, monkeypatch, signs, name):
    def killed(*_args, **_more):
        raise Killed

    record = make_record()
    signs(Level.MAT, sure=False)
    scan = add(office, record).scan
    with monkeypatch.context() as change:
        change.setattr(joining, name, killed)
        with pytest.raises(Killed):
            worker.work_once()
    assert not Attachment.objects.exists()
    Scan.objects.filter(pk=scan.pk).update(lease_until=None)
    assert read(scan).code == outcomes.HELD_DOUBT
    assert not Attachment.objects.exists()


def test_random_bytes_never_become_part_of_a_record(office, make_record):
    record = make_record(pages=("Một",))
    for size in (1, 7, 4096):
        assert read(add(office, record, os.urandom(size)).scan).state == ScanState.REFUSED
    assert not Attachment.objects.exists()
