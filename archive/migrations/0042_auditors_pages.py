"""Give the auditor's pages over a long log their indexes, and what pages of hits showed the person and the moment of its entry."""

from django.db import migrations, models
from django.db.models import Q

# The fence of 0040 stands aside for these statements alone: the values are copied from entries that none changes.
COPY = (
    "UPDATE archive_auditshown SET "
    "actor_id = (SELECT e.actor_id FROM archive_auditentry e WHERE e.id = archive_auditshown.entry_id), "
    "ts = (SELECT e.ts FROM archive_auditentry e WHERE e.id = archive_auditshown.entry_id)"
)
SQLITE = (
    "ALTER TABLE archive_auditshown ADD COLUMN actor_id bigint NOT NULL DEFAULT 0",
    "ALTER TABLE archive_auditshown ADD COLUMN ts datetime NOT NULL DEFAULT ''",
    "DROP TRIGGER archive_auditshown_no_update",
    COPY,
    "CREATE TRIGGER archive_auditshown_no_update BEFORE UPDATE ON archive_auditshown "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
)
POSTGRESQL = (
    "ALTER TABLE archive_auditshown ADD COLUMN actor_id bigint NOT NULL DEFAULT 0",
    "ALTER TABLE archive_auditshown ADD COLUMN ts timestamp with time zone NOT NULL DEFAULT 'epoch'",
    "ALTER TABLE archive_auditshown DISABLE TRIGGER archive_auditshown_append_only",
    COPY,
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ALTER TABLE archive_auditshown ENABLE ALWAYS TRIGGER archive_auditshown_append_only",
    "ALTER TABLE archive_auditshown ALTER COLUMN actor_id DROP DEFAULT, ALTER COLUMN ts DROP DEFAULT",
)
CLASSIFIED = Q(level__gt=0)
KEY_REFUSED = Q(record_id__isnull=True) & ~Q(outcome="ok") & (Q(object_type="record") | Q(object_type="original"))


def copy(apps, schema_editor):
    """Add the columns and fill them from the entries."""
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("archive", "0041_dossier_codes")]
    operations = [
        migrations.RemoveIndex("auditshown", "shown_record"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(copy, migrations.RunPython.noop)],
            state_operations=[
                migrations.AddField("auditshown", "actor_id", models.BigIntegerField(), preserve_default=False),
                migrations.AddField("auditshown", "ts", models.DateTimeField(), preserve_default=False),
            ],
        ),
        migrations.AddIndex("auditshown", models.Index(fields=["record_id", "ts", "actor_id"], name="shown_record")),
        migrations.RemoveIndex("auditentry", "entry_actor"),
        migrations.AddIndex("auditentry", models.Index(fields=["actor", "ts", "outcome"], name="entry_actor")),
        migrations.RemoveIndex("auditentry", "entry_record"),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=["record_id", "ts", "actor", "action", "outcome"],
                condition=Q(record_id__isnull=False),
                name="entry_record",
            ),
        ),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["object_id", "ts"], condition=KEY_REFUSED, name="entry_key_refused")
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["level", "actor", "ts"], condition=CLASSIFIED, name="entry_level_actor"),
        ),
        # An index without statistics beside indexes with them misleads SQLite (0011).
        migrations.RunSQL("ANALYZE archive_auditentry", migrations.RunSQL.noop),
        migrations.RunSQL("ANALYZE archive_auditshown", migrations.RunSQL.noop),
    ]
