import pytest

from config.bench import registering


def check(seen):
    assert seen["registered"] >= seen["clerks"]
    assert (seen["gaps"], seen["doubles"], seen["not_in_the_book"], seen["faults"]) == (0, 0, 0, [])
    assert seen["in_the_book"] == seen["registered"]


def test_clerks_at_once_leave_no_gap_and_no_double():
    check(registering.at_once(clerks=4, seconds=2))


@pytest.mark.engine
def test_clerks_at_once_leave_no_gap_and_no_double_on_postgresql(postgresql):
    check(registering.at_once(clerks=8, seconds=3, database=postgresql))
