"""Registers read as books: legal columns as data, lines, and which lines a reader may see.

Reading order: `columns` (the forms), `lines` (what stands in a column), `books` (which
books, which lines), `paper` (books closed after a restore), `shelving` (registers opened
and closed). Numbers are allotted and voided in `archive.registration`.
"""

from archive.registers.books import (
    Book,
    Place,
    Sheet,
    newest_number,
    open_register,
    readable,
    registered_per_day,
    sheet,
    shelf,
    span,
    years,
    years_of,
)
from archive.registers.columns import COLUMNS, Column
from archive.registers.lines import Line
from archive.registers.paper import Lost, confirm_last_number, lost, merged, rows, waiting

__all__ = [
    "COLUMNS",
    "Book",
    "Column",
    "Line",
    "Lost",
    "Place",
    "Sheet",
    "confirm_last_number",
    "lost",
    "merged",
    "newest_number",
    "open_register",
    "readable",
    "registered_per_day",
    "rows",
    "sheet",
    "shelf",
    "span",
    "waiting",
    "years",
    "years_of",
]
