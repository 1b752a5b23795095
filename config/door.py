"""The one door of serving: every process that answers requests loads `config.wsgi` and passes here.

`serve` and gunicorn with `config/gunicorn.py` look before they begin and write their start and stop themselves
(`is_watched`). Whatever else loads the application - `gunicorn config.wsgi`, `runserver`, another server - is looked at
here, and its start and stop stand in the log as those of `wsgi`. An evaluation answers this machine alone, whatever
address its server listens on. Loads nothing of ours before Django is set up.
"""

import atexit
import os
from collections.abc import Callable, Iterable
from typing import Any

from archive.identities.loopback import is_loopback

is_watched = False  # set by who calls `begin`, or does the same, and writes the stop itself
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class NotOpened(RuntimeError):  # noqa: N818 - a refusal
    """The application is not served; the text says each fault and its cure. Gunicorn ends on it and does not try again."""


def begin(process: str) -> None:
    """Look at the start-up checks, the declaration and the log, and write the start of this process.

    Raises:
        NotOpened: work must not begin.
    """
    from django.core.management import CommandError, call_command
    from django.db import connections

    from config import lifetime, starting

    try:
        call_command("check")
        starting.require()
    except CommandError as fault:
        raise NotOpened(str(fault)) from None
    lifetime.began(process)
    connections.close_all()  # none may be shared by processes that are forked from here


def _end(pid: int) -> None:
    """Write the stop of the process that began, and of none that was forked from it."""
    from config import lifetime

    if os.getpid() == pid:
        lifetime.ended("wsgi")


def opened(application: Application) -> Application:
    """Return what may be served: the application, to this machine alone in an evaluation. Raises NotOpened."""
    from django.conf import settings

    if not is_watched:
        begin("wsgi")
        atexit.register(_end, os.getpid())
    return for_this_machine(application) if settings.PROFILE == "evaluation" else application


def for_this_machine(application: Application) -> Application:
    """Return an application that answers loopback alone: an evaluation shows classified pages to whoever reads its password."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if is_loopback(environ.get("REMOTE_ADDR", "")):
            return application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [b"The evaluation profile answers this machine only. Set VANKHO_PROFILE=production.\n"]

    return answer
