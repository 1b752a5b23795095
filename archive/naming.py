"""Naming the key of signed heads in the log itself: when the log begins, after a restore, and when a key is replaced.

From the first such entry on, a program that holds another key refuses synchronous acts, places
and heads (`archive.logkey`). A key that was lost, or may be known to others, is replaced by the
security officer; heads of the old key stay where they are and prove what they proved. Each such
entry ends in a proof (`verify.Naming`): the key that is named signs it, and the key before where
that is at hand, so that who trusts the old one is led to the new.
"""

import base64
import logging
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from archive import access, audit, chains, logkey, publishing, second_place
from archive.logkey import Signer
from archive.models import AuditEntry, Person
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.stores.disk import sync_folder
from archive.verifier import verify

log = logging.getLogger("vankho.naming")


class NoNewKey(Refusal):
    """LOG-009: the log names the key that lies here already."""

    code = "LOG-009"
    message = _("The log names the key %(key)s, which lies here. Nothing need be taken into use.")


class NoGroundForKey(Refusal):
    """LOG-010: who takes a key into use says on what ground."""

    code = "LOG-010"
    message = _("Say on what ground this key is taken into use: the decision, and what became of the one before.")


class KeyBeforeNeeded(Refusal):
    """LOG-015: the key before signs the new one, or is said to be lost."""

    code = "LOG-015"
    message = _(
        "The log names the key %(named)s. Give its file with --before, so that it signs for the new one and who trusts it is led "
        "on; if it is lost, say --lost: every outsider is told, and needs the new key on another way."
    )


class NotAKeyBefore(Refusal):
    """LOG-016: the file named with --before holds another key than the log's."""

    code = "LOG-016"
    message = _("The key in %(path)s is not the one that the log names (%(named)s). Nothing was done.")


def at_the_beginning() -> None:
    """Name the key of this machine in a log that names none: a new one, or one of before whose last head it signed.

    Called inside the transaction of the first acts. Two programs that start at once name one key: the chain is theirs
    in turn. A machine that signed nothing of an older log names nothing, nor one whose disk takes no key: the next start
    tries again.
    """
    seq, _previous = chains.last_of(*logkey.OF_KEY)
    if seq or logkey.named() or not (_is_new() or _has_signed()):
        return
    try:
        key = logkey.made().public
    except OSError:
        log.exception("the key of the log cannot be read or made; the log names none yet")
        return
    _write(key)


def founded() -> None:
    """Name the key of the machine on which the office was founded, inside that act. Raises logkey.OtherLogKey."""
    if logkey.named():
        logkey.require()
    else:
        _write(logkey.made().public)


@transaction.atomic
def restored(name: str) -> None:
    """Name the key that a restore found or made; without a copy of the old one a restored log has a new key."""
    key = logkey.made().public
    if (before := logkey.named()) != key:
        _write(key, reason=name, before=before)


@transaction.atomic
def take(*, reason: str, actor: Person, before: Path | None = None, is_lost: bool = False) -> None:
    """Take the key of this machine into use for the log, made if there is none; heads are signed with it from here on.

    The log is hashed anew up to the newest heads of the key before, here and in the second place; then the folder of heads and tiles goes aside, and a new
    one grows from the first entry. Killed between: run it again. Where the log names this key already, and an entry
    that proves nothing was put in after that, the key is named once more: that answers the entry.

    Args:
        reason: on what ground.
        actor: the security officer.
        before: the file of the key before, which signs for the new one.
        is_lost: there is no such file any more.

    Raises:
        Forbidden: the actor is no security officer.
        NoNewKey, NoGroundForKey, KeyBeforeNeeded, NotAKeyBefore: as named.
        logkey.LogShorter, verify.Tampered: the database is not what stands under those heads.
        OSError: the second place, or the file of the key before, cannot be read.
    """
    access.require(actor, Action.LOG_KEY)
    if not reason.strip():
        raise NoGroundForKey
    known = logkey.every_key()
    handing = _handing(before, known) if before else None
    if known and not (handing or is_lost or _is_current()):
        raise KeyBeforeNeeded(named=known[0])
    key = logkey.made().public
    last = key if _is_current() else handing.public if handing else _last_signer(known)
    if last == key and not _is_of_another(key) and not logkey.unproven():
        raise NoNewKey(key=key)
    if last and last != key:
        publishing.require_head(last)
    transaction.on_commit(lambda: _put_aside(key))  # before the head of this act is signed
    _write(key, reason=reason.strip(), actor=actor, before=last, handing=handing)


def _is_current() -> bool:
    """Say whether the links of the log lead to the key of this machine."""
    return logkey.has_key() and logkey.made().public == logkey.named()


def _handing(path: Path, known: list[str]) -> Signer:
    """Return the key before, read from its file, under the name that the log gave it. Raises NotAKeyBefore, OSError."""
    for key in known:
        found = Signer(path, origin=key.partition("+")[0], may_make=False)
        if found.public == key:
            return found
    raise NotAKeyBefore(path=path, named=known[0] if known else "-")


def _last_signer(known: list[str]) -> str:
    """Return which key the heads that lie here are of, "" where the log names none: a row put in by SQL signed none."""
    notes = publishing.newest_notes()
    signed = (key for key in known if any(verify.is_signed_note(note, key) for note in notes))
    return next(signed, "") or logkey.handed_on()


def _write(
    key: str, *, reason: str = "", actor: Person | None = None, before: str = "", handing: Signer | None = None
) -> None:
    """Write the entry with its proof, of this place in the chain alone; the chain is this transaction's from here on."""
    _seq, after = chains.last_of(*logkey.OF_KEY)
    link = verify.key_link(key, before, after.hex())
    signed = [base64.b64encode(one.sign(link)).decode() if one else "-" for one in (logkey.made(), handing)]
    told = "\n".join([key, *([reason] if reason else []), " ".join([verify.KEY_PROOF, before or "-", *signed])])
    details = {"key": key, "before": before, "place": _place(key)}
    audit.write(Action.LOG_KEY, actor=actor, subject=audit.Subject(*logkey.OF_KEY), reason=told, details=details)


def _place(key: str) -> str:
    """Return what lies at the second place; a medium that is away stops no start."""
    try:
        return second_place.state(key).value
    except OSError:
        return "away"


def _is_new() -> bool:
    """Say whether nothing stands in the log but the entries of this very transaction's start."""
    return not AuditEntry.objects.exclude(action=Action.START).exists()


def _has_signed() -> bool:
    """Say whether the newest head, here or in the second place, is of this key, and the database continues it.

    A container that was made anew has its key and the second place, and no heads of its own.
    """
    if not logkey.has_key():
        return False
    try:
        publishing.require_continued()  # opens both with this key
        is_other = second_place.state(logkey.made().public) is second_place.State.FOREIGN
        return not is_other and (publishing.newest() is not None or bool(publishing.heads_elsewhere()))
    except (OSError, Refusal, verify.Tampered):
        return False


def _is_of_another(key: str) -> bool:
    try:
        # nosemgrep: files - heads of the installation, in its own folder
        note = (publishing.folder() / "checkpoint").read_bytes()
    except FileNotFoundError:
        return False
    return not verify.is_signed_note(note, key)


def _put_aside(key: str) -> None:
    """Let the folder of another key's heads go aside as a whole: nothing of it is deleted."""
    if _is_of_another(key):
        home = Path(settings.VANKHO_HOME)
        publishing.folder().rename(home / f"log-of-key-before-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        sync_folder(home)
