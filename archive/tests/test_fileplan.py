"""The file plan and its periods: what an archivist changes, what stays as it was, who opens the pages."""

import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from archive import digests, dossiers, fileplan, outline, sequencing, withdrawing
from archive.fileplan import Line, Period
from archive.forms.keeping import DossierForm
from archive.models import AuditEntry, RecordClass, RetentionRule, RuleKind
from archive.rules.errors import Forbidden
from archive.tests.test_overtaken import at_once, no_heads  # noqa: F401 - a fixture
from config.tests.office import borne_out

EVERYBODY = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")


def today():
    return timezone.localdate()


def shown(day):
    return f"{day:%d/%m/%Y}"


def period(years=10, *, since=date(2023, 2, 15), **more):
    kind = RuleKind.YEARS if years else RuleKind.PERMANENT
    return Period(
        **{"title": "Kế hoạch", "kind": kind, "years": years, "basis": "TT 10/2022", "valid_from": since} | more
    )


@pytest.fixture
def rule(office):
    return fileplan.add_period("KH", period(), actor=office.archivist)


@pytest.fixture
def line(office, rule):
    return fileplan.add_line(Line(today().year, "01", "Huấn luyện", rule), basis="QĐ 1", actor=office.archivist)


def test_a_line_is_added_renamed_and_closed_for_good(office, rule, line, last_entry):
    year = today().year
    heading = fileplan.add_line(Line(year, "II", "Hành chính"), basis="QĐ 1", actor=office.archivist)
    below = fileplan.add_line(Line(year, "02", "Văn thư", rule, heading), basis="QĐ 1", actor=office.archivist)
    with pytest.raises(fileplan.LinesBelow):
        fileplan.close_line(heading, reason="x", actor=office.archivist)
    renamed = fileplan.rename_line(below, title="Văn thư, lưu trữ", keeper="Ban", reason="QĐ 2", actor=office.archivist)
    assert (renamed.title, renamed.keeper, renamed.code) == ("Văn thư, lưu trữ", "Ban", "02")
    closed = fileplan.close_line(below, reason="QĐ 3", actor=office.archivist)
    assert closed.closed_on == today()
    for again in (
        lambda: fileplan.close_line(below, reason="x", actor=office.archivist),
        lambda: fileplan.rename_line(below, title="x", keeper="", reason="x", actor=office.archivist),
    ):
        with pytest.raises(fileplan.LineClosed):
            again()
    with pytest.raises(fileplan.LineTaken):  # for good: the code of a closed line is not given again
        fileplan.add_line(Line(year, "02", "Khác", rule), basis="QĐ 4", actor=office.archivist)
    fileplan.close_line(heading, reason="QĐ 3", actor=office.archivist)
    assert last_entry().action == "plan.close"


def test_a_line_stands_in_a_plan_that_is_open_under_a_heading_of_its_year(office, rule, line):
    year = today().year
    heading = fileplan.add_line(Line(year + 1, "I", "Năm sau"), basis="QĐ 1", actor=office.archivist)
    for wrong in (line, heading):
        with pytest.raises(fileplan.NoHeading):
            fileplan.add_line(Line(year, "09", "x", rule, wrong), basis="QĐ 1", actor=office.archivist)
    for past in (year - 1, year + 2):
        with pytest.raises(fileplan.PlanPast):
            fileplan.add_line(Line(past, "09", "x", rule), basis="QĐ 1", actor=office.archivist)
    RecordClass.objects.filter(pk=line.pk).update(year=year - 1)
    with pytest.raises(fileplan.PlanPast):
        fileplan.close_line(line, reason="x", actor=office.archivist)
    for empty in ({"title": " "}, {"code": ""}):
        with pytest.raises(fileplan.PlanIncomplete):
            fileplan.add_line(
                Line(**{"year": year, "code": "09", "title": "x"} | empty), basis="QĐ 1", actor=office.archivist
            )
    with pytest.raises(fileplan.PlanIncomplete):
        fileplan.add_line(Line(year, "09", "x"), basis=" ", actor=office.archivist)


def test_a_year_begins_with_the_open_lines_of_the_one_before(office, rule, line):
    year = today().year
    heading = fileplan.add_line(Line(year, "II", "Hành chính"), basis="QĐ 1", actor=office.archivist)
    fileplan.add_line(Line(year, "02", "Văn thư", rule, heading, "Ban"), basis="QĐ 1", actor=office.archivist)
    fileplan.close_line(line, reason="x", actor=office.archivist)
    with pytest.raises(fileplan.PlanIncomplete):
        fileplan.begin_year(year + 1, basis=" ", actor=office.archivist)
    fileplan.begin_year(year + 1, basis="QĐ 9", actor=office.archivist)
    taken = {row.code: row for row in RecordClass.objects.filter(year=year + 1)}
    assert set(taken) == {"II", "02"}
    assert (taken["02"].parent, taken["02"].rule, taken["02"].keeper) == (taken["II"], rule, "Ban")
    assert all(digests.holds(row) for row in taken.values())
    with pytest.raises(fileplan.PlanThere):
        fileplan.begin_year(year + 1, basis="QĐ 9", actor=office.archivist)
    with pytest.raises(fileplan.PlanPast):
        fileplan.begin_year(year + 2, basis="QĐ 9", actor=office.archivist)


def test_a_year_begins_without_the_lines_whose_period_ended_or_was_withdrawn(office, rule, last_entry, time_machine):
    year = today().year
    closed = fileplan.add_period("KH2", period(), actor=office.archivist)
    withdrawn = fileplan.add_period("KH3", period(since=date(year + 1, 12, 1)), actor=office.archivist)
    changed = fileplan.add_period("KH4", period(), actor=office.archivist)
    for code, its in (("01", rule), ("02", closed), ("03", withdrawn), ("04", changed)):
        fileplan.add_line(Line(year, code, "Huấn luyện", its), basis="QĐ 1", actor=office.archivist)
    fileplan.change_period(changed, period(5, since=date(year + 1, 3, 1)), actor=office.archivist)
    time_machine.move_to(datetime(year + 1, 1, 5, 8, tzinfo=UTC))
    fileplan.close_period(closed, last_day=date(year + 1, 6, 30), reason="QĐ 5", actor=office.archivist)
    withdrawing.of_retention(withdrawn, reason="QĐ 6", actor=office.archivist)
    made = fileplan.begin_year(year + 1, basis="QĐ 9", actor=office.archivist)
    assert [row.code for row in made] == ["01", "04"]
    assert last_entry().detail.payload["left_out"] == "02, 03"


def test_no_dossier_is_opened_under_a_closed_line(office, rule, line):
    cover = dossiers.Cover("01.TM", "Huấn luyện", line, rule, office.staff_unit, today())
    fileplan.close_line(line, reason="QĐ 3", actor=office.archivist)
    assert line not in DossierForm(person=office.archivist).fields["record_class"].queryset
    with pytest.raises(fileplan.LineClosed):
        dossiers.begin(cover, actor=office.archivist)


def test_no_dossier_is_opened_by_a_period_that_is_not_in_force(office, rule, line):
    later = fileplan.add_period("KH2", period(since=today() + timedelta(days=1)), actor=office.archivist)
    ended = fileplan.add_period("KH3", period(), actor=office.archivist)
    RetentionRule.objects.filter(pk=ended.pk).update(valid_to=today() - timedelta(days=1))
    for other in (later, ended):  # as it was read: when it still had no end
        cover = dossiers.Cover("01.TM", "Huấn luyện", line, other, office.staff_unit, today())
        with pytest.raises(dossiers.PeriodNotInForce):
            dossiers.begin(cover, actor=office.archivist)
    fileplan.close_line(line, reason="x", actor=office.archivist)
    last = fileplan.close_period(rule, last_day=today(), reason="QĐ 5", actor=office.archivist)
    with pytest.raises(fileplan.PeriodOver):
        fileplan.add_line(Line(today().year, "03", "Hành chính", last), basis="QĐ 6", actor=office.archivist)


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_a_dossier_waits_for_a_line_that_is_being_closed_and_is_not_opened_under_it(office, rule, line):
    cover = dossiers.Cover("01.TM", "Huấn luyện", line, rule, office.staff_unit, today())
    gave = []
    beside = threading.Thread(
        target=lambda: gave.extend(at_once(lambda: dossiers.begin(cover, actor=office.archivist)))
    )
    with transaction.atomic(), connection.cursor() as cursor:
        fileplan.close_line(line, reason="x", actor=office.archivist)
        beside.start()
        for _ in range(200):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                break
            time.sleep(0.05)
    beside.join()
    assert [type(each).__name__ for each in gave] == ["LineClosed"]


def test_a_changed_period_holds_from_its_day_and_a_dossier_keeps_its_own(office, rule, line):
    cover = dossiers.Cover("01.TM", "Huấn luyện", line, rule, office.staff_unit, today())
    dossier = dossiers.begin(cover, actor=office.archivist)
    later = today() + timedelta(days=10)
    new = fileplan.change_period(rule, period(20, since=later), actor=office.archivist)
    rule.refresh_from_db()
    assert (rule.years, rule.valid_to) == (10, later - timedelta(days=1))
    assert fileplan.in_force(line.rule, today()) == rule
    assert fileplan.in_force(line.rule, later) == new
    dossier.refresh_from_db()
    assert dossier.rule == rule
    with pytest.raises(fileplan.PeriodOver):  # an older version than the last
        fileplan.change_period(rule, period(30, since=later), actor=office.archivist)


def test_a_dossier_takes_the_version_in_force_when_its_line_was_written_under_an_older_one(office, rule, line):
    new = fileplan.change_period(rule, period(0, since=today()), actor=office.archivist)
    form = {"code": "1", "title": "x", "record_class": line.pk, "unit": office.command.pk, "opened_on": shown(today())}
    asked = DossierForm(form, person=office.archivist)
    assert asked.is_valid(), asked.errors
    assert asked.cover().rule == new


def test_what_was_in_force_on_a_past_day_stays_as_it_was(office, rule):
    for wrong in (today() - timedelta(days=1), date(2020, 1, 1)):
        with pytest.raises(fileplan.StartsTooEarly):
            fileplan.change_period(rule, period(20, since=wrong), actor=office.archivist)
    fileplan.change_period(rule, period(20, since=today()), actor=office.archivist)
    last = RetentionRule.objects.latest("valid_from")
    with pytest.raises(fileplan.StartsTooEarly):
        fileplan.change_period(last, period(30, since=today()), actor=office.archivist)


def test_a_period_counts_years_or_does_not_and_has_one_code(office, rule):
    for wrong in (period(0, kind=RuleKind.YEARS), period(5, kind=RuleKind.PERMANENT)):
        with pytest.raises(fileplan.WrongCount):
            fileplan.add_period("MOI", wrong, actor=office.archivist)
    with pytest.raises(fileplan.PeriodTaken):
        fileplan.add_period("kh", period(), actor=office.archivist)
    with pytest.raises(fileplan.PlanIncomplete):
        fileplan.add_period("MOI", period(basis=" "), actor=office.archivist)


def test_a_period_ends_when_no_open_line_rests_on_it(office, rule, line):
    def close(last_day=None):
        return fileplan.close_period(rule, last_day=last_day or today(), reason="Bãi bỏ", actor=office.archivist)

    with pytest.raises(fileplan.PeriodInUse):
        close()
    fileplan.close_line(line, reason="x", actor=office.archivist)
    with pytest.raises(fileplan.EndsTooEarly):
        close(today() - timedelta(days=1))
    assert close().valid_to == today()
    with pytest.raises(fileplan.PeriodOver):
        close()
    again = fileplan.change_period(rule, period(5, since=today() + timedelta(days=1)), actor=office.archivist)
    assert again.valid_to is None


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "archivist"])
def test_nobody_but_the_archivist_changes_the_plan(office, rule, line, name):
    actor = getattr(office, name)
    tries = (
        lambda: fileplan.add_line(Line(today().year, "9", "x"), basis="x", actor=actor),
        lambda: fileplan.begin_year(today().year + 1, basis="x", actor=actor),
        lambda: fileplan.rename_line(line, title="x", keeper="", reason="x", actor=actor),
        lambda: fileplan.close_line(line, reason="x", actor=actor),
        lambda: fileplan.add_period("9", period(), actor=actor),
        lambda: fileplan.change_period(rule, period(since=today()), actor=actor),
        lambda: fileplan.close_period(rule, last_day=today(), reason="x", actor=actor),
    )
    for each in tries:
        with pytest.raises(Forbidden):
            each()


def test_every_act_leaves_its_entry_and_rows_that_the_log_bears_out(office):
    rule = fileplan.add_period("KH", period(), actor=office.archivist)
    line = fileplan.add_line(Line(today().year, "01", "Huấn luyện", rule), basis="QĐ 1", actor=office.archivist)
    fileplan.rename_line(line, title="Huấn luyện, diễn tập", keeper="PTM", reason="x", actor=office.archivist)
    rule = fileplan.change_period(rule, period(20, since=today()), actor=office.archivist)
    fileplan.close_line(line, reason="x", actor=office.archivist)
    fileplan.close_period(rule, last_day=today(), reason="x", actor=office.archivist)
    sequencing.place_all()
    assert list(digests.faults()) == []
    done = [entry.action for entry in AuditEntry.objects.order_by("leaf__idx")][1:]
    assert done == ["period.add", "plan.add", "plan.change", "period.change", "plan.close", "period.close"]
    RecordClass.objects.update(closed_on=None)
    assert [str(fault) for fault in digests.faults()] == ["recordclass 01: changed past the office (closed_on)"]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_one_code_given_twice_at_once_is_one_line_and_one_version(office):
    rule = fileplan.add_period("KH", period(), actor=office.archivist)
    new = Line(today().year, "01", "Huấn luyện", rule)
    gave = at_once(*[lambda: fileplan.add_line(new, basis="QĐ 1", actor=office.archivist)] * 2)
    assert sorted(type(each).__name__ for each in gave) == ["LineTaken", "RecordClass"]
    gave = at_once(*[lambda: fileplan.begin_year(new.year + 1, basis="QĐ 9", actor=office.archivist)] * 2)
    assert sorted(type(each).__name__ for each in gave) == ["PlanThere", "list"]
    gave = at_once(*[lambda: fileplan.change_period(rule, period(20, since=today()), actor=office.archivist)] * 2)
    assert sorted(type(each).__name__ for each in gave) == ["PeriodOver", "RetentionRule"]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(4))
def test_a_period_closed_while_a_year_begins_has_no_open_line(office, turn):
    year = today().year
    rules = [fileplan.add_period(f"KH{number}", period(), actor=office.archivist) for number in range(5)]
    for rule in rules:
        fileplan.add_line(Line(year, rule.code, "x", rule), basis="QĐ 1", actor=office.archivist)
    RecordClass.objects.update(year=year - 1)  # last year's, whose lines hinder no closing
    borne_out()
    at_once(
        lambda: fileplan.begin_year(year, basis="QĐ 9", actor=office.archivist),
        *[
            lambda rule=rule: fileplan.close_period(rule, last_day=today(), reason="x", actor=office.archivist)
            for rule in rules
        ],
    )
    assert not RecordClass.objects.filter(year=year, rule__valid_to__isnull=False).exists()


# --- pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERYBODY)
def test_each_page_opens_to_the_archivist_and_names_no_missing_thing(office, rule, line, signed_in, name):
    browser, opens = signed_in(name), name == "archivist"
    for address in ("/plan/", f"/plan/{line.pk}/", f"/plan/periods/{rule.pk}/"):
        assert browser.get(address).status_code == (200 if opens else 403), address
        assert browser.post(address, {"act": "nothing"}).status_code == (422 if opens else 403), address
    for missing in ("/plan/99999/", "/plan/periods/99999/"):
        assert browser.get(missing).status_code == (404 if opens else 403), missing


def test_a_line_and_a_period_are_written_on_the_page(office, signed_in):
    browser, year = signed_in("archivist"), today().year
    form = {"act": "period", "code": "KH", "title": "Kế hoạch", "kind": "years", "years": "10", "basis": "TT 10"}
    assert browser.post("/plan/", form | {"valid_from": "x"}).status_code == 422
    assert browser.post("/plan/", form | {"valid_from": "15/02/2023", "years": ""}).status_code == 422
    assert browser.post("/plan/", form | {"valid_from": "15/02/2023"}).status_code == 302
    rule = RetentionRule.objects.get(code="KH")
    written = {"act": "line", "code": "01", "title": "Huấn luyện", "rule": rule.pk, "keeper": "PTM", "basis": "QĐ 1"}
    assert browser.post(f"/plan/?year={year + 1}", written).status_code == 302
    assert "Huấn luyện" in browser.get(f"/plan/?year={year + 1}").content.decode()
    assert "Huấn luyện" not in browser.get("/plan/").content.decode()
    taken = browser.post(f"/plan/?year={year + 1}", written)
    assert taken.status_code == 422
    assert "đã thuộc về" in taken.content.decode()
    assert AuditEntry.objects.filter(outcome="denied", action="archive:retention").count() == 2
    assert browser.post(f"/plan/?year={year - 1}", written).status_code == 422
    assert 'value="line"' not in browser.get(f"/plan/?year={year - 1}").content.decode()
    assert AuditEntry.objects.filter(outcome="denied", action="archive:retention").count() == 3


def test_the_next_year_is_begun_on_its_page_once(office, line, signed_in):
    browser, address = signed_in("archivist"), f"/plan/?year={today().year + 1}"
    assert 'value="begin"' in browser.get(address).content.decode()
    assert browser.post(address, {"act": "begin", "basis": "QĐ 9"}).status_code == 302
    page = browser.get(address).content.decode()
    assert "Huấn luyện" in page
    assert 'value="begin"' not in page
    assert browser.post(address, {"act": "begin", "basis": "QĐ 9"}).status_code == 422
    assert AuditEntry.objects.filter(outcome="denied", action="archive:retention").count() == 1


def test_a_line_and_a_period_are_changed_and_closed_on_their_pages(office, rule, line, signed_in):
    browser = signed_in("archivist")
    address, of_rule = f"/plan/{line.pk}/", f"/plan/periods/{rule.pk}/"
    rename = {"act": "rename", "title": "Diễn tập", "keeper": "", "reason": "QĐ 2"}
    assert browser.post(address, rename).status_code == 302
    change = {"act": "change", "title": "Kế hoạch", "kind": "permanent", "years": "", "basis": "TT 8"}
    assert browser.post(of_rule, change | {"valid_from": shown(today())}).status_code == 302
    assert "Vĩnh viễn" in browser.get(address).content.decode()
    close = {"act": "close", "last_day": shown(today()), "reason": "x"}
    assert browser.post(of_rule, close).status_code == 422  # a line rests on it
    assert browser.post(address, {"act": "close", "reason": "QĐ 3"}).status_code == 302
    assert browser.post(of_rule, close).status_code == 302
    assert 'name="act"' not in browser.get(address).content.decode()
    again = browser.post(address, {"act": "close", "reason": "QĐ 3"})
    assert again.status_code == 422
    assert "không được thực hiện việc này ở đây" in again.content.decode()
    assert AuditEntry.objects.filter(outcome="denied", action="archive:plan-line").count() == 1


def test_a_change_of_the_plan_asks_for_a_fresh_proof(office, line, signed_in):
    browser = signed_in("archivist")
    session = browser.session
    session["proved_at"] = 0.0
    session.save()
    answer = browser.post(f"/plan/{line.pk}/", {"act": "close", "reason": "x"})
    assert "proof_password" in answer.content.decode()
    assert RecordClass.objects.get(pk=line.pk).closed_on is None


def test_the_plan_is_told_as_it_is_printed_each_heading_above_its_lines():
    def line(pk, code, parent=None):
        return RecordClass(pk=pk, code=code, title=code, year=2026, parent_id=parent)

    lines = [
        line(1, "01.TM", 9),
        line(2, "02.TM", 9),
        line(9, "TM"),
        line(8, "CT"),
        line(3, "01.CT", 8),
        line(7, "TM.A", 9),
        line(4, "03.TM", 7),
        line(5, "X", 99),
    ]
    assert [row.code for row in outline.as_printed(lines)] == [
        "CT",
        "01.CT",
        "TM",
        "01.TM",
        "02.TM",
        "TM.A",
        "03.TM",
        "X",
    ]


def test_a_year_that_nobody_may_write_yet_promises_no_form(office, signed_in):
    archivist = signed_in("archivist")
    far, near = (archivist.get(f"/plan/?year={today().year + ahead}").content.decode() for ahead in (5, 1))
    assert "Lưu trữ viên lập danh mục của năm nay và năm sau." in far
    assert "hãy thêm từng mục tại đây" not in far
    assert "hãy thêm từng mục tại đây" in near
