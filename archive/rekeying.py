"""Changing keys: new level keys, and new site keys when custodians hand over; an act of the security officer.

New site keys come in two steps, so that at no moment an object cannot be opened. `announce`
locks every level key for the new key files too; then web and workers are started again with
them, one after the other. `change` takes the old halves out of use once no program holds them,
gives every level a new key, wraps all data keys again and destroys the old level keys in every form.
Without an announcement `change` does the same under the site keys in use.

One act, two entries: where it begins and where it ends. The first says which level keys were to
go, so whatever kills a run, the next one goes on and ends it. Never shows a key, never touches an object.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from archive import access, audit, store
from archive.models import AuditEntry, Person
from archive.rules.levels import Level
from archive.rules.roles import Action
from archive.stores import inuse
from archive.stores.custody import KeyFiles
from archive.stores.refusals import (
    NOT_NEW,
    UNEVEN,
    KeysAwaited,
    KeysChanging,
    KeysUnfit,
    NoGroundForKeys,
    NothingAnnounced,
)
from archive.vault import ANNOUNCED, Vault

ALL: Final = ANNOUNCED  # halves that open every level


@dataclass(frozen=True, slots=True)
class Standing:
    """How keys stand: when the level keys were last changed is told by the log."""

    levels: Sequence[Level]  # that have a key
    is_announced: bool  # new key files wait to be named in the settings
    is_begun: bool  # a change was begun and its end is not in the log


def standing() -> Standing:
    """Return how keys stand, changing nothing."""
    vault = store.configured().vault
    return Standing(sorted(vault.level_keys()), bool(vault.halves()[1]), _begun() is not None)


def announce(files: Sequence[Path], *, reason: str, actor: Person) -> None:
    """Begin a change to new key files: afterwards every level key opens with these too. Run again, it goes on.

    Args:
        files: of the new custodians, in their order; one half may stay.
        reason: the decision, and who hands over to whom.
        actor: the security officer.

    Raises:
        Forbidden, NoGroundForKeys, KeysUnfit, KeysAwaited: nothing was changed.
        KeysInUse: a program runs with other new files that were announced before.
        KeysChanging: another run, or a backup that copies the keys, is at work.
        KeysUnsettled: the change to the files in use was not ended, whatever the log says; nothing was changed.
        The STO-01x refusals about key files; LevelKeyMissing, StoreFailed.
    """
    _require(reason, actor)
    coming, vault = KeyFiles(files), store.configured().vault
    new = list(coming.fingerprints())
    with _alone(vault):
        _require_fit(vault, new, in_use=len(_mine(vault)))
        _prepare(vault, halves=len(new))
        begun = _begun()
        if begun is not None and _coming(begun) != _hex(new):
            raise KeysAwaited
        vault.require_settled()  # before the entry: what is refused must not stand in the log as begun
        if begun is None:
            _write_begin(vault, new, reason=reason, actor=actor)
        vault.announce(coming)


def change(*, reason: str, actor: Person) -> int:
    """Give every level a new key and end the change; return how many data keys were wrapped again in all.

    Raises:
        Forbidden, NoGroundForKeys: nothing was changed.
        KeysAwaited: new key files were announced, and this program was started without them.
        KeysInUse: another program still runs with the old ones.
        KeysChanging: another run, or a backup that copies the keys, is at work.
        WrongKey, LevelKeyMissing, StoreFailed: run it again when it is mended; it goes on where it was.
    """
    _require(reason, actor)
    vault = store.configured().vault
    with _alone(vault):
        in_use, coming = vault.halves()
        if coming and _mine(vault) != coming:
            raise KeysAwaited
        # A main database that was put back knows an older beginning, or none: the vault says what is still to be done.
        unsettled = vault.unsettled()
        begun = _begun() or _write_begin(vault, coming, reason=reason, actor=actor)
        if not coming and not unsettled and _coming(begun) not in ([], _hex(in_use)):
            raise KeysAwaited  # killed between the entry and the announcement: its files are named once more
        if coming:
            vault.adopt()
        due = _due(begun)
        for level, key_id in vault.level_keys().items():
            if level in unsettled or due is None or due.get(str(level.value)) == key_id.hex():
                vault.rotate_level(level)
            vault.destroy_old(level)
        return _write_end(vault, reason=reason, actor=actor)


def withdraw(*, reason: str, actor: Person) -> None:
    """Give up a change to new key files that was announced: they open nothing afterwards.

    Raises:
        Forbidden, NoGroundForKeys, NothingAnnounced: nothing was changed.
        KeysInUse: a program runs with the new files already.
        KeysUnsettled: the files in use need what this would destroy; nothing was changed.
    """
    _require(reason, actor)
    vault = store.configured().vault
    with _alone(vault):
        in_use, coming = vault.halves()
        begun = _begun()
        if not coming and (begun is None or _coming(begun) in ([], _hex(in_use))):
            raise NothingAnnounced
        vault.withdraw()
        _write_end(vault, reason=reason, actor=actor, is_withdrawn=True)


# --- what can refuse ----------------------------------------------------------------------------


def _require(reason: str, actor: Person) -> None:
    access.require(actor, Action.KEYS_BEGIN)
    if not reason.strip():
        raise NoGroundForKeys


def _require_fit(vault: Vault, new: list[bytes], *, in_use: int) -> None:
    kept, _coming = vault.halves()
    if not len(new) == len(kept) == in_use:
        raise KeysUnfit(reason=UNEVEN)
    if len(set(new)) < len(new) or set(new) <= set(kept):
        raise KeysUnfit(reason=NOT_NEW)


@contextmanager
def _alone(vault: Vault) -> Iterator[None]:
    with inuse.alone(vault.keys.folder, [inuse.CHANGE]) as taken:
        if taken:
            raise KeysChanging
        yield


def _mine(vault: Vault) -> list[bytes]:
    """Return the fingerprints of the halves that this program was started with."""
    return list(vault.custodian.fingerprints())


def _prepare(vault: Vault, *, halves: int) -> None:
    """Let each level have its key now: one made between the two steps would open for one set of files alone."""
    for level in Level if halves == ALL else [Level.THUONG]:
        vault.prepare(level)


# --- the two entries --------------------------------------------------------------------------------


def _begun() -> AuditEntry | None:
    """Return the entry of a change that was begun and not ended."""
    acts = AuditEntry.objects.filter(action__in=(Action.KEYS_BEGIN, Action.KEYS_END), outcome="ok")
    newest = acts.order_by("-object_seq").select_related("detail").first()
    return newest if newest is not None and newest.action == Action.KEYS_BEGIN else None


def _details(begun: AuditEntry) -> dict[str, Any]:
    return begun.detail.payload if hasattr(begun, "detail") else {}


def _coming(begun: AuditEntry) -> list[str]:
    return list(_details(begun).get("halves", []))


def _due(begun: AuditEntry) -> dict[str, str] | None:
    """Return the level keys that were to go, {rank: id}; None: nobody can tell any more, so all are."""
    return _details(begun).get("level_keys")


@transaction.atomic
def _write_begin(vault: Vault, coming: list[bytes], *, reason: str, actor: Person) -> AuditEntry:
    keys = {str(level.value): key_id.hex() for level, key_id in vault.level_keys().items()}
    details = {"halves": _hex(coming), "level_keys": keys}
    return audit.write(Action.KEYS_BEGIN, actor=actor, reason=reason.strip(), details=details)


@transaction.atomic
def _write_end(vault: Vault, *, reason: str, actor: Person, is_withdrawn: bool = False) -> int:
    count = vault.count()
    keys = {str(level.value): key_id.hex() for level, key_id in vault.level_keys().items()}
    details = {"level_keys": keys, "objects": count, "withdrawn": is_withdrawn}
    audit.write(Action.KEYS_END, actor=actor, reason=reason.strip(), details=details)
    return count


def _hex(halves: Sequence[bytes]) -> list[str]:
    return [half.hex() for half in halves]
