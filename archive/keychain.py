"""The entries that name the log's key, in their chain: each is read once by a program, not again at every act.

Who may write entries by SQL may put in rows of this chain by the hundred thousand. So a program remembers up to
which number it has read, and the few rows that decide: the links to the key in use, the row before each (a link is bound to
it), the first row that proves nothing, and the last that was read. These it reads again each time and holds against what they were; where one
differs (a database that was put back, an edit past the office) the whole chain is read anew. Never writes.
"""

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction
from django.db.models import CharField, F, Func, Q, QuerySet
from django.db.models.functions import Substr
from django.db.models.lookups import Exact

from archive import chains, merkle
from archive.models import AuditEntry, Octets
from archive.rules.roles import Action
from archive.verifier import verify

OF_KEY: Final = verify.OF_KEY  # type and id of the object whose chain holds every key that the log ever named
_AT_ONCE: Final = 500  # rows
_NOTHING: Final = 0  # a number below every row's


class _Row(NamedTuple):
    number: int
    body: bytes  # of one that is longer than this program writes the beginning alone: it is not what was written
    digest: bytes
    place: int | None


class _Step(NamedTuple):
    """A row of the chain, and what it says of a key; None for an entry that is about something else."""

    number: int
    digest: bytes
    naming: verify.Naming | None


@dataclass(frozen=True, slots=True)
class Known:
    """What this program knows of the links to one key."""

    key: str
    decisive: tuple[_Step, ...]  # whatever comes behind is judged with these alone
    last: _Step  # the last that was read
    newest: int  # the number of the newest link

    @property
    def stranger(self) -> verify.Naming | None:
        """The first row after the newest link that proves nothing."""
        return next((step.naming for step in self.decisive if step.naming and step.number > self.newest), None)


class _Memory:
    """Of this process: what it knew last."""

    known: Known | None = None


def known(key: str) -> Known | None:
    """Return how the log's links lead to a key, None where they do not. Two small queries where nothing is new."""
    before = _Memory.known
    found = _gone_on(before) if before and before.key == key else None
    _Memory.known = found = found or _read(key)
    return found


def chain() -> list[verify.Naming]:
    """Return the entries that name a key, in their order; one that is not what was written names none, and stands there.

    One under a number that no program gives stands where its place in the log is.
    """
    outside, found = deque(_outside().values_list("leaf__idx", flat=True)), []
    for one in (step.naming for step in _steps() if step.naming):
        while outside and _turn(outside[0]) < _turn(one.place):
            found.append(_nothing(outside.popleft()))
        found.append(one)
    return found + [_nothing(place) for place in outside]


def outside(known: Known) -> verify.Naming | None:
    """Return the first row put in since the newest link under a number that no program gives; None for none.

    Such a row follows none and none follows it: it is believed by nobody, whatever it says, and is told.
    """
    link = next(step.naming for step in known.decisive if step.number == known.newest)
    since = -1 if link is None or link.place is None else link.place
    place = _outside().filter(leaf__idx__gt=since).values_list("leaf__idx", flat=True).first()
    return None if place is None else _nothing(place)


def _turn(place: int | None) -> float:
    return math.inf if place is None else place  # what has no place yet comes last


def _outside() -> QuerySet[AuditEntry]:
    return _every_row().exclude(_is_number()).order_by(F("leaf__idx").asc(nulls_last=True))


def _nothing(place: int | None) -> verify.Naming:
    """Return what a row says that is not what a program wrote."""
    return verify.Naming(place, "", "", b"", b"", b"")


def is_by(key: str, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is of this key (NAME+HASH+KEY), as `verify.holds` and a hundred times as fast."""
    try:
        Ed25519PublicKey.from_public_bytes(verify.parse_key(key)[2]).verify(signature, message)
    except (ValueError, InvalidSignature):
        return False
    return True


def _read(key: str) -> Known | None:
    with _in_turn():
        return _judged(key, list(_steps()))


def _gone_on(before: Known) -> Known | None:
    """Return what is known with the rows that came since, None where all has to be read anew."""
    decisive = _still(before)
    if decisive is None:
        return None
    if not _rows().filter(object_seq__gt=before.last.number).exists():
        return replace(before, decisive=decisive)
    with _in_turn():
        read = {step.number: step for step in (before.last, *decisive)}
        return _judged(before.key, [*(read[number] for number in sorted(read)), *_steps(before.last)])


def _still(before: Known) -> tuple[_Step, ...] | None:
    """Return the rows that decide as they stand now, with their places; None if one is not what it was."""
    wanted = {step.number: step for step in (*before.decisive, before.last)}
    rows = {row.number: row for row in map(_row, _rows().filter(object_seq__in=list(wanted)))}
    if rows.keys() != wanted.keys() or any(row.digest != wanted[number].digest for number, row in rows.items()):
        return None
    found = []
    for step in before.decisive:
        row, naming = rows[step.number], step.naming
        if naming and naming.key and verify.leaf(row.body) != row.digest:
            return None
        found.append(step._replace(naming=naming and naming._replace(place=row.place)))
    return tuple(found)


def _judged(key: str, steps: list[_Step]) -> Known | None:
    said = [(step, step.naming) for step in steps if step.naming]
    namings = [naming for _step, naming in said]
    try:
        line = verify.follow(namings, key, is_by)
    except verify.Tampered:
        return None
    if not line.links:
        return None
    proof = next((one for one in namings if one.link), None)  # with the first proof the form of before ends
    links, others = _numbers(said, line.links), _numbers(said, [*line.unproven[:1], proof])
    wanted = {*others, *links, *(number - 1 for number in links)}
    return Known(key, tuple(step for step in steps if step.number in wanted), steps[-1], links[-1])


def _numbers(said: list[tuple[_Step, verify.Naming]], wanted: Iterable[verify.Naming | None]) -> list[int]:
    """Return the numbers of these very rows: two may say the same."""
    these = {id(one) for one in wanted}
    return [step.number for step, naming in said if id(naming) in these]


@contextmanager
def _in_turn() -> Iterator[None]:
    """Read while nobody writes in this chain: one who was about to could come below a number that was put in meanwhile.

    The chain is let go at once, not at the end of the caller's act, which may wait for others then.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        chains.last_of(*OF_KEY)
        yield
        transaction.set_rollback(True)


def _steps(after: _Step | None = None) -> Iterator[_Step]:
    """Yield the rows of the chain from one on. A row follows the one whose number is one less, whatever numbers were put in."""
    number, digest = (after.number, after.digest) if after else (_NOTHING, b"")
    while rows := [_row(found) for found in _rows().filter(object_seq__gt=number)[:_AT_ONCE]]:
        for row in rows:
            is_next = row.number == number + 1 and number > _NOTHING
            before = merkle.as_hash(digest) if is_next else bytes(merkle.HASH_BYTES) if row.number == 1 else None
            naming = _said(row, before)
            yield _Step(row.number, row.digest, naming)
            number, digest = row.number, row.digest


def _every_row() -> QuerySet[AuditEntry]:
    object_type, object_id = OF_KEY
    return AuditEntry.objects.filter(object_type=object_type, object_id=object_id)


def _is_number() -> Q:
    """Say of a row that its number is one that a program gives: whole, from 1 on. SQLite takes any value into any column."""
    positive = Q(object_seq__gt=_NOTHING)
    if connection.vendor != "sqlite":
        return positive
    return positive & Q(Exact(Func(F("object_seq"), function="typeof", output_field=CharField()), "integer"))


def _rows() -> QuerySet[AuditEntry, tuple[Any, ...]]:
    begins = Substr("body", 1, verify.LONGEST_ENTRY + 1, output_field=Octets())
    rows = _every_row().filter(_is_number()).order_by("object_seq")
    return rows.values_list("object_seq", begins, "leaf_hash", "leaf__idx")


def _row(found: tuple[Any, ...]) -> _Row:
    number, body, digest, place = found
    return _Row(number, bytes(body or b""), bytes(digest), place)  # SQLite: the beginning of an empty one is NULL


def _said(row: _Row, before: bytes | None) -> verify.Naming | None:
    """Return what a row says of a key: nothing in its place if it is not what was written, None if it is about something else."""
    entry = _as_written(row)
    if entry is None or before is None or (row.number, before.hex()) != (entry["object_seq"], entry["object_prev"]):
        return _nothing(row.place)
    is_naming = (entry["action"], entry["outcome"]) == (str(Action.LOG_KEY), "ok")
    return verify.naming(entry, row.place) if is_naming else None


def _as_written(row: _Row) -> dict[str, Any] | None:
    """Return an entry of this chain, None if its bytes are not those of its hash or name another object."""
    if verify.leaf(row.body) != row.digest:
        return None
    try:
        entry: dict[str, Any] = json.loads(row.body)
        about = (entry["object"]["type"], entry["object"]["id"])
        whole = {"object_seq", "object_prev", "action", "outcome", "reason"} <= entry.keys()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry if whole and about == OF_KEY else None
