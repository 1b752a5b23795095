"""Who somebody is: asks the drivers that the settings name, and finds the account of this office.

An account exists because an administrator made it; being known to a directory opens
nothing. An account signs in by exactly one driver. At its first sign-in from outside the
lasting name there is kept beside it: another person who gets the same short name later is
not let in. Accounts with a password of this system never wait for a server.
"""

import logging
import secrets
import time
from copy import copy
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from archive import audit, digests, looks, second_factor
from archive.identities.directory import Address, Directory
from archive.identities.local import Local
from archive.identities.port import Away, Driver, Identity, Password
from archive.identities.provider import Client, Provider
from archive.models import Person, SignsInBy
from archive.rules.errors import Refusal
from archive.rules.roles import Action


class AccountMoved(Refusal):
    """ACC-007: an account is not what the log says; it opens nothing until somebody has looked into it."""

    code = "ACC-007"
    message = _(
        "This account is not what the log says: it was changed in the database past the office, perhaps its password or its "
        "authenticator. Nobody is signed in by it. Tell the security officer, who finds what was changed by manage.py verify_log."
    )

    def __init__(self, person: Person) -> None:
        """Keep whose account it is, for the entry of the door."""
        super().__init__()
        self.person = person


class Overtaken(Refusal):
    """ACC-008: a lawful act changed the account between the proof and the decision; who asked decides again, once."""

    code = "ACC-008"
    message = _("This account was changed at this very moment. Sign in again.")


# Where a directory is asked, a failure is answered at the next beat: what is left of a difference between a known
# name and an unknown one (a hash in the directory, its index) does not show in the time.
BEAT_SECONDS: Final = 0.5
# What somebody is let in by: a look at an account counts only if it finds these as they were decided by.
DECIDING: Final = ("username", "password", "signs_in_by", "outside_id", "is_active", "is_service")
log = logging.getLogger("vankho.identity")
_local = Local()
_directory = lru_cache(maxsize=1)(Directory)
_provider = lru_cache(maxsize=1)(Provider)


def directory() -> Directory | None:
    """Return the office's LDAP directory, None where none is set."""
    if not settings.LDAP_URL:
        return None
    return _directory(
        Address(
            url=settings.LDAP_URL,
            base=settings.LDAP_BASE,
            bind_dn=settings.LDAP_BIND_DN,
            bind_password=settings.LDAP_BIND_PASSWORD,
            name_attribute=settings.LDAP_NAME_ATTRIBUTE,
            id_attribute=settings.LDAP_ID_ATTRIBUTE,
            ca_file=settings.LDAP_CA_FILE,
        )
    )


def provider() -> Provider | None:
    """Return the office's OpenID Connect provider, None where none is set."""
    if not settings.OIDC_ISSUER:
        return None
    return _provider(
        Client(
            issuer=settings.OIDC_ISSUER,
            client_id=settings.OIDC_CLIENT_ID,
            client_secret=settings.OIDC_CLIENT_SECRET,
            name_claim=settings.OIDC_NAME_CLAIM,
            ca_file=settings.OIDC_CA_FILE,
        )
    )


def drivers() -> list[Driver]:
    """Return every way to sign in that is set, the password of this system first."""
    given: tuple[Driver | None, ...] = (_local, directory(), provider())
    return [driver for driver in given if driver is not None]


def is_away() -> bool:
    """Return whether a server that people sign in by did not answer a moment ago."""
    return any(driver.is_away() for driver in drivers())


def by_password(name: str, password: str) -> Person | None:
    """Return who has this name and password, by whichever driver their account has; the same work for every failure.

    Raises:
        AccountMoved: the directory named somebody whose account is not what the log says.
        Overtaken: another act changed the account meanwhile, perhaps the same person's at another machine.
    """
    began = time.monotonic()
    person = _match(_local.identify(Password(name, password)))
    outside = directory()
    if person is not None:
        return _hashed_by_the_rules_of_today(person, password)
    if outside is None:
        return None
    account = _account(name, SignsInBy.LDAP)
    try:
        person = _match(outside.identify(Password(name, password, is_expected=account is not None)))
    except Away:
        person = None  # the page says so of every failure (`is_away`), whosever name it was
    if person is None:
        time.sleep(BEAT_SECONDS - (time.monotonic() - began) % BEAT_SECONDS)
    return person


def _hashed_by_the_rules_of_today(person: Person, password: str) -> Person:
    """Write a password anew that was hashed by weaker rules: an act like any other that changes an account.

    A row that was moved stays as it is, for the digest of this act would take the edit over; so does a newer password.
    Raises Overtaken.
    """
    wanted = get_hasher()
    if identify_hasher(person.password).algorithm == wanted.algorithm and not wanted.must_update(person.password):
        return person
    was = person.password
    person.set_password(password)  # slow, and holds no lock
    with transaction.atomic():
        now = _locked(person)
        _require_not_overtaken(person, proved=was)
        if now.password == was and not digests.is_moved(now):
            now.password = person.password
            now.save(update_fields=["password"])
            audit.write(Action.PERSON_CHANGE, actor=now, subject=now, details={"hashed": "anew"}, rows=[now])
    person.password = now.password if now.password == person.password else was  # a session counts under what was proved
    return person


def _locked(person: Person) -> Person:
    return Person.objects.select_for_update(of=("self",)).get(pk=person.pk)


def _require_not_overtaken(person: Person, *, proved: str) -> None:
    """Raise Overtaken where a lawful act changed an account since it was read and this hash of a password was proved."""
    read = copy(person)
    read.password = proved
    if not looks.is_as_read(read, by=DECIDING) and looks.is_overtaken(read, by=DECIDING):
        raise Overtaken


def require_as_left(person: Person, found: second_factor.Found | None = None) -> None:
    """Return in silence, or refuse an account that is not what its last act left: password, way, name or authenticator.

    Asked after every proof, so that only who has proved to be this person hears of it; and by acts on an account of
    somebody else whose digest would take such an edit over. An authenticator that an act took off is not
    missing; one that is there without an act, or otherwise than its act left it, counts as such an edit. What a lawful
    act changed since the account was read is none: the caller decides again by what is there now.

    Args:
        person: whose account, as it was read and proved to be.
        found: what the look at the authenticator found by which the caller asked for its code or for none; no second
            look is taken then. None: nobody has looked yet.

    Raises:
        AccountMoved, Overtaken: as named.
    """
    found = found or second_factor.look(person)
    if found is not second_factor.Found.MOVED:
        _require_not_overtaken(person, proved=person.password)
    if found is second_factor.Found.MOVED or not looks.is_as_read(person, by=DECIDING):
        log.critical("account %s is not what the log says: it was refused", person.pk)
        raise AccountMoved(person)


def by_identity(identity: Identity) -> Person | None:
    """Return the account of whom a driver named. Raises AccountMoved."""
    return _match(identity)


def proves(person: Person, password: str) -> bool:
    """Return whether this is a person's password now, at whichever driver keeps it. Raises Away, AccountMoved."""
    if person.signs_in_by == SignsInBy.PASSWORD:
        return person.check_password(password)
    outside = directory()
    if person.signs_in_by != SignsInBy.LDAP or outside is None:
        return False
    return is_same(person, outside.identify(Password(person.username, password)))


def is_same(person: Person, identity: Identity | None) -> bool:
    """Return whether a driver has named exactly this person, whose account is as its last act left it."""
    found = _match(identity)
    return found is not None and found.pk == person.pk and looks.is_as_read(found, by=DECIDING)


def _account(name: str, by: str) -> Person | None:
    return Person.objects.filter(username=name, signs_in_by=by, is_active=True, is_service=False).first()


def _match(identity: Identity | None) -> Person | None:
    """Return the open account of an identity; the first time, keep its lasting name. Raises AccountMoved, Overtaken."""
    person = _account(identity.name, identity.by) if identity else None
    if identity is None or person is None:
        return None
    if identity.proved and not secrets.compare_digest(person.password.encode(), identity.proved.encode()):
        _require_not_overtaken(person, proved=identity.proved)
        return None  # the password that was right is not the one of this look
    if not identity.outside_id:
        return person if not person.outside_id else None
    if not person.outside_id and not _keep(person, identity.outside_id):
        return None
    return person if secrets.compare_digest(person.outside_id.encode(), identity.outside_id.encode()) else None


def _keep(person: Person, outside_id: str) -> bool:
    """Keep the lasting name of an account; return False where another account has it. Raises AccountMoved."""
    try:
        with transaction.atomic():
            if digests.is_moved(_locked(person)):
                log.critical("account %s is not what the log says: it is bound to nobody", person.pk)
                raise AccountMoved(person)
            free = Person.objects.filter(pk=person.pk, outside_id="")
            if free.update(outside_id=outside_id):
                told = {"outside_id": outside_id, "way": person.signs_in_by}
                audit.write(Action.PERSON_CHANGE, actor=person, subject=person, details=told, rows=[person])
    except IntegrityError:
        return False
    person.refresh_from_db(fields=["outside_id"])
    return True
