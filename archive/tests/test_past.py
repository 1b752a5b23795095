"""Why on a past day: what the policy said at that moment is told from the digests, and what they do not tell is not guessed."""

import random
import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import access, audit, clearing, explaining, routing
from archive.models import (
    AuditEntry,
    Clearance,
    ClearanceMark,
    Grant,
    Mark,
    MarkGroup,
    Person,
    PersonRole,
    Record,
    Step,
    Unit,
    UnitScope,
)
from archive.routing import Task
from archive.rules.levels import Level
from archive.rules.roles import Action, Role
from archive.rules.steps import Kind
from config.tests.office import LONG_AGO, borne_out, fence_lifted, told_long_ago

READ = Action.RECORD_READ
NAMES = ("clerk", "leader", "staff", "archivist", "stranger")


def done(*rows):
    """End an act that changed these rows."""
    audit.write(Action.UNIT_CHANGE, actor=None, rows=rows)


@pytest.fixture
def held(office):
    """Two marks that the leader and the clerk hold; everybody lies under digests."""
    group = MarkGroup.objects.create(name="K", rule="all")
    marks = [Mark.objects.create(group=group, name=name) for name in ("K1", "K2")]
    for person in (office.leader, office.clerk):
        cleared = Clearance.objects.get(person=person)
        ClearanceMark.objects.bulk_create(ClearanceMark(clearance=cleared, mark=mark) for mark in marks)
    borne_out()
    return marks


# --- what people do in an office, each act with its entry ---------------------------------------------------------


def marked(office, dice, records, marks):
    wanted = [mark for mark in marks if dice.random() < 0.5]
    clearing.mark(dice.choice(records), marks=wanted, reason="x", actor=office.leader)


def raised(office, dice, records, _marks):
    record = dice.choice(records)
    record.level = dice.choice((0, 1, 2))
    record.save(update_fields=["level"])
    access.derive(record)
    audit.write(Action.RECORD_LEVEL, actor=office.leader, subject=record)


def moved_record(office, dice, records, _marks):
    record = dice.choice(records)
    record.unit = dice.choice((office.command, office.registry, office.staff_unit, office.other_unit))
    record.save(update_fields=["unit"])
    access.derive(record)
    audit.write(Action.RECORD_REGISTER, actor=office.clerk, subject=record)


def closed(office, dice, _records, _marks):
    person = getattr(office, dice.choice(NAMES))
    person.is_active = dice.random() < 0.5
    person.save(update_fields=["is_active"])
    done(person)


def moved_unit(office, dice, _records, _marks):
    unit, above = dice.sample([office.registry, office.staff_unit, office.other_unit], 2)
    if above.path.startswith(unit.path):
        above = office.command
    unit.refresh_from_db()
    unit.parent = dice.choice((above, office.command))
    begin = unit.path
    unit.save(update_fields=["parent"])
    unit.parent.refresh_from_db()
    for each in Unit.objects.filter(path__startswith=begin).order_by("path"):
        each.path = f"{unit.parent.path}{unit.pk}/{each.path.removeprefix(begin)}"
        each.save(update_fields=["path"])
    for each in (office.command, office.registry, office.staff_unit, office.other_unit):
        each.refresh_from_db()
    done(*Unit.objects.all())


def opened(office, dice, records, _marks):
    Grant.objects.filter(ended_at=None).update(ended_at=timezone.now())
    for record in records:
        access.derive(record)
    record = dice.choice(records)
    if dice.random() < 0.7:
        Grant.objects.create(
            record=record, person=office.stranger, since=timezone.now(),
            until=timezone.now() + timedelta(days=9), reason="x", granted_by=office.leader,
        )  # fmt: skip
        access.derive(record)


def stepped(office, dice, records, _marks):
    step = Step.objects.filter(record=dice.choice(records)).order_by("?").first()
    if step is None:
        return
    step.state = dice.choice(("open", "received", "answered", "done", "returned"))
    step.closed_at = timezone.now() if step.state in {"done", "returned"} else None
    step.note, step.answer = "Lý do", "Đã làm"
    step.save(update_fields=["state", "closed_at", "note", "answer"])
    access.derive(step.record)
    audit.write(Action.STEP_END, actor=office.clerk, subject=step)


def scoped(office, dice, _records, _marks):
    UnitScope.objects.filter(person=office.staff, until=None).update(until=timezone.now())
    unit = dice.choice((office.command, office.registry, office.staff_unit, office.other_unit))
    given = UnitScope.objects.create(person=office.staff, unit=unit, since=timezone.now())
    audit.write(Action.UNIT_CHANGE, actor=None, made=[given])


ACTS = (marked, raised, moved_record, closed, moved_unit, opened, stepped, scoped)


@pytest.mark.parametrize("seed", range(6))
def test_why_on_a_past_day_says_what_the_policy_said_then(office, make_record, make_draft, held, seed):
    dice = random.Random(seed)
    records = [make_record(), make_record(level=Level.MAT), make_draft()]
    for record in records[:2]:
        routing.forward(record, Task(office.leader, Kind.DIRECT), actor=office.clerk)
        routing.forward(record, Task(office.staff_unit, Kind.COOPERATE), actor=office.clerk)
    said = []
    for _turn in range(25):
        for record in records:
            record.refresh_from_db()
        with transaction.atomic():
            try:
                dice.choice(ACTS)(office, dice, records, held)
            except access.Hidden:  # the leader has no door just now
                continue
        people = [Person.objects.get(username=name) for name in NAMES]
        verdicts = [access.may(person, READ, record).allowed for person in people for record in records]
        said.append((timezone.now(), verdicts))
    assert {verdict for _at, verdicts in said for verdict in verdicts} == {True, False}
    people = [Person.objects.get(username=name) for name in NAMES]
    for record in records:
        record.refresh_from_db()
    for at, verdicts in said:
        told = [explaining.why(person, record, at=at).allowed for person in people for record in records]
        assert told == verdicts, at


# --- what is not known ----------------------------------------------------------------------------------------


def test_a_mark_that_was_lifted_later_still_closes_the_past_day(office, make_record, held):
    record = make_record()
    clearing.mark(record, marks=held, reason="Kế hoạch", actor=office.leader)
    marked_at = timezone.now()
    clearing.mark(record, marks=[], reason="Đã công khai", actor=office.leader)
    record.refresh_from_db()
    assert explaining.why(office.archivist, record).allowed is True
    answer = explaining.why(office.archivist, record, at=marked_at)
    assert answer.allowed is False
    assert "K1, K2" in answer.conditions[3].said


def test_an_account_closed_today_could_open_it_yesterday(office, make_record, held):
    record = make_record()
    told_long_ago()
    record.refresh_from_db()
    office.archivist.is_active = False
    office.archivist.save()
    with transaction.atomic():
        done(office.archivist)
    assert explaining.why(office.archivist, record).allowed is False
    assert explaining.why(office.archivist, record, at=timezone.now() - timedelta(days=1)).allowed is True


def test_before_the_first_digest_of_an_adopted_row_no_verdict_is_given(office, make_record):
    record = make_record()
    told_long_ago()
    record.refresh_from_db()
    adopted = Person.objects.create(username="old", full_name="Người cũ", unit=office.command)
    PersonRole.objects.create(person=adopted, role=Role.ARCHIVIST, since=LONG_AGO)
    UnitScope.objects.create(person=adopted, unit=office.command, since=LONG_AGO)
    with transaction.atomic():
        audit.write(Action.ROWS_ADOPT, actor=office.security, made=[adopted])
    answer = explaining.why(adopted, record, at=timezone.now() - timedelta(days=1))
    assert answer.allowed is None
    assert answer.conditions[0].is_met is None
    assert f"{timezone.localdate():%d/%m/%Y}" in answer.conditions[0].said
    PersonRole.objects.filter(person=adopted).update(since=timezone.now())
    answer = explaining.why(adopted, record, at=timezone.now() - timedelta(days=1))
    assert answer.allowed is False, "one condition that is known not to have been met is enough"


def test_nobody_could_open_what_had_not_come_in_and_no_account_that_was_not_made(office, make_record, held):
    record = make_record()
    day_before = timezone.now() - timedelta(days=1)
    answer = explaining.why(office.clerk, record, at=day_before)
    assert (answer.allowed, len(answer.conditions)) == (False, 1)
    told_long_ago()
    record.refresh_from_db()
    new = Person.objects.create(username="new", full_name="Người mới", unit=office.command)
    with transaction.atomic():
        audit.write(Action.PERSON_CHANGE, actor=office.admin, subject=new, made=[new])
    answer = explaining.why(new, record, at=day_before)
    assert (answer.allowed, answer.conditions[0].is_met) == (False, False)


def test_the_page_of_a_past_day_asks_few_questions(office, make_record, signed_in):
    record = make_record()
    routing.forward(record, Task(office.leader, Kind.DIRECT), actor=office.clerk)
    told_long_ago()
    day = timezone.localdate() - timedelta(days=2)
    browser, asked = signed_in("leader"), {"person": office.archivist.pk, "on": f"{day:%Y-%m-%d}"}
    with CaptureQueriesContext(connection) as captured:
        page = browser.get(f"/records/{record.key}/why/", asked)
    assert "Lúc đó mở được văn bản này" in page.content.decode()
    told = [one["sql"] for one in captured.captured_queries]
    assert len([sql for sql in told if "archive_auditrow" in sql and sql.startswith("SELECT")]) <= 5, told


def test_the_page_says_not_known_instead_of_a_verdict(office, make_record, signed_in):
    record = make_record()
    Record.objects.update(created_at=LONG_AGO)
    with fence_lifted():
        AuditEntry.objects.update(action=Action.ROWS_ADOPT)
    day = timezone.localdate() - timedelta(days=2)
    asked = {"person": office.archivist.pk, "on": f"{day:%Y-%m-%d}"}
    page = signed_in("leader").get(f"/records/{record.key}/why/", asked).content.decode()
    text = re.sub(r"<[^>]+>", " ", page)
    assert "Không rõ lúc đó có mở được văn bản này hay không" in text
    assert "Lúc đó không mở được" not in text
    assert "Chưa rõ cho ngày đó" in text
