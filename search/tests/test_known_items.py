"""What is known to lie in a register of a real province is found, first and within ten, on both engines: a floor for each kind."""

import os
from pathlib import Path

import pytest

from config.bench import known_items

CORPUS = Path(os.environ.get("VANKHO_TEST_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "corpus")


@pytest.fixture(scope="module")
def register():
    """The lines of the register and the questions that they answer; they lie beside the checkout, like the servers."""
    folder = CORPUS / "vn_register"
    if not folder.is_dir():
        reason = f"no register in {folder} (VANKHO_TEST_CORPUS)"
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)(reason)
    return list(known_items.register(folder)), list(known_items.asked(folder))


def test_known_items_are_found_first_and_within_ten(engine, register):
    entries, questions = register
    shares = known_items.shares(engine, entries, questions)
    assert set(shares) == set(known_items.FLOORS)
    assert {kind: one for kind, one in shares.items() if not known_items.holds(kind, one)} == {}


def test_a_share_below_its_floor_and_a_kind_without_one_do_not_hold():
    assert known_items.holds("number_exact", {"first": 1.0, "within_ten": 1.0})
    assert not known_items.holds("number_exact", {"first": 0.98, "within_ten": 1.0})
    assert not known_items.holds("phrase", {"first": 1.0, "within_ten": 0.99})
    assert not known_items.holds("unheard of", {"first": 1.0, "within_ten": 1.0})
