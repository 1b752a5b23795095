"""Emptying the place of a drill: its objects, its tables, its index. Only where a drill says so.

Refuses to run anywhere but under VANKHO_DRILL=1, which `drill` sets for the process that
it starts: nothing here may ever be called in an office.
"""

import os
from contextlib import suppress
from typing import Final

from django.conf import settings
from django.db import connection

from archive.stores import chosen
from config import roles

SIGN: Final = "VANKHO_DRILL"


def clear() -> None:
    """Empty the store, the database and the index of a drill. Raises RuntimeError outside of one."""
    if os.environ.get(SIGN) != "1":
        raise RuntimeError("only a drill empties an installation")
    if settings.STORE_DRIVER != "local":  # local files go with the drill's folder
        driver = chosen.driver(settings.STORE_DRIVER)
        for address in driver.addresses():
            driver.delete(address)
    if connection.vendor == "postgresql":
        _drop_tables()
    if settings.ELASTICSEARCH_URL:
        _drop_index()


# What the triggers of our tables call; they take no arguments.
_FENCES: Final = """
SELECT quote_ident(proname) FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype AND proname LIKE 'archive\\_%'
"""


def _drop_tables() -> None:
    """Drop every table and function of the schema, so that the next drill finds an empty database."""
    with roles.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in cursor.fetchall():
            # nosemgrep: raw-sql - quoted by the database itself
            cursor.execute(f"DROP TABLE IF EXISTS {table} CASCADE")
        cursor.execute(_FENCES)
        for (function,) in cursor.fetchall():
            # nosemgrep: raw-sql - quoted by the database itself
            cursor.execute(f"DROP FUNCTION {function}() CASCADE")


def _drop_index() -> None:
    from search.engine import EngineAway
    from search.engines.elastic.generations import Generations
    from search.engines.elastic.server import Server

    with suppress(EngineAway):  # an index of the drill that stays is found by its name
        Generations(
            Server(settings.ELASTICSEARCH_URL, ca_file=settings.ELASTICSEARCH_CA_FILE), settings.INDEX_PREFIX
        ).clear()
