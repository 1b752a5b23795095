"""Each index says on the server which query it serves."""

import pytest
from django.db import connection

from config import index_comments
from config.index_comments import QUERIES

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("postgresql", "db")]


def test_every_index_says_which_query_it_serves():
    index_comments.write()
    found = index_comments.indexes()
    assert len(found) > 50
    assert [f"{table}: {name}" for table, name, _said, kept in found if not kept] == []
    assert all(said == kept for _table, _name, said, kept in found)


def test_no_line_tells_of_an_index_that_is_gone():
    said = {(table, text) for table, _name, text, _kept in index_comments.indexes()}
    lines = [(table, text) for table, columns in QUERIES.items() for text in columns.values()]
    assert [line for line in lines if line not in said] == []


def test_no_index_is_the_beginning_of_a_wider_plain_one():
    """Such an index costs every write and answers nothing that the wider one would not."""
    statement = """
    SELECT a.indexrelid::regclass::text, b.indexrelid::regclass::text FROM pg_index a JOIN pg_index b
    ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid AND a.indpred IS NULL AND b.indpred IS NULL
    AND NOT a.indisunique AND a.indexprs IS NULL AND b.indexprs IS NULL
    AND b.indkey::text LIKE a.indkey::text || ' %' AND a.indclass::text = left(b.indclass::text, length(a.indclass::text))
    AND a.indoption::text = left(b.indoption::text, length(a.indoption::text))
    WHERE a.indrelid::regclass::text ~ '^(archive|ingest)_'
    """
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.fetchall() == []
