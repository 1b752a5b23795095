"""What the log says of the life of a process: it started, it ended cleanly, its settings are others than before.

Each kind of process (`serve`, `work`, `gunicorn`) writes its own start and stop. The settings
are compared with what the last entry about them says, of whichever process of that kind; of
several that start together one writes the change. A password or key never
stands in the log; what stands there is a salted digest too slow to guess through, which only
tells that it is another one.
"""

import contextlib
import hashlib
import logging
import secrets
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db import DatabaseError, transaction

from archive import adopting, audit, naming, publishing
from archive.models import AuditDetail
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.verifier.verify import Tampered
from config import env

# Ends of names whose value is never shown.
SECRETS: Final = ("SECRET_KEY", "CLIENT_SECRET", "ACCESS_KEY", "PASSWORD", "TOKEN")
ADDRESS: Final = "_URL"  # end of names whose value may hold a password
log = logging.getLogger("vankho.lifetime")


def began(process: str, **details: Any) -> None:
    """Write that a process of this kind started, and what is set otherwise than at its last start.

    A database that is away stops no start (`config.starting`): then the entry is missing, and the program says so.
    """
    try:
        with transaction.atomic():
            told = {"process": process, **details}
            audit.write(Action.START, actor=None, details=told, made=adopting.laid_down())
            naming.at_the_beginning()
            _note_settings(process)
    except DatabaseError:
        log.exception("the start of %s is not in the log: the database is away", process)


def ended(process: str) -> None:
    """Write that a process of this kind ended cleanly, and sign a head over it: nothing may come after it for long."""
    try:
        with transaction.atomic():
            audit.write(Action.STOP, actor=None, details={"process": process})
    except DatabaseError:
        log.exception("the stop of %s is not in the log: the database is away", process)
        return
    with contextlib.suppress(DatabaseError, OSError, Refusal, Tampered):  # the next start looks at all of these
        publishing.publish()


def _note_settings(process: str) -> None:
    """Write one entry when the settings differ from those last noted for this kind of process; the first notes them all.

    The entry of the start stands before it in the same transaction: on both databases another start waits there until
    the commit, and then sees what was noted here.
    """
    last = (
        AuditDetail.objects.filter(entry__action=Action.SETTINGS, payload__process=process)
        .order_by("-entry__ts")
        .values_list("payload", flat=True)
        .first()
    )
    salt = last["salt"] if last else secrets.token_hex(16)
    now = present(salt)
    before = last["settings"] if last else now
    if last and before == now:
        return
    changes = _changes(before, now)
    audit.write(
        Action.SETTINGS,
        actor=None,
        details={"process": process, "changed": changes, "settings": now, "salt": salt},
    )


def present(salt: str) -> dict[str, str]:
    """Return every setting by name; of a secret, and of a password in an address, a digest as "NAME (secret)"."""
    found: dict[str, str] = {}
    for name, value in sorted(env.READ.items()):
        shown, secret = _parted(name, value)
        if not name.endswith(SECRETS):
            found[name] = shown
        if secret:
            found[f"{name} (secret)"] = _digest(secret, salt)
    return found


def _parted(name: str, value: str) -> tuple[str, str]:
    """Return what may be shown of a value, and what may not."""
    if name.endswith(SECRETS):
        return "", value
    if not name.endswith(ADDRESS) or not value:
        return value, ""
    try:
        parts = urlsplit(value)
        asked = parse_qsl(parts.query, keep_blank_values=True)
        host = parts.netloc.rpartition("@")[2]
        account = f"{parts.username}@" if parts.username else ""
        password = parts.password or ""
    except ValueError:  # no address at all: who knows what it holds
        return "", value
    hidden = [pair for pair in asked if "pass" in pair[0].lower()]
    query = urlencode([pair for pair in asked if pair not in hidden])
    shown = urlunsplit((parts.scheme, account + host, parts.path, query, ""))
    return shown, password + "".join(f"\n{key}={word}" for key, word in hidden)


def _digest(secret: str, salt: str) -> str:
    # 4 MiB and some milliseconds for one guess, so that a short password is not found by trying words.
    return hashlib.scrypt(secret.encode(), salt=bytes.fromhex(salt), n=4096, r=8, p=1, dklen=16).hex()


def _changes(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """Return a line for each setting that differs: "old → new", a secret as "***"."""
    found = {}
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, ""), now.get(name, "")
        if old == new:
            continue
        hidden = name.endswith(" (secret)")
        was, become = (("***" if value and hidden else value) or "-" for value in (old, new))
        found[name] = f"{was} → {become}"
    return found
