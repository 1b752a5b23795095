"""Making a backup, in the order that needs no stop (SECURITY.md, section 6).

A head of the log is published, the database frozen, every object that the frozen database
names is copied and compared, level keys and vault go to other media while nobody may change
keys, and last the manifest is signed and the folder gets its name. Objects are written before their row and removed
after it, so what the snapshot names is there, or an act destroyed it meanwhile.
"""

import fcntl
import heapq
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from archive import audit, logkey, merkle, publishing, resealing, restoration, store
from archive.rules.roles import Action
from archive.stores import inuse
from archive.stores.disk import sync_folder
from archive.vault import Vault
from config.backup import durable, manifest, objects, signing, snapshot, vaulting
from config.backup.destroyed import Destroyed
from config.backup.manifest import Backup, Earlier, File, Head, Manifest, Named
from config.backup.refusals import Busy, Damaged, KeysChange, LogForked, OtherOffice, Unsigned
from config.backup.snapshot import Snapshot
from config.backup.trailing import Forms

WANTED = "wanted.txt"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the three parts of a backup go: each on a medium of its own."""

    target: Path
    vault: Path
    keys: Path | None = None  # level keys; None: their custodian copies them by hand

    def require_apart(self) -> None:
        """Refuse places that lie inside each other or inside the installation. Raises SamePlace."""
        own = [self.target, self.vault, *([self.keys] if self.keys else [])]
        vaulting.require_apart([Path(settings.VANKHO_HOME), *own])


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup, and how many of its objects were new in this folder."""

    folder: Path
    manifest: Manifest
    fresh: int


@dataclass(frozen=True, slots=True)
class _Frozen:
    kind: str
    database: File
    rows: dict[str, int]
    schema: dict[str, str]
    leaves: list[bytes]
    restored: list[tuple[str, int]]  # (moment, entries then) of each restore
    taken_at: datetime
    frozen_at: datetime
    trailing: dict[str, str]
    false_entries: list[int]


def make(places: Places) -> Made:
    """Back the installation up, while everybody works; return once it survives a power cut.

    Raises:
        SamePlace, Busy, OtherOffice: the places will not do.
        LogShorter, LogForked: the log in the database is not the one that was signed before.
        ObjectsMissing, VaultIncomplete: something is lost that nobody destroyed.
        SealedAnew: files got new keys and addresses since the database was frozen.
        KeysChange: keys are being changed just when they were to be copied.
        LevelKeysMissing: the level keys did not come to their medium.
        StoreFailed, OSError: store or medium do not answer; run it again, it goes on where it was.
    """
    places.require_apart()
    durable.make_folder(places.target)
    resealing.tend()  # rows that may follow a file that was sealed anew do; what cannot is named in the manifest
    with _alone(places.target):
        _sweep(places.target)
        key = signing.own_key(Path(settings.VANKHO_HOME))
        before = _newest(places.target, key)
        vaulting.require_own(Path(settings.VANKHO_HOME), places.vault, places.keys, key=key)
        publishing.publish()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
        folder = places.target / f"{manifest.UNFINISHED}{name}"
        durable.make_folder(folder)
        frozen = _freeze(folder)
        earlier = _earlier(before, frozen)
        copied, gone = _copy(places, folder, before, since=frozen.taken_at)
        vault_name, keyless = _copy_vault(places, folder, key, since=frozen.taken_at)
        told = _manifest(name, frozen, earlier, folder, copied, [*gone, *keyless], vault_name)
        _finish(places.target, folder, told, key)
    _record(told, copied)
    return Made(places.target / name, told, copied.fresh)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    with (target / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(folder=target) from error
        yield


def _sweep(target: Path) -> None:
    """Remove what killed backups left; whole objects stay and are not copied again."""
    for left in target.glob(f"{manifest.UNFINISHED}*"):
        shutil.rmtree(left)
    for left in (target / manifest.OBJECTS).glob(f"??/??/.*{durable.PART}"):
        left.unlink()


def _newest(target: Path, key: Ed25519PrivateKey) -> Backup | None:
    """Return the backup before this one; a damaged one is no help and no hindrance. Raises OtherOffice."""
    if not manifest.complete(target):
        return None
    try:
        return manifest.find(target, public_key=signing.public_pem(key))
    except Unsigned as error:
        raise OtherOffice(folder=target) from error
    except Damaged:
        return None


def _freeze(folder: Path) -> _Frozen:
    # What is sealed anew from here on is no row that trails behind: such a backup is run again (`_copy_vault`).
    taken_at, forms = datetime.now(UTC), Forms(store.configured().vault)
    with snapshot.taken(folder) as shot:
        trailing = _want(shot, forms, folder / WANTED)
        restored = [
            (str(at), size) for at, size in shot.query("SELECT restored_at, size FROM archive_restoration ORDER BY id")
        ]
        leaves, schema, rows, kind, path = shot.leaves(), shot.schema(), shot.counts(), shot.kind, shot.path
        false_entries = shot.false_entries()
    return _Frozen(
        kind=kind,
        database=File(path.name, *durable.digest_of(path)),
        rows=rows,
        schema=schema,
        leaves=leaves,
        restored=restored,
        taken_at=taken_at,
        frozen_at=datetime.now(UTC),
        trailing=trailing,
        false_entries=false_entries,
    )


def _want(shot: Snapshot, forms: Forms, path: Path) -> dict[str, str]:
    """List what is to be copied, by address; return the objects that lie otherwise than their rows say, as which."""
    trailing = {each.address: now for each in shot.objects() if (now := forms.of(each)) != each} if forms else {}
    as_named = (each for each in shot.objects() if each.address not in trailing)
    with durable.writing(path) as lines:
        for each in heapq.merge(as_named, sorted(trailing.values(), key=_address), key=_address):
            lines.write(each.line)
    return {address: now.address for address, now in trailing.items()}


def _address(each: Named) -> str:
    return each.address


def _earlier(before: Backup | None, frozen: _Frozen) -> Earlier | None:
    """Return the link to the backup before this one. Raises LogForked unless a restore explains the fork."""
    if before is None:
        return None
    head = before.manifest.log
    is_start = head.size <= len(frozen.leaves) and merkle.root(frozen.leaves[: head.size]).hex() == head.root
    if is_start:
        proof = [each.hex() for each in merkle.consistency(frozen.leaves, head.size)]
        return Earlier(before.manifest.name, before.sha256, head, proof)
    was_restored = any(
        size <= head.size and datetime.fromisoformat(at).replace(tzinfo=UTC) > before.manifest.taken
        for at, size in frozen.restored
    )
    if not was_restored:
        raise LogForked(name=before.manifest.name, size=len(frozen.leaves))
    return Earlier(before.manifest.name, before.sha256, head, [])


def _copy(places: Places, folder: Path, before: Backup | None, *, since: datetime) -> tuple[objects.Copied, list[str]]:
    kept = store.configured()
    wanted = folder / WANTED
    known = objects.Known(before.listed() if before else iter(()))
    copied = objects.copy_all(
        manifest.read_listing(wanted), kept.driver, places.target, folder / manifest.LISTING, known
    )
    wanted.unlink()
    return copied, Destroyed(kept.vault, since=since).require(copied.missing)


def _copy_vault(places: Places, folder: Path, key: Ed25519PrivateKey, *, since: datetime) -> tuple[str, list[str]]:
    """Copy vault and keys; return the copy's name and the listed objects that were destroyed meanwhile."""
    vault = store.configured().vault
    destroyed = Destroyed(vault, since=since)

    def before_named() -> None:
        # A copy that knows files only as they are sealed now, beside main media that hold them as before, would lose them.
        destroyed.require_as_named(each.address for each in manifest.read_listing(folder / manifest.LISTING))
        _bring_keys(vault, places.keys)

    with _no_change(vault):
        made = vaulting.copy(vault, places.vault, key=key, before_named=before_named)
        if places.keys:
            made.require_level_keys(places.keys)
        lacking = made.lacks(each.address for each in manifest.read_listing(folder / manifest.LISTING))
        keyless = destroyed.require_keys(lacking, folder=places.vault)
        vaulting.remove_older(made)
        if places.keys:
            vaulting.prune_keys(vault, places.keys)
    return made.path.name, keyless


@contextmanager
def _no_change(vault: Vault) -> Iterator[None]:
    """Let nobody change keys meanwhile: a copy from before a change has no key on a medium from after it. Raises KeysChange."""
    with inuse.alone(vault.keys.folder, [inuse.CHANGE]) as taken:
        if taken:
            raise KeysChange
        yield


def _bring_keys(vault: Vault, custody: Path | None) -> None:
    if custody:
        vaulting.add_keys(vault, Path(settings.VANKHO_HOME), custody)


def _manifest(  # noqa: PLR0913, PLR0917 - the parts of one document, in the order they came to be
    name: str,
    frozen: _Frozen,
    earlier: Earlier | None,
    folder: Path,
    copied: objects.Copied,
    destroyed: list[str],
    vault: str,
) -> Manifest:
    return Manifest(
        name=name,
        taken_at=frozen.taken_at.isoformat(),
        frozen_at=frozen.frozen_at.isoformat(),
        program=program(),
        kind=frozen.kind,
        schema=frozen.schema,
        database=frozen.database,
        rows=frozen.rows,
        objects=File(manifest.LISTING, *durable.digest_of(folder / manifest.LISTING)),
        object_count=copied.count,
        object_bytes=copied.size,
        destroyed=sorted(destroyed),
        log=Head(len(frozen.leaves), merkle.root(frozen.leaves).hex()),
        log_key=logkey.signer().public,
        vault=vault,
        earlier=earlier,
        trailing=frozen.trailing,
        false_entries=frozen.false_entries,
    )


def program() -> str:
    """Return the version of this program, or that it runs from a checkout."""
    try:
        return version("vankho")
    except PackageNotFoundError:
        return "checkout"


def _finish(target: Path, folder: Path, told: Manifest, key: Ed25519PrivateKey) -> None:
    """Sign, then give the folder its name: from here on it is a backup."""
    data = told.to_bytes()
    durable.write(folder / signing.PUBLIC, signing.public_pem(key))
    durable.write(folder / manifest.SIGNATURE, key.sign(data))
    durable.write(folder / manifest.MANIFEST, data)
    if os.path.lexists(target / told.name):  # never over anything
        raise FileExistsError(target / told.name)
    folder.rename(target / told.name)
    sync_folder(target)


@transaction.atomic
def _record(told: Manifest, copied: objects.Copied) -> None:
    details: dict[str, Any] = {
        "backup": told.name,
        "manifest": durable.digest(told.to_bytes()),
        "objects": told.object_count,
        "copied": copied.fresh,
        "size": told.log.size,
    }
    if told.trailing:
        details["trailing_count"] = len(told.trailing)
        details["trailing"] = sorted(told.trailing)[: restoration.MOST_PLACES]
    details |= restoration.told_of_false(told.false_entries)
    audit.write(Action.BACKUP, actor=None, details=details)
