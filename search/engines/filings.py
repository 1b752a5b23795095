"""How the dossiers of a record are written into an index, so that of each only who may know of it learns anything.

Of a record whose dossiers are all of one unit this unit (`filed_in`) decides over all that is
said of them. Where they are of several units, whoever knows one of them must not find the
record by another: each word then bears its dossier's unit, the units are written as negative
numbers, and whatever is asked of dossiers is asked in both forms.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from search.entry import Entry, Filed
from search.text import forms

NAMES_SPLIT: Final = " | "  # a word nobody can ask for: no phrase reaches from one name into the next
# Before a value written as a word. No word has such a sign, so no word with one letter wrong is a value.
VALUE: Final = "=="
_SPLIT: Final = "\t"
_AND: Final = ","  # between units


def units(entry: Entry) -> list[int]:
    """Return the units of a record's dossiers: the one, or each of several as a negative number."""
    found = sorted({one.unit for one in entry.filed})
    return found if len(found) == 1 else [-unit for unit in found]


def known_among(units_known: Iterable[int]) -> list[int]:
    """Return how `units` has the units that a reader knows, of records with dossiers of several."""
    return [-unit for unit in units_known]


def tagged(unit: int, word: str) -> str:
    """Return a word as it is said of a dossier of one of several units.

    The unit stands there twice: one letter wrong in a word never makes it a word of another unit.
    """
    return f"{unit}:{unit}:{word}"


def words(entry: Entry, field: str) -> str:
    """Return the folded words by which a record is found in a field of its dossiers."""
    is_shared = len(units(entry)) > 1
    said = (_tagged(one, field) if is_shared else folded(one.words(field)) for one in entry.filed)
    return NAMES_SPLIT.join(one for one in said if one)


def values(entry: Entry, facet: str) -> list[str]:
    """Return what a record is counted under in a facet of its dossiers, each once."""
    return list(dict.fromkeys(one.value(facet) for one in entry.filed if one.value(facet)))


def values_with_units(entry: Entry, facet: str) -> list[str]:
    """Return the same, each behind the units of its dossiers: to be counted once by each reader."""
    return [
        _with_units(value, {one.unit for one in entry.filed if one.value(facet) == value})
        for value in values(entry, facet)
    ]


def known_value(counted: str, known: Iterable[int]) -> str:
    """Return the value of what `values_with_units` wrote, "" if a reader knows none of its units."""
    among, value = counted.split(_SPLIT, 1)
    return value if {int(unit) for unit in among.strip(_AND).split(_AND)} & set(known) else ""


def known_values(known: Iterable[int]) -> str:
    """Return the expression (of Lucene) for what `values_with_units` wrote of at least one unit that a reader knows."""
    units_known = "|".join(str(unit) for unit in sorted(set(known)))
    return f"({units_known}){_SPLIT}.*|{_AND}(.*{_AND})?({units_known}){_AND}.*{_SPLIT}.*"


def _with_units(value: str, of: Collection[int]) -> str:
    """Return a value behind its units; several begin with a sign of their own, so that those of one are found by their beginning."""
    among = _AND.join(str(unit) for unit in sorted(of))
    return (among if len(of) == 1 else f"{_AND}{among}{_AND}") + _SPLIT + value


def chosen(values: Sequence[str], known: Iterable[int]) -> list[str]:
    """Return the words of which one stands in a record of several units that has one of the values, as a reader knows it."""
    return [tagged(unit, VALUE + value) for unit in known for value in values]


def folded(text: str) -> str:
    """Return the folded words of a dossier's or a period's name."""
    return forms(text)[0]


def _tagged(one: Filed, field: str) -> str:
    said = [*folded(one.words(field)).split(), VALUE + one.value(field)]
    return " ".join(tagged(one.unit, word) for word in said)
