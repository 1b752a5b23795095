"""The second proof at sign-in: enrol an authenticator, check its codes, recover, remove, reset.

The key is sealed by AES-GCM under a key drawn from the installation's secret key and bound
to the person; after enrolment nothing returns it. What was sealed under a secret key of before
is opened as long as the settings name that, and sealed anew by `reseal`. No code counts twice.
Wrong codes and wrong proofs are bounded per person by their entries in the log, under a lock
on the person's row; what was opened by an authenticator that is gone ends. Knows no screen.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, digests, sessions, vouching
from archive.models import AuditEntry, AuditRow, Person, SecondFactor
from archive.rules import totp
from archive.rules.errors import Forbidden, Refusal
from archive.rules.roles import Action, Role
from archive.standing import people_with, standing

NONCE: Final = 12
TRIES: Final = 10  # wrong codes and proofs of one person within WINDOW
WINDOW: Final = timedelta(minutes=15)
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 15  # 120 bits: a plain digest of it cannot be guessed
ACTS: Final = (Action.CODE_ENROL, Action.CODE_REMOVE, Action.CODE_RESET, Action.READMIT)
FAILURES: Final = (Action.CODE_FAILED, Action.PROOF_FAILED)


class WrongCode(Refusal):
    """TOT-001: the code shown by the authenticator and the key do not belong together."""

    code = "TOT-001"
    message = _("The code is not right. Wait for the next one; check that the clock of the telephone is right.")


class TooManyTries(Refusal):
    """TOT-002: the bound of wrong codes is reached."""

    code = "TOT-002"
    message = _("Too many attempts. Wait 15 minutes, or ask the security officer.")


class Enrolled(Refusal):
    """TOT-003: there is an authenticator already."""

    code = "TOT-003"
    message = _("An authenticator is set up already. Remove it first.")


class NotEnrolled(Refusal):
    """TOT-004: there is no authenticator."""

    code = "TOT-004"
    message = _("No authenticator is set up for this account.")


class NotAsLeft(Refusal):
    """TOT-005: the row of the authenticator is not what the log says: it was changed or removed past the office."""

    code = "TOT-005"
    message = _(
        "The authenticator of this account is not what the log says: it was changed, put in or removed past the office. "
        "Nothing was accepted. Ask the security officer to look into it and to reset the authenticator."
    )


def new_secret() -> bytes:
    """Return the key of a new authenticator, not kept yet."""
    return secrets.token_bytes(totp.SECRET_BYTES)


class Found(Enum):
    """What one look at an authenticator found."""

    NONE = "none"  # and acts left it so
    THERE = "there"  # as its last act left it
    MOVED = "moved"  # changed, put in or removed past the office


def is_enrolled(person: Person) -> bool:
    """Return whether a person has an authenticator, for what a page shows; who decides by it asks `look`, once."""
    return SecondFactor.objects.filter(pk=person.pk).exists()


def look(person: Person) -> Found:
    """Return what there is of an authenticator, and whether the log says so.

    Who lets somebody in decides by one look: between two of them SQL can change the row and put it back.
    Of one of before digests the log tells: it counts, and is missing where it is gone, while the last act about it gave it.
    """
    ((_pk, state, last),) = digests.read(SecondFactor, [person.pk])
    is_given = bool(last.columns) if last else _last_act(person) == Action.CODE_ENROL
    if is_given != (state is not None) or (state and last and digests.differing(state, last)):
        return Found.MOVED
    return Found.THERE if state else Found.NONE


def _last_act(person: Person) -> str | None:
    """Return the last act in the log that gave a person an authenticator or took it off."""
    about = AuditEntry.objects.filter(object_type__in=audit.PEOPLE, object_id=str(person.pk), outcome="ok")
    last = about.filter(action__in=ACTS).order_by(
        F("leaf__idx").desc(nulls_first=True), "-ts"
    )  # the newest has no place yet
    return last.values_list("action", flat=True).first()


@transaction.atomic
def enrol(person: Person, secret: bytes, code: str) -> list[str]:
    """Keep a person's own authenticator once it has shown a right code; return the recovery codes, told this once.

    Raises:
        Enrolled, WrongCode, NotAsLeft: as named.
    """
    found = look(_locked(person))
    if found is not Found.NONE:
        raise Enrolled if found is Found.THERE else NotAsLeft
    step = totp.matching_step(secret, _digits(code), seconds=timezone.now().timestamp(), after=0)
    if step is None:
        raise WrongCode
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _each in range(RECOVERY_CODES)]
    factor = SecondFactor.objects.create(
        person=person,
        sealed=seal(secret, person),
        last_step=step,
        recovery=[_digest(each) for each in codes],
        enrolled_at=timezone.now(),
    )
    audit.write(Action.CODE_ENROL, actor=person, subject=person, made=[factor])
    return ["-".join(each[start : start + 4] for start in range(0, len(each), 4)) for each in codes]


def prove(person: Person, code: str) -> bool:
    """Return whether this is the person's code of now or an unused recovery code; it counts this once.

    Raises:
        TooManyTries, NotEnrolled: as named.
        NotAsLeft: the row is not as an act left it; none of its codes counts.
    """
    with transaction.atomic():
        require_tries_left(_locked(person))
        factor = _locked_factor(person)
        found = look(person)
        if found is Found.MOVED:
            raise NotAsLeft
        if factor is None or found is Found.NONE:
            raise NotEnrolled
        if _count_step(factor, code) or _use_recovery(factor, code):
            return True
        audit.write(Action.CODE_FAILED, actor=person, subject=person)
        return False


def bounded(person: Person, is_right: Callable[[], bool]) -> bool:
    """Return what a look at a password or another first proof says; a wrong one is counted under the person's lock.

    The look itself may be slow (argon2, a directory) and holds no lock. Of many at once that
    were right or wrong, those beyond the bound are refused whatever they were.

    Raises:
        TooManyTries: ten were wrong already.
    """
    require_tries_left(person)
    right = is_right()
    with transaction.atomic():
        require_tries_left(_locked(person))
        if not right:
            audit.write(Action.PROOF_FAILED, actor=person, subject=person)
    return right


def prove_again(person: Person, is_right: Callable[[], bool], code: str) -> Found | None:
    """Let somebody signed in prove again who they are: by the first proof, and the code if enrolled.

    Return whether an authenticator was there, whose code was right then; None where a proof was wrong.

    Raises:
        TooManyTries: as named.
        NotAsLeft: the authenticator was removed, changed or put in past the office.
    """
    if not bounded(person, is_right):
        return None
    found = look(person)
    if found is Found.MOVED:
        raise NotAsLeft
    if found is Found.THERE and not prove(person, code):
        return None
    with transaction.atomic():
        audit.write(Action.PROVED, actor=person, subject=person)
    return found


@transaction.atomic
def remove(person: Person, *, here: str = "") -> None:
    """Take one's own authenticator off; every session but the one named `here` ends. Raises NotEnrolled."""
    audit.write(Action.CODE_REMOVE, actor=person, subject=person, rows=[_deleted(person)])
    sessions.end_quietly(person, but=here)


@transaction.atomic
def reset(person: Person, *, reason: str, actor: Person) -> None:
    """Take somebody else's lost authenticator off; they set up a new one at the next sign-in.

    Raises:
        Forbidden: the actor may not, it is their own, or they can give this person a password.
        NotEnrolled: as named.
    """
    access.require(actor, Action.CODE_RESET)
    if person.pk == actor.pk:
        raise Forbidden(reason=_("nobody resets their own"), object_type="person", object_id=str(person.pk))
    if not any(is_reset_by(role, person) for role in standing(actor, timezone.now()).roles):
        raise Forbidden(
            reason=_("who can give somebody a password never resets their authenticator"),
            object_type="person",
            object_id=str(person.pk),
        )
    audit.write(Action.CODE_RESET, actor=actor, subject=person, reason=reason, rows=[_deleted(person)])
    sessions.end_quietly(person)  # one may be open by the code of a telephone that somebody took


def is_reset_by(role: Role, person: Person) -> bool:
    """Return whether this post resets a person's authenticator; the other of the two gives them passwords.

    Who could do both would come in as that person. The administrator resets those of security officers.
    """
    is_officer = Role.SECURITY in standing(person, timezone.now()).roles
    return role is (Role.ADMIN if is_officer else Role.SECURITY)


def resettable_by(actor: Person) -> QuerySet[Person]:
    """Return whose authenticators somebody may reset, by name; one that was removed past the office counts too."""
    now = timezone.now()
    roles, officers = standing(actor, now).roles, Q(pk__in=people_with(Role.SECURITY, now).order_by().values("pk"))
    theirs = (officers if Role.ADMIN in roles else Q(pk__in=[])) | (
        ~officers if Role.SECURITY in roles else Q(pk__in=[])
    )
    there = Q(second_factor__isnull=False) | Q(pk__in=[*digests.missing(SecondFactor), *_missing_before_digests()])
    enrolled = Person.objects.filter(theirs, there, is_active=True).exclude(pk=actor.pk)
    return enrolled.select_related("unit").order_by("full_name")


def faults() -> Iterator[vouching.Fault]:
    """Yield every authenticator of before digests that somebody removed past the office; the digests tell of all others."""
    for pk in _missing_before_digests():
        yield vouching.Fault(digests.name_of(SecondFactor), str(pk), "removed past the office")


def _missing_before_digests() -> Iterator[int]:
    given = AuditEntry.objects.filter(object_type__in=audit.PEOPLE, action=Action.CODE_ENROL, outcome="ok")
    known = AuditRow.objects.filter(kind=digests.name_of(SecondFactor)).values("row_id")
    asked = Person.objects.filter(pk__in={int(each) for each in given.values_list("object_id", flat=True)})
    for person in asked.filter(second_factor=None).exclude(pk__in=known).order_by("pk"):
        if look(person) is Found.MOVED:
            yield person.pk


def _deleted(person: Person) -> SecondFactor:
    gone = take_off(person)
    if not gone:
        raise NotEnrolled
    return gone[0]


def take_off(person: Person) -> list[SecondFactor]:
    """Take the row away inside an act with its own entry (one of `ACTS`), and return it for that, nothing where none was.

    One that somebody removed past the office counts too.
    """
    is_moved = look(_locked(person)) is Found.MOVED
    gone = SecondFactor.objects.filter(pk=person.pk).delete()[0]
    return [SecondFactor(pk=person.pk)] if gone or is_moved else []


def _locked(person: Person) -> Person:
    """Lock the person's row, so that many tries at once are counted one by one."""
    return Person.objects.select_for_update(of=("self",)).get(pk=person.pk)


def _locked_factor(person: Person) -> SecondFactor | None:
    """Return the row of the authenticator, under a lock: what is looked at next is what is used."""
    return SecondFactor.objects.select_for_update(of=("self",)).filter(pk=person.pk).first()


def require_tries_left(person: Person) -> None:
    """Refuse another proof after ten wrong ones within a quarter of an hour. Raises TooManyTries."""
    failed = AuditEntry.objects.filter(actor=person, action__in=FAILURES, ts__gt=timezone.now() - WINDOW)
    if failed.count() >= TRIES:
        raise TooManyTries


def _count_step(factor: SecondFactor, code: str) -> bool:
    secret = unseal(bytes(factor.sealed), factor.person)
    if secret is None:
        return False
    now = timezone.now().timestamp()
    step = totp.matching_step(secret, _digits(code), seconds=now, after=factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    factor.save(update_fields=["last_step"])
    # Under the row's digest: who set the step back by SQL could use a code a second time.
    audit.write(Action.CODE_USED, actor=factor.person, subject=factor.person, rows=[factor])
    return True


def _use_recovery(factor: SecondFactor, code: str) -> bool:
    digest = _digest(code)
    if digest not in factor.recovery:
        return False
    # One of before digests says nothing of its recovery codes: each is a plain digest that anybody can write.
    if not digests.holds(factor):
        raise NotAsLeft
    factor.recovery = [each for each in factor.recovery if each != digest]
    factor.save(update_fields=["recovery"])
    left = {"left": len(factor.recovery)}
    audit.write(Action.CODE_RECOVERY, actor=factor.person, subject=factor.person, details=left, rows=[factor])
    return True


def _digits(code: str) -> str:
    return "".join(code.split())


def _digest(code: str) -> str:
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _cipher(key: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=b"vankho second factor v1")
    return AESGCM(derived.derive(key.encode()))


def seal(secret: bytes, person: Person) -> bytes:
    """Return the key of an authenticator as it may lie in the database."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, secret, str(person.pk).encode())


def unseal(sealed: bytes, person: Person) -> bytes | None:
    """Return the key of an authenticator; None if it was sealed for somebody else or under no key that is known."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if (secret := _opened(sealed, person, key)) is not None:
            return secret
    return None


def _opened(sealed: bytes, person: Person, key: str) -> bytes | None:
    try:
        return _cipher(key).decrypt(sealed[:NONCE], sealed[NONCE:], str(person.pk).encode())
    except InvalidTag:
        return None


def reseal() -> Iterator[tuple[Person, bool]]:
    """Seal every authenticator under the secret key of now, one by one; yield whose, and whether any known key opened it.

    One that was changed past the office stays as it is and counts as not opened: this act would take the edit over.
    """
    for person in Person.objects.filter(second_factor__isnull=False).order_by("pk"):
        with transaction.atomic():
            factor = _locked_factor(_locked(person))
            if factor is None or _opened(bytes(factor.sealed), person, settings.SECRET_KEY) is not None:
                continue
            secret = None if look(person) is Found.MOVED else unseal(bytes(factor.sealed), person)
            if secret is not None:
                factor.sealed = seal(secret, person)
                factor.save(update_fields=["sealed"])
                audit.write(Action.CODE_RESEAL, actor=None, subject=person, rows=[factor])
        yield person, secret is not None
