"""Reading number and symbol, and the date, from the lines of a dispatch's head.

A number is proposed only when digits stand at the place of the number: an unnumbered
draft ("Số:      /BC-BCH") gives its symbol and no number. Letters read for digits and
writing by hand give a low confidence and the reading as it was, never a silent repair.
Pure; every pattern is bounded, so time is linear in the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from typing import Final

from archive.rules import numbers, types
from archive.rules.folding import fold
from ingest.lines import ACROSS, Column, Line, around, line_height
from ingest.weighing import Reading, word_confidence

CLEAR: Final = 97
SEEN_ONCE: Final = 85  # writing by hand, or digits set apart: a person must look
REPAIRED: Final = 70
DOUBTFUL: Final = 40
HOPELESS: Final = 25  # below it digits are a guess at ink: nothing is proposed
UNLABELLED: Final = 60

_DIGITISH: Final = "[0-9oqlis|]"
_SIGN: Final = r"[a-z0-9](?:[a-z0-9&.,+_]{0,24}[a-z0-9])?"
_NOTATION: Final = rf"(?P<notation>{_SIGN}(?:\s{{0,2}}[-/]\s{{0,2}}{_SIGN}){{0,7}})"
_LABELLED: Final = re.compile(
    rf"(?P<before>^|[^a-z0-9])s[o06e][\s:;.,]{{0,5}}(?P<fill>[^/]{{0,24}}?)(?P<gap>\s{{0,4}})(?P<between>[/-])\s{{0,2}}{_NOTATION}"
)
_BARE: Final = re.compile(
    rf"^[^a-z0-9]{{0,4}}(?P<fill>[0-9]{{1,5}}[a-d]?)(?P<gap>\s{{0,2}})(?P<between>[/-])\s{{0,2}}{_NOTATION}"
)
_LETTER: Final = re.compile(r"^\W{0,3}v\s?[/.]\s?v\b")
_DOTS: Final = re.compile(r"[\s.…_·:;,]+")
_PLAIN: Final = re.compile(r"[0-9]{1,7}(?:[a-dA-D]|bis)?")
_SIGN_OF: Final = re.compile(r"[-/]?(?:\d{4}/)?([^-/]+)")
_SPACED_SEPARATOR: Final = re.compile(r"\s{0,2}[-/–—]\s{1,2}|\s{1,2}[-/–—]\s{0,2}")
_TYPE_BEFORE: Final = re.compile(r"[a-z ]{0,40}")
_PLACE_AND_DATE: Final = re.compile(r"[^/]{0,40}ng[ar]y.{0,20}hang.{0,12}n[a-z]m.{0,12}")
_LINE_END_HYPHENS: Final = {0x02: "-", 0xFFFE: "-"}  # what a text layer holds for a hyphen at a line's end
_INK: Final = re.compile(r"(?!(?:19|20)\d\d/)\d{1,4}/")
_DOUBLED: Final = re.compile(r"[ĐÐ]{2}")

_DAY: Final = rf"(?P<day>{_DIGITISH}{{1,2}})"
_MONTH: Final = rf"(?P<month>{_DIGITISH}{{1,2}})"
_YEAR: Final = rf"(?P<year>{_DIGITISH}{{4}})"
_FILL: Final = r"[\s.,…_:·]{0,12}"
_DATE: Final = re.compile(
    rf"(?P<place>.{{0,60}}?)ng[ar]y{_FILL}{_DAY}{_FILL}t?h[ao]ng{_FILL}[/'|]?{_MONTH}{_FILL}n[a-z]m{_FILL}{_YEAR}"
)
_SHORT_DATE: Final = re.compile(rf"(?P<place>.{{0,60}}?)ngay\s{{0,3}}{_DAY}\s?[/.-]\s?{_MONTH}\s?[/.-]\s?{_YEAR}")
_OWN_SYMBOL: Final = re.compile(r"^\W{0,3}s[o06]\s{0,3}[:.;].{0,40}?/\s?\S{1,40}")
_ROOM_FOR_A_HAND: Final = 1.0
_LIKE_SIGN: Final = 0.6
_MOST_DIGITS: Final = 7
_LAST_WORDS: Final = 4  # characters of dirt that may follow a date line
_FIRST_YEAR: Final = 1945
_LAST_YEAR: Final = 2100
_DIGITS: Final = str.maketrans({"o": "0", "q": "0", "l": "1", "i": "1", "|": "1", "s": "5"})


@dataclass(frozen=True, slots=True)
class Symbol:
    """Number (None on a draft or when unreadable) and notation, as two readings, and the line they stand on."""

    number: Reading | None
    notation: Reading
    line: Line


def find_symbol(lines: Sequence[Line]) -> Symbol | None:
    """Return the first number and symbol of the head."""
    lines = lines[: next((at for at, line in enumerate(lines) if _LETTER.match(line.folded)), len(lines))]
    for line in lines:
        if line.column is Column.RIGHT or _is_elsewhere(line):
            continue
        found = _labelled(line)
        if found:
            return found
    bare = (_read(line, match, UNLABELLED) for line in lines if line.column is Column.LEFT for match in _bare(line))
    return next((found for found in bare if found), None)


def with_sign_of(notation: Reading, type_name: str) -> Reading:
    """Return the notation with the sign of the printed type, where a letter of it was misread ("TTI-PCT")."""
    known = types.by_name(type_name)
    read = _SIGN_OF.match(notation.value)
    if not known or not known.sign or not read or types.by_sign(read[1]):
        return notation
    likeness = SequenceMatcher(None, fold(read[1]), fold(known.sign)).ratio()
    if likeness < _LIKE_SIGN or abs(len(read[1]) - len(known.sign)) > 1:
        return notation
    repaired = notation.value[: read.start(1)] + known.sign + notation.value[read.end(1) :]
    return replace(notation, value=repaired).with_other(notation.value).at_most(REPAIRED).never_sure()


def find_date(lines: Sequence[Line]) -> Reading | None:
    """Return the day in the line "place, ngày .. tháng .. năm ....", None when day, month or year is missing."""
    right = [line for line in lines if line.column is not Column.LEFT and "cong bao" not in line.folded[:40]]
    for pattern in (_DATE, _SHORT_DATE):
        found = next((read for line in right if (read := _date_in(line, pattern))), None)
        if found:
            return found
    return None


def _is_elsewhere(line: Line) -> bool:
    """Return whether a line speaks of another number: an abstract, a gazette's head."""
    return line.folded.startswith("ve ") or "cong bao" in line.folded[:40]


def _labelled(line: Line) -> Symbol | None:
    for match in _LABELLED.finditer(line.folded):
        before = line.folded[: match.start("before")].strip(" .,:;*'\"-_|")
        if before and not _is_type_before(before, line, match):
            continue
        found = _read(line, match, CLEAR)
        if found:
            return found
    return None


def _is_type_before(before: str, line: Line, match: re.Match[str]) -> bool:
    """Return whether "Nghị quyết số: 17/2022/UBTVQH15" stands alone on its line; a body text goes on."""
    if not _TYPE_BEFORE.fullmatch(before) or not types.by_name(before):
        return len(before) <= 2  # noqa: PLR2004 - dirt of the reader
    return not line.folded[match.end() :].strip(" .,;")


def _bare(line: Line) -> Iterator[re.Match[str]]:
    match = _BARE.match(line.folded)
    if match:
        yield match


def _read(line: Line, match: re.Match[str], certainty: int) -> Symbol | None:
    start, end = match.span("notation")
    notation, as_read = _notation(line.text[start:end])
    if not notation or _goes_on(line, start + len(as_read)):
        return None
    inked = _INK.match(notation)  # "22/1/SYT-NVY": a hand's stroke read as a part of the sign
    if inked:
        notation = notation[inked.end() :]
    party = match["between"] == "-"
    if not party and "/" in notation and not re.match(r"(?:19|20)\d\d/", notation):
        notation = "/" + notation
    elif party and "/" not in notation:
        notation = "-" + notation
    end = start + len(as_read)
    sign = min(certainty, word_confidence(line, start, end))
    restored = _restored(notation, line)
    read = Reading(
        restored, sign if restored == notation else min(sign, REPAIRED), line.page, around(line.words_in(start, end))
    )
    if restored != notation:
        read = read.with_other(notation)
    return Symbol(None if inked else _number(line, match, certainty), read, line)


def _goes_on(line: Line, end: int) -> bool:
    """Return whether a full line goes on after the symbol with anything but place and date: then it is running text."""
    if line.column is not Column.FULL or not line.words:
        return False
    rest = line.folded[end:].strip(" .,;-_")
    return bool(rest) and not _PLACE_AND_DATE.fullmatch(rest)


def _notation(text: str) -> tuple[str, str]:
    """Return (notation evened out, the stretch it was read from); ("", "") when it is no sign of an office."""
    whole = text = text.translate(_LINE_END_HYPHENS)
    for spaced in _SPACED_SEPARATOR.finditer(text):
        following = re.match(r"[\w&.,]+", text[spaced.end() :])
        if not following or not _is_sign(following[0]):
            whole = text[: spaced.start()]
            break
    even = re.sub(r"\s*([-/–—])\s*", lambda m: "/" if m[1] == "/" else "-", whole).strip(".,-/ ").replace("_", "-")
    letters = [char for char in even if char.isalpha()]
    capitals = sum(char.isupper() for char in letters)
    if capitals < 2 or capitals * 2 < len(letters):  # noqa: PLR2004 - "Ngày", "Kiên" are words
        return "", ""
    return even, whole


def _is_sign(word: str) -> bool:
    return word[0].isdigit() or sum(c.isupper() for c in word) * 2 >= sum(c.isalpha() for c in word)


def _restored(notation: str, line: Line) -> str:
    """Return the notation with the marks its type sign lost on the way through a reader ("QD-SYT")."""
    if line.is_exact:
        return notation
    doubled = _DOUBLED.sub("Đ", notation)
    head = _SIGN_OF.match(doubled)
    known = types.by_sign(head[1], is_party="/" in doubled) if head else None
    if not head or not known or known.sign.lower() == head[1].lower():
        return doubled
    return doubled[: head.start(1)] + known.sign + doubled[head.end(1) :]


def _number(line: Line, match: re.Match[str], certainty: int) -> Reading | None:
    start, end = match.span("fill")
    text = _DOTS.sub("", line.text[start:end])
    words = line.words_in(start, end)
    seen = Reading(text, min(certainty, word_confidence(line, start, end)), line.page, around(words))
    if seen.confidence < HOPELESS:
        return None
    if _PLAIN.fullmatch(text):
        set_apart = bool(match["gap"]) or not text.isdecimal()
        return seen.at_most(SEEN_ONCE).never_sure() if set_apart and not line.is_exact else seen
    digits = fold(text).translate(_DIGITS)
    if digits.isdecimal() and len(digits) <= _MOST_DIGITS and any(char.isdigit() for char in text):
        return replace(seen, value=digits).with_other(text).at_most(REPAIRED).never_sure()
    longest = max(re.findall(r"[0-9]+", text), key=len, default="")
    if longest and len(longest) * 2 > len(text):
        return replace(seen, value=longest).with_other(text).at_most(DOUBTFUL).never_sure()
    return None


def _date_in(line: Line, pattern: re.Pattern[str]) -> Reading | None:
    match = pattern.search(line.folded)
    if not match or _is_body(line, match):
        return None
    raw = [match["day"], match["month"], match["year"]]
    day, month, year = (int(part.translate(_DIGITS)) for part in raw)
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    start, end = match.start("day"), match.end("year")
    place = around(line.words_in(match.start("day") - 5, end))
    read = Reading(found.isoformat(), min(CLEAR, word_confidence(line, start, end)), line.page, place)
    if read.confidence < HOPELESS:
        return None
    if not all(part.isdecimal() for part in raw):
        return read.at_most(REPAIRED).never_sure()
    return read.at_most(SEEN_ONCE).never_sure() if _may_be_by_hand(line, match) else read


def _may_be_by_hand(line: Line, match: re.Match[str]) -> bool:
    """Return whether day or month may be written by hand or have lost a digit.

    Print has a zero before days 1-9 and months 1 and 2 (decree 30/2020 annex I), and no more
    than a blank on either side; a form leaves room for the hand (0.6-0.95 of a line's height, and 1.0-1.6).
    """
    if line.is_exact:
        return False
    if len(match["day"]) == 1 or match["month"] in {"1", "2"}:
        return True
    words = line.words_in(match.start("day"), match.end("day"))
    at = line.words.index(words[0]) if len(words) == 1 else 0
    if not 0 < at < len(line.words) - 1:
        return False
    before, day, after = (word.box for word in line.words[at - 1 : at + 2])
    room = (after[0] - before[2] - (day[2] - day[0])) / ACROSS
    return room > _ROOM_FOR_A_HAND * line_height(line.words)


def _is_body(line: Line, match: re.Match[str]) -> bool:
    """Return whether the date stands in running text: words after it, or a number before it."""
    after = line.folded[match.end() :].strip()
    before = _OWN_SYMBOL.sub("", match["place"])  # the symbol of a head whose columns ran together
    return len(after) > _LAST_WORDS or "/" in before or " so " in f" {before} " or before.count(" ") > 7  # noqa: PLR2004


def joined(symbol: Symbol) -> str:
    """Return number and notation as printed."""
    return numbers.join(symbol.number.value if symbol.number else "", symbol.notation.value)
