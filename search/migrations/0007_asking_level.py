"""A question is read again only under the clearance with which it was asked."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('search', '0006_units_by_number'),
    ]

    operations = [
        migrations.AddField(
            model_name='asking',
            name='level',
            field=models.SmallIntegerField(choices=[(0, 'Unclassified'), (1, 'Confidential'), (2, 'Secret'), (3, 'Top secret')], default=0),
        ),
    ]
