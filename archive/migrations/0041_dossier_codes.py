"""The number of a hidden dossier is not told by refusing it: who may see both is told that there are two."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("archive", "0040_shown")]
    operations = [
        migrations.RemoveConstraint("dossier", "dossier_code_once"),
        # SQLite made the table anew: without statistics beside tables with them it is misled (0011).
        migrations.RunSQL("ANALYZE archive_dossier", migrations.RunSQL.noop),
    ]
