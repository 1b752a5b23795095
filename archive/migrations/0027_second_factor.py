"""One authenticator for a person: its sealed key, the last step, recovery codes as digests."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0023_numbered_copies"),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='second_factor', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('sealed', models.BinaryField()),
                ('last_step', models.BigIntegerField()),
                ('recovery', models.JSONField(default=list)),
                ('enrolled_at', models.DateTimeField()),
            ],
        ),
    ]
