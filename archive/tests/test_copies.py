"""Numbered copies: looks, prints, files taken out, and the end of a paper; the mark over a page is read back from a quarter."""

import io
import json
import random
import re
from datetime import date, datetime, timedelta

import numpy as np
import pikepdf
import pytesseract
import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageChops, ImageDraw, ImageFont

from archive import access, copies, printing, store, watermark
from archive.leveling import acts, moving
from archive.models import AuditEntry, ChangeKind, Copy, CopyFate, CopyKind, Page
from archive.rules.errors import Forbidden, Hidden
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.watermark import Mark
from config.tests.office import borne_out, seal

LETTER = "Thực hiện kế hoạch công tác năm, các đơn vị đã hoàn thành chương trình huấn luyện"
MARK = Mark("Đại tá Nguyễn Thị Thanh Hương", datetime(2026, 11, 27, 9, 15), "Bản 4817 · k3j4abcdefgh")


def sheet(width=1240, *, colour="L", ink=10, paper=255):
    """A page of a letter as the store keeps it."""
    page = Image.new("L", (1240, 1754), paper)
    pen, font = ImageDraw.Draw(page), ImageFont.truetype("Tinos-Regular.ttf", 30)
    for line in range(26):
        pen.text((120, 140 + line * 60), LETTER, font=font, fill=ink)
    page = page.resize((width, round(width * 1754 / 1240))).convert(colour)
    out = io.BytesIO()
    page.save(out, "JPEG", quality=85)
    return out.getvalue()


def opened(picture):
    return Image.open(io.BytesIO(picture)).convert("L")


@pytest.mark.parametrize("seed", range(6))
def test_the_number_is_read_from_any_quarter_cut_from_a_page(seed):
    stored, dice = sheet(), random.Random(seed)
    shown = watermark.drawn(stored, MARK)
    width, height = opened(stored).size
    left, top = dice.randrange(width // 2), dice.randrange(height // 2)
    quarter = (left, top, left + width // 2, top + height // 2)
    # The office has the page without the mark: what differs is the mark.
    over = ImageChops.difference(opened(shown).crop(quarter), opened(stored).crop(quarter))
    upright = over.rotate(-watermark.ANGLE, resample=Image.Resampling.BICUBIC, expand=True)
    black = Image.fromarray(np.where(np.asarray(upright) > 28, 0, 255).astype("uint8"))
    black = black.resize((black.width * 2, black.height * 2))
    read = pytesseract.image_to_string(black, lang="vie", config="--psm 11")
    assert re.search(r"4817", read), read


@pytest.mark.parametrize("width", [100, 180, 300, 480, 900, 1240, 2480])
@pytest.mark.parametrize("colour", ["L", "RGB"])
def test_the_mark_stands_on_a_page_of_every_size(width, colour):
    stored = sheet(width, colour=colour)
    shown = watermark.drawn(stored, MARK)
    again = io.BytesIO()
    opened(stored).save(again, "JPEG", quality=watermark.QUALITY)  # what encoding once more changes by itself
    noise = np.asarray(ImageChops.difference(opened(again.getvalue()), opened(stored))) > 20
    changed = np.asarray(ImageChops.difference(opened(shown), opened(stored))) > 20
    assert opened(shown).size == opened(stored).size
    assert changed.sum() > 3 * noise.sum() + width * 0.3


def test_the_mark_is_seen_on_black_too():
    stored = sheet(ink=0, paper=0)
    assert opened(watermark.drawn(stored, MARK)).getextrema()[1] > 25


def test_a_picture_that_is_not_what_its_row_says_is_not_opened():
    png = io.BytesIO()
    Image.new("L", (300, 300)).save(png, "PNG")
    for picture, size in ((png.getvalue(), None), (sheet(300), (300, 301)), (b"no picture", None)):
        with pytest.raises(watermark.WrongPicture):
            watermark.drawn(picture, MARK, size=size)


def drawn_page(record):
    """Give a record a page image that can be read."""
    picture, small = sheet(900), sheet(180)
    kept = seal(picture + small, level=record.level, role="pack", name="")
    kept.record = record
    kept.save()
    size = opened(picture).size
    ranges = {"image_start": 0, "image_length": len(picture), "thumb_start": len(picture), "thumb_length": len(small)}
    Page.objects.filter(record=record).update(pack=kept, width=size[0], height=size[1], **ranges)
    borne_out()
    return picture


# --- looks ------------------------------------------------------------------------------------------------
def test_a_page_above_the_lowest_level_is_shown_under_the_readers_number_and_stored_without(
    office, make_record, signed_in, last_entry
):
    record = make_record(level=Level.MAT)
    stored = drawn_page(record)
    for form in ("image", "thumb"):
        answer = signed_in("leader").get(f"/records/{record.key}/pages/1/{form}/")
        assert answer.content not in (stored, sheet(180))
        assert answer.headers["Cache-Control"] == "no-store"
    copy = Copy.objects.get()
    assert (copy.number, copy.kind, copy.holder) == (1, CopyKind.VIEW, office.leader)
    assert last_entry().detail.payload["copy"] == 1
    page = Page.objects.get(record=record)
    assert store.read(page.pack_id, start=0, length=page.image_length) == stored


def test_a_page_of_the_lowest_level_is_marked_where_the_office_wants_it(office, make_record, signed_in, settings):
    record = make_record()
    stored, browser = drawn_page(record), signed_in("leader")
    assert browser.get(f"/records/{record.key}/pages/1/image/").content == stored
    assert not Copy.objects.exists()
    settings.WATERMARK_FROM = Level.THUONG
    assert browser.get(f"/records/{record.key}/pages/1/image/").content != stored
    assert Copy.objects.get().holder == office.leader


def test_one_number_names_a_person_and_a_day(office, make_record, monkeypatch):
    record = make_record(level=Level.MAT)
    numbers = [copies.looked(record, actor=person, page=1).number for person in (office.leader, office.clerk, office.leader)]  # fmt: skip
    assert numbers == [1, 2, 1]
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    assert copies.looked(record, actor=office.leader, page=1).number == 3


def test_two_people_never_get_one_picture(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    drawn_page(record)
    pictures = {signed_in(name).get(f"/records/{record.key}/pages/1/image/").content for name in ("leader", "clerk")}
    assert len(pictures) == 2


# --- prints -----------------------------------------------------------------------------------------------
def test_a_print_is_a_numbered_copy_marked_above_and_below(office, make_record, signed_in, last_entry):
    record = make_record(level=Level.MAT)
    drawn_page(record)
    browser, door = signed_in("leader"), f"/records/{record.key}/print/"
    assert browser.get(door).status_code == 200
    answer = browser.post(door, {"first": 1, "last": 1, "reason": "Họp giao ban"})
    assert answer.headers["Content-Type"] == "application/pdf"
    copy = Copy.objects.get()
    assert (copy.kind, copy.pages, copy.reason) == (CopyKind.PRINT, "1-1", "Họp giao ban")
    entry = last_entry()
    assert (entry.action, entry.object_id, entry.detail.payload["copy"]) == ("record.print", record.key, 1)
    with pikepdf.open(io.BytesIO(answer.content)) as paper:
        assert len(paper.pages) == 1
        image = pikepdf.PdfImage(next(iter(paper.pages[0].get_images().values()))).as_pil_image()
    for band in ((0, 0, image.width, 88), (0, image.height - 88, image.width, image.height)):
        read = pytesseract.image_to_string(
            image.crop(band).resize((image.width * 2, 176)), lang="vie", config="--psm 7"
        )
        assert "MẬT" in read
        assert record.key[:4] in read or "Bản 1" in read


def test_above_the_lowest_level_a_print_wants_a_reason(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    answer = signed_in("leader").post(f"/records/{record.key}/print/", {"first": 1, "last": 1, "reason": " "})
    assert answer.status_code == 422
    assert not Copy.objects.exists()
    with pytest.raises(copies.NoReason):
        copies.printed(record, pages="1-1", reason=" ", actor=office.leader)


def test_a_page_that_is_not_of_the_size_of_its_row_is_not_opened_for_a_print():
    for size, fits in (((300, 424), True), ((300, 425), False)):
        sheets = iter([(1, sheet(300), size)])
        if fits:
            assert printing.record_pages(sheets, mark=MARK, level=Level.MAT).startswith(b"%PDF")
        else:
            with pytest.raises(watermark.WrongPicture):
                printing.record_pages(sheets, mark=MARK, level=Level.MAT)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (1, 2), (2, 1), ("x", 1)])
def test_only_pages_that_are_there_are_printed(office, make_record, signed_in, first, last):
    record = make_record()
    answer = signed_in("leader").post(f"/records/{record.key}/print/", {"first": first, "last": last, "reason": "x"})
    assert answer.status_code == 422
    assert not Copy.objects.exists()


# --- files taken out, and the limit -----------------------------------------------------------------------
def test_taking_a_classified_file_out_is_a_numbered_copy_with_a_reason(office, make_record, signed_in, last_entry):
    record = make_record(level=Level.MAT)
    browser, door = signed_in("leader"), f"/records/{record.key}/original/"
    assert browser.post(door, {"reason": ""}).status_code == 422
    assert browser.post(door, {"reason": "Gửi cơ quan mật mã"}).getvalue().startswith(b"%PDF")
    assert (Copy.objects.get().kind, Copy.objects.get().reason) == (CopyKind.DOWNLOAD, "Gửi cơ quan mật mã")
    assert last_entry().detail.payload["copy"] == 1
    assert json.loads(bytes(last_entry().body))["reason"] == "Gửi cơ quan mật mã"


def test_what_one_person_takes_out_within_an_hour_is_bounded(office, make_record, signed_in, settings, monkeypatch):
    settings.COPIES_PER_HOUR = 2
    record = make_record(level=Level.MAT)
    drawn_page(record)
    browser, out, paper = signed_in("leader"), f"/records/{record.key}/original/", f"/records/{record.key}/print/"
    browser.post(out, {"reason": "x"}).getvalue()
    assert browser.post(paper, {"first": 1, "last": 1, "reason": "x"}).status_code == 200
    for door in (out, paper):
        answer = browser.post(door, {"first": 1, "last": 1, "reason": "x"})
        assert answer.status_code == 422
        refusal = AuditEntry.objects.filter(outcome="denied").latest("ts")
        assert json.loads(bytes(refusal.body))["reason"] == "COP-001"
    assert signed_in("clerk").post(out, {"reason": "x"}).getvalue()  # another person's hour
    assert browser.get(f"/records/{record.key}/pages/1/image/").status_code == 200  # reading goes on
    first = Copy.objects.filter(holder=office.leader).order_by("made_at").first().made_at
    for seconds, allowed in ((3599, False), (3601, True)):
        monkeypatch.setattr(timezone, "now", lambda at=first + timedelta(seconds=seconds): at)
        with transaction.atomic():
            if allowed:
                copies.printed(record, pages="1-1", reason="x", actor=office.leader)
            else:
                with pytest.raises(copies.TooMany):
                    copies.printed(record, pages="1-1", reason="x", actor=office.leader)


# --- the end of a paper ------------------------------------------------------------------------------------
def test_a_paper_is_given_back_or_destroyed_once_with_a_note(office, make_record, signed_in, last_entry):
    record = make_record(level=Level.MAT)
    copies.printed(record, pages="1-1", reason="x", actor=office.leader)
    browser, door = signed_in("clerk"), f"/records/{record.key}/copies/1/end/"
    assert browser.post(door, {"fate": "destroyed", "note": ""}).status_code == 422
    assert browser.post(door, {"fate": "destroyed", "note": "Biên bản 12"}).status_code == 302
    copy = Copy.objects.get()
    assert (copy.fate, copy.ended_by, copy.end_note) == (CopyFate.DESTROYED, office.clerk, "Biên bản 12")
    assert (last_entry().action, last_entry().detail.payload["fate"]) == ("copy.end", "destroyed")
    assert browser.post(door, {"fate": "returned", "note": "x"}).status_code == 422
    assert signed_in("leader").get(door).status_code == 403


def test_only_papers_end(office, make_record):
    record = make_record(level=Level.MAT)
    copies.looked(record, actor=office.leader, page=1)
    with pytest.raises(copies.NotInHand):
        copies.end(record, 1, fate=CopyFate.RETURNED, note="x", actor=office.clerk)
    with pytest.raises(Hidden):
        copies.end(record, 2, fate=CopyFate.RETURNED, note="x", actor=office.clerk)
    with pytest.raises(Forbidden):
        copies.end(record, 1, fate=CopyFate.RETURNED, note="x", actor=office.leader)


def test_the_database_keeps_every_copy_as_it_was_made(office, make_record):
    record = make_record(level=Level.MAT)
    copies.printed(record, pages="1-1", reason="x", actor=office.leader)
    row = Copy.objects.filter(record=record)
    for change in (lambda: row.update(holder=office.clerk), lambda: row.update(number=9), row.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    copies.end(record, 1, fate=CopyFate.RETURNED, note="x", actor=office.clerk)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.update(fate="destroyed")


# --- who knows of copies -------------------------------------------------------------------------------------
def test_copies_are_told_to_who_accounts_for_them_and_to_their_own_holders(office, make_record, signed_in):
    record = make_record(level=Level.MAT)
    access.grant(record, to=office.staff, until=timezone.now() + timedelta(days=1), reason="x", actor=office.leader)
    copies.printed(record, pages="1-1", reason="Họp kín", actor=office.leader)
    copies.looked(record, actor=office.staff, page=1)
    assert set(copies.known(record, office.clerk, most=9)) == set(Copy.objects.all())
    assert [copy.holder for copy in copies.known(record, office.staff, most=9)] == [office.staff]
    assert "Họp kín" in signed_in("clerk").get(f"/records/{record.key}/copies/").content.decode()
    assert "Họp kín" not in signed_in("staff").get(f"/records/{record.key}/copies/").content.decode()
    assert access.may(office.clerk, Action.COPY_END, record).allowed


def test_asking_for_a_print_and_accounting_for_a_paper_are_read(office, make_record, signed_in, last_entry):
    record, browser = make_record(level=Level.MAT), signed_in("clerk")
    copies.printed(record, pages="1-1", reason="x", actor=office.leader)
    for door, form in (("print/", "print"), ("copies/1/end/", "copy")):
        assert browser.get(f"/records/{record.key}/{door}").status_code == 200
        entry = last_entry()
        assert (entry.action, entry.actor_id, entry.detail.payload["form"]) == ("record.read", office.clerk.pk, form)
    copies.looked(record, actor=office.leader, page=1)
    assert "COP-003" in browser.get(f"/records/{record.key}/copies/2/end/").content.decode()  # no paper


def test_a_picture_that_was_changed_is_refused_in_words_and_not_shown(office, make_record, signed_in):
    record, browser = make_record(level=Level.MAT), signed_in("clerk")
    Page.objects.filter(record=record).update(width=77)
    borne_out()
    answer = browser.get(f"/records/{record.key}/pages/1/image/")
    assert (answer.status_code, answer.headers["Content-Type"]) != (200, "image/jpeg")
    assert "PIC-001" in answer.content.decode()


def test_pages_of_a_declassified_dispatch_carry_its_stamp_and_the_original_does_not_change(
    office, make_record, signed_in, monkeypatch
):
    record = make_record(level=Level.MAT)
    page = record.pages.get()
    told = {"authority": "Chỉ huy trưởng", "basis": "45/QĐ-BCH", "decided_on": date(2026, 11, 20), "reason": "x"}
    made = acts.propose(
        record, kind=ChangeKind.DECLASSIFY, to=Level.THUONG, order=moving.Order(**told), actor=office.clerk
    )
    assert copies.stamp_of(record) is None
    acts.confirm(made, actor=office.leader)
    record.refresh_from_db()
    stamp = copies.stamp_of(record)
    assert (stamp.word, stamp.lines) == ("GIẢI MẬT", ("Quyết định: 45/QĐ-BCH", "Ngày 20/11/2026"))
    drawn = []

    def draw(picture, mark, *, stamp=None, size=None):
        drawn.append((mark, stamp))
        return picture

    monkeypatch.setattr(watermark, "drawn", draw)
    before = store.read(record.sealed_objects.get(role="original").address)
    browser = signed_in("clerk")
    for name in ("page-image", "page-thumb"):
        assert browser.get(reverse(f"archive:{name}", args=[record.key, page.number])).status_code == 200
    assert drawn == [(None, stamp), (None, stamp)]
    taken = browser.get(reverse("archive:original", args=[record.key]))
    assert b"".join(taken.streaming_content) == before
    raised = {"authority": "x", "basis": "46", "decided_on": date(2026, 11, 21), "reason": "x"}
    acts.raise_level(record, to=Level.MAT, order=moving.Order(**raised), actor=office.leader)
    record.refresh_from_db()
    assert copies.stamp_of(record) is None


@pytest.mark.parametrize(("mode", "size"), [("RGB", (1241, 1754)), ("L", (1241, 1754)), ("L", (212, 300))])
def test_the_stamp_stands_red_in_the_top_margin_and_nowhere_else(mode, size):
    held = io.BytesIO()
    Image.new(mode, size, "white").save(held, "JPEG", quality=95)
    stamp = watermark.Stamp("GIẢI MẬT", ("Quyết định: 45/QĐ-BCH", "Ngày 20/11/2026"))
    page = Image.open(io.BytesIO(watermark.drawn(held.getvalue(), None, stamp=stamp, size=size)))
    green = page.getchannel("G").point(lambda value: 255 if value < 128 else 0)
    left, top, right, bottom = green.getbbox()
    assert left > size[0] * 0.02
    assert right < size[0] * 0.6
    assert bottom < size[1] * (0.067 if size[0] > watermark.READING else 0.12)
    assert top >= 1
    assert page.getchannel("R").crop((left, top, right, bottom)).getextrema()[1] > 180
