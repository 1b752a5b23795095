"""While a page is only read, what its reader is, is asked once (`archive.standing.one_reading`)."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from archive import standing

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class OneReading:
    """Puts one moment of the clock under a request that changes nothing; acts ask anew each time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        if request.method not in SAFE:
            return self.get_response(request)
        with standing.one_reading():
            return self.get_response(request)
