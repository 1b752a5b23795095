"""What commands share: in whose name they are given, and that what was refused to one, or failed, stands in the log.

A command that succeeds writes the entry of its act. One that does not has no act: its entry, under
`command:NAME`, is written here after everything was rolled back, as a page's refusal is.
"""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from archive import audit
from archive.models import AuditEntry, Person
from archive.rules import whole_text
from archive.rules.errors import Refusal

log = logging.getLogger("vankho.commands")
Fault = TypeVar("Fault", bound=BaseException)
Handle = TypeVar("Handle", bound=Callable[..., Any])


def named(username: str) -> Person:
    """Return the person in whose name a command is given; ends it as wrong use (2) where there is none."""
    person = Person.objects.filter(username=username).first()
    if person is None:
        raise CommandError(_("No such account: %(name)s") % {"name": username or _("(--as is missing)")}, returncode=2)
    return person


@contextmanager
def answering(
    command: str, *, actor: Person | None = None, subject: Person | None = None, returncode: int = 2
) -> Iterator[None]:
    """Write the entry of what the office refuses to a command in somebody's name, and end it with code and sentence."""
    try:
        yield
    except Refusal as refusal:
        audit.refused(refusal, actor=actor, action=f"command:{command}", subject=subject)
        raise told(CommandError(f"{refusal.code}: {refusal}", returncode=returncode)) from refusal
    except Exception as fault:
        _note(command, fault, actor=actor, subject=subject)
        told(fault)
        raise


def acting(
    command: str,
    *,
    by: str = "officer",
    unless: Callable[[], bool] | None = None,
    also: Callable[[], Iterable[AbstractContextManager[None]]] = tuple,
) -> Callable[[Handle], Handle]:
    """Let a command's `handle` leave an entry when it is refused, fails or is broken off; what it raises goes on.

    Words that no place can keep are refused here for all commands, however they were given (`call_command` passes by manage.py).

    Args:
        command: its name.
        by: which of its options names the person in whose name it is given, where one does.
        unless: asked then: while this is so nothing may be written into the database.
        also: asked then: other databases whose logs get the entry, too, each entered for that.
    """

    def around(handle: Handle) -> Handle:
        @functools.wraps(handle)
        def run(*args: Any, **options: Any) -> Any:
            try:
                _require_text(options.values())
                return handle(*args, **options)
            except (Exception, KeyboardInterrupt) as fault:
                if not _is_told(fault) and not (unless and unless()):
                    asker = whole_text.mended(str(options.get(by) or ""))
                    _note(command, fault, asker=asker)
                    for other in also():
                        with other:
                            _note(command, fault, asker=asker)
                raise

        return run  # type: ignore[return-value]

    return around


def _require_text(options: Iterable[object]) -> None:
    """End a command as wrong use (2) where one of its words holds half a character: no database takes it."""
    words = [each for value in options for each in (value if isinstance(value, list | tuple) else [value])]
    try:
        whole_text.require(*(str(each) for each in words if isinstance(each, str | Path)))
    except whole_text.HalfCharacter as refusal:
        raise CommandError(f"{refusal.code}: {refusal}", returncode=2) from refusal


def told(fault: Fault) -> Fault:
    """Mark what ends a command as standing in the log already."""
    fault.__dict__["is_told"] = True
    return fault


def _is_told(fault: BaseException) -> bool:
    return any("is_told" in one.__dict__ for one in _causes(fault))


def _causes(fault: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = fault
    while one is not None:
        yield one
        one = one.__cause__


def _note(
    command: str,
    fault: BaseException,
    *,
    actor: Person | None = None,
    subject: Person | None = None,
    asker: str = "",
) -> None:
    """Write the entry where there is a log to write into; a database that is away, or empty, takes none.

    Args:
        command: its name.
        fault: what ended it.
        actor: in whose name, where that is known.
        subject: whom it was about.
        asker: the name that was given for the actor, who may be nobody.
    """
    refusal = next((one for one in _causes(fault) if isinstance(one, Refusal)), None)
    try:
        if connection.errors_occurred and not connection.in_atomic_block and not connection.is_usable():
            connection.close()
        if not _has_log():
            return
        actor = actor or Person.objects.filter(username=asker).first()
        if refusal is not None:
            audit.refused(refusal, actor=actor, action=f"command:{command}", subject=subject)
        else:
            answer = str(fault) if isinstance(fault, CommandError) else type(fault).__name__
            audit.failed(f"command:{command}", answer=answer, actor=actor, subject=subject)
    except (DatabaseError, OSError):
        log.exception("the end of %s is not in the log: the database took no entry", command)


def _has_log() -> bool:
    """Say whether an office has begun in the database; makes no file where there is none."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and connection.connection is None and not Path(name).exists():
        return False
    return AuditEntry.objects.exists()
