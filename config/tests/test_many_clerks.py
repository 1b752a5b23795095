from config.bench import registering


def test_clerks_at_once_leave_no_gap_and_no_double():
    seen = registering.at_once(clerks=4, seconds=2)
    assert seen["registered"] >= 4
    assert (seen["gaps"], seen["doubles"], seen["not_in_the_book"], seen["faults"]) == (0, 0, 0, 0)
    assert seen["in_the_book"] == seen["registered"]
