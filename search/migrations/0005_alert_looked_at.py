"""When a person looked last at an alert; of those that are there it is about when what they saw was written."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def begin(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the time of the place that was looked at."""
    apps.get_model("search", "Alert").objects.update(looked_at=F("seen_at"))


class Migration(migrations.Migration):
    dependencies = [("search", "0004_values_told_apart")]

    operations = [
        migrations.AddField("alert", "looked_at", models.DateTimeField(null=True)),
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.AlterField("alert", "looked_at", models.DateTimeField()),
    ]
