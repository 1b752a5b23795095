"""In whose dossiers does a record lie? The one number of a record that says it, for "not filed yet".

To a reader a record is not filed when it lies in no dossier that they may know of: its
absence from that list must not tell of a dossier hidden from them. A shelf is one
combination of units, each with the lowest level of its dossiers; an office has few of them,
and which a reader does not know is found before the records. `Access.shelf` is written in the
act that files, raises a dossier or derives need-to-know, and worked out anew each night
(`archive.knowing`). This module never decides who may see a record.

Locks, in this order: record, its dossiers by their ids, then the one of all that is raised and of every new shelf.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from archive.models import NO_DOSSIER, Access, Dossier, DossierItem, Person, Shelf, ShelfPart
from archive.planning import OneOf
from archive.standing import clearance, units_open

Parts = frozenset[tuple[int, int]]  # (unit, lowest level of its dossiers)
_RECORDS: Final = 1_000  # of one statement


def unknown_to(person: Person) -> OneOf:
    """Return the condition on `Access` that of the dossiers of its record a person may know none."""
    now = timezone.now()
    known = ShelfPart.objects.filter(
        shelf=OuterRef("pk"), unit__in=units_open(person, now), level__lte=clearance(person, now)
    )
    return OneOf("shelf", Shelf.objects.filter(~Exists(known)).values("pk"))


def parts_of(items: QuerySet[DossierItem]) -> dict[int, Parts]:
    """Return in whose dossiers the records of these items lie, by their ids."""
    return _by_record(items.order_by().values_list("record", "dossier__unit", "dossier__level"))


def locked_parts(record: int) -> Parts:
    """Return in whose dossiers a locked record lies, and lock these: what raises one of them comes before or after."""
    items = DossierItem.objects.filter(record=record).select_related("dossier").order_by("dossier_id")
    locked = items.select_for_update(of=("dossier",), no_key=True)
    found = _by_record((record, item.dossier.unit_id, item.dossier.level) for item in locked)
    return found.get(record, frozenset())


def number_of(parts: Parts) -> int:
    """Return the number of a shelf, a new one for what lay together nowhere before."""
    if not parts:
        return NO_DOSSIER
    name = name_of(parts)
    known: int | None = Shelf.objects.filter(name=name).values_list("pk", flat=True).first()
    if known is not None:
        return known
    # Who makes one and raises a dossier after it would wait for whoever raises one and waits for it.
    _one_by_one()
    shelf, is_new = Shelf.objects.get_or_create(name=name)
    if is_new:
        ShelfPart.objects.bulk_create(
            ShelfPart(shelf=shelf, unit_id=unit, level=level) for unit, level in sorted(parts)
        )
    return shelf.pk


def name_of(parts: Parts) -> str:
    """Return the name of a shelf: a digest of its parts, "" of none.

    >>> name_of(frozenset())
    ''
    >>> name_of(frozenset({(7, 0), (9, 2)})) == name_of(frozenset({(9, 2), (7, 0)}))
    True
    """
    said = ",".join(f"{unit}:{level}" for unit, level in sorted(parts))
    return hashlib.sha256(said.encode()).hexdigest() if said else ""


def filed(record: int) -> None:
    """Write down where a locked record lies now: it was filed into a locked dossier."""
    Access.objects.filter(record=record).update(shelf=number_of(locked_parts(record)))


def raised(dossier: Dossier) -> None:
    """Write down anew where all lies that is in a locked dossier whose level has risen."""
    # Two that rise at once with a record in both would each see the other as it was before.
    _one_by_one()
    settle(DossierItem.objects.filter(dossier=dossier).order_by().values_list("record", flat=True))


def settle(records: Iterable[int]) -> None:
    """Write down anew where records lie that are in dossiers."""
    ids = list(records)
    for start in range(0, len(ids), _RECORDS):
        together: dict[Parts, list[int]] = defaultdict(list)
        items = DossierItem.objects.filter(record__in=ids[start : start + _RECORDS])
        for record, parts in parts_of(items).items():
            together[parts].append(record)
        for parts, among in together.items():
            Access.objects.filter(record__in=among).update(shelf=number_of(parts))


def misnamed() -> Iterator[Shelf]:
    """Yield the shelves whose parts are not those that they are named after."""
    parts: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for shelf, unit, level in ShelfPart.objects.values_list("shelf", "unit", "level"):
        parts[shelf].add((unit, level))
    for each in Shelf.objects.order_by("pk"):
        if each.name != name_of(frozenset(parts[each.pk])):
            yield each


def _one_by_one() -> None:
    Shelf.objects.select_for_update(no_key=True).filter(pk=NO_DOSSIER).first()


def _by_record(rows: Iterable[tuple[int, int, int]]) -> dict[int, Parts]:
    lowest: dict[int, dict[int, int]] = defaultdict(dict)
    for record, unit, level in rows:
        lowest[record][unit] = min(level, lowest[record].get(unit, level))
    return {record: frozenset(units.items()) for record, units in lowest.items()}
