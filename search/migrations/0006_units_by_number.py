"""Kept questions chose units by code; a code may change, so they are chosen by number now."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def by_number(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Rewrite the chosen units of every kept question; a code that no unit has is left as no number and finds nothing, as before."""
    numbers = {code: str(pk) for pk, code in apps.get_model("archive", "Unit").objects.values_list("pk", "code")}
    for model in ("SavedSearch", "Asking"):
        for row in apps.get_model("search", model).objects.exclude(filters={}):
            if chosen := row.filters.get("unit"):
                row.filters = {**row.filters, "unit": [numbers.get(code) or _gone(code) for code in chosen]}
                row.save(update_fields=["filters"])


def _gone(code: str) -> str:
    """Return a code that no unit has; one of digits would choose the unit of that number."""
    return f"mã {code}" if code.isdecimal() else code


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0037_misplaced"),
        ("search", "0005_alert_looked_at"),
    ]

    operations = [migrations.RunPython(by_number, migrations.RunPython.noop)]
