"""Destroying the values behind an entry's digest: two people, a reason, and an entry that stays.

The log holds sensitive values only as salted digests; the values lie apart
(`AuditDetail`). Their destruction takes value and salt away, leaves every leaf as it is,
and is itself an entry that names the one concerned: without it the fences of the database
refuse the deletion, and the checker calls missing details tampering. Never touches an
entry.
"""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from archive import access, audit
from archive.models import AuditDetail, AuditEntry, Person
from archive.rules.errors import Forbidden
from archive.rules.roles import Action


@transaction.atomic
def forget(entries: Iterable[AuditEntry], *, reason: str, actor: Person, second: Person) -> int:
    """Destroy the details of entries that have some; return of how many.

    Args:
        entries: whose values go.
        reason: why, in the actor's words; stays in the log.
        actor: who decides.
        second: another person of such a post, who agrees.

    Raises:
        Forbidden: one of the two may not, or they are the same.
    """
    for person in (actor, second):
        access.require(person, Action.LOG_FORGET)
    if actor == second:
        raise Forbidden(reason=_("two different people destroy details of the log"))
    found = AuditDetail.objects.filter(entry__in=list(entries)).select_related("entry").order_by("entry")
    for detail in found:
        about = audit.Subject("entry", detail.entry_id.hex, level=detail.entry.level)
        audit.write(Action.LOG_FORGET, actor=actor, subject=about, reason=reason, obo=second)
        detail.delete()
    return len(found)
