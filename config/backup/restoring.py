"""Restoring an installation: into an empty place, in an order that a kill at any moment leaves resumable.

Everything that can refuse is asked before anything is written: manifest, database, log,
kept heads, the vault copy and whether its custodians' keys open it. Then a marker is
written, then database, objects, vault, the entry that closes the registers, the index;
the marker goes last, and while it lies there the office does not start. Content whose key the
newest vault no longer holds, or that a newer log tells to be destroyed, was destroyed after the
backup: neither its bytes nor its key are put back.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from archive import merkle, naming, publishing, resealing, restoration, sequencing
from archive.models import Restoration
from archive.rules.errors import Refusal
from archive.stores import chosen
from archive.stores.custody import KeyFiles
from archive.vault import Vault, rows_at
from config import roles
from config.backup import checking, durable, heads, marker, objects, refusals, snapshot, tables, vaulting
from config.backup.checking import Outside, Sound
from config.backup.manifest import Manifest, Named
from config.backup.refusals import CustodianMissing, Damaged, NotEmpty, OtherKind, OtherRestore, SchemaDiffers
from config.backup.vaulting import VaultCopy
from search import follow

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Media:
    """Where the parts of a backup lie."""

    folder: Path
    vault: Path
    keys: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restore."""

    manifest: Manifest
    objects: int
    destroyed: list[str]
    newest_size: int | None
    records: int
    superseded: int  # kept heads beyond the backup that were put aside
    proven: int  # heads kept elsewhere that the log was held against, and fits


def restore(media: Media, outside: Outside, *, tell: Tell = lambda _line: None, is_drill: bool = False) -> Restored:
    """Restore the newest backup of a folder, or the one named, into this empty installation.

    Args:
        media: where the parts of the backup lie.
        outside: what is kept elsewhere.
        tell: takes a line about each step that is done.
        is_drill: the office goes on beside it, so the heads kept elsewhere stay where they are.

    Raises:
        The BKP refusals; until the marker is written nothing was changed.
        StoreFailed, OSError: store or disk do not answer; run it again, it goes on where it was.
    """
    sound = checking.read(media.folder, outside)
    told = sound.backup.manifest
    _require_form(told)
    vault_copy, dead = checking.serving(sound.backup, media.vault)
    anew = _sealed_anew(sound, vault_copy, dead)
    dead = _replayed(sound, [address for address in dead if address not in anew])
    _require_keys(vault_copy, media.keys)
    home = Path(settings.VANKHO_HOME)
    begun = _begin(home, sound)
    tell(_("%(name)s: manifest, database, log and vault copy are in order.") % {"name": told.name})
    _fill_database(sound)
    tell(_("The database is restored, with %(size)s entries in its log.") % {"size": told.log.size})
    count = _put_back(sound, frozenset(dead), anew)
    tell(
        _("%(count)s stored files are restored; %(dead)s were destroyed since the backup.")
        % {"count": count, "dead": len(dead)}
    )
    vaulting.place(
        vault_copy, home / "keys", custody=media.keys, address=settings.VAULT_URL, without={*dead, *sound.destroyed}
    )
    _require_log(sound)
    resealing.tend()
    places = () if is_drill else outside.heads
    superseded = _record(sound, dead, places, newest_size=begun["newest_size"])
    publishing.publish()
    records = follow.rebuild()
    marker.remove()
    return Restored(told, count, dead, begun["newest_size"], records, superseded, sound.proven)


def _replayed(sound: Sound, dead: list[str]) -> list[str]:
    """Return the listed objects that are destroyed: for the vault copy they are, or a newer log says so."""
    known = set(dead)
    since = sound.destroyed - known
    return dead + [each.address for each in sound.backup.listed() if each.address in since]


def _sealed_anew(sound: Sound, copied: VaultCopy, dead: list[str]) -> dict[str, Named]:
    """Return what became of objects that were sealed anew after the backup, where a later one brought it to this medium."""
    told = copied.sealed_anew(dead)
    listed = (each for each in sound.backup.listed() if each.address in told)
    now = {each.address: Named(told[each.address][0], each.size, told[each.address][1]) for each in listed}
    return {
        address: one
        for address, one in now.items()
        if one.address not in sound.destroyed and objects.is_there(sound.backup.place(one.address), one)
    }


# --- what can refuse, before anything is written -------------------------------------------------


def _require_form(told: Manifest) -> None:
    """Refuse another kind of database, and one that is younger than this program."""
    here = snapshot.POSTGRESQL if connection.vendor == snapshot.POSTGRESQL else snapshot.SQLITE
    if told.kind != here:
        raise OtherKind(kind=told.kind, here=here)
    known = MigrationLoader(None).disk_migrations
    if unknown := [f"{app} {name}" for app, name in told.schema.items() if (app, name) not in known]:
        raise SchemaDiffers(difference=", ".join(unknown), program=told.program)


def _require_keys(copied: VaultCopy, custody: Path | None) -> None:
    """Open one data key under every level key in use, in a place that is removed at once."""
    place = Path(settings.VANKHO_HOME) / "keys" / ".trying"
    shutil.rmtree(place, ignore_errors=True)
    try:
        vaulting.place(copied, place, custody=custody)
        vault = Vault(place / vaulting.VAULT, custodian=KeyFiles(settings.SITE_KEY_FILES))
        with closing(vault):
            for object_id in copied.one_of_each_level():
                vault.get(object_id)
    except Refusal as error:
        raise CustodianMissing(reason=str(error)) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _begin(home: Path, sound: Sound) -> dict[str, Any]:
    """Write the marker into an empty installation, or find that of this backup; return it. Raises NotEmpty, OtherRestore."""
    if marker.is_there():
        begun = marker.read()
        if begun["manifest"] != sound.backup.sha256:
            raise OtherRestore(name=begun["name"])
        return begun
    if _is_in_use():
        raise NotEmpty(what=refusals.USED_DATABASE)
    if next(chosen.driver(settings.STORE_DRIVER).addresses(), None) is not None:
        raise NotEmpty(what=refusals.USED_STORE)
    with closing(rows_at(home / "keys" / vaulting.VAULT, settings.VAULT_URL)) as rows:
        if rows.is_made():
            raise NotEmpty(what=refusals.USED_VAULT)
    if (home / "log" / "checkpoint").exists():
        raise NotEmpty(what=refusals.USED_LOG)
    begun = {"name": sound.backup.manifest.name, "manifest": sound.backup.sha256, "newest_size": sound.newest_size}
    marker.write(begun)
    return begun


def _is_in_use() -> bool:
    """Say whether an office lives in the database; one without tables is empty."""
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != snapshot.POSTGRESQL and not path.exists():
        return False
    with roles.acting_as_owner(), connection.cursor() as cursor:
        return "archive_auditentry" in connection.introspection.table_names(cursor) and tables.is_in_use(cursor)


# --- database, objects ------------------------------------------------------------------------------


def _fill_database(sound: Sound) -> None:
    """Load the snapshot unless a killed run did, then bring its form forward and give the running role its rights."""
    if not _is_in_use():
        with roles.acting_as_owner():
            (_load_tables if connection.vendor == snapshot.POSTGRESQL else _place_file)(sound)
    roles.prepare()


def _place_file(sound: Sound) -> None:
    path = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    for left in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        left.unlink(missing_ok=True)  # an empty one: somebody ran `migrate` here
    durable.make_folder(path.parent)
    with sound.backup.database.open("rb") as source, durable.writing(path) as file:
        found = durable.pour(source, file.write)
        if found != (sound.backup.manifest.database.size, sound.backup.manifest.database.sha256):
            raise Damaged(what=refusals.DATABASE, name=sound.backup.manifest.name)


def _load_tables(sound: Sound) -> None:
    """Bring the empty database to the form of the backup, table for table, and load it in one transaction."""
    told = sound.backup.manifest
    applied = list(MigrationLoader(connection).applied_migrations or {})
    if newer := [f"{app} {name}" for app, name in applied if name > told.schema.get(app, "")]:
        raise SchemaDiffers(difference=", ".join(sorted(newer)), program=told.program)
    for app, name in told.schema.items():
        call_command("migrate", app, name, verbosity=0, interactive=False)
    tables.load(sound.backup.database, expected=told.rows, name=told.name)


def _put_back(sound: Sound, dead: frozenset[str], anew: dict[str, Named]) -> int:
    """Write every object whose content still may be read, one that was sealed anew as it is now; return how many."""
    driver, count = chosen.driver(settings.STORE_DRIVER), 0
    for each in sound.backup.listed():
        if each.address in dead:
            continue
        objects.put_back(anew.get(each.address, each), sound.backup, driver)
        count += 1
    return count


# --- what the office is told ---------------------------------------------------------------------------


def _require_log(sound: Sound) -> None:
    """Compare the log in the database with the backup's, entry for entry. Raises Damaged."""
    size = len(sound.leaves)
    if list(publishing.leaf_hashes(0, size)) != sound.leaves:
        raise Damaged(what=refusals.LOG, name=sound.backup.manifest.name)
    if merkle.root(publishing.leaf_hashes(0, size)).hex() != sound.backup.manifest.log.root:
        raise Damaged(what=refusals.LOG, name=sound.backup.manifest.name)


def _record(sound: Sound, dead: list[str], places: Sequence[Path], *, newest_size: int | None) -> int:
    """Close the registers and write the entry, once; return how many heads kept in these places were put aside."""
    told = sound.backup.manifest
    if Restoration.objects.filter(taken_at=told.taken, size=told.log.size).exists():
        return 0
    superseded = heads.put_aside(places, told.log.size)
    naming.restored(told.name)
    gap = restoration.Gap(
        told.taken, size=told.log.size, newest_size=None if newest_size is None else max(newest_size, told.log.size)
    )
    restoration.record(gap, backup=told.name, shredded=dead, false_entries=told.false_entries)
    sequencing.place_all()
    return superseded
