"""Two units of one name are two values, told apart in words to whoever may know of both, and to nobody else."""

import importlib

import pytest
from django.apps import apps

from archive import audit, units
from archive.models import (
    Access,
    Dossier,
    RecordClass,
    Register,
    RegisterKind,
    RegisterNumber,
    RetentionRule,
    Unit,
)
from archive.registers import shelving
from archive.rules.roles import Action, Role
from search import finding, labels, offering, saving
from search.entry import Bucket, Order
from search.query import parse
from search.saving import Wanted
from search.text import vi_clean

NO_UNIT, NO_BOOK = "đơn vị không có trong phạm vi của đồng chí", "sổ không có trong phạm vi của đồng chí"


@pytest.fixture
def districts(office, make_record, indexed):
    """Two districts, each with a "Ban Tham mưu" that has a dispatch in a book of the same name."""
    made = {}
    for letter in "AB":
        district = unit(f"H{letter}", f"Huyện {letter}", office.command)
        staff = unit(f"H{letter}-TM", "Ban Tham mưu", district)
        book = Register.objects.create(kind=RegisterKind.INCOMING, name="Sổ của ban", unit=staff)
        record = make_record(code_number=f"{ord(letter)}", subject=f"Diễn tập huyện {letter}")
        type(record).objects.filter(pk=record.pk).update(unit=staff)
        Access.objects.filter(record=record).update(principal=staff.pk)
        RegisterNumber.objects.filter(record=record).update(register=book)
        made[letter] = (record, staff, book)
    indexed()
    return made


def unit(code, name, parent):
    made = Unit.objects.create(code=code, name=name, parent=parent, path=f"new-{code}")
    made.path = f"{parent.path}{made.pk}/"
    made.save()
    return made


def shown(person, **filters):
    answer = finding.find(parse("dien tap huyen"), person, filters=filters, order=Order.NEWEST, offset=0)
    return [hit.record.pk for hit in answer.found], answer.facets


def test_units_and_registers_of_one_name_are_two_values_told_apart_by_what_is_above(office, districts):
    (first, first_unit, book), (second, second_unit, other) = districts["A"], districts["B"]
    _, facets = shown(office.leader)
    assert facets["unit"] == (
        Bucket(str(first_unit.pk), 1, "Ban Tham mưu (Huyện A)"),
        Bucket(str(second_unit.pk), 1, "Ban Tham mưu (Huyện B)"),
    )
    assert facets["register"] == (
        Bucket(str(book.pk), 1, "Sổ của ban (Ban Tham mưu, Huyện A)"),
        Bucket(str(other.pk), 1, "Sổ của ban (Ban Tham mưu, Huyện B)"),
    )
    assert shown(office.leader, unit=[str(first_unit.pk)])[0] == [first.pk]
    assert shown(office.leader, register=[str(other.pk)])[0] == [second.pk]
    assert set(shown(office.leader, unit=[str(first_unit.pk), str(second_unit.pk)])[0]) == {first.pk, second.pk}


def test_a_name_that_one_has_alone_is_said_bare(office, districts, make_record, indexed):
    make_record(subject="Diễn tập huyện ủy")
    indexed()
    _, facets = shown(office.leader)
    assert {bucket.value: bucket.label for bucket in facets["unit"]}[str(office.registry.pk)] == "Văn thư"


def test_what_is_above_a_unit_is_named_in_the_readers_own_line_only(office, districts, indexed):
    """Somebody of district A has a dispatch of district B in hand: they see whose it is, and nothing of what is above it."""
    (_, staff, _), (second, _, other) = districts["A"], districts["B"]
    office.staff.scopes.update(unit=staff)
    Access.objects.filter(record=second).update(principal=staff.pk)
    audit.write(Action.STEP_FORWARD, actor=office.leader, subject=second)
    indexed()
    _, facets = shown(office.staff)
    assert {bucket.label for bucket in facets["unit"]} == {"Ban Tham mưu (Huyện A)", "Ban Tham mưu (HB-TM)"}
    assert "Huyện B" not in str(facets)
    assert str(other.pk) in {bucket.value for bucket in facets["register"]}


def test_a_hidden_unit_of_the_same_name_is_not_told_of(office, districts):
    (_, staff, _), _ = districts["A"], districts["B"]
    office.staff.scopes.update(unit=staff)
    _, facets = shown(office.staff)
    assert [(bucket.value, bucket.label) for bucket in facets["unit"]] == [(str(staff.pk), "Ban Tham mưu")]


def test_nobody_learns_a_name_by_choosing_its_code(office, districts):
    (_, staff, mine), (_, _, theirs) = districts["A"], districts["B"]
    dossier = hidden_dossier(office, districts["B"][1])
    office.staff.scopes.update(unit=staff)
    chosen = {
        "unit": [str(staff.pk), str(districts["B"][1].pk), "HA-TM", "99", "²"],
        "register": [str(mine.pk), str(theirs.pk), "x", "9" * 200],
        "dossier": [dossier.key, "\x00"],
        "type": ["Kế hoạch"],
    }
    assert labels.of(chosen, office.staff) == {
        "unit": {str(staff.pk): "Ban Tham mưu", str(districts["B"][1].pk): NO_UNIT, "99": NO_UNIT},
        "register": {str(mine.pk): "Sổ của ban", str(theirs.pk): NO_BOOK},
        "dossier": {},
        "type": {"Kế hoạch": "Kế hoạch"},
    }
    assert labels.of(chosen, office.leader)["dossier"] == {dossier.key: "01.TM Chiến dịch Sao Hôm"}


def test_a_unit_that_is_renamed_bears_its_new_name_at_once_and_keeps_what_it_had(office, districts):
    """The index is not told: facets, chosen values, kept questions and search by name read the names of now."""
    record, staff, _ = districts["A"]
    kept = saving.keep(Wanted("ban", "dien tap huyen", 0, {"unit": [str(staff.pk)]}), actor=office.leader)
    units.rename(staff, units.Called("HA-PTM", "Phòng Tham mưu"), reason="Quyết định 5", actor=office.admin)
    _, facets = shown(office.leader)
    assert {bucket.value: bucket.label for bucket in facets["unit"]}[str(staff.pk)] == "Phòng Tham mưu"
    assert "Ban Tham mưu, Huyện A" not in str(facets)
    assert shown(office.leader, unit=kept.filters["unit"])[0] == [record.pk]
    assert labels.of(kept.filters, office.leader) == {"unit": {str(staff.pk): "Phòng Tham mưu"}}
    assert by_name(office.leader, 'donvi:"phong tham muu"') == by_name(office.leader, "donvi:phonh~") == [record.pk]
    assert record.pk not in by_name(office.leader, "donvi:ban")
    assert record.pk in by_name(office.leader, "dien tap -donvi:ban*")


def by_name(person, text):
    return [hit.record.pk for hit in finding.find(parse(text), person, filters={}, order=Order.NEWEST, offset=0).found]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("c12~", "C13"),
        ("c12~", "Đại đội C2"),
        ("c21~", "C12"),
        ("123~", "Lữ đoàn 124"),
        ("doi~", "Độ 2"),
        ("doi~", "Tổ 2"),
    ],
)
def test_a_near_word_finds_a_unit_as_it_finds_a_subject(office, districts, indexed, asked, name):
    record, staff, _ = districts["A"]
    Unit.objects.filter(pk=staff.pk).update(name=name)
    type(record).objects.filter(pk=record.pk).update(subject=name)
    audit.write(Action.RECORD_CORRECT, actor=office.leader, subject=record)
    indexed()
    assert (record.pk in by_name(office.leader, f"donvi:{asked}")) == (not name.startswith("Tổ"))
    assert (record.pk in by_name(office.leader, f"trichyeu:{asked}")) == (not name.startswith("Tổ"))


def test_a_correction_goes_by_the_names_of_units_as_they_are_now(office, districts):
    _, staff, _ = districts["A"]
    assert offering.meant(parse('donvi:"ban tham muu" dien tapp'), office.leader)
    units.rename(staff, units.Called("HA-PTM", "Phòng Tham mưu"), reason="Quyết định 5", actor=office.admin)
    assert offering.meant(parse('donvi:"phong tham muu" dien tapp'), office.leader)


def test_a_register_that_is_renamed_bears_its_new_name_at_once(office, districts):
    record, _, book = districts["A"]
    shelving.rename(book, name="Sổ tham mưu", reason="x", actor=office.admin)
    _, facets = shown(office.leader)
    assert {bucket.value: bucket.label for bucket in facets["register"]}[str(book.pk)] == "Sổ tham mưu"
    assert shown(office.leader, register=[str(book.pk)])[0] == [record.pk]


def test_nobody_learns_of_a_unit_by_its_name(office, districts):
    """Only what the reader may see is found by a unit's name: one that keeps nothing for them is like one that is not there."""
    _, (_, staff, _) = districts["A"], districts["B"]
    Unit.objects.filter(pk=staff.pk).update(name="Trạm Sao Hôm")
    office.staff.scopes.update(unit=districts["A"][1])
    for name in ("sao", "khong"):
        assert by_name(office.staff, f"donvi:{name}") == []
        assert len(by_name(office.staff, f"-donvi:{name}")) == 1


def hidden_dossier(office, of):
    rule = RetentionRule.objects.create(code="1", title="Lưu lâu", kind="permanent", basis="x", valid_from="2020-01-01")
    return Dossier.objects.create(
        code="01.TM", year=2026, title="Chiến dịch Sao Hôm", rule=rule, unit=of, opened_on="2026-01-01",
        record_class=RecordClass.objects.create(code="01", title="x", rule=rule, year=2026), opened_by=office.archivist,
    )  # fmt: skip


def test_a_kept_code_of_digits_that_no_unit_has_chooses_no_unit_by_its_number(office, districts):
    _, staff, _ = districts["A"]
    Unit.objects.filter(pk=districts["B"][1].pk).update(code="7007")
    digits = str(staff.pk)
    kept = saving.keep(Wanted("cũ", "dien tap huyen", 0, {"unit": [digits, "7007"]}), actor=office.leader)
    importlib.import_module("search.migrations.0006_units_by_number").by_number(apps, None)
    kept.refresh_from_db()
    assert kept.filters == {"unit": [f"mã {digits}", str(districts["B"][1].pk)]}
    assert shown(office.leader, unit=kept.filters["unit"])[0] == [districts["B"][0].pk]


def test_a_shared_question_shows_no_bare_number_to_who_lacks_its_unit(office, districts, signed_in):
    _, staff, _ = districts["A"]
    asked = Wanted("chung", "dien tap", 0, {"unit": [str(staff.pk)]}, shared_with=Role.STAFF)
    saving.change(saving.keep(asked, actor=office.leader), asked, is_sure=True, actor=office.leader)
    page = signed_in("staff").get("/search/saved/").content.decode()
    assert f"Đơn vị: {NO_UNIT}" in page
    assert "Ban Tham mưu" not in page


def test_questions_kept_by_name_choose_all_that_bear_it(office, districts):
    (_, _, book), (_, _, other) = districts["A"], districts["B"]
    dossier = hidden_dossier(office, districts["B"][1])
    by_name = {
        "unit": ["Ban Tham mưu", "Ban đã giải thể"],
        "register": [vi_clean("Sổ của ban")],
        "dossier": ["01.TM Chiến dịch Sao Hôm"],
        "retention": ["Lưu lâu"],
        "type": ["Kế hoạch"],
    }
    kept = saving.keep(Wanted("cũ", "dien tap huyen", 0, by_name), actor=office.leader)
    importlib.import_module("search.migrations.0004_values_told_apart").tell_apart(apps, None)
    importlib.import_module("search.migrations.0006_units_by_number").by_number(apps, None)
    kept.refresh_from_db()
    assert kept.filters == {
        "unit": [str(districts["A"][1].pk), str(districts["B"][1].pk), "Ban đã giải thể"],
        "register": [str(book.pk), str(other.pk)],
        "dossier": [dossier.key],
        "retention": ["permanent"],
        "type": ["Kế hoạch"],
    }
    assert len(shown(office.leader, unit=kept.filters["unit"])[0]) == 2
