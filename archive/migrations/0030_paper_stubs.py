"""Paper stubs: neither file, page nor words while they are open; places of paper and voided files are written once.

Second line behind `archive.papers` and `archive.attachments`, on both databases. A later migration
that rebuilds archive_record, archive_digitalobject or archive_page on SQLite drops its triggers:
`test_papers` fails then.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

NO_FILE = "a dispatch kept on paper alone takes no file"
NO_WORDS = "a dispatch kept on paper alone has neither abstract nor note"
ONCE = "a stub only ends, once; its places and voided files are written once"
OPEN = "EXISTS (SELECT 1 FROM archive_paperstub WHERE record_id = NEW.record_id AND ended_at IS NULL)"
TOP = "EXISTS (SELECT 1 FROM archive_record WHERE id = NEW.record_id AND level = 3)"
OF_RECORD = "EXISTS (SELECT 1 FROM archive_paperstub WHERE record_id = NEW.id AND ended_at IS NULL)"
BARE = (
    "NEW.ended_at IS NULL AND (EXISTS (SELECT 1 FROM archive_digitalobject WHERE record_id = NEW.record_id)"
    " OR EXISTS (SELECT 1 FROM archive_page WHERE record_id = NEW.record_id)"
    " OR EXISTS (SELECT 1 FROM archive_record WHERE id = NEW.record_id AND (subject <> '' OR description <> '')))"
)
ENDED = f"OLD.ended_at IS NOT NULL OR NEW.record_id <> OLD.record_id OR NEW.ended_at IS NULL OR {TOP}"
MOVED = "NEW.record_id IS NOT NULL AND (OLD.record_id IS NULL OR NEW.record_id <> OLD.record_id)"
SAID = f"(NEW.subject <> '' OR NEW.description <> '') AND {OF_RECORD}"
# name, when, table, condition, words
FENCES = (
    ("object_insert", "BEFORE INSERT", "archive_digitalobject", f"{OPEN} OR {TOP}", NO_FILE),
    ("object_update", "BEFORE UPDATE", "archive_digitalobject", f"{MOVED} AND ({OPEN} OR {TOP})", NO_FILE),
    ("page_insert", "BEFORE INSERT", "archive_page", f"{OPEN} OR {TOP}", NO_FILE),
    ("page_update", "BEFORE UPDATE", "archive_page", f"{MOVED} AND ({OPEN} OR {TOP})", NO_FILE),
    ("words", "BEFORE UPDATE", "archive_record", SAID, NO_WORDS),
    ("bare", "BEFORE INSERT", "archive_paperstub", BARE, NO_FILE),
    ("ends", "BEFORE UPDATE", "archive_paperstub", ENDED, ONCE),
    ("stays", "BEFORE DELETE", "archive_paperstub", "", ONCE),
    ("place_update", "BEFORE UPDATE", "archive_paperplace", "", ONCE),
    ("place_delete", "BEFORE DELETE", "archive_paperplace", "", ONCE),
    ("void_update", "BEFORE UPDATE", "archive_attachmentvoid", "", ONCE),
    ("void_delete", "BEFORE DELETE", "archive_attachmentvoid", "", ONCE),
)
KEYS = {"archive_paperstub": "record_id", "archive_paperplace": "id", "archive_attachmentvoid": "attachment_id"}


def fence(apps, schema_editor):
    """Make the triggers."""
    if schema_editor.connection.vendor == "sqlite":
        _on_sqlite(schema_editor)
    elif schema_editor.connection.vendor == "postgresql":
        _on_postgresql(schema_editor)


def _on_sqlite(editor):
    for name, when, table, condition, words in FENCES:
        guard = f" WHEN {condition}" if condition else ""
        editor.execute(
            f"CREATE TRIGGER archive_paper_{name} {when} ON {table}{guard} "
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )
    for table, key in KEYS.items():  # INSERT OR REPLACE asks no trigger of deletion
        editor.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN SELECT RAISE(ABORT, '{ONCE}'); END"
        )


def _on_postgresql(editor):
    for name, when, table, condition, words in FENCES:
        refuse = f"RAISE EXCEPTION '{words}' USING ERRCODE = 'insufficient_privilege';"
        body = f"IF {condition} THEN {refuse} END IF; RETURN NEW;" if condition else refuse
        editor.execute(
            f"CREATE FUNCTION archive_paper_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            params=None,
        )
        editor.execute(
            f"CREATE TRIGGER archive_paper_{name} {when} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION archive_paper_{name}()",
            params=None,
        )


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0029_signs_in_by'),
    ]

    operations = [
        migrations.CreateModel(
            name='AttachmentVoid',
            fields=[
                ('attachment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='void', serialize=False, to='archive.attachment')),
                ('reason', models.CharField(max_length=300)),
                ('voided_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='PaperPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('copies', models.PositiveSmallIntegerField()),
                ('holder', models.CharField(max_length=200)),
                ('place', models.CharField(max_length=200)),
                ('signed_by', models.CharField(max_length=100)),
                ('signed_on', models.DateField()),
                ('written_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='PaperStub',
            fields=[
                ('record', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='stub', serialize=False, to='archive.record')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='levelproposal',
            name='level_proposal_open_once',
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('record', 'to_level'), name='level_proposal_open_once'),
        ),
        migrations.AddField(
            model_name='attachmentvoid',
            name='voided_by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='paperplace',
            name='record',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='archive.record'),
        ),
        migrations.AddField(
            model_name='paperplace',
            name='written_by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='paperstub',
            name='ended_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='attachmentvoid',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='attachment_void_has_reason'),
        ),
        migrations.AddIndex(
            model_name='paperplace',
            index=models.Index(fields=['record', '-id'], name='paper_of_record'),
        ),
        migrations.AddConstraint(
            model_name='paperplace',
            constraint=models.CheckConstraint(condition=models.Q(('copies__gte', 1)), name='paper_of_one_copy_at_least'),
        ),
        migrations.AddConstraint(
            model_name='paperstub',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='stub_end_is_whole'),
        ),
        migrations.RunPython(fence, migrations.RunPython.noop),
    ]
