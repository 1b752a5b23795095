"""A pytest plugin for CI (`config/engine` loads it): a test of a real server that is skipped has failed.

Whatever the reason, and whether the test, its fixture or its whole module skipped: where the
servers are started for the tests, an untested driver must not look like a tested one.
"""

from collections.abc import Generator
from typing import Any

import pytest

skipped_modules: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Turn a skip of an engine test into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("engine"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"No test of a real server may be skipped here. {why}"
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember a module that skipped itself as a whole."""
    if report.skipped:
        skipped_modules.append(report.nodeid)


def pytest_collection_finish(session: pytest.Session) -> None:
    """End the run when a module is missing from it, or when nothing in it needs a server."""
    if skipped_modules:
        pytest.exit(f"No module may be skipped here: {', '.join(skipped_modules)}", returncode=1)
    if not any(item.get_closest_marker("engine") for item in session.items):
        pytest.exit("There is no test of a real server in this run.", returncode=1)
