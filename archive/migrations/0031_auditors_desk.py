"""Give the auditor's filters indexes that hold refusals and classified work only, and the counts what stands out by.

The index over every outcome goes: of ten million entries it held nine million eight hundred
thousand that were simply done, and each act paid for it.
"""

from django.db import migrations, models

NOT_DONE = ~models.Q(outcome="ok")


SET = "UPDATE archive_tally SET is_much = %s, busiest = %s, earliest = %s, latest = %s WHERE id = %s"


def sum_up(apps, schema_editor):
    """Set the new columns of the counts there are: one statement a row, 60,000 of them in two seconds."""
    tally = apps.get_model("archive", "Tally")
    kept = []
    for pk, handled, refused, by_hour in tally.objects.order_by().values_list("pk", "handled", "refused", "handled_by_hour"):
        hours = [hour for hour, count in enumerate(by_hour) if count]
        first, last = (hours[0], hours[-1]) if hours else (None, None)
        kept.append((handled >= 20 or refused >= 5, max(by_hour), first, last, pk))
    with schema_editor.connection.cursor() as cursor:
        cursor.executemany(SET, kept)


class Migration(migrations.Migration):
    dependencies = [("archive", "0030_paper_stubs")]

    operations = [
        migrations.AddField("tally", "is_much", models.BooleanField(default=False)),
        migrations.AddField("tally", "busiest", models.PositiveIntegerField(default=0)),
        migrations.AddField("tally", "earliest", models.SmallIntegerField(null=True)),
        migrations.AddField("tally", "latest", models.SmallIntegerField(null=True)),
        migrations.RunPython(sum_up, migrations.RunPython.noop),
        migrations.RemoveIndex("auditentry", "entry_outcome"),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["outcome", "ts"], condition=NOT_DONE, name="entry_not_done")
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["outcome", "action", "ts"], condition=NOT_DONE, name="entry_not_done_action"),
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["outcome", "actor", "ts"], condition=NOT_DONE, name="entry_not_done_actor"),
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=["level", "action", "ts"], condition=models.Q(level__gt=0), name="entry_level_action"
            ),
        ),
        migrations.AddIndex("tally", models.Index(fields=["is_much", "day"], name="tally_much")),
        # An index without statistics beside indexes with them misleads SQLite (0011).
        migrations.RunSQL("ANALYZE archive_auditentry", migrations.RunSQL.noop),
    ]
