"""Holidays and days worked instead: added and taken back for days to come, by the administrator alone."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from archive import digests, holidays, sequencing
from archive.holidays import Days
from archive.models import AuditEntry, Holiday
from archive.routing import deadlines
from archive.rules.errors import Forbidden
from archive.tests.test_overtaken import at_once, no_heads  # noqa: F401 - a fixture

EVERYBODY = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")
MONDAY = date(2026, 11, 30)
SATURDAY = date(2026, 12, 5)


@pytest.fixture(autouse=True)
def on_a_monday():
    with time_machine.travel(f"{MONDAY}T09:00:00+07:00"):
        yield


def days(first=SATURDAY, last=None, *, name="Nghỉ Tết", basis="QĐ 1", is_worked=False):
    return Days(first, last or first, name, basis, is_worked=is_worked)


def add(office, *given, **more):
    return holidays.add(days(*given, **more), actor=office.admin)


def test_days_off_and_days_worked_instead_move_deadlines(office):
    assert deadlines.due_in(4) == date(2026, 12, 4)
    add(office, date(2026, 12, 1), date(2026, 12, 2))
    assert deadlines.due_in(4) == date(2026, 12, 8)
    add(office, SATURDAY, name="Làm bù", is_worked=True)
    assert deadlines.due_in(4) == date(2026, 12, 7)


def test_a_day_taken_back_never_counted_and_may_be_given_anew(office):
    (row,) = add(office, date(2026, 12, 1))
    holidays.take_back(row, reason="Nhầm", actor=office.admin)
    assert deadlines.due_in(1) == date(2026, 12, 1)
    with pytest.raises(holidays.TakenBack):
        holidays.take_back(row, reason="Nhầm", actor=office.admin)
    add(office, date(2026, 12, 1), name="Nghỉ bù")
    assert Holiday.objects.filter(day=date(2026, 12, 1)).count() == 2


def test_what_a_past_day_was_stays(office):
    with pytest.raises(holidays.DayPast):
        add(office, MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))
    (today,) = add(office, MONDAY)
    with pytest.raises(holidays.DayPast):
        holidays.take_back(today, reason="x", actor=office.admin)


def test_a_rest_day_that_has_begun_is_not_made_a_day_of_work(office):
    with time_machine.travel(f"{SATURDAY}T09:00:00+07:00"):
        with pytest.raises(holidays.DayPast):
            add(office, name="Làm bù", is_worked=True)
        (tomorrow,) = add(office, SATURDAY + timedelta(days=1), name="Làm bù", is_worked=True)
    assert tomorrow.is_worked


@pytest.mark.parametrize(
    ("refusal", "given"),
    [
        (holidays.DaysIncomplete, days(name=" ")),
        (holidays.DaysIncomplete, days(basis="")),
        (holidays.WrongDays, days(SATURDAY, SATURDAY - timedelta(days=1))),
        (holidays.WrongDays, days(SATURDAY, SATURDAY + timedelta(days=31))),
        (holidays.WorkedAnyway, days(SATURDAY, SATURDAY + timedelta(days=2), is_worked=True)),
        (holidays.DayTaken, days(date(2026, 12, 8), date(2026, 12, 10))),
    ],
)
def test_wrong_days_are_refused_and_leave_nothing(office, refusal, given):
    add(office, date(2026, 12, 9))
    with pytest.raises(refusal):
        holidays.add(given, actor=office.admin)
    assert Holiday.objects.count() == 1


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "admin"])
def test_nobody_with_a_deadline_moves_it(office, name):
    (row,) = add(office)
    actor = getattr(office, name)
    with pytest.raises(Forbidden):
        holidays.add(days(date(2026, 12, 8)), actor=actor)
    with pytest.raises(Forbidden):
        holidays.take_back(row, reason="x", actor=actor)


def test_both_acts_leave_one_entry_and_rows_that_the_log_bears_out(office):
    rows = add(office, SATURDAY, SATURDAY + timedelta(days=2))
    holidays.take_back(rows[0], reason="Nhầm", actor=office.admin)
    sequencing.place_all()
    assert list(digests.faults()) == []
    done = [entry.action for entry in AuditEntry.objects.order_by("leaf__idx")][1:]
    assert done == ["day.add", "day.take_back"]
    Holiday.objects.filter(pk=rows[1].pk).update(taken_back_at=timezone.now())
    assert [str(fault) for fault in digests.faults()] == [
        f"holiday {rows[1].pk}: changed past the office (taken_back_at)"
    ]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_one_day_given_twice_at_once_is_one(office):
    gave = at_once(*[lambda: add(office)] * 2)
    assert sorted(type(each).__name__ for each in gave) == ["DayTaken", "list"]
    assert Holiday.objects.count() == 1


# --- the page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_page_opens_to_the_administrator(office, signed_in, name):
    browser = signed_in(name)
    assert browser.get("/holidays/").status_code == (200 if name == "admin" else 403)
    assert browser.post("/holidays/", {"act": "add"}).status_code == (422 if name == "admin" else 403)


def test_days_are_added_and_taken_back_on_the_page(office, signed_in):
    browser = signed_in("admin")
    form = {"act": "add", "is_worked": "free", "first": "05/12/2026", "name": "Nghỉ bù", "basis": "QĐ 12"}
    assert browser.post("/holidays/", form | {"last": "07/12/2026"}).status_code == 302
    again = browser.post("/holidays/", form | {"last": ""})
    assert again.status_code == 422
    assert "đã có trong danh sách" in again.content.decode()
    row = Holiday.objects.get(day=SATURDAY)
    take_back = {"act": "take_back", "row": row.pk, "reason": "Nhầm"}
    assert browser.post("/holidays/", take_back).status_code == 302
    assert browser.post("/holidays/", take_back).status_code == 422  # not offered any more
    assert browser.post("/holidays/", {"act": "nothing"}).status_code == 422
    assert AuditEntry.objects.filter(outcome="denied", action="archive:holidays").count() == 3
    page = browser.get("/holidays/").content.decode()
    assert "Nghỉ bù" in page
    assert "đã bỏ" in page
    assert AuditEntry.objects.filter(action="day.read").count() >= 1
