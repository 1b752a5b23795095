"""Protection periods: a new dated row by the security officer; nothing written is changed or replaced."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from archive import digests, sequencing
from archive.leveling import history, periods
from archive.leveling.periods import Term
from archive.models import AuditEntry, ProtectionPeriod
from archive.rules.errors import Forbidden
from archive.rules.levels import Level
from archive.rules.roles import SYNCHRONOUS, Action
from archive.tests.test_overtaken import at_once, no_heads  # noqa: F401 - a fixture

EVERYBODY = ("clerk", "leader", "staff", "archivist", "auditor", "security", "admin", "stranger")


def today():
    return timezone.localdate()


def term(level=Level.MAT, *, since=None, **more):
    given = {"years": 15, "extend_days": 60, "notice_days": 15, "basis": "Luật mới"}
    return Term(level=level, valid_from=since or today(), **given | more)


def test_a_new_row_holds_from_its_day_and_the_old_one_stays(office):
    before = list(ProtectionPeriod.objects.order_by("pk").values())
    later = today() + timedelta(days=10)
    periods.add(term(since=later), actor=office.security)
    assert history.period(Level.MAT, today()).years == 10
    assert history.period(Level.MAT, later).years == 15
    assert history.period(Level.TOI_MAT, later).years == 20
    assert list(ProtectionPeriod.objects.order_by("pk").values())[: len(before)] == before


def test_what_was_determined_before_is_protected_as_it_was(office, make_record):
    record = make_record(level=Level.MAT, issued_date=date(2026, 5, 4))
    ends = history.latest(record).protected_until
    periods.add(term(years=1), actor=office.security)
    assert history.latest(record).protected_until == ends == date(2036, 5, 3)
    assert history.end_of_period(Level.MAT, date(2026, 5, 4)) == ends


@pytest.mark.parametrize("days", [-1, 367])
def test_a_row_begins_today_or_within_a_year(office, days):
    with pytest.raises(periods.StartsTooEarly):
        periods.add(term(since=today() + timedelta(days=days)), actor=office.security)


def test_a_row_begins_after_the_last_one_of_its_level(office):
    periods.add(term(since=today() + timedelta(days=5)), actor=office.security)
    for days in (0, 5):
        with pytest.raises(periods.StartsTooEarly):
            periods.add(term(since=today() + timedelta(days=days)), actor=office.security)
    periods.add(term(Level.TOI_MAT), actor=office.security)


@pytest.mark.parametrize(
    "wrong", [{"level": Level.THUONG}, {"years": 0}, {"extend_days": 0}, {"notice_days": 0}, {"basis": " "}]
)
def test_a_row_without_level_figures_or_text_is_refused(office, wrong):
    with pytest.raises(periods.PeriodIncomplete):
        periods.add(term(**wrong), actor=office.security)


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "security"])
def test_nobody_who_sees_or_decides_about_a_secret_says_how_long_it_is_one(office, name):
    with pytest.raises(Forbidden):
        periods.add(term(), actor=getattr(office, name))


def test_the_act_leaves_a_signed_entry_and_a_row_that_the_log_bears_out(office):
    row = periods.add(term(), actor=office.security)
    sequencing.place_all()
    assert Action.PROTECTION_ADD in SYNCHRONOUS
    assert [entry.action for entry in AuditEntry.objects.order_by("leaf__idx")][1:] == ["protection.add"]
    assert list(digests.faults()) == []
    ProtectionPeriod.objects.filter(pk=row.pk).update(valid_to=today())
    assert [str(fault) for fault in digests.faults()] == [
        f"protectionperiod {row.pk}: changed past the office (valid_to)"
    ]


@pytest.mark.engine
@pytest.mark.usefixtures("postgresql", "no_heads")
@pytest.mark.django_db(transaction=True)
def test_one_day_given_twice_at_once_is_one_row(office):
    gave = at_once(*[lambda: periods.add(term(), actor=office.security)] * 2)
    assert sorted(type(each).__name__ for each in gave) == ["ProtectionPeriod", "StartsTooEarly"]


# --- the page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_page_opens_to_the_security_officer(office, signed_in, name):
    browser = signed_in(name)
    assert browser.get("/protection/").status_code == (200 if name == "security" else 403)
    assert browser.post("/protection/", {"act": "nothing"}).status_code == (422 if name == "security" else 403)


def test_a_period_is_added_on_the_page(office, signed_in):
    browser = signed_in("security")
    form = {"act": "add", "level": "1", "years": "12", "extend_days": "60", "notice_days": "15", "basis": "Luật mới"}
    since = {"valid_from": f"{today():%d/%m/%Y}"}
    assert browser.post("/protection/", form | since | {"level": "0"}).status_code == 422
    assert browser.post("/protection/", form | since).status_code == 302
    again = browser.post("/protection/", form | since)
    assert again.status_code == 422
    assert "trong vòng một năm" in again.content.decode()
    assert AuditEntry.objects.filter(outcome="denied", action="archive:protection").count() == 1
    page = browser.get("/protection/").content.decode()
    assert "12 năm" in page
    assert "10 năm" in page
    assert AuditEntry.objects.filter(action="protection.read").exists()


def test_a_new_period_asks_for_a_fresh_proof(office, signed_in):
    browser = signed_in("security")
    session = browser.session
    session["proved_at"] = 0.0
    session.save()
    assert "proof_password" in browser.post("/protection/", {"act": "add", "years": "1"}).content.decode()
