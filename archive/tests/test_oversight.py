"""What the auditor is shown: the log added up, what stands out of it, who saw a dispatch, kept filters."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from archive import audit, findings, notable, sequencing, tallies
from archive.models import AuditEntry, FirstAct, Holiday, KeptLogFilter, Person, Tally, TallyPlace
from archive.notable import Kind
from archive.rules.levels import Level
from archive.rules.officehours import Hours, closed_spans, outside
from archive.rules.roles import Action
from archive.rules.workdays import ORDINARY, Calendar

HOURS = Hours(7, 18)
FRIDAY = date(2026, 11, 20)


def at(day, hour):
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)


@pytest.fixture
def did(office, monkeypatch):
    """Return how to write an entry of a person at a local day and hour."""

    def act(who, action, day, hour=9, level=0, outcome="ok"):
        moment = timezone.make_aware(at(day, hour))
        monkeypatch.setattr(audit.timezone, "now", lambda: moment)
        with transaction.atomic():
            subject = audit.Subject("record", f"k{day:%m%d}{hour}", level=level)
            audit._append(action, actor=getattr(office, who), subject=subject, outcome=outcome, reason="", details=None)
        monkeypatch.undo()
        sequencing.place_all()

    return act


@pytest.fixture
def day_of(office):
    """Return how to put a person's day among the counts."""

    def put(who, day, handled=0, refused=0, hour=9):
        by_hour = [0] * 24
        by_hour[hour] = handled
        row = Tally(
            day=day,
            person=getattr(office, who),
            acts=handled + refused,
            refused=refused,
            handled=handled,
            handled_by_hour=by_hour,
        )
        row.sum_up()
        row.save()

    return put


def kinds(since, until):
    return {(one.kind, one.person, one.count) for one in notable.notable(since, until)}


# --- hours --------------------------------------------------------------------------------------------------


def test_nights_days_of_rest_and_holidays_are_one_span_where_they_touch():
    spans = closed_spans(FRIDAY, FRIDAY + timedelta(days=4), HOURS, Calendar(free={FRIDAY + timedelta(days=3)}))
    assert spans == [
        (at(FRIDAY, 0), at(FRIDAY, 7)),
        (at(FRIDAY, 18), at(FRIDAY + timedelta(days=4), 7)),
        (at(FRIDAY + timedelta(days=4), 18), at(FRIDAY + timedelta(days=5), 0)),
    ]


def test_what_lies_outside_the_hours_is_all_of_a_day_of_rest():
    by_hour = [1] * 24
    assert outside(by_hour, FRIDAY, HOURS, ORDINARY) == 13
    assert outside(by_hour, FRIDAY + timedelta(days=1), HOURS, ORDINARY) == 24
    assert outside(by_hour, FRIDAY, HOURS, Calendar(free={FRIDAY})) == 24


# --- adding up ----------------------------------------------------------------------------------------------


def test_every_entry_is_counted_once_and_a_recount_says_the_same(did, office):
    did("clerk", Action.RECORD_READ, FRIDAY, 9)
    did("clerk", Action.RECORD_READ, FRIDAY, 23)
    did("clerk", Action.RECORD_READ, FRIDAY, 9, outcome="denied")
    did("staff", Action.RECORD_PRINT, FRIDAY, 10, level=1)
    while tallies.catch_up(limit=1):
        continue
    rows = {
        row.person_id: (row.acts, row.refused, row.handled, row.handled_by_hour[9], row.handled_by_hour[23])
        for row in Tally.objects.filter(day=FRIDAY)
    }
    assert rows == {office.clerk.pk: (3, 1, 2, 1, 1), office.staff.pk: (1, 0, 1, 0, 0)}
    assert FirstAct.objects.filter(person=office.staff, action=Action.RECORD_PRINT, level=1).count() == 1
    before = list(Tally.objects.order_by("day", "person_id").values_list("day", "person_id", "acts", "handled_by_hour"))
    tallies.recount()
    assert (
        list(Tally.objects.order_by("day", "person_id").values_list("day", "person_id", "acts", "handled_by_hour"))
        == before
    )
    assert tallies.catch_up() == 0


def test_counts_and_their_place_change_together(did, monkeypatch):
    did("clerk", Action.RECORD_READ, FRIDAY)
    monkeypatch.setattr(TallyPlace, "save", lambda *_args, **_named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tallies.catch_up()
    assert not Tally.objects.exists()


# --- what stands out ----------------------------------------------------------------------------------------


def test_a_day_is_held_against_the_persons_own_days(day_of, office):
    for back in range(1, 11):
        day_of("clerk", FRIDAY - timedelta(days=back), handled=20)
        day_of("staff", FRIDAY - timedelta(days=back), handled=4)
    day_of("clerk", FRIDAY, handled=29)
    day_of("staff", FRIDAY, handled=21)
    found = [one for one in notable.notable(FRIDAY, FRIDAY) if one.kind is Kind.VOLUME]
    assert [(one.person, one.count, one.usual) for one in found] == [(str(office.staff), 21, 4.0)]


def test_who_has_no_habit_yet_is_held_against_none(day_of):
    for back in range(1, 5):
        day_of("staff", FRIDAY - timedelta(days=back), handled=1)
    day_of("staff", FRIDAY, handled=29)
    assert kinds(FRIDAY, FRIDAY) == set()


def test_many_in_one_hour_at_night_and_many_refusals_are_told(day_of, office):
    day_of("clerk", FRIDAY, handled=30)
    day_of("staff", FRIDAY, handled=2, hour=2)
    day_of("leader", FRIDAY, refused=5)
    day_of("archivist", FRIDAY, handled=29, refused=4)
    assert kinds(FRIDAY, FRIDAY) == {
        (Kind.BULK, str(office.clerk), 30),
        (Kind.OUTSIDE, str(office.staff), 2),
        (Kind.REFUSED, str(office.leader), 5),
    }


def test_a_holiday_is_out_of_hours(day_of, office):
    day_of("clerk", FRIDAY, handled=1)
    Holiday.objects.create(day=FRIDAY, name="Nghỉ bù")
    assert kinds(FRIDAY, FRIDAY) == {(Kind.OUTSIDE, str(office.clerk), 1)}


def test_a_day_worked_instead_has_the_hours_of_any_other(day_of, office):
    day_of("clerk", FRIDAY + timedelta(days=1), handled=1)
    assert kinds(FRIDAY, FRIDAY + timedelta(days=1)) == {(Kind.OUTSIDE, str(office.clerk), 1)}
    Holiday.objects.create(day=FRIDAY + timedelta(days=1), name="Làm bù", is_worked=True)
    assert kinds(FRIDAY, FRIDAY + timedelta(days=1)) == set()
    Holiday.objects.update(taken_back_at=timezone.now())
    assert len(kinds(FRIDAY, FRIDAY + timedelta(days=1))) == 1


def test_a_first_time_is_told_after_the_first_week(did, office):
    did("clerk", Action.SIGN_IN, FRIDAY - timedelta(days=20))
    did("clerk", Action.RECORD_ORIGINAL, FRIDAY, level=1)
    did("staff", Action.SIGN_IN, FRIDAY - timedelta(days=2))
    did("staff", Action.RECORD_ORIGINAL, FRIDAY, level=1)
    tallies.sweep()
    found = [(one.person, one.action, one.level) for one in notable.notable(FRIDAY, FRIDAY) if one.kind is Kind.FIRST]
    assert found == [(str(office.clerk), Action.RECORD_ORIGINAL, 1)]


def test_the_first_opening_of_a_classified_dispatch_is_told_once_and_of_an_unclassified_one_never(did, office):
    did("clerk", Action.SIGN_IN, FRIDAY - timedelta(days=20))
    did("clerk", Action.RECORD_PAGE, FRIDAY - timedelta(days=9), level=1)
    did("clerk", Action.RECORD_READ, FRIDAY, 8, level=0)
    did("clerk", Action.RECORD_READ, FRIDAY, 9, level=1)  # opened before, by a page
    did("clerk", Action.RECORD_READ, FRIDAY, 10, level=2)
    did("clerk", Action.RECORD_PAGE, FRIDAY, 11, level=2)
    did("clerk", Action.RECORD_TEXT, FRIDAY, 12, level=3, outcome="denied")
    tallies.sweep()
    found = [one for one in notable.notable(FRIDAY, FRIDAY) if one.kind is Kind.FIRST]
    assert [(one.person, one.action, one.level) for one in found] == [(str(office.clerk), Action.RECORD_READ, 2)]
    rows = list(findings.behind(found, size=100))
    assert [(entry.action, entry.level) for entry, _why in rows] == [(Action.RECORD_READ, 2)]


def test_of_one_kind_the_newest_hundred_are_shown_and_that_there_are_more_is_said(office, signed_in):
    today = timezone.localdate()
    people = [
        Person.objects.create(username=f"p{each}", full_name=f"Người {each}", unit=office.clerk.unit)
        for each in range(3)
    ]
    for back in range(40):
        for person in people:
            row = Tally(day=today - timedelta(days=back), person=person, acts=5, refused=5)
            row.sum_up()
            row.save()
    page = signed_in("auditor").get("/log/unusual/", {"days": "90"})
    refused = next(group for group in page.context["kinds"] if group["kind"] is Kind.REFUSED)
    assert (len(refused["rows"]), refused["more"]) == (100, True)
    assert refused["rows"][0]["it"].day == today
    assert sum(bar.refused for bar in page.context["chart"].bars) == 40 * 3 * 5


def test_the_log_is_drawn_by_the_hour_without_a_script(did, signed_in):
    did("clerk", Action.RECORD_READ, FRIDAY, 9)
    did("clerk", Action.RECORD_READ, FRIDAY, 9, outcome="denied")
    page = signed_in("auditor").get("/log/", {"since": FRIDAY, "until": FRIDAY})
    chart = page.context["chart"]
    assert [(bar.done, bar.refused) for bar in chart.bars if bar.done or bar.refused] == [(1, 1)]
    assert "9:00–10:00" in chart.said
    assert 'class="hist"' in page.content.decode()
    assert "<script" not in page.content.decode().partition('class="hist"')[2].partition("</section>")[0]


def test_a_failed_attempt_stands_among_the_refusals(office, client, signed_in):
    client.post("/sign-in/", {"username": "clerk", "password": "wrong"})
    rows = signed_in("auditor").get("/log/refused/").context["rows"]
    assert [row["action"] for row in rows] == [Action.SIGN_IN_FAILED]


def test_a_long_detail_can_be_read_whole(office, signed_in):
    with transaction.atomic():
        audit.write(Action.SETTINGS, actor=None, details={"changed": {f"VANKHO_{each}": "x" * 20 for each in range(9)}})
    assert "VANKHO_8" in signed_in("auditor").get("/log/", {"action": "system.settings"}).content.decode()


# --- pages --------------------------------------------------------------------------------------------------


def test_who_saw_a_dispatch_is_told_in_one_look(office, make_record, signed_in):
    record = make_record(level=Level.MAT, code_number="71", code_notation="KH-BCH")
    signed_in("clerk").get(f"/records/{record.key}/")
    signed_in("clerk").get(f"/records/{record.key}/")
    signed_in("stranger").get(f"/records/{record.key}/")
    page = signed_in("auditor").get("/log/who/", {"record": "71/KH-BCH"})
    seen = {one.person: one for one in page.context["seers"]}
    assert seen[str(office.clerk)].acts[Action.RECORD_READ] == 2
    page = signed_in("auditor").get("/log/who/", {"record": record.key})
    refused = {one.person: one.refused for one in page.context["seers"]}
    assert refused[str(office.stranger)] == 1
    assert AuditEntry.objects.filter(actor=office.auditor, action=Action.LOG_READ).count() == 2


def test_what_a_person_saw_is_told_once_for_each_dispatch_and_taken_out_signed(office, make_record, signed_in):
    record, other = make_record(level=Level.MAT, code_number="71", code_notation="KH-BCH"), make_record()
    clerk = signed_in("clerk")
    for _ in range(2):
        clerk.get(f"/records/{record.key}/")
    given = {"first": 1, "last": 1, "ordinal": 1, "reason": "Đóng quyển"}
    clerk.post(f"/registers/{office.secret_incoming.pk}/print/", given)
    signed_in("leader").get(f"/records/{other.key}/")
    signed_in("stranger").get(f"/records/{record.key}/")
    auditor = signed_in("auditor")
    page = auditor.get("/log/seen/", {"person": office.clerk.pk})
    looks = {one.name or one.key: (one.acts, one.level) for one in page.context["looks"]}
    assert looks["71/KH-BCH"] == ({Action.RECORD_READ: 2, Action.REGISTER_PRINT: 1}, Level.MAT)
    assert [acts for name, (acts, _level) in looks.items() if name != "71/KH-BCH"] == [{Action.REGISTER_PRINT: 1}]
    assert auditor.get("/log/seen/", {"person": office.stranger.pk}).context["looks"] == []  # refused is not seen
    rows = auditor.get("/log/?" + page.context["query"]).context["rows"]
    assert [row["action"] for row in rows] == [Action.REGISTER_PRINT] * 2 + [Action.RECORD_READ] * 2
    assert f"/log/export.csv?{page.context['query']}".replace("&", "&amp;") in page.content.decode()


def test_what_a_person_saw_is_looked_for_in_the_days_given_and_in_the_last_month_otherwise(did, office, signed_in):
    today, ask = timezone.localdate(), signed_in("auditor").get
    did("clerk", Action.RECORD_PAGE, today - timedelta(days=20))
    did("clerk", Action.RECORD_READ, today - timedelta(days=40))
    did("clerk", Action.SEARCH_RUN, today - timedelta(days=20))

    def seen(**asked):
        return [one.acts for one in ask("/log/seen/", {"person": office.clerk.pk, **asked}).context["looks"]]

    assert seen() == [{Action.RECORD_PAGE: 1}]
    assert seen(until=today - timedelta(days=30)) == [{Action.RECORD_READ: 1}]
    assert ask("/log/seen/", {"person": "0"}).context["looks"] == []


@pytest.mark.parametrize(
    "address", ["/log/", "/log/seen/", "/log/who/", "/log/unusual/", "/log/outside/", "/log/refused/"]
)
def test_only_the_auditor_reads_and_every_look_is_written(office, signed_in, address):
    assert signed_in("auditor").get(address).status_code == 200
    assert AuditEntry.objects.filter(actor=office.auditor, action=Action.LOG_READ).count() == 1
    for role in ("clerk", "leader", "staff", "archivist", "admin"):
        assert signed_in(role).get(address).status_code in {403, 404}


def test_the_log_narrows_to_a_unit_a_level_and_the_hours(did, office, signed_in):
    today = timezone.localdate()
    friday = today - timedelta(days=(today.weekday() - 4) % 7 or 7)
    did("clerk", Action.RECORD_READ, friday, 9, level=1)
    did("clerk", Action.RECORD_PRINT, friday, 23)
    did("stranger", Action.RECORD_READ, friday, 23)
    ask = signed_in("auditor").get

    def acts(**asked):
        rows = ask("/log/", {"since": friday, "until": friday, **asked}).context["rows"]
        return {(row["person"], row["action"]) for row in rows}

    clerk, stranger = str(office.clerk), str(office.stranger)
    assert acts(level="1") == {(clerk, Action.RECORD_READ)}
    assert acts(hours="outside") == {(clerk, Action.RECORD_PRINT), (stranger, Action.RECORD_READ)}
    assert {row["person"] for row in ask("/log/outside/", {"since": friday}).context["rows"]} >= {clerk, stranger}
    assert acts(unit=office.stranger.unit_id) == {(stranger, Action.RECORD_READ)}
    assert ask("/log/", {"unit": office.stranger.unit_id}).context["form"].is_narrowed
    wrong = ask("/log/", {"since": "99/99", "person": office.stranger.pk})
    assert {row["person"] for row in wrong.context["rows"]} == {stranger}  # the rest of the question still narrows
    assert "Ghi ngày theo dạng" in wrong.content.decode()


def test_a_kept_filter_is_its_owners_and_both_acts_are_written(office, signed_in):
    browser = signed_in("auditor")
    browser.post("/log/keep/", {"name": "Bị từ chối", "asked": "outcome=denied"})
    kept = KeptLogFilter.objects.get()
    assert "Bị từ chối" in browser.get("/log/").content.decode()
    assert signed_in("clerk").post(f"/log/drop/{kept.pk}/").status_code in {403, 404}
    browser.post("/log/keep/", {"name": "", "asked": "outcome=denied"})
    assert KeptLogFilter.objects.count() == 1
    browser.post(f"/log/drop/{kept.pk}/")
    assert not KeptLogFilter.objects.exists()
    assert AuditEntry.objects.filter(action=Action.LOG_KEEP, actor=office.auditor).count() == 2
