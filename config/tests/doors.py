"""The doors of an installation, found by themselves, and the rule of each: who opens it, and what it is about.

`DOORS` is written by hand and asks the product nothing: which posts pass a door to a thing
they know. The walk (`test_walk`) finds the addresses and asks for a rule of each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

COMMAND = frozenset({"clerk", "leader", "staff", "archivist"})
CLERK, LEADER, STAFF, ARCHIVIST = (frozenset({each}) for each in ("clerk", "leader", "staff", "archivist"))
SECURITY, AUDITOR = frozenset({"security"}), frozenset({"auditor"})


@dataclass(frozen=True)
class Door:
    """A rule: what the address names, whose posts pass, and whether more than the post is asked of them."""

    of: str
    posts: frozenset[str]
    asks_more: bool = False  # an act on a step: only for whom it was given to


DOORS = {
    "archive:record": Door("record", COMMAND),
    "archive:page-image": Door("record", COMMAND),
    "archive:page-thumb": Door("record", COMMAND),
    "archive:original": Door("record", COMMAND),
    "archive:attached": Door("file", COMMAND),
    "archive:file-void": Door("file", CLERK),
    "archive:record-paper": Door("stub", CLERK),
    "archive:record-print": Door("record", COMMAND),
    "archive:copies": Door("record", COMMAND),
    "archive:copy-end": Door("copy", CLERK | ARCHIVIST),
    "archive:number-void": Door("record", CLERK),
    "archive:record-file": Door("record", ARCHIVIST),
    "archive:record-forward": Door("record", CLERK | LEADER | STAFF, asks_more=True),
    "archive:thread": Door("record", COMMAND),
    "archive:thread-card": Door("record", COMMAND),
    "archive:grants": Door("record", LEADER),
    "archive:grant-end": Door("grant", LEADER),
    "archive:why": Door("record", LEADER | SECURITY),
    "archive:record-level": Door("record", COMMAND),
    "archive:record-marks": Door("record", LEADER),
    "archive:step-direct": Door("record", LEADER, asks_more=True),
    "archive:step-take-back": Door("record", LEADER, asks_more=True),
    "archive:step-receive": Door("record", LEADER | STAFF, asks_more=True),
    "archive:step-assign": Door("record", CLERK | LEADER | STAFF, asks_more=True),
    "archive:step-answer": Door("record", STAFF, asks_more=True),
    "archive:step-approve": Door("record", LEADER, asks_more=True),
    "archive:step-return": Door("record", LEADER | STAFF, asks_more=True),
    "archive:step-rework": Door("record", LEADER | STAFF, asks_more=True),
    "archive:step-end": Door("record", CLERK | LEADER | STAFF, asks_more=True),
    "archive:register-draft": Door("draft", CLERK),
    "archive:register-return": Door("draft", CLERK),
    "archive:dossier": Door("dossier", COMMAND),
    "archive:dossier-close": Door("dossier", ARCHIVIST),
    "archive:dossier-print": Door("dossier", COMMAND),
    "archive:hold-lift": Door("hold", ARCHIVIST),
    "ingest:joining": Door("record", CLERK),
    "ingest:add-file": Door("record", CLERK),
    "ingest:batch": Door("batch", CLERK),
    "ingest:retry-failed": Door("batch", CLERK),
    "ingest:retry": Door("scan", CLERK),
    "ingest:dismiss": Door("scan", CLERK),
    "ingest:held": Door("held", CLERK),
    "ingest:held-page": Door("held", CLERK),
    "ingest:held-join": Door("held", CLERK),
    "ingest:held-part": Door("held", CLERK),
    "ingest:held-aside": Door("held", CLERK),
    "ingest:held-again": Door("held", CLERK),
    "search:open": Door("record", COMMAND),
    "search:similar": Door("record", COMMAND),
    "api:detail": Door("record", COMMAND),
    "api:page": Door("record", COMMAND),
    "api:add": Door("record", CLERK),
    "api:status": Door("scan", CLERK),
}

# Doors that name no thing with a level of its own: who opens them is walked by their own tests, named here.
ELSEWHERE = {
    "archive:register-book": "archive/tests/test_books.py",
    "archive:register-confirm": "archive/tests/test_after_restore.py",
    "archive:register-print": "archive/tests/test_books.py",
    "archive:clearance": "archive/tests/test_clearance_pages.py",
    "archive:person": "archive/tests/test_staff_pages.py",
    "archive:unit": "archive/tests/test_staff_pages.py",
    "archive:shelf": "archive/tests/test_shelving.py",
    "archive:plan-line": "archive/tests/test_fileplan.py",
    "archive:plan-period": "archive/tests/test_fileplan.py",
    "archive:holder": "archive/tests/test_staff_pages.py",
    "archive:log-export": "archive/tests/test_selections.py",
    "archive:log-who-export": "archive/tests/test_selections.py",
    "archive:log-unusual-export": "archive/tests/test_selections.py",
    "archive:log-drop": "archive/tests/test_oversight.py",
    "search:asked": "search/tests/test_pages_search.py",
    "search:change": "search/tests/test_keeping.py",
    "search:run": "search/tests/test_keeping.py",
    "search:new": "search/tests/test_keeping.py",
    "search:watch": "search/tests/test_keeping.py",
    "search:unshare": "search/tests/test_keeping.py",
    "search:forget": "search/tests/test_keeping.py",
}


def addresses(
    resolver: URLResolver | None = None, prefix: str = "/", namespace: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Yield (name, address pattern, view) of everything the installation answers."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            inner = ":".join(part for part in (namespace, entry.namespace) if part)
            yield from addresses(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}:{entry.name}" if namespace else str(entry.name), pattern, entry.callback


def verbs(view: Any) -> tuple[str, ...]:
    """Return the methods by which a door is tried: those of an API route, else both of a page."""
    held = getattr(view, "__self__", None)
    if not isinstance(held, PathView):
        return ("GET", "POST")
    return tuple(method for operation in held.operations for method in operation.methods)


def filled(pattern: str, known: dict[str, Any]) -> str:
    """Return an address with its parameters filled in; a new kind of parameter fails here."""
    return re.sub(r"<(?:\w+:)?(\w+)>|\{(\w+)\}", lambda found: str(known[found.group(1) or found.group(2)]), pattern)


def without_token(page: bytes) -> bytes:
    """Return a page without its form tokens, which are fresh each time; nothing else may differ."""
    return re.sub(rb'value="[A-Za-z0-9]{64}"|"X-CSRFToken": ?"[A-Za-z0-9]+"|content="[A-Za-z0-9]{64}"', b"", page)
