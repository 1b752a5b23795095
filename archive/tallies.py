"""Adds the log up, day by day and person by person, for the pages that show what stands out.

Follows the places of the log, as the search index does: the counts and the place up to
which they stand change in one transaction, so every entry is counted once, also after a
kill. Acts never wait for it. Reads the log, never writes it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from archive.models import AuditLeaf, FirstAct, Tally, TallyPlace
from archive.models.tally import no_hours
from archive.rules.roles import Action

BATCH: Final = 2_000
EVERY_SECONDS: Final = 5.0
# A dispatch opened, or something taken out of the house: what a volume is counted of.
HANDLING: Final = frozenset(
    {
        Action.RECORD_READ,
        Action.RECORD_ORIGINAL,
        Action.RECORD_PRINT,
        Action.REGISTER_PRINT,
        Action.DOSSIER_PRINT,
        Action.SEARCH_EXPORT,
        Action.LOG_EXPORT,
    }
)
SUMMED_UP: Final = ("is_much", "busiest", "earliest", "latest")
_ONLY: Final = 1  # the key of the one row that says how far


@dataclass(slots=True)
class _Day:
    acts: int = 0
    refused: int = 0
    handled: int = 0
    by_hour: list[int] = field(default_factory=no_hours)


def catch_up(*, limit: int = BATCH) -> int:
    """Count the entries that have their place and were not counted yet; return how many, at most `limit`."""
    upto = TallyPlace.objects.filter(pk=_ONLY).values_list("upto", flat=True).first() or 0
    if not AuditLeaf.objects.filter(idx__gte=upto).exists():
        return 0
    with transaction.atomic():
        place = TallyPlace.objects.select_for_update().get_or_create(pk=_ONLY)[0]  # one counts, the others wait
        rows = AuditLeaf.objects.filter(idx__gte=place.upto).order_by("idx").values_list(
            "idx", "entry__actor_id", "entry__ts", "entry__action", "entry__outcome", "entry__level"
        )  # fmt: skip
        found = list(rows[:limit])
        if found:
            _count(found)
            place.upto = found[-1][0] + 1
            place.save(update_fields=["upto"])
    return len(found)


def sweep() -> None:
    """Count everything that waits, batch after batch."""
    while catch_up() == BATCH:
        continue


def by_day(since: date, until: date) -> dict[date, tuple[int, int]]:
    """Return what people did and were refused on each day of a span that has any."""
    rows = Tally.objects.filter(day__range=(since, until)).order_by().values_list("day")
    summed = rows.annotate(all=Sum("acts"), refused=Sum("refused"))
    return {day: (acts - refused, refused) for day, acts, refused in summed}


def recount() -> None:
    """Drop all counts and take them from the log again."""
    with transaction.atomic():
        TallyPlace.objects.select_for_update().get_or_create(pk=_ONLY)
        Tally.objects.all().delete()
        FirstAct.objects.all().delete()
        TallyPlace.objects.filter(pk=_ONLY).update(upto=0)
    sweep()


def _count(rows: list[tuple[Any, ...]]) -> None:
    days: dict[tuple[date, int], _Day] = defaultdict(_Day)
    firsts: dict[tuple[int, str, int], datetime] = {}
    for _idx, person, moment, action, outcome, level in rows:
        if person is None:  # the machine
            continue
        local = timezone.localtime(moment)
        day = days[local.date(), person]
        day.acts += 1
        day.refused += outcome == "denied"
        if outcome != "ok":
            continue
        firsts.setdefault((person, action, level), moment)
        if action in HANDLING:
            day.handled += 1
            day.by_hour[local.hour] += 1
    _add(days)
    FirstAct.objects.bulk_create(
        [FirstAct(person_id=person, action=action, level=level, ts=moment)
         for (person, action, level), moment in firsts.items()],
        ignore_conflicts=True,
    )  # fmt: skip


def _add(days: dict[tuple[date, int], _Day]) -> None:
    held = Tally.objects.filter(day__in={day for day, _ in days}, person_id__in={person for _, person in days})
    known = {(row.day, row.person_id): row for row in held}
    fresh = [key for key in days if key not in known]
    known |= {(day, person): Tally(day=day, person_id=person) for day, person in fresh}
    for key, more in days.items():
        row = known[key]
        row.acts += more.acts
        row.refused += more.refused
        row.handled += more.handled
        row.handled_by_hour = [one + two for one, two in zip(row.handled_by_hour, more.by_hour, strict=True)]
        row.sum_up()
    Tally.objects.bulk_create([known[key] for key in fresh])
    Tally.objects.bulk_update(
        [row for key, row in known.items() if key in days and row.pk and key not in set(fresh)],
        ["acts", "refused", "handled", "handled_by_hour", *SUMMED_UP], batch_size=200,
    )  # fmt: skip
