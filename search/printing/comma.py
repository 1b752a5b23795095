"""The file of lines and commas (RFC 4180): UTF-8 with its mark, so that a spreadsheet reads Vietnamese; streamed."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from search.printing.cells import harmless
from search.printing.heading import Heading

MARK: Final = "\ufeff"


class _Echo:
    """Gives back what the writer writes."""

    def write(self, value: str) -> str:
        """Return the line."""
        return value


def written(heading: Heading, heads: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield the file line by line: what it is, an empty line, the heads, the dispatches."""
    writer = csv.writer(_Echo())
    above: list[Sequence[str]] = [[heading.title], *([label, words] for label, words in heading.facts), [], heads]
    yield MARK.encode()
    for line in above:
        yield _bytes(writer.writerow([harmless(cell) for cell in line]))
    for line in lines:
        yield _bytes(writer.writerow([harmless(cell) for cell in line]))


def _bytes(line: object) -> bytes:
    return str(line).encode()
