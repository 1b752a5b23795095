"""How much of a password is more than what guessers try: words, years, rows of keys, repetitions.

A rough lower bound, no estimate of strength: each such piece counts as two letters, however long, every other letter
or figure as one, marks as none. Pure; keeps nothing.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

ENOUGH: Final = 8
PIECE: Final = 2
SHORTEST: Final = 3  # of a row of keys or a repetition
# What people of this country and this office type first, without marks and blanks.
WORDS: Final = frozenset(
    [
        "matkhau",
        "doimatkhau",
        "quenmatkhau",
        "quenroi",
        "khongnho",
        "khongbiet",
        "khongco",
        "dangnhap",
        "taikhoan",
        "nguoidung",
        "quantri",
        "xinchao",
        "chaoban",
        "anhyeuem",
        "emyeuanh",
        "yeuanh",
        "yeuem",
        "toiyeu",
        "yeunuoc",
        "tinhyeu",
        "conyeu",
        "meyeu",
        "boyeu",
        "giadinh",
        "hanhphuc",
        "vietnam",
        "hanoi",
        "saigon",
        "hochiminh",
        "danang",
        "haiphong",
        "cantho",
        "quandoi",
        "quandoinhandan",
        "quankhu",
        "quansu",
        "bochihuy",
        "bochqs",
        "chqs",
        "chihuy",
        "chihuytruong",
        "tinhdoi",
        "huyendoi",
        "bodoi",
        "chiensi",
        "dongchi",
        "daoduc",
        "phongthammuu",
        "thammuu",
        "chinhtri",
        "hauccan",
        "haucan",
        "kythuat",
        "tacchien",
        "dansu",
        "dungu",
        "vanthu",
        "vankho",
        "luutru",
        "congvan",
        "hoso",
        "tailieu",
        "bimat",
        "toimat",
        "tuyetmat",
        "giaymoi",
        "kehoach",
        "nguyen",
        "tran",
        "pham",
        "hoang",
        "thang",
        "ngay",
        "bongda",
        "maytinh",
        "dienthoai",
        "password",
        "passwd",
        "passw",
        "admin",
        "administrator",
        "user",
        "login",
        "welcome",
        "letmein",
        "changeme",
        "default",
        "secret",
        "master",
        "iloveyou",
        "sunshine",
        "princess",
        "superman",
        "dragon",
        "monkey",
        "football",
        "computer",
        "internet",
        "facebook",
        "google",
        "samsung",
        "iphone",
        "test",
        "demo",
        "root",
        "guest",
        "office",
        "server",
        "system",
    ]
)
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
)
_LEET: Final = str.maketrans("@$013457", "asoleast")
_YEAR: Final = re.compile(r"(?:(?:0?[1-9]|[12]\d|3[01])(?:0?[1-9]|1[0-2]))?(?:19|20)\d\d")  # or a day, written out
_REPEAT: Final = re.compile(r"(.{1,6}?)\1{2,}")


def worth(password: str, words: Collection[str] = ()) -> int:
    """Return how many letters a password is worth; below `ENOUGH` it is guessed.

    Args:
        password: as typed.
        words: more words that guessers know: names, lists of passwords that were found elsewhere.

    >>> worth("123456789012") < ENOUGH <= worth("ba con vịt ngoài ao")
    True
    """
    known = WORDS | frozenset(words)
    plain = _folded(password)
    return min(_worth(plain, known), _worth(_folded(password.translate(_LEET)), known))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in plain if letter.isalnum())


def _worth(text: str, known: frozenset[str]) -> int:
    """Count a folded text from left to right, the longest piece first."""
    longest, at, total = max(map(len, known)), 0, 0
    while at < len(text):
        length = max(
            _word(text, at, known, longest), _row(text, at), _matched(_YEAR, text, at), _matched(_REPEAT, text, at)
        )
        total += PIECE if length else 1
        at += length or 1
    return total


def _word(text: str, at: int, known: frozenset[str], longest: int) -> int:
    ends = range(min(longest, len(text) - at), SHORTEST, -1)
    return next((length for length in ends if text[at : at + length] in known), 0)


def _row(text: str, at: int) -> int:
    """Return how far a row of keys or letters goes on from a place, forwards or backwards."""
    best = 0
    for row in _ROWS:
        for way in (row, row[::-1]):
            length = SHORTEST
            while at + length <= len(text) and text[at : at + length] in way:
                best, length = max(best, length), length + 1
    return best


def _matched(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return len(found.group()) if found else 0
