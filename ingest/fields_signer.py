"""Reading who signed and by what authority, from the end of a dispatch.

The signature stands at the lower right: authority and post in capitals ("KT. GIÁM
ĐỐC"), space for hand and seal, then the name in small letters, in the army with the rank
before it. Annexes may follow, so pages are searched from the last one back. Pure.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from archive.rules.folding import key
from ingest import agencies
from ingest.lines import Column, Line, around
from ingest.weighing import Reading, lowest, word_confidence

CLEAR: Final = 94
MOST_PAGES: Final = 12  # back from the end; longer annexes hide the signature from this reading
MOST_LINES_BETWEEN: Final = 16
MOST_POST_LINES: Final = 8
WITHOUT_FAMILY: Final = 75
WITHOUT_POST: Final = 70
RIGHT_HALF: Final = 5600  # where the middle of a signature stands; a heading's middle is at 5000

AUTHORITIES: Final = {"tm": "TM.", "kt": "KT.", "tl": "TL.", "tuq": "TUQ.", "q": "Q."}
# "TM." in the state's letters, "T/M" in the party's.
_AUTHORITY: Final = re.compile(
    r"(?:^|\s)(?:(tm|kt|tl|tuq|q)\s{0,2}[.,:]\s{0,2}|(t\s?/\s?m|k\s?/\s?t|t\s?/\s?l|t\s?/\s?uq)[.,:]?\s{1,2})(?=[a-z])"
)
# Without blanks: readers run the spaced capitals of a post together.
_POSTS: Final = re.compile(
    "chihuytruong|chihuypho|chinhuy|chinhtrivien|tulenh|thammuutruong|chunhiem|giamdoc|chutich|botruong|thutruong|thutuong|"
    "cuctruong|vutruong|vientruong|truongphong|truongban|hieutruong|chanhvanphong|chanhthanhtra|tongthanhtra|bithu|truongdoan|"
    "doantruong|daidoitruong|doitruong|tramtruong|chanhan|truongkhoa|uybannhandan|banthuongvu|chinhphu|bochihuy|photruong"
)
_BETWEEN: Final = re.compile(r"[\s/]+")
# "Lhượng tá", "Đạïtá": a rank misread before a name that starts with a family's name.
_DAMAGED_RANK: Final = re.compile(r"(\S{3,8})(?: |(?<=\S{3}))(?:ta|tuong|uy|t\S)\s+(?=(\S+))")
_RANK: Final = re.compile(
    r"^(?:(?:dai|thuong|trung|thieu) (?:tuong\b|\S{2}(?=\s))|do doc|chuan do doc|pho do doc|(?:pgs|gs|ts|ths|bs|bsckii|bscki|cn|ds|ks|ll)\s?[.,]?)\W*",
)
_FAMILIES: Final = frozenset(
    key(family)
    for family in [
        "Nguyễn",
        " Trần",
        " Lê",
        " Phạm",
        " Hoàng",
        " Huỳnh",
        " Phan",
        " Vũ",
        " Võ",
        " Đặng",
        " Bùi",
        " Đỗ",
        " Hồ",
        " Ngô",
        " Dương",
        " Lý",
        " Đào",
        " Đoàn",
        " Vương",
        " Trịnh",
        " Trương",
        " Đinh",
        "Lâm",
        " Phùng",
        " Mai",
        " Tô",
        " Hà",
        " Cao",
        " Châu",
        " Lưu",
        " Tạ",
        " Tống",
        " Thái",
        " Tăng",
        " Quách",
        " Lại",
        " Kiều",
        " Lương",
        " Bạch",
        " Tôn",
        " La",
        " Giang",
        " Nghiêm",
        " Chu",
        " Mạc",
        "Thạch",
        " Danh",
        " Kim",
        " Tiêu",
        " Khổng",
        " Văn",
        " Âu",
        " Ông",
        " Hứa",
        " Vi",
        " Lò",
        " Rcom",
        " Ksor",
        " Nông",
        " Bế",
        " Triệu",
        " Ma",
        " Thò",
        " Quàng",
        " Cầm",
        " Long",
        " Lục",
        " Sùng",
        " Vàng",
    ]
    for family in [family.strip()]
)
_PLACES: Final = frozenset(key(place) for place in agencies.PROVINCES.split(";"))
_LONGEST_NAME_WORD: Final = 8
_NAME_LENGTH: Final = (2, 6)
_RECIPIENTS: Final = re.compile(r"^\W{0,3}noi nhan\b")
_SIGN_DIRT: Final = re.compile(r"^[^\w]+|[^\w]+$")
_LINE_DIRT: Final = re.compile(r"(?:[\W_]|[a-z0-9]{1,2}(?=[\W_]))*")


class Signature(NamedTuple):
    """Name and authority, each None when not read."""

    name: Reading | None
    authority: Reading | None


def find_signature(pages: Sequence[Sequence[Line]]) -> Signature:
    """Return the signature nearest to the end of the dispatch, on the page of the recipients where there is one."""
    for lines in reversed(pages[-MOST_PAGES:]):
        found = _on_page(lines)
        if found:
            return found
        if any(_RECIPIENTS.match(line.folded) for line in lines):
            return Signature(_name_without_post(lines), None)
    return Signature(None, None)


def _on_page(lines: Sequence[Line]) -> Signature | None:
    last = next((at for at in range(len(lines) - 1, -1, -1) if _is_post(lines[at])), None)
    if last is None:
        return None
    first = _first_post(lines, last)
    authorities = [read for line in lines[first : last + 1] for read in _authorities(line)]
    name = _name_under(lines, last)
    if name is None and not authorities:
        return None
    authority = authorities[0] if authorities else None
    for other in authorities[1:]:
        authority = authority.with_other(other.value) if authority else None
    return Signature(name, authority)


def _first_post(lines: Sequence[Line], last: int) -> int:
    """Return where the block of posts starts: "TM. ỦY BAN NHÂN DÂN / KT. CHỦ TỊCH / PHÓ CHỦ TỊCH"."""
    block = range(max(0, last - MOST_POST_LINES), last + 1)
    return next(at for at in block if _is_post(lines[at]))


def _is_post(line: Line) -> bool:
    """Return whether a line, or its right end, is a post in capitals in the right half."""
    if line.column is Column.LEFT:
        return False
    start = _capitals_at_end(line)
    plain = line.folded[start:]
    if not (_AUTHORITY.search(plain) or _POSTS.search(plain.replace(" ", ""))):
        return False
    return _is_on_the_right(line, start)


def _is_on_the_right(line: Line, start: int) -> bool:
    box = around(line.words_in(start, len(line.text)))
    return box is None or box[0] + box[2] > 2 * RIGHT_HALF


def _capitals_at_end(line: Line) -> int:
    """Return where the run of words in capitals starts with which a line ends; its end when there is none."""
    start = at = len(line.text)
    for token in reversed(line.text.split(" ")[-12:]):
        at -= len(token)
        letters = [char for char in token if char.isalpha()]
        if any(not char.isupper() for char in letters):
            break
        start = at
        at -= 1
    return start


def _authorities(line: Line) -> list[Reading]:
    if not _is_post(line):
        return []
    return [
        Reading(
            AUTHORITIES[_BETWEEN.sub("", match[match.lastindex or 0])],
            min(CLEAR, word_confidence(line, match.start(match.lastindex or 0), match.end(match.lastindex or 0) + 1)),
            line.page,
            around(line.words_in(match.start(match.lastindex or 0), len(line.text))),
        )
        for match in _AUTHORITY.finditer(line.folded, max(0, _capitals_at_end(line) - 1))
    ]


def _name_under(lines: Sequence[Line], post: int) -> Reading | None:
    below = (line for line in lines[post + 1 : post + 1 + MOST_LINES_BETWEEN] if line.column is not Column.LEFT)
    return next((read for read in map(_name, below) if read), None)


def _name_without_post(lines: Sequence[Line]) -> Reading | None:
    """Return a name at the lower right of the recipients' page whose post was lost under the seal."""
    at = next(at for at, line in enumerate(lines) if _RECIPIENTS.match(line.folded))
    below = [read for line in lines[at:] if line.column is Column.RIGHT and (read := _name(line))]
    return below[-1].at_most(WITHOUT_POST).never_sure() if below else None


def _name(line: Line) -> Reading | None:
    """Return a person's name when a line consists of one: two to six words with capitals, a rank before it."""
    start = _name_start(line)
    words = [_SIGN_DIRT.sub("", token) for token in line.text[start:].split()]
    if not _NAME_LENGTH[0] <= len(words) <= _NAME_LENGTH[1] or not all(map(_is_name_word, words)):
        return None
    name = " ".join(words)
    spelled = line.words_in(start, len(line.text))
    if key(name) in _PLACES or not _is_on_the_right(line, start):
        return None
    read = Reading(name, min(CLEAR, lowest(spelled, line)), line.page, around(spelled))
    if key(words[0]) in _FAMILIES:
        return read
    is_likely = len(words) > _NAME_LENGTH[0] and all(len(word) > 1 for word in words)
    return read.at_most(WITHOUT_FAMILY).never_sure() if is_likely else None


def _is_name_word(word: str) -> bool:
    return (
        word.isalpha()
        and word[:1].isupper()
        and not any(map(str.isupper, word[1:]))
        and len(word) <= _LONGEST_NAME_WORD
    )


def _name_start(line: Line) -> int:
    """Return where a name may start: after dirt and a rank; a word before it makes the line running text."""
    dirt = _LINE_DIRT.match(line.text)
    start = dirt.end() if dirt else 0
    while rank := _RANK.match(line.folded[start:]):
        start += rank.end()
    damaged = _DAMAGED_RANK.match(line.folded, start)
    if damaged and damaged[1] not in _FAMILIES and damaged[2] in _FAMILIES:
        start = damaged.end()
    return start
