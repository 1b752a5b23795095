"""A dispatch says which files and pages it has; none where acts have not said so yet."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0034_lines_close'),
    ]

    operations = [
        migrations.AddField(
            model_name='record',
            name='manifest',
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
    ]
