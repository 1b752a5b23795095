"""What the Elasticsearch index keeps of an entry, field by field; the mapping is strict.

Words arrive cut and folded by `search.text`, exactly as in the embedded index, so the
server only splits at space: both drivers find the same by construction, and no plugin
is needed. Of an entry only the body is kept as written, for passages; the cut words are
indexed and not stored. A change here must raise SCHEMA: old indices are not read then.
"""

from collections.abc import Sequence
from typing import Any, Final

from search.engines import filings, hinting, schema
from search.entry import OF_DOSSIER, Entry, Filed
from search.leaves import number_tokens
from search.text import both, forms

SCHEMA: Final = 11
BODY: Final = "text"
_NUMBERS: Final = {
    "id": "long",
    "version": "long",
    "newest": "long",
    "book": "long",
    "level": "byte",
    "urgency": "byte",
    "year": "short",
    "day": "integer",
    "arrived": "integer",
}
_WORDS: Final = {"type": "text", "analyzer": "whitespace", "norms": False}
# Facets of few values are counted together, in one pass over what matches instead of one each; as words, because
# the server numbers the few values of a word, and counts numbers of its own twice as slowly.
TOGETHER: Final = {"kind_is": ("level", "urgency", "type"), "when_is": ("year", "month")}
SPLIT: Final = "\t"  # between the values that are counted together; the last may be any text
# Looked up one by one, never as a range: a keyword costs less than a number.
_LOOKED_UP: Final = {"type": "keyword", "doc_values": False, "norms": False}

# The numbers of the values are made when a commit is made visible, not when the next reader asks.
_COUNTED: Final = {"type": "keyword", "eager_global_ordinals": True}
# The dossiers of a record that lies in those of several units, each apart with its unit: who knows one is told
# nothing by another, and a question names the units it may be told of once, whatever else it asks.
SHARED: Final = "shared"

# Deletions remember their version for so long: a process that slept between reading the database
# and writing cannot bring back what has been moved or removed meanwhile.
BUILDING: Final[dict[str, Any]] = {
    "number_of_replicas": 0,
    "codec": "best_compression",  # of the body, which is read for twenty passages a page; the default leaves it half as large again
    "refresh_interval": "-1",  # what is written is seen after a commit, not before
    "gc_deletes": "10m",
    "max_regex_length": 10_000,  # of the units whose dossiers a reader knows (`filings.known_values`)
}
IN_USE: Final[dict[str, Any]] = {"auto_expand_replicas": "0-1"}  # a second machine gets a copy, one alone stays green

STATE: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        "position": {"type": "long"},
        "owner": {"type": "keyword"},
        "until": {"type": "double"},
    },
}


def mappings() -> dict[str, Any]:
    """Return the mapping of one level's index."""
    fields: dict[str, Any] = {name: {"type": kind} for name, kind in _NUMBERS.items()}
    fields |= dict.fromkeys((schema.FOLDED, schema.EXACT, *schema.SUBJECT, *schema.NAMED), _WORDS)
    fields |= {name: {"type": "keyword", "norms": False} for name in ("hint", "start")}
    fields |= dict.fromkeys(("marking", "reach", "filed_in", "first_number", "direction", "type_is"), _LOOKED_UP)
    fields |= {f"{name}_is": _COUNTED | {"norms": False} for name in ("organ", "unit", "register")}
    fields |= dict.fromkeys((*TOGETHER, *(f"{name}_is" for name in OF_DOSSIER)), _COUNTED | {"index": False})
    of_dossier = dict.fromkeys(OF_DOSSIER, _WORDS) | dict.fromkeys(map(key_field, OF_DOSSIER), _LOOKED_UP)
    fields |= of_dossier | {SHARED: {"type": "nested", "properties": of_dossier | {"unit": _LOOKED_UP}}}
    fields[BODY] = {"type": "text", "index": False}
    return {"dynamic": "strict", "_source": {"includes": [BODY]}, "properties": fields}


def key_field(name: str) -> str:
    """Return the field of what is chosen in a facet of dossiers: the key of a dossier, or of a period."""
    return f"{name}_key"


def document(entry: Entry) -> dict[str, Any]:
    """Return an entry in the form of the index; what is empty is left out."""
    made: dict[str, Any] = {
        "id": entry.id,
        "version": entry.version,
        "newest": schema.newest_key(entry),
        "book": entry.book_key,
        "level": entry.level,
        "urgency": entry.urgency,
        "year": entry.year,
        "day": schema.day_number(entry.day) if entry.day else None,
        "arrived": schema.day_number(entry.arrived_on) if entry.arrived_on else None,
        "marking": str(entry.marking),
        "filed_in": [str(unit) for unit in filings.units(entry)],
        "reach": [str(principal) for principal in sorted(set(entry.reach))],
        "direction": entry.direction,
        "hint": sorted(hinting.hints(entry)),
        "start": sorted(hinting.starts(entry)),
        **{name: _together(entry, together) for name, together in TOGETHER.items()},
        BODY: entry.body,
        **_words(entry),
        **{f"{name}_is": value for name, value in entry.values.items()},
        **{f"{name}_is": filings.values_with_units(entry, name) for name in OF_DOSSIER},
        **_filed(entry),
    }
    return {name: value for name, value in made.items() if value not in (None, "", [])}


def _together(entry: Entry, names: Sequence[str]) -> str:
    values = {"month": entry.month} | entry.values
    return SPLIT.join(
        values.get(name, "") if name in ("type", "month") else str(getattr(entry, name)) for name in names
    )


def _filed(entry: Entry) -> dict[str, Any]:
    """Return what a record is found by of its dossiers: its own if they are of one unit, otherwise each apart."""
    if len({one.unit for one in entry.filed}) > 1:
        return {SHARED: [_found_by([one]) | {"unit": str(one.unit)} for one in entry.filed]}
    return _found_by(entry.filed)


def _found_by(filed: Sequence[Filed]) -> dict[str, Any]:
    words = {name: filings.NAMES_SPLIT.join(filings.folded(one.words(name)) for one in filed) for name in OF_DOSSIER}
    keys = {key_field(name): sorted({one.value(name) for one in filed if one.value(name)}) for name in OF_DOSSIER}
    return words | keys


def _words(entry: Entry) -> dict[str, str]:
    named = map(forms, schema.named(entry))
    said = (filings.NAMES_SPLIT.join(texts) for texts in zip(both(entry.body), *named, strict=True))
    number = number_tokens(entry.number)
    return {
        **dict(zip((schema.FOLDED, schema.EXACT), said, strict=True)),
        **dict(zip(schema.SUBJECT, forms(entry.subject), strict=True)),
        "number": " ".join(number),
        "first_number": number[0] if number else "",
        "register": " ".join(number_tokens(entry.register_number)),
        **{name: forms(text)[0] for name, text in entry.named.items()},
    }
