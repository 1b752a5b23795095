from datetime import date, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import access, registration, routing
from archive.models import Access, AuditEntry, Clearance, Holiday, Record, Source, Step, StepState, Unit, UnitScope
from archive.models.route import LIVE_STATES
from archive.routing import Direction, Kind, Task, deadlines, lists, moving, receivers
from archive.rules.errors import Forbidden, Hidden, Refusal
from archive.rules.levels import Level, Urgency
from archive.rules.roles import Action, Role
from config.tests.office import borne_out

TODAY = timezone.localdate


@pytest.fixture
def sent(office, make_record):
    """A registered dispatch in the leader's hands."""
    return routing.forward(make_record(), Task(office.leader), actor=office.clerk)


@pytest.fixture
def directed(office, sent):
    """The lead's and the cooperating step after the leader's direction."""
    add_staff(office, "helper", office.other_unit)
    orders = Direction("Nghiên cứu, tham mưu", office.staff_unit, [office.other_unit], due_on=TODAY())
    return routing.direct(sent, orders, actor=office.leader)


def add_staff(office, name, unit, level=Level.MAT, role=Role.STAFF):
    from config.tests.office import _person

    person = _person(name, role, unit, unit, level)
    borne_out()
    setattr(office, name, person)
    return person


def sees(person, record):
    return access.visible_to(person).opens([record.pk]).exists()


def entries(record):
    return AuditEntry.objects.filter(record_id=record.pk).count()


def step_rows(record):
    return set(Access.objects.filter(record=record, source=Source.STEP).values_list("principal", flat=True))


# --- need-to-know -----------------------------------------------------------------------------------


def test_a_step_gives_need_to_know_and_its_end_ends_it(office, directed):
    lead, _helping = directed
    assert sees(office.staff, lead.record)
    routing.answer(lead, "Đã báo cáo", actor=office.staff)
    assert sees(office.staff, lead.record)
    routing.approve(lead, actor=office.leader)
    assert not sees(office.staff, lead.record)


def test_a_step_opens_nothing_above_the_clearance(office, make_record):
    record = make_record(level=Level.TOI_MAT)
    with pytest.raises(routing.Unsuitable):
        routing.forward(record, Task(office.staff_unit, Kind.LEAD), actor=office.clerk)
    assert not sees(office.staff, record)
    assert not Step.objects.exists()


def test_a_leader_outside_the_owning_unit_follows_what_they_directed_until_it_ends(office, make_record):
    deputy = add_staff(office, "deputy", Unit.objects.create(code="PCH", name="Phó chỉ huy", path="/98/"), role=2)
    step = routing.forward(make_record(), Task(deputy), actor=office.clerk)
    (lead,) = routing.direct(step, Direction("Triển khai", office.staff_unit), actor=deputy)
    assert sees(deputy, step.record)
    routing.answer(lead, "Xong", actor=office.staff)
    routing.approve(lead, actor=deputy)
    assert not sees(deputy, step.record)


def test_signing_for_information_ends_the_step_and_the_need_to_know(office, make_record):
    step = routing.forward(make_record(), Task(office.staff_unit, Kind.INFORM), actor=office.clerk)
    assert step.due_on is None
    assert sees(office.staff, step.record)
    routing.receive(step, actor=office.staff)
    assert not sees(office.staff, step.record)


# --- who may ----------------------------------------------------------------------------------------


def test_only_who_is_addressed_answers(office, directed):
    lead, helping = directed
    with pytest.raises(routing.NotYours):
        routing.answer(lead, "Tôi làm", actor=office.helper)
    routing.answer(helping, "Phần của tôi", actor=office.helper)


def test_a_stranger_is_told_that_there_is_nothing(office, sent):
    with pytest.raises(Hidden):
        routing.receive(sent, actor=office.stranger)


def test_a_leader_does_not_receive_for_the_units_they_directed(office, directed):
    with pytest.raises(routing.NotYours):
        routing.receive(directed[0], actor=office.leader)


def test_staff_do_not_hand_a_dispatch_out_of_their_unit(office, directed):
    with pytest.raises(Forbidden):
        routing.forward(directed[0].record, Task(office.other_unit, Kind.INFORM), actor=office.staff)
    with pytest.raises(routing.Unsuitable):
        routing.assign(directed[0], Task(office.helper, Kind.LEAD), actor=office.staff)


def test_nobody_approves_their_own_answer(office, directed):
    lead, _helping = directed
    routing.answer(lead, "Xong", actor=office.staff)
    Step.objects.filter(pk=lead.pk).update(answered_by=office.leader)
    with pytest.raises(routing.OwnAnswer):
        routing.approve(lead, actor=office.leader)
    lead.refresh_from_db()
    assert lead.state == StepState.ANSWERED


def test_a_draft_or_void_dispatch_is_not_handed_on(office, make_draft, make_record):
    with pytest.raises(routing.NotRegistered):
        routing.forward(make_draft(), Task(office.leader), actor=office.clerk)
    record = make_record()
    registration.void(record, reason="Ghi nhầm", actor=office.clerk)
    with pytest.raises(routing.NotRegistered):
        routing.forward(record, Task(office.leader), actor=office.clerk)


def test_direction_goes_to_a_leader_only(office, make_record):
    with pytest.raises(routing.Unsuitable):
        routing.forward(make_record(), Task(office.staff), actor=office.clerk)


def test_the_same_receiver_is_not_asked_twice_at_once(office, sent):
    with pytest.raises(routing.Unsuitable):
        routing.forward(sent.record, Task(office.leader), actor=office.clerk)


def test_a_unit_where_nobody_is_cleared_is_not_offered(office, make_record):
    secret, plain = make_record(level=Level.MAT), make_record()
    assert office.other_unit in receivers.units_for(plain, Kind.LEAD)
    assert office.other_unit not in receivers.units_for(secret, Kind.LEAD)
    Clearance.objects.create(person=office.stranger, level=Level.MAT, since=timezone.now(), basis="QĐ 02")
    assert office.other_unit in receivers.units_for(secret, Kind.LEAD)


# --- directing --------------------------------------------------------------------------------------


def test_direction_closes_the_leaders_step_and_opens_the_units(office, sent):
    add_staff(office, "helper", office.other_unit)
    orders = Direction("Triển khai ngay", office.staff_unit, [office.other_unit], [office.registry], TODAY())
    with pytest.raises(routing.Unsuitable):  # nobody in the registry has work of staff
        routing.direct(sent, orders, actor=office.leader)
    orders = Direction("Triển khai ngay", office.staff_unit, [], [office.other_unit], TODAY())
    given = routing.direct(sent, orders, actor=office.leader)
    sent.refresh_from_db()
    assert (sent.state, sent.note) == (StepState.DONE, "Triển khai ngay")
    assert [(step.kind, step.order, step.parent_id) for step in given] == [("lead", 2, sent.pk), ("inform", 3, sent.pk)]
    assert [step.due_on for step in given] == [TODAY(), None]


def test_a_direction_names_somebody_or_says_something(office, sent):
    for empty in (Direction(), Direction("x", None, [office.other_unit])):
        with pytest.raises(routing.NobodyNamed):
            routing.direct(sent, empty, actor=office.leader)
    assert routing.direct(sent, Direction("Lưu hồ sơ"), actor=office.leader) == []


def test_a_unit_has_one_part_in_a_direction(office, sent):
    twice = Direction("x", office.staff_unit, [office.staff_unit])
    with pytest.raises(routing.NamedTwice):
        routing.direct(sent, twice, actor=office.leader)


def test_who_comes_second_is_told_who_was_first(office, sent):
    routing.direct(sent, Direction("Lưu"), actor=office.leader)
    with pytest.raises(routing.StepClosed) as refusal:
        routing.direct(sent, Direction("Khác"), actor=office.leader)
    assert "Đồng chí leader" in str(refusal.value)


def test_approving_the_lead_ends_the_cooperating_steps(office, directed):
    lead, helping = directed
    routing.answer(lead, "Xong", actor=office.staff)
    done = routing.approve(lead, "Tốt", actor=office.leader)
    helping.refresh_from_db()
    assert (done.state, done.note, helping.state) == ("done", "Tốt", "done")


def test_a_direction_is_taken_back_while_nobody_has_signed_for_it(office, sent):
    (lead,) = routing.direct(sent, Direction("Làm", office.staff_unit), actor=office.leader)
    assert lists.desk(office.leader).given == sent.pk
    again = routing.take_back(sent, actor=office.leader)
    lead.refresh_from_db()
    assert (lead.state, again.kind, again.to_person) == ("done", "direct", office.leader)
    assert not sees(office.staff, lead.record)
    assert list(lists.to_direct(office.leader)) == [again]
    routing.direct(again, Direction("Làm lại", office.staff_unit), actor=office.leader)


def test_a_direction_somebody_signed_for_is_not_taken_back(office, sent):
    (lead,) = routing.direct(sent, Direction("Làm", office.staff_unit), actor=office.leader)
    routing.receive(lead, actor=office.staff)
    assert lists.desk(office.leader).given is None
    with pytest.raises(routing.TooLate):
        routing.take_back(sent, actor=office.leader)


def test_nobody_takes_back_the_direction_of_another(office, sent):
    deputy = add_staff(office, "deputy", office.command, role=Role.LEADER)
    routing.direct(sent, Direction("Làm", office.staff_unit), actor=office.leader)
    with pytest.raises(routing.NotYours):
        routing.take_back(sent, actor=deputy)


def test_what_a_unit_assigned_inside_itself_is_not_decided_from_outside(office, directed):
    lead, _helping = directed
    officer = add_staff(office, "officer", office.staff_unit)
    child = routing.assign(lead, Task(officer), actor=office.staff)
    with pytest.raises(routing.NotYours):
        routing.end(child, "Thôi", actor=office.leader)


# --- returning --------------------------------------------------------------------------------------


def test_a_returned_direction_is_on_the_leaders_list_again(office, directed):
    lead, _helping = directed
    routing.return_step(lead, "Không thuộc chức năng", actor=office.staff)
    assert not sees(office.staff, lead.record)
    (again,) = lists.to_direct(office.leader)
    assert (again.parent_id, again.kind) == (lead.pk, "direct")
    with pytest.raises(routing.NotNow):
        routing.return_step(again, "Không", actor=office.leader)


def test_what_a_leader_returns_is_on_the_desk_until_handed_on_again(office, sent):
    routing.return_step(sent, "Gửi nhầm", actor=office.leader)
    assert list(lists.returned_to(office.clerk)) == [sent]
    routing.forward(sent.record, Task(office.leader), actor=office.clerk)
    assert not lists.returned_to(office.clerk)


@pytest.mark.parametrize("act", [routing.return_step, routing.end])
def test_a_return_or_withdrawal_without_reason_is_refused(office, directed, act):
    actor = office.staff if act is routing.return_step else office.leader
    with pytest.raises(routing.WordsMissing):
        act(directed[0], "  ", actor=actor)


def test_rework_is_a_new_step_in_the_same_hands_and_the_first_answer_stays(office, directed):
    lead, _helping = directed
    routing.answer(lead, "Xong", actor=office.staff)
    again = routing.send_back(lead, "Thiếu số liệu", actor=office.leader)
    lead.refresh_from_db()
    assert (lead.state, lead.answer, lead.note) == ("returned", "Xong", "Thiếu số liệu")
    assert (again.state, again.to_unit, again.parent_id) == ("open", office.staff_unit, lead.parent_id)
    assert list(lists.mine(office.staff)) == [again]
    routing.answer(again, "Đã bổ sung", actor=office.staff)
    assert routing.approve(again, actor=office.leader).answer == "Đã bổ sung"


# --- assigning --------------------------------------------------------------------------------------


def test_assigning_keeps_the_units_step_open_and_its_answer_ends_the_assigned_one(office, directed):
    lead, _helping = directed
    officer = add_staff(office, "officer", office.staff_unit)
    UnitScope.objects.filter(person=officer).delete()
    assert not sees(officer, lead.record)
    child = routing.assign(lead, Task(officer, instruction="Dự thảo"), actor=office.staff)
    assert (child.kind, child.parent_id, child.due_on) == ("lead", lead.pk, lead.due_on)
    assert sees(officer, lead.record)
    routing.answer(child, "Dự thảo xong", actor=officer)
    routing.answer(lead, "Trình báo cáo", actor=office.staff)
    child.refresh_from_db()
    assert child.state == StepState.DONE
    assert not sees(officer, lead.record)


def test_what_is_assigned_is_not_in_ones_own_hands_until_answered(office, directed):
    lead, _helping = directed
    officer = add_staff(office, "officer", office.staff_unit)
    assert list(lists.mine(office.staff)) == [lead]
    child = routing.assign(lead, Task(officer), actor=office.staff)
    assert (list(lists.mine(office.staff)), list(lists.mine(officer))) == ([], [child])
    routing.answer(child, "Xong", actor=officer)
    assert list(lists.mine(office.staff)) == [lead]


# --- answers and replies ----------------------------------------------------------------------------


def test_a_reply_is_linked_once_and_only_if_it_may_be_seen(office, directed, make_record):
    lead, _helping = directed
    reply = make_record(direction="outgoing", code_number="9", code_notation="BC-PTM")
    with pytest.raises(Hidden):
        routing.answer(lead, "Xong", actor=office.staff, reply=reply)
    Record.objects.filter(pk=reply.pk).update(unit=office.staff_unit)
    borne_out()
    reply.refresh_from_db()
    access.derive(reply)
    routing.answer(lead, "Xong", actor=office.staff, reply=reply)
    reply.refresh_from_db()
    assert reply.reply_to == lead.record
    other = routing.forward(make_record(), Task(office.staff_unit, Kind.LEAD), actor=office.clerk)
    with pytest.raises(routing.ReplyTaken):
        routing.answer(other, "Xong", actor=office.staff, reply=reply)


# --- deadlines --------------------------------------------------------------------------------------


def test_deadlines_count_working_days(office):
    Holiday.objects.create(day=date(2026, 9, 2), name="Quốc khánh", basis="Bộ luật Lao động")
    assert deadlines.due_in(3, start=date(2026, 8, 31)) == date(2026, 9, 4)
    assert deadlines.due_in(1, start=date(2026, 8, 28)) == date(2026, 8, 31)


def test_an_urgent_dispatch_is_due_today(office, make_record):
    urgent = make_record(urgency=Urgency.KHAN)
    step = routing.forward(urgent, Task(office.leader), actor=office.clerk)
    (lead,) = routing.direct(step, Direction("Làm ngay", office.staff_unit), actor=office.leader)
    assert (step.due_on, lead.due_on) == (TODAY(), TODAY())


def test_a_deadline_in_the_past_is_refused(office, sent):
    yesterday = Direction("x", office.staff_unit, due_on=TODAY() - timedelta(days=1))
    with pytest.raises(routing.DuePassed):
        routing.direct(sent, yesterday, actor=office.leader)
    sent.refresh_from_db()
    assert sent.state == StepState.OPEN


def test_late_is_counted_until_the_answer(office, directed):
    lead, _helping = directed
    Step.objects.filter(pk=lead.pk).update(due_on=TODAY() - timedelta(days=1))
    assert list(lists.late(lists.of_unit(office.leader))) == [lead]
    routing.answer(lead, "Xong", actor=office.staff)
    [figures] = lists.figures(office.leader, lists.of_unit)
    assert (figures.late, figures.waiting) == (0, 1)


def test_lists_never_show_a_dispatch_above_the_clearance(office, make_record):
    record = make_record(level=Level.MAT)
    step = routing.forward(record, Task(office.staff_unit, Kind.LEAD), actor=office.clerk)
    assert list(lists.mine(office.staff)) == [step]
    Clearance.objects.filter(person=office.staff).update(revoked_at=timezone.now())
    assert not lists.mine(office.staff)
    assert lists.figures(office.staff, lists.of_unit)[0].total == 0


# --- the log ----------------------------------------------------------------------------------------


def test_every_act_writes_exactly_one_entry(office, make_record, last_entry):
    record = make_record()
    officer = add_staff(office, "officer", office.staff_unit)

    def did(action, act, *args, **kwargs):
        before = AuditEntry.objects.count()
        made = act(*args, **kwargs)
        assert AuditEntry.objects.count() == before + 1
        assert (last_entry().action, last_entry().record_id) == (action, record.pk)
        return made

    step = did(Action.STEP_FORWARD, routing.forward, record, Task(office.leader), actor=office.clerk)
    did(Action.STEP_RECEIVE, routing.receive, step, actor=office.leader)
    orders = Direction("Làm", office.staff_unit, (), [office.other_unit])
    lead, inform = did(Action.STEP_DIRECT, routing.direct, step, orders, actor=office.leader)
    did(Action.STEP_END, routing.end, inform, "Gửi nhầm", actor=office.leader)
    did(Action.STEP_FORWARD, routing.assign, lead, Task(officer), actor=office.staff)
    did(Action.STEP_ANSWER, routing.answer, lead, "Xong", actor=office.staff)
    lead = did(Action.STEP_RETURN, routing.send_back, lead, "Thiếu", actor=office.leader)
    did(Action.STEP_RETURN, routing.return_step, lead, "Không thuộc", actor=office.staff)
    (again,) = lists.to_direct(office.leader)
    (lead,) = routing.direct(again, Direction("Làm", office.staff_unit), actor=office.leader)
    routing.answer(lead, "Xong", actor=office.staff)
    did(Action.STEP_APPROVE, routing.approve, lead, actor=office.leader)


# --- any walk ---------------------------------------------------------------------------------------


def play(office, record, move):
    """Do one drawn act on one drawn step as one drawn person."""
    act, who, which, unit = move
    actor = getattr(office, who)
    if act == "forward":
        to = {0: office.leader, 1: office.staff_unit, 2: office.other_unit}[unit]
        kind = Kind.DIRECT if unit == 0 else (Kind.LEAD, Kind.INFORM)[which % 2]
        return routing.forward(record, Task(to, kind), actor=actor)
    steps = list(record.steps.all())
    if not steps:
        return None
    step = steps[which % len(steps)]
    if act == "direct":
        units = [office.staff_unit, office.other_unit]
        lead, *rest = units if unit else units[::-1]
        return routing.direct(step, Direction("Làm", lead, rest), actor=actor)
    if act == "assign":
        return routing.assign(step, Task(office.officer), actor=actor)
    if act in {"answer", "return_step", "send_back", "end"}:
        return getattr(routing, act)(step, "lời", actor=actor)
    return getattr(routing, act)(step, actor=actor)


MOVES = st.tuples(
    st.sampled_from(
        [
            "forward",
            "direct",
            "assign",
            "receive",
            "answer",
            "answer",
            "approve",
            "send_back",
            "return_step",
            "end",
            "take_back",
        ]
    ),
    st.sampled_from(["clerk", "leader", "leader", "staff", "staff", "stranger", "officer"]),
    st.integers(0, 9),
    st.integers(0, 2),
)


def expected(record):
    """The principals that live steps open: receivers, and givers of work."""
    rows = set()
    for step in record.steps.filter(state__in=LIVE_STATES):
        rows.add(step.to_unit_id or access.PERSON + step.to_person_id)
        if step.kind in {Kind.LEAD, Kind.COOPERATE}:
            rows.add(access.PERSON + step.from_person_id)
    return rows


@given(walk=st.lists(MOVES, max_size=14))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_on_any_walk_need_to_know_is_exactly_the_live_steps_and_each_act_has_one_entry(office, make_record, walk):
    with transaction.atomic():
        add_staff(office, "officer", office.staff_unit)
        record = make_record()
        for move in [("forward", "clerk", 0, 0), ("direct", "leader", 0, 1), *walk]:
            before, rows = entries(record), list(record.steps.values())
            try:
                done = play(office, record, move)
            except Refusal:
                assert entries(record) == before
                assert list(record.steps.values()) == rows, "a refused act changed a row"
            else:
                assert entries(record) == before + (done is not None)
            assert step_rows(record) == expected(record)
            orders = list(record.steps.values_list("order", flat=True))
            assert orders == list(range(1, len(orders) + 1))
            assert not record.steps.filter(state__in=LIVE_STATES, closed_at__isnull=False).exists()
        transaction.set_rollback(True)


# --- at the same time -------------------------------------------------------------------------------


def test_of_two_who_decide_at_once_the_second_changes_nothing(office, sent, monkeypatch):
    check = moving.check_side

    def meanwhile(step, side, actor):
        """Between reading the row and writing it, another leader decides."""
        check(step, side, actor)
        Step.objects.filter(pk=step.pk).update(
            state=StepState.DONE, closed_at=timezone.now(), closed_by=office.archivist, note="Đã quyết"
        )

    monkeypatch.setattr(moving, "check_side", meanwhile)
    with pytest.raises(routing.StepClosed) as refusal, transaction.atomic():
        routing.direct(sent, Direction("Làm", office.staff_unit), actor=office.leader)
    assert "Đồng chí archivist" in str(refusal.value)
    assert Step.objects.count() == 1
