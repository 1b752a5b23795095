"""Reading who signed and by what authority, from the end of a dispatch.

The signature stands at the lower right: authority and post in capitals ("KT. GIÁM
ĐỐC"), space for hand and seal, then the name in small letters, in the army with the rank
before it. Annexes may follow, so pages are searched from the last one back. Pure.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from archive.rules.folding import fold
from ingest.lines import Column, Line, around
from ingest.weighing import Reading, lowest, word_confidence

CLEAR: Final = 94
MOST_PAGES: Final = 12  # back from the end; longer annexes hide the signature from this reading
MOST_LINES_BETWEEN: Final = 16
WITHOUT_FAMILY: Final = 75

AUTHORITIES: Final = {"tm": "TM.", "kt": "KT.", "tl": "TL.", "tuq": "TUQ.", "q": "Q."}
_AUTHORITY: Final = re.compile(r"(?:^|\s)(tm|kt|tl|tuq|q)\s{0,2}[.,:]\s{0,2}(?=[a-z])")
# Without blanks: readers run the spaced capitals of a post together.
_POSTS: Final = re.compile(
    "chihuytruong|chihuypho|chinhuy|chinhtrivien|tulenh|thammuutruong|chunhiem|giamdoc|chutich|botruong|thutruong|thutuong|"
    "cuctruong|vutruong|vientruong|truongphong|truongban|hieutruong|chanhvanphong|chanhthanhtra|tongthanhtra|bithu|truongdoan|"
    "doantruong|daidoitruong|doitruong|tramtruong|chanhan|truongkhoa|uybannhandan|banthuongvu|chinhphu|bochihuy|photruong"
)
_RANK: Final = re.compile(
    r"^(?:(?:dai|thuong|trung|thieu) (?:tuong|ta|uy)|do doc|chuan do doc|pho do doc|(?:pgs|gs|ts|ths|bs|bsckii|bscki|cn|ds|ks|ll)\s?[.,]?)\W*",
)
_PARTICLE: Final = frozenset(
    (
        "noi",
        "nhan",
        "nhu",
        "luu",
        "tren",
        "kinh",
        "ngay",
        "thang",
        "nam",
        "so",
        "ky",
        "boi",
        "dieu",
        "cong",
        "va",
        "cac",
        "de",
        "phong",
        "don",
        "vi",
    )
)
_FAMILIES: Final = frozenset(
    [
        "nguyen",
        "tran",
        "le",
        "pham",
        "hoang",
        "huynh",
        "phan",
        "vu",
        "vo",
        "dang",
        "bui",
        "do",
        "ho",
        "ngo",
        "duong",
        "ly",
        "dao",
        "doan",
        "vuong",
        "trinh",
        "truong",
        "dinh",
        "lam",
        "phung",
        "mai",
        "to",
        "ha",
        "cao",
        "chau",
        "luu",
        "ta",
        "tong",
        "thai",
        "tang",
        "quach",
        "lai",
        "kieu",
        "luong",
        "bach",
        "ton",
        "la",
        "giang",
        "nghiem",
        "chu",
        "mac",
        "thach",
        "danh",
        "kim",
        "tieu",
        "khong",
        "van",
        "an",
        "uong",
        "hua",
        "vi",
        "lo",
        "rcom",
        "ksor",
        "nong",
        "be",
        "trieu",
        "ma",
        "hoang",
        "tho",
        "quang",
        "cam",
        "long",
        "bo",
        "luc",
        "ong",
    ]
)
_NAME_WORD: Final = re.compile(r"[A-ZĐÀ-ỸẠ-Ỹ][a-zđà-ỹạ-ỹ]{0,7}")
_NAME_LENGTH: Final = (2, 6)
_SIGN_DIRT: Final = re.compile(r"^[^\w]+|[^\w]+$")


class Signature(NamedTuple):
    """Name and authority, each None when not read."""

    name: Reading | None
    authority: Reading | None


def find_signature(pages: Sequence[Sequence[Line]]) -> Signature:
    """Return the signature nearest to the end of the dispatch."""
    for lines in reversed(pages[-MOST_PAGES:] if len(pages) > 1 else pages):
        found = _on_page(lines)
        if found:
            return found
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
    first = last
    for at in range(last - 1, max(-1, last - 9), -1):
        if _is_post(lines[at]):
            first = at
    return first


def _is_post(line: Line) -> bool:
    """Return whether a line, or its right end, is a post in capitals on the right side."""
    if line.column is Column.LEFT:
        return False
    text = _capitals_at_end(line)
    return bool(text) and bool(_AUTHORITY.search(fold(text)) or _POSTS.search(fold(text).replace(" ", "")))


def _capitals_at_end(line: Line) -> str:
    """Return the run of words in capitals with which a line ends."""
    tokens = line.text.split()
    kept: list[str] = []
    for token in reversed(tokens[-12:]):
        letters = [char for char in token if char.isalpha()]
        if letters and not all(char.isupper() for char in letters):
            break
        kept.append(token)
    text = " ".join(reversed(kept))
    return text if sum(char.isalpha() for char in text) > 4 else ""  # noqa: PLR2004


def _authorities(line: Line) -> list[Reading]:
    if not _is_post(line):
        return []
    return [
        Reading(
            AUTHORITIES[match[1]],
            min(CLEAR, word_confidence(line, match.start(1), match.end(1) + 1)),
            line.page,
            line.box if line.words else None,
        )
        for match in _AUTHORITY.finditer(line.folded)
    ]


def _name_under(lines: Sequence[Line], post: int) -> Reading | None:
    found = None
    for line in lines[post + 1 : post + 1 + MOST_LINES_BETWEEN]:
        if line.column is Column.LEFT:
            continue
        read = _name(line)
        if read:
            found = read
            break
    return found


def _name(line: Line) -> Reading | None:
    """Return a person's name at the end of a line: two to six words in small letters with capitals first."""
    tokens = line.text.split()
    start = len(tokens)
    while start and _NAME_WORD.fullmatch(_SIGN_DIRT.sub("", tokens[start - 1])) and len(tokens) - start < 8:  # noqa: PLR2004
        start -= 1
    offset = len(" ".join(tokens[:start])) + (1 if start else 0)
    text = line.text[offset:]
    rank = _RANK.match(fold(text))
    if rank:
        offset += rank.end()
    words = [_SIGN_DIRT.sub("", token) for token in line.text[offset:].split()]
    if not _NAME_LENGTH[0] <= len(words) <= _NAME_LENGTH[1] or any(fold(word) in _PARTICLE for word in words[:1]):
        return None
    if start and not line.words and line.text[:offset].strip() and not rank:
        return None
    known = fold(words[0]) in _FAMILIES
    spelled = line.words_in(offset, len(line.text))
    read = Reading(" ".join(words), min(CLEAR, lowest(spelled, line)), line.page, around(spelled))
    return read if known else read.at_most(WITHOUT_FAMILY).never_sure()
