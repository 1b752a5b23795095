"""Before work begins: the log in the database must continue what was signed before.

A database put back to an older state by anything but `manage.py restore`, which declares it
and puts the heads beyond it aside, is refused by web and worker alike. Reads only.
"""

from django.core.management import CommandError
from django.db import DatabaseError

from archive import logkey, publishing
from archive.rules.errors import Refusal
from archive.verifier.verify import Tampered
from config import declaring, lan


def require() -> None:
    """Refuse to start where work must not begin: a network that is not what was declared, a log that was put back.

    The network is looked at here again, because a command can be told to skip its checks.

    Raises:
        CommandError: each fault with its code and what to do.
    """
    if found := lan.network():
        raise CommandError("\n".join(f"{fault.id}: {fault.msg} {fault.hint}" for fault in found))
    try:
        declaring.require()
    except Refusal as refusal:
        raise CommandError(f"{refusal.code}: {refusal}") from refusal
    require_log()


def require_log() -> None:
    """Refuse to start on a log that was rolled back or rewritten.

    A database or a second place that is away is no such log: pages and loops wait for it and
    tell it themselves.

    Raises:
        CommandError: the log does not continue the newest head, here or in the second place.
    """
    try:
        publishing.require_continued()
    except logkey.LogShorter as refusal:
        raise CommandError(f"{refusal.code}: {refusal}") from refusal
    except Tampered as fault:
        raise CommandError(f"{logkey.LogShorter.code}: {fault}") from fault
    except (DatabaseError, OSError):
        return
