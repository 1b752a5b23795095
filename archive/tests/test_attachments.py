"""The files of a record: listed on its page, opened through the same doors, known to every act that walks them."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from archive import access, attachments, capture, dossiers, locking, opening, pages, registration, retention, store
from archive.models import Attachment, AttachmentVoid, AuditEntry, DigitalObject, RecordClass, RetentionRule
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.proposal import Suggestion
from config.tests.office import pack_of, seal

NAME = "phu-luc-1.pdf"
CONTENT = b"%PDF-1.4 an annex"


@pytest.fixture
def join(office):
    """Return what joins an annex of given pages to a record: join(record, texts, name=...)."""

    def do(record, texts=("Phụ lục I",), *, name=NAME, content=CONTENT):
        level = Level(record.level)
        pack, ranges = pack_of(texts, level=level) if texts else (None, [])
        captured = capture.Captured(
            unit=record.unit,
            suggestion=Suggestion(level, level, level),
            original=seal(content, level=level, role="original", name=name),
            pack=pack,
            pages=ranges,
            flags=["signed"],
        )
        handed = attachments.Handed(office.clerk, datetime.now(UTC), "Gửi kèm công văn")
        return attachments.join(record, captured, handed=handed)

    return do


def page(browser, record):
    return browser.get(reverse("archive:record", args=[record.key])).content.decode()


def test_the_page_of_a_record_lists_its_files(office, make_record, join, signed_in):
    record = make_record()
    join(record)
    shown = page(signed_in("clerk"), record)
    for said in ("mau.pdf", NAME, "Gửi kèm công văn", "Đồng chí clerk", "Có chữ ký số (chưa kiểm tra)"):
        assert said in shown
    assert reverse("archive:attached", args=[record.key, 1]) in shown


def test_a_list_knows_which_records_have_files_beside_the_main_one(office, make_record, join):
    records = [make_record(), make_record()]
    join(records[0])
    shown = opening.opened(access.visible_to(office.clerk), [record.pk for record in records])
    assert [shown[record.pk].has_attached for record in records] == [True, False]


def test_files_inside_a_file_are_offered_to_the_clerk_alone(office, make_record, join, signed_in):
    record = make_record()
    attached = join(record)
    offer = "Tệp này chứa tệp khác bên trong"
    assert offer not in page(signed_in("clerk"), record)
    Attachment.objects.filter(pk=attached.pk).update(flags=["embedded"])
    assert offer in page(signed_in("clerk"), record)
    assert offer not in page(signed_in("leader"), record)


def test_a_record_without_annexes_lists_its_main_file_alone(office, make_record):
    (main,) = pages.files_of(make_record(pages=("Một", "Hai")))
    assert (main.ordinal, main.first_page, main.page_count, main.added_by) == (0, 1, 2, office.clerk)


def test_the_page_of_a_record_asks_few_queries_however_many_files_it_has(
    office, make_record, join, signed_in, django_assert_max_num_queries
):
    record, browser = make_record(), signed_in("clerk")
    for number in range(5):
        join(record, name=f"{number}.pdf", content=b"%d" % number)
    page(browser, record)
    with django_assert_max_num_queries(13):  # with the session, standing, the shell and the entry of the log
        page(browser, record)


def test_files_know_which_pages_are_theirs(office, make_record, join):
    record = make_record(pages=("Một", "Hai"))
    join(record, ("A", "B", "C"))
    join(record, (), name="khoa.pdf", content=b"locked")
    record.refresh_from_db()
    files = [(file.ordinal, file.first_page, file.page_count) for file in pages.files_of(record)]
    assert files == [(0, 1, 2), (1, 3, 3), (2, 6, 0)]


def test_an_attached_file_is_taken_out_as_it_was_handed_over(office, make_record, join, signed_in):
    record = make_record()
    join(record)
    answer = signed_in("clerk").get(reverse("archive:attached", args=[record.key, 1]))
    assert b"".join(answer.streaming_content) == CONTENT
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    entry = AuditEntry.objects.get(action="record.original")
    assert (entry.record_id, entry.detail.payload["file"]) == (record.pk, 1)


def test_a_classified_attachment_asks_for_a_reason(office, make_record, join, signed_in):
    record = make_record(level=Level.MAT)
    join(record)
    address, browser = reverse("archive:attached", args=[record.key, 1]), signed_in("clerk")
    assert "Lấy tệp ra" in browser.get(address).content.decode()
    assert not AuditEntry.objects.filter(action="record.original").exists()
    answer = browser.post(address, {"reason": "Đối chiếu"})
    assert b"".join(answer.streaming_content) == CONTENT


@pytest.mark.parametrize("number", [2, 99])
def test_a_file_that_is_not_there_is_nothing(office, make_record, join, signed_in, number):
    record = make_record()
    join(record)
    missing = signed_in("clerk").get(f"/records/{record.key}/files/{number}/")
    assert missing.status_code == 404


@pytest.mark.parametrize("name", ["staff", "stranger", "auditor", "security", "admin"])
def test_an_attachment_of_a_hidden_record_answers_like_one_that_is_not_there(
    office, make_record, join, signed_in, name
):
    record = make_record(level=Level.TOI_MAT)
    join(record)
    browser = signed_in(name)
    for path in (f"/records/{record.key}/files/1/", f"/records/{record.key}/pages/2/image/"):
        hidden, missing = browser.get(path), browser.get(path.replace(record.key, "nothinghere"))
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert NAME.encode() not in hidden.content
        assert len(hidden.content.replace(record.key.encode(), b"nothinghere")) == len(missing.content)


def test_the_api_lists_the_files(office, make_record, join):
    from archive.api import described_file

    record = make_record()
    join(record)
    record.refresh_from_db()
    main, annex = (described_file(file) for file in pages.files_of(record))
    assert (main["number"], annex["number"], annex["name"], annex["first_page"]) == (0, 1, NAME, 2)
    assert annex["added_by"] == "Đồng chí clerk"


def test_the_files_of_a_draft_rise_with_it_when_it_is_registered(office, make_draft, join):
    draft = make_draft()
    attached = join(draft)
    entry = registration.Entry(
        level=Level.MAT, type_name="Kế hoạch", organ_name="Bộ Tư lệnh", issued_date=date(2026, 11, 2),
        subject="Huấn luyện", arrival_date=date(2026, 11, 3),
    )  # fmt: skip
    registration.register(draft, entry, register=office.secret_incoming, actor=office.clerk, files_seen=1)
    sealed = DigitalObject.objects.filter(record=draft)
    assert sealed.count() == 4
    assert {one.level for one in sealed} == {Level.MAT}
    assert attached.original_id in {one.address for one in sealed}


def test_what_is_locked_on_the_medium_includes_attached_files(office, make_record, join):
    record = make_record()
    attached = join(record)
    rule = RetentionRule.objects.create(
        code="1", title="Lưu", kind="years", years=10, basis="TT 10", valid_from=date(2023, 2, 15)
    )
    line = RecordClass.objects.create(year=2026, code="01", title="Huấn luyện", rule=rule)
    cover = dossiers.Cover("01.TM", "Huấn luyện", line, rule, office.registry, date(2026, 1, 5))
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    assert {attached.original_id, attached.pack_id} <= set(locking._addresses_of(dossier))


def test_a_page_has_one_number_in_its_record_and_is_read_with_it(office, make_record, join):
    record = make_record(pages=("Một",))
    join(record, ("Thống kê",))
    assert [(read.number, read.text) for read in pages.texts(record)] == [(1, "Một"), (2, "Thống kê")]


def test_a_file_of_another_record_is_not_opened_by_this_one(office, make_record, join):
    one, other = make_record(), make_record()
    join(one)
    assert pages.original_of(one, 1).name == NAME
    with pytest.raises(Hidden):
        pages.original_of(other, 1)


def test_a_damaged_attachment_is_never_sent_in_part(office, make_record, join, signed_in):
    from archive.stores.port import object_id

    record = make_record()
    attached = join(record)
    store.configured().vault.shred(object_id(attached.original_id))
    answer = signed_in("clerk").get(reverse("archive:attached", args=[record.key, 1]))
    assert CONTENT not in answer.content
    assert Attachment.objects.filter(pk=attached.pk).exists()


# --- a file that does not belong there -----------------------------------------------------------------


def test_a_wrong_file_is_voided_and_shown_and_found_no_more(office, make_record, join, signed_in, last_entry):
    record = make_record()
    wrong = join(record, ("Trang của văn bản khác",))
    address = wrong.original.address
    browser = signed_in("clerk")
    assert (
        browser.post(reverse("archive:file-void", args=[record.key, 1]), {"reason": "Nhầm văn bản"}).status_code == 302
    )
    assert last_entry().action == "record.detach"
    assert last_entry().detail.payload["pages"] == 1
    for door in (
        ("archive:attached", 1),
        ("archive:page-image", 2),
        ("archive:page-thumb", 2),
        ("archive:file-void", 1),
    ):
        assert browser.get(reverse(door[0], args=[record.key, door[1]])).status_code == 404
    shown = page(browser, record)
    for said in ("Tệp đã hủy:", "Nhầm văn bản", NAME):
        assert said in shown
    assert reverse("archive:attached", args=[record.key, 1]) not in shown
    record.refresh_from_db()
    assert (record.page_amount, pages.count_files(record)) == (1, 1)
    assert [file.page_count for file in pages.files_of(record)] == [1]
    # Its bytes stay sealed, under the level of the dispatch, for backup and scrub.
    assert DigitalObject.objects.filter(record=record, address=address).exists()
    assert store.read(address) == CONTENT


def test_a_voided_file_comes_again_under_a_new_place_and_new_page_numbers(office, make_record, join):
    record = make_record()
    join(record)
    attachments.void(record, 1, reason="Thiếu trang", actor=office.clerk)
    again = join(record, ("Phụ lục I", "trang 2"))
    assert (again.ordinal, again.first_page) == (2, 3)
    assert sorted(record.pages.values_list("number", flat=True)) == [1, 3, 4]
    with pytest.raises(Hidden):
        attachments.void(record, 1, reason="x", actor=office.clerk)


def test_the_pages_behind_a_voided_file_are_printed(office, make_record, join, signed_in):
    record = make_record()
    join(record)
    join(record, ("Phụ lục II", "trang 2"), name="phu-luc-2.pdf", content=b"%PDF-1.4 two")
    attachments.void(record, 1, reason="Nhầm", actor=office.clerk)
    browser, door = signed_in("leader"), reverse("archive:record-print", args=[record.key])
    assert 'value="4"' in browser.get(door).content.decode()
    paper = browser.post(door, {"first": 3, "last": 4, "reason": "Họp"})
    assert (paper.status_code, paper["Content-Type"]) == (200, "application/pdf")
    for first, last in ((2, 2), (1, 2), (2, 4), (4, 5), (4, 3)):  # of what is not there no copy gets a number
        refused = browser.post(door, {"first": first, "last": last, "reason": "Họp"})
        assert (refused.status_code, "1, 3-4" in refused.content.decode()) == (422, True)
    assert record.copies.filter(kind="print").count() == 1


def test_a_file_is_voided_in_a_draft_too_and_by_the_clerk_alone(office, make_draft, make_record, join):
    draft, record = make_draft(), make_record()
    join(draft)
    join(record)
    for name in ("leader", "staff", "archivist", "auditor"):
        with pytest.raises((Forbidden, Hidden)):
            attachments.void(record, 1, reason="x", actor=getattr(office, name))
    with pytest.raises(attachments.WordsMissing):
        attachments.void(draft, 1, reason=" ", actor=office.clerk)
    with pytest.raises(Hidden):  # the main file is what the draft was made of
        attachments.void(draft, 0, reason="x", actor=office.clerk)
    assert attachments.void(draft, 1, reason="Nhầm", actor=office.clerk).voided_by == office.clerk


def test_nothing_is_voided_under_a_hold_nor_in_a_closed_dossier(office, make_record, join):
    record, filed = make_record(), make_record()
    join(record)
    join(filed)
    retention.place_hold(retention.Order("Thanh tra", "x"), on=[record], actor=office.archivist)
    with pytest.raises(attachments.Held):
        attachments.void(record, 1, reason="x", actor=office.clerk)
    rule = RetentionRule.objects.create(code="1", title="x", kind="permanent", basis="x", valid_from=date(2020, 1, 1))
    line = RecordClass.objects.create(code="01", title="x", rule=rule, year=2026)
    cover = dossiers.Cover("1", "x", line, rule, office.registry, date(2026, 1, 1))
    dossier = dossiers.begin(cover, actor=office.archivist)
    dossiers.file(filed, dossier=dossier, actor=office.archivist)
    dossiers.close(dossier, ended_on=date(2026, 11, 1), actor=office.archivist)
    with pytest.raises((attachments.InClosedDossier, attachments.TakesNoMore)):
        attachments.void(filed, 1, reason="x", actor=office.clerk)


def test_the_row_of_a_voided_file_is_written_once(office, make_record, join):
    record = make_record()
    join(record)
    row = attachments.void(record, 1, reason="Nhầm", actor=office.clerk)
    rows = AttachmentVoid.objects.filter(pk=row.pk)
    for change in (rows.delete, lambda: rows.update(reason="x"), lambda: row.save(force_insert=True)):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
