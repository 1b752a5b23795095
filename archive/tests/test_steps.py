import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.models.route import LIVE_STATES, StepKind, StepState
from archive.rules import steps
from archive.rules.steps import LIVE, ROUTE, Act, Kind, Side, State


def reachable(kind):
    """Every state a step of a kind can come to from the first."""
    seen, todo = set(), [State.OPEN]
    while todo:
        state = todo.pop()
        seen.add(state)
        todo += [to for (of, at, _act), (to, _side) in ROUTE.items() if of is kind and at is state and to not in seen]
    return seen


def test_the_words_of_the_table_are_the_words_of_the_rows():
    assert {kind.value for kind in Kind} == set(StepKind.values)
    assert {state.value for state in State} == set(StepState.values)
    assert {state.value for state in LIVE} == {state.value for state in LIVE_STATES}


@given(st.sampled_from(Kind))
def test_every_live_state_that_can_be_reached_has_a_way_out(kind):
    for state in reachable(kind) & LIVE:
        assert steps.open_acts(kind, state), f"{kind} {state} is a dead end"


@given(st.sampled_from(Kind), st.sampled_from([State.DONE, State.RETURNED]))
def test_nothing_follows_on_a_closed_step(kind, state):
    assert steps.open_acts(kind, state) == ()


@given(st.sampled_from(Kind), st.data())
def test_any_walk_can_still_be_closed(kind, data):
    state = State.OPEN
    for _ in range(data.draw(st.integers(0, 6))):
        if state not in LIVE:
            break
        act = data.draw(st.sampled_from(steps.open_acts(kind, state)))
        state, _side = steps.follow(kind, state, act)
    ends = {to for (of, at, _act), (to, _side) in ROUTE.items() if of is kind and at is state}
    assert state not in LIVE or ends - LIVE, f"{kind} {state} cannot be closed"


@given(st.sampled_from(Kind))
def test_the_giver_can_always_take_an_unanswered_step_back(kind):
    for state in (reachable(kind) & LIVE) - {State.ANSWERED}:
        assert Act.END in steps.open_acts(kind, state, Side.GIVER)


def test_only_work_is_answered_and_only_an_answer_is_approved():
    assert {of for (of, _at, act) in ROUTE if act is Act.ANSWER} == steps.WORK
    assert {at for (_of, at, act) in ROUTE if act is Act.APPROVE} == {State.ANSWERED}


def test_an_act_out_of_place_is_refused_with_those_that_are_possible():
    with pytest.raises(steps.NotNow) as refusal:
        steps.follow(Kind.LEAD, State.ANSWERED, Act.ANSWER)
    assert refusal.value.code == "RTE-001"
    assert str(Act.APPROVE.label) in str(refusal.value)
