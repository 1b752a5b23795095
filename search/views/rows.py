"""The builder: the lines of a flat question as they stand in the form, and the form back as words."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.rules.levels import LEVEL_LABELS, LEVEL_SLUGS, URGENCY_LABELS, URGENCY_SLUGS
from search import building, writing
from search.building import Row
from search.nodes import Query
from search.query import MAX_CHARS, parse

MOST: Final = 24  # lines of the form
LONGEST: Final = MAX_CHARS + 1  # letters of a value: all that was typed, and one that says there were more
FIELDS: Final[dict[str, str | Promise]] = {
    "text": _("Anywhere"),
    "subject": _("Subject"),
    "number": _("Number and symbol"),
    "register": _("Register number"),
    "type": _("Type"),
    "organ": _("Issuing agency"),
    "signer": _("Signed by"),
    "unit": _("Unit"),
    "day": _("Date"),
    "arrived": _("Arrived"),
    "year": _("Year"),
    "level": _("Level"),
    "urgency": _("Urgency"),
    "direction": _("Direction"),
    "dossier": _("Dossier"),
    "retention": _("Retention"),
}
OPERATORS: Final[dict[str, str | Promise]] = {
    building.HAS: _("has the words"),
    building.PHRASE: _("has exactly"),
    building.BEGINS: _("begins with"),
    building.NEAR: _("is spelled like"),
    building.IS: pgettext_lazy("builder", "is"),
    building.FROM: pgettext_lazy("builder", "from"),
    building.UNTIL: pgettext_lazy("builder", "until"),
    building.BETWEEN: pgettext_lazy("builder", "between"),
}
DIRECTIONS: Final[dict[str, str | Promise]] = {"den": _("incoming"), "di": _("outgoing")}
CHOICES: Final[dict[str, dict[str, str | Promise]]] = {
    "level": {slug: LEVEL_LABELS[level] for level, slug in LEVEL_SLUGS.items()},
    "urgency": {slug: URGENCY_LABELS[urgency] for urgency, slug in URGENCY_SLUGS.items()},
    "direction": DIRECTIONS,
}
DAYS: Final = ("day", "arrived")
_PLAIN: Final = ("text", building.HAS)


def shown(query: Query) -> list[dict[str, Any]] | None:
    """Return the lines of a question as the form draws them, a blank one last; None when it stays text."""
    lines = building.rows(query)
    if lines is None or len(lines) >= MOST:
        return None
    merged = _merged(lines)  # "so" and "123" side by side are two words in two lines, and a number in one
    says_the_same = len(merged) == len(lines) or _meaning(parse(building.write(merged))) == _meaning(query)
    return drawn(merged if says_the_same else lines)


def _meaning(query: Query) -> list[object]:
    return [writing.meaning(piece) for piece in writing.pieces(query.root)]


def drawn(lines: Sequence[Row], *, blanks: int = 1) -> list[dict[str, Any]]:
    """Return lines as the form draws them, with blank ones after them."""
    return [_drawn(line) for line in [*lines, *(Row("text", building.HAS, "") for _blank in range(blanks))]]


def written(given: QueryDict) -> str:
    """Return the words that the lines of a form say."""
    return building.write(line for line in read(given) if line.value.strip("."))


def read(given: QueryDict) -> list[Row]:
    """Return the lines of a form, without the one whose button was pressed to remove it."""
    columns = [given.getlist(name)[:MOST] for name in ("field", "operator", "value", "until", "sign")]
    gone = given.get("less", "")
    lines = [
        _read(*(part[:LONGEST].replace("\x00", "") for part in parts)) for parts in zip_longest(*columns, fillvalue="")
    ]
    return [line for place, line in enumerate(lines) if str(place) != gone]


def _read(field: str, operator: str, value: str, until: str, sign: str) -> Row:
    """Return one line; an operator that the field does not have becomes its first."""
    field = field if field in building.FIELDS else "text"
    operators = building.FIELDS[field][1]
    operator = operator if operator in operators else operators[0]
    if field in CHOICES and value not in CHOICES[field]:
        value = ""
    if operator == building.BETWEEN and until.strip():
        value = f"{value.strip()}..{until.strip()}"
    return Row(field, operator, value.strip(), is_negative=sign == "-")


def _merged(lines: Sequence[Row]) -> list[Row]:
    """Join words that stand side by side: a line for each word of a sentence, or of a name spelled like this, helps nobody."""
    made: list[Row] = []
    for line in lines:
        last = made[-1] if made else None
        is_run = not line.is_negative and (line.operator == building.NEAR or (line.field, line.operator) == _PLAIN)
        if last and is_run and replace(last, value=line.value) == line:
            made[-1] = replace(last, value=f"{last.value} {line.value}")
        else:
            made.append(line)
    return made


def _drawn(line: Row) -> dict[str, Any]:
    value, _dots, until = line.value.partition("..") if line.operator == building.BETWEEN else (line.value, "", "")
    if line.field in DAYS:
        value, until = _day(value), _day(until)
    return {
        "field": line.field,
        "fields": FIELDS,
        "operator": line.operator,
        "operators": {name: OPERATORS[name] for name in building.FIELDS[line.field][1]},
        "value": value,
        "until": until,
        "is_between": line.operator == building.BETWEEN,
        "is_negative": line.is_negative,
        "choices": CHOICES.get(line.field),
        "is_day": line.field in DAYS,
    }


def _day(text: str) -> str:
    """Return a day as it is typed here, dd/mm/yyyy."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    return f"{found[3]}/{found[2]}/{found[1]}" if found else text
