"""Forms of a query that a database's planner must be told, each in one place.

Measured at a million records (see config/decisions/speed.md). SQLite takes a condition as
it is written; PostgreSQL rewrites it, and guessed wrong twice. Nothing here decides who
may see what: the rows are the same in every form.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Exists, F, Func, QuerySet, Subquery


class ByRow(Exists):
    """EXISTS that is asked for each row by the index of the inner table, never as a join.

    For an outer set that its own index keeps small or in order. PostgreSQL took 209 rows for
    210,000 and hashed the whole inner table (1.2 s); OFFSET 0 forbids it to make a join of it.
    """

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return the SQL of PostgreSQL."""
        return self.as_sql(compiler, connection, template="EXISTS(%(subquery)s OFFSET 0)", **context)


class OneOf(Func):
    """Whether a column is one of the few ids that a query finds: they are found first, then the rows by their key.

    With the ids as a ninth table of a join PostgreSQL joined the other eight first, whole
    (`join_collapse_limit`; 4 to 6 s for a page of 25 steps); an array is no table.
    """

    template = "%(expressions)s"
    arg_joiner = " IN "
    output_field = BooleanField()

    def __init__(self, column: str, ids: QuerySet[Any, Any]) -> None:
        """Take a column and a query of one column, as a rule ordered and sliced."""
        super().__init__(F(column), Subquery(ids))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return the SQL of PostgreSQL."""
        return self.as_sql(compiler, connection, template="%(expressions)s)", arg_joiner=" = ANY(ARRAY", **context)


class Known(Func):
    """The condition of a partial index, said beside one that implies it: SQLite looks for such an index by it alone.

    Bare, SQLite would walk the index by this condition instead of the narrower one, and sort; `likely` is not walked by.
    """

    arity = 1
    function = "likely"
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return the SQL of PostgreSQL."""
        return self.as_sql(compiler, connection, template="(%(expressions)s)", **context)


class Restated(Func):
    """A condition that one beside it says already: kept for the rows, not counted again by the planner.

    PostgreSQL takes the two for independent: it expected one open step where 12,300 were, and sorted them all for the
    first 25 instead of walking their index in order (50 ms). An expression that it cannot weigh it takes for half.
    """

    arity = 1
    template = "%(expressions)s"
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return the SQL of PostgreSQL."""
        return self.as_sql(compiler, connection, template="COALESCE(%(expressions)s, FALSE)", **context)


class ByItself(Func):
    """A column that is compared row by row and never looked up: the rows come in the order of another index.

    SQLite takes an index over a list of values and sorts all that it finds (a person's reads of three years for a page of
    fifty); PostgreSQL weighs the limit against the sort by its statistics.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Return the SQL of SQLite, whose unary plus does nothing but keep an index away."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class InSpans(Func):
    """Whether a moment lies in one of many spans [start, end), given in the order of time: halved and halved again.

    One after another, ninety spans were compared with each entry (35 ms of a page of a thousand); as conditions of
    their own they took Django longer to write than the database to answer.
    """

    arity = 1
    output_field = BooleanField()

    def __init__(self, column: Any, spans: Sequence[tuple[datetime, datetime]] = ()) -> None:
        """Take a column of moments and the spans."""
        super().__init__(column)
        self.spans = spans

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> tuple[str, Any]:
        """Return the SQL of both databases."""
        column, none = compiler.compile(self.get_source_expressions()[0])
        moment = connection.ops.adapt_datetimefield_value
        values: list[Any] = []

        def said(spans: Sequence[tuple[datetime, datetime]]) -> str:
            if len(spans) <= 1:
                values.extend(moment(each) for span in spans for each in span)
                return f"({column} >= %s AND {column} < %s)" if spans else "FALSE"
            middle = len(spans) // 2
            values.append(moment(spans[middle][0]))
            return f"CASE WHEN {column} < %s THEN {said(spans[:middle])} ELSE {said(spans[middle:])} END"

        return said(self.spans), values + list(none)


def newest_of(ways: Sequence[QuerySet[Any, Any]], most: int) -> list[tuple[Any, ...]]:
    """Return at most so many rows that several queries find, by their first column, the highest first; a row of two ways twice.

    Each way is sliced and ordered by itself, so that it stops at its index: Django writes no union of such for SQLite. Their
    columns are those of the last.
    """
    parts: list[str] = []
    values: list[Any] = []
    written: Any = None
    for way in ways:
        compiler = way.query.get_compiler(connection=connection)
        with suppress(EmptyResultSet):
            sql, given = compiler.as_sql()
            parts.append(f"SELECT * FROM ({sql}) AS way_{len(parts)}")  # noqa: S608 - written by Django
            values += given
            written = compiler
    if written is None:
        return []
    with connection.cursor() as cursor:
        # nosemgrep: raw-sql - written by Django, values apart
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1 DESC LIMIT {most:d}", values)
        found = cursor.fetchall()
    convert = written.get_converters([column for column, *_said in written.select])
    return [tuple(row) for row in written.apply_converters(found, convert)]


def at_moments(column: str, moments: Collection[datetime]) -> dict[str, Any]:
    """Return the bound of a column for rows that are known to be the newest, by their moments.

    PostgreSQL looks each up: given a span it walked half a month of everybody for the fifty entries of seven people, as it
    expects ten times as many. SQLite takes the index of those people, and keeps a moment as text, which has no equal in
    another form of it.
    """
    if connection.vendor == "postgresql":
        return {f"{column}__in": sorted(set(moments))}
    return {f"{column}__gte": min(moments)}


@dataclass(frozen=True, slots=True)
class Written:
    """A query of plain columns as its database is asked it: text and values; "" when it can find nothing.

    Django takes ten times as long to write some of them (3 ms for the facts of a person, 16 for the
    counts of a leader's rail) as SQLite takes to answer. Keep one only under everything it was written from.
    """

    sql: str
    values: tuple[Hashable, ...]

    @classmethod
    def of(cls, rows: QuerySet[Any, Any]) -> "Written":
        """Write a query of `values_list`; its values must be such as need no conversion (numbers, text)."""
        try:
            sql, values = rows.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            return cls("", ())
        return cls(sql, tuple(values))

    def ask(self, instead: Mapping[Any, Any]) -> list[tuple[Any, ...]]:
        """Return the rows as they are now, with other values in the place of some that the query was written with."""
        if not self.sql:
            return []
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [instead.get(value, value) for value in self.values])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
