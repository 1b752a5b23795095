"""A day of rest can be worked instead, and a day that has not come be taken back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0035_manifest")]

    operations = [
        migrations.AddField("holiday", "is_worked", models.BooleanField(default=False)),
        migrations.AddField("holiday", "taken_back_at", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField("holiday", "day", models.DateField()),
        migrations.AddConstraint(
            "holiday",
            models.UniqueConstraint(
                fields=["day"], condition=models.Q(taken_back_at__isnull=True), name="holiday_once"
            ),
        ),
    ]
