"""What an office writes in more than one way: abbreviations and names of agencies. Plain data that it can edit.

The shipped list is `data/synonyms.txt`; the office's own, `settings.SYNONYMS`, adds
groups to it and takes shipped ones away. Both are read when first asked for, and again
when the office's file has changed: queries are widened when they are asked
(`search.widening`), so an edit needs no new index and no restart.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from search.syllables import is_syllable
from search.text import exact_words, vi_norm, words

SHIPPED: Final = Path(__file__).parent / "data" / "synonyms.txt"
MOST_WORDS: Final = 8  # of one way to write it
MOST_WAYS: Final = 8  # of one group: each is looked for in every query that says another
MOST_BYTES: Final = 200_000

Tokens = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write a name: as shown, and its words without and with marks."""

    shown: str
    tokens: Tokens
    typed: Tokens


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be used: its number in the office's file, and why in one of the words of `WHY`."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """The other ways to write each way, by its words without marks; `longest` counts the words of the longest."""

    groups: Mapping[Tokens, tuple[tuple[Way, ...], ...]] = field(default_factory=dict)
    longest: int = 0

    def others(self, tokens: Tokens, typed: Tokens) -> tuple[Way, ...]:
        """Return the other ways to write these words; marks that were typed must be those of the list."""
        found: dict[Tokens, Way] = {}
        for group in self.groups.get(tokens, ()):
            if any(_agree(way, tokens, typed) for way in group):
                found.update({way.tokens: way for way in group if way.tokens != tokens})
        return tuple(found.values())


WHY: Final = {
    "alone": 'there is nothing to choose between: write "ABBREVIATION = Full name"',
    "empty": 'one side of "=" has no word',
    "long": f"it has more than {MOST_WORDS} words on a side or more than {MOST_WAYS} sides",
    "syllable": "an abbreviation that is also a Vietnamese syllable would be taken for other words",
    "unknown": "no shipped line has what it takes away",
    "file": f"the file cannot be read as UTF-8 text of at most {MOST_BYTES} bytes",
}


def current() -> Table:
    """Return the table as the files now stand."""
    path = office_file()
    return _built(path, _stamp(path))[0]


def faults() -> tuple[Fault, ...]:
    """Return the lines of the office's file that are passed over."""
    path = office_file()
    return _built(path, _stamp(path))[1]


def office_file() -> Path:
    """Return where the office keeps its own list, whether it is there or not."""
    return Path(settings.SYNONYMS)


def build(shipped: str, own: str) -> tuple[Table, tuple[Fault, ...]]:
    """Return the table of two texts, and the faults of the second."""
    groups, found = list(_groups(shipped, [])), list[Fault]()
    added = list(_groups(own, found))
    for line, tokens in _taken(own):
        left = [group for group in groups if all(way.tokens != tokens for way in group)]
        if len(left) == len(groups):
            found.append(Fault(line, "unknown"))
        groups = left
    return _table([*groups, *added]), tuple(sorted(found, key=lambda one: one.line))


@lru_cache(maxsize=2)
def _built(path: Path, stamp: tuple[int, int] | None) -> tuple[Table, tuple[Fault, ...]]:
    # nosemgrep: files - the list that is shipped with the product
    shipped = SHIPPED.read_text(encoding="utf-8")
    if stamp is None:
        return build(shipped, "")
    try:
        # nosemgrep: files - the office's own list, named by settings
        own = path.read_text(encoding="utf-8-sig") if stamp[1] <= MOST_BYTES else None
    except (OSError, UnicodeDecodeError):
        own = None
    if own is None:
        return build(shipped, "")[0], (Fault(0, "file"),)
    return build(shipped, own)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        said = vi_norm(line.split("#", 1)[0]).strip()
        if said:
            yield number, said


def _groups(text: str, found: list[Fault]) -> Iterator[tuple[Way, ...]]:
    """Yield the groups of a text; what is wrong is added to the faults."""
    for number, line in _lines(text):
        if line.startswith("-"):
            continue
        ways = [_way(side) for side in line.split("=")]
        if why := _fault(ways):
            found.append(Fault(number, why))
        else:
            yield tuple(ways)


def _taken(text: str) -> Iterator[tuple[int, Tokens]]:
    return ((number, tuple(words(line))) for number, line in _lines(text) if line.startswith("-"))


def _way(text: str) -> Way:
    return Way(" ".join(text.split()), tuple(words(text)), tuple(exact_words(text)))


def _fault(ways: list[Way]) -> str:
    """Return why a line cannot be used, "" if it can."""
    if len(ways) == 1:
        return "alone"
    if not all(way.tokens for way in ways):
        return "empty"
    if len(ways) > MOST_WAYS or any(len(way.tokens) > MOST_WORDS for way in ways):
        return "long"
    return "syllable" if any(len(way.tokens) == 1 and is_syllable(way.tokens[0]) for way in ways) else ""


def _table(groups: Iterable[tuple[Way, ...]]) -> Table:
    by_words: dict[Tokens, tuple[tuple[Way, ...], ...]] = {}
    for group in groups:
        for tokens in {way.tokens for way in group}:
            by_words[tokens] = (*by_words.get(tokens, ()), group)
    return Table(by_words, max(map(len, by_words), default=0))


def _agree(way: Way, tokens: Tokens, typed: Tokens) -> bool:
    """Return whether words as typed are this way to write them: each without marks, or with the right ones."""
    return way.tokens == tokens and all(
        said in (bare, right) for said, bare, right in zip(typed, tokens, way.typed, strict=True)
    )
