"""Say the values of facets in words, and tell apart what bears the same name.

Two districts have each a "Ban Tham mưu", and each its "Sổ văn bản đến": they are two values,
and beside the name stands what is above it. That is named only to who has the unit in
scope; to others the value itself stands there. Of what is counted the reader sees
a dispatch, so its name comes out of the index with the count. What was only chosen
anybody can have written into an address: it has a name only among the reader's own
units, registers and dossiers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from django.utils import timezone

from archive.dossiers import visible_dossiers
from archive.models import Person, Register, Unit
from archive.rules.levels import LEVEL_LABELS, URGENCY_LABELS, Level, Urgency
from archive.standing import units_open
from search import follow, periods
from search.engine import Filters
from search.entry import Bearer, Bucket

NAMED: Final = ("unit", "register", "dossier")  # whose values are no words

Labels = Mapping[str, Mapping[str, str]]  # facet -> value -> words
Facets = Mapping[str, tuple[Bucket, ...]]


def told(facets: Facets, person: Person) -> Facets:
    """Return counted facets with their words, without the dossiers that a person may not know of."""
    own = frozenset(units_open(person, timezone.now()))
    known = _dossiers((bucket.value for bucket in facets.get("dossier", ())), person)
    said = {name: tuple(_said(name, bucket) for bucket in buckets) for name, buckets in facets.items()}
    if "dossier" in said:
        titled = (replace(known[one.value], count=one.count) for one in said["dossier"] if one.value in known)
        said["dossier"] = tuple(titled)
    return said | {name: _apart(said[name], own) for name in NAMED if name in said}


def of(filters: Filters, person: Person) -> Labels:
    """Return the words of chosen values; a name that a person may not know is left out."""
    plainly = {
        name: {one: _plain(name, one) for one in values} for name, values in filters.items() if name not in NAMED
    }
    own = frozenset(units_open(person, timezone.now()))
    bearers: dict[str, Iterable[Bucket]] = {}
    if filters.get("unit"):
        units = Unit.objects.filter(pk__in=own).select_related("parent").order_by()
        bearers["unit"] = [_bucket(follow.unit_is(unit)) for unit in units]
    if filters.get("register"):
        registers = Register.objects.filter(unit__in=own).select_related("unit__parent").order_by()
        bearers["register"] = [_bucket(follow.register_is(register)) for register in registers]
    if filters.get("dossier"):
        bearers["dossier"] = _dossiers(filters["dossier"], person).values()
    found = {name: {one.value: one.label for one in _apart(list(each), own)} for name, each in bearers.items()}
    chosen = {name: {one: words[one] for one in filters[name] if one in words} for name, words in found.items()}
    return plainly | chosen


def _said(name: str, bucket: Bucket) -> Bucket:
    return bucket if name in NAMED else replace(bucket, label=_plain(name, bucket.value))


def _plain(facet: str, value: str) -> str:
    """Return the words of a value that needs no row; a slug that is none stays as it is."""
    try:
        if facet == "level":
            return str(LEVEL_LABELS[Level.parse(value)])
        if facet == "urgency":
            return str(URGENCY_LABELS[Urgency.parse(value)])
    except (ValueError, KeyError):
        return value
    return periods.label(value) if facet == "retention" else value


def _bucket(bearer: Bearer) -> Bucket:
    return Bucket(bearer.value, 0, bearer.name, bearer.above, bearer.unit)


def _dossiers(keys: Iterable[str], person: Person) -> dict[str, Bucket]:
    """Return those of the dossiers that a person may know of, by key."""
    wanted = [key for key in keys if "\x00" not in key]
    rows = visible_dossiers(person).filter(key__in=wanted).select_related("unit") if wanted else ()
    return {one.key: Bucket(one.key, 0, str(one), above=f"{one.year}, {one.unit}", unit=one.unit_id) for one in rows}


def _apart(bearers: Sequence[Bucket], own: frozenset[int]) -> tuple[Bucket, ...]:
    """Return the values with words that each has alone, the most frequent first; what tells them apart is not handed on."""
    names = Counter(one.label for one in bearers)
    words = {one.value: one.label if names[one.label] == 1 else _with_above(one, own) for one in bearers}
    often = Counter(words.values())
    alone = {
        one.value: words[one.value] if often[words[one.value]] == 1 else f"{one.label} ({one.value})" for one in bearers
    }
    said = [Bucket(one.value, one.count, alone[one.value]) for one in bearers]
    return tuple(sorted(said, key=lambda one: (-one.count, one.label)))


def _with_above(one: Bucket, own: frozenset[int]) -> str:
    return f"{one.label} ({one.above if one.above and one.unit in own else one.value})"
