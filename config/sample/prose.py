"""The words of the sample letters: reads the text files in `prose/`, one letter each, in the order of their names.

A file has a head of `key: value` lines, a line `---`, and a body with one paragraph a line. The first
signs of a line say what it is: `~` legal basis, `#` heading, `-` item, `!` centred line,
`@` a new sheet with the title of an annex, `|` a row of a table (the first row is its head).
Names in braces are filled in by `letters`. Nothing here knows dates, numbers or people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from archive.rules.levels import Level, Urgency

FOLDER: Final = Path(__file__).with_name("prose")


class Kind(StrEnum):
    """What a paragraph is on the page."""

    BASIS = "~"
    HEADING = "#"
    ITEM = "-"
    CENTRED = "!"
    ANNEX = "@"
    ROW = "|"
    PLAIN = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading, annex title or table row (cells parted by `|`)."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One letter as written, before it has a number, a date and a signature.

    `organ` is a key of `correspondents.ORGANS`, or "commune". `signer` counts that body's signers.
    `drafted` ends the symbol of an official letter (`BCH-HC`). `answers` names the theme it replies to.
    """

    key: str
    organ: str
    type_name: str
    subject: str
    body: tuple[Block, ...]
    level: Level = Level.THUONG
    urgency: Urgency = Urgency.THUONG
    signer: int = 0
    drafted: str = ""
    to: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    form: str = "scan"
    answers: str = ""


@cache
def themes() -> tuple[Theme, ...]:
    """Return all letters as written, in the order in which a small demonstration takes them."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.txt")))


def _read(path: Path) -> Theme:
    head, _, body = path.read_text(encoding="utf-8").partition("\n---\n")
    said = dict(_pair(line) for line in head.splitlines())
    return Theme(
        key=path.stem.partition("-")[2],
        organ=said["from"],
        type_name=said["type"],
        subject=said["subject"],
        body=tuple(_blocks(body)),
        level=Level.parse(said.get("level", "thuong")),
        urgency=Urgency.parse(said.get("urgency", "thuong")),
        signer=int(said.get("signer", "0")),
        drafted=said.get("drafted", ""),
        to=_list(said.get("to", "")),
        copies=_list(said.get("copies", "")),
        form=said.get("form", "scan"),
        answers=said.get("answers", ""),
    )


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(";") if part.strip())


def _blocks(body: str) -> Iterator[Block]:
    for line in body.splitlines():
        if not line.strip():
            continue
        kind = Kind(line[0]) if line[0] in "~#-!@|" else Kind.PLAIN
        yield Block(kind, line.removeprefix(kind.value).strip())
