"""Dispatches kept on paper alone: registered and found like any other, and never with a file, a page or a word of content."""

import io
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive import (
    access,
    attachments,
    audit,
    capture,
    digests,
    papers,
    registers,
    registration,
    retention,
    routing,
    store,
    tokens,
)
from archive.leveling import acts, history
from archive.leveling.moving import Order
from archive.models import (
    Access,
    AuditEntry,
    ChangeKind,
    Clearance,
    DigitalObject,
    LevelNotice,
    Page,
    PaperPlace,
    PaperStub,
    Person,
    PersonRole,
    Record,
    UnitScope,
)
from archive.routing.moving import Task
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from archive.rules.roles import Action, Role
from archive.stores.port import object_id
from archive.stores.refusals import AboveCeiling
from config.tests.office import LONG_AGO, borne_out, pack_of, seal
from ingest import joining, outcomes
from ingest.models import Batch, Channel, Scan, ScanState
from search import drift, follow, marking
from search.query import parse

LINE = {
    "code_number": "05",
    "code_notation": "PA-BCH",
    "issued_date": date(2026, 10, 10),
    "organ_name": "Bộ Tư lệnh Quân khu 9",
    "type_name": "Phương án",
    "arrival_date": date(2026, 10, 12),
}
WORDS = "papers-of-a-stub"


@pytest.fixture
def cleared(office, settings):
    """Two leaders and the clerk cleared to top secret, on a site that registers papers; its ceiling is Tối mật."""
    settings.PAPER_STUBS = True
    deputy = Person.objects.create(username="deputy", full_name="Đồng chí deputy", unit=office.command)
    PersonRole.objects.create(person=deputy, role=Role.LEADER, since=LONG_AGO)
    UnitScope.objects.create(person=deputy, unit=office.command, since=LONG_AGO)
    for person in (office.clerk, office.leader, deputy):
        Clearance.objects.create(person=person, level=Level.TUYET_MAT, since=LONG_AGO, basis="QĐ 02")
    borne_out()
    return deputy


def lying(**changed):
    told = {"copies": 2, "holder": "Ban Cơ yếu", "place": "Két số 1", "signed_by": "Trần Văn B"}
    return papers.Lying(**told | {"signed_on": date(2026, 10, 12)} | changed)


def stub(office, *, level=Level.TUYET_MAT, direction="incoming", **changed):
    entry = registration.Entry(level=level, direction=direction, **LINE | changed)
    book = office.secret_incoming if direction == "incoming" else office.secret_outgoing
    return papers.register(entry, lying(), register=book, actor=office.clerk)


def lower(office, deputy, record, to):
    order = Order("Chỉ huy trưởng", "QĐ 45/QĐ-BCH", timezone.localdate(), "Hết cần thiết")
    kind = ChangeKind.LOWER if to else ChangeKind.DECLASSIFY
    acts.confirm(acts.propose(record, kind=kind, to=to, order=order, actor=office.leader), actor=deputy)
    record.refresh_from_db()


def test_a_paper_gets_a_number_of_the_secret_register_and_nothing_of_what_it_says(office, cleared, last_entry):
    record = stub(office)
    assert (record.number.register, record.number.number) == (office.secret_incoming, 1)
    assert (record.level, record.subject, record.description, record.state) == (3, "", "", "registered")
    assert not record.sealed_objects.exists()
    assert not record.pages.exists()
    assert history.latest(record).protected_until == date(2056, 10, 9)
    place = PaperPlace.objects.get(record=record)
    assert (place.copies, place.holder, place.signed_by) == (2, "Ban Cơ yếu", "Trần Văn B")
    assert last_entry().action == "record.register"
    assert last_entry().detail.payload["paper_only"] is True
    assert not [fault for fault in digests.faults() if fault.kind in {"record", "paperstub", "registernumber"}]
    assert stub(office, direction="outgoing", code_number="06").number.register == office.secret_outgoing


def test_where_papers_are_off_nothing_above_the_ceiling_is_written_down(office, cleared, settings):
    settings.PAPER_STUBS = False
    with pytest.raises(papers.NoStubs):
        stub(office)
    assert papers.offered(office.clerk) == []


def test_what_the_site_may_hold_is_no_paper_and_what_lies_above_the_clearance_neither(office, cleared, settings):
    with pytest.raises(papers.HoldsFiles):
        stub(office, level=Level.TOI_MAT)
    settings.SITE_MAX_LEVEL = Level.THUONG
    assert papers.offered(office.clerk) == [Level.MAT, Level.TOI_MAT, Level.TUYET_MAT]
    assert stub(office, level=Level.MAT).level == Level.MAT
    Clearance.objects.filter(person=office.clerk, level=Level.TUYET_MAT).update(revoked_at=LONG_AGO)
    with pytest.raises(registration.LevelTooHigh):
        stub(office)
    for name in ("leader", "staff", "archivist", "auditor"):
        with pytest.raises(Forbidden):
            papers.register(
                registration.Entry(level=Level.TUYET_MAT, **LINE),
                lying(),
                register=office.secret_incoming,
                actor=getattr(office, name),
            )


@pytest.mark.parametrize("missing", ["holder", "place", "signed_by"])
def test_a_paper_without_holder_place_or_signature_is_not_registered(office, cleared, missing):
    with pytest.raises(registration.MissingFields):
        papers.register(
            registration.Entry(level=Level.TUYET_MAT, **LINE),
            lying(**{missing: " "}),
            register=office.secret_incoming,
            actor=office.clerk,
        )
    assert not Record.objects.exists()


def test_it_is_found_by_number_and_issuer_by_those_cleared_and_by_nobody_else(office, cleared, signed_in):
    record = stub(office)
    stub(office, code_number="77", organ_name="Bộ Quốc phòng")
    for text in ("05/PA-BCH", "quan khu 9", "1 phương án", "05"):
        assert papers.found(office.clerk, text=text) == [record], text
    assert len(papers.found(office.leader)) == 2
    for name in ("staff", "archivist", "stranger", "auditor", "security", "admin"):
        assert papers.found(getattr(office, name)) == []
        with pytest.raises(Hidden):
            access.open_record(getattr(office, name), Action.RECORD_READ, record.key)
    shown = signed_in("archivist").post(reverse("archive:papers"), {"text": "PA-BCH"}).content.decode()
    assert "Không tìm thấy văn bản giấy nào" in shown
    asked = AuditEntry.objects.filter(action="search.run").latest("ts").detail.payload
    assert (asked["text"], asked["shown"]) == ("PA-BCH", 0)


def test_finding_begins_at_the_few_papers_and_walks_no_other_dispatch(office, cleared):
    with CaptureQueriesContext(connection) as asked:
        papers.found(office.clerk, most=0)
    looking = [each["sql"] for each in asked.captured_queries if "archive_paperstub" in each["sql"]]
    assert len(looking) == 1
    assert 'JOIN "archive_paperstub"' not in looking[0]  # SQLite would walk a million dispatches, the newest first
    assert '"archive_record"."id" IN (SELECT' in looking[0]


def test_no_search_index_holds_it_until_it_was_taken_in(office, cleared):
    record = stub(office, organ_name=WORDS)
    assert list(follow.entries([record.pk], version=1)) == []
    assert record.pk not in {pk for part in drift._records() for pk in part}
    lower(office, cleared, record, Level.TOI_MAT)
    assert list(follow.entries([record.pk], version=1)) == []
    papers.take_in(record, subject="Bảo vệ biên giới", reason="Đã hạ độ mật", actor=office.clerk)
    assert [entry.organ_name for entry in follow.entries([record.pk], version=1)] == [WORDS]


def joins(record, office):
    level = Level.TOI_MAT
    captured = capture.Captured(
        unit=record.unit,
        suggestion=Suggestion(Level.THUONG, Level.THUONG, Level.THUONG),
        original=seal(b"%PDF-1.4 a scan of it", level=level, role="original"),
        pack=None,
    )
    handed = attachments.Handed(office.clerk, datetime.now(UTC), "x")
    return attachments.join(record, captured, handed=handed)


def test_a_voided_file_is_indexed_no_more(office, make_record):
    record = make_record()
    pack, ranges = pack_of(("Trang của văn bản khác",), level=0)
    captured = capture.Captured(
        unit=record.unit,
        suggestion=Suggestion(Level.THUONG, Level.THUONG, Level.THUONG),
        original=seal(b"%PDF-1.4 another", level=0, role="original", name="nham.pdf"),
        pack=pack,
        pages=ranges,
    )
    attachments.join(record, captured, handed=attachments.Handed(office.clerk, datetime.now(UTC), "x"))
    (before,) = follow.entries([record.pk], version=1)
    assert ("văn bản khác" in before.raw_body, before.files) == (True, ("nham.pdf",))
    attachments.void(record, 1, reason="Nhầm", actor=office.clerk)
    (after,) = follow.entries([record.pk], version=2)
    assert ("văn bản khác" in after.raw_body, after.files) == (False, ())
    leaf = (0, "record.detach", record.pk, "record", record.key)
    assert list(follow.changed_records([leaf])) == [record.pk]


def test_a_page_behind_a_voided_file_is_found_under_its_own_number(office, make_record):
    record = make_record()
    for place, text in enumerate(("Trang của văn bản khác", "Phụ lục biên giới")):
        pack, ranges = pack_of((text,), level=0)
        captured = capture.Captured(
            unit=record.unit,
            suggestion=Suggestion(Level.THUONG, Level.THUONG, Level.THUONG),
            original=seal(f"%PDF-1.4 {place}".encode(), level=0, role="original", name=f"{place}.pdf"),
            pack=pack,
            pages=ranges,
        )
        attachments.join(record, captured, handed=attachments.Handed(office.clerk, datetime.now(UTC), "x"))
    attachments.void(record, 1, reason="Nhầm", actor=office.clerk)
    (entry,) = follow.entries([record.pk], version=1)
    found = marking.excerpt(marking.patterns(parse("biên giới")), entry.raw_body)
    assert (found.page, [page for page, _count in found.pages]) == (3, [3])
    assert (entry.pages[1], record.pages.filter(number=2).exists()) == ("", False)


def lies_at(record):
    vault = store.configured().vault
    return {vault.level_of(object_id(each)) for each in record.sealed_objects.values_list("pk", flat=True)}


def test_keys_that_come_down_after_a_registration_stay_where_a_raise_has_brought_them(
    office, make_draft, django_capture_on_commit_callbacks
):
    record = make_draft(level=Level.TOI_MAT)
    with django_capture_on_commit_callbacks() as afterwards:
        record.level = Level.MAT
        record.save()
        capture.relevel(record)
    # The clerk's process stands still between its commit and the vault; meanwhile somebody raises the dispatch again.
    Record.objects.filter(pk=record.pk).update(level=Level.TOI_MAT)
    record.sealed_objects.update(level=Level.TOI_MAT)
    for call in afterwards:
        call()
    assert lies_at(record) == {Level.TOI_MAT}
    Record.objects.filter(pk=record.pk).update(level=Level.MAT)
    for call in afterwards:
        call()
    assert lies_at(record) == {Level.MAT}


def test_no_door_takes_a_file_for_it(office, cleared, signed_in, client):
    record = stub(office)
    with pytest.raises(attachments.OnPaper):
        joins(record, office)
    with pytest.raises(AboveCeiling):  # the store takes no byte of that level
        joining.add(io.BytesIO(b"%PDF-1.4"), name="a.pdf", record=record, why="x", actor=office.clerk)
    assert isinstance(attachments.refusal(record, office.clerk), attachments.OnPaper)
    machine = Person.objects.create(username="m", full_name="m", unit=office.registry, is_service=True)
    PersonRole.objects.create(person=machine, role=Role.CLERK, since=LONG_AGO)
    UnitScope.objects.create(person=machine, unit=office.registry, since=LONG_AGO)
    Clearance.objects.create(person=machine, level=Level.TUYET_MAT, since=LONG_AGO, basis="QĐ 03")
    borne_out()
    secret = tokens.give(machine, name="x", until=None, actor=office.admin)
    sent = {"why": "x", "file": io.BytesIO(b"%PDF-1.4 x")}
    answer = client.post(f"/api/v1/records/{record.key}/files", sent, headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (409, "STO-007")
    lower(office, cleared, record, Level.TOI_MAT)
    with pytest.raises(attachments.OnPaper):
        joining.add(io.BytesIO(b"%PDF-1.4"), name="a.pdf", record=record, why="x", actor=office.clerk)
    assert not DigitalObject.objects.filter(record=record).exists()
    shown = signed_in("clerk").get(reverse("archive:record", args=[record.key])).content.decode()
    assert reverse("ingest:joining", args=[record.key]) not in shown


def refused(change):
    with pytest.raises(DatabaseError), transaction.atomic():
        change()


def test_the_database_keeps_file_page_and_words_off_it(office, cleared, make_record):
    record, other = stub(office), make_record()
    loose = seal(b"%PDF-1.4 loose", level=2, role="attachment")
    page = other.pages.get()
    refused(lambda: DigitalObject.objects.filter(pk=loose.pk).update(record=record))
    loose.pk, loose.record = "f" * 32, record
    refused(lambda: loose.save(force_insert=True))
    refused(lambda: Page.objects.filter(pk=page.pk).update(record=record))
    page.pk, page.record = None, record
    refused(page.save)
    refused(lambda: Record.objects.filter(pk=record.pk).update(subject="Kế hoạch A2"))
    refused(lambda: Record.objects.filter(pk=record.pk).update(level=2, description="Kế hoạch A2"))
    # No row of it goes or is written a second time, and a dispatch with a file cannot be made one.
    refused(lambda: PaperStub.objects.create(record=other))
    refused(lambda: PaperStub.objects.filter(record=record).delete())
    refused(lambda: PaperPlace.objects.filter(record=record).update(holder="x"))
    refused(lambda: PaperPlace.objects.filter(record=record).delete())
    ended = {"ended_at": timezone.now(), "ended_by": office.clerk, "end_reason": "x"}
    refused(lambda: PaperStub.objects.filter(record=record).update(**ended))  # top secret stays paper
    # Top secret takes no file even where its stub is gone.
    Record.objects.filter(pk=other.pk).update(level=3, subject="")
    refused(
        lambda: (
            seal(b"%PDF-1.4 x", level=2, role="attachment").__class__.objects.filter(record=None).update(record=other)
        )
    )


def test_words_about_it_are_not_routed_either(office, cleared):
    record = stub(office)
    with pytest.raises(routing.OnPaper):
        routing.forward(record, Task(office.leader, instruction="Nội dung …"), actor=office.clerk)
    assert record.pk not in routing.lists.to_forward(office.clerk).values_list("pk", flat=True)


def test_lowered_to_what_the_site_may_hold_it_takes_abstract_and_file(office, cleared, last_entry):
    record = stub(office)
    with pytest.raises(papers.StillAbove):
        papers.take_in(record, subject="x", reason="x", actor=office.clerk)
    lower(office, cleared, record, Level.TOI_MAT)
    assert set(Access.objects.filter(record=record).values_list("level", flat=True)) == {2}
    with pytest.raises(attachments.OnPaper):  # by an act of its own, not by the lowering
        joins(record, office)
    with pytest.raises(registration.MissingFields):
        papers.take_in(record, subject=" ", reason="x", actor=office.clerk)
    papers.take_in(record, subject="Bảo vệ biên giới", reason="Đã hạ độ mật", actor=office.clerk)
    assert last_entry().action == "paper.end"
    record.refresh_from_db()
    assert record.subject == "Bảo vệ biên giới"
    assert joins(record, office).ordinal == 1
    with pytest.raises(papers.NotOnPaper):
        papers.take_in(record, subject="x", reason="x", actor=office.clerk)
    assert not [fault for fault in digests.faults() if fault.kind in {"record", "paperstub", "registernumber"}]


def test_who_keeps_the_paper_is_told_of_another_level(office, cleared):
    record = stub(office)
    lower(office, cleared, record, Level.TOI_MAT)
    (notice,) = LevelNotice.objects.filter(record=record)
    assert str(notice) == "Người giữ bản giấy"  # and not by name: that was written at the higher level


def test_under_a_hold_it_is_not_taken_in_and_goes_on_from_hand_to_hand(office, cleared):
    record = stub(office)
    lower(office, cleared, record, Level.TOI_MAT)
    Clearance.objects.create(person=office.archivist, level=Level.TOI_MAT, since=LONG_AGO, basis="QĐ 02")
    borne_out()
    hold = retention.place_hold(retention.Order("Thanh tra", "x"), on=[record], actor=office.archivist)
    with pytest.raises(attachments.Held):
        papers.take_in(record, subject="Bảo vệ biên giới", reason="Đã hạ độ mật", actor=office.clerk)
    assert papers.hand_on(record, lying(holder="Thanh tra"), actor=office.clerk).holder == "Thanh tra"
    retention.lift_hold(hold, reason="xong", actor=office.archivist)
    assert papers.take_in(record, subject="Bảo vệ biên giới", reason="Đã hạ độ mật", actor=office.clerk).subject


def test_lowered_above_the_ceiling_of_the_site_it_stays_paper(office, cleared, settings):
    settings.SITE_MAX_LEVEL = Level.THUONG
    record = stub(office)
    lower(office, cleared, record, Level.MAT)
    with pytest.raises(papers.StillAbove):
        papers.take_in(record, subject="x", reason="x", actor=office.clerk)
    order = Order("Chỉ huy trưởng", "QĐ 46/QĐ-BCH", timezone.localdate(), "x")
    acts.raise_level(record, to=Level.TUYET_MAT, order=order, actor=office.leader)  # it has no file to be held


def test_who_holds_the_paper_is_written_down_each_time(office, cleared, last_entry):
    record = stub(office)
    papers.hand_on(record, lying(holder="Phòng Tham mưu", signed_by="Lê C", copies=1), actor=office.clerk)
    assert [row.holder for row in papers.told_to(office.clerk, record)] == ["Phòng Tham mưu", "Ban Cơ yếu"]
    assert last_entry().action == "paper.move"
    with pytest.raises(papers.WrongDay):
        papers.hand_on(record, lying(signed_on=date(2031, 1, 1)), actor=office.clerk)
    with pytest.raises(Forbidden):
        papers.hand_on(record, lying(), actor=office.leader)
    registration.void(record, reason="Nhầm sổ", actor=office.clerk)
    with pytest.raises(papers.NotOnPaper):
        papers.hand_on(record, lying(), actor=office.clerk)


def test_holders_written_down_at_a_higher_level_stay_there(office, cleared):
    record = stub(office)
    lower(office, cleared, record, Level.MAT)
    assert access.may(office.archivist, Action.RECORD_READ, record).allowed
    (row,) = papers.told_to(office.archivist, record)
    assert "Ban Cơ yếu" not in (row.holder, row.place, row.signed_by)
    book = registers.Book(office.secret_incoming, timezone.localdate().year)
    for reader, is_told in ((office.clerk, True), (office.archivist, False)):
        (line,) = registers.span(book, access.visible_to(reader), 1, 1)
        assert ("Ban Cơ yếu" in " ".join(cell.text for cell in line.cells)) is is_told


def test_the_form_has_no_place_for_an_abstract_and_registers_a_paper(office, cleared, signed_in):
    browser = signed_in("clerk")
    shown = browser.get(reverse("archive:paper-new")).content.decode()
    for name in ("subject", "description", "file"):
        assert f'name="{name}"' not in shown
    sent = {
        "register": office.secret_incoming.pk, "level": "tuyet-mat", "urgency": 0, "type_name": "Phương án",
        "symbol": "05/PA-BCH", "issued_date": "10/10/2026", "organ_name": "Quân khu 9", "arrival_date": "12/10/2026",
        "copies": 2, "holder": "Ban Cơ yếu", "place": "Két 1", "signed_by": "Trần Văn B", "signed_on": "12/10/2026",
        "subject": "Kế hoạch A2",
    }  # fmt: skip
    lacking = browser.post(reverse("archive:paper-new"), sent | {"arrival_date": "", "symbol": "05"})
    assert lacking.status_code == 422
    assert not Record.objects.exists()
    assert browser.post(reverse("archive:paper-new"), sent).status_code == 302
    record = Record.objects.get()
    assert (record.subject, record.symbol, record.number.number) == ("", "05/PA-BCH", 1)
    assert "Ban Cơ yếu" in browser.get(reverse("archive:record", args=[record.key])).content.decode()
    again = browser.post(reverse("archive:paper-new"), sent)
    assert (again.status_code, "đã đăng ký" in again.content.decode()) == (422, True)


def test_the_page_of_a_paper_hands_it_on_and_takes_it_in(office, cleared, signed_in):
    record = stub(office)
    browser, address = signed_in("clerk"), reverse("archive:record-paper", args=[record.key])
    assert 'value="take-in"' not in browser.get(address).content.decode()
    moved = {"act": "move", "copies": 1, "holder": "Phòng Tác chiến", "place": "Tủ 2", "signed_by": "Lê C"}
    assert browser.post(address, moved | {"signed_on": "01/11/2026"}).status_code == 302
    assert "Phòng Tác chiến" in browser.get(address).content.decode()
    lower(office, cleared, record, Level.TOI_MAT)
    assert 'value="take-in"' in browser.get(address).content.decode()
    assert browser.post(address, {"act": "take-in", "subject": "", "reason": "x"}).status_code == 422
    assert browser.post(address, {"act": "take-in", "subject": "Biên giới", "reason": "Đã hạ"}).status_code == 302
    assert browser.get(address).status_code == 404
    assert signed_in("leader").get(address).status_code == 403


def test_where_papers_are_off_the_form_says_what_to_do(office, signed_in, settings):
    settings.PAPER_STUBS = False
    answer = signed_in("clerk").get(reverse("archive:paper-new"))
    assert answer.status_code == 409
    assert "PAP-001" in answer.content.decode()


def test_a_file_above_the_ceiling_leads_the_clerk_to_the_form(office, cleared, signed_in):
    now = timezone.now()
    batch = Batch.objects.create(
        channel=Channel.WEB, unit=office.registry, declared_level=2, actor=office.clerk, created_at=now
    )
    Scan.objects.create(
        batch=batch, order=1, name="1.pdf", declared_level=2, level=3, state=ScanState.ATTENTION,
        code=outcomes.QUARANTINED, reason={"level": "tuyet-mat", "ceiling": "toi-mat"}, created_at=now, not_before=now,
    )  # fmt: skip
    shown = signed_in("clerk").get(reverse("ingest:batch", args=[batch.pk])).content.decode()
    led = reverse("archive:paper-new") + "?level=tuyet-mat"
    assert led in shown
    assert '<option value="tuyet-mat" selected>' in signed_in("clerk").get(led).content.decode()


def test_the_reader_of_a_register_reads_who_signed_for_the_paper(office, cleared):
    stub(office)
    book = registers.Book(office.secret_incoming, timezone.localdate().year)
    (line,) = registers.span(book, access.visible_to(office.clerk), 1, 1)
    told = {cell.name: cell.text for cell in line.cells}
    assert told["subject"] == "Phương án"
    assert told["taken"] == "Ban Cơ yếu; Trần Văn B, 12/10/2026"


def test_reading_a_paper_is_in_the_log(office, cleared, signed_in):
    record = stub(office)
    before = AuditEntry.objects.count()
    signed_in("clerk").get(reverse("archive:record-paper", args=[record.key]))
    entry = AuditEntry.objects.latest("ts")
    assert (entry.action, entry.record_id, entry.level) == ("record.read", record.pk, 3)
    assert AuditEntry.objects.count() == before + 1
    assert audit.subject_of(record).level == 3
