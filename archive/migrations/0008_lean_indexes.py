"""Drop the indexes that no query asks for: on who did something, and on columns that a wider index begins with.

46 on PostgreSQL, six of them written by every registration. A pattern index of PostgreSQL (`varchar_pattern_ops`) beside a unique one serves
prefixes; no one searches these columns by prefix.
The columns' indexes are dropped by name, so SQLite rebuilds no table.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

UNASKED = {
    "archive_clearance": ["granted_by_id"],
    "archive_unitscope": ["unit_id"],
    "archive_grant": ["granted_by_id", "person_id"],
    "archive_unit": ["code", "parent_id"],
    "archive_personrole": ["granted_by_id"],
    "archive_servicetoken": ["digest", "person_id"],
    "archive_dossier": ["closed_by_id", "key", "opened_by_id", "record_class_id", "rule_id"],
    "archive_dossieritem": ["dossier_id", "filed_by_id"],
    "archive_hold": ["lifted_by_id", "placed_by_id"],
    "archive_holditem": ["hold_id"],
    "archive_record": ["created_by_id", "key", "registered_by_id"],
    "archive_page": ["record_id"],
    "archive_register": ["unit_id"],
    "archive_registercounter": ["register_id"],
    "archive_registernumber": ["allotted_by_id", "register_id", "voided_by_id"],
    "archive_restoration": ["acknowledged_by_id"],
    "archive_papercheck": ["confirmed_by_id", "register_id"],
    "archive_step": ["answered_by_id", "received_by_id", "record_id"],
    "archive_recordclass": ["parent_id", "rule_id"],
    "archive_digitalobject": ["address", "sha256"],
    "archive_marking": ["name"],
    "archive_person": ["username"],
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
        ("archive", "0007_waiting_lists"),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, migrations.RunPython.noop)],
            state_operations=[
            migrations.AlterField(
                model_name='clearance',
                name='granted_by',
                field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='dossier',
                name='closed_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='dossier',
                name='opened_by',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='dossier',
                name='record_class',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dossiers', to='archive.recordclass'),
            ),
            migrations.AlterField(
                model_name='dossier',
                name='rule',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dossiers', to='archive.retentionrule'),
            ),
            migrations.AlterField(
                model_name='dossieritem',
                name='dossier',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='archive.dossier'),
            ),
            migrations.AlterField(
                model_name='dossieritem',
                name='filed_by',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='grant',
                name='granted_by',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='grant',
                name='person',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='hold',
                name='lifted_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='hold',
                name='placed_by',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='holditem',
                name='hold',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='archive.hold'),
            ),
            migrations.AlterField(
                model_name='page',
                name='record',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pages', to='archive.record'),
            ),
            migrations.AlterField(
                model_name='papercheck',
                name='confirmed_by',
                field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='papercheck',
                name='register',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='paper_checks', to='archive.register'),
            ),
            migrations.AlterField(
                model_name='personrole',
                name='granted_by',
                field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='record',
                name='created_by',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='record',
                name='registered_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='recordclass',
                name='parent',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='archive.recordclass'),
            ),
            migrations.AlterField(
                model_name='recordclass',
                name='rule',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='classes', to='archive.retentionrule'),
            ),
            migrations.AlterField(
                model_name='register',
                name='unit',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='registers', to='archive.unit'),
            ),
            migrations.AlterField(
                model_name='registercounter',
                name='register',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='counters', to='archive.register'),
            ),
            migrations.AlterField(
                model_name='registernumber',
                name='allotted_by',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='registernumber',
                name='register',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='numbers', to='archive.register'),
            ),
            migrations.AlterField(
                model_name='registernumber',
                name='voided_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='restoration',
                name='acknowledged_by',
                field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='servicetoken',
                name='person',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tokens', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='step',
                name='answered_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='step',
                name='received_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AlterField(
                model_name='step',
                name='record',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='archive.record'),
            ),
            migrations.AlterField(
                model_name='unit',
                name='parent',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='archive.unit'),
            ),
            migrations.AlterField(
                model_name='unitscope',
                name='unit',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='archive.unit'),
            ),
            migrations.AlterField(
                model_name='digitalobject',
                name='sha256',
                field=models.CharField(max_length=64),
            ),
            ],
        ),
    ]
