"""The log: who did what to which record, when, and how it ended.

Append only. `write()` must run inside the act's own transaction: no entry, no act.
Refusals are written by the door that called the act (`refused()`), after the act's
transaction has rolled back. Every entry gets its place in one gapless sequence that
the search index follows (`archive.sequencing`). Nothing here updates, deletes, opens a
file or knows screens.

Bytes as in the requirement (C2SP / RFC 9162): canonical JSON body, leaf hash
SHA-256(0x00 || body), chain per object by `object_seq` and `object_prev`.
"""

import hashlib
import json
import logging
import os
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from archive import chains, digests, logkey, publishing, sequencing, vouching
from archive.models import AuditDetail, AuditEntry, AuditShown, Dossier, Person, Record, Step
from archive.rules import whole_text
from archive.rules.errors import Refusal
from archive.rules.levels import Leveled
from archive.rules.numbers import join
from archive.rules.roles import FAILING, SYNCHRONOUS, Action
from archive.standing import standing
from archive.verifier.verify import LONGEST_ENTRY, Tampered
from archive.watched import WATCHED

log = logging.getLogger("vankho.audit")

LOG: Final = "vankho"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from; empty for the worker and for commands."""

    ip: str = ""
    agent: str = ""
    session: str = ""  # digest of the session key, never the key
    request: str = ""


CLIENT: ContextVar[Client] = ContextVar("client", default=Client())  # noqa: B039 - frozen


class Waits(StrEnum):
    """Why an act of this request stands without its signed head."""

    NO = ""
    PLACE = "place"  # a disk is full or away, or the database did not answer
    LOG = "log"  # the log does not continue what was signed


HEAD_WAITS: ContextVar[Waits] = ContextVar("head_waits", default=Waits.NO)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about: stable type and id, and the record it concerns, if any."""

    type: str
    id: str
    number: str = ""
    kind: str = ""
    level: int = 0
    record_id: int | None = None


ON_PAGE: Final = "on_page"  # in the details: the keys of what a page of many showed, the most secret first
LEVELS: Final = "levels"  # in the details: how many of what a page showed stood at each level
NOTHING: Final = Subject("office", "office")
# What entries about a person stand under: those of before that a page wrote about its reader are called after a proxy.
PEOPLE: Final = ("person", "simplelazyobject")


def subject_of(thing: models.Model | Subject | None) -> Subject:
    """Return the subject of an entry for a row of the office."""
    if thing is None:
        return NOTHING
    if isinstance(thing, Subject):
        return thing
    if isinstance(thing, Record):
        return Subject("record", thing.key, thing.symbol, thing.type_name, thing.level, thing.pk)
    if isinstance(thing, Step):
        record = thing.record
        return Subject("record", record.key, record.symbol, record.type_name, record.level, record.pk)
    if isinstance(thing, Dossier):
        return Subject("dossier", thing.key, thing.code, "", thing.level)
    return Subject(digests.name_of(thing.__class__), str(thing.pk))  # its own class: a request's person is a proxy


def write(  # noqa: PLR0913 - every part of an entry by its name
    action: Action,
    *,
    actor: Person | None,
    subject: models.Model | Subject | None = None,
    reason: str = "",
    details: dict[str, Any] | None = None,
    rows: Sequence[models.Model] = (),
    made: Sequence[models.Model] = (),
    obo: Person | None = None,
) -> AuditEntry:
    """Write the entry of an act that succeeds, inside the act's transaction.

    After the commit of an act of `SYNCHRONOUS` a signed head is published over its entry before
    the caller goes on. A place that does not take it hinders no act that stands: `HEAD_WAITS` is set.

    Args:
        action: what was done.
        actor: who did it; None for the machine itself.
        subject: the row it was done to.
        reason: the person's own words, where the act asks for them.
        details: values worth keeping (JSON); the entry carries only their salted digest.
        rows: what else the act left changed, of the kinds that `archive.digests` watches; a
            subject of such a kind is always looked at, but for a person: most entries about one leave
            their row alone.
        made: rows of such a kind that were not there before the act; they get their first digest here.
        obo: on whose behalf, or with whose consent.

    Raises:
        RuntimeError: called outside a transaction: the act and its entry could part.
        whole_text.HalfCharacter: the reason is no text that can be kept.
        logkey.OtherLogKey: an act of `SYNCHRONOUS` in a program that may not sign for this log.
    """
    if action in SYNCHRONOUS and action != Action.LOG_KEY:
        logkey.require()
    touched = [*_watched(subject), *rows]
    about = subject_of(subject)
    entry = _append(
        action,
        actor=actor,
        subject=about,
        outcome="denied" if action in FAILING else "ok",
        reason=reason,
        details=details,
        touched=touched,
        made=made,
        obo=obo,
    )
    if action in SYNCHRONOUS:
        transaction.on_commit(_sign)
    return entry


def _sign() -> None:
    """Publish a head over an act that is done; what hinders that is told beside the act, never instead of it.

    The worker publishes later what a full or absent disk refused. A log that was rolled back or rewritten waits for people.
    """
    try:
        publishing.publish()
    except (OSError, DatabaseError):
        log.exception("an act stands, but its signed head could not be published")
        HEAD_WAITS.set(Waits.PLACE)
    except (logkey.LogShorter, Tampered) as fault:
        log.critical("an act stands, but the log does not continue the last signed head: %s", fault)
        HEAD_WAITS.set(Waits.LOG)


def _watched(subject: models.Model | Subject | None) -> list[models.Model]:
    """Return the rows of a subject that digests are kept of: of a step its dispatch, too."""
    if isinstance(subject, Step):
        return [subject.record, subject]
    kinds = tuple(model for model in WATCHED.values() if model is not Person)
    return [subject] if isinstance(subject, kinds) else []


class Seen(Leveled, Protocol):
    """A dispatch on a page of many, as far as the entry names it."""

    @property
    def pk(self) -> int: ...  # noqa: D102 - as the model's

    @property
    def key(self) -> str: ...  # noqa: D102 - as the model's


def read(  # noqa: PLR0913 - every part of an entry by its name
    action: Action,
    *,
    actor: Person,
    subject: models.Model | Subject | None = None,
    records: Collection[Seen] = (),
    lines: Iterable[Leveled] = (),
    level: int = 0,
    **details: Any,
) -> AuditEntry:
    """Write the entry of a read, search or download in a transaction of its own, at the highest level of what was shown.

    Args:
        action: what was read.
        actor: who reads.
        subject: the row that was read.
        records: the dispatches of a page that shows more of each than a list does: the entry names all of them, and
            counts them by level.
        lines: what a list showed a line of, as the page was drawn from it: counted by level, not named.
        level: the highest among what else was shown.
        details: values worth keeping (JSON).
    """
    about = subject_of(subject)
    counted = Counter(int(one.level) for one in records or lines)
    about = replace(about, level=max(about.level, level, *counted))
    if counted:
        details[LEVELS] = {str(each): counted[each] for each in sorted(counted, reverse=True)}
    if records:
        details[ON_PAGE] = [one.key for one in sorted(records, key=lambda one: -one.level)]
    with transaction.atomic():
        return _append(
            action, actor=actor, subject=about, outcome="ok", reason="", details=details or None, records=records
        )


def watched(
    action: Action, *, actor: Person, subject: models.Model | Subject, lines: Collection[Leveled] = ()
) -> AuditEntry | None:
    """Write the entry of a page that renews itself, once in a while and where it shows a higher level, not at every renewal."""
    about = subject_of(subject)
    level = max(about.level, 0, *(int(one.level) for one in lines))
    since = timezone.now() - timedelta(minutes=10)
    seen = AuditEntry.objects.filter(object_type=about.type, object_id=about.id, action=str(action), actor=actor)
    is_told = seen.filter(outcome="ok", level__gte=level, ts__gte=since).exists()
    return None if is_told else read(action, actor=actor, subject=about, lines=lines)


def refused(
    refusal: Refusal, *, actor: Person | None, action: str, subject: models.Model | Subject | None = None
) -> AuditEntry:
    """Write the entry of a refusal in a transaction of its own, after the act rolled back.

    What a hidden refusal was about is kept for the auditor; the reader was told nothing.
    """
    about = subject_of(subject) if subject is not None else _asked_for(refusal)
    details = {"code": refusal.code, "answer": str(refusal), **getattr(refusal, "told", {})}
    with transaction.atomic():
        return _append(action, actor=actor, subject=about, outcome="denied", reason=refusal.code, details=details)


def failed(
    action: str, *, answer: str, actor: Person | None = None, subject: models.Model | Subject | None = None
) -> AuditEntry:
    """Write the entry of what was begun and fell over, in a transaction of its own, after the act rolled back."""
    with transaction.atomic():
        about = subject_of(subject)
        return _append(action, actor=actor, subject=about, outcome="error", reason="", details={"answer": answer})


def _asked_for(refusal: Refusal) -> Subject:
    """Return what was asked for, with its level and record when it exists.

    Reads no more of a dispatch than an entry names, and makes no model of it: to refuse what is there must not take
    longer than what is not.
    """
    kind, asked = getattr(refusal, "object_type", ""), _storable(getattr(refusal, "object_id", ""))
    nothing = Subject(kind or "office", (asked or "office")[:40])
    if kind != "record" or not asked:
        return nothing
    named = Record.objects.filter(key=asked)
    row = named.values_list("code_number", "code_notation", "type_name", "level", "pk").first()
    return nothing if row is None else Subject(kind, asked, join(row[0], row[1]), *row[2:])


def _append(  # noqa: PLR0913 - every part of an entry by its name
    action: str,
    *,
    actor: Person | None,
    subject: Subject,
    outcome: str,
    reason: str,
    details: dict[str, Any] | None,
    touched: Sequence[models.Model] = (),
    made: Sequence[models.Model] = (),
    obo: Person | None = None,
    records: Collection[Seen] = (),
) -> AuditEntry:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{action}: an entry belongs inside its act's transaction")
    whole_text.require(reason)
    who = _actor(actor, timezone.now())
    details = _storable(details)
    salt = secrets.token_bytes(16) if details else b""
    digest = hashlib.sha256(salt + canonical(details)).hexdigest() if details else ""
    kept = digests.observed(touched, made=made)
    # Last of all: on PostgreSQL other acts on this object wait from here until the commit.
    seq, previous = chains.last_of(subject.type, subject.id)
    now = timezone.now()
    entry_id = uuid7(now)
    body = canonical(
        {
            "v": VERSION,
            "log": LOG,
            "id": str(entry_id),
            "ts": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor": who,
            "obo": {"id": obo.pk, "name": obo.full_name} if obo else "",
            "src": _source(),
            "action": str(action),
            "outcome": outcome,
            "object": _object(subject),
            "object_seq": seq + 1,
            "object_prev": previous.hex(),
            "reason": reason,
            "details_h": digest,
            "rows_h": vouching.commitment(kept),
        }
    )
    if len(body) > LONGEST_ENTRY:
        raise ValueError(f"{action}: an entry of {len(body)} bytes does not fit into a bundle")
    entry = AuditEntry(
        id=entry_id,
        ts=now,
        actor=actor,
        action=str(action),
        outcome=outcome,
        object_type=subject.type,
        object_id=subject.id,
        object_seq=seq + 1,
        record_id=subject.record_id,
        level=subject.level,
        body=body,
        leaf_hash=leaf_hash(body),
    )
    for row in kept:
        row.entry = entry
    detail = AuditDetail(entry=entry, salt=salt, payload=details) if details else None
    # Only `read` names records, and it has a reader; `showings.faults` would tell of an entry without.
    by = actor.pk if actor else 0
    shown = [AuditShown(entry=entry, record_id=one.pk, level=one.level, actor_id=by, ts=now) for one in records]
    sequencing.add(entry, detail, kept, shown)
    return entry


def _storable(value: Any) -> Any:
    """Return values as both databases keep them to the byte: no NUL letter, no half of a character, no fraction as a number."""
    # PostgreSQL keeps no NUL and writes a fraction in another form; half a character neither keeps.
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return whole_text.mended(value.replace("\x00", "\ufffd"))
    if isinstance(value, dict):
        return {key: _storable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(each) for each in value]
    return value


def _actor(actor: Person | None, now: datetime) -> dict[str, Any]:
    if actor is None:
        return {"id": 0, "name": "machine", "roles": "", "clearance": 0}
    stands = standing(actor, now)
    roles = ",".join(sorted(role.name.lower() for role in stands.roles))
    return {"id": actor.pk, "name": actor.full_name, "roles": roles, "clearance": int(stands.level)}


def _source() -> dict[str, str]:
    client = CLIENT.get()
    return {"ip": client.ip, "ua": client.agent[:200], "session": client.session, "req": client.request}


def _object(subject: Subject) -> dict[str, Any]:
    return {
        "type": subject.type,
        "id": subject.id,
        "no": subject.number,
        "class": subject.kind,
        "level": int(subject.level),
    }


def canonical(value: Any) -> bytes:
    """Return canonical JSON: sorted keys, no blanks, UTF-8 (RFC 8785 for integers and strings)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(body: bytes) -> bytes:
    """Return the leaf hash of RFC 9162: SHA-256(0x00 || body)."""
    return hashlib.sha256(b"\x00" + body).digest()


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """Return a UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits."""
    millis = int((at.timestamp() if at else time.time()) * 1000)
    raw = bytearray(millis.to_bytes(6, "big") + os.urandom(10))
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    return uuid.UUID(bytes=bytes(raw))
