"""The sample office and its letters: true to their own fields, harmless, the same every time."""

import io
import unicodedata
from collections import Counter
from datetime import date
from functools import cache
from random import Random

import magic
import numpy as np
import pikepdf
import pypdfium2
import pytest
from django.core.management import CommandError, call_command

from archive.models import Person, RegisterKind
from archive.models.schedule import RuleKind
from archive.rules import types
from archive.rules.levels import Level, Urgency
from archive.rules.proposal import FIELD_NAMES
from archive.rules.roles import Role
from config import law
from config.sample import ageing, files, office, paper, stamps
from config.sample.letters import INCOMING, OUTGOING, dispatches, vietnamese_date
from config.sample.prose import themes

KINDS = {".pdf": "application/pdf", ".tif": "image/tiff", ".jpg": "image/jpeg", ".png": "image/png"}
TODAY = date(2026, 11, 23)
LETTERS = dispatches(40, today=TODAY)


BY_THEME = {letter.theme: letter for letter in LETTERS}
# One of each kind: official letter, named types, party body, body with no parent, commune, long with annexes.
DRAWN = ("dien-tap", "ap-thap", "quan-so", "nghi-quyet", "tong-ket", "sua-chua", "kien-toan", "trien-khai-dien-tap")


@cache
def drawn(theme: str) -> bytes:
    return paper.draw(BY_THEME[theme])


def said(pdf: bytes) -> list[str]:
    """Return what each page says, in one line each."""
    held = pypdfium2.PdfDocument(pdf)
    return [" ".join(held[k].get_textpage().get_text_range().split()) for k in range(len(held))]


@pytest.mark.parametrize("theme", DRAWN)
def test_every_true_field_stands_on_the_paper(theme):
    letter, pages = BY_THEME[theme], said(drawn(theme))
    text = " ".join(pages)

    assert unicodedata.is_normalized("NFC", text)
    assert letter.symbol in pages[0]
    assert letter.organ_name.upper() in pages[0]
    assert letter.parent_organ_name.upper() in pages[0]
    assert letter.subject in pages[0]
    assert letter.signer_name in text
    assert letter.type_name == types.LETTER or letter.type_name.upper() in pages[0]
    assert vietnamese_date(letter.issued_date) in pages[0]
    for stamp in (stamps.LEVEL_STAMPS.get(letter.secrecy), stamps.URGENCY_STAMPS.get(letter.urgency)):
        assert stamp is None or stamp[0] in pages[0]


def test_fields_have_the_names_of_a_proposal():
    assert all(tuple(letter.fields()) == FIELD_NAMES for letter in LETTERS)


def test_no_letter_is_top_secret():
    assert all(theme.level < Level.TUYET_MAT for theme in themes())


def test_secrecy_is_mixed_as_in_an_office():
    levels = Counter(letter.secrecy for letter in LETTERS)
    assert 24 <= levels[Level.THUONG] <= 31
    assert 5 <= levels[Level.MAT] <= 10
    assert 3 <= levels[Level.TOI_MAT] <= 6


def test_urgency_types_signing_and_directions_are_mixed():
    assert {letter.urgency for letter in LETTERS} == set(Urgency)
    assert {letter.signer_authority for letter in LETTERS} == {"", "TM.", "KT.", "TL.", "TUQ."}
    assert len({letter.type_name for letter in LETTERS}) >= 11
    assert {letter.direction for letter in LETTERS} == {INCOMING, OUTGOING}
    assert any(letter.organ.is_party for letter in LETTERS)
    assert {letter.form for letter in LETTERS} == {"scan", "text_pdf"}


def test_letters_are_of_the_last_months_and_in_register_order():
    days = [letter.arrived_on or letter.issued_date for letter in LETTERS]
    assert days == sorted(days)
    assert days[-1] <= TODAY
    assert (TODAY - min(letter.issued_date for letter in LETTERS)).days <= 125


def test_our_own_letters_are_numbered_as_the_registers_will_number_them():
    for is_secret in (False, True):
        own = [x for x in LETTERS if x.direction == OUTGOING and (x.secrecy > Level.THUONG) is is_secret]
        assert [int(letter.code_number) for letter in own] == list(range(1, len(own) + 1))


def test_no_body_uses_a_number_twice():
    many = dispatches(150, today=TODAY)
    numbers = Counter((letter.organ_name, letter.symbol, letter.secrecy > Level.THUONG) for letter in many)
    assert max(numbers.values()) == 1


def test_the_same_day_and_seed_give_the_same_letters_and_bytes():
    assert dispatches(40, today=TODAY) == LETTERS
    assert dispatches(40, today=TODAY, seed=10) != LETTERS
    assert paper.draw(BY_THEME["quan-so"]) == drawn("quan-so")
    assert ageing.scan(drawn("quan-so"), rng=Random(3)) == ageing.scan(drawn("quan-so"), rng=Random(3))


def test_a_first_of_january_has_letters_too():
    letters = dispatches(40, today=date(2027, 1, 1))
    assert all(letter.issued_date.year == 2027 for letter in letters if letter.direction == OUTGOING)
    assert all(letter.arrived_on <= date(2027, 1, 1) for letter in letters if letter.arrived_on)


def test_no_placeholder_is_left_in_a_letter():
    for letter in dispatches(len(themes()) * 2, today=TODAY):
        text = " ".join([letter.subject, *letter.to, *letter.copies, *(block.text for block in letter.body)])
        assert not set("{}[]") & set(text)
        assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("theme", ["dien-tap", "tuyen-quan", "huan-luyen", "trien-khai-dien-tap"])
def test_long_letters_say_something_new_on_their_third_page(theme):
    pages = said(drawn(theme))
    assert 4 <= len(pages) <= 6
    assert len(pages[2].split()) > 150
    assert pages[2].startswith("3 ") or pages[2].endswith(" 3")


def test_every_font_is_tinos_and_lies_in_the_file():
    held = pikepdf.open(io.BytesIO(drawn("dien-tap")))
    fonts = [font for page in held.pages for font in page.Resources.get("/Font", {}).values()]
    assert fonts
    for font in fonts:
        below = font.DescendantFonts[0]
        assert "Tinos" in str(below.BaseFont)
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(below.FontDescriptor.keys())


def test_a_secret_letter_shows_a_red_frame_under_its_number():
    page = pypdfium2.PdfDocument(drawn("trien-khai-dien-tap"))[0].render(scale=100 / 72, rev_byteorder=True).to_numpy()
    top_left = page[: page.shape[0] // 3, : page.shape[1] // 2].astype(int)
    red = (top_left[:, :, 0] - top_left[:, :, 2]) > 90
    across = np.flatnonzero(red.any(axis=0))
    assert 28 <= (across[-1] - across[0]) / 100 * 25.4 <= 42


def test_seal_and_handwriting_are_ink_and_not_text():
    assert "MẪU" not in " ".join(said(drawn("kien-toan")))


def test_a_scan_has_no_text_and_every_page():
    assert said(ageing.scan(drawn("ap-thap"), rng=Random(1))) == ["", ""]


def test_nothing_is_fetched():
    with pytest.raises(PermissionError):
        paper._refuse("http://192.0.2.1/x.png")


def test_files_are_written_with_names_of_an_office(tmp_path):
    written = files.write(tmp_path, 7, today=TODAY)
    assert [each.letter for each in written] == dispatches(7, today=TODAY)
    assert {each.path for each in written} == set(tmp_path.iterdir())
    for each in written:
        assert unicodedata.is_normalized("NFC", each.path.name)
        assert magic.from_file(str(each.path), mime=True) == KINDS[each.path.suffix]


def test_the_demo_users_hold_one_role_each_and_the_right_clearance():
    people = {person.username: person for person in office.PEOPLE}
    assert {people[role.name.lower()].roles for role in Role} == {(role,) for role in Role}
    assert people["clerk"].clearance == people["leader"].clearance == Level.TOI_MAT
    assert people["staff"].clearance == people["archivist"].clearance == Level.MAT
    assert all(people[name].clearance is None for name in ("staff2", "admin", "auditor"))
    assert people["staff2"].unit != people["staff"].unit
    assert len(people) == len(office.PEOPLE) >= 16


def test_every_unit_person_book_and_class_points_at_something():
    units = {unit.code for unit in office.UNITS}
    assert [unit.parent for unit in office.UNITS if unit.parent not in units] == [""]
    assert {person.unit for person in office.PEOPLE} | {person.scope for person in office.PEOPLE} <= units | {""}
    assert {book.kind for book in law.BOOKS} == set(RegisterKind.values)
    in_force = {rule.code for rule in office.rules() if rule.valid_to is None}
    assert {line.rule for line in office.FILE_PLAN} <= in_force | {""}
    assert {line.parent for line in office.FILE_PLAN} <= {line.code for line in office.FILE_PLAN} | {""}


def test_retention_rows_are_dated_cited_and_never_overlap():
    rows = office.rules()
    assert {row.kind for row in rows} <= set(RuleKind.values)
    assert all((row.years is not None) == (row.kind == "years") for row in rows)
    assert all(row.basis for row in rows)
    assert len({(row.code, row.valid_from) for row in rows}) == len(rows)
    for row in rows:
        later = [other for other in rows if other.code == row.code and other.valid_from > row.valid_from]
        assert all(row.valid_to is not None and row.valid_to < other.valid_from for other in later)


@pytest.mark.django_db
def test_a_machine_with_a_lower_ceiling_is_told_before_anything_is_founded(settings, monkeypatch):
    monkeypatch.setattr("config.roles.bring_up_to_date", lambda: None)
    settings.PROFILE, settings.SITE_MAX_LEVEL = "evaluation", Level.MAT
    with pytest.raises(CommandError, match="VANKHO_SITE_MAX_LEVEL"):
        call_command("demo")
    assert not Person.objects.exists()
