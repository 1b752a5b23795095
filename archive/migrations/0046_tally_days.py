"""Tell the days of three months, and what is usual for each person, by an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0045_seen_last")]
    operations = [
        migrations.AddIndex(
            "tally", models.Index(fields=["day", "person", "acts", "refused", "handled"], name="tally_days")
        ),
        # An index without statistics beside indexes with them misleads SQLite (0011).
        migrations.RunSQL("ANALYZE archive_tally", migrations.RunSQL.noop),
    ]
