"""Give the open steps an index by their day: a desk sorted all that were due to show five."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0011_log_by_person_and_act"),
    ]

    operations = [
        migrations.AddIndex(
            model_name='step',
            index=models.Index(fields=['due_on'], condition=models.Q(('closed_at__isnull', True)), name='step_open_due'),
        ),
        # As in 0011: an index without statistics beside indexes with them misleads SQLite.
        migrations.RunSQL('ANALYZE archive_step', migrations.RunSQL.noop),
    ]
