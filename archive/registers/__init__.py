"""Registers read as books: legal columns as data, lines, and which lines a reader may see.

Reading order: `columns` (the forms), `lines` (what stands in a column), `books` (which
books, which lines). Numbers are allotted and voided in `archive.registration`.
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
    span,
    years,
)
from archive.registers.columns import COLUMNS, Column
from archive.registers.lines import Line

__all__ = [
    "COLUMNS",
    "Book",
    "Column",
    "Line",
    "Place",
    "Sheet",
    "newest_number",
    "open_register",
    "readable",
    "registered_per_day",
    "sheet",
    "span",
    "years",
]
