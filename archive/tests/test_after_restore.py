"""After a restore no number is given twice: registers stay closed until paper was looked at."""

from datetime import timedelta

import pytest
from django.utils import timezone

from archive import registers, registration, restoration
from archive.models import AuditEntry, PaperCheck, RegisterNumber, Restoration
from archive.registers.paper import BelowKept, NotClosed, TooFarAhead
from archive.rules.errors import Forbidden, Hidden


@pytest.fixture
def restored(office, make_record):
    """Three numbers were given, then the office was restored; two more are known to be lost."""
    for _ in range(3):
        make_record()
    return restoration.record(
        restoration.Gap(timezone.now() - timedelta(minutes=5), size=40, newest_size=52), backup="b"
    )


def test_a_register_stays_closed_until_paper_was_looked_at(office, make_record, restored):
    with pytest.raises(registration.RegisterClosed) as refusal:
        make_record()

    assert refusal.value.code == "REG-010"
    assert "sổ giấy" in str(refusal.value)
    assert RegisterNumber.objects.filter(register=office.incoming).count() == 3


def test_a_number_given_on_paper_is_void_and_never_given_again(office, make_record, restored):
    registers.confirm_last_number(office.incoming, 5, actor=office.clerk)

    assert make_record().number.number == 6
    book = registers.Book(office.incoming, timezone.localdate().year)
    assert [(each.first, each.last) for each in registers.lost(book)] == [(4, 5)]
    assert not RegisterNumber.objects.filter(register=office.incoming, number__in=(4, 5)).exists()
    assert AuditEntry.objects.filter(action="register.confirm", object_id=str(office.incoming.pk)).count() == 1


def test_a_register_whose_paper_agrees_goes_on_without_a_void_number(office, make_record, restored):
    registers.confirm_last_number(office.incoming, 3, actor=office.clerk)

    assert make_record().number.number == 4
    assert registers.lost(registers.Book(office.incoming, timezone.localdate().year)) == []


def test_confirming_one_register_opens_no_other(office, make_record, restored):
    registers.confirm_last_number(office.incoming, 3, actor=office.clerk)

    with pytest.raises(registration.RegisterClosed):
        make_record(direction="outgoing")


def test_the_last_number_never_goes_back_nor_far_ahead_nor_twice(office, restored):
    with pytest.raises(BelowKept):
        registers.confirm_last_number(office.incoming, 2, actor=office.clerk)
    with pytest.raises(TooFarAhead):
        registers.confirm_last_number(office.incoming, 40_000, actor=office.clerk)
    registers.confirm_last_number(office.incoming, 4, actor=office.clerk)
    with pytest.raises(NotClosed):
        registers.confirm_last_number(office.incoming, 9, actor=office.clerk)


def test_only_the_clerk_of_the_register_confirms(office, restored):
    with pytest.raises(Forbidden):
        registers.confirm_last_number(office.incoming, 5, actor=office.leader)
    with pytest.raises(Hidden):
        registers.confirm_last_number(office.incoming, 5, actor=office.stranger)
    assert PaperCheck.objects.filter(confirmed_at__isnull=False).count() == 0


def test_a_restore_over_the_turn_of_the_year_asks_for_both_years(office, db):
    taken = timezone.now().replace(year=timezone.localdate().year - 1, month=12, day=20)
    restoration.record(restoration.Gap(taken, size=1, newest_size=None), backup="b")

    asked = PaperCheck.objects.filter(register=office.incoming).values_list("year", flat=True)
    assert set(asked) == {timezone.localdate().year - 1, timezone.localdate().year}


def test_a_second_restore_before_paper_was_looked_at_leaves_the_books_closed_as_they_are(office, make_record, restored):
    closed = set(PaperCheck.objects.values_list("register", "year", "kept"))
    restoration.record(restoration.Gap(timezone.now(), size=41, newest_size=None), backup="c")

    assert set(PaperCheck.objects.values_list("register", "year", "kept")) == closed
    registers.confirm_last_number(office.incoming, 3, actor=office.clerk)
    assert make_record().number.number == 4


def test_a_book_confirmed_in_the_new_year_asks_for_the_new_series_too(office, db):
    year = timezone.localdate().year
    PaperCheck.objects.create(register=office.incoming, year=year - 1, asked_at=timezone.now(), kept=0)

    registers.confirm_last_number(office.incoming, 7, actor=office.clerk, year=year - 1)

    assert PaperCheck.objects.filter(register=office.incoming, year=year, confirmed_at__isnull=True).exists()


def test_the_clerk_confirms_on_the_registers_page(office, restored, signed_in, make_record):
    browser = signed_in("clerk")
    assert "Tạm đóng sau khi phục hồi" in browser.get("/registers/").content.decode()

    year = timezone.localdate().year
    address = f"/registers/{office.incoming.pk}/confirm/"
    refused = browser.post(address, {"year": year, "number": 1})
    assert refused.status_code == 422
    assert "số cuối không thể là 1" in refused.content.decode()
    assert browser.post(address, {"year": year, "number": 5}).status_code == 302

    make_record()
    page = browser.get(f"/registers/{office.incoming.pk}/").content.decode()
    assert "4 – 5" in page
    assert "đã cấp trên giấy hoặc bị mất khi phục hồi" in page
    assert page.count("đã cấp trên giấy hoặc bị mất khi phục hồi") == 1


def test_a_lost_range_stands_on_one_screen_of_the_book_only(office, restored, make_record, monkeypatch):
    from archive.registers import books

    registers.confirm_last_number(office.incoming, 5, actor=office.clerk)
    for _ in range(3):
        make_record()
    monkeypatch.setattr(books, "ROWS", 2)
    from archive import access

    book, scope, shown, below = registers.Book(office.incoming, timezone.localdate().year), None, [], None
    scope = access.visible_to(office.clerk)
    while True:
        sheet = registers.sheet(book, scope, registers.Place(below=below))
        rows = registers.rows(book, sheet, oldest_first=False)
        shown += [row.first if isinstance(row, registers.Lost) else row.number.number for row in rows]
        if not sheet.has_lower:
            break
        below = sheet.lowest
    assert shown == [8, 7, 6, 4, 3, 2, 1]


def test_the_volume_on_paper_counts_the_lost_numbers_as_void(office, restored, make_record):
    from archive import access, printing

    registers.confirm_last_number(office.incoming, 5, actor=office.clerk)
    make_record()
    book = registers.Book(office.incoming, timezone.localdate().year)
    lines = registers.span(book, access.visible_to(office.clerk), 1, 6)
    volume = printing.Volume(book, 1, 6, 1, lines, registers.lost(book))

    assert (volume.valid, volume.voided, len(volume.rows)) == (4, 2, 5)


def test_everybody_sees_the_banner_until_the_administrator_takes_it_down(office, restored, signed_in):
    assert "Thiếu 12 mục nhật ký" in signed_in("staff").get("/").content.decode()
    assert signed_in("clerk").post("/restored/").status_code == 403
    assert "Mọi người đã được báo" not in signed_in("clerk").get("/").content.decode()

    assert "Mọi người đã được báo" in signed_in("admin").get("/").content.decode()
    assert signed_in("admin").post("/restored/").status_code == 302

    assert "Thiếu 12 mục nhật ký" not in signed_in("staff").get("/").content.decode()
    assert Restoration.objects.get().acknowledged_by == office.admin
    assert AuditEntry.objects.filter(action="system.restore_seen").count() == 1


def test_the_restore_itself_stands_in_the_log(office, restored, last_entry):
    entry = last_entry()
    assert entry.action == "system.restore"
    assert entry.detail.payload["lost"] == 12
    assert entry.detail.payload["closed"] == 4
