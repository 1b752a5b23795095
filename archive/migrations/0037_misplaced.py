"""A sealed object whose level has moved is noted until its bytes lie where those of its level do."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0036_days_worked_instead'),
    ]

    operations = [
        migrations.CreateModel(
            name='Misplaced',
            fields=[
                ('object', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='archive.digitalobject')),
            ],
        ),
    ]
