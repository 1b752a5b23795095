"""Let a notice of another level name the copies that its holder has to mark anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0031_auditors_desk")]

    operations = [migrations.AddField("levelnotice", "copies", models.TextField(blank=True, default=""), preserve_default=False)]
