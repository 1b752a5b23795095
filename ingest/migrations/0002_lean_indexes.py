"""Drop the indexes that no query asks for: on who did something, and on columns that a wider index begins with.

The columns' indexes are dropped by name, so SQLite rebuilds no table.
"""

import django.db.models.deletion
from django.db import migrations, models

UNASKED = {
    "ingest_batch": ["unit_id"],
    "ingest_scan": ["batch_id", "duplicate_of_id", "original_id", "pack_id"],
}


def drop(apps, schema_editor):
    """Drop the plain index of each column, and on PostgreSQL the pattern index beside a unique one."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        for table, columns in UNASKED.items():
            for name, found in connection.introspection.get_constraints(cursor, table).items():
                is_plain = found["index"] and not (found["unique"] or found["primary_key"] or found["foreign_key"])
                if is_plain and found["columns"] and found["columns"][0] in columns and len(found["columns"]) == 1:
                    schema_editor.execute(f'DROP INDEX "{name}"')


class Migration(migrations.Migration):
    dependencies = [
        ('archive', '0008_lean_indexes'),
        ("ingest", "0001_initial"),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, migrations.RunPython.noop)],
            state_operations=[
            migrations.AlterField(
                model_name='batch',
                name='unit',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='archive.unit'),
            ),
            migrations.AlterField(
                model_name='scan',
                name='batch',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='scans', to='ingest.batch'),
            ),
            migrations.AlterField(
                model_name='scan',
                name='duplicate_of',
                field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ingest.scan'),
            ),
            ],
        ),
    ]
