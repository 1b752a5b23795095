"""What migrations put into an empty database is known to a move: it would take its own new place for one in use."""

import sqlite3
from contextlib import closing

from config import moving
from config.tests.installation import Installation


def test_a_move_makes_room_of_just_what_the_migrations_put_there(tmp_path):
    Installation(tmp_path, {}).manage("prepare_database")
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        looks = {name: f'SELECT 1 FROM "{name}" LIMIT 1' for name in tables - moving._NOT_OURS}  # noqa: S608 - our own
        filled = {name for name, look in looks.items() if database.execute(look).fetchone()}
    assert filled == set(moving._FROM_MIGRATIONS)
