"""Checking a backup where it lies: nothing of the installation is needed, and no key of the content.

Signature, digests, every row counted, every entry of the log hashed anew, the root, the
chain of backups, kept heads, every object's bytes, whether the vault copy holds a key
for each, and whether its level keys lie on their medium. Changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive import merkle
from config.backup import heads, manifest, objects, refusals, replaying, snapshot, vaulting
from config.backup.manifest import Backup, Earlier
from config.backup.refusals import Damaged, LogForked, ObjectsMissing, VaultIncomplete, VaultTooOld
from config.backup.vaulting import VaultCopy


@dataclass(frozen=True, slots=True)
class Outside:
    """What is kept elsewhere than the backup: the more of it, the more a check proves."""

    public_key: bytes | None = None  # PEM that must have signed; None: the one beside the manifest is believed
    heads: Sequence[Path] = ()
    log_key: str = ""  # NAME+HASH+KEY; empty: the one in the manifest is believed


@dataclass(frozen=True, slots=True)
class Sound:
    """A backup whose database and log are as they were signed."""

    backup: Backup
    leaves: list[bytes] = field(repr=False)
    newest_size: int | None  # entries of the longest head kept elsewhere
    proven: int = 0  # heads kept elsewhere that the log was held against, and fits
    destroyed: frozenset[str] = frozenset()  # addresses that a newer log tells to be destroyed


def read(folder: Path, outside: Outside) -> Sound:
    """Open a backup and prove everything but its objects.

    Raises:
        NoBackup, Unsigned, Damaged, LogForked: as named.
        verify.Tampered: an export of a newer log is not what its head stands for.
    """
    backup = manifest.find(folder, public_key=outside.public_key)
    backup.require_whole()
    leaves = snapshot.examined(backup)
    told = backup.manifest
    if (len(leaves), merkle.root(leaves).hex()) != (told.log.size, told.log.root):
        raise Damaged(what=refusals.LOG, name=told.name)
    key = outside.log_key or told.log_key
    kept = heads.read(outside.heads, key=key, size=len(leaves))
    _require_chain(backup, told.earlier)
    newest_size = heads.compare(leaves, kept, name=told.name)
    proven = sum(one.head.size <= len(leaves) or one.tiles is not None for one in kept)  # each one fits
    destroyed = replaying.destroyed_since(outside.heads, key=key, size=len(leaves))
    return Sound(backup, leaves, newest_size, proven, destroyed)


def _require_chain(backup: Backup, earlier: Earlier | None) -> None:
    """Check that the log of the backup before this one is a beginning of this one's. Raises LogForked."""
    if earlier is None or not (earlier.proof or earlier.log == backup.manifest.log):
        return  # the first one, or restored in between, perhaps to as many entries: the log itself says so
    log, proof = backup.manifest.log, [bytes.fromhex(step) for step in earlier.proof]
    old = bytes.fromhex(earlier.log.root)
    if not merkle.is_prefix(earlier.log.size, old, log.size, bytes.fromhex(log.root), proof):
        raise LogForked(name=backup.manifest.name, size=earlier.log.size)


def require_objects(backup: Backup) -> None:
    """Compare every object's bytes with the list. Raises ObjectsMissing."""
    if wrong := list(objects.damaged(backup)):
        raise ObjectsMissing(count=len(wrong), addresses=", ".join(wrong[: objects.SAID]))


def serving(backup: Backup, folder: Path) -> tuple[VaultCopy, list[str]]:
    """Return the newest vault copy, and the listed objects for which it has no key: destroyed after the backup.

    Raises:
        NoVaultCopy, Unsigned: none can be used.
        VaultTooOld: it is older than the backup, so a missing key would say nothing.
    """
    copied = vaulting.newest(folder, public_key=backup.public_key)
    if copied.taken < backup.manifest.frozen:
        raise VaultTooOld(folder=folder)
    return copied, list(copied.lacks(each.address for each in backup.listed()))


def require_vault(backup: Backup, folder: Path, custody: Path | None = None) -> int:
    """Return how many objects the vault copy knows to be destroyed, for a check.

    Args:
        backup: it must serve.
        folder: where vault copies lie.
        custody: where their level keys lie; None: they are not asked for.

    Raises:
        LevelKeysMissing: the custodian's folder lacks one of the copy.
        VaultIncomplete, and as `serving`.
    """
    copied, dead = serving(backup, folder)
    if custody is not None:
        copied.require_level_keys(custody)
    if copied.path.name == backup.manifest.vault and set(dead) - set(backup.manifest.destroyed):
        raise VaultIncomplete(count=len(dead), addresses=", ".join(dead[: objects.SAID]), folder=folder)
    return len(dead) - len(copied.sealed_anew(dead))
