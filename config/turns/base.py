"""Django's SQLite backend, with a queue in front of every writing transaction.

SQLite lets waiting writers retry at random, so under many clerks some wait for ever:
measured here with 20 clerks, 6 "database is locked" after 20 s and one clerk without a
single number in half a minute. A lock on a file beside the database hands the turn on
in the order of asking (figures in config/decisions/turns.md). It is taken before BEGIN
IMMEDIATE and given back after COMMIT or ROLLBACK; the kernel gives it back when a
process dies. A single writing statement outside a transaction takes a turn of its own;
reads never queue.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db.backends.sqlite3 import base

WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Cursor(base.SQLiteCursorWrapper):
    """Takes a turn for a writing statement that stands alone."""

    turns: "DatabaseWrapper"

    def execute(self, query: Any, params: Any = None) -> Any:
        """Run a statement."""
        with self.turns.turn_for(query):
            return super().execute(query, params)

    def executemany(self, query: Any, param_list: Any) -> Any:
        """Run a statement for many rows."""
        with self.turns.turn_for(query):
            return super().executemany(query, param_list)


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection; its turn file is opened on first use."""

    _turn: int | None = None
    _has_turn = False

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ARG002 - Django's signature
        """Return a cursor that knows whose turn it is."""
        cursor = self.connection.cursor(factory=Cursor)
        cursor.turns = self
        return cursor

    @contextmanager
    def turn_for(self, query: object) -> Iterator[None]:
        """Hold a turn while a lone writing statement runs."""
        alone = not self._has_turn and str(query)[:12].lstrip().upper().startswith(WRITES)
        if alone:
            self._take_turn()
        try:
            yield
        finally:
            if alone:
                self._give_turn_back()

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_turn_back()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._give_turn_back()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._give_turn_back()

    def close(self) -> None:
        """Close the connection and its turn file."""
        super().close()
        self._give_turn_back()
        if self._turn is not None and self.connection is None:
            os.close(self._turn)
            self._turn = None

    def _take_turn(self) -> None:
        if self._has_turn or self.is_in_memory_db():
            return
        if self._turn is None:
            path = f"{self.settings_dict['NAME']}.turn"
            self._turn = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        self._has_turn = True

    def _give_turn_back(self) -> None:
        if self._has_turn and self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        self._has_turn = False
