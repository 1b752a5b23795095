"""Which objects may lawfully be missing: those that an act destroyed, and those a restore found destroyed.

Destruction is: the row goes with an entry that names the object, then the key, then the
bytes. After a restore the row is there again while the newest vault has no key: the entry
of the restore names those addresses, and whoever reads the log finds them. An object that is
missing without either is a loss and stops a backup.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from archive import restoration
from archive.forgetting import DESTROYED
from archive.models import AuditDetail, DigitalObject
from archive.vault import Vault
from config.backup.objects import SAID
from config.backup.refusals import ObjectsMissing, SealedAnew, VaultIncomplete

CLOCKS: Final = timedelta(hours=1)  # by which the clocks of two machines may differ


class Destroyed:
    """Answers for one vault and the log of this installation."""

    def __init__(self, vault: Vault, *, since: datetime | None = None) -> None:
        """Read what earlier restores found destroyed.

        Args:
            vault: holds no key of what was destroyed.
            since: when the objects asked for still had a row (UTC): an entry written later must name what was destroyed.
                None: nobody knows, so a row that is gone is believed.
        """
        self._vault, self._since = vault, since
        self._before = restoration.found_destroyed()

    def has(self, address: str) -> bool:
        """Say whether an act destroyed this object: no key, and no row that still stands for content."""
        if self._has_key(address):
            return False
        if address in self._before:
            return True
        return not DigitalObject.objects.filter(address=address).exists() and self._is_told(address)

    def _is_told(self, address: str) -> bool:
        """Say whether an entry names the object among those that its act destroyed."""
        if self._since is None:
            return True
        later = AuditDetail.objects.filter(entry__ts__gte=self._since - CLOCKS, payload__has_key=DESTROYED)
        return any(address in payload[DESTROYED] for payload in later.values_list("payload", flat=True).iterator())

    def _has_key(self, address: str) -> bool:
        return self._vault.has(bytes.fromhex(address))

    def require_as_named(self, named: Iterable[str]) -> None:
        """Refuse where an object that a snapshot names was sealed anew since, and has no key any more. Raises SealedAnew.

        One whose new form was destroyed, too, as a restore found, names content that is gone: its row follows nothing.
        """
        anew = {each.old.hex() for each in self._vault.resealed.all()} - self._before
        if any(address in anew and not self._has_key(address) for address in named):
            raise SealedAnew

    def require(self, missing: Iterable[str]) -> list[str]:
        """Return the missing objects if each was destroyed. Raises ObjectsMissing, SealedAnew."""
        gone = list(missing)
        if lost := [address for address in gone if not self.has(address)]:
            self.require_as_named(lost)
            raise ObjectsMissing(count=len(lost), addresses=", ".join(lost[:SAID]))
        return gone

    def require_keys(self, lacking: Iterable[str], *, folder: object) -> list[str]:
        """Return the objects that a vault copy does not know if each was destroyed. Raises VaultIncomplete."""
        gone = list(lacking)
        if lost := [address for address in gone if not self.has(address)]:
            raise VaultIncomplete(count=len(lost), addresses=", ".join(lost[:SAID]), folder=folder)
        return gone
