"""Limits of what is taken in, in one place."""

from typing import Final

MIB: Final = 1024 * 1024
MAX_FILE_BYTES: Final = 512 * MIB
MAX_PAGES: Final = 2000
MAX_PAGE_PIXELS: Final = 60_000_000  # an A3 page at 600 dpi has 70 million; larger is a bomb or a poster
