"""A short run of the bench of kills: whatever SIGKILL meets around the commit of an act, its entry stands once and in order."""

from datetime import date

import pytest

from config.bench import log_kills

SEED = 20261127


def test_no_kill_of_a_writer_parts_an_act_from_its_entry():
    told = log_kills.siege(times=9, seed=SEED)
    assert log_kills.passed(told)
    assert told["verify_log"].startswith("OK")


@pytest.fixture
def file_plan(office, settings, tmp_path):
    from archive.models import RecordClass, RetentionRule

    settings.VANKHO_HOME = tmp_path
    rule = RetentionRule.objects.create(code="1", title="Kế hoạch", kind="permanent", valid_from=date(2026, 1, 1))
    return RecordClass.objects.create(code="01", title="Chung", rule=rule, year=2026)


@pytest.mark.engine
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("postgresql", "file_plan")
def test_no_kill_between_commit_and_place_loses_doubles_or_turns_an_entry():
    told = log_kills.work(18, SEED)
    assert told["between"] == 6
    assert told["waited_at_the_end"] > 0  # the blows left entries without a place, and they got one
    assert log_kills.passed(told)
