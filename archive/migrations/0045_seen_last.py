"""Tell what a person saw by indexes alone: the entries and pages of hits of a month lie scattered over the whole of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0044_entries_as_written")]
    operations = [
        migrations.RemoveIndex("auditentry", "entry_actor"),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["actor", "ts", "outcome", "action", "record_id", "level"], name="entry_actor"),
        ),
        migrations.AddIndex(
            "auditshown", models.Index(fields=["actor_id", "ts", "record_id", "level"], name="shown_actor")
        ),
        # An index without statistics beside indexes with them misleads SQLite (0011).
        migrations.RunSQL("ANALYZE archive_auditentry", migrations.RunSQL.noop),
        migrations.RunSQL("ANALYZE archive_auditshown", migrations.RunSQL.noop),
    ]
