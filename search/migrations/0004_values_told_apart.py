"""Kept questions chose units, registers, dossiers and periods by name; they are counted by what each has alone now.

A name stands for everything that bears it, as it did in the index before. One that
nothing bears any more stays: it finds nothing, as before.
"""

from collections.abc import Callable, Iterable

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from search.text import vi_clean

LONGEST_CODE = 40  # of a dossier
_YEARS = {"years", "event_years"}


def tell_apart(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Rewrite the chosen values of every kept question."""
    for model in ("SavedSearch", "Asking"):
        for row in apps.get_model("search", model).objects.exclude(filters={}):
            found = {facet: _new(apps, facet, values) for facet, values in row.filters.items()}
            if found != row.filters:
                row.filters = found
                row.save(update_fields=["filters"])


def _new(apps: Apps, facet: str, values: Iterable[str]) -> list[str]:
    if facet not in _READ:
        return list(values)
    new: dict[str, None] = {}
    for value in values:
        new.update(dict.fromkeys(_READ[facet](apps, value) or [value]))
    return list(new)


def _units(apps: Apps, name: str) -> list[str]:
    rows = apps.get_model("archive", "Unit").objects.order_by("path").values_list("code", "name")
    return [code for code, its_name in rows if vi_clean(its_name) == name]


def _registers(apps: Apps, name: str) -> list[str]:
    rows = apps.get_model("archive", "Register").objects.order_by("pk").values_list("pk", "name")
    return [str(pk) for pk, its_name in rows if vi_clean(its_name) == name]


def _dossiers(apps: Apps, name: str) -> list[str]:
    codes = [name[:place] for place, sign in enumerate(name[: LONGEST_CODE + 1]) if sign == " "]
    rows = apps.get_model("archive", "Dossier").objects.filter(code__in=codes).order_by("pk")
    return [row.key for row in rows if vi_clean(f"{row.code} {row.title}") == name]


def _periods(apps: Apps, title: str) -> list[str]:
    rows = apps.get_model("archive", "RetentionRule").objects.order_by("pk")
    kept = [row for row in rows if vi_clean(row.title) == title]
    return [f"{row.kind}-{row.years}" if row.kind in _YEARS else row.kind for row in kept]


_READ: dict[str, Callable[[Apps, str], list[str]]] = {
    "unit": _units,
    "register": _registers,
    "dossier": _dossiers,
    "retention": _periods,
}


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0031_auditors_desk"),
        ("search", "0003_keeping"),
    ]

    operations = [migrations.RunPython(tell_apart, migrations.RunPython.noop)]
