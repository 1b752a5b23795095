"""Files of what was found: opened and read back, harmless to open, marked, numbered, in the log, within one's rights."""

import csv
import io
import zipfile
from datetime import timedelta

import pypdfium2
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from archive import access
from archive.models import Access, AuditEntry, PersonRole, Record
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from search import exporting
from search.entry import Order
from search.exporting import Form, Wanted
from search.models import Asking
from search.printing import cells

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1;1)",
    "\t=1+1",
    "  =1+1",
    '\r\n=HYPERLINK("x")',
    "\u200b=1+1",
    "＝1+1",
    "\ufeff@x",
    "%0A=1",
)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def wanted(form=Form.CSV, text="diễn tập", reason="", **more):
    return Wanted(text, {}, Order.NEWEST, form, reason=reason, **more)


def asked(person, text="diễn tập"):
    token = f"tok{person.pk:019d}"
    Asking.objects.get_or_create(
        token=token, defaults={"person": person, "text": text, "order": "newest", "asked_at": timezone.now()}
    )
    return f"/search/export/?asked={token}"


def taken(browser, person, form="csv", columns=exporting.USUAL, reason="báo cáo cấp trên"):
    answer = browser.post(asked(person), {"form": form, "columns": list(columns), "reason": reason})
    assert answer.status_code == 200, answer.content.decode()
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def lines_of(content):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def sheet_of(content):
    """Return (parts by name, texts of all cells) of a spreadsheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        parts = {name: package.read(name).decode() for name in package.namelist()}
    shared = [
        "".join(one.itertext())
        for one in etree.fromstring(parts["xl/sharedStrings.xml"].encode()).findall(f"{SHEET}si")
    ]
    found = etree.fromstring(parts["xl/worksheets/sheet1.xml"].encode())
    return parts, [shared[int(cell.find(f"{SHEET}v").text)] for cell in found.iter(f"{SHEET}c") if cell.get("t") == "s"]


def paper_of(content):
    paper = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_range() for page in paper]
    finally:
        paper.close()


# --- what stands in it --------------------------------------------------------------------------
@pytest.mark.parametrize("subject", HOSTILE)
def test_nothing_of_a_dispatch_begins_like_a_formula(office, make_record, indexed, signed_in, subject):
    make_record(subject=f"{subject} diễn tập")
    indexed()
    browser = signed_in("archivist")
    for line in lines_of(taken(browser, office.archivist)):
        assert not any(cells.would_run(cell) and not cell.startswith("'") for cell in line), line
        assert not any(sign in cell for cell in line for sign in "\r\n\t\u200b\ufeff")
    parts, texts = sheet_of(taken(browser, office.archivist, "xlsx"))
    book = parts["xl/worksheets/sheet1.xml"]
    assert "<f>" not in book
    assert "hyperlink" not in book.lower()
    assert 'quotePrefix="1"' in parts["xl/styles.xml"]
    assert any("diễn tập" in text for text in texts)
    assert not any("externalLink" in name for name in parts)


@given(st.text(max_size=40))
def test_no_text_at_all_is_run(text):
    cell = cells.harmless(text)
    assert cell[:1] not in cells.RUNS
    assert cells.one_line(cell) == cell


def test_the_file_says_who_when_what_and_how_many(office, make_record, indexed, signed_in):
    for number in range(3):
        make_record(subject=f"Diễn tập {number}", code_number=str(100 + number))
    indexed()
    lines = lines_of(taken(signed_in("archivist"), office.archivist, reason=""))
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    assert said["Lời tìm"] == "diễn tập"
    assert said["Độ mật"] == "THƯỜNG"
    assert said["Số lượng"] == "3 văn bản"
    assert said["Bản số"] == "1"
    assert office.archivist.full_name in said["Người xuất"]
    head = next(place for place, line in enumerate(lines) if "Trích yếu" in line)
    assert sorted(line[lines[head].index("Trích yếu")] for line in lines[head + 1 :]) == [
        "Diễn tập 0",
        "Diễn tập 1",
        "Diễn tập 2",
    ]


def test_only_the_columns_of_choice_stand_in_it_in_their_order(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập")
    indexed()
    lines = lines_of(taken(signed_in("archivist"), office.archivist, columns=["subject", "symbol", "pages"]))
    assert lines[-2:] == [["Số, ký hiệu", "Trích yếu", "Số trang"], ["123/KH-BCH", "Diễn tập", "1"]] or lines[-1] == [
        "123/KH-BCH",
        "Diễn tập",
        "1",
    ]


def test_every_sheet_of_paper_carries_level_reader_and_copy(office, make_record, indexed, signed_in):
    for number in range(60):
        make_record(subject=f"Diễn tập khu vực phòng thủ lần thứ {number}", level=Level.MAT if number == 7 else 0)
    indexed()
    sheets = paper_of(taken(signed_in("archivist"), office.archivist, "pdf"))
    assert len(sheets) > 1
    for place, text in enumerate(sheets, start=1):
        assert text.count("MẬT") >= 2
        assert office.archivist.full_name in text
        assert "Bản số 1" in text
        assert f"{place}/{len(sheets)}" in text
    assert "lần thứ 59" in "".join(sheets)


@pytest.mark.parametrize("columns", [exporting.USUAL, tuple(exporting.COLUMNS)])
def test_no_column_runs_over_the_edge_of_the_sheet(office, make_record, indexed, signed_in, columns):
    make_record(subject="Diễn tập khu vực phòng thủ " * 5, organ_name="Bộ Chỉ huy Phòng thủ khu vực " * 4)
    indexed()
    paper = pypdfium2.PdfDocument(taken(signed_in("archivist"), office.archivist, "pdf", columns))
    sheet = paper[0]
    edge = sheet.get_width() - 12 / 25.4 * 72 + 1  # the margin, and the width of a line
    assert max(thing.get_bounds()[2] for thing in sheet.get_objects()) <= edge
    paper.close()


def test_a_list_of_open_papers_carries_no_stamp(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập")
    indexed()
    browser = signed_in("archivist")
    (text,) = paper_of(taken(browser, office.archivist, "pdf", reason=""))
    assert "tiêu hủy như" not in text
    parts, _ = sheet_of(taken(browser, office.archivist, "xlsx", reason=""))
    assert "<oddHeader>" not in parts["xl/worksheets/sheet1.xml"]


def test_a_sheet_with_classified_lines_is_marked_on_every_printed_page(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập", level=Level.MAT)
    indexed()
    parts, texts = sheet_of(taken(signed_in("archivist"), office.archivist, "xlsx"))
    assert "<oddHeader>&amp;C&amp;BMẬT</oddHeader>" in parts["xl/worksheets/sheet1.xml"]
    assert "MẬT" in texts
    assert any("tiêu hủy như tài liệu mật" in text for text in texts)


def test_a_file_holds_only_so_many_and_says_so(office, make_record, indexed, signed_in, monkeypatch):
    monkeypatch.setattr(Form, "most", property(lambda _form: 2))
    for number in range(3):
        make_record(subject=f"Diễn tập {number}")
    indexed()
    lines = lines_of(taken(signed_in("archivist"), office.archivist))
    assert ["Số lượng", "2 văn bản đầu trong tổng số 3"] in lines
    assert sum("Diễn tập" in cell for line in lines for cell in line) == 2


# --- whose rights --------------------------------------------------------------------------------
def test_two_readers_take_out_each_what_they_may_see(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập mở")
    make_record(subject="Diễn tập kín", level=Level.TOI_MAT)
    indexed()
    clerk = taken(signed_in("clerk"), office.clerk).decode()
    archivist = taken(signed_in("archivist"), office.archivist, reason="").decode()
    assert "Diễn tập kín" in clerk
    assert "TỐI MẬT" in clerk
    assert "Diễn tập mở" in archivist
    assert "Diễn tập kín" not in archivist
    assert "1 văn bản" in archivist


@pytest.mark.parametrize("role", ["auditor", "admin", "security"])
def test_posts_that_do_not_search_take_nothing_out(office, make_record, indexed, signed_in, role):
    make_record(subject="Diễn tập")
    indexed()
    browser = signed_in(role)
    person = getattr(office, role)
    for answer in (browser.get(asked(person)), browser.post(asked(person), {"form": "csv", "columns": ["subject"]})):
        assert answer.status_code == 403
    assert AuditEntry.objects.filter(outcome="denied", action="search:export").count() == 2
    with pytest.raises(Forbidden):
        exporting.begin(wanted(), exporting.Rows((1,), (), Level.THUONG, 1), actor=person)


def test_nobody_takes_out_what_somebody_else_asked(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập")
    indexed()
    answer = signed_in("archivist").post(asked(office.clerk), {"form": "csv", "columns": ["subject"]})
    assert answer.status_code == 302
    assert not AuditEntry.objects.filter(action="search.export").exists()


def test_access_that_ends_while_the_file_is_written_ends_there(office, make_record, indexed, later, monkeypatch):
    monkeypatch.setattr(exporting, "BATCH", 1)
    records = [make_record(subject=f"Diễn tập {number}") for number in range(3)]
    indexed()
    given = [
        access.grant(record, to=office.stranger, until=later(60), reason="x", actor=office.leader) for record in records
    ]
    rows = exporting.rows_for(wanted(), office.stranger)
    exporting.begin(wanted(), rows, actor=office.stranger)
    written = exporting.lines(rows, ("subject",), office.stranger)
    assert len(rows.ids) == 3
    first = next(written)
    for each in given:
        access.end_grant(each, actor=office.leader)
    assert [first, *written] == [first]


def test_a_dispatch_raised_above_the_level_on_the_file_is_left_out(office, make_record, indexed):
    records = [make_record(subject=f"Diễn tập {number}") for number in range(2)]
    indexed()
    rows = exporting.rows_for(wanted(), office.archivist)
    Record.objects.filter(pk=records[0].pk).update(level=Level.MAT)
    Access.objects.filter(record=records[0]).update(level=Level.MAT)
    assert [line for (line,) in exporting.lines(rows, ("subject",), office.archivist)] == ["Diễn tập 1"]


def test_a_streamed_file_ends_where_the_post_ended(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập")
    indexed()
    form = {"form": "csv", "columns": ["subject"], "reason": ""}
    answer = signed_in("archivist").post(asked(office.archivist), form)
    PersonRole.objects.filter(person=office.archivist).update(until=timezone.now() - timedelta(minutes=1))
    assert "Diễn tập" not in b"".join(answer.streaming_content).decode()


# --- the log ----------------------------------------------------------------------------------------
def test_each_file_is_a_numbered_copy_in_the_log(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập mở")
    secret = make_record(subject="Diễn tập kín", level=Level.MAT)
    indexed()
    for name, form in (("archivist", "xlsx"), ("clerk", "csv")):
        taken(signed_in(name), getattr(office, name), form)
    files = AuditEntry.objects.filter(action="search.export", object_type="export").order_by("object_seq")
    assert [(entry.actor, entry.level) for entry in files] == [(office.archivist, 1), (office.clerk, 1)]
    said = [entry.detail.payload for entry in files]
    assert [(one["copy"], one["form"], one["count"], one["level"]) for one in said] == [
        (1, "xlsx", 2, "mat"),
        (2, "csv", 2, "mat"),
    ]
    assert said[0]["text"] == "diễn tập"
    assert b"b\xc3\xa1o c\xc3\xa1o c\xe1\xba\xa5p tr\xc3\xaan" in bytes(files[0].body)  # the reason stands in the entry
    copies = AuditEntry.objects.filter(action="search.export", record_id=secret.pk)
    assert sorted(entry.detail.payload["copy"] for entry in copies) == [1, 2]


def test_classified_lines_want_a_reason_and_nothing_is_written_without(office, make_record, indexed, signed_in):
    make_record(subject="Diễn tập", level=Level.MAT)
    indexed()
    answer = signed_in("archivist").post(asked(office.archivist), {"form": "csv", "columns": ["subject"]})
    assert answer.status_code == 422
    assert "đến mức Mật" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="search.export").exists()
    assert AuditEntry.objects.get(outcome="denied").detail.payload["code"] == "SEA-005"


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [("SECRET_ROWS", 0, exporting.TooManySecret), ("PER_HOUR", 1, exporting.TooOften)],
)
def test_copies_are_limited(office, make_record, indexed, monkeypatch, limit, value, code):
    make_record(subject="Diễn tập", level=Level.MAT)
    indexed()
    ask = wanted(reason="x")
    rows = exporting.rows_for(ask, office.archivist)
    exporting.begin(ask, rows, actor=office.archivist)
    monkeypatch.setattr(exporting, limit, value)
    with pytest.raises(code):
        exporting.begin(ask, rows, actor=office.archivist)


def test_an_empty_list_is_not_taken_out(office, indexed, signed_in):
    indexed()
    answer = signed_in("archivist").post(asked(office.archivist), {"form": "pdf", "columns": ["subject"]})
    assert answer.status_code == 422
    assert not AuditEntry.objects.filter(action="search.export").exists()


def test_without_an_engine_nothing_is_taken_out(office, indexed, signed_in, away):
    away()
    browser = signed_in("archivist")
    assert browser.get(asked(office.archivist)).status_code == 503
    assert browser.post(asked(office.archivist), {"form": "csv", "columns": ["subject"]}).status_code == 503


# --- more like this -----------------------------------------------------------------------------
LIKE = ("Diễn tập khu vực phòng thủ tỉnh, bảo đảm hậu cần, thông tin liên lạc, cơ động lực lượng dự bị động viên",)


def test_similar_ones_are_shown_within_ones_rights_and_raise_the_seal(office, make_record, indexed, signed_in):
    shown = make_record(subject="Diễn tập khu vực phòng thủ", pages=LIKE)
    for number in range(3):
        make_record(subject=f"Diễn tập khu vực phòng thủ lần {number}", pages=LIKE)
    make_record(subject="Diễn tập phòng thủ Sao Băng", pages=LIKE, level=Level.TOI_MAT)
    indexed()
    address = f"/search/similar/{shown.key}/"
    archivist, clerk = (signed_in(name).get(address).content.decode() for name in ("archivist", "clerk"))
    assert "lần 1" in archivist
    assert "Sao Băng" not in archivist
    assert "hx-swap-oob" not in archivist
    assert "Sao Băng" in clerk
    assert 'hx-swap-oob="true"' in clerk
    assert "level-toi-mat" in clerk
    entry = AuditEntry.objects.filter(action="search.run", shown__record_id=shown.pk).latest("ts")
    assert entry.detail.payload["similar"] == 4
    assert (entry.level, entry.shown.count()) == (Level.TOI_MAT, 5)
    assert signed_in("stranger").get(address).status_code == 404


def test_a_draft_among_similar_ones_is_called_by_no_key(office, make_record, make_draft, indexed, signed_in):
    shown, draft = make_record(subject="Diễn tập", pages=LIKE), make_draft(pages=LIKE)
    indexed()
    card = signed_in("clerk").get(f"/search/similar/{shown.key}/").content.decode()
    assert f"/records/{draft.key}/" in card
    assert f">{draft.key}<" not in card
    assert ">Chưa đăng ký<" in card


def test_the_record_page_names_an_address_and_lives_without_search(office, make_record, indexed, signed_in, away):
    record = make_record()
    indexed()
    browser = signed_in("archivist")
    away()
    page = browser.get(f"/records/{record.key}/")
    assert page.status_code == 200
    assert f'hx-get="/search/similar/{record.key}/"' in page.content.decode()
    card = browser.get(f"/search/similar/{record.key}/")
    assert card.status_code == 200
    assert "gián đoạn" in card.content.decode()
