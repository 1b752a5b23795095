"""Sealing stored files anew under new data keys, because a data key may be known outside; an order of the security officer.

No sealed object is ever written over: the content is sealed as a new object under a new address, the vault notes as
what, and one transaction lets everything that names the old row name the new one, with the entry of the act. Then the old key
and the old bytes go. The vault's note outlives the main database (`archive.stores.resealed`), so one that went back to a
moment before finds its content, and `catch_up` lets its rows follow. Whatever is killed when, either the old row and its
key stand, or the new ones do; `catch_up` removes the other. One run at a time, on all machines.

Shows nothing of a file, and no key. What an object lock keeps stays readable to who has its old key and is told.
"""

import hashlib
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive import access, audit, digests, manifests, settling, store
from archive.models import Attachment, AuditEntry, DigitalObject, Person, Record
from archive.rules import written
from archive.rules.errors import Refusal
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.rules.sizes import MIB
from archive.store import Store, Writing
from archive.stores import inuse
from archive.stores.port import object_id
from archive.stores.refusals import MissingObject, Shredded, StoreFailed
from archive.stores.resealed import Anew

Whole = Record | DigitalObject  # a dispatch, or a file that is in none yet: what is sealed anew by one act
LOCK: Final = "reseal"
SAME_RUN: Final = timedelta(days=1)  # so long a run that was killed may be run again and goes on where it was

log = logging.getLogger("vankho.store")


class NoSuchFile(Refusal):
    """STO-027: no dispatch has such a file."""

    code = "STO-027"
    message = _("There is no dispatch with files, and no stored file, called %(name)s. Nothing was sealed anew.")


class NoGround(Refusal):
    """STO-028: who has files sealed anew says on what ground."""

    code = "STO-028"
    message = _("Say on what ground files are sealed anew (--reason): the decision, and what is suspected.")


class Underway(Refusal):
    """STO-029: files are being sealed anew already."""

    code = "STO-029"
    message = _("Another run seals files anew just now. Wait for its end, then run the same command again.")


class NotAsLeft(Refusal):
    """STO-030: to seal it anew would cover what was done past the office."""

    code = "STO-030"
    message = _(
        "The dispatch %(record)s, its files or its pages are not as acts left them (`manage.py verify_log` names what "
        "differs). None of its files was sealed anew: tell the auditor first."
    )


@dataclass(frozen=True, slots=True)
class Left:
    """An old sealed file that its medium gives nobody leave to remove before a moment (UTC)."""

    address: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: files and dispatches by count, and what could not be removed yet."""

    files: int
    records: int
    left: list[Left]
    passed: int  # dispatches, and files in none yet, that this very order sealed anew shortly before


@dataclass(frozen=True, slots=True)
class _Form:
    """As what an object is sealed now."""

    address: str
    sealed_size: int
    sealed_sha256: str
    level: Level


def reseal(*, files: Collection[str] = (), records: Collection[str] = (), reason: str, actor: Person) -> Outcome:
    """Seal files anew, dispatch by dispatch: one transaction and one entry each.

    Args:
        files: ids of stored files, or SHA-256 of their content, in dispatches or still in intake; an id that was
            sealed anew already is passed over.
        records: keys of dispatches, all of whose files are meant, page images too. One that this officer had sealed
            anew for the same reason within `SAME_RUN` is passed over, and so is a file named by its content.
        reason: the decision, and what is suspected; stays in the log.
        actor: the security officer.

    Raises:
        Forbidden, NoGround, NoSuchFile, Underway: nothing was changed.
        NotAsLeft, Shredded, DamagedObject: about one dispatch; those before it are done, and their old keys are gone.
        StoreFull, StoreFailed, WrongKey: run it again when it is mended.
    """
    access.require(actor, Action.RECORD_RESEAL)
    if not reason.strip():
        raise NoGround
    tend()  # a row that went back is sealed anew from what it is now
    kept = store.configured()
    with _alone(kept) as is_free:
        if not is_free:
            raise Underway
        wanted, count = _wanted(kept, files, records), 0
        done = {
            one
            for one, addresses in wanted.items()
            if not addresses & set(files) and _is_ordered(kept, addresses, one, reason.strip(), actor)
        }
        wanted = {one: addresses for one, addresses in wanted.items() if one not in done}
        try:
            for one, addresses in wanted.items():
                count += _reseal(kept, one, addresses, reason=reason.strip(), actor=actor)
        finally:  # no dispatch that fails keeps the old keys of those before it
            left = _catch_up(kept)
        return Outcome(count, sum(isinstance(one, Record) for one in wanted), left, len(done))


def catch_up() -> list[Left]:
    """End what was cut off, let rows of a database that went back follow, remove what no lock keeps any more.

    Returns what locks still keep; nothing while a run seals files anew.

    Raises:
        Refusal: the first fault met, after all others were tried.
    """
    kept = store.configured()
    with _alone(kept) as is_free:
        return _catch_up(kept) if is_free else []


def tend() -> None:
    """Catch up for whoever goes on with its own work whatever is met: faults stand in the operators' log, tried again hourly."""
    with suppress(Refusal):
        catch_up()


def waiting() -> frozenset[str]:
    """Return addresses that no row names and that are no leftovers: removal waits, or a row must follow first."""
    notes = list(store.configured().vault.resealed.all())
    rows = _rows({each.old.hex() for each in notes})
    found = {each.old.hex() for each in notes if each.is_left} - rows
    ways = {each.old.hex(): each.new.hex() for each in notes}
    for address in rows:
        while address := ways.get(address, ""):  # also past a form that a lock keeps
            found.add(address)
    return frozenset(found)


@contextmanager
def _alone(kept: Store) -> Iterator[bool]:
    with inuse.alone(kept.vault.keys.folder, [LOCK]) as taken:
        yield not taken


def _rows(addresses: Collection[str]) -> set[str]:
    return set(DigitalObject.objects.filter(address__in=addresses).values_list("address", flat=True))


def _wanted(kept: Store, files: Collection[str], records: Collection[str]) -> dict[Whole, set[str]]:
    """Return the files of each dispatch that is meant, before anything is done. Raises NoSuchFile."""
    wanted: dict[Whole, set[str]] = {}
    for key in records:
        record = Record.objects.filter(key=key, sealed_objects__isnull=False).first()
        if record is None:
            raise NoSuchFile(name=key)
        wanted.setdefault(record, set()).update(record.sealed_objects.values_list("address", flat=True))
    for name in files:
        rows = DigitalObject.objects.filter(Q(address=name) | Q(sha256=name)).select_related("record")
        for row in rows:
            wanted.setdefault(row.record or row, set()).add(row.address)
        if not rows and not _is_done(kept, name):
            raise NoSuchFile(name=name)
    return wanted


def _is_done(kept: Store, address: str) -> bool:
    try:
        return kept.vault.resealed.next_of(object_id(address)) is not None
    except MissingObject:  # no address at all
        return False


def _is_ordered(kept: Store, addresses: Collection[str], whole: Whole, reason: str, actor: Person) -> bool:
    """Say whether all these files of a dispatch, or this one file, were sealed anew by this very order a short time ago.

    The vault says that their keys are new, whatever a row of the log claims; the log, on whose order.
    """
    since = timezone.now() - SAME_RUN
    if not {object_id(address) for address in addresses} <= kept.vault.resealed.since(since):
        return False
    acts = AuditEntry.objects.filter(action=Action.RECORD_RESEAL, outcome="ok", actor=actor, ts__gte=since)
    kind, name = ("record", whole.key) if isinstance(whole, Record) else ("object", whole.address)
    acts = acts.filter(object_type=kind, object_id=name)
    told = map(written.said, map(bytes, acts.values_list("body", flat=True)))
    return any(one is not None and one["reason"] == reason for one in told)


# --- sealing anew ---------------------------------------------------------------------------------------


def _reseal(kept: Store, whole: Whole, addresses: Collection[str], *, reason: str, actor: Person) -> int:
    """Seal files of a dispatch, or one that is in none yet, anew. What fails or is killed before the commit is called off by `_catch_up`."""
    forms, record = {}, whole if isinstance(whole, Record) else None
    for row in DigitalObject.objects.filter(address__in=addresses, record=record).order_by("address"):
        forms[row.address] = _sealed(kept, row)
    _switch(record, forms, reason=reason, actor=actor)
    return len(forms)


def _sealed(kept: Store, row: DigitalObject) -> _Form:
    """Seal the content of an object under a new key and note it. No ceiling: the content lies here already."""
    kept.require_room()
    with Writing(kept, Level(row.level)) as writing, kept.open(row.address) as source:
        while data := source.read(MIB):
            writing.write(data)
        sealed = writing.commit()
    if (sealed.size, sealed.sha256) != (row.size, row.sha256):
        kept.shred(sealed.address)
        raise NotAsLeft(record=row.record.key if row.record else row.address)
    # Before the commit: a row that names the new object, or one that went back to the old one, always finds the way.
    kept.vault.resealed.note(object_id(row.address), object_id(sealed.address), sealed_sha256=sealed.sealed_sha256)
    return _Form(sealed.address, sealed.sealed_size, sealed.sealed_sha256, sealed.level)


@transaction.atomic
def _switch(record: Record | None, forms: dict[str, _Form], *, reason: str, actor: Person | None) -> None:
    """Let all that names these objects name their new forms, with the entry: the act itself."""
    locked = Record.objects.select_for_update(of=("self",)).get(pk=record.pk) if record else None
    for model, name in _naming():
        if _is_claimed(model):  # every act locks a dispatch, then a file in intake, then what is sealed
            list(model._base_manager.select_for_update(of=("self",)).filter(**{f"{name}__in": forms}))  # noqa: SLF001
    rows = list(DigitalObject.objects.select_for_update(of=("self",)).filter(record=locked, address__in=forms))
    attached = list(Attachment.objects.filter(Q(original__in=rows) | Q(pack__in=rows)).order_by("pk"))
    if len(rows) < len(forms) or (locked and not _is_as_left(locked, attached)):
        raise NotAsLeft(record=locked.key if locked else ", ".join(forms))
    for row in rows:
        _name_anew(row, forms[row.address])
    now = [form.address for form in forms.values()]
    settling.note(now)
    if locked is not None and locked.manifest is not None:  # what had none gets none by this
        manifests.settle(locked)
    audit.write(
        Action.RECORD_RESEAL,
        actor=actor,
        subject=locked or audit.Subject("object", now[0], level=rows[0].level),
        reason=reason,
        details={"sealed_anew": [f"{address} → {form.address}" for address, form in sorted(forms.items())]},
        rows=attached,
    )


def _is_as_left(record: Record, attached: list[Attachment]) -> bool:
    """Return whether the digests of this act would cover nothing that was done past the office."""
    return manifests.is_whole(record) and not any(digests.is_moved(row) for row in (record, *attached))


def _name_anew(row: DigitalObject, form: _Form) -> None:
    """Put a row for the new form in the place of the old one, under the level of now, and let every relation lead to it."""
    old, level = row.address, Level(row.level)
    if level != form.level:  # it moved while the content was sealed
        store.relevel(form.address, to=level)
    row.address, row.sealed_size, row.sealed_sha256 = form.address, form.sealed_size, form.sealed_sha256
    row.save(force_insert=True)
    for model, name in _naming():
        # Whoever works with a file in intake as it was named before drops its work and begins anew.
        anew = {"fence": F("fence") + 1, "lease_until": None} if _is_claimed(model) else {}
        model._base_manager.filter(**{name: old}).update(**{name: form.address}, **anew)  # noqa: SLF001
    DigitalObject.objects.filter(address=old).delete()


def _naming() -> Iterator[tuple[type[Model], str]]:
    """Yield every kind of row that names stored files, and by which field."""
    for relation in DigitalObject._meta.get_fields(include_hidden=True):  # noqa: SLF001 - Django's documented Meta API
        if relation.auto_created and relation.is_relation:
            yield relation.related_model, relation.field.name  # type: ignore[union-attr,misc]


def _is_claimed(model: type[Model]) -> bool:
    """Say whether workers claim rows of this kind: a fence tells a late one that the row is not what it read."""
    return any(field.name == "fence" for field in model._meta.fields)  # noqa: SLF001


# --- ending ---------------------------------------------------------------------------------------------


def _catch_up(kept: Store) -> list[Left]:
    left, faults = [], list[Refusal]()
    for each in list(kept.vault.resealed.all()):
        try:
            row = DigitalObject.objects.filter(address=each.old.hex()).select_related("record").first()
            if row is None:
                left += _removed(kept, each) if each.is_left else []
            elif kept.vault.has(each.old):
                _call_off(kept, each)
            else:
                _follow(kept, row)
        except Refusal as fault:
            faults.append(fault)
    if faults:
        log.error("files that could not be brought to the end of sealing them anew: %d, tried again", len(faults))
        raise faults[0]
    return left


def _removed(kept: Store, each: Anew) -> list[Left]:
    """Remove the old key, then the old bytes; return these where a lock keeps them. A lock is taken over first."""
    old, until = each.old.hex(), kept.driver.locked_until(each.old.hex())
    if until is not None and kept.vault.has(each.new):
        kept.driver.retain(each.new.hex(), until)
    kept.vault.shred(each.old)
    try:
        kept.driver.delete(old)
    except StoreFailed:
        until = kept.driver.locked_until(old)
        if until is None:
            raise
        return [Left(old, until)]
    kept.vault.resealed.removed(each.old)
    return []


def _call_off(kept: Store, each: Anew) -> None:
    """Take back what was cut off before its commit: the old row and key stand."""
    if not _rows([each.new.hex()]):
        kept.shred(each.new.hex())
    kept.vault.resealed.forget(each.old)


def _follow(kept: Store, row: DigitalObject) -> None:
    """Let a row that came back with its database name what its content lies under now."""
    try:
        now, _key = kept.vault.find(object_id(row.address))
    except Shredded:  # destroyed after it was sealed anew
        return
    last = next(each for each in kept.vault.resealed.all() if each.new == now)
    if not (stat := kept.stat(now.hex())).exists:  # restored from media of before; a newer one may still bring it
        log.error("the stored file %s is missing: %s was sealed anew as it", now.hex(), row.address)
        return
    digest, size = hashlib.sha256(), 0
    with kept.open(now.hex()) as source:
        while data := source.read(MIB):
            digest.update(data)
            size += len(data)
    if (size, digest.hexdigest()) != (row.size, row.sha256):
        raise NotAsLeft(record=row.record.key if row.record else row.address)
    form = _Form(now.hex(), stat.sealed_size, last.sealed_sha256, kept.vault.level_of(now))
    reason = gettext("the database went back to a moment before this file was sealed anew")
    _switch(row.record, {row.address: form}, reason=reason, actor=None)
