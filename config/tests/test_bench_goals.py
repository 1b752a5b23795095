"""A bench that misses a goal ends with 1, whoever or whatever runs it, and there is one way to say so."""

import sys
from pathlib import Path

import pytest

from config.bench import __main__ as bench
from config.bench import goals


@pytest.mark.parametrize(("is_met", "ends_with"), [(True, 0), (False, 1)])
def test_a_run_ends_by_whether_its_goals_were_met(tmp_path, monkeypatch, capsys, is_met, ends_with):
    monkeypatch.setattr(goals, "_missed", [])
    monkeypatch.setattr(bench, "run_one", lambda _name, _asked: {"said": goals.verdict(is_met, "pages, the list")})
    monkeypatch.setattr(sys, "argv", ["bench", "idle", "--out", str(tmp_path)])
    assert bench.main() == ends_with
    assert ("goal missed: pages, the list" in capsys.readouterr().out) is not is_met


def test_no_bench_says_so_in_a_way_of_its_own():
    folder = Path(bench.__file__).parent
    assert [file.name for file in sorted(folder.glob("*.py")) if "MISSED" in file.read_text(encoding="utf-8")] == [
        "goals.py"
    ]
