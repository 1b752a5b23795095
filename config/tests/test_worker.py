"""A worker's sign of life tells that its loops live, not merely that the process does."""

import threading

import pytest

from config import worker
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


def test_a_loop_that_fails_is_told_once_and_again_when_it_is_well_or_fails_otherwise(machine, caplog, monkeypatch):
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    made, _sign, _ends = machine
    ends = iter([OSError("away")] * 5 + [None, ValueError("odd"), OSError("away")])

    def act():
        error = next(ends, None)
        if error is None:
            return
        raise error

    looks = iter([False] * 9)
    made.stopping = type("Ended", (), {"wait": lambda _self, _seconds: next(looks, True)})()
    made._every(0, act)
    told = [(record.levelname, record.exc_info and record.exc_info[0]) for record in caplog.records]
    assert told == [("ERROR", OSError), ("WARNING", None), ("ERROR", ValueError), ("ERROR", OSError), ("WARNING", None)]
