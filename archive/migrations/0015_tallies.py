"""What the log adds up to per person and day, kept filters of auditors, and the log by level."""

import archive.models.tally
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0014_clearance_fence"),
    ]

    operations = [
        migrations.CreateModel(
            name='FirstAct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(max_length=40)),
                ('level', models.SmallIntegerField(choices=[(0, 'Unclassified'), (1, 'Confidential'), (2, 'Secret'), (3, 'Top secret')])),
                ('ts', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='KeptLogFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('asked', models.CharField(max_length=600)),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('acts', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('handled', models.PositiveIntegerField(default=0)),
                ('handled_by_hour', models.JSONField(default=archive.models.tally.no_hours)),
            ],
        ),
        migrations.CreateModel(
            name='TallyPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upto', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('level__gt', 0)), fields=['level', 'ts'], name='entry_level'),
        ),
        migrations.AddField(
            model_name='firstact',
            name='person',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='keptlogfilter',
            name='person',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='tally',
            name='person',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='firstact',
            index=models.Index(fields=['ts'], name='first_act_ts'),
        ),
        migrations.AddConstraint(
            model_name='firstact',
            constraint=models.UniqueConstraint(fields=('person', 'action', 'level'), name='first_act_once'),
        ),
        migrations.AddConstraint(
            model_name='keptlogfilter',
            constraint=models.UniqueConstraint(fields=('person', 'name'), name='log_filter_once'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.UniqueConstraint(fields=('day', 'person'), name='tally_once'),
        ),
    ]
