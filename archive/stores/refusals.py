"""What the store answers when it cannot: every refusal with its code and the way out.

STO-00x are about objects and the disk, STO-01x about keys and their custodians. The
sentences name the address or the file to look at, never a word of content.
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal


class StoreFull(Refusal):
    """STO-001: there is no room for another object; reading goes on."""

    code = "STO-001"
    message = _(
        "The archive's disk is nearly full, so nothing new can be taken in; nothing was lost and everything "
        "already filed can still be read. Ask the machine's administrator to free space, then try again."
    )


class MissingObject(Refusal):
    """STO-002: a row names an object that the store does not hold."""

    code = "STO-002"
    message = _(
        "The stored file %(address)s is missing from the archive's disk. "
        "Ask the machine's administrator to restore this file from the newest backup."
    )


DAMAGED_PARTS: Final = {
    "header": _("its first bytes"),
    "identity": _("it is another file"),
    "key": _("the seal of its key"),
    "length": _("its length"),
    "chunk": _("its content"),
}
NOT_OPENED: Final = _("it does not open under the custodians' key")


class DamagedObject(Refusal):
    """STO-003: the stored bytes are not those that were sealed."""

    code = "STO-003"
    message = _(
        "The stored file %(address)s is damaged (%(part)s) and is not shown. "
        "Ask the machine's administrator to restore this file from the newest backup."
    )


class WrongKey(Refusal):
    """STO-004: the wrapped data key does not belong to this object, level and level key."""

    code = "STO-004"
    message = _(
        "The key kept for the stored file %(address)s does not belong to it: the key vault was changed or damaged. "
        "Tell the security officer, and restore the key vault from its newest copy."
    )


class StoreFailed(Refusal):
    """STO-005: the disk answered with an error that is not about room."""

    code = "STO-005"
    message = _(
        "The archive's disk reported an error (%(reason)s). Nothing was marked as done. "
        "Try again; if it happens again, tell the machine's administrator."
    )


class StoreAway(StoreFailed):
    """STO-008: the server that keeps the objects is away, slow or answers wrongly; it may pass by itself."""

    code = "STO-008"
    message = _(
        "The server that keeps the archive's files does not do its work (%(reason)s). Nothing was lost or marked as "
        "done. Try again in a few minutes; if it goes on, tell the machine's administrator."
    )


class Shredded(Refusal):
    """STO-006: the data key was destroyed, so the content is gone for good, wherever a copy lies."""

    code = "STO-006"
    message = _(
        "The content of the stored file %(address)s was destroyed: its key no longer exists, so no copy of it, "
        "backups included, can ever be read. The log says when and why."
    )


class AboveCeiling(Refusal):
    """STO-007: this installation may not hold content of this level (DESIGN.md, invariant 3)."""

    code = "STO-007"
    message = _(
        "Content of the level “%(level)s” may not be kept on this machine. "
        "Keep the paper in its own register, and file a paper stub here at most."
    )


class KeyFileMissing(Refusal):
    """STO-010: a custodian's key file is not where the settings say."""

    code = "STO-010"
    message = _(
        "The key file %(path)s cannot be read (%(reason)s). Insert the custodian's medium, "
        "or put right the setting VANKHO_SITE_KEY_FILES, then start again."
    )


class KeyFileMalformed(Refusal):
    """STO-011: the key file does not hold 64 hexadecimal digits."""

    code = "STO-011"
    message = _(
        "The key file %(path)s is not a key: it must hold one line of 64 hexadecimal digits. "
        "Restore it from the custodian's sealed copy."
    )


class KeyFileExposed(Refusal):
    """STO-012: others than the owner can read the key file, or it can be written."""

    code = "STO-012"
    message = _(
        "The key file %(path)s has permissions %(mode)s; only its owner may read it and nobody may write it. "
        "Run: chmod 0400 %(path)s"
    )


class KeyFileOwned(Refusal):
    """STO-013: the key file belongs to another account than the one that runs the archive."""

    code = "STO-013"
    message = _(
        "The key file %(path)s belongs to user %(owner)s, but the archive runs as user %(user)s. "
        "Give the file to the archive's account."
    )


class KeyFileForeign(Refusal):
    """STO-014: a sound key file, but of another archive, or in the wrong order."""

    code = "STO-014"
    message = _(
        "The key file %(path)s is not the one this key vault was made with (half %(half)s). "
        "Insert the right custodian's medium, or put the files of VANKHO_SITE_KEY_FILES in their first order."
    )


class SecondHalfNeeded(Refusal):
    """STO-015: a classified level needs the halves of two custodians."""

    code = "STO-015"
    message = _(
        "The level “%(level)s” needs the key files of two custodians, and only one is set. "
        "Name both in VANKHO_SITE_KEY_FILES."
    )


class LevelKeyMissing(Refusal):
    """STO-016: the file of a level key is gone or does not open under the site key."""

    code = "STO-016"
    message = _(
        "The level key %(path)s cannot be used (%(reason)s). "
        "Restore it from the custodian's newest copy; content of this level cannot be read until then."
    )


class VaultMissing(Refusal):
    """STO-017: there are sealed objects but no key vault; an empty one must never be made in its place."""

    code = "STO-017"
    message = _(
        "The key vault %(path)s is missing, but sealed files exist: nothing can be read without it. "
        "Restore the vault from the copy kept by its custodian, then start again."
    )


class VaultFailed(Refusal):
    """STO-018: the vault's database is busy or damaged."""

    code = "STO-018"
    message = _(
        "The key vault could not be used (%(reason)s). Nothing was changed. "
        "Try again; if it happens again, tell the machine's administrator."
    )


class VaultAway(StoreAway):
    """STO-019: the server that keeps the vault's rows is away; it may pass by itself."""

    code = "STO-019"
    message = _(
        "The server of the key vault does not answer (%(reason)s). Nothing was lost or marked as done. "
        "Try again in a few minutes; if it goes on, tell the machine's administrator."
    )


class KeysInUse(Refusal):
    """STO-020: a program still runs with a key file that is to go."""

    code = "STO-020"
    message = _(
        "A program of the office still runs with the key files that are to go. Start web and workers again with the files "
        "that stay (VANKHO_SITE_KEY_FILES), then run the same command again. Everything can still be read."
    )


class KeysAwaited(Refusal):
    """STO-021: a change of keys was begun, and this is not how it goes on."""

    code = "STO-021"
    message = _(
        "A change of keys was begun and is not ended. If its command (--new) was broken off, run that again; then name the "
        "new files in VANKHO_SITE_KEY_FILES, start web and workers again, and run manage.py rotate_keys --as OFFICER "
        "--reason DECISION. To give it up, add --withdraw."
    )


class KeysUnfit(Refusal):
    """STO-022: these files cannot take the place of those in use."""

    code = "STO-022"
    message = _("These key files cannot take the place of those in use: %(reason)s. Nothing was changed.")


UNEVEN: Final = _("name as many new files as there are custodians, in their order, and set all files in use")
NOT_NEW: Final = _("at least one half must be new, and the two halves must differ")


class KeysChanging(Refusal):
    """STO-023: another change of keys, or a backup that copies them, is at work."""

    code = "STO-023"
    message = _(
        "Another change of keys is at work, or a backup is just copying the keys. Wait for its end, then try again."
    )


class NothingAnnounced(Refusal):
    """STO-024: there is no change of key files to give up."""

    code = "STO-024"
    message = _(
        "No change to new key files waits here, so none can be given up. What was begun is ended by: "
        "manage.py rotate_keys --as OFFICER --reason DECISION"
    )


class NoGroundForKeys(Refusal):
    """STO-025: who changes keys says on what ground."""

    code = "STO-025"
    message = _("Say on what ground keys are changed (--reason): the decision, and which custodian hands over to whom.")


class KeysUnsettled(Refusal):
    """STO-026: the key files in use still live on the forms that were written while they were announced."""

    code = "STO-026"
    message = _(
        "The change to the key files in use was not ended: the level “%(level)s” opens only in the form that was written "
        "when they were announced, and that would be destroyed. End it first: manage.py rotate_keys --as OFFICER "
        "--reason DECISION. Nothing was changed, everything can still be read."
    )
