"""Reading who issued a dispatch, and the body above it, from the left column of the head.

The lines above the number name one or two agencies, each perhaps over two lines: the
last is the issuer, the one above it its parent. Names are written as an office writes
them; a provincial department's full name, with the province its parent names, is offered
beside what is printed. Pure.
"""

import re
from collections.abc import Sequence
from typing import Final

from archive.rules.folding import fold, key
from ingest import agencies, markings
from ingest.lines import Column, Line
from ingest.weighing import Reading, from_lines

CLEAR: Final = 96
UNKNOWN_NAME: Final = 80  # no word that starts agencies' names
MOST_NAME_LINES: Final = 14  # five ministries, and the gazette names them twice
_DIRT: Final = re.compile(r"^[^\w(]+|[^\w.)]+$")
_LEAST_LETTERS: Final = 3
_NOT_AGENCIES: Final = (
    "cong bao",
    "van ban quy pham",
    "van ban phap luat",
    "van ban hop nhat",
    "phan van ban",
    "cong hoa xa",
    "doc lap",
    "nguoi ky",
    "co quan:",
    "email",
    "xa hoi chu nghia",
)
_NUMBER_LINE: Final = re.compile(
    r"^\W{0,3}(?:[a-z ]{0,30} )?s[o06]\s{0,3}(?:[:.;,]|[0-9])|^.{0,6}[a-z]{1,5}\s?[-/]\s?[a-z]{2,6}$|/\s?[a-z]{2,5}-[a-z]"
)
_CLEAR_PAPER: Final = 2.0  # heights of a line
_EVERYWHERE: Final = frozenset(("thanh tra", "van phong"))  # every body has one
_DEPARTMENTS: Final = ("Sở ", "Công đoàn ")


def find_organs(head: Sequence[Line], *, until: Line | None) -> tuple[Reading | None, Reading | None]:
    """Return (issuer, parent) named above the line `until` (that of the number), or at the top."""
    names = _names(_above(head, until))
    if not names:
        return None, None
    parent = _reading(names[-2]) if len(names) > 1 else None
    return _completed(_reading(names[-1]), parent), parent


def _above(head: Sequence[Line], until: Line | None) -> list[Line]:
    kept: list[Line] = []
    for line in head:
        if line is until or _ends_names(line) or (kept and _is_far_below(line, kept[-1])):
            break
        if _names_agency(line):
            kept.append(_clean(line))
        if len(kept) >= MOST_NAME_LINES:
            break
    left = [line for line in kept if line.column is Column.LEFT]
    return left or kept


def _ends_names(line: Line) -> bool:
    """Return whether a line is, or was, that of the number, or stands below it."""
    if line.column is Column.RIGHT:
        return False
    return bool(_NUMBER_LINE.search(line.folded)) or line.folded.startswith(("v/v", "kinh gui"))


def _is_far_below(line: Line, name: Line) -> bool:
    """Return whether clear paper parts a line from the names above it: then it is a stamp, or a number misread."""
    if not line.box or not name.box or line.column is not Column.LEFT or name.column is not Column.LEFT:
        return False
    return line.box[1] - name.box[3] > _CLEAR_PAPER * (name.box[3] - name.box[1])


def _names_agency(line: Line) -> bool:
    if markings.is_marking(line.text):
        return False
    letters = [char for char in line.text if char.isalpha()]
    capitals = sum(char.isupper() for char in letters)
    if len(letters) < _LEAST_LETTERS or capitals * 10 < len(letters) * 7:
        return False
    text = line.folded
    return line.column is not Column.RIGHT and not any(words in text for words in _NOT_AGENCIES) and "ngay" not in text


def _clean(line: Line) -> Line:
    """Return the line without dirt at its ends: stray signs, single letters of a broken rule."""
    start, end = 0, len(line.text)
    while match := _DIRT.search(line.text[start:end]):
        if match.end() - match.start() == end - start or match.end() == match.start():
            break
        start, end = (start + match.end(), end) if match.start() == 0 else (start, start + match.start())
    cut = line.cut(start, end) if (start, end) != (0, len(line.text)) else line
    text = _DIRT.sub("", _DIRT.sub("", cut.text)) + ("-" if line.text.rstrip(" _").endswith(("-", "–", "—")) else "")
    return Line(text, fold(text), cut.page, cut.words, cut.column, cut.is_exact)


def _names(lines: Sequence[Line]) -> list[list[Line]]:
    names: list[list[Line]] = []
    for line in lines:
        goes_on = names and (not agencies.starts_agency(line.text) or agencies.is_open_ended(_joined(names[-1])))
        if goes_on:
            names[-1].append(line)
        else:
            names.append([line])
    return _without_repeats(names)


def _without_repeats(names: list[list[Line]]) -> list[list[Line]]:
    """Drop a name that is named again below: the gazette prints the issuer over the head as well."""
    spoken = [key(_joined(name)) for name in names]
    return [name for at, name in enumerate(names) if spoken[at] not in spoken[at + 1 :]]


def _joined(name: Sequence[Line]) -> str:
    return " ".join(line.text for line in name)


def _reading(name: list[Line]) -> Reading:
    text = _joined(name).rstrip("- .")
    known = agencies.starts_agency(text)
    read = from_lines(agencies.written(text), name, CLEAR if known else UNKNOWN_NAME)
    return read if known else read.never_sure()


def _completed(organ: Reading, parent: Reading | None) -> Reading:
    """Offer "Sở Y tế tỉnh Kiên Giang" beside a "Sở Y tế" under "UBND tỉnh Kiên Giang"; the field holds what is printed."""
    place = agencies.place_of(parent.value) if parent else ""
    if parent and key(organ.value) in _EVERYWHERE:
        return organ.with_other(f"{organ.value} {parent.value}")
    if not place or not organ.value.startswith(_DEPARTMENTS) or agencies.place_of(organ.value):
        return organ
    if key(place.split(" ", 1)[1]) in key(organ.value):
        return organ
    return organ.with_other(f"{organ.value} {place}")
