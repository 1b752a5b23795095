"""Say the values of facets in words, and tell apart what bears the same name.

Two districts have each a "Ban Tham mưu", and each its "Sổ văn bản đến": they are two values,
and beside the name stands what is above it. That is named only to who has the unit in
scope; to others its code, or the value itself, stands there. Names are those of now, looked
up by one query for all: an index has those of the day on which a dispatch was indexed.

Of what is counted the reader sees a dispatch. What was only chosen anybody can have
written into an address: it has a name only among the reader's own units, registers and dossiers.
Every other number is said in the same words, whether something bears it or not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet, SmallIntegerField, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.dossiers import known_to
from archive.models import Person, Register, Unit
from archive.planning import Written
from archive.rules.levels import LEVEL_LABELS, URGENCY_LABELS, Level, Leveled, Urgency
from archive.rules.roles import Action
from archive.standing import clearance, units_open
from search import periods
from search.engine import Filters
from search.entry import Bucket

NAMED: Final = ("unit", "register", "dossier")  # whose values are no words
_NOT_YOURS: Final = {"unit": _("a unit not among yours"), "register": _("a register not among yours")}
_LONGEST_NUMBER: Final = 9  # digits of a unit's or a register's: a longer one is none
_SIZES: Final = (0, 10, 80)  # values of a facet that are asked for at once, chosen ones included
# What no level, unit, register or dossier can be: levels fit into 16 bits, and a dossier's key is longer.
_OWN: Final = "own"  # the units that the reader has open
_LEVEL: Final = 32_001
_SIGNS: Final = {"unit": 2_000_100_000, "register": 2_000_200_000, "dossier": 2_000_300_000, _OWN: 2_000_400_000}

Facets = Mapping[str, tuple[Bucket, ...]]
Rows = QuerySet[Any, tuple[str, str, str, str, str | None, str | None, int, int]]


class Labels(dict[str, Mapping[str, str]]):
    """facet -> value -> words; `level` is the highest of the dossiers named beside a page of hits, counted ones included."""

    level: Level = Level.THUONG


@dataclass(frozen=True, slots=True)
class _Bearer:
    """What bears a name now: how it is told apart when nothing better may be said, what is above it, its unit, its level."""

    short: str
    name: str
    above: str
    unit: int
    level: int


_Bearers = Mapping[str, Mapping[str, _Bearer]]  # facet -> value -> what it is


def told(facets: Facets, chosen: Filters, person: Person) -> tuple[Facets, Labels]:
    """Return counted facets with their words, and the words of chosen values that are not counted.

    Dossiers that a person may not know of are left out, and so are the names of what was only chosen and is not theirs.
    """
    own = frozenset(units_open(person, timezone.now()))
    counted = {name: [bucket.value for bucket in facets.get(name, ())] for name in NAMED}
    bearers = _bearers({name: [*counted[name], *chosen.get(name, ())] for name in NAMED}, person)
    said = {name: tuple(_said(name, bucket) for bucket in buckets) for name, buckets in facets.items()}
    for name in NAMED:
        if name in said:
            found = {one.value: bearers[name][one.value] for one in said[name] if one.value in bearers[name]}
            words = _apart(found, own)
            named = (replace(one, label=words[one.value]) for one in facets[name] if one.value in words)
            shown = [Bucket(one.value, one.count, one.label) for one in named]
            said[name] = tuple(sorted(shown, key=lambda one: (-one.count, one.label)))
    only = {name: [one for one in values if one not in counted.get(name, ())] for name, values in chosen.items()}
    return said, _chosen(only, bearers, own)


def note(said: Labels, hits: Sequence[Leveled], person: Person) -> None:
    """Write that dossiers above all hits, if any, were named: in an entry of its own, as that of the hits stands at theirs."""
    if said.level > access.level_of(hits):
        audit.read(Action.DOSSIER_READ, actor=person, level=said.level, list="facets")


def of(filters: Filters, person: Person) -> Labels:
    """Return the words of chosen values; a name that a person may not know is never said."""
    own = frozenset(units_open(person, timezone.now()))
    return _chosen(filters, _bearers(filters, person), own)


def _chosen(filters: Filters, bearers: _Bearers, own: frozenset[int]) -> Labels:
    said = Labels()
    for name, values in filters.items():
        if name in NAMED:
            known = {one: bearers[name][one] for one in values if one in bearers[name]}
            numbers = {one: str(_NOT_YOURS[name]) for one in values if name in _NOT_YOURS and _is_number(one)}
            said[name] = numbers | _apart({one: bearer for one, bearer in known.items() if bearer.unit in own}, own)
        else:
            said[name] = {one: _plain(name, one) for one in values}
    said.level = max((Level(one.level) for one in bearers["dossier"].values()), default=Level.THUONG)
    return said


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


def _bearers(wanted: Filters, person: Person) -> _Bearers:
    """Return what bears these values now, by one query; of dossiers only those that a person may know of."""
    asked: dict[str, list[Any]] = {
        "unit": [int(one) for one in wanted.get("unit", ()) if _is_number(one)],
        "register": [int(one) for one in wanted.get("register", ()) if _is_number(one)],
        "dossier": [one for one in wanted.get("dossier", ()) if "\x00" not in one],
        _OWN: [],
    }
    now = timezone.now()
    if asked["dossier"]:
        asked[_OWN] = units_open(person, now)
    sizes = {name: _size(len(values)) for name, values in asked.items()}
    instead: dict[Any, Any] = {_LEVEL: clearance(person, now)}
    for name, values in asked.items():
        padded = [*values, *values[:1] * (sizes[name] - len(values))]
        instead |= dict(zip(_signs(name, sizes[name]), padded, strict=True))
    found: dict[str, dict[str, _Bearer]] = {name: {} for name in NAMED}
    for name, value, short, words, first, second, unit, level in _written(connection.vendor, **sizes).ask(instead):
        above = ", ".join(part for part in (first, second) if part)
        found[name][value] = _Bearer(short, words, above, unit, level)
    return found


def _size(amount: int) -> int:
    """Return for how many values a query is written that asks for so many: one written query serves several amounts."""
    return next((size for size in _SIZES if amount <= size), amount)


def _signs(name: str, amount: int) -> list[Any]:
    """Return what stands in a written query in the place of values."""
    signs = range(_SIGNS[name], _SIGNS[name] + amount)
    return [str(sign) for sign in signs] if name == "dossier" else list(signs)


@lru_cache(maxsize=200)
def _written(_vendor: str, *, unit: int, register: int, dossier: int, own: int) -> Written:
    """Return the query for so many values of each kind: writing it took 3 ms of a page of hits, its answer 0.3."""
    parts = [_units(_signs("unit", unit))] if unit else []
    parts += [_registers(_signs("register", register))] if register else []
    parts += [_dossiers(_signs("dossier", dossier), _signs(_OWN, own))] if dossier and own else []
    if not parts:
        return Written("", ())
    return Written.of(parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0])


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER


def _units(numbers: Sequence[int]) -> Rows:
    """Whoever has a unit in scope knows what is above it."""
    units = Unit.objects.filter(pk__in=numbers).order_by()
    return units.values_list(
        Value("unit"), _text("pk"), _text("code"), _text("name"), _text("parent__name"), _NONE, "pk", _OPEN
    )


def _registers(numbers: Sequence[int]) -> Rows:
    """Whoever has the unit of a register in scope knows whose it is."""
    books = Register.objects.filter(pk__in=numbers).order_by()
    above = (_text("unit__name"), _text("unit__parent__name"))
    return books.values_list(Value("register"), _text("pk"), _text("pk"), _text("name"), *above, "unit_id", _OPEN)


def _dossiers(keys: Sequence[str], units: Sequence[int]) -> Rows:
    known = known_to(units, _LEVEL).filter(key__in=keys).order_by()
    title = Concat(_text("code"), Value(" ", output_field=TextField()), _text("title"), output_field=TextField())
    above = (_text("year"), _text("unit__name"))
    return known.values_list(Value("dossier"), _text("key"), _text("key"), title, *above, "unit_id", "level")


def _text(field: str) -> Cast:
    return Cast(field, TextField())


_NONE: Final = Value("", output_field=TextField())
_OPEN: Final = Value(0, output_field=SmallIntegerField())  # names of units and registers are no secret


def _apart(bearers: Mapping[str, _Bearer], own: frozenset[int]) -> dict[str, str]:
    """Return words for values that each has alone."""
    names = Counter(one.name for one in bearers.values())
    words = {
        value: one.name if names[one.name] == 1 else f"{one.name} ({_beside(one, own)})"
        for value, one in bearers.items()
    }
    often = Counter(words.values())
    return {
        value: words[value] if often[words[value]] == 1 else f"{one.name} ({one.short})"
        for value, one in bearers.items()
    }


def _beside(one: _Bearer, own: frozenset[int]) -> str:
    return one.above if one.above and one.unit in own else one.short
