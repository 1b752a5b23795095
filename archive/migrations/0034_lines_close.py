"""A line of the file plan can be closed: dossiers are opened under the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0033_posting")]

    operations = [migrations.AddField("recordclass", "closed_on", models.DateField(blank=True, null=True))]
