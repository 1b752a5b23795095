"""Does the table of need-to-know say what the facts give? The nightly look behind `archive.access.derive`.

`Access` rows are worked out from units, steps and openings in the act that changes these,
and in whose dossiers a record lies from what is filed (`archive.shelves`). They lie under no
digest: each night they are worked out once more. One that no fact gives was put in past the
office; one that is missing was taken away. Changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Max

from archive import shelves
from archive.access import NO_MARKING, given_by, reasons
from archive.models import Access, DossierItem, Grant, Record, Shelf, Step
from archive.models.route import LIVE_STATES
from archive.vouching import Fault

Row = tuple[int, int, int, int, int, int]  # as in _COLUMNS
_COLUMNS: Final = ("principal", "source", "since", "until", "level", "marking")
_RECORDS: Final = 1_000


def faults() -> Iterator[Fault]:
    """Yield every record whose rows of need-to-know are not what its facts give."""
    for shelf in shelves.misnamed():
        yield Fault("shelf", str(shelf.pk), "units that it was not made of", ())
    last = Record.objects.aggregate(last=Max("pk"))["last"] or 0
    names = dict(Shelf.objects.values_list("pk", "name"))
    for start in range(0, last + 1, _RECORDS):
        yield from _among(start, start + _RECORDS, names)


def _among(start: int, end: int, names: Mapping[int, str]) -> Iterator[Fault]:
    """Look at records by their numbers, [start, end): five statements for all of them. A shelf made since is looked at twice."""
    span = {"record__gte": start, "record__lt": end}
    steps: dict[int, list[tuple[int | None, int | None, int, str]]] = defaultdict(list)
    grants: dict[int, list[Grant]] = defaultdict(list)
    kept: dict[int, set[Row]] = defaultdict(set)
    said: dict[int, set[str]] = defaultdict(set)
    live = Step.objects.filter(state__in=LIVE_STATES, **span).order_by()
    for step in live.values_list("to_unit_id", "to_person_id", "from_person_id", "kind", "record_id"):
        steps[step[-1]].append(step[:-1])
    for grant in Grant.objects.filter(ended_at__isnull=True, **span):
        grants[grant.record_id].append(grant)
    for known in Access.objects.filter(**span).values_list(*_COLUMNS, "record_id", "shelf"):
        kept[known[-2]].add(known[:-2])
        said[known[-2]].add(names.get(known[-1], "?"))
    lie = shelves.parts_of(DossierItem.objects.filter(**span))
    for each in Record.objects.filter(pk__gte=start, pk__lt=end).only("key", "state", "unit", "level", "marking"):
        if kept[each.pk] != _with_level(each, given_by(each, steps[each.pk], grants[each.pk])) or (
            said[each.pk] != {shelves.name_of(lie.get(each.pk, frozenset()))}
        ):
            yield from _once_more(each.pk)


@transaction.atomic
def _once_more(pk: int) -> Sequence[Fault]:
    """Look under the record's lock: an act may have come between the statements."""
    record = Record.objects.select_for_update(of=("self",)).get(pk=pk)
    wanted = _with_level(record, reasons(record))
    kept = set(Access.objects.filter(record=record).values_list(*_COLUMNS))
    told = (
        ("need-to-know that no fact gives", kept - wanted),
        ("need-to-know that is missing", wanted - kept),
    )
    faults = [Fault("access", record.key, what, _named(rows)) for what, rows in told if rows]
    right = Shelf.objects.filter(name=shelves.name_of(shelves.locked_parts(record.pk)))
    if Access.objects.filter(record=record).exclude(shelf__in=right.values("pk")).exists():
        faults.append(Fault("access", record.key, "dossiers of units that it does not lie in, or not said", ()))
    return faults


def _with_level(record: Record, given: Iterable[tuple[int, int, int, int]]) -> set[Row]:
    return {(*row, record.level, record.marking_id or NO_MARKING) for row in given}


def _named(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted(f"principal {row[0]}" for row in rows))
