"""The names a query may use, and the words that stand for a level, an urgency, a type. Pure tables.

A name missing here is text. The fields that decide who may see a record (its reach,
its marking, granted ids) are missing on purpose: `mat:` and `donvi:` only narrow what
the reader sees anyway.
"""

from typing import Final

from archive.rules.levels import LEVEL_SLUGS, URGENCY_SLUGS

# folded alias without spaces and hyphens -> field; Vietnamese with and without marks fold alike
ALIASES: Final = {
    "so": "number",
    "sokyhieu": "number",
    "kyhieu": "number",
    "sovanban": "number",
    "number": "number",
    "soden": "register",
    "sodi": "register",
    "sodangky": "register",
    "register": "register",
    "ngay": "day",
    "date": "day",
    "ngayden": "arrived",
    "arrived": "arrived",
    "tu": "since",
    "tungay": "since",
    "from": "since",
    "since": "since",
    "den": "until",
    "denngay": "until",
    "toi": "until",
    "until": "until",
    "nam": "year",
    "year": "year",
    "mat": "level",
    "domat": "level",
    "level": "level",
    "khan": "urgency",
    "dokhan": "urgency",
    "urgency": "urgency",
    "huong": "direction",
    "direction": "direction",
    "coquan": "organ",
    "cqbh": "organ",
    "coquanbanhanh": "organ",
    "noibanhanh": "organ",
    "agency": "organ",
    "issuer": "organ",
    "organ": "organ",
    "nguoiky": "signer",
    "signedby": "signer",
    "signer": "signer",
    "loai": "type",
    "loaivanban": "type",
    "type": "type",
    "donvi": "unit",
    "unit": "unit",
    "hoso": "dossier",
    "mahoso": "dossier",
    "dossier": "dossier",
    "trichyeu": "subject",
    "subject": "subject",
    "thbq": "retention",
    "thoihan": "retention",
    "thoihanbaoquan": "retention",
    "baoquan": "retention",
    "retention": "retention",
}

_LEVEL_WORDS: Final[dict[str, int | str]] = {
    "unclassified": 0,
    "confidential": 1,
    "secret": 2,
    "topsecret": 3,
    "khongmat": 0,
}
_URGENCY_WORDS: Final[dict[str, int | str]] = {"routine": 0, "urgent": 1, "veryurgent": 2, "flash": 3}
_DIRECTION_WORDS: Final[dict[str, int | str]] = {
    "den": "incoming",
    "vanbanden": "incoming",
    "in": "incoming",
    "incoming": "incoming",
    "di": "outgoing",
    "vanbandi": "outgoing",
    "out": "outgoing",
    "outgoing": "outgoing",
}

LONGEST_NAME: Final = 4  # words: "thời hạn bảo quản"
# Fields whose value is told from other text by its form: for these "Số: 123/BC" may have a space. In quotation marks any may.
SPACED: Final = frozenset({"number", "day", "arrived", "since", "until", "year", "level", "urgency", "direction"})

SPOKEN: Final = frozenset({"day", "arrived", "since", "until", "year"})  # a day, a month or a year may be said in words

# What `mat:`, `khan:` and `huong:` may say, folded and without spaces and hyphens.
CHOICES: Final[dict[str, dict[str, int | str]]] = {
    "level": {**{slug.replace("-", ""): int(rank) for rank, slug in LEVEL_SLUGS.items()}, **_LEVEL_WORDS},
    "urgency": {**{slug.replace("-", ""): int(rank) for rank, slug in URGENCY_SLUGS.items()}, **_URGENCY_WORDS},
    "direction": _DIRECTION_WORDS,
}

# The 29 types of decree 30/2020/ND-CP (annex III) and party types in daily use, by their abbreviation.
TYPES: Final = {
    "nq": "nghi quyet",
    "qd": "quyet dinh",
    "ct": "chi thi",
    "qc": "quy che",
    "qyd": "quy dinh",
    "tc": "thong cao",
    "tb": "thong bao",
    "hd": "huong dan",
    "ctr": "chuong trinh",
    "kh": "ke hoach",
    "pa": "phuong an",
    "da": "de an",
    "bc": "bao cao",
    "bb": "bien ban",
    "ttr": "to trinh",
    "cd": "cong dien",
    "bgn": "ban ghi nho",
    "btt": "ban thoa thuan",
    "guq": "giay uy quyen",
    "gm": "giay moi",
    "ggt": "giay gioi thieu",
    "gnp": "giay nghi phep",
    "pg": "phieu gui",
    "pc": "phieu chuyen",
    "pb": "phieu bao",
    "cv": "cong van",
    "nd": "nghi dinh",
    "tt": "thong tu",
}

# Notations with a vowel; all others are recognised by having none (BCH, BTL, QK).
LONGEST_NOTATION: Final = 6
NOTATIONS: Final = frozenset({"ubnd", "tu", "cat", "da", "pa", "guq", "ca", "su", "du", "qu"})


def looks_like_notation(token: str) -> bool:
    """Return whether a folded word typed after a number belongs to it: "bch", "ubnd", "qk9"."""
    letters = token.rstrip("0123456789")
    is_short = 1 < len(letters) <= LONGEST_NOTATION
    return is_short and letters.isalpha() and (token in NOTATIONS or not set(letters) & set("aeiouy"))
