"""Let no row into the log that no program writes: larger than an entry can be, or under a hash that is not its own.

Triggers, not constraints: SQLite would make the table anew for one (ten million rows), and PostgreSQL would refuse
the update of an office that has such a row already; `verify_log` names those. On SQLite, which has no SHA-256,
only the lengths are asked. No row is read here, however long the log.
"""

from django.db import migrations

LONGEST = 65_535
SQLITE = (
    "CREATE TRIGGER archive_auditentry_as_written BEFORE INSERT ON archive_auditentry "
    f"WHEN typeof(NEW.body) <> 'blob' OR length(NEW.body) > {LONGEST} "
    "OR typeof(NEW.leaf_hash) <> 'blob' OR length(NEW.leaf_hash) <> 32 "
    "BEGIN SELECT RAISE(ABORT, 'no entry of the log is written so'); END"
)
POSTGRESQL = (
    "CREATE FUNCTION archive_entry_is_written_so() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'no entry of the log is written so' USING ERRCODE = 'check_violation'; END $$",
    "CREATE TRIGGER archive_auditentry_as_written BEFORE INSERT ON archive_auditentry FOR EACH ROW "
    f"WHEN (octet_length(NEW.body) > {LONGEST} OR NEW.leaf_hash <> sha256('\\x00'::bytea || NEW.body)) "
    "EXECUTE FUNCTION archive_entry_is_written_so()",
    "ALTER TABLE archive_auditentry ENABLE ALWAYS TRIGGER archive_auditentry_as_written",
)


def fence(apps, schema_editor):
    """Put the trigger there."""
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else (SQLITE,):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("archive", "0043_shelves")]
    operations = [migrations.RunPython(fence, migrations.RunPython.noop)]
