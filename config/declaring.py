"""The declaration of a head that this office works on an independent LAN: made, kept in the log, looked at each start.

The file holds the facts in words, signed with the key that signs heads of the log. It is worth
something only together with the log: the newest entry of such an act must name its digest.
It is a technical aid of the office and no accreditation by anybody.
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive import access, audit, logkey, office, tiles
from archive.models import AuditEntry, Person
from archive.rules import whole_text, written
from archive.rules.errors import Refusal
from archive.rules.roles import Action

PROFILE: Final = "independent-lan"
PREFIX: Final = b"vankho/independent-lan/1\n"  # what the key signs here can be taken for nothing else it signs


class Undeclared(Refusal):
    """LAN-001: there is no declaration."""

    code = "LAN-001"
    message = _(
        "The independent-LAN profile needs the declaration of the head, and %(path)s is not there. "
        "Write it with: manage.py declare_independent_lan %(path)s"
    )


class Altered(Refusal):
    """LAN-002: the file is not what was signed here."""

    code = "LAN-002"
    message = _(
        "The declaration %(path)s was changed or is not signed by this installation. "
        "Bring the original back, or declare anew: manage.py declare_independent_lan %(path)s"
    )


class Expired(Refusal):
    """LAN-003: its time is over."""

    code = "LAN-003"
    message = _(
        "The declaration of the independent LAN was valid until %(until)s. "
        "Ask the head for a new decision, then: manage.py declare_independent_lan %(path)s"
    )


class NotInLog(Refusal):
    """LAN-004: the log knows another one, or none, or cannot be asked."""

    code = "LAN-004"
    message = _(
        "The log does not confirm the declaration %(path)s as the newest one. Bring the newest back and see that the "
        "database answers, or declare anew: manage.py declare_independent_lan %(path)s"
    )


class OtherOffice(Refusal):
    """LAN-005: it speaks of an office of another name."""

    code = "LAN-005"
    message = _(
        "The declaration is of the office “%(office)s”, not of this one. Set VANKHO_OFFICE_NAME, or declare anew."
    )


class Unfit(Refusal):
    """LAN-006: a fact is missing or cannot be."""

    code = "LAN-006"
    message = _(
        "Not declared: name the head, the number of the decision and the statement, a day of the decision that is not "
        "in the future, and an end of validity that is."
    )


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the head declares; days as YYYY-MM-DD, both included."""

    office: str
    head: str
    decision: str
    decided_on: str
    statement: str
    until: str


@transaction.atomic
def declare(declaration: Declaration, *, path: Path, actor: Person) -> str:
    """Sign a declaration, write its file and its entry; return the SHA-256 of the file.

    Raises:
        Forbidden: the actor is no security officer.
        Unfit: a fact is missing or cannot be; whole_text.HalfCharacter: it is no text that can be kept.
        OSError: the file cannot be written; then there is no entry either.
    """
    access.require(actor, Action.DECLARE)
    _require_fit(declaration)
    signer, facts = logkey.signer(), asdict(declaration)
    signature = base64.b64encode(signer.sign(PREFIX + audit.canonical(facts))).decode()
    held = {"declaration": facts, "key": signer.public, "signature": signature}
    data = (json.dumps(held, ensure_ascii=False, indent=1) + "\n").encode()
    digest = hashlib.sha256(data).hexdigest()
    audit.write(Action.DECLARE, actor=actor, reason=declaration.statement, details={**facts, "sha256": digest})
    tiles.write_file(path, data)  # a file whose entry is not committed is refused; an entry without a file, too
    return digest


def _require_fit(declaration: Declaration) -> None:
    whole_text.require(*asdict(declaration).values())
    today = timezone.localdate()
    try:
        decided, until = date.fromisoformat(declaration.decided_on), date.fromisoformat(declaration.until)
    except ValueError as error:
        raise Unfit from error
    if not all(word.strip() for word in asdict(declaration).values()) or not decided <= today <= until:
        raise Unfit


def require() -> None:
    """Refuse to work under the independent-LAN profile without a valid declaration; other profiles need none.

    Raises:
        Undeclared, Altered, OtherOffice, NotInLog, Expired: what is wrong, and the way out.
    """
    if settings.PROFILE != PROFILE:
        return
    path = settings.DECLARATION
    data = _read(path)
    declaration = _opened(data, path)
    try:
        if declaration.office != office.called().name:
            raise OtherOffice(office=declaration.office)
        is_kept = _is_newest(hashlib.sha256(data).hexdigest())
    except DatabaseError as error:
        raise NotInLog(path=path) from error
    if not is_kept:
        raise NotInLog(path=path)
    if date.fromisoformat(declaration.until) < timezone.localdate():
        raise Expired(until=declaration.until, path=path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Undeclared(path=path) from error


def _opened(data: bytes, path: Path) -> Declaration:
    """Return what was declared, if the key of this installation signed exactly that."""
    try:
        held: dict[str, Any] = json.loads(data)
        declaration = Declaration(**held["declaration"])
        signature = base64.b64decode(held["signature"], validate=True)
        date.fromisoformat(declaration.until)
    except (ValueError, KeyError, TypeError) as error:
        raise Altered(path=path) from error
    if not logkey.has_key() or not logkey.signer().has_signed(PREFIX + audit.canonical(asdict(declaration)), signature):
        raise Altered(path=path)
    return declaration


def _is_newest(digest: str) -> bool:
    """Return whether the newest declaration of the log names this digest, and its details are those of the entry."""
    entry = (
        AuditEntry.objects.filter(action=Action.DECLARE, outcome="ok", detail__isnull=False)
        .select_related("detail")
        .order_by("-object_seq")
        .first()
    )
    if entry is None or entry.detail.payload.get("sha256") != digest:
        return False
    kept = hashlib.sha256(bytes(entry.detail.salt) + audit.canonical(entry.detail.payload)).hexdigest()
    told = written.said(bytes(entry.body))
    return bool(told and told["details_h"] == kept and audit.leaf_hash(bytes(entry.body)) == bytes(entry.leaf_hash))
