"""Reading the type of a dispatch and its abstract (trích yếu).

Named types have their name in capitals in the middle and the abstract under it, up to
"Căn cứ", "Kính gửi", the issuer's title or the body. Letters (công văn) have "V/v ..." in
the left column under the number. A type that is not printed is told from the symbol,
with less confidence. Pure.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from archive.rules import types
from archive.rules.folding import fold, key
from archive.rules.page import Box
from ingest.lines import Column, Line, box_of, is_motto
from ingest.weighing import Reading, from_lines

CLEAR: Final = 96
PRINTED: Final = 94
WITHOUT_SIGN: Final = 75  # an abstract known by its place alone
FROM_SYMBOL: Final = 80
CUT_SHORT: Final = 85  # an abstract that may go on, or has lost words under a stamp: a person must look
DOUBTFUL_WORD: Final = 70
MOST_LINES: Final = 12
MOST_CHARACTERS: Final = 500  # the length of the field in annex VI of decree 30/2020

# What no abstract starts a line with.
_BODY: Final = re.compile(
    r"^\W{0,3}(?:can cu |kinh gui|dieu \d|chuong [ivx1]|phan (?:thu|i)|[ivx]{1,4}[./]|[1-9]{1,2}[.)/]\s|[a-d]\)|noi nhan|"
    r"quyet (?:nghi|dinh)\s*:|\((?:kem|ban hanh))"
)
# What a body often starts with, but a line of an abstract may as well: the layout decides, where it is known.
_PERHAPS_BODY: Final = re.compile(
    r"^\W{0,3}(?:thuc hien|theo |xet |de (?!an|nghi)|ngay \d|trong (?:nam|thang|thoi|nhung|qua)|nham |bo truong|giam doc|chu tich|"
    r"thu truong|so y te|uy ban|hoi dong|(?:thong tu|nghi dinh|quyet dinh|luat|nghi quyet) so)"
)
_LETTER: Final = re.compile(r"^\W{0,3}v\s?[/.,1il|]{1,2}\s?[vwy]\b")
# No abstract ends with one of these: what follows was lost.
_GOES_ON: Final = re.compile(r"\b(?:ve|cua|va|cho|tai|voi|cac|trong|theo|tu|den|do|doi|nhung|bang|giua)$")
_ABOUT: Final = re.compile(r"^\W{0,3}ve (?:viec )?")
CONSOLIDATED: Final = "Văn bản hợp nhất"
_CONSOLIDATED: Final = re.compile(r"^\W{0,3}van ban hop nhat")
_CERTIFIED: Final = re.compile(r"^\W{0,3}xac thuc van ban hop nhat")
_HEADING_DIRT: Final = re.compile(r"^[^\w]+|[^\w]+$")
_DECORATION: Final = re.compile(r"[\W_]*")
_SPECK: Final = re.compile(r"[_|~`^*=]+")
_CLOSE: Final = 0.86
_MOST_LETTER_LINES: Final = 7
_SHORT_WORD: Final = 3
_LONGEST_HEADING: Final = 45
_TITLES: Final = {each.name.upper(): each for each in types.TYPES}
_TITLE_KEYS: Final = {key(name): each for name, each in _TITLES.items()}
# Half an indent of 1 to 1.27 cm; skew and dirt move a centred line by less.
_INDENT: Final = 200
_INDENT_LEAST: Final = 130
_LEFT_REACH: Final = 900  # how far a line of a letter's abstract may be longer than its first
_BODY_WIDTH: Final = 6500
_BIG_STEP: Final = 1.45
_SIGN_OF: Final = re.compile(r"[-/]?(?:(?:19|20)\d\d/)?([^-/]+)")


class Heading(NamedTuple):
    """Where the type is named, its name, how sure its print is, and the words that name it."""

    at: int
    name: str
    certainty: int
    line: Line


def find_heading(lines: Sequence[Line], *, expected: str = "") -> Heading | None:
    """Return the first line in capitals that is the name of a type, or what is left of the name of the type expected."""
    mottos = [at for at, line in enumerate(lines) if is_motto(line)]
    start = mottos[-1] + 1 if mottos and lines[mottos[-1]].words else 0
    for at, line in enumerate(lines[start:], start):
        parts = [] if line.column is Column.LEFT and start else line.parts()
        found = next((seen for part in parts if (seen := _heading(part) or _rest_of_heading(part, expected))), None)
        if found:
            is_consolidated = any(_CONSOLIDATED.match(above.folded) for above in lines[:at])
            return Heading(at, CONSOLIDATED if is_consolidated else found[0], found[1], found[2])
    return None


def is_consolidation(last_page: Sequence[Line]) -> bool:
    """Return whether the last page certifies a consolidated text, which looks like the text it consolidates."""
    return any(_CERTIFIED.match(line.folded) for line in last_page)


def find_type(heading: Heading | None, lines: Sequence[Line], notation: str | None) -> Reading | None:
    """Return the type: as printed, else from the symbol; a dispatch with "V/v" and no type is a letter."""
    from_sign = type_of_sign(notation) if notation else None
    if heading:
        line = heading.line
        agreed = from_sign is not None and key(from_sign) == key(heading.name)
        read = from_lines(heading.name, [line], 99 if agreed else heading.certainty)
        return (
            read.at_most(heading.certainty)
            if not agreed
            else Reading(read.value, max(read.confidence, 92), read.page, read.box)
        )
    if from_sign:
        return Reading(from_sign, FROM_SYMBOL, lines[0].page).never_sure()
    letter = _letter_at(lines)
    if letter is None and not notation:
        return None
    place = lines[letter] if letter is not None else lines[0]
    return from_lines(types.LETTER, [place], PRINTED if letter is not None else FROM_SYMBOL)


def find_subject(lines: Sequence[Line], heading: Heading | None, *, below: Line | None = None) -> Reading | None:
    """Return the abstract: "V/v ..." of a letter, or the lines under the name of the type.

    Args:
        lines: of the first page.
        heading: where the type is named, None for a letter.
        below: the line of the number; a letter's abstract stands under it even when its "V/v" was lost.
    """
    letter = _letter_at(lines)
    if letter is not None and (heading is None or letter < heading.at):
        chosen = _letter_lines(lines, letter)
    elif heading:
        chosen = _under(lines, heading)
    else:
        chosen = _about_lines(lines)
    text = _text(chosen)
    if text:
        return from_lines(text, chosen, CUT_SHORT if _may_lack_words(lines, chosen, heading) else CLEAR)
    chosen = [] if heading else _under_number(lines, below)
    text = _text(chosen)
    return from_lines(text, chosen, WITHOUT_SIGN).never_sure() if text else None


def _may_lack_words(lines: Sequence[Line], chosen: Sequence[Line], heading: Heading | None) -> bool:
    """Return whether an abstract may be cut short or have lost words: then its reading is not sure, however clear."""
    last = chosen[-1]
    if last.is_exact:
        return False
    if _GOES_ON.search(last.folded.rstrip(" .,;-_")) or any(
        word.confidence < DOUBTFUL_WORD for line in chosen for word in line.trimmed().words
    ):
        return True
    is_askew = len(chosen) > 1 and any(_off_centre(line, chosen[-1]) > _INDENT for line in chosen)
    return (is_askew and heading is not None) or _goes_on_below(lines, chosen)


def _goes_on_below(lines: Sequence[Line], chosen: Sequence[Line]) -> bool:
    """Return whether a short line stands under an abstract, as near as its own lines, and starts nothing else."""
    box = box_of(chosen)
    after = [line for line in lines if line.box and box and line.box[1] > chosen[-1].box[1]] if chosen[-1].box else []
    for line in after[:2]:
        is_under = line.box and box and line.box[0] < box[2] and line.box[2] > box[0]
        if is_under and not _starts_other(line) and not _breaks(chosen, line):
            return True
    return False


def _starts_other(line: Line) -> bool:
    return bool(
        _BODY.match(line.folded)
        or _PERHAPS_BODY.match(line.folded)
        or _DECORATION.fullmatch(line.text)
        or _is_capitals(line)
        or (line.box and line.box[2] - line.box[0] > _BODY_WIDTH)
    )


def _heading(line: Line) -> tuple[str, int, Line] | None:
    cut = _capitals(line)
    plain = key(_HEADING_DIRT.sub("", cut.text))
    if not plain or len(plain) > _LONGEST_HEADING:
        return None
    if plain in _TITLE_KEYS:
        return _TITLE_KEYS[plain].name, CLEAR if cut is line else PRINTED, cut
    mixed = key(line.text)
    if mixed in _TITLE_KEYS and line.text.split()[0].isupper():  # "MỆNH LỆNH hành chính"
        return _TITLE_KEYS[mixed].name, PRINTED, line
    tail = next((title for title in _TITLE_KEYS if plain.endswith(" " + title) and len(title) > 5), None)  # noqa: PLR2004
    if tail and re.search(r"[-—–.]\s*\S+(?:\s\S+)?$", cut.text):  # a stamp's words run into the heading
        return _TITLE_KEYS[tail].name, FROM_SYMBOL, cut
    close = _close_heading(plain) if cut is line else None
    return (*close, line) if close else None


def _rest_of_heading(line: Line, expected: str) -> tuple[str, int, Line] | None:
    """Return the expected type when a line in the middle is one of its words in capitals: the rest lies under a stamp."""
    plain = key(_HEADING_DIRT.sub("", line.text))
    is_word = expected and line.column is not Column.LEFT and line.text.isupper() and plain in key(expected).split()
    return (expected, FROM_SYMBOL, line) if is_word and len(plain) > _SHORT_WORD else None


def _capitals(line: Line) -> Line:
    """Return the words in capitals at the start of a line: a stamp beside the heading runs into it."""
    end, at = 0, 0
    for token in line.text.split(" "):
        letters = [char for char in token if char.isalpha()]
        if any(char.islower() for char in letters):
            break
        at += len(token) + 1
        end = at - 1 if letters else end
    return line if end >= len(line.text) - 2 else line.cut(0, end)


def _close_heading(plain: str) -> tuple[str, int] | None:
    """Return the type whose name is nearly this line: one letter in seven misread."""
    best, ratio = "", 0.0
    for title in _TITLE_KEYS:
        if abs(len(title) - len(plain)) <= 2 and len(title) > 5:  # noqa: PLR2004
            score = SequenceMatcher(None, plain, title).ratio()
            best, ratio = (title, score) if score > ratio else (best, ratio)
    return (_TITLE_KEYS[best].name, FROM_SYMBOL) if ratio >= _CLOSE else None


def type_of_sign(notation: str) -> str | None:
    """Return the name of the type that a symbol's sign stands for, None when it names an office instead."""
    sign = _SIGN_OF.match(notation)
    is_party = "/" in notation and not notation.startswith("/") and not re.match(r"(?:19|20)\d\d/", notation)
    known = types.by_sign(sign[1], is_party=is_party) if sign else None
    return known.name if known else None


def _letter_at(lines: Sequence[Line]) -> int | None:
    return next((at for at, line in enumerate(lines) if _LETTER.match(line.folded)), None)


def _letter_lines(lines: Sequence[Line], at: int) -> list[Line]:
    """Return the "V/v" line and what follows it in its own column."""
    first = lines[at]
    chosen = [first]
    for line in lines[at + 1 :]:
        if line.folded.lstrip(" -").startswith(("kinh gui", "can cu")) or len(chosen) >= MOST_LINES:
            break
        if line.column is not first.column and first.column is Column.LEFT:
            if line.column is not Column.FULL:
                continue
            if (left := _left_part(line, first)) is None or _breaks(chosen, left):
                break
            chosen.append(left)
            continue
        if _DECORATION.fullmatch(line.text) or _breaks(chosen, line):
            break
        if first.words or not _is_head_right(line):
            chosen.append(line)
    return chosen


def _left_part(line: Line, first: Line) -> Line | None:
    """Return what stands in the left column of a row that an incoming stamp runs into: "... trụ sở và kho      ĐẾN"."""
    runs = line.parts()[1:]
    if not runs or not first.box or not runs[0].box or runs[0].words[0] != line.words[0]:
        return None
    return runs[0] if runs[0].box[2] < first.box[2] + _LEFT_REACH else None


def _under_number(lines: Sequence[Line], number: Line | None) -> list[Line]:
    """Return the lines of the left column between the number and "Kính gửi"."""
    if number is None or number.column is not Column.LEFT:
        return []
    chosen: list[Line] = []
    for line in lines[lines.index(number) + 1 :]:
        if line.column is Column.FULL or line.folded.lstrip(" -").startswith(("kinh gui", "can cu")):
            return chosen if len(chosen) <= _MOST_LETTER_LINES else []
        if line.column is Column.LEFT and not _is_capitals(line) and _trusted(line):
            chosen.append(line)
    return []


def _trusted(line: Line) -> bool:
    return median([word.confidence for word in line.words] or [0]) >= WITHOUT_SIGN


def _is_head_right(line: Line) -> bool:
    return "cong hoa" in line.folded or "doc lap" in line.folded or bool(re.search(r"ngay.{0,12}thang", line.folded))


def _under(lines: Sequence[Line], heading: Heading) -> list[Line]:
    title = heading.line
    pitch = _pitch(lines[heading.at :])
    chosen: list[Line] = []
    for dirty in lines[heading.at + 1 :]:
        line = dirty.trimmed()
        if _DECORATION.fullmatch(line.text):
            if chosen:
                break
            continue
        if _ends_abstract(line, chosen, title, pitch):
            break
        chosen.append(line)
        if len(chosen) >= MOST_LINES:
            break
    return chosen


def _ends_abstract(line: Line, chosen: Sequence[Line], title: Line, pitch: float) -> bool:
    if _BODY.match(line.folded):
        return True
    if chosen and _PERHAPS_BODY.match(line.folded) and (not line.box or _off_centre(line, title) > _INDENT_LEAST):
        return True
    if chosen and _is_capitals(line) and not _is_capitals(chosen[-1]):
        return True
    if not chosen:
        return False
    is_aside = min(_off_centre(line, title), _off_centre(line, chosen[0])) > _INDENT  # dirt may have widened the title
    return is_aside or _breaks(chosen, line, pitch)


def _off_centre(line: Line, title: Line) -> int:
    """Return how far a line is from being centred under the heading: the first line of a body is indented."""
    if not line.box or not title.box:
        return 0
    return abs((line.box[0] + line.box[2]) - (title.box[0] + title.box[2])) // 2


def _pitch(lines: Sequence[Line]) -> float:
    """Return the usual step from line to line below the heading, 0 when no boxes are known."""
    boxes = [line.box for line in lines if line.box and line.column is Column.FULL]
    steps = [_middle(below) - _middle(above) for above, below in pairwise(boxes)]
    return median([step for step in steps if step > 0] or [0])


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2


def _breaks(chosen: Sequence[Line], line: Line, pitch: float = 0) -> bool:
    """Return whether the step down to this line is clearly larger than those before it, or than the page's usual one."""
    boxes = [each.box for each in (*chosen, line) if each.box]
    if len(boxes) <= len(chosen):
        return False
    steps = [_middle(below) - _middle(above) for above, below in pairwise(boxes)]
    usual = median(steps[:-1]) if len(steps) > 1 else pitch or 2 * (boxes[0][3] - boxes[0][1])
    return steps[-1] > _BIG_STEP * usual


def _about_lines(lines: Sequence[Line]) -> list[Line]:
    """Return "Về ..." without a heading, as letters of some bodies have it."""
    at = next((n for n, line in enumerate(lines) if _ABOUT.match(line.folded) and line.text.lstrip()[:1] == "V"), None)
    if at is None:
        return []
    chosen = [lines[at]]
    for line in lines[at + 1 : at + MOST_LINES]:
        if _BODY.match(line.folded) or _breaks(chosen, line):
            break
        if not (chosen[0].column is Column.LEFT and line.column is Column.RIGHT):
            chosen.append(line)
    return chosen


def _is_capitals(line: Line) -> bool:
    letters = [char for char in line.text if char.isalpha()]
    return len(letters) > 4 and sum(char.isupper() for char in letters) * 10 >= len(letters) * 9  # noqa: PLR2004


def _text(lines: Sequence[Line]) -> str:
    words = [token for line in lines for token in line.text.split() if not _SPECK.fullmatch(token)]
    whole = " ".join(words)
    letter = _LETTER.match(fold(whole))
    whole = whole[letter.end() :] if letter else whole  # the register's column holds the subject, not its "V/v"
    return whole.strip(" .;:_-–—|*'\"“”`~=")[:MOST_CHARACTERS]
