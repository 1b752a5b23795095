"""A short run of the tamper bench: every mutation is caught and named, no clean copy is blamed."""

import pytest

from config.bench import tampering
from config.tests.office import server

SEED = 20261127
SMALL = {"seed": SEED, "dispatches": 2}


def caught_everything(told):
    assert told["tried"]
    assert (told["missed"], told["unnamed"], told["false_alarms"]) == ([], [], [])


def test_mutations_of_database_and_export_are_caught_and_named():
    caught_everything(tampering.measure(40, **SMALL))


@pytest.mark.engine
def test_mutations_on_postgresql_are_caught_and_named():
    caught_everything(tampering.measure(40, **SMALL, database=server("VANKHO_TEST_DATABASE_URL")))
