"""The bench of hidden and missing asks at every door of the walk, and calls a door telling when its pairs say so."""

import random

import pytest

from config.bench import goals, hidden
from config.tests import doors


def times(ratio, pairs=60):
    """Times that differ from each other by a tenth, and hidden from missing by a ratio."""
    dice = random.Random(7)
    missing = [10 * dice.uniform(0.95, 1.05) for _ in range(pairs)]
    return {"hidden": [each * ratio * dice.uniform(0.95, 1.05) for each in missing], "missing": missing}


@pytest.mark.parametrize(("ratio", "is_told"), [(1.0, False), (1.1, True), (0.9, True)])
def test_a_door_whose_pairs_leave_out_one_misses_the_goal(monkeypatch, capsys, ratio, is_told):
    monkeypatch.setattr(goals, "_missed", [])
    row = hidden._said("GET door", times(ratio), 0.001)
    assert row["low"] < row["ratio"] < row["high"]
    assert goals.missed() == (("hidden, GET door",) if is_told else ())
    assert f"ratio {row['ratio']:.3f}" in capsys.readouterr().out


def test_the_bounds_of_the_middle_are_those_of_the_sign_test():
    ratios = [float(each) for each in range(1, 21)]
    assert hidden.interval(ratios, chance=0.05) == (6, 10.5, 15)  # 1 - 2 P(X <= 5), X of 20 fair coins: 95.9 %


def test_too_few_pairs_say_so():
    with pytest.raises(RuntimeError, match="at least 12"):
        hidden.interval([1.0] * 11, chance=0.0005)


def test_each_is_first_in_half_of_the_pairs():
    firsts = [order[0] for _thing, order in hidden._lots([object()], 100)]
    assert abs(firsts.count("hidden") - 50) <= 1


def test_somebody_asks_at_every_door_of_the_walk():
    assert all(set(hidden.FIRST) & door.posts for door in doors.DOORS.values())


@pytest.mark.django_db
def test_a_door_is_asked_by_every_method_that_it_answers(monkeypatch):
    monkeypatch.setattr(hidden, "_without_disk", lambda: None)
    asked = ("archive:record", "archive:record-level", "api:page")
    monkeypatch.setattr(doors, "DOORS", {name: doors.DOORS[name] for name in asked})
    told = hidden.measure(2)
    assert set(told) == {"GET archive:record", "GET archive:record-level", "POST archive:record-level", "GET api:page"}
    assert all(len(each["hidden"]) == len(each["missing"]) == 2 for each in told.values())
