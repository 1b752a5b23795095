"""Keeping: the longest wins, permanent beats all, the unknown is never due, a hold blocks."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rules.periods import Action, InvalidPeriod, Kind, Rule, Times, decide, due_on

PERMANENT = Rule(Kind.PERMANENT, code="TT10-1")
TEN_YEARS = Rule(Kind.YEARS, 10, code="TT10-9")
UNTIL_SUPERSEDED = Rule(Kind.UNTIL_SUPERSEDED, code="TT10-2")
FIVE_AFTER_CONTRACT = Rule(Kind.EVENT, 5, "contract_ended", code="TT10-3")
days = st.dates(date(1946, 1, 1), date(2100, 12, 31))
rules = st.one_of(
    st.just(PERMANENT),
    st.just(UNTIL_SUPERSEDED),
    st.just(Rule(Kind.LIFE_OF_ASSET)),
    st.builds(lambda years: Rule(Kind.YEARS, years), st.integers(1, 70)),
    st.builds(lambda years: Rule(Kind.EVENT, years, "contract_ended"), st.integers(1, 70)),
)
events = st.dictionaries(st.sampled_from(["superseded", "asset_ended", "contract_ended"]), days)
times = st.builds(Times, st.none() | days, events, st.none() | days)


def test_ten_years_from_any_day_of_2026_end_with_2036():
    for closed in (date(2026, 1, 1), date(2026, 5, 4), date(2026, 12, 31)):
        assert due_on(closed, keep_years=10, is_held=False) == date(2037, 1, 1)


def test_a_held_or_permanent_file_is_never_due():
    assert due_on(date(2026, 5, 4), keep_years=10, is_held=True) is None
    assert due_on(date(2026, 5, 4), keep_years=None, is_held=False) is None


def test_a_file_kept_until_superseded_waits_for_the_day():
    waiting = decide([UNTIL_SUPERSEDED], Times(date(2020, 1, 1)), is_held=False)
    known = decide([UNTIL_SUPERSEDED], Times(date(2020, 1, 1), {"superseded": date(2024, 6, 30)}), is_held=False)

    assert (waiting.action, waiting.due_on, waiting.reason) == (Action.WAIT, None, "event_unknown")
    assert (known.action, known.due_on) == (Action.DISPOSE, date(2024, 7, 1))


def test_the_longest_of_several_rules_wins():
    ended = Times(date(2020, 3, 1), {"contract_ended": date(2030, 3, 1)})

    outcome = decide([TEN_YEARS, FIVE_AFTER_CONTRACT], ended, is_held=False)

    assert outcome.due_on == date(2036, 1, 1)
    assert outcome.parameters["rule"] == "TT10-3"


def test_a_file_is_not_due_before_it_is_declassified():
    outcome = decide([Rule(Kind.YEARS, 2)], Times(date(2010, 3, 1), secret_until=date(2030, 5, 5)), is_held=False)
    assert (outcome.due_on, outcome.reason) == (date(2030, 5, 6), "secret")


def test_a_file_without_a_rule_waits():
    assert decide([], Times(date(2000, 1, 1)), is_held=False).action is Action.WAIT


@pytest.mark.parametrize("years", [0, -3, 71])
def test_a_period_the_law_does_not_know_is_refused(years):
    with pytest.raises(InvalidPeriod):
        Rule(Kind.YEARS, years)
    with pytest.raises(InvalidPeriod):
        due_on(date(2026, 1, 1), keep_years=years, is_held=False)


@given(st.lists(rules, max_size=6), times)
def test_a_hold_beats_everything(chosen, known):
    outcome = decide(chosen, known, is_held=True)
    assert (outcome.action, outcome.due_on) == (Action.HELD, None)
    assert not outcome.is_due(date.max)


@given(st.lists(rules, max_size=6), times)
def test_permanent_beats_all_other_rules(chosen, known):
    assert decide([*chosen, PERMANENT], known, is_held=False).action is Action.KEEP


@given(st.lists(rules, min_size=1, max_size=6), rules, times)
def test_one_more_rule_never_makes_a_file_due_earlier(chosen, more, known):
    before, after = decide(chosen, known, is_held=False), decide([*chosen, more], known, is_held=False)
    if after.due_on:
        assert before.due_on
        assert after.due_on >= before.due_on


@given(st.lists(rules, min_size=1, max_size=6), times)
def test_every_due_day_lies_after_its_cause_and_explains_itself(chosen, known):
    outcome = decide(chosen, known, is_held=False)
    assert (outcome.due_on is None) is (outcome.action is not Action.DISPOSE)
    assert "%(" not in outcome.sentence
    if outcome.due_on and known.secret_until:
        assert outcome.due_on > known.secret_until
    if outcome.due_on:
        assert outcome.is_due(outcome.due_on)
        assert not outcome.is_due(outcome.due_on - timedelta(days=1))


@given(st.lists(rules, min_size=1, max_size=6), times)
def test_an_unknown_day_is_later_than_any_date(chosen, known):
    outcomes = [decide([rule], known, is_held=False) for rule in chosen]
    together = decide(chosen, known, is_held=False)
    if any(each.action is Action.WAIT for each in outcomes):
        assert together.due_on is None
