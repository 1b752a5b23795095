"""By which driver a person signs in: an administrator's act, on somebody else, with a reason.

Other posts, clearances and units are not touched by it. Every session of the person ends.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, identity, sessions
from archive.models import Person, SignsInBy
from archive.rules.errors import Forbidden, Refusal
from archive.rules.roles import Action, Role
from archive.standing import people_with


class LastEntrance(Refusal):
    """SGN-002: nobody could mend the office if its sign-in server were away."""

    code = "SGN-002"
    message = _(
        "%(name)s is the last administrator with a password of this system. Leave one: when the sign-in server is away, nobody "
        "else could come in to mend it."
    )


@transaction.atomic
def sign_in_by(person: Person, by: SignsInBy, *, reason: str, actor: Person) -> Person:
    """Let a person sign in by another driver, or by the same one as somebody new there.

    The lasting name kept from outside is forgotten, so that the next sign-in binds anew. A password of this system
    stays where it was: it counts again when the person comes back to it.

    Raises:
        Forbidden: the actor may not, or it is their own account.
        identity.AccountMoved: the account was changed past the office; this act would take the edit over.
        LastEntrance: as named.
    """
    access.require(actor, Action.PERSON_CHANGE)
    if person.pk == actor.pk:
        raise Forbidden(reason=_("another administrator changes yours"), object_type="person", object_id=str(person.pk))
    everybody = list(Person.objects.select_for_update(of=("self",)).filter(is_active=True, is_service=False))
    if by != SignsInBy.PASSWORD and not _entrances(everybody, without=person):
        raise LastEntrance(name=person.full_name)
    # What the page had read may be older; a closed account is not among those locked above.
    identity.require_as_left(Person.objects.select_for_update(of=("self",)).get(pk=person.pk))
    before = person.signs_in_by
    person.signs_in_by, person.outside_id = by, ""
    person.save(update_fields=["signs_in_by", "outside_id"])
    sessions.end_quietly(person)
    told = {"before": before, "now": str(by.value)}
    audit.write(Action.PERSON_CHANGE, actor=actor, subject=person, reason=reason, details=told, rows=[person])
    return person


def require_entrance(*, without: Person) -> None:
    """Refuse to let the last administrator go who has a password of this system; to be called under their locks.

    Raises:
        LastEntrance: as named.
    """
    everybody = list(Person.objects.filter(is_active=True, is_service=False))
    if _entrances([without], without=None) and not _entrances(everybody, without=without):
        raise LastEntrance(name=without.full_name)


def _entrances(everybody: list[Person], *, without: Person | None) -> bool:
    """Return whether an administrator with a password of this system is left."""
    admins = set(people_with(Role.ADMIN, timezone.now()).values_list("pk", flat=True))
    return any(
        each.pk in admins
        and (without is None or each.pk != without.pk)
        and each.signs_in_by == SignsInBy.PASSWORD
        and each.has_usable_password()
        for each in everybody
    )
