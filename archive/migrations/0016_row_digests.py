"""Digests of rows that decide about access, append-only like the log; details of an entry may be destroyed by an act."""

import django.db.models.deletion
from django.db import migrations, models

SQLITE = """
DROP TRIGGER archive_auditdetail_no_delete;
CREATE TRIGGER archive_auditdetail_no_delete BEFORE DELETE ON archive_auditdetail
WHEN NOT EXISTS (SELECT 1 FROM archive_auditentry WHERE object_type = 'entry' AND object_id = OLD.entry_id
    AND action = 'log.forget' AND outcome = 'ok')
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER archive_auditrow_no_update BEFORE UPDATE ON archive_auditrow
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER archive_auditrow_no_delete BEFORE DELETE ON archive_auditrow
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER archive_auditrow_no_replace BEFORE INSERT ON archive_auditrow
WHEN EXISTS (SELECT 1 FROM archive_auditrow WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
"""
POSTGRESQL = """
DROP TRIGGER archive_auditdetail_append_only ON archive_auditdetail;
CREATE TRIGGER archive_auditdetail_append_only BEFORE UPDATE OR TRUNCATE ON archive_auditdetail
FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only();
ALTER TABLE archive_auditdetail ENABLE ALWAYS TRIGGER archive_auditdetail_append_only;
CREATE FUNCTION archive_detail_is_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM archive_auditentry WHERE object_type = 'entry'
        AND object_id = replace(OLD.entry_id::text, '-', '') AND action = 'log.forget' AND outcome = 'ok') THEN
        RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER archive_auditdetail_forgotten BEFORE DELETE ON archive_auditdetail
FOR EACH ROW EXECUTE FUNCTION archive_detail_is_forgotten();
ALTER TABLE archive_auditdetail ENABLE ALWAYS TRIGGER archive_auditdetail_forgotten;
CREATE TRIGGER archive_auditrow_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive_auditrow
FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only();
ALTER TABLE archive_auditrow ENABLE ALWAYS TRIGGER archive_auditrow_append_only;
"""


def fence(apps, schema_editor):
    """Give the new table its fence; let details go when an entry says so."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
        return
    for statement in _statements():
        schema_editor.execute(statement)


def _statements():
    """Return the statements of SQLite one by one; it takes no two at once."""
    drop, rest = SQLITE.strip().split(";\n", 1)
    return [drop, *(f"{each.strip()} END" for each in rest.split("END;") if each.strip())]


class Migration(migrations.Migration):
    dependencies = [("archive", "0015_tallies")]
    operations = [
        migrations.CreateModel(
            name="AuditRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("row_id", models.BigIntegerField()),
                ("salt", models.BinaryField(max_length=16)),
                ("columns", models.TextField()),
                ("digests", models.BinaryField()),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rows", to="archive.auditentry"
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["kind", "row_id", "id"], name="row_digest")]},
        ),
        migrations.RunPython(fence, migrations.RunPython.noop),
    ]
