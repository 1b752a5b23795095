"""A period withdrawn before its day leaves the day free for another one."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0037_misplaced'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='protectionperiod',
            name='protection_version_once',
        ),
        migrations.RemoveConstraint(
            model_name='retentionrule',
            name='rule_version_once',
        ),
        migrations.AddConstraint(
            model_name='protectionperiod',
            constraint=models.UniqueConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), fields=('level', 'valid_from'), name='protection_version_once'),
        ),
        migrations.AddConstraint(
            model_name='retentionrule',
            constraint=models.UniqueConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), fields=('code', 'valid_from'), name='rule_version_once'),
        ),
    ]
