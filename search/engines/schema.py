"""What the embedded index keeps of an entry, field by field.

Words arrive cut and folded by `search.text`, so the only tokenizer is "split at space".
Only ids, versions and the body are stored; the body is read for passages alone.
A change here must raise SCHEMA: the old generation is then not read any more.
"""

from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import tantivy

from search.engine import TOP_BAND
from search.engines import filings
from search.engines.filings import NAMES_SPLIT
from search.engines.hinting import hints, joined, starts
from search.engines.keeping import Keeping
from search.entry import OF_DOSSIER, Entry
from search.leaves import number_tokens
from search.packing import pack
from search.text import both_packed, forms, vi_clean

SCHEMA: Final = 15
FOLDED: Final = "words"  # where free words are looked for: one place for body, subject and names, so a word is one look
EXACT: Final = "words_x"  # the same with marks
SUBJECT: Final = ("subject", "subject_x")  # once more by itself: it is asked alone, and moves the order
NAMED: Final = (
    "organ",
    "signer",
    "type",
    "unit",
    "dossier",
    "register",
    "retention",
    "number",
)  # folded, one field each
WHOLE: Final = ("type", "organ", "unit", "register", "dossier", "retention")  # facets that are whole values
RAW: Final = tuple(f"{name}_is" for name in WHOLE)
COUNTED: Final = {name: f"{name}_key" for name in WHOLE}  # the same as whole numbers, which are counted much faster

_SPLIT: Final = "\t"  # between the key of a value and the value
_KEY_BYTES: Final = 5  # the engine gives numbers back as floats: at most 53 bits
_FILED_BITS: Final = 32  # of the key of a value of a dossier; the rest of the 53 is the dossier's unit
_UNITS: Final = 1 << 21
_SPAN: Final = 1 << 16  # days from 1900: to 2079
_EPOCH: Final = date(1900, 1, 1).toordinal()
_ID_BITS: Final = 40
_BOOK_ID_BITS: Final = 32  # beside the 32 bits of a book key
_BOOK_IDS: Final = 2**_BOOK_ID_BITS - 1
# The driver multiplies a score by log2(2 + weight), in 24 bits. Weights are made so that this
# factor runs from WEIGHT_UNIT to WEIGHT_UNIT * (1 + 1/65) with the day: bands never overlap,
# and within a band two different days still differ by one or two units in the last place.
WEIGHT_UNIT: Final = 16.0
_WEIGHT_SPAN: Final = TOP_BAND + 2


def build() -> tantivy.Schema:
    """Return the schema of one level's index."""
    builder = tantivy.SchemaBuilder()
    # Deleting by term on an unsigned field does nothing in 0.27.0, silently: Shelf deletes by query.
    builder.add_unsigned_field("id", indexed=True, fast=True)
    builder.add_unsigned_field("version", fast=True)
    builder.add_unsigned_field("newest", fast=True)
    builder.add_unsigned_field("book", fast=True)
    builder.add_float_field("weight", fast=True)
    for name in ("level", "urgency", "year", "month", "day", "arrived"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("marking", "reach", "filed_in"):
        builder.add_integer_field(name, indexed=True)
    for name in (FOLDED, EXACT, *SUBJECT, *NAMED):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in RAW:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in COUNTED.values():
        builder.add_unsigned_field(name, fast=True)
    for name in ("first_number", "direction"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("hint", "start"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    builder.add_bytes_field("text", stored=True)
    return builder.build()


def document(entry: Entry, keeping: Keeping) -> tantivy.Document:
    """Return an entry in the form of an index that keeps texts so."""
    made = tantivy.Document()
    made.add_unsigned("id", entry.id)
    made.add_unsigned("version", entry.version)
    made.add_unsigned("newest", newest_key(entry))
    made.add_unsigned("book", entry.book_key << _BOOK_ID_BITS | entry.id & _BOOK_IDS)
    made.add_float("weight", _weight(entry.day))
    for name, number in (("level", entry.level), ("urgency", entry.urgency), ("year", entry.year)):
        made.add_integer(name, number)
    for name, day in (("day", entry.day), ("arrived", entry.arrived_on)):
        if day:
            made.add_integer(name, day_number(day))
    if entry.day:
        made.add_integer("month", day_number(entry.day) // 100)
    made.add_integer("marking", entry.marking)
    for unit in filings.units(entry):
        made.add_integer("filed_in", unit)
    for principal in set(entry.reach):
        made.add_integer("reach", principal)
    _add_words(made, entry, keeping)
    _add_values(made, entry)
    return made


def newest_key(entry: Entry) -> int:
    """Return the key of the newest-first order: the day, then the id. Unique, so pages never overlap."""
    return (entry.day.toordinal() if entry.day else 0) << _ID_BITS | entry.id


def day_number(day: date) -> int:
    """Return a day as a number that sorts and is read alike: 20240312."""
    return day.year * 10_000 + day.month * 100 + day.day


def band(score: float) -> int:
    """Return the band that a weighted score stands for."""
    return int(score / WEIGHT_UNIT + 1e-4)


def after(schema: tantivy.Schema, record: int) -> tantivy.Query:
    """Return the query that matches all ids beyond one: for the drift check, which acts for nobody."""
    return tantivy.Query.range_query(schema, "id", tantivy.FieldType.Unsigned, record + 1, 2**63)


def of_several(schema: tantivy.Schema) -> tantivy.Query:
    """Return the query that matches what lies in dossiers of several units, whoever knows of them."""
    return tantivy.Query.range_query(schema, "filed_in", tantivy.FieldType.Integer, -(2**62), -1)


def key_of(value: str) -> int:
    """Return the number under which a whole value is counted. Two values may share one: `term_of` tells them apart."""
    return int.from_bytes(blake2b(value.encode(), digest_size=_KEY_BYTES).digest())


@lru_cache(maxsize=20_000)
def term_of(value: str) -> str:
    """Return the term of a whole value: its key goes before, so that the names of a key are found at one place."""
    return beginning(key_of(value)) + value


def _key(term: str) -> int:
    return int(term[: 2 * _KEY_BYTES], 16)


def beginning(key: int) -> str:
    """Return what the terms of a key begin with."""
    return f"{key:0{2 * _KEY_BYTES}x}{_SPLIT}"


def filed_key(key: int, unit: int) -> int:
    """Return the key under which a value of a dossier is counted: it tells the dossier's unit.

    So what a reader may not know of falls out of the counts, and no second counting is needed.
    """
    return unit << _FILED_BITS | key >> (8 * _KEY_BYTES - _FILED_BITS)


def filed_keys(entry: Entry, name: str) -> set[int]:
    """Return the keys of what is counted of a record's dossiers; a unit that has no room in a key is not counted."""
    told = {(one.unit, one.value(name)) for one in entry.filed if 0 < one.unit < _UNITS and one.value(name)}
    return {filed_key(_key(term_of(value)), unit) for unit, value in told}


def known_of(counts: Mapping[int, int], units: Collection[int]) -> dict[int, int]:
    """Return the counts of `filed_key` without those of other units' dossiers, by the part of the key that is the value's."""
    known: dict[int, int] = {}
    for key, count in counts.items():
        if key >> _FILED_BITS in units:
            value = key & ((1 << _FILED_BITS) - 1)
            known[value] = known.get(value, 0) + count
    return known


def named_by(name: str, key: int) -> str:
    """Return what the terms of a counted value begin with."""
    return f"{key:0{_FILED_BITS // 4}x}" if name in OF_DOSSIER else beginning(key)


def value_of(term: str) -> str:
    """Return the value of a term."""
    return term.split(_SPLIT, 1)[1]


def named(entry: Entry) -> list[str]:
    """Return the texts in which free words are looked for beside those of the body."""
    fields = (entry.subject, entry.number, entry.register_number, entry.organ_name, entry.type_name, entry.signer)
    return [text for text in (*fields, *entry.files) if text]


def _add_words(made: tantivy.Document, entry: Entry, keeping: Keeping) -> None:
    body = entry.raw_body
    packed = pack(body)
    if packed is None:  # what can be packed is clean
        body = vi_clean(body)
        packed = pack(body)
    made.add_bytes("text", keeping.kept(body, packed))
    numbers = number_tokens(entry.number)
    said = (both_packed(body, packed), *map(forms, named(entry)))
    for name, texts in zip((FOLDED, EXACT), zip(*said, strict=True), strict=True):
        made.add_text(name, NAMES_SPLIT.join(texts))
    for name, text in zip(SUBJECT, forms(entry.subject), strict=True):
        made.add_text(name, text)
    made.add_text("number", " ".join(numbers))
    if numbers:
        made.add_text("first_number", numbers[0])
    made.add_text("register", " ".join(number_tokens(entry.register_number)))
    for name, text in entry.named.items():
        made.add_text(name, forms(text)[0])
    for name in OF_DOSSIER:
        made.add_text(name, filings.words(entry, name))


def _add_values(made: tantivy.Document, entry: Entry) -> None:
    for name, value in entry.values.items():
        term = term_of(value)
        made.add_text(f"{name}_is", term)
        made.add_unsigned(COUNTED[name], _key(term))
    for name in OF_DOSSIER:
        for value in filings.values(entry, name):
            made.add_text(f"{name}_is", term_of(value))
        for key in filed_keys(entry, name):
            made.add_unsigned(COUNTED[name], key)
    if entry.direction:
        made.add_text("direction", entry.direction)
    for name, found in (("hint", hints(entry)), ("start", starts(entry))):
        made.add_text(name, joined(found))


def _weight(day: date | None) -> float:
    since = min(max(day.toordinal() - _EPOCH, 0), _SPAN - 1) if day else 0
    return float(2.0 ** (WEIGHT_UNIT * (1 + since / _SPAN / _WEIGHT_SPAN)) - 2)
