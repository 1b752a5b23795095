"""A scan may join a record as one more file of it, instead of becoming a draft."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0010_attachments'),
        ("ingest", "0002_lean_indexes"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='scan',
            name='scan_filed_has_record',
        ),
        migrations.AddField(
            model_name='scan',
            name='joins',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='joining', to='archive.record'),
        ),
        migrations.AddField(
            model_name='scan',
            name='why',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name='batch',
            name='channel',
            field=models.CharField(choices=[('web', 'Web upload'), ('folder', 'Watched folder'), ('command', 'Command'), ('api', 'API'), ('record', 'Added to a dispatch')], max_length=10),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(condition=models.Q(('joins__isnull', False)), fields=['joins', 'created_at'], name='scan_joining'),
        ),
        migrations.AddConstraint(
            model_name='scan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'filed'), _negated=True), ('record__isnull', False), ('joins__isnull', False), _connector='OR'), name='scan_filed_has_record'),
        ),
        migrations.AddConstraint(
            model_name='scan',
            constraint=models.CheckConstraint(condition=models.Q(('record__isnull', True), ('joins__isnull', True), _connector='OR'), name='scan_one_record'),
        ),
    ]
