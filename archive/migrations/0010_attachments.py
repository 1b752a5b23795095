"""Files beside the main file of a record: an annex is a row that says who added it, when and why."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0009_work_lists"),
    ]

    operations = [
        migrations.AlterField(
            model_name='digitalobject',
            name='role',
            field=models.CharField(choices=[('original', 'Original'), ('attachment', 'Attached file'), ('pack', 'Page images and text')], max_length=10),
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ordinal', models.PositiveSmallIntegerField()),
                ('first_page', models.PositiveIntegerField()),
                ('page_count', models.PositiveIntegerField()),
                ('flags', models.JSONField(default=list)),
                ('reason', models.CharField(max_length=300)),
                ('added_at', models.DateTimeField()),
                ('added_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('original', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='attachment', to='archive.digitalobject')),
                ('pack', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='archive.digitalobject')),
                ('record', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='archive.record')),
            ],
            options={
                'ordering': ('ordinal',),
                'constraints': [models.UniqueConstraint(fields=('record', 'ordinal'), name='attachment_once')],
            },
        ),
    ]
