"""Lists that leave the house: printed registers, contents lists of dossiers, files of hits. Who holds which line?

A list is a numbered copy with an entry about itself, and each classified dispatch on it has an
entry of its own: "who saw this dispatch?" is answered by lists, too. A print wants a reason
where a line is classified and counts among the person's prints of the hour (`archive.copies`).
What stands on a list is asked before; nothing is drawn here.
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from archive import access, audit, chains, copies
from archive.audit import Subject
from archive.models import AuditEntry, Person, Record
from archive.printing import Print
from archive.rules.levels import Level
from archive.rules.roles import Action


@transaction.atomic
def printed(  # noqa: PLR0913 - every part of an entry by its name
    action: Action, *, about: Subject, lines: Collection[Record], actor: Person, reason: str, details: dict[str, Any]
) -> Print:
    """Give a printed list its number, before it is drawn, and return what its sheets say of their making.

    Args:
        action: printing a register, or the contents list of a dossier.
        about: that register or dossier, at the level of its lines.
        lines: the dispatches on it, each visible to the actor.
        actor: who prints.
        reason: why; demanded where the list or a line is classified.
        details: for the entry of the list.

    Raises:
        Forbidden: the post does not include printing such lists.
        copies.NoReason, copies.TooMany: as named.
    """
    access.require(actor, action)
    if max(about.level, access.level_of(lines)) > Level.THUONG and not reason.strip():
        raise copies.NoReason
    copies.bound(actor)
    # Whoever prints this list now waits here for the other one: no two copies have one number.
    chains.last_of(about.type, about.id)
    # Contents lists were written as prints of a record before their act had a name.
    acts = [str(action), str(Action.RECORD_PRINT)]
    earlier = AuditEntry.objects.filter(object_type=about.type, object_id=about.id, action__in=acts, outcome="ok")
    copy = earlier.count() + 1
    entry = written(
        action, about=about, lines=[one.pk for one in lines], copy=copy, actor=actor, reason=reason, details=details
    )
    return Print(Level(about.level), actor, timezone.localtime(entry.ts), copy)


def written(  # noqa: PLR0913 - every part of an entry by its name
    action: Action,
    *,
    about: Subject,
    lines: Collection[int],
    copy: int,
    actor: Person,
    reason: str,
    details: dict[str, Any],
) -> AuditEntry:
    """Write the entry of a list, and one for each classified dispatch on it; return the first.

    Args:
        action: printing or taking out such a list.
        about: the list.
        lines: the keys of the rows of its dispatches; how secret each is, is read here.
        copy: the number of the list, drawn under the lock of its chain.
        actor: who takes it.
        reason: why.
        details: of the list; its lines are told its number, form and year.
    """
    entry = audit.write(action, actor=actor, subject=about, reason=reason, details=details | {"copy": copy})
    said = {name: details[name] for name in ("form", "year") if name in details} | {"copy": copy}
    # In one order for everybody: each takes the chain of a dispatch until the end. By subjects and not by rows: whoever
    # takes out a list looks at dispatches and leaves them as they are, so no digest of one is borne out here.
    for record in Record.objects.filter(pk__in=lines, level__gt=Level.THUONG).order_by("pk"):
        audit.write(action, actor=actor, subject=audit.subject_of(record), reason=reason, details=said)
    return entry
