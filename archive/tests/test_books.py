from datetime import date

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from archive import access, copies, dossiers, printing, registers, registration
from archive.models import Access, AuditEntry, Clearance, RecordClass, Register, RetentionRule
from archive.printing import paper
from archive.registers import Book, Place
from archive.rules.levels import Level, Urgency
from archive.rules.roles import Action


def book_of(register, year=None):
    from django.utils import timezone

    return Book(register, year or timezone.localdate().year)


def shown(office, name, register, **asked):
    return registers.sheet(book_of(register), access.visible_to(getattr(office, name)), Place(**asked))


def numbers(sheet):
    return [line.number.number for line in sheet.lines]


def url(name, register, **query):
    return reverse(f"archive:{name}", args=[register.pk], query=query)


@pytest.fixture
def many(make_record):
    return [make_record(code_number=str(n), subject=f"Văn bản số {n}") for n in range(1, 8)]


def test_the_four_books_have_the_ten_columns_of_their_forms(office):
    assert {len(book_of(register).columns) for register in Register.objects.all()} == {10}


def test_a_book_shows_a_dispatch_in_the_columns_of_the_decree(office, make_record, signed_in):
    make_record(urgency=Urgency.KHAN, description="Bản chính", to_places="Phòng Tham mưu")
    (line,) = shown(office, "clerk", office.incoming).lines
    assert [cell.text for cell in line.cells][:7] == [
        "03/11/2026", "1", "Bộ Tư lệnh Quân khu 9", "123/KH-BCH", "02/11/2026",
        "Kế hoạch: Huấn luyện dân quân tự vệ năm 2027", "Phòng Tham mưu",
    ]  # fmt: skip
    page = signed_in("clerk").get(url("register-book", office.incoming)).content.decode()
    assert "(10) Ghi chú" in page
    assert "Khẩn" in page


def test_receivers_and_receipts_come_from_the_thread(office, make_record):
    from archive import routing

    record = make_record()
    step = routing.forward(record, routing.Task(office.staff_unit, routing.Kind.LEAD), actor=office.clerk)
    routing.receive(step, actor=office.staff)
    (line,) = shown(office, "clerk", office.incoming).lines
    cells = {cell.name: cell.text for cell in line.cells}
    assert cells["receiver"] == "Phòng Tham mưu"
    assert cells["signed"].startswith("Đồng chí staff, ")
    assert cells["moved"]


def test_a_void_number_stays_struck_with_its_reason(office, make_record, signed_in):
    registration.void(make_record(), reason="Trùng với số 4151", actor=office.clerk)
    page = signed_in("clerk").get(url("register-book", office.incoming)).content.decode()
    assert "Trùng với số 4151" in page
    assert "<s>Bộ Tư lệnh Quân khu 9, 123/KH-BCH" in page


def test_a_hidden_line_leaves_no_trace(office, make_record, signed_in):
    make_record(level=Level.MAT, subject="Mật một")
    make_record(level=Level.TOI_MAT, subject="Tối mật hai")
    make_record(level=Level.MAT, subject="Mật ba")
    page = signed_in("archivist").get(url("register-book", office.secret_incoming)).content.decode()
    assert numbers(shown(office, "archivist", office.secret_incoming)) == [3, 1]
    assert "Tối mật hai" not in page
    assert numbers(shown(office, "clerk", office.secret_incoming)) == [3, 2, 1]


def test_secret_books_are_for_people_cleared_for_secrets(office, make_record, signed_in):
    office.leader.clearances.update(until=timezone.now())
    Clearance.objects.create(person=office.leader, level=Level.THUONG, since=timezone.now(), basis="QĐ 02")
    make_record(level=Level.MAT)
    assert office.secret_incoming.name not in signed_in("leader").get(reverse("archive:registers")).content.decode()
    assert signed_in("leader").get(url("register-book", office.secret_incoming)).status_code == 404
    assert signed_in("leader").get(url("register-book", office.incoming)).status_code == 200


def test_a_year_of_which_nothing_may_be_seen_is_not_named(office, make_record):
    record = make_record(level=Level.TOI_MAT)
    record.number.__class__.objects.filter(record=record).update(year=2019)
    office.secret_incoming.counters.update(year=2019)
    years = registers.years(office.secret_incoming, access.visible_to(office.archivist))
    assert 2019 not in years
    assert 2019 in registers.years(office.secret_incoming, access.visible_to(office.clerk))


@pytest.mark.parametrize("name", ["staff", "auditor", "security", "admin", "stranger"])
def test_a_post_without_registers_sees_none(office, many, signed_in, name):
    browser = signed_in(name)
    assert browser.get(reverse("archive:registers")).status_code == 403
    assert browser.get(url("register-book", office.incoming)).status_code in {403, 404}
    assert browser.post(url("register-print", office.incoming), {"first": 1, "last": 2, "ordinal": 1}).status_code in {
        403,
        404,
    }


def test_pages_of_a_book_meet_without_a_gap_or_a_double(office, many, monkeypatch):
    monkeypatch.setattr("archive.registers.books.ROWS", 3)
    first = shown(office, "clerk", office.incoming)
    assert (numbers(first), first.has_higher, first.has_lower) == ([7, 6, 5], False, True)
    second = shown(office, "clerk", office.incoming, below=first.lowest)
    assert (numbers(second), second.has_higher, second.has_lower) == ([4, 3, 2], True, True)
    assert numbers(shown(office, "clerk", office.incoming, above=second.highest)) == [7, 6, 5]
    assert numbers(shown(office, "clerk", office.incoming, oldest_first=True)) == [1, 2, 3]
    assert numbers(shown(office, "clerk", office.incoming, oldest_first=True, above=3)) == [4, 5, 6]


def test_a_book_opens_at_a_number_and_of_days(office, many, signed_in):
    browser = signed_in("clerk")
    assert browser.get(url("register-book", office.incoming, at=4)).context["sheet"].highest == 4
    assert browser.get(url("register-book", office.incoming, at=4, order="number")).context["sheet"].lowest == 4
    assert browser.get(url("register-book", office.incoming, until="01/01/2020")).context["sheet"].lines == []
    assert browser.get(url("register-book", office.incoming, since="mồng một", year="²")).status_code == 200


def test_every_look_at_a_book_is_written_down(office, many, signed_in, last_entry):
    signed_in("clerk").get(url("register-book", office.incoming))
    entry = last_entry()
    assert (entry.action, entry.object_type, entry.object_id) == ("register.read", "register", str(office.incoming.pk))
    assert entry.detail.payload["shown"] == 7
    signed_in("clerk").get(reverse("archive:registers"))
    assert last_entry().action == "register.read"


def text_of(drawn):
    import io

    from pdfminer.high_level import extract_text

    return extract_text(io.BytesIO(drawn))


def printed(browser, register, first=1, last=100, **query):
    given = {"first": first, "last": last, "ordinal": 2, "reason": "Đóng quyển"}
    return browser.post(url("register-print", register, **query), given)


def test_a_volume_prints_with_cover_columns_and_sum(office, many, signed_in, last_entry):
    registration.void(many[2], reason="Ghi nhầm sổ", actor=office.clerk)
    answer = printed(signed_in("clerk"), office.incoming)
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    words = " ".join(text_of(answer.content).split())
    for part in ("Quyển số:", "Ngày đến", "(10)", "Văn bản số 7", "Ghi nhầm sổ", "Cộng: 6 văn bản, 1 số hủy"):
        assert part in words, part
    assert last_entry().action == "register.print"
    assert last_entry().detail.payload == {
        "first": 1, "last": 7, "volume": 2, "year": book_of(office.incoming).year, "copy": 1,
    }  # fmt: skip


def test_above_the_lowest_level_every_sheet_names_level_reader_time_and_copy(office, make_record, signed_in):
    for n in range(60):
        make_record(level=Level.MAT, code_number=str(n + 1))
    printed(signed_in("clerk"), office.secret_incoming)
    sheets = text_of(printed(signed_in("clerk"), office.secret_incoming).content).split("\f")[:-1]
    assert len(sheets) > 3
    for sheet in sheets:
        assert sheet.count("MẬT") >= 2
        assert "Bản số 2" in sheet
        assert "Đồng chí clerk" in sheet
    assert all("Số đến" in sheet for sheet in sheets[1:-1])


def test_a_print_holds_only_what_its_reader_may_see(office, make_record, signed_in):
    make_record(level=Level.MAT, subject="Mật một")
    make_record(level=Level.TOI_MAT, subject="Tối mật hai")
    lines = registers.span(book_of(office.secret_incoming), access.visible_to(office.archivist), 1, 9)
    assert [line.number.number for line in lines] == [1]
    assert printed(signed_in("archivist"), office.secret_incoming).status_code == 403  # reads books, prints none


def test_a_volume_is_within_its_bounds(office, many, signed_in):
    browser = signed_in("clerk")
    assert printed(browser, office.incoming, first=5, last=3).status_code == 422
    assert printed(browser, office.incoming, first=1, last=5000).status_code == 422
    assert printed(browser, office.incoming, first=90, last=99).status_code == 422
    assert AuditEntry.objects.filter(action=Action.REGISTER_PRINT).count() == 0


def test_a_form_is_drawn_outside_any_transaction_after_its_entry(office, make_record, signed_in, monkeypatch):
    make_record()
    seen, around_the_test = [], len(connection.atomic_blocks)

    def draw(template, context):
        seen.append((len(connection.atomic_blocks), AuditEntry.objects.filter(action=Action.REGISTER_PRINT).count()))
        return b"%PDF"

    monkeypatch.setattr("archive.printing.forms.draw", draw)
    printed(signed_in("clerk"), office.incoming)
    assert seen == [(around_the_test, 1)]


def test_drawing_fetches_nothing(office, make_record, signed_in, monkeypatch):
    asked = []

    def refuse(address, *rest, **more):
        asked.append(address)
        raise PermissionError(address)

    monkeypatch.setattr(paper, "refuse", refuse)
    hostile = '<img src="file:///etc/hostname"><link rel=stylesheet href="http://10.0.0.1/x.css">'
    make_record(subject=hostile)
    words = text_of(printed(signed_in("clerk"), office.incoming).content)
    assert asked == []
    assert "<img" in words.replace("\n", "")
    with pytest.raises(PermissionError):
        printing.paper.refuse("file:///etc/hostname")


def opened_dossier(office):
    rule = RetentionRule.objects.create(
        code="1", title="Lưu", kind="years", years=10, basis="TT 10", valid_from=date(2023, 2, 15)
    )
    line = RecordClass.objects.create(year=2026, code="01", title="Huấn luyện", rule=rule)
    cover = dossiers.Cover("01.TM", "Huấn luyện năm 2026", line, rule, office.staff_unit, date(2026, 1, 5))
    return dossiers.begin(cover, actor=office.archivist)


def test_the_contents_list_of_a_dossier_counts_its_pages_through(office, make_record, signed_in, last_entry):
    dossier = opened_dossier(office)
    for pages in (("một", "hai"), ("ba",)):
        dossiers.file(make_record(pages=pages), dossier=dossier, actor=office.archivist)
    browser = signed_in("archivist")
    answer = browser.post(reverse("archive:dossier-print", args=[dossier.key]))
    words = " ".join(text_of(answer.content).split())
    for part in ("MỤC LỤC VĂN BẢN, TÀI LIỆU", "1–2", "Trang số", "2 văn bản, 3 trang"):
        assert part in words, part
    assert (last_entry().action, last_entry().object_id) == ("dossier.print", dossier.key)
    assert browser.get(reverse("archive:dossier-print", args=[dossier.key])).status_code == 200


# --- who holds which line ------------------------------------------------------------------------------------


def seers(signed_in, record):
    page = signed_in("auditor").get("/log/who/", {"record": record.key})
    return {one.person: one.acts for one in page.context["seers"]}


def refusals():
    return [entry.detail.payload["code"] for entry in AuditEntry.objects.filter(outcome="denied")]


def test_who_saw_a_classified_dispatch_is_answered_by_printed_lists(office, make_record, signed_in):
    secret, other = make_record(level=Level.MAT), make_record(level=Level.MAT)
    dossier = opened_dossier(office)
    dossiers.file(secret, dossier=dossier, actor=office.archivist)
    printed(signed_in("clerk"), office.secret_incoming)
    signed_in("leader").post(reverse("archive:dossier-print", args=[dossier.key]), {"reason": "Họp"})
    assert seers(signed_in, secret)[str(office.clerk)][Action.REGISTER_PRINT] == 1
    assert seers(signed_in, secret)[str(office.leader)] == {Action.DOSSIER_PRINT: 1}
    assert str(office.leader) not in seers(signed_in, other)
    entry = AuditEntry.objects.get(record_id=secret.pk, action=Action.REGISTER_PRINT)
    assert (entry.level, entry.detail.payload["copy"]) == (Level.MAT, 1)
    assert "Đóng quyển" in bytes(entry.body).decode()
    assert not AuditEntry.objects.filter(action=Action.REGISTER_PRINT, record_id=secret.pk, rows__isnull=False).exists()


def test_an_unclassified_line_needs_no_reason_and_has_no_entry_of_its_own(office, make_record, signed_in):
    record = make_record()
    dossier = opened_dossier(office)
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    given = {"first": 1, "last": 1, "ordinal": 1}
    assert signed_in("clerk").post(url("register-print", office.incoming), given).status_code == 200
    assert signed_in("leader").post(reverse("archive:dossier-print", args=[dossier.key])).status_code == 200
    prints = AuditEntry.objects.filter(action__in=[Action.REGISTER_PRINT, Action.DOSSIER_PRINT])
    assert {entry.object_type for entry in prints} == {"register", "dossier"}


def test_a_classified_line_wants_a_reason_and_nothing_is_written_without(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    dossier = opened_dossier(office)
    dossiers.file(record, dossier=dossier, actor=office.archivist)
    clerk = signed_in("clerk")
    answer = clerk.post(url("register-print", office.secret_incoming), {"first": 1, "last": 1, "ordinal": 1})
    assert answer.status_code == 422
    assert refusals() == ["COP-002"]
    address = reverse("archive:dossier-print", args=[dossier.key])
    assert signed_in("archivist").post(address, {"reason": " "}).status_code == 422
    Access.objects.filter(record=record).delete()  # none of its lines is theirs to see; its name is
    assert signed_in("archivist").post(address, {"reason": " "}).status_code == 422
    assert not AuditEntry.objects.filter(action__in=[Action.REGISTER_PRINT, Action.DOSSIER_PRINT]).exists()


def test_printed_lists_and_copies_share_the_limit_of_an_hour(office, make_record, signed_in, settings):
    settings.COPIES_PER_HOUR = 2
    records = [make_record(level=Level.MAT) for _ in range(3)]
    clerk = signed_in("clerk")
    copies.printed(records[0], pages="1-1", reason="x", actor=office.clerk)
    assert printed(clerk, office.secret_incoming).status_code == 200  # three lines, one print
    answer = printed(clerk, office.secret_incoming)
    assert answer.status_code == 422
    assert refusals() == ["COP-001"]
    with pytest.raises(copies.TooMany):
        copies.printed(records[0], pages="1-1", reason="x", actor=office.clerk)
