"""Taking up a database that something else than `restore` put back: PostgreSQL's recovery to a moment, a copy of a disk.

Such a database knows nothing of what was done after the moment, while objects, vault,
index and signed heads do: no office opens on it (LOG-001). Here it is held against the
heads - its log must be their beginning - and the restore is recorded as after a backup:
registers close, the gap is told, what was destroyed since stays destroyed, the index is
built anew, longer heads are put aside and never deleted. Whatever can refuse is asked
first; a kill at any moment leaves a mark, and the same command goes on.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import keychain, logkey, merkle, publishing, resealing, restoration, sequencing, store
from archive.audit import leaf_hash
from archive.models import AuditEntry, AuditLeaf, DigitalObject, Restoration
from archive.stores.disk import sync_folder
from archive.stores.refusals import Shredded
from archive.vault import Vault
from archive.verifier import verify
from config.backup import heads, marker, refusals
from config.backup.checking import Outside
from config.backup.objects import SAID
from config.backup.refusals import NotThatMoment, OtherRestore, StillRecovering, VaultWentBack
from search import follow

RECOVERED: Final = "recovered to a moment"  # in the place of a backup's name in the log
_ROWS: Final = 2_000
READY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a recovered database: entries of its log, entries of the longest head, and the rest by count."""

    size: int
    newest_size: int | None
    destroyed: int
    records: int
    superseded: int  # kept heads beyond the log that were put aside
    false_entries: list[int]  # places of the log whose bytes have another hash: put in or changed past the office


def await_server(*, seconds: float = READY_SECONDS) -> None:
    """Wait until a PostgreSQL server that recovers to a moment has come there: until then it reads and takes no write.

    Raises:
        StillRecovering: it has not, after so many seconds.
    """
    until = time.monotonic() + seconds
    while connection.vendor == "postgresql" and _is_recovering():
        if time.monotonic() > until:
            raise StillRecovering
        time.sleep(0.5)


def _is_recovering() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


def take_up(moment: datetime, outside: Outside) -> Taken:
    """Let the office go on from a database that stands at this moment; on a second machine, put its heads aside too.

    Raises:
        NotThatMoment: the database knows something younger, or nothing at all.
        Unsigned, LogForked: the log is not the beginning of a kept head's.
        verify.Tampered: an entry is missing.
        VaultWentBack: the vault is older than the database.
        OtherRestore: a restore was begun here and not finished.
        logkey.OtherLogKey: the key of this log does not lie here.
        StoreFailed, EngineAway, OSError: run it again, it goes on where it was.
    """
    _require_no_other(moment)
    logkey.require()
    known = Restoration.objects.filter(taken_at=moment).order_by("pk").last()
    if known is None:
        _require_moment(moment)
    false_entries: list[int] = []
    leaves = list(_leaves(false_entries))
    start = leaves[: known.size] if known else leaves
    kept = _kept(outside, len(leaves))
    roots = heads.roots(leaves, (one.head.size for one in kept))
    lost = [one for one in kept if not heads.fits(roots, one.head)]
    newest_size = heads.compare(start, lost, name=str(refusals.RECOVERED)) or (len(start) if kept else None)
    dead = [] if known else list(_destroyed())
    marker.write({"name": RECOVERED, "manifest": moment.isoformat()})
    if known is None:
        known = restoration.record(
            restoration.Gap(moment, size=len(start), newest_size=newest_size),
            backup=RECOVERED,
            shredded=dead,
            false_entries=false_entries,
        )
    resealing.tend()
    records = follow.rebuild()
    # Until here longer heads keep the office shut; from here on the mark does.
    superseded = _put_aside(outside, leaves, known.size)
    sequencing.place_all()
    publishing.publish()
    marker.remove()
    return Taken(known.size, known.newest_size, len(dead), records, superseded, false_entries)


def _require_no_other(moment: datetime) -> None:
    if marker.is_there() and marker.read()["manifest"] != moment.isoformat():
        raise OtherRestore(name=marker.read()["name"])


def _require_moment(moment: datetime) -> None:
    newest = AuditEntry.objects.order_by("-ts").values_list("ts", flat=True).first()
    now = timezone.now()
    if newest is None or not newest <= moment <= now:
        raise NotThatMoment(moment=_said(moment), newest=_said(newest) if newest else _("never"), now=_said(now))


def _said(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y %H:%M:%S}"


def _leaves(false_entries: list[int]) -> Iterator[bytes]:
    """Yield the leaf of each placed entry in order; note the places of those whose bytes have another hash. Raises Tampered.

    Heads are held against leaves, so such an entry hinders nothing but the belief in its own words. What was committed
    and had no place yet is left alone: the lost log may have placed it otherwise.
    """
    rows = AuditLeaf.objects.order_by("idx").values_list("idx", "entry__body", "entry__leaf_hash")
    for place, (idx, body, leaf) in enumerate(rows.iterator(chunk_size=_ROWS)):
        if idx != place:
            raise verify.Tampered("the entry is missing", place)
        if leaf_hash(bytes(body)) != bytes(leaf):
            false_entries.append(place)
        yield merkle.as_hash(bytes(leaf))


def _kept(outside: Outside, size: int) -> list[heads.Kept]:
    """Return the heads of this machine, which have their tiles, and those kept elsewhere. Raises Unsigned."""
    own = [publishing.folder()] if (publishing.folder() / "checkpoint").is_file() else []
    return heads.read([*own, *outside.heads], key=outside.log_key or logkey.signer().public, size=size)


def _destroyed() -> Iterator[str]:
    """Yield the objects whose key and bytes an act destroyed after the moment: their rows are there again.

    Raises:
        VaultWentBack: bytes lie there without a key.
    """
    kept = store.configured()
    keys = (each.hex() for each in kept.vault.object_ids())
    key, behind = next(keys, None), []
    for address in DigitalObject.objects.order_by("address").values_list("address", flat=True).iterator():
        while key is not None and key < address:
            key = next(keys, None)
        if key == address or _is_sealed_anew(kept.vault, address):
            continue
        if kept.driver.stat(address) is not None:
            behind.append(address)
        yield address
    if behind:
        raise VaultWentBack(count=len(behind), addresses=", ".join(behind[:SAID]))


def _is_sealed_anew(vault: Vault, address: str) -> bool:
    try:
        vault.find(bytes.fromhex(address))
    except Shredded:
        return False
    return True


def _put_aside(outside: Outside, leaves: list[bytes], size: int) -> int:
    """Put the heads of lost entries aside, elsewhere and here; return how many. What was signed since stays."""
    own, key = publishing.newest(), logkey.signer().public
    since = heads.roots(leaves, [*range(size, len(leaves) + 1), *([own.size] if own else [])])

    def belongs(note: Path) -> bool:
        try:
            return heads.fits(since, verify.open_note(note.read_bytes(), key, keychain.is_by))
        except (verify.Tampered, ValueError):
            return False

    moved = heads.put_aside(outside.heads, size, belongs=belongs)
    if own is None or heads.fits(since, own):
        return moved
    home = Path(settings.VANKHO_HOME)  # the folder of this machine has the tiles, too: it goes as a whole
    publishing.folder().rename(home / f"log-before-recovery-{timezone.now():%Y%m%dT%H%M%SZ}")
    sync_folder(home)
    return moved + 1
