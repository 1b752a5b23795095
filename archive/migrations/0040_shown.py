"""Which dispatches a page of hits showed beside the text of its entry: append-only like the log."""

import django.db.models.deletion
from django.db import migrations, models

SQLITE = (
    "CREATE TRIGGER archive_auditshown_no_update BEFORE UPDATE ON archive_auditshown "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER archive_auditshown_no_delete BEFORE DELETE ON archive_auditshown "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER archive_auditshown_no_replace BEFORE INSERT ON archive_auditshown "
    "WHEN EXISTS (SELECT 1 FROM archive_auditshown WHERE id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
)
POSTGRESQL = (
    "CREATE TRIGGER archive_auditshown_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive_auditshown "
    "FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only()",
    "ALTER TABLE archive_auditshown ENABLE ALWAYS TRIGGER archive_auditshown_append_only",
)


def fence(apps, schema_editor):
    """Give the new table its fence."""
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("archive", "0039_short_lists")]
    operations = [
        migrations.CreateModel(
            name="AuditShown",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_id", models.BigIntegerField()),
                ("level", models.SmallIntegerField()),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shown", to="archive.auditentry"
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["record_id", "id"], name="shown_record")]},
        ),
        migrations.RunPython(fence, migrations.RunPython.noop),
    ]
