"""Persons, the tree of units and steps lie under digests: acts leave them in order, an edit past the office is named."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from archive import access, accounts, audit, digests, knowing, second_factor
from archive.identity import by_password
from archive.models import Access, AuditRow, Person, SignsInBy, Step, StepKind, Unit
from archive.routing import acts
from archive.routing.moving import Task
from archive.rules.roles import Action, Role
from archive.rules.steps import Kind
from config.tests.office import _person, borne_out

PASSWORD = "mot cau dai de nho 12"


@pytest.fixture(autouse=True)
def helper(office):
    """Somebody in the staff's unit; everybody lies under a digest."""
    helper = _person("helper", Role.STAFF, office.staff_unit, office.staff_unit, None)
    for person in (office.staff, office.admin):
        person.set_password(PASSWORD)
        person.save()
    with transaction.atomic():
        audit.write(Action.PASSWORD, actor=None, rows=[office.staff, office.admin])
    borne_out()
    return helper


@pytest.fixture
def record(make_record):
    return make_record()


def told():
    return [str(fault) for fault in (*digests.faults(), *knowing.faults())]


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_walk_through_every_act_of_a_route_leaves_every_row_in_order(office, record, make_record, helper):
    to_leader = acts.forward(record, Task(office.leader), actor=office.clerk)
    to_leader = acts.receive(to_leader, actor=office.leader)
    direction = acts.Direction("Làm", office.staff_unit, [office.other_unit], due_on=date(2099, 1, 1))
    acts.direct(to_leader, direction, actor=office.leader)
    assert told() == []
    again = acts.take_back(to_leader, actor=office.leader)
    lead, helping = acts.direct(again, direction, actor=office.leader)
    lead = acts.receive(lead, actor=office.staff)
    inner = acts.assign(lead, Task(helper, Kind.LEAD, "Soạn"), actor=office.staff)
    reply = acts.forward(make_record(code_number="9"), Task(office.staff_unit, Kind.INFORM), actor=office.clerk).record
    acts.answer(lead, "Đã làm", actor=office.staff, reply=reply)
    inner.refresh_from_db()
    assert inner.state == "done"
    assert told() == []
    rework = acts.send_back(lead, "Sửa", actor=office.leader)
    acts.assign(rework, Task(helper, Kind.LEAD, "Soạn lại"), actor=office.staff)
    acts.answer(rework, "Đã sửa", actor=office.staff)
    acts.approve(rework, "Được", actor=office.leader)
    helping.refresh_from_db()
    assert helping.state == "done"
    assert told() == []


def test_what_is_returned_withdrawn_or_for_information_leaves_every_row_in_order(office, record, helper):
    direct = acts.forward(record, Task(office.leader), actor=office.clerk)
    (lead,) = acts.direct(direct, acts.Direction("Làm", office.staff_unit), actor=office.leader)
    acts.return_step(lead, "Không phải việc của phòng", actor=office.staff)
    inform = acts.forward(record, Task(office.other_unit, Kind.INFORM), actor=office.clerk)
    acts.receive(inform, actor=office.stranger)
    work = acts.forward(record, Task(office.staff_unit, Kind.COOPERATE), actor=office.clerk)
    acts.assign(work, Task(helper, Kind.COOPERATE), actor=office.staff)
    acts.end(work, "Nhầm", actor=office.clerk)
    assert Step.objects.filter(kind=StepKind.COOPERATE, state="done").count() == 2
    assert told() == []


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("to_person_id = %(stranger)s, to_unit_id = NULL", "to_person_id, to_unit_id"),
        ("from_person_id = %(stranger)s", "from_person_id"),
        ("state = 'received', received_by_id = %(stranger)s", "received_by_id, state"),
        ("kind = 'cooperate'", "kind"),
        ("due_on = '2031-01-01'", "due_on"),
    ],
)
def test_a_step_changed_by_sql_is_named_with_its_columns(office, record, change, column):
    step = acts.forward(record, Task(office.staff_unit, Kind.LEAD), actor=office.clerk)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE archive_step SET {change} WHERE id = %(step)s",  # noqa: S608 - the changes above
            {"step": step.pk, "stranger": office.stranger.pk} if "stranger" in change else {"step": step.pk},
        )
    assert told()[0] == f"step 1 of {record.key}: changed past the office ({column})"


def test_a_step_put_in_by_sql_is_told_even_after_its_receiver_acts_on_it(office, record):
    put_in = Step.objects.create(
        record=record, order=1, kind="lead", from_person=office.leader, to_unit=office.other_unit,
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    access.derive(record)
    acts.answer(put_in, "Đã rõ", actor=office.stranger)
    assert told() == [f"step 1 of {record.key}: no act made this row"]
    assert not AuditRow.objects.filter(kind="step", row_id=put_in.pk).exists()


def test_a_step_that_is_gone_is_told(office, record):
    step = acts.forward(record, Task(office.leader), actor=office.clerk)
    sql("DELETE FROM archive_step WHERE id = %s", step.pk)
    access.derive(record)
    assert told() == [f"step {step.pk}: removed past the office"]


def test_a_receiver_changed_before_an_act_took_the_step_over_is_still_told(office, record):
    step = acts.forward(record, Task(office.staff_unit, Kind.LEAD), actor=office.clerk)
    sql("UPDATE archive_step SET to_unit_id = %s WHERE id = %s", office.other_unit.pk, step.pk)
    access.derive(record)
    acts.receive(step, actor=office.stranger)
    (line,) = told()
    assert line.startswith(f"step 1 of {record.key}: changed past the office before ")
    assert line.endswith("(to_unit_id)")


@pytest.mark.parametrize(
    ("column", "value"),
    [("unit_id", None), ("username", "khac"), ("is_active", False), ("is_service", True), ("full_name", "Khác"),
     ("password", "x"), ("signs_in_by", "ldap"), ("outside_id", "uid=khac"), ("title", "Chỉ huy trưởng")],
)  # fmt: skip
def test_a_person_changed_by_sql_is_named_with_the_column(office, column, value):
    value = office.other_unit.pk if column == "unit_id" else value
    Person.objects.filter(pk=office.staff.pk).update(**{column: value})
    name = value if column == "username" else "staff"
    assert told() == [f"person {name}: changed past the office ({column})"]


def test_a_person_put_in_by_sql_is_told(office):
    Person.objects.create(username="moi", full_name="Người mới", unit=office.command)
    assert told() == ["person moi: no act made this row"]


@pytest.mark.parametrize(("column", "value"), [("parent_id", None), ("path", "/9/"), ("is_active", False)])
def test_a_branch_of_the_tree_moved_by_sql_is_named_with_the_column(office, column, value):
    Unit.objects.filter(pk=office.other_unit.pk).update(
        **{column: value or office.registry.pk if value is None else value}
    )
    assert told() == [f"unit PCT: changed past the office ({column})"]


def test_a_unit_put_in_or_gone_is_told(office):
    Unit.objects.create(code="X", name="Đơn vị lạ", parent=office.command, path=f"{office.command.path}999/")
    assert told() == ["unit X: no act made this row"]
    sql("DELETE FROM archive_unit WHERE code = 'X'")
    Person.objects.filter(unit=office.other_unit).update(unit=office.command)
    assert "person stranger: changed past the office (unit_id)" in told()


def test_signing_in_proving_and_signing_out_leave_a_person_in_order(office, client):
    client.post("/sign-in/", {"username": "staff", "password": PASSWORD})
    office.staff.refresh_from_db()
    assert office.staff.last_login is not None
    second_factor.prove_again(office.staff, lambda: True, "")
    client.post("/sign-out/")
    assert told() == []


def test_the_page_of_the_password_leaves_a_person_in_order(office, signed_in):
    new = "mot cau khac cung dai 34"
    answer = signed_in("staff").post(
        "/account/password/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert answer.status_code == 302
    assert by_password("staff", new) is not None
    assert told() == []


def test_a_password_hashed_by_weaker_rules_is_hashed_anew_by_an_act(office, settings):
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    given = office.staff
    given.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    given.save()
    with transaction.atomic():
        audit.write(Action.PASSWORD, actor=given, subject=given, rows=[given])
    assert given.check_password(PASSWORD)
    assert Person.objects.get(pk=given.pk).password == given.password
    entered = by_password("staff", PASSWORD)
    assert entered.password.startswith("argon2")
    assert Person.objects.get(pk=given.pk).password == entered.password
    assert told() == []


def test_another_way_to_sign_in_leaves_a_person_in_order(office):
    accounts.sign_in_by(office.staff, SignsInBy.LDAP, reason="QĐ 5", actor=office.admin)
    assert told() == []


def test_a_unit_changed_by_sql_and_taken_over_by_a_new_password_is_still_told(office):
    Person.objects.filter(pk=office.staff.pk).update(unit=office.other_unit)
    with transaction.atomic():
        office.staff.refresh_from_db()
        audit.write(Action.PASSWORD, actor=office.staff, subject=office.staff, rows=[office.staff])
    (line,) = told()
    assert line.startswith("person staff: changed past the office before ")
    assert line.endswith("(unit_id)")


def test_need_to_know_that_no_fact_gives_is_told_and_so_is_what_was_taken_away(office, record):
    acts.forward(record, Task(office.staff_unit, Kind.INFORM), actor=office.clerk)
    assert told() == []
    mine = access.PERSON + office.stranger.pk
    Access.objects.create(record=record, principal=mine, source=4, level=0, marking=1)
    Access.objects.filter(record=record, principal=office.staff_unit.pk).delete()
    assert told() == [
        f"access {record.key}: need-to-know that no fact gives (principal {mine})",
        f"access {record.key}: need-to-know that is missing (principal {office.staff_unit.pk})",
    ]


def test_a_level_copied_wrongly_beside_need_to_know_is_told(office, make_record):
    record = make_record(level=1)
    Access.objects.filter(record=record).update(level=0)
    assert [line.split(" (")[0] for line in told()] == [
        f"access {record.key}: need-to-know that no fact gives",
        f"access {record.key}: need-to-know that is missing",
    ]


def test_the_look_at_need_to_know_takes_five_statements_for_a_thousand_records(
    office, make_record, django_assert_num_queries
):
    for number in range(3):
        make_record(code_number=str(number))
    with django_assert_num_queries(9):  # and the highest number, and three for the shelves
        assert list(knowing.faults()) == []
