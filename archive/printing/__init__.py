"""Paper: legal forms as PDF, drawn on the server from the rows a reader may see.

Nothing is fetched while drawing: every address is refused. Drawing takes seconds, so it
never runs inside a transaction (one would lock out every clerk); the entry of the log
is written before. The forms are Vietnamese whatever the reader's language is.
Reading order: `paper` (draws), `forms` (the forms), `sheets` (pages of a dispatch).
"""

from archive.printing.forms import Contents, Volume, contents_list, log_rows, register_volume
from archive.printing.paper import Print
from archive.printing.sheets import record_pages

__all__ = ["Contents", "Print", "Volume", "contents_list", "log_rows", "record_pages", "register_volume"]
