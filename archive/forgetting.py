"""Destroying the values behind an entry's digest: two people, a reason, and an entry that stays.

The log holds sensitive values only as salted digests; the values lie apart
(`AuditDetail`). Their destruction takes value and salt away, leaves every leaf as it is,
and is itself an entry that names the one concerned: without it the fences of the database
refuse the deletion, and the checker calls missing details tampering. Never touches an
entry.
"""

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import AuditDetail, AuditEntry, Person
from archive.rules.errors import Forbidden, Refusal
from archive.rules.roles import Action

# In the details of an act that destroyed content: its addresses. A restore goes by them.
DESTROYED: Final = "destroyed"
# Acts whose details the archive itself goes by later, as it does by all that the machine writes.
GONE_BY: Final = frozenset({Action.DECLARE, Action.KEYS_BEGIN, Action.KEYS_END, Action.LOG_KEY, Action.LOG_PLACE})


class NoSuchPlace(Refusal):
    """LOG-011: the log has no entry at this place."""

    code = "LOG-011"
    message = _("The log has no entry #%(place)s. Take the places from the auditor's list; nothing was destroyed.")


class DetailsStay(Refusal):
    """LOG-012: the archive itself goes by these details."""

    code = "LOG-012"
    message = _("The archive itself goes by the details of entry #%(place)s: they stay. Nothing was destroyed.")


class NoGround(Refusal):
    """LOG-013: who destroys details says on what ground."""

    code = "LOG-013"
    message = _("Say on what ground these details are destroyed: the decision, its number and day.")


def at(places: Collection[int], *, actor: Person) -> list[AuditEntry]:
    """Return the entries at these places of the log, to who may destroy their details. Raises Forbidden, NoSuchPlace."""
    access.require(actor, Action.LOG_FORGET)
    found = {entry.leaf.idx: entry for entry in AuditEntry.objects.filter(leaf__idx__in=places).select_related("leaf")}
    for place in places:
        if place not in found:
            raise NoSuchPlace(place=place)
    return [found[place] for place in sorted(found)]


@transaction.atomic
def forget(entries: Collection[AuditEntry], *, reason: str, actor: Person, second: Person) -> int:
    """Destroy the details of entries that have some; return of how many.

    Args:
        entries: whose values go; placed ones.
        reason: why, in the actor's words; stays in the log.
        actor: who decides.
        second: another person of such a post, who agrees.

    Raises:
        Forbidden: one of the two may not, or they are the same.
        NoGround, DetailsStay: as named; nothing is destroyed then.
    """
    for person in (actor, second):
        access.require(person, Action.LOG_FORGET)
    if actor == second:
        raise Forbidden(reason=_("two different people destroy details of the log"))
    if not reason.strip():
        raise NoGround
    found = AuditDetail.objects.filter(entry__in=entries).select_related("entry__leaf").order_by("entry")
    for detail in found:
        by_machine = detail.entry.actor_id is None
        if by_machine or detail.entry.action in GONE_BY or DESTROYED in detail.payload:
            raise DetailsStay(place=detail.entry.leaf.idx)
        about = audit.Subject("entry", detail.entry_id.hex, level=detail.entry.level)
        audit.write(Action.LOG_FORGET, actor=actor, subject=about, reason=reason.strip(), obo=second)
        detail.delete()
    return len(found)
