"""What a line of the operators' log may say: when, what, which request; never the content of a record.

Our own loggers (`vankho.*`) speak in full, because their sentences are written here and hold
ids and codes only. Sentences of libraries are kept without the values they would be filled
with (an address may name a record, a query holds its words), and a fault is told by its class
and its place in the code: its own text may quote a row, a file's name or a page.
"""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from archive.rules.errors import Refusal

OURS: Final = "vankho"
REQUEST: ContextVar[str] = ContextVar("request", default="")  # id of the request being answered
# Values of a request's line, given by `config.middleware` as `extra`.
FACTS: Final = ("method", "view", "status", "milliseconds", "person")
# Their text comes from the machine and its servers, never from a row: without it nobody could mend a broken link.
TELLING: Final = ("OperationalError", "ImproperlyConfigured")

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what may be said of one event, in the order in which it is said."""
    facts: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": _message(record),
        "request": REQUEST.get(),
    }
    facts |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
    if record.exc_info:
        facts["fault"] = fault_of(record.exc_info)
    return facts


def _message(record: logging.LogRecord) -> str:
    """Return our own sentence in full, a library's without its values, and a request of Django's by its view."""
    if record.name.split(".")[0] == OURS:
        return record.getMessage()
    if hasattr(record, "status_code"):
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        return f"{record.status_code} {match.view_name if match else 'none'}"
    return str(record.msg)


def fault_of(raised: Raised) -> list[str]:
    """Return a fault and what caused it, outermost first: class, and file, line and function of each call."""
    told: list[str] = []
    error: BaseException | None = raised[1]
    while error is not None and len(told) < 8:  # noqa: PLR2004 - a chain longer than this tells nothing more
        calls = traceback.extract_tb(error.__traceback__)
        places = " < ".join(f"{call.filename}:{call.lineno} {call.name}" for call in reversed(calls))
        told.append(f"{type(error).__name__}{_detail(error)} at {places}")
        error = error.__cause__ or error.__context__
    return told


def _detail(error: BaseException) -> str:
    """Return the part of a fault's text that cannot quote a record: a code, an error number, a server's own first line."""
    if isinstance(error, Refusal):
        return f" {error.code}"
    if isinstance(error, OSError):
        return f" {error.strerror}" if error.strerror else ""
    if type(error).__name__ in TELLING:
        return f" {str(error).splitlines()[0][:200]}" if str(error) else ""
    return ""


class Line(logging.Formatter):
    """One readable line per event, for a person at the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event as a line, whatever stands in it; a fault adds one indented line for each link of its chain."""
        facts = facts_of(record)
        fault = facts.pop("fault", [])
        facts["message"] = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in facts["message"])
        head = " ".join(str(facts.pop(name)) for name in ("time", "level", "logger", "message"))
        rest = " ".join(f"{name}={value}" for name, value in facts.items() if value not in {None, ""})
        return "\n    ".join([f"{head} {rest}".rstrip(), *fault])


class Json(logging.Formatter):
    """One JSON object per event and line, for a collector."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event as JSON."""
        return json.dumps(facts_of(record), ensure_ascii=False)


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything goes to standard error in one form.

    Args:
        form: "line" or "json".
        level: how much our own programs say; libraries speak from WARNING on.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.Line"}, "json": {"()": "config.logs.Json"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            OURS: {"level": level},
            # Django gives these handlers of their own, which would print addresses.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # Refused and missing pages have our own line; only faults are worth a second one.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # The lock-out writes names that were typed; the office's own log has the attempt.
            "axes": {"level": "CRITICAL"},
            "gunicorn.error": {"level": "WARNING", "propagate": True},
            "gunicorn.access": {"level": "CRITICAL", "propagate": False},
        },
    }
