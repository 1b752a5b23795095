"""Give the work lists their own indexes of open, returned and directed steps, in place of those on all steps ever made.

The plain indexes are dropped by name, so SQLite rebuilds no table.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

REPLACED = ["closed_by_id", "from_person_id", "parent_id"]


def drop(apps, schema_editor):
    """Drop the plain index of each column."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        for name, found in connection.introspection.get_constraints(cursor, "archive_step").items():
            is_plain = found["index"] and not (found["unique"] or found["primary_key"] or found["foreign_key"])
            if is_plain and found["columns"] in ([column] for column in REPLACED):
                schema_editor.execute(f'DROP INDEX "{name}"')


class Migration(migrations.Migration):
    dependencies = [("archive", "0008_lean_indexes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="step",
                    name="closed_by",
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                migrations.AlterField(
                    model_name="step",
                    name="parent",
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="children", to="archive.step"),
                ),
                migrations.AlterField(
                    model_name="step",
                    name="from_person",
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="steps_given", to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(condition=models.Q(("parent__isnull", False)), fields=["parent"], name="step_children"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(condition=models.Q(("closed_at__isnull", True)), fields=["from_person", "due_on"], name="step_open_from"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(condition=models.Q(("parent__isnull", True), ("state", "returned")), fields=["from_person"], name="step_returned"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(condition=models.Q(("kind", "direct"), ("state", "done")), fields=["closed_by", "closed_at"], name="step_directed"),
        ),
    ]
