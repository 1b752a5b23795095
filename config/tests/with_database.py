"""Leave out what needs neither a database nor a server: on PostgreSQL it would only be run a second time.

A plugin of the run on real servers alone (`config/engine`); `make test` has run these.
"""

from typing import Final

import pytest

_DATABASE: Final = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that are marked for servers or may ask the database."""
    kept = [item for item in items if _asks(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _asks(item)])
    items[:] = kept


def _asks(item: pytest.Item) -> bool:
    if item.get_closest_marker("once"):
        return False
    is_marked = item.get_closest_marker("engine") or item.get_closest_marker("django_db")
    return bool(is_marked) or not _DATABASE.isdisjoint(getattr(item, "fixturenames", ()))
