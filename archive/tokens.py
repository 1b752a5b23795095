"""Tokens of service accounts: shown once, kept as a digest, valid for a time."""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, identity, looks
from archive.models import AuditEntry, Person, ServiceToken
from archive.rules.errors import Refusal
from archive.rules.roles import Action

log = logging.getLogger("vankho.tokens")
REFUSED: Final = "api.token"  # what the entry of a token that opens nothing is called
TOLD_EVERY: Final = timedelta(minutes=10)  # a machine tries again and again


class NotAService(Refusal):
    """TOK-001: people sign in; only service accounts get tokens."""

    code = "TOK-001"
    message = _("%(name)s is a person, not a service account. Make a service account for the machine that calls.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def give(person: Person, *, name: str, until: datetime | None, actor: Person) -> str:
    """Make a token for a service account and return it; it cannot be shown again.

    Raises:
        Forbidden: the actor may not give tokens.
        NotAService: the account is a person's.
    """
    access.require(actor, Action.TOKEN_GIVE)
    if not person.is_service:
        raise NotAService(name=person.full_name)
    secret = f"vk_{secrets.token_urlsafe(32)}"
    given = ServiceToken.objects.create(
        person=person, name=name, digest=_digest(secret), since=timezone.now(), until=until
    )
    audit.write(Action.TOKEN_GIVE, actor=actor, subject=person, details={"name": name}, made=[given])
    return secret


def holder(secret: str) -> Person | None:
    """Return the service account of a valid token, or None; token and account must stand as acts left them.

    One that does not is told in the log, once in a while and not at every call. One that a lawful act changed while it
    was looked at opens nothing at this call; the next one finds it as it is.
    """
    now = timezone.now()
    valid = ServiceToken.objects.filter(digest=_digest(secret), since__lte=now).filter(
        Q(until__isnull=True) | Q(until__gt=now)
    )
    token = valid.select_related("person__unit").filter(person__is_active=True, person__is_service=True).first()
    if token is None:
        return None
    if not looks.is_as_read(token, needs_digest=True) or not looks.is_as_read(token.person, by=identity.DECIDING):
        if looks.is_overtaken(token) or looks.is_overtaken(token.person, by=identity.DECIDING):
            return None
        log.critical("token %s of account %s is not what the log says: it opens nothing", token.pk, token.person_id)
        _tell_refused(token.person)
        return None
    return token.person


def _tell_refused(person: Person) -> None:
    since = timezone.now() - TOLD_EVERY
    if not AuditEntry.objects.filter(actor=person, action=REFUSED, outcome="denied", ts__gte=since).exists():
        audit.refused(identity.AccountMoved(person), actor=person, action=REFUSED, subject=person)
