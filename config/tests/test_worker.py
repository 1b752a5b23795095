"""A worker's sign of life tells that its loops live, not merely that the process does."""

import threading

import pytest

from config.worker import Machine


@pytest.fixture
def machine(settings, tmp_path):
    settings.VANKHO_HOME = tmp_path
    ends = threading.Event()
    made = Machine()
    made.loops = [threading.Thread(target=ends.wait, daemon=True) for _ in range(2)]
    made.scans.threads = [threading.Thread(target=ends.wait, daemon=True)]
    for thread in (*made.loops, *made.scans.threads):
        thread.start()
    yield made, tmp_path / "worker.beat", ends
    ends.set()


def test_a_worker_whose_loops_live_gives_a_sign(machine):
    made, sign, _ends = machine
    made.beat()
    assert sign.exists()


def test_the_sign_is_renewed_after_a_while_and_not_at_every_look(machine):
    made, sign, _ends = machine
    made.beat()
    sign.unlink()
    made.beat()
    assert not sign.exists()
    made.next_beat = 0.0
    made.beat()
    assert sign.exists()


@pytest.mark.parametrize("kind", ["loop", "reader"])
def test_a_worker_with_a_dead_loop_or_reader_gives_no_sign(machine, kind):
    made, sign, _ends = machine
    dead = threading.Thread(target=int)
    dead.start()
    dead.join()
    (made.loops if kind == "loop" else made.scans.threads)[0] = dead
    made.beat()
    assert not sign.exists()
