"""What commands in somebody's name share: whose it is, and that a refusal stands in the log as one of a page does."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from archive import audit
from archive.models import Person
from archive.rules.errors import Refusal


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
    """Write the entry of what the office refuses to a command, and end it with code and sentence."""
    try:
        yield
    except Refusal as refusal:
        audit.refused(refusal, actor=actor, action=f"command:{command}", subject=subject)
        raise CommandError(f"{refusal.code}: {refusal}", returncode=returncode) from refusal
