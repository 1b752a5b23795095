"""Faults planted for the rule raw-sql, and what it must let pass."""

from django.db.models.expressions import RawSQL


def planted(cursor, records, name):
    # ruleid: raw-sql
    cursor.execute("SELECT * FROM record WHERE subject = '" + name + "'")
    # ruleid: raw-sql
    cursor.execute(f"SELECT * FROM record WHERE subject = '{name}'")
    # ruleid: raw-sql
    cursor.execute("SELECT * FROM record WHERE subject = '%s'" % name)
    # ruleid: raw-sql
    cursor.executemany("DELETE FROM {}".format(name), [])
    # ruleid: raw-sql
    records.raw("SELECT * FROM record WHERE subject = '" + name + "'")
    # ruleid: raw-sql
    records.extra(where=["subject = '%s'" % name])
    # ruleid: raw-sql
    records.annotate(it=RawSQL("SELECT '" + name + "'", []))
    asked = f"SELECT * FROM record WHERE subject = '{name}'"
    # ruleid: raw-sql
    cursor.execute(asked)


def fair(cursor, records, name):
    # ok: raw-sql
    cursor.execute("SELECT * FROM record WHERE subject = %s", [name])
    # ok: raw-sql
    records.raw("SELECT * FROM record WHERE subject = %s", [name])
