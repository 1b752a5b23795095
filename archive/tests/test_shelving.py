"""Registers of units: opened, renamed, closed and reopened by the administrator, who sees no number of theirs."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from archive import counters, digests, registration, restoration, sequencing, units
from archive.models import AuditEntry, Register, RegisterKind
from archive.registers import paper, shelving
from archive.registers.shelving import New
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.tests.test_overtaken import at_once, no_heads  # noqa: F401 - a fixture
from config.tests.office import borne_out

EVERYBODY = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")


def begin(office, name="Sổ đến", *, kind=RegisterKind.INCOMING, unit=None, reason="QĐ 1"):
    return shelving.begin(New(kind, name, unit or office.staff_unit), reason=reason, actor=office.admin)


def close(office, register):
    return shelving.close(register, reason="QĐ 3", actor=office.admin)


def test_a_register_is_opened_renamed_closed_and_reopened(office):
    row = begin(office)
    with pytest.raises(shelving.BookThere):
        begin(office, "Sổ khác")
    assert shelving.rename(row, name="Sổ văn bản đến", reason="QĐ 2", actor=office.admin).name == "Sổ văn bản đến"
    assert not close(office, row).is_open
    for again in (
        lambda: close(office, row),
        lambda: shelving.rename(row, name="x", reason="x", actor=office.admin),
    ):
        with pytest.raises(shelving.BookClosed):
            again()
    with pytest.raises(shelving.BookNamed):
        begin(office, "Sổ văn bản đến")
    second = begin(office, "Sổ văn bản đến 2")
    with pytest.raises(shelving.BookThere):
        shelving.reopen(row, reason="x", actor=office.admin)
    close(office, second)
    assert shelving.reopen(row, reason="QĐ 4", actor=office.admin).is_open
    with pytest.raises(shelving.BookOpen):
        shelving.reopen(row, reason="x", actor=office.admin)
    for empty in ({"name": " "}, {"reason": ""}):
        with pytest.raises(shelving.BookIncomplete):
            begin(office, **{"unit": office.other_unit} | empty)
    with pytest.raises(shelving.BookIncomplete):
        shelving.close(row, reason=" ", actor=office.admin)


def test_a_reopened_register_goes_on_after_its_last_number(office, make_record, make_draft):
    first = make_record()
    close(office, office.incoming)
    office.incoming.refresh_from_db()
    with pytest.raises(registration.WrongRegister):
        make_record(code_number="124")
    shelving.reopen(office.incoming, reason="QĐ 4", actor=office.admin)
    office.incoming.refresh_from_db()
    assert make_record(code_number="125").number.number == first.number.number + 1


def test_no_register_of_state_secrets_where_none_may_be(office, settings):
    settings.SITE_MAX_LEVEL, settings.PAPER_STUBS = Level.THUONG, False
    with pytest.raises(shelving.NoSecretBooks):
        begin(office, kind=RegisterKind.SECRET_INCOMING)
    settings.PAPER_STUBS = True
    assert begin(office, kind=RegisterKind.SECRET_INCOMING).is_open
    settings.SITE_MAX_LEVEL, settings.PAPER_STUBS = Level.MAT, False
    assert begin(office, kind=RegisterKind.SECRET_OUTGOING).is_open


def test_a_closed_unit_gets_no_register(office):
    empty = units.add(units.Called("BTH", "Ban Tác huấn"), under=office.staff_unit, actor=office.admin)
    row = begin(office, unit=empty)
    close(office, row)
    units.close(empty, reason="Giải thể", actor=office.admin)
    with pytest.raises(units.UnitClosed):
        begin(office, "Sổ mới", unit=empty)
    with pytest.raises(units.UnitClosed):
        shelving.reopen(row, reason="x", actor=office.admin)


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "admin"])
def test_nobody_who_numbers_or_reads_opens_a_register(office, name):
    row, actor = office.incoming, getattr(office, name)
    tries = (
        lambda: shelving.begin(New(RegisterKind.INCOMING, "x", office.staff_unit), reason="x", actor=actor),
        lambda: shelving.rename(row, name="x", reason="x", actor=actor),
        lambda: shelving.close(row, reason="x", actor=actor),
        lambda: shelving.reopen(row, reason="x", actor=actor),
    )
    for each in tries:
        with pytest.raises(Forbidden):
            each()


def test_every_act_leaves_its_entry_and_rows_that_the_log_bears_out(office):
    row = begin(office)
    shelving.rename(row, name="Sổ văn bản đến", reason="x", actor=office.admin)
    close(office, row)
    shelving.reopen(row, reason="x", actor=office.admin)
    sequencing.place_all()
    assert list(digests.faults()) == []
    done = [entry.action for entry in AuditEntry.objects.order_by("leaf__idx")][1:]
    assert done == ["book.open", "book.rename", "book.close", "book.reopen"]
    Register.objects.filter(pk=row.pk).update(name="khác")
    close(office, row)  # an act that changes no such column covers no edit
    assert f"register {row.pk}: changed past the office before" in str(next(digests.faults()))


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_two_registers_of_a_kind_opened_at_once_are_one(office):
    gave = at_once(*(lambda name=name: begin(office, name) for name in ("Sổ một", "Sổ hai")))
    assert sorted(type(each).__name__ for each in gave) == ["BookThere", "Register"]


# --- after a restore -----------------------------------------------------------------------------------------------


def restored():
    taken = timezone.now() - timedelta(hours=7)
    return restoration.record(restoration.Gap(taken, size=1, newest_size=9), backup="b")


@pytest.fixture
def at_noon():
    with time_machine.travel("2026-11-30T12:00:00+07:00"):
        yield


@pytest.mark.usefixtures("at_noon")
def test_a_register_that_the_backup_did_not_know_gives_no_number_twice(office, make_record):
    restored()
    Register.objects.filter(pk=office.incoming.pk).update(is_open=False)
    borne_out()
    office.incoming = begin(
        office, "Sổ đến mới", unit=office.incoming.unit
    )  # as it was opened before, and gave 40 numbers
    with pytest.raises(registration.RegisterClosed):
        make_record()
    paper.confirm_last_number(office.incoming, 40, actor=office.clerk)
    assert make_record().number.number == 41
    sequencing.place_all()
    assert [str(each) for each in (*digests.of_kind("papercheck"), *counters.faults())] == []


@pytest.mark.usefixtures("at_noon")
def test_a_register_that_never_was_begins_with_1_once_paper_says_0(office, make_record):
    restored()
    close(office, office.incoming)
    office.incoming = begin(office, "Sổ đến mới", unit=office.incoming.unit)
    paper.confirm_last_number(office.incoming, 0, actor=office.clerk)
    assert make_record().number.number == 1


@pytest.mark.usefixtures("at_noon")
def test_a_restore_of_two_years_ago_asks_nothing_of_a_new_register(office):
    with time_machine.travel("2024-06-01T12:00:00+07:00"):
        restored()
    assert not begin(office).paper_checks.exists()


@pytest.mark.usefixtures("at_noon")
def test_a_reopened_register_waits_for_paper_as_every_one_that_the_backup_knew(office, make_record):
    close(office, office.incoming)
    restored()
    shelving.reopen(office.incoming, reason="QĐ 4", actor=office.admin)
    office.incoming.refresh_from_db()
    with pytest.raises(registration.RegisterClosed):
        make_record()


def waits_for(register):
    return list(register.paper_checks.filter(confirmed_at=None).order_by("year").values_list("year", flat=True))


def test_a_register_of_a_restored_december_that_is_opened_anew_in_january_gives_no_number_of_paper_twice(
    office, make_record
):
    with time_machine.travel("2026-12-28T12:00:00+07:00"):
        restored()
    with time_machine.travel("2027-01-04T12:00:00+07:00"):
        Register.objects.filter(pk=office.incoming.pk).update(is_open=False)
        borne_out()
        office.incoming = begin(office, "Sổ đến mới", unit=office.incoming.unit)  # 40 numbers in December, 3 since
        assert waits_for(office.incoming) == [2026, 2027]
        paper.confirm_last_number(office.incoming, 40, actor=office.clerk, year=2026)
        with pytest.raises(registration.RegisterClosed):
            make_record()
        paper.confirm_last_number(office.incoming, 3, actor=office.clerk, year=2027)
        assert make_record().number.number == 4


def test_a_register_that_was_closed_over_the_turn_after_a_restore_is_asked_for_paper_when_it_is_reopened(
    office, make_record, signed_in
):
    """The database that came back knows it as closed; it had been reopened since, and went on on paper."""
    with time_machine.travel("2026-12-28T12:00:00+07:00"):
        close(office, office.incoming)
        restored()
        paper.confirm_last_number(office.incoming, 7, actor=office.clerk)
    with time_machine.travel("2027-01-04T12:00:00+07:00"):
        page = signed_in("admin").get(f"/shelves/{office.incoming.pk}/").content.decode()
        assert "khai số cuối trên sổ giấy" in page
        shelving.reopen(office.incoming, reason="QĐ 4", actor=office.admin)
        office.incoming.refresh_from_db()
        assert waits_for(office.incoming) == [2027]
        with pytest.raises(registration.RegisterClosed):
            make_record()
        paper.confirm_last_number(office.incoming, 3, actor=office.clerk)
        assert make_record().number.number == 4
        close(office, office.incoming)
        shelving.reopen(office.incoming, reason="QĐ 5", actor=office.admin)
        assert waits_for(office.incoming) == []
    assert [str(each) for each in digests.of_kind("papercheck")] == []


@pytest.mark.usefixtures("at_noon")
def test_the_administrator_is_told_that_a_register_waits_for_paper(office, signed_in):
    browser = signed_in("admin")
    assert "bắt đầu từ số 1" in browser.get("/shelves/").content.decode()
    restored()
    page = browser.get("/shelves/").content.decode()
    assert "khai số cuối trên sổ giấy" in page
    assert "bắt đầu từ số 1" not in page
    form = {"act": "open", "unit": office.staff_unit.pk, "kind": "incoming", "name": "Sổ đến PTM", "reason": "QĐ 1"}
    assert "chưa nhận văn bản" in browser.post("/shelves/", form, follow=True).content.decode()
    close(office, office.incoming)
    assert "khai số cuối trên sổ giấy" in browser.get(f"/shelves/{office.incoming.pk}/").content.decode()


# --- pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERYBODY)
def test_each_page_opens_to_the_administrator_and_names_no_missing_thing(office, signed_in, name):
    browser, opens = signed_in(name), name == "admin"
    for address in ("/shelves/", f"/shelves/{office.incoming.pk}/"):
        assert browser.get(address).status_code == (200 if opens else 403), address
        assert browser.post(address, {"act": "nothing"}).status_code == (422 if opens else 403), address
    assert browser.get("/shelves/99999/").status_code == (404 if opens else 403)


def test_registers_are_kept_on_their_pages(office, signed_in):
    browser = signed_in("admin")
    form = {"act": "open", "unit": office.staff_unit.pk, "kind": "incoming", "name": "Sổ đến PTM", "reason": "QĐ 1"}
    assert browser.post("/shelves/", form | {"reason": ""}).status_code == 422
    assert browser.post("/shelves/", form).status_code == 302
    again = browser.post("/shelves/", form | {"name": "Sổ đến 2"})
    assert again.status_code == 422
    assert "Sổ đến PTM" in again.content.decode()
    assert AuditEntry.objects.filter(outcome="denied", action="archive:shelves").count() == 1
    row = Register.objects.get(name="Sổ đến PTM")
    address = f"/shelves/{row.pk}/"
    rename = {"act": "rename", "name": "Sổ văn bản đến PTM", "reason": "QĐ 2"}
    for act in (rename, {"act": "close", "reason": "QĐ 3"}, {"act": "reopen", "reason": "QĐ 4"}):
        assert browser.post(address, act).status_code == 302
    assert browser.post(address, {"act": "reopen", "reason": "QĐ 4"}).status_code == 422
    assert "Sổ văn bản đến PTM" in browser.get("/shelves/").content.decode()


def test_no_number_and_no_line_of_a_register_stands_on_its_page(office, make_record, signed_in):
    record = make_record(subject="Diễn tập bí danh Sao Mai", code_number="4183")
    for address in ("/shelves/", f"/shelves/{office.incoming.pk}/"):
        page = signed_in("admin").get(address).content.decode()
        assert "Sao Mai" not in page
        assert "4183" not in page
        assert record.key not in page


def test_an_act_on_a_register_asks_for_a_fresh_proof(office, signed_in):
    browser = signed_in("admin")
    session = browser.session
    session["proved_at"] = 0.0
    session.save()
    answer = browser.post(f"/shelves/{office.incoming.pk}/", {"act": "close", "reason": "x"})
    assert "proof_password" in answer.content.decode()
    assert Register.objects.get(pk=office.incoming.pk).is_open


def test_a_register_that_was_closed_since_it_was_read_gives_no_number(office, make_record):
    close(office, Register.objects.get(pk=office.incoming.pk))
    assert office.incoming.is_open
    with pytest.raises(registration.WrongRegister):
        make_record()
