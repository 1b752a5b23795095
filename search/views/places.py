"""Addresses of hits, looked up once: a page has sixty, and each look took 40 microseconds of its time."""

from functools import cache
from typing import Final
from urllib.parse import quote

from django.urls import reverse

_KEY, _PAGE = "-key-", 90_009  # put in the place of a key and of a page when an address is looked up
SEARCH: Final = "search:search"


@cache
def _form(name: str, *parts: str | int) -> str:
    return reverse(name, args=parts)


def asked(token: str) -> str:
    """Return the address of a kept question."""
    return _form("search:asked", _KEY).replace(_KEY, quote(token))


def opened(key: str) -> str:
    """Return the address that opens a hit."""
    return _form("search:open", _KEY).replace(_KEY, quote(key))


def thumb(key: str, page: int) -> str:
    """Return the address of the small picture of a page."""
    return _form("archive:page-thumb", _KEY, _PAGE).replace(_KEY, quote(key)).replace(str(_PAGE), str(page))
