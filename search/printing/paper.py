"""The list on paper: A4 landscape, heads on every sheet, level, reader, time and copy number above the lowest level."""

import threading
from collections.abc import Iterable, Sequence
from typing import Final

from archive.printing.paper import draw
from search.printing.cells import one_line
from search.printing.heading import Heading

SHARED: Final = 96  # hundredths of the sheet's width for the columns; the number of the line has the rest
_ONE: Final = threading.Lock()  # a thousand lines take 200 MB while they are drawn: one list at a time in a process


def written(heading: Heading, heads: Sequence[str], widths: Sequence[int], lines: Iterable[Sequence[str]]) -> bytes:
    """Return the list as PDF; never call it inside a transaction."""
    whole = sum(widths) or 1
    context = {
        "heading": heading,
        "made": heading.made,
        "columns": [
            {"head": head, "share": f"{SHARED * width / whole:.1f}"} for head, width in zip(heads, widths, strict=True)
        ],
        "lines": [[one_line(cell) for cell in line] for line in lines],
    }
    with _ONE:
        return draw("search/printing/results.html", context)
