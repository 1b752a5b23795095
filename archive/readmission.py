"""The way back of a security officer who lost password and authenticator, where no other officer is left to help.

An act at the machine and of nobody who is signed in: both custodians have brought their key files, which must lie here and
open what the office keeps, and a written order names the person and who was present. Keys, vault and log that somebody made
beside the office's database let nobody in. It gives a first password, takes the authenticator off and ends the sessions; the
post itself is given by nobody here. The auditor finds each in "What stands out".
"""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import audit, digests, publishing, restoration, second_factor, sessions, staffing, store
from archive.models import AuditEntry, DigitalObject, Person, PersonRole
from archive.rules.errors import Refusal
from archive.rules.roles import Action, Role
from archive.rules.sizes import MIB
from archive.standing import people_with
from archive.stores.custody import KeyFiles
from archive.vault import rows_at
from archive.verifier.verify import Tampered

HALVES: Final = 2  # the two custodians


class NoOfficer(Refusal):
    """OFF-001: no way for anybody but who holds the post of the security officer now, by an act in the log."""

    code = "OFF-001"
    message = _(
        "%(name)s does not hold the post of a security officer now, or the log does not bear the post out: one given before "
        "digests of rows were kept counts after manage.py adopt_rows. This way is for security officers alone: others get a "
        "first password from the administrator."
    )


class NoOrder(Refusal):
    """OFF-002: somebody orders it in writing, and two custodians at least are present."""

    code = "OFF-002"
    message = _("Name the number of the written order (--basis) and who is present at the machine (--present).")


class KeysNotHere(Refusal):
    """OFF-003: both halves of the site key are here, or nothing is done."""

    code = "OFF-003"
    message = _(
        "Both custodians' key files must lie where VANKHO_SITE_KEY_FILES names them, be readable and be those in use. %(why)s"
    )


class LogNotHere(Refusal):
    """OFF-004: the act is signed where the office signs its log, or nothing is done."""

    code = "OFF-004"
    message = _(
        "The signed heads of this office's log do not lie here or cannot be read. Run the command where the office runs, with "
        "its VANKHO_HOME and its second place of heads; a new office starts its worker first."
    )


ONE_HALF: Final = _("Two different files are needed.")
OTHER_HALVES: Final = _("These two are not the keys in use: they do not open what this office keeps.")
NO_VAULT: Final = _("No key vault of this office lies here: run the command with its VANKHO_HOME.")


@dataclass(frozen=True, slots=True)
class Order:
    """On what ground an officer is let back in: number of the document, and who is present at the machine."""

    basis: str
    present: str


@transaction.atomic
def readmit(person: Person, order: Order) -> str:
    """Give a security officer a first password, take the authenticator off and end the sessions; return the password.

    Raises:
        NoOrder, KeysNotHere, LogNotHere, NoOfficer: as named.
        logkey.LogShorter: the database does not continue the signed log.
        staffing.PasswordElsewhere: the officer signs in by a directory or a sign-in server.
    """
    basis, present = order.basis.strip(), order.present.strip()
    if not basis or not present:
        raise NoOrder
    halves = _halves_here()
    _require_log_here()
    found = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    now = timezone.now()
    if not found.is_active or not _holds_post(found, now):
        raise NoOfficer(name=found.full_name)
    password = staffing.set_first_password(found)
    if not password:
        raise staffing.PasswordElsewhere(name=found.full_name)
    found.save(update_fields=["password", "has_first_password"])
    gone = second_factor.take_off(found)
    sessions.end_quietly(found)
    others = people_with(Role.SECURITY, now).exclude(pk=found.pk).count()
    details = {"present": present, "authenticator": bool(gone), "officers": others, "site_keys": halves}
    audit.write(Action.READMIT, actor=None, subject=found, reason=basis, details=details, rows=[found, *gone])
    return password


def _halves_here() -> list[str]:
    """Return the marks of both halves in use, read from their files now. Raises KeysNotHere."""
    try:
        mine = list(KeyFiles(settings.SITE_KEY_FILES).fingerprints())  # now, however long ago the vault was opened
        why = _fault_of(mine)
    except Refusal as refusal:
        raise KeysNotHere(why=refusal) from refusal
    if why:
        raise KeysNotHere(why=why)
    return [half.hex() for half in mine]


def _fault_of(mine: list[bytes]) -> str:
    """Return why these halves prove no two custodians of this office, "" if they do. Raises the store's refusals."""
    if len(set(mine)) < HALVES:
        return str(ONE_HALF)
    if not _has_vault():  # opening it would make one for whatever halves are here
        return str(NO_VAULT)
    in_use, _to_come = store.configured().vault.halves()
    return "" if mine == in_use and _opens_what_is_kept() else str(OTHER_HALVES)


def _has_vault() -> bool:
    with closing(rows_at(Path(settings.VANKHO_HOME) / "keys" / "vault.sqlite3", settings.VAULT_URL)) as rows:
        return rows.is_made()


def _opens_what_is_kept() -> bool:
    """Return whether the smallest file of the highest level comes out as it went in; nothing kept is no fault."""
    there = DigitalObject.objects.exclude(address__in=restoration.found_destroyed())
    kept = there.order_by("-level", "size").first()
    if kept is None:
        return True
    digest = hashlib.sha256()
    with store.open(kept.address) as source:
        while data := source.read(MIB):
            digest.update(data)
    return digest.hexdigest() == kept.sha256


def _require_log_here() -> None:
    """Refuse a folder that is not the office's, though a vault lies there. Raises LogNotHere, logkey.LogShorter."""
    try:
        if publishing.newest() is None and AuditEntry.objects.exists():
            raise LogNotHere
        publishing.require_continued()
    except (Tampered, OSError) as fault:
        raise LogNotHere from fault


def _holds_post(person: Person, at: datetime) -> bool:
    """Return whether an act gave the person the post that is in force: a row put in by SQL is none."""
    valid = Q(since__lte=at) & (Q(until__isnull=True) | Q(until__gt=at))
    rows = PersonRole.objects.select_for_update().filter(valid, person=person, role=Role.SECURITY)
    return any(digests.holds(row) for row in rows)
