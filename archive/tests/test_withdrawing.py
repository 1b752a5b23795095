"""A wrong period is withdrawn before its day, by an act; one that has begun never is, and no row goes or changes in silence."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from archive import digests, fileplan, withdrawing
from archive.fileplan import Line, Period
from archive.leveling import history, lists, periods
from archive.leveling.periods import Term
from archive.models import AuditEntry, AuditRow, ProtectionPeriod, RetentionRule, RuleKind
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.rules.roles import SYNCHRONOUS, Action
from archive.tests.test_overtaken import at_once, no_heads  # noqa: F401 - a fixture
from config.tests.office import borne_out, fence_lifted

WHY = "QĐ 9: ghi nhầm số năm"


def later(days=10):
    return timezone.localdate() + timedelta(days=days)


def period(years, since):
    return Period("Kế hoạch", RuleKind.YEARS, years, "TT 10/2022", since)


@pytest.fixture
def rule(office):
    return fileplan.add_period("KH", period(10, date(2023, 2, 15)), actor=office.archivist)


@pytest.fixture
def line(office, rule):
    return fileplan.add_line(Line(later(0).year, "01", "Huấn luyện", rule), basis="QĐ 1", actor=office.archivist)


@pytest.fixture
def wrong(office, rule, line):
    return fileplan.change_period(rule, period(2, later()), actor=office.archivist)


@pytest.fixture
def mistaken(office):
    borne_out()
    return periods.add(Term(Level.MAT, 1, 60, 15, "Luật mới", later()), actor=office.security)


def of_retention(office, row, reason=WHY, who="archivist"):
    return withdrawing.of_retention(row, reason=reason, actor=getattr(office, who))


def of_protection(office, row, reason=WHY, who="security"):
    return withdrawing.of_protection(row, reason=reason, actor=getattr(office, who))


def faults(kind):
    return [str(fault) for fault in digests.of_kind(kind)]


def test_a_version_to_come_is_withdrawn_the_present_one_goes_on_and_the_day_is_free(office, rule, line, wrong):
    of_retention(office, wrong)
    rule.refresh_from_db()
    assert rule.valid_to is None
    assert fileplan.in_force(line.rule, later(100)) == rule
    assert wrong.pk in RetentionRule.objects.values_list("pk", flat=True)
    right = fileplan.change_period(rule, period(20, later()), actor=office.archivist)
    assert fileplan.in_force(line.rule, later()) == right
    of_retention(office, right)
    rule.refresh_from_db()
    assert rule.valid_to is None
    assert faults("retentionrule") == []
    entry = AuditEntry.objects.filter(action=Action.PERIOD_WITHDRAW).latest("ts")
    assert (entry.actor, entry.object_id) == (office.archivist, str(right.pk))
    assert WHY in bytes(entry.body).decode()


def test_what_has_begun_is_never_withdrawn_nor_anything_twice(office, rule, wrong, mistaken, time_machine):
    before = list(RetentionRule.objects.order_by("pk").values()), list(ProtectionPeriod.objects.order_by("pk").values())
    in_force = ProtectionPeriod.objects.filter(level=Level.MAT).exclude(pk=mistaken.pk).last()
    with pytest.raises(withdrawing.NotToCome):
        of_retention(office, rule)
    with pytest.raises(withdrawing.NotToCome):
        of_protection(office, in_force)
    time_machine.move_to(timezone.now() + timedelta(days=10))
    with pytest.raises(withdrawing.NotToCome):
        of_retention(office, wrong)
    with pytest.raises(withdrawing.NotToCome):
        of_protection(office, mistaken)
    assert before == (
        list(RetentionRule.objects.order_by("pk").values()),
        list(ProtectionPeriod.objects.order_by("pk").values()),
    )
    time_machine.move_to(timezone.now() - timedelta(days=10))
    for withdraw, row, again in (
        (of_retention, wrong, fileplan.PeriodOver),
        (of_protection, mistaken, withdrawing.NotToCome),
    ):
        seen = type(row).objects.get(pk=row.pk)
        withdraw(office, row)
        with pytest.raises(again):
            withdraw(office, seen)


def test_an_end_that_an_act_of_its_own_wrote_stays(office, rule):
    fileplan.close_period(rule, last_day=later(9), reason="Bãi bỏ", actor=office.archivist)
    rule.refresh_from_db()
    again = fileplan.change_period(rule, period(5, later()), actor=office.archivist)
    of_retention(office, again)
    rule.refresh_from_db()
    assert rule.valid_to == later(9)
    assert faults("retentionrule") == []


def test_a_period_closed_after_a_withdrawal_stays_closed_by_the_next_one(office, rule):
    of_retention(office, fileplan.change_period(rule, period(2, later()), actor=office.archivist))
    fileplan.close_period(rule, last_day=later(9), reason="Bãi bỏ", actor=office.archivist)
    of_retention(office, fileplan.change_period(rule, period(5, later()), actor=office.archivist))
    rule.refresh_from_db()
    assert rule.valid_to == later(9)
    assert faults("retentionrule") == []


@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_version_older_than_digests_goes_on(office, rule, line, is_adopted):
    with fence_lifted():
        AuditRow.objects.filter(kind="retentionrule").delete()
    wrong = fileplan.change_period(rule, period(2, later()), actor=office.archivist)
    if is_adopted:
        borne_out()
    of_retention(office, wrong)
    rule.refresh_from_db()
    assert rule.valid_to is None


def test_an_end_that_came_with_the_row_stays(office, rule):
    RetentionRule.objects.filter(pk=rule.pk).update(valid_to=later(9))
    with fence_lifted():
        AuditRow.objects.filter(kind="retentionrule").delete()
    borne_out()
    of_retention(office, fileplan.change_period(rule, period(2, later()), actor=office.archivist))
    rule.refresh_from_db()
    assert rule.valid_to == later(9)


def test_a_period_alone_is_withdrawn_when_no_open_line_rests_on_it_and_its_code_is_free(office):
    alone = fileplan.add_period("MOI", period(3, later()), actor=office.archivist)
    row = fileplan.add_line(Line(later(0).year, "09", "Khác", alone), basis="QĐ 1", actor=office.archivist)
    with pytest.raises(fileplan.PeriodInUse):
        of_retention(office, alone)
    fileplan.close_line(row, reason="x", actor=office.archivist)
    of_retention(office, alone)
    with pytest.raises(fileplan.PeriodOver):
        fileplan.add_line(Line(later(0).year, "10", "Khác", alone), basis="QĐ 1", actor=office.archivist)
    assert fileplan.add_period("MOI", period(3, later()), actor=office.archivist).pk != alone.pk


def test_a_protection_period_to_come_is_withdrawn_and_counts_on_no_day(office, mistaken):
    of_protection(office, mistaken)
    assert history.period(Level.MAT, later(100)).years == 10
    assert faults("protectionperiod") == []
    right = periods.add(Term(Level.MAT, 15, 60, 15, "Luật mới", later()), actor=office.security)
    assert history.period(Level.MAT, later()) == right
    assert Action.PROTECTION_WITHDRAW in SYNCHRONOUS
    right.pk = None
    with transaction.atomic(), pytest.raises(IntegrityError):  # one that stands has its day alone
        right.save(force_insert=True)


def test_the_oldest_period_of_a_level_counts_before_its_day_and_is_replaced_before_it_is_withdrawn(
    office, mistaken, make_record
):
    ProtectionPeriod.objects.filter(level=Level.MAT).exclude(pk=mistaken.pk).delete()
    decided = history.latest(make_record(level=Level.MAT))
    assert decided.protected_until is not None
    with pytest.raises(withdrawing.CountsAlready):
        of_protection(office, mistaken)
    right = periods.add(Term(Level.MAT, 15, 60, 15, "Luật mới", later(0)), actor=office.security)
    of_protection(office, mistaken)
    assert history.period(Level.MAT, later(100)) == history.period(Level.MAT, later(-100)) == right
    assert history.latest(decided.record) == decided


def test_the_days_of_a_withdrawn_period_bring_no_end_of_protection_near(office, make_record):
    borne_out()
    make_record(level=Level.MAT)
    wrong = periods.add(Term(Level.MAT, 1, 9_000, 15, "Luật mới", later()), actor=office.security)
    assert lists.endings(office.leader)
    of_protection(office, wrong)
    assert lists.endings(office.leader) == []


def test_no_period_is_written_between_two_or_before_one_that_has_begun(office, mistaken):
    for day in (later(5), later(10)):
        with pytest.raises(periods.StartsTooEarly):
            periods.add(Term(Level.MAT, 15, 60, 15, "Luật mới", day), actor=office.security)


@pytest.mark.parametrize("name", ["clerk", "leader", "staff", "auditor", "admin"])
def test_neither_is_withdrawn_by_another_post_or_without_a_reason(office, wrong, mistaken, name):
    with pytest.raises(Forbidden):
        of_retention(office, wrong, who=name)
    with pytest.raises(Forbidden):
        of_protection(office, mistaken, who=name)
    with pytest.raises(withdrawing.WithoutReason):
        of_retention(office, wrong, reason=" ")
    with pytest.raises(withdrawing.WithoutReason):
        of_protection(office, mistaken, reason=" ")


def test_an_edit_of_a_withdrawn_row_is_named(office, wrong, mistaken):
    of_retention(office, wrong)
    of_protection(office, mistaken)
    RetentionRule.objects.filter(pk=wrong.pk).update(valid_to=None)
    ProtectionPeriod.objects.filter(pk=mistaken.pk).update(valid_to=None)
    assert faults("retentionrule") == ["retentionrule KH: changed past the office (valid_to)"]
    assert faults("protectionperiod") == [f"protectionperiod {mistaken.pk}: changed past the office (valid_to)"]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_one_withdrawn_twice_at_once_is_withdrawn_once(office, rule):
    wrong = fileplan.change_period(rule, period(2, later()), actor=office.archivist)
    gave = at_once(*[lambda: of_retention(office, RetentionRule.objects.get(pk=wrong.pk))] * 2)
    assert sum(isinstance(each, RetentionRule) for each in gave) == 1
    assert AuditEntry.objects.filter(action=Action.PERIOD_WITHDRAW).count() == 1


# --- pages ----------------------------------------------------------------------------------------------------------


def test_a_version_is_withdrawn_by_the_button_on_the_page_of_its_period(office, rule, wrong, signed_in):
    browser = signed_in("archivist")
    address = f"/plan/periods/{rule.pk}/"
    assert "Rút thời hạn này" in browser.get(address).content.decode()
    assert browser.post(address, {"act": "withdraw", "reason": ""}).status_code == 422
    assert browser.post(address, {"act": "withdraw", "reason": WHY}).status_code == 302
    page = browser.get(address).content.decode()
    assert "Rút thời hạn này" not in page
    assert "đã rút" in page
    assert browser.post(address, {"act": "withdraw", "reason": WHY}).status_code == 422
    assert browser.get("/plan/").status_code == 200
    assert AuditEntry.objects.filter(action=Action.PERIOD_WITHDRAW).count() == 1


def test_a_closed_line_whose_only_period_was_withdrawn_is_shown(office, signed_in):
    alone = fileplan.add_period("MOI", period(3, later()), actor=office.archivist)
    row = fileplan.add_line(Line(later(0).year, "09", "Khác", alone), basis="QĐ 1", actor=office.archivist)
    fileplan.close_line(row, reason="x", actor=office.archivist)
    of_retention(office, alone)
    browser = signed_in("archivist")
    assert "đã rút" in browser.get("/plan/").content.decode()
    for address in (f"/plan/{row.pk}/", f"/plan/periods/{alone.pk}/"):
        assert browser.get(address).status_code == 200


def test_a_protection_period_is_withdrawn_by_the_button_on_its_page(office, mistaken, signed_in):
    browser = signed_in("security")
    in_force = ProtectionPeriod.objects.filter(level=Level.MAT).exclude(pk=mistaken.pk).last()
    form = {"act": "withdraw", "period": mistaken.pk, "reason": WHY}
    assert browser.post("/protection/", form | {"period": in_force.pk}).status_code == 422
    assert browser.post("/protection/", form).status_code == 302
    page = browser.get("/protection/").content.decode()
    assert "đã rút" in page
    assert 'value="withdraw"' not in page
    assert browser.post("/protection/", form).status_code == 422
