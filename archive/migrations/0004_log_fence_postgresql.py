"""The log is append-only on PostgreSQL too: one statement trigger per table refuses UPDATE, DELETE and TRUNCATE.

ENABLE ALWAYS, because `session_replication_role = replica` let UPDATE and DELETE past a
plain trigger (tried). The owner of the tables can still drop it: that is why an office
runs as another role, which `manage.py prepare_database` gives INSERT and SELECT alone.
"""

from django.db import migrations

APPEND_ONLY = ("archive_auditentry", "archive_auditleaf", "archive_auditdetail")
REFUSE = """
CREATE FUNCTION archive_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$
"""


def fence(apps, schema_editor):
    """Make the function and the triggers."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(REFUSE)
    for table in APPEND_ONLY:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only()"
        )
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")


class Migration(migrations.Migration):
    dependencies = [("archive", "0003_pending_places")]
    operations = [migrations.RunPython(fence, migrations.RunPython.noop)]
