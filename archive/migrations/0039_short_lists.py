"""Give the answers and directions that wait, and the numbers of a day, indexes of their own."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("archive", "0038_periods_withdrawn")]

    operations = [
        migrations.AddIndex(
            "step",
            models.Index(
                fields=["answered_at"], condition=Q(closed_at__isnull=True, state="answered"), name="step_open_answered"
            ),
        ),
        migrations.AddIndex(
            "step",
            models.Index(
                fields=["created_at"], condition=Q(closed_at__isnull=True, kind="direct"), name="step_open_direct"
            ),
        ),
        migrations.AddIndex("registernumber", models.Index(fields=["register", "allotted_at"], name="number_of_day")),
        # An index without statistics beside indexes with them misleads SQLite (0011).
        migrations.RunSQL("ANALYZE archive_step", migrations.RunSQL.noop),
        migrations.RunSQL("ANALYZE archive_registernumber", migrations.RunSQL.noop),
    ]
