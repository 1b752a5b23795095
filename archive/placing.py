"""Taking a medium into use as the second place of signed heads: an act of the security officer.

Needed when a medium is replaced, or named for a log that is older than a day; a new log marks
its place itself, and so does one whose heads lie there already. What was on the medium of
before is not copied: keep it, its heads still prove.
"""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from archive import access, audit, logkey, second_place
from archive.models import Person
from archive.rules.errors import Refusal
from archive.rules.roles import Action


class NoPlace(Refusal):
    """LOG-005: there is nothing to take into use."""

    code = "LOG-005"
    message = _("Name the folder of the new medium in VANKHO_LOG_SECOND_PLACE first.")


class ForeignPlace(Refusal):
    """LOG-006: a medium that bears the heads of another log."""

    code = "LOG-006"
    message = _("%(place)s bears the heads of another log. Name a folder of its own for this one.")


class NoGround(Refusal):
    """LOG-007: who takes a medium into use says on what ground."""

    code = "LOG-007"
    message = _("Say on what ground this medium is taken into use: the decision, and where the one of before is kept.")


@transaction.atomic
def take(*, reason: str, actor: Person) -> None:
    """Mark the folder of the settings as the second place of this log; heads that wait go there with the commit.

    Raises:
        Forbidden: the actor is no security officer.
        NoPlace, ForeignPlace, NoGround: as named.
        OSError: the folder cannot be written; then there is no entry either.
    """
    access.require(actor, Action.LOG_PLACE)
    key = logkey.signer().public
    before = second_place.state(key)
    if before is second_place.State.UNSET:
        raise NoPlace
    if before is second_place.State.FOREIGN:
        raise ForeignPlace(place=settings.LOG_SECOND_PLACE)
    if not reason.strip():
        raise NoGround
    details = {"place": str(settings.LOG_SECOND_PLACE), "before": before.value}
    audit.write(Action.LOG_PLACE, actor=actor, reason=reason.strip(), details=details)
    second_place.mark(key)
