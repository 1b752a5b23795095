"""People: accounts made, changed, closed and reopened by the administrator, who gives no post and opens no dispatch.

A new account holds nothing: posts and scopes are given by the security officer (`archive.posting`). Its first
password is known to who made it, so it opens one page only, that of a new one. A closed account loses posts,
scopes, sessions and tokens at once; what its owner had in hand stays where it is, and its entry names it by numbers.
Nobody acts on their own account, and who gives somebody a password never resets their authenticator.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, identity, posting, second_factor, sessions
from archive.models import Person, ServiceToken, SignsInBy, Step, Unit
from archive.models.route import LIVE_STATES
from archive.rules.errors import Forbidden, Refusal
from archive.rules.roles import Action
from archive.standing import standing

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another on paper
_GROUPS: Final = 4


class NameTaken(Refusal):
    """STF-001: a user name belongs to one account for good."""

    code = "STF-001"
    message = _("The user name “%(name)s” is taken, capitals apart. Choose another one: names are never given twice.")


class AccountClosed(Refusal):
    """STF-002: a closed account is reopened before anything else is done to it."""

    code = "STF-002"
    message = _("The account of %(name)s is closed. Reopen it first.")


class AccountOpen(Refusal):
    """STF-003: only a closed account is reopened."""

    code = "STF-003"
    message = _("The account of %(name)s is open. Look at the page again.")


class WithoutReason(Refusal):
    """STF-004: what is done to somebody's account has a reason or an order behind it."""

    code = "STF-004"
    message = _("Say why: the order, or the request of the person.")


class PasswordElsewhere(Refusal):
    """STF-005: who signs in from outside, and a machine, have no password here."""

    code = "STF-005"
    message = _("%(name)s has no password of this system. Change how they sign in first.")


class UnitNotInUse(Refusal):
    """STF-006: nobody belongs to a closed unit."""

    code = "STF-006"
    message = _("The unit “%(name)s” is closed. Choose another one.")


class Incomplete(Refusal):
    """STF-007: an account has a user name and a full name."""

    code = "STF-007"
    message = _("Fill in user name and full name.")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What an account begins with."""

    username: str
    full_name: str
    unit: Unit
    title: str = ""
    signs_in_by: SignsInBy = SignsInBy.PASSWORD
    is_service: bool = False


@transaction.atomic
def add(new: Newcomer, *, actor: Person) -> tuple[Person, str]:
    """Make an account without any post; return it and its first password, "" where it has none here.

    Raises:
        Forbidden: the actor may not make accounts.
        NameTaken, UnitNotInUse, Incomplete: as named.
    """
    access.require(actor, Action.PERSON_ADD)
    person, password = enter(new)
    details = {"name": person.username, "unit": new.unit.name, "way": str(person.signs_in_by)}
    audit.write(Action.PERSON_ADD, actor=actor, subject=person, details=details, made=[person])
    return person, password


def enter(new: Newcomer) -> tuple[Person, str]:
    """Write the row of an account; inside an act that has its own entry: `add`, or the founding of an office."""
    username = unicodedata.normalize("NFC", new.username).strip()
    full_name = unicodedata.normalize("NFC", new.full_name).strip()
    if not username or not full_name:
        raise Incomplete
    if Person.objects.filter(username__iexact=username).exists():
        raise NameTaken(name=username)
    if not new.unit.is_active:
        raise UnitNotInUse(name=new.unit.name)
    person = Person(
        username=username,
        full_name=full_name,
        title=new.title.strip(),
        unit=new.unit,
        signs_in_by=new.signs_in_by,
        is_service=new.is_service,
    )
    password = set_first_password(person)
    person.save()
    return person, password


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the office writes of a person, and where they belong."""

    full_name: str
    title: str
    unit: Unit


@transaction.atomic
def change(person: Person, to: Particulars, *, reason: str, actor: Person) -> Person:
    """Change name, title or unit of somebody else; posts, scopes and what they have in hand stay as they are.

    Raises:
        Forbidden: the actor may not, or it is their own account.
        identity.AccountMoved: the account was changed past the office; this act would take the edit over.
        AccountClosed, UnitNotInUse, Incomplete, WithoutReason: as named.
    """
    found = _open(person, Action.PERSON_CHANGE, reason, actor)
    identity.require_as_left(found)
    if not to.full_name.strip():
        raise Incomplete
    if to.unit.pk != found.unit_id and not to.unit.is_active:
        raise UnitNotInUse(name=to.unit.name)
    was = f"{found.full_name}, {found.title}, {found.unit.name}"
    found.full_name = unicodedata.normalize("NFC", to.full_name).strip()
    found.title, found.unit = to.title.strip(), to.unit
    found.save(update_fields=["full_name", "title", "unit"])
    details = {"before": was, "now": f"{found.full_name}, {found.title}, {found.unit.name}"}
    audit.write(Action.PERSON_CHANGE, actor=actor, subject=found, reason=reason.strip(), details=details, rows=[found])
    return found


@transaction.atomic
def close(person: Person, *, reason: str, actor: Person) -> Person:
    """Close an account: posts, scopes, sessions and tokens end at once. Steps in hand stay, and are named in the entry.

    Raises:
        Forbidden: the actor may not, or it is their own account.
        AccountClosed, WithoutReason, posting.LastOfPost, accounts.LastEntrance: as named.
    """
    access.require(actor, Action.PERSON_CLOSE)
    posting.lock_holders(person, posting.FILLED)
    found = _open(person, Action.PERSON_CLOSE, reason, actor)
    for role in posting.FILLED & standing(found, timezone.now()).roles:
        posting.require_successor(found, role)
    ended = posting.end_all(found, reason=reason, actor=actor)
    tokens = _end_tokens(found)
    found.is_active = False
    found.save(update_fields=["is_active"])
    sessions.end_quietly(found)
    waiting = Step.objects.filter(to_person=found, state__in=LIVE_STATES).order_by("pk").values_list("pk", flat=True)
    details = {"terms_ended": len(ended), "tokens_ended": len(tokens), "steps_left": list(waiting)}
    audit.write(
        Action.PERSON_CLOSE,
        actor=actor,
        subject=found,
        reason=reason.strip(),
        details=details,
        rows=[found, *ended, *tokens],
    )
    return found


def _end_tokens(person: Person) -> list[Model]:
    now = timezone.now()
    live = list(
        ServiceToken.objects.select_for_update().filter(Q(until__isnull=True) | Q(until__gt=now), person=person)
    )
    ServiceToken.objects.filter(pk__in=[token.pk for token in live]).update(until=now)
    return [*live]


@transaction.atomic
def reopen(person: Person, *, reason: str, actor: Person) -> str:
    """Reopen a closed account, which holds nothing; return its new first password, "" where it has none here.

    Raises:
        Forbidden: the actor may not, or it is their own account.
        AccountOpen, UnitNotInUse, WithoutReason: as named.
    """
    found = _asked_about(person, Action.PERSON_REOPEN, reason, actor)
    if found.is_active:
        raise AccountOpen(name=found.full_name)
    if not found.unit.is_active:
        raise UnitNotInUse(name=found.unit.name)
    found.is_active = True
    password = set_first_password(found)
    found.save(update_fields=["is_active", "password", "has_first_password"])
    audit.write(Action.PERSON_REOPEN, actor=actor, subject=found, reason=reason.strip(), rows=[found])
    return password


@transaction.atomic
def first_password(person: Person, *, reason: str, actor: Person) -> str:
    """Give somebody who lost theirs a first password, to be changed at once; their sessions end. Return it.

    Raises:
        Forbidden: the actor may not, it is their own, or the person's authenticator is theirs to reset.
        AccountClosed, PasswordElsewhere, WithoutReason: as named.
    """
    found = _open(person, Action.FIRST_PASSWORD, reason, actor)
    if not is_given_password_by(actor, found):
        raise Forbidden(
            reason=_("who resets somebody's authenticator never gives them a password"),
            object_type="person",
            object_id=str(found.pk),
        )
    password = set_first_password(found)
    if not password:
        raise PasswordElsewhere(name=found.full_name)
    found.save(update_fields=["password", "has_first_password"])
    sessions.end_quietly(found)
    audit.write(Action.FIRST_PASSWORD, actor=actor, subject=found, reason=reason.strip(), rows=[found])
    return password


def is_given_password_by(actor: Person, person: Person) -> bool:
    """Return whether somebody gives this person first passwords: not who resets the person's authenticator."""
    return not any(second_factor.is_reset_by(role, person) for role in standing(actor, timezone.now()).roles)


def set_first_password(person: Person) -> str:
    """Put a first password on an account, not saved yet, and return it; "" where the account has none here."""
    if person.is_service or person.signs_in_by != SignsInBy.PASSWORD:
        person.set_unusable_password()
        person.has_first_password = False
        return ""
    groups = ("".join(secrets.choice(_LETTERS) for _each in range(4)) for _group in range(_GROUPS))
    password = "-".join(groups)
    person.set_password(password)
    person.has_first_password = True
    return password


def _asked_about(person: Person, action: Action, reason: str, actor: Person) -> Person:
    """Return somebody else under their lock, for an act with a reason."""
    access.require(actor, action)
    if person.pk == actor.pk:
        raise Forbidden(reason=_("another administrator changes yours"), object_type="person", object_id=str(person.pk))
    if not reason.strip():
        raise WithoutReason
    return Person.objects.select_for_update(of=("self",)).select_related("unit").get(pk=person.pk)


def _open(person: Person, action: Action, reason: str, actor: Person) -> Person:
    found = _asked_about(person, action, reason, actor)
    if not found.is_active:
        raise AccountClosed(name=found.full_name)
    return found
