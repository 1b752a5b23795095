"""What a browser calls itself, in two words a person knows again: program and system. A guess, never a proof."""

from typing import Final

# In this order: each later one also carries the words of those it imitates.
PROGRAMS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("CocCoc", "Cốc Cốc"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def known_by(agent: str) -> str:
    """Return program and system of a browser, or the beginning of what it says.

    >>> known_by("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0")
    'Edge · Windows'
    """
    found = [next((word for sign, word in signs if sign in agent), "") for signs in (PROGRAMS, SYSTEMS)]
    return " · ".join(word for word in found if word) or agent[:40]
