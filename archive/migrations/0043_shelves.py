"""Say for each reader what is not filed: in whose dossiers a record lies stands beside need-to-know.

"Not filed yet" was one mark of the record: its absence from a reader's list told of a dossier
hidden from them.
"""

import hashlib
from collections import defaultdict

import django.db.models.deletion
from django.core.management.color import no_style
from django.db import migrations, models

RECORDS = 10_000
NO_DOSSIER = 1
LEVELS = [(0, "Unclassified"), (1, "Confidential"), (2, "Secret"), (3, "Top secret")]


def fill(apps, schema_editor):
    """Number the combinations of units and levels that there are, and write them beside each filed record."""
    shelf, part = apps.get_model("archive", "Shelf"), apps.get_model("archive", "ShelfPart")
    access, item = apps.get_model("archive", "Access"), apps.get_model("archive", "DossierItem")
    shelf.objects.get_or_create(pk=NO_DOSSIER, defaults={"name": ""})
    # PostgreSQL draws ids from a sequence that does not see an id given by hand.
    for statement in schema_editor.connection.ops.sequence_reset_sql(no_style(), [shelf]):
        schema_editor.execute(statement)
    numbers = {}
    last = item.objects.aggregate(last=models.Max("record"))["last"] or 0
    for start in range(0, last + 1, RECORDS):
        lowest = defaultdict(dict)
        rows = item.objects.filter(record__gte=start, record__lt=start + RECORDS).order_by()
        for record, unit, level in rows.values_list("record", "dossier__unit", "dossier__level"):
            lowest[record][unit] = min(level, lowest[record].get(unit, level))
        together = defaultdict(list)
        for record, units in lowest.items():
            together[tuple(sorted(units.items()))].append(record)
        for parts, records in together.items():
            if parts not in numbers:
                name = hashlib.sha256(",".join(f"{unit}:{level}" for unit, level in parts).encode()).hexdigest()
                made = shelf.objects.create(name=name)
                part.objects.bulk_create(part(shelf=made, unit_id=unit, level=level) for unit, level in parts)
                numbers[parts] = made.pk
            for first in range(0, len(records), 500):
                access.objects.filter(record__in=records[first : first + 500]).update(shelf=numbers[parts])


class Migration(migrations.Migration):
    dependencies = [("archive", "0042_auditors_pages")]
    operations = [
        migrations.CreateModel(
            "Shelf",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, unique=True)),
            ],
        ),
        migrations.CreateModel(
            "ShelfPart",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.SmallIntegerField(choices=LEVELS)),
                (
                    "shelf",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="archive.shelf",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="archive.unit",
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=["shelf", "unit"], name="shelf_unit_once")]},
        ),
        # Django would make the table anew on SQLite, with row ids (vankho.W040).
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    f"ALTER TABLE archive_access ADD COLUMN shelf integer NOT NULL DEFAULT {NO_DOSSIER}",
                    "ALTER TABLE archive_access DROP COLUMN shelf",
                )
            ],
            [migrations.AddField("access", "shelf", models.IntegerField(default=NO_DOSSIER))],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "access", models.Index(fields=["principal", "shelf", "level", "record"], name="access_shelf")
        ),
        migrations.RemoveIndex("record", "record_unfiled"),
        migrations.RemoveField("record", "is_filed"),
        # Without statistics beside tables with them SQLite is misled (0011).
        migrations.RunSQL("ANALYZE archive_access", migrations.RunSQL.noop),
        migrations.RunSQL("ANALYZE archive_record", migrations.RunSQL.noop),
    ]
