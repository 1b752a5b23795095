"""Fixtures of the intake's tests that need several connections at once."""

import pytest


@pytest.fixture
def shared(transactional_db):
    """Rows that other threads and processes see; afterwards the log's fence is lifted so that rows can go."""
    from django.db import connection

    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'archive_audit%'")
        fences = cursor.fetchall()
        for name, _ in fences:
            cursor.execute(f"DROP TRIGGER {name}")
        for table in ("auditdetail", "auditleaf", "auditentry"):
            cursor.execute(f"DELETE FROM archive_{table}")  # noqa: S608 - our own three names
        for _, made in fences:
            cursor.execute(made)
