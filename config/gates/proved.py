"""Who has proved who they are stays so, in an office that judges ask (never used outside `config.gates`).

Before an act of weight a proof older than five minutes is asked for again, in place of the act. wapiti sends no password: from
the sixth minute on it met that page at all such acts, and nothing behind it was asked.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from archive.views import proving


class StaysProved:
    """Renews a proof that was once given."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request as if the proof were fresh."""
        if proving.PROVED_AT in request.session and not proving.is_fresh(request.session):
            proving.stamp(request.session, with_code=False)
        return self.get_response(request)
