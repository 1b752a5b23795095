"""Numbered copies: a row never goes, and only the end of a paper is written into it, once."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


KEPT = ("id", "record_id", "number", "kind", "holder_id", "made_at", "day", "pages", "reason")
WORDS = "a numbered copy stays; only the end of a paper is written once"
POSTGRESQL = """
CREATE FUNCTION archive_copy_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.fate <> '' OR {changed} THEN
        RAISE EXCEPTION '{words}' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER archive_copy_stays BEFORE UPDATE OR DELETE ON archive_copy
FOR EACH ROW EXECUTE FUNCTION archive_copy_stays();
"""


def fence(apps, schema_editor):
    """Make the triggers."""
    if schema_editor.connection.vendor == "sqlite":
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        for name, when in (
            ("only_ends", f"BEFORE UPDATE ON archive_copy WHEN OLD.fate <> '' OR {changed}"),
            ("no_delete", "BEFORE DELETE ON archive_copy"),
            ("no_replace", "BEFORE INSERT ON archive_copy WHEN EXISTS (SELECT 1 FROM archive_copy WHERE id = NEW.id)"),
        ):
            schema_editor.execute(f"CREATE TRIGGER archive_copy_{name} {when} {refuse}")
    elif schema_editor.connection.vendor == "postgresql":
        changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in KEPT)
        schema_editor.execute(POSTGRESQL.format(changed=changed, words=WORDS))


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0018_level_fence"),
    ]

    operations = [
        migrations.CreateModel(
            name='Copy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('view', 'Read on screen'), ('print', 'Printed'), ('download', 'Taken out as a file')], max_length=8)),
                ('made_at', models.DateTimeField()),
                ('day', models.DateField()),
                ('pages', models.CharField(blank=True, max_length=20)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('fate', models.CharField(blank=True, choices=[('returned', 'Given back'), ('destroyed', 'Destroyed')], max_length=9)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_note', models.CharField(blank=True, max_length=300)),
                ('ended_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('holder', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='copies', to=settings.AUTH_USER_MODEL)),
                ('record', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='copies', to='archive.record')),
            ],
            options={
                'ordering': ('-number',),
                'indexes': [models.Index(condition=models.Q(('kind', 'view'), _negated=True), fields=['holder', 'made_at'], name='copy_taken')],
                'constraints': [models.UniqueConstraint(fields=('record', 'number'), name='copy_number_once'), models.UniqueConstraint(condition=models.Q(('kind', 'view')), fields=('record', 'holder', 'day'), name='copy_one_look_a_day'), models.CheckConstraint(condition=models.Q(('fate', ''), ('kind', 'print'), _connector='OR'), name='copy_only_paper_ends'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True), ('fate', '')), models.Q(models.Q(('fate', ''), _negated=True), ('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='copy_end_is_whole')],
            },
        ),
        migrations.RunPython(fence, migrations.RunPython.noop),
    ]
