"""Marks on a record that it was handed on and filed, and the indexes of the lists that ask for it."""

from django.db import migrations, models
from django.db.models import Exists, OuterRef


def mark_what_was_done(apps, schema_editor):
    """Give the dispatches registered before this version their marks."""
    record, step, item = (apps.get_model("archive", name) for name in ("Record", "Step", "DossierItem"))
    record.objects.filter(Exists(step.objects.filter(record=OuterRef("pk")))).update(is_handed=True)
    record.objects.filter(Exists(item.objects.filter(record=OuterRef("pk")))).update(is_filed=True)


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0006_after_a_restore"),
    ]

    operations = [
        migrations.AddField(
            model_name="record",
            name="is_filed",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="record",
            name="is_handed",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark_what_was_done, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="dossier",
            index=models.Index(
                models.OrderBy(models.F("year"), descending=True), models.F("code"), name="dossier_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                models.OrderBy(models.F("urgency"), descending=True),
                models.F("registered_at"),
                condition=models.Q(("direction", "incoming"), ("is_handed", False), ("state", "registered")),
                name="record_to_forward",
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("is_filed", False), ("state", "registered")),
                name="record_unfiled",
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                models.OrderBy(models.F("registered_at"), descending=True),
                condition=models.Q(("direction", "outgoing"), ("reply_to__isnull", True), ("state", "registered")),
                name="record_replies",
            ),
        ),
    ]
