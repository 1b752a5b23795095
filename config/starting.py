"""Before work begins: the log in the database must continue what was signed before.

A database put back to an older state by anything but `manage.py restore`, which declares it
and puts the heads beyond it aside, is refused by web and worker alike. Reads only.
"""

from django.core.management import CommandError
from django.db import DatabaseError

from archive import publishing
from archive.verifier.verify import Tampered


def require_log() -> None:
    """Refuse to start on a log that was rolled back or rewritten.

    A database or a second place that is away is no such log: pages and loops wait for it and
    tell it themselves.

    Raises:
        CommandError: the log does not continue the newest head, here or in the second place.
    """
    try:
        publishing.require_continued()
    except publishing.LogShorter as refusal:
        raise CommandError(f"{refusal.code}: {refusal}") from refusal
    except Tampered as fault:
        raise CommandError(f"{publishing.LogShorter.code}: {fault}") from fault
    except (DatabaseError, OSError):
        return
