"""On which days the office rests or works against the week, as the pure rules want it. Reads the rows, writes nothing."""

from datetime import date

from archive.models import Holiday
from archive.rules.workdays import Calendar


def calendar(since: date, until: date | None = None) -> Calendar:
    """Return the holidays and the days worked instead from a local day on, or up to another one, both counted."""
    rows = Holiday.objects.filter(taken_back_at__isnull=True, day__gte=since)
    if until is not None:
        rows = rows.filter(day__lte=until)
    days = list(rows.values_list("day", "is_worked"))
    return Calendar({day for day, worked in days if not worked}, {day for day, worked in days if worked})
