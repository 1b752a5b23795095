"""The spreadsheet: text cells only, heads repeated on each printed sheet, level and copy at its head and foot.

Made in memory: the library's way of constant memory writes the lines to a file on the
disk, in the clear. Ten thousand lines of the usual columns take 28 MB and a second while
they are made (measured), and one file is made at a time.
"""

import io
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

import xlsxwriter

from search.printing.cells import one_line, would_run
from search.printing.heading import Heading

PLAIN: Final = {  # nothing of a cell is ever read as a formula, an address or a number
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "dd/mm/yyyy",
}
_ONE: Final = threading.Lock()


def written(
    heading: Heading, heads: Sequence[str], widths: Sequence[int], lines: Iterable[Sequence[str]]
) -> io.BytesIO:
    """Return the file, to be read from its beginning."""
    kept = io.BytesIO()
    with _ONE:
        book = xlsxwriter.Workbook(kept, PLAIN)
        book.set_properties({"title": heading.title, "comments": "", "author": str(heading.made.reader)})
        page = book.add_worksheet(heading.title[:31])
        top = _above(book, page, heading)
        _table(book, page, top, heads, lines)
        for place, width in enumerate(widths):
            page.set_column(place, place, width)
        _for_paper(page, heading, top)
        book.close()
    kept.seek(0)
    return kept


def _above(book: Any, page: Any, heading: Heading) -> int:
    """Write what stands above the lines; return the row of the heads."""
    title, label = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True})
    forms = (book.add_format(), _quoted(book))
    page.write_string(0, 0, heading.title, title)
    for row, (name, words) in enumerate(heading.facts, start=1):
        page.write_string(row, 0, name, label)
        _write(page, (row, 2), words, forms)
    return len(heading.facts) + 2


def _table(book: Any, page: Any, top: int, heads: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    head = book.add_format({"bold": True, "border": 1, "text_wrap": True, "valign": "top"})
    shape = {"border": 1, "text_wrap": True, "valign": "top"}
    forms = (book.add_format(shape), _quoted(book, **shape))
    for place, word in enumerate(heads):
        page.write_string(top, place, word, head)
    last = top
    for last, line in enumerate(lines, start=top + 1):
        for place, text in enumerate(line):
            _write(page, (last, place), text, forms)
    page.freeze_panes(top + 1, 0)
    if heads:
        page.autofilter(top, 0, max(last, top), len(heads) - 1)


def _quoted(book: Any, **more: Any) -> Any:
    """Return the form of a cell that begins like a formula: it stays text after a person has edited it."""
    form = book.add_format(more)
    form.set_quote_prefix()
    return form


def _write(page: Any, at: tuple[int, int], text: str, forms: tuple[Any, Any]) -> None:
    """Write a cell in the usual form, or in the quoted one where it begins like a formula."""
    line = one_line(text)
    page.write_string(*at, line, forms[would_run(line)])


def _for_paper(page: Any, heading: Heading, top: int) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(top)
    # "&" begins a command of the head and foot of a sheet.
    level, foot = heading.level.replace("&", "&&"), heading.foot.replace("&", "&&")[:180]
    page.set_header(f"&C&B{level}" if heading.made.is_marked else "")
    page.set_footer(f"&L{foot}&C&B{level if heading.made.is_marked else ''}&B&R&P/&N")
