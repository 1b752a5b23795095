"""Rows that name a stored file by the form it had before it was sealed anew, and the form in which its content lies now.

The row of a dispatch that was edited past the office does not follow its file (`archive.resealing`): to write its digest
anew would cover the edit. Its content is whole all the same, so whoever copies or reads stored files by their rows asks
here what lies in the place of each. Decides nothing, writes nothing.
"""

from archive.vault import Vault
from config.backup.manifest import Named


class Forms:
    """Answers for the vault of an installation, as it was when it was asked."""

    def __init__(self, vault: Vault) -> None:
        """Follow what was sealed anew, and has no key any more, to what has one; what was destroyed since leads nowhere."""
        notes = {each.old: each for each in vault.resealed.all()}
        self._now: dict[str, tuple[str, str]] = {}
        for old, last in notes.items():
            if vault.has(old):  # not done yet, or cut off: its row stands
                continue
            while last.new in notes and not vault.has(last.new):
                last = notes[last.new]  # noqa: PLW2901 - one step further
            if vault.has(last.new):
                self._now[old.hex()] = last.new.hex(), last.sealed_sha256

    def of(self, each: Named) -> Named:
        """Return as what an object lies now that a row names; most lie as their rows say. Its length stays the same."""
        address, sha256 = self._now.get(each.address, (each.address, each.sha256))
        return Named(address, each.size, sha256)

    def __bool__(self) -> bool:
        """Say whether any row may be behind."""
        return bool(self._now)
