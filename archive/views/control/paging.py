"""A page of a list on the desks of the administrator and the security officer, by its number."""

from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

PAGE: Final = 50
LONGEST: Final = 6  # digits of a page number


def page_of(request: HttpRequest, rows: "QuerySet[Any]", **asked: str) -> dict[str, Any]:
    """Return the rows of the page asked for and the addresses beside it, which keep what was asked."""
    given = request.GET.get("page", "1")
    page = max(int(given), 1) if given.isdecimal() and len(given) < LONGEST else 1
    found = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    kept = {name: value for name, value in asked.items() if value}
    return {
        "rows": found[:PAGE],
        "newer_url": f"?{urlencode({**kept, 'page': page - 1})}" if page > 1 else "",
        "older_url": f"?{urlencode({**kept, 'page': page + 1})}" if len(found) > PAGE else "",
    }
